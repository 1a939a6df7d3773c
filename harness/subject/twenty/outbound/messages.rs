//! What to change so that a Twenty delivers to an endpoint nearby.

/// Both processes read the settings when they start.
const WHERE: &str = "for Twenty's server and its worker, and restart both; a file .env in the server's folder counts before the \
                     environment";

pub(super) fn switch_off_safe_mode() -> String {
    format!("set OUTBOUND_HTTP_SAFE_MODE_ENABLED=false {WHERE}")
}

pub(super) fn allow_host(host: &str) -> String {
    format!("set OUTBOUND_HTTP_ALLOWED_INTERNAL_HOSTS={host} {WHERE}")
}

pub(super) fn either(host: &str) -> String {
    format!(
        "set OUTBOUND_HTTP_SAFE_MODE_ENABLED=false (version 2.31) or OUTBOUND_HTTP_ALLOWED_INTERNAL_HOSTS={host} (newer) {WHERE}"
    )
}

pub(super) fn give_a_host() -> String {
    "if Twenty runs in Docker or on another machine, say with --endpoint-host how it reaches this one, such as \
     host.docker.internal"
        .to_owned()
}

pub(super) fn check_host(host: &str) -> String {
    format!(
        "check that {host} leads to this machine where Twenty's worker runs, and that no firewall is between them"
    )
}

pub(super) fn start_the_worker() -> String {
    "check that Twenty's worker runs, which sends the deliveries".to_owned()
}
