//! Every sentence that this folder says to users, in the order of its folders: outcomes and requests, the client, the endpoints.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

// Outcomes of a delivery. A report shows each alone, or after a colon.

pub(super) fn timed_out() -> &'static str {
    "timed out"
}

pub(super) fn connection_refused() -> &'static str {
    "connection refused"
}

pub(super) fn connection_reset() -> &'static str {
    "connection reset"
}

pub(super) fn closed_early() -> &'static str {
    "connection closed before an answer"
}

pub(super) fn no_http_response(why: &str) -> String {
    format!("no valid HTTP response: {why}")
}

pub(super) fn tls_error(why: &str) -> String {
    format!("TLS error: {why}")
}

pub(super) fn abandoned() -> &'static str {
    "connection closed early on purpose"
}

pub(super) fn begins_with(quoted: &str) -> String {
    format!("it begins with {quoted}")
}

// Deliveries from files.

pub(super) fn bytes_in_json() -> &'static str {
    "a string, or an object with one member `base64`"
}

pub(super) fn too_many_elements(what: &str, most: usize) -> String {
    format!("more than {most} {what}")
}

pub(super) fn invalid_base64(why: impl Display) -> String {
    format!("invalid base64: {why}")
}

pub(crate) fn not_a_method(method: &str) -> String {
    format!("{method:?} is not a request method")
}

pub(super) fn not_a_path(target: &str) -> String {
    format!("the target {target:?} is not a path")
}

pub(super) fn not_a_header_name(name: &str) -> String {
    format!("{name:?} is not a header name")
}

pub(super) fn line_break_in_header(name: &str) -> String {
    format!("the value of {name} contains a line break or a NUL")
}

// Targets.

pub(crate) fn not_a_url(url: &str, why: impl Display) -> String {
    format!("{url:?} is not a URL: {why}")
}

pub(super) fn unsupported_scheme(url: &str, scheme: &str) -> String {
    format!("{url:?} has the scheme {scheme:?}; use http or https")
}

pub(super) fn credentials_in_url() -> String {
    "the URL contains a user name or a password, which deliveries do not carry; remove it".to_owned()
}

pub(super) fn no_host(url: &str) -> String {
    format!("{url:?} has no host")
}

pub(super) fn trust_without_tls(url: &str) -> String {
    format!("--ca and --insecure apply to https URLs only; {url:?} is not one")
}

pub(super) fn address_to_listen_on(host: &str, instead: &str) -> String {
    format!("{host} is an address to listen on; write {instead}")
}

pub(super) fn not_a_host(text: &str) -> String {
    format!(
        "{text:?} is not a host; write a name or an address without a scheme and a port, such as host.docker.internal"
    )
}

pub(super) fn not_this_machine(address: &str) -> String {
    format!("{address} is not this machine; to send to it anyway, add --allow-remote")
}

/// The forwarding of a request that was answered.
pub(super) fn answered(status: u16) -> String {
    format!("answered {status}")
}

/// Why a request could not be forwarded.
pub(super) fn no_answer_within(wait: Duration) -> String {
    format!("no answer within {wait:?}")
}

pub(super) fn forwarding_failed(url: &str, outcome: impl Display) -> String {
    format!("forwarding to {url} failed: {outcome}\n")
}

// Open files.

#[cfg(unix)]
pub(super) fn too_many_files(needed: u64, soft: u64, hard: u64) -> String {
    let root = if needed > hard { " as root" } else { "" };
    format!(
        "the load needs {needed} open files, and this process may have {soft}; lower --concurrency, or raise the limit{root} \
         with ulimit -n {needed}"
    )
}

// TLS of the client: what is wrong, then the fix.

pub(super) fn no_system_certificates(why: impl Display) -> String {
    format!("cannot read the system's certificates: {why}; use --ca FILE or --insecure")
}

pub(super) fn no_tls_setup(why: impl Display) -> String {
    format!("cannot set up TLS: {why}")
}

pub(super) fn host_without_certificate(host: &str) -> String {
    format!("no certificate can be issued for the host {host:?}")
}

pub(super) fn closed_in_handshake() -> String {
    "the server closed the connection during the handshake; if it serves plain HTTP, use http:// in the URL"
        .to_owned()
}

pub(super) fn handshake_failed(why: impl Display) -> String {
    format!("the handshake failed: {why}")
}

pub(super) fn server_speaks_no_tls(why: impl Display) -> String {
    format!("the server did not speak TLS ({why}); if it serves plain HTTP, use http:// in the URL")
}

pub(super) fn client_certificate_required(why: impl Display) -> String {
    format!("the server requires a client certificate, which deliveries do not carry ({why})")
}

pub(super) fn server_aborted_tls(why: impl Display) -> String {
    format!("the server aborted the connection: {why}")
}

/// `why` is the TLS library's name for the fault, `fix` one of the functions after this one.
pub(super) fn certificate_rejected(why: impl Display, fix: &str) -> String {
    format!("{why}; {fix}")
}

pub(super) fn trust_issuer() -> &'static str {
    "trust the certificate or its issuer with --ca FILE, or skip the check with --insecure"
}

pub(super) fn update_issuer() -> &'static str {
    "the issuer in --ca FILE has the same name but another key: check that the file is up to date, or skip the check \
     with --insecure"
}

pub(super) fn renew_certificate() -> &'static str {
    "renew the certificate, or skip the check with --insecure"
}

pub(super) fn compare_clocks() -> &'static str {
    "compare the clocks of both machines, or skip the check with --insecure"
}

pub(super) fn use_certified_name() -> &'static str {
    "use a host name that the certificate is valid for, or skip the check with --insecure"
}

pub(super) fn trust_authority_itself() -> &'static str {
    "the server uses a CA certificate as its own: trust exactly that certificate with --ca FILE, or skip the check \
     with --insecure"
}

pub(super) fn skip_check() -> &'static str {
    "skip the check with --insecure"
}

// The file of --ca.

pub(super) fn unreadable_ca(file: &Path, why: impl Display) -> String {
    format!("cannot read the CA file {}: {why}", file.display())
}

pub(super) fn ca_is_not_pem(file: &Path, why: impl Display) -> String {
    format!(
        "the CA file {} is not valid PEM: {why}; export the certificate again as PEM (Base64)",
        file.display()
    )
}

pub(super) fn ca_without_certificate(file: &Path, is_der: bool) -> String {
    let fix = if is_der {
        "convert it from DER to PEM with `openssl x509 -inform der`"
    } else {
        "it must be PEM, with a line -----BEGIN CERTIFICATE-----"
    };
    format!("the CA file {} contains no PEM certificate; {fix}", file.display())
}

pub(super) fn invalid_ca_certificate(file: &Path, number: usize, why: impl Display) -> String {
    format!("certificate {number} in the CA file {} is invalid: {why}", file.display())
}

pub(super) fn unusable_ca(file: &Path, why: impl Display) -> String {
    format!("cannot use the CA file {}: {why}", file.display())
}

// Certificates of the endpoints.

pub(super) fn no_authority(why: impl Display) -> String {
    format!("cannot create a certificate authority: {why}")
}

/// `which` is the end of "a certificate that …".
pub(super) fn no_certificate(which: &str, why: impl Display) -> String {
    format!("cannot create a certificate that {which}: {why}")
}

// Bodies of the endpoints' own answers.

pub(super) fn not_a_request() -> &'static str {
    "invalid HTTP request\n"
}

pub(super) fn invalid_response() -> &'static str {
    "the server could not make a valid HTTP response to this request\n"
}

pub(super) fn https_only() -> &'static str {
    "plain HTTP request sent to an HTTPS endpoint\n"
}

// What a scripted endpoint received instead of a request.

pub(super) fn broken_request(why: &str, bytes: u64, quoted: &str) -> String {
    match bytes {
        1 => format!("{why}; 1 byte arrived: {quoted}"),
        _ => format!("{why}; {bytes} bytes arrived, beginning {quoted}"),
    }
}

pub(super) fn incomplete_after(elapsed: impl Display) -> String {
    format!("it was not complete {elapsed} after its first byte")
}

pub(super) fn closed_within_request() -> String {
    "the connection closed in the middle of the request".to_owned()
}

pub(super) fn failed_within_request(why: impl Display) -> String {
    format!("the connection failed in the middle of the request ({why})")
}

pub(super) fn invalid_http(fault: impl Display) -> String {
    format!("it is not valid HTTP ({fault})")
}

/// `quoted` is the malformed part, not the beginning of the request.
pub(super) fn invalid_http_at(fault: impl Display, quoted: &str) -> String {
    format!("it is not valid HTTP ({fault}: {quoted})")
}

// What happened at an HTTPS endpoint instead of a request: whole clauses.

pub(super) fn sender_speaks_no_tls(quoted: &str) -> String {
    format!("the sender did not speak TLS: it sent {quoted}")
}

pub(super) fn handshake_timed_out(seconds: f64) -> String {
    format!("the TLS handshake was not complete {seconds:.1} s after it began")
}

pub(super) fn sender_rejected_certificate(alert: &str) -> String {
    format!("the sender rejected the certificate (alert {alert})")
}

pub(super) fn sender_handshake_failed(why: impl Display) -> String {
    format!("the TLS handshake failed ({why})")
}

pub(super) fn sender_left_handshake(why: impl Display) -> String {
    format!("the sender closed the connection during the TLS handshake ({why})")
}

pub(super) fn sender_left_after_handshake() -> String {
    "the sender closed the connection after the TLS handshake, without a request".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_adapt_to_their_arguments() {
        let file = Path::new("ca.pem");
        for (said, expected) in [
            (broken_request("it ended", 1, "\"P\""), "it ended; 1 byte arrived: \"P\""),
            (broken_request("it ended", 4, "\"POST\""), "it ended; 4 bytes arrived, beginning \"POST\""),
            (
                ca_without_certificate(file, false),
                "the CA file ca.pem contains no PEM certificate; it must be PEM, with a line -----BEGIN CERTIFICATE-----",
            ),
            (
                ca_without_certificate(file, true),
                "the CA file ca.pem contains no PEM certificate; convert it from DER to PEM with \
                 `openssl x509 -inform der`",
            ),
            (
                certificate_rejected("invalid peer certificate: UnknownIssuer", trust_issuer()),
                "invalid peer certificate: UnknownIssuer; trust the certificate or its issuer with --ca FILE, or skip \
                 the check with --insecure",
            ),
            (
                tls_error(&server_speaks_no_tls("corrupt message")),
                "TLS error: the server did not speak TLS (corrupt message); if it serves plain HTTP, use http:// in the \
                 URL",
            ),
            (handshake_timed_out(0.2), "the TLS handshake was not complete 0.2 s after it began"),
        ] {
            assert_eq!(said, expected);
        }
    }

    #[cfg(unix)]
    #[test]
    fn names_root_only_above_the_hard_limit() {
        assert!(!too_many_files(2000, 1024, 4096).contains("root"));
        assert!(too_many_files(8000, 1024, 4096).contains("raise the limit as root with ulimit -n 8000"));
    }
}
