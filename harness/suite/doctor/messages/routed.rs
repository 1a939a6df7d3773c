//! What is said about what answers at a path, and about what stands between.

use std::time::Duration;

use super::time;
use crate::wire::exchange::Outcome;

// The route.

pub(in crate::suite::doctor) fn accepted(status: u16, dialect: &str, took: Duration) -> String {
    format!("a valid delivery (dialect {dialect}) is accepted: {status} after {}", time(took))
}

pub(in crate::suite::doctor) fn page(status: u16) -> String {
    format!("a delivery is answered {status} with a page for people")
}

pub(in crate::suite::doctor) fn use_path_of_receiver() -> String {
    "put the path of the receiver into the URL: this is the page of another route, or of something before the receiver".to_owned()
}

pub(in crate::suite::doctor) fn not_implemented() -> &'static str {
    "POST is answered 501: the server there does not know it"
}

pub(in crate::suite::doctor) fn page_to_all(status: u16, server: Option<String>) -> String {
    let server = server.map(|server| format!(" (Server: {server})")).unwrap_or_default();
    format!(
        "valid, forged and unsigned deliveries are all answered {status} with a page for people{server}; something before the \
         receiver may answer"
    )
}

pub(in crate::suite::doctor) fn check_access_rules() -> String {
    "check the access rules and the firewall (WAF) of what is before the receiver, and its log".to_owned()
}

pub(in crate::suite::doctor) fn fails(status: u16, server: Option<String>) -> String {
    let server = server.map(|server| format!(" (Server: {server})")).unwrap_or_default();
    format!("valid, forged and unsigned deliveries are all answered {status}{server}")
}

pub(in crate::suite::doctor) fn run_receiver() -> String {
    "read the log of the receiver: it, or what is before it, fails whatever is sent".to_owned()
}

pub(in crate::suite::doctor) fn rejects_valid(status: u16, others: &[u16]) -> String {
    match others {
        [forged, unsigned] if forged == unsigned && *forged == status => {
            format!("a valid delivery is answered {status}, as a forged and an unsigned one are")
        }
        [forged, unsigned] => {
            format!(
                "a valid delivery is answered {status}, a forged one {forged}, an unsigned one {unsigned}"
            )
        }
        _ => format!("a valid delivery is answered {status}"),
    }
}

pub(in crate::suite::doctor) fn check_secret_by_run() -> String {
    "check that the secret is the receiver's; why it rejects a delivery is what `receiver` finds out"
        .to_owned()
}

pub(in crate::suite::doctor) fn redirects(status: u16, place: &str) -> String {
    format!("every delivery is redirected ({status}) to {place}")
}

pub(in crate::suite::doctor) fn other_host() -> &'static str {
    "another host"
}

pub(in crate::suite::doctor) fn to_https() -> &'static str {
    "HTTPS"
}

pub(in crate::suite::doctor) fn trailing_slash() -> &'static str {
    "the path that differs in the slash at its end"
}

pub(in crate::suite::doctor) fn other_path() -> &'static str {
    "another path"
}

pub(in crate::suite::doctor) fn follow_redirect(what: &str, url: &str) -> String {
    format!(
        "Twenty does not follow redirects; this one leads to {what}: use --url {url}, and register that URL in Twenty"
    )
}

pub(in crate::suite::doctor) fn method(status: u16, allow: Option<&str>) -> String {
    match allow {
        Some(allow) => format!("POST is answered {status}; allowed there: {allow}"),
        None => format!("POST is answered {status}, without a header Allow"),
    }
}

pub(in crate::suite::doctor) fn login(status: u16, demand: Option<&str>) -> String {
    match demand {
        Some(demand) => format!("every delivery is answered {status} and asked for credentials ({demand})"),
        None => format!("every delivery is answered {status} with a login"),
    }
}

pub(in crate::suite::doctor) fn limited(status: u16, retry: Option<&str>) -> String {
    let retry = retry.map(|retry| format!(" (Retry-After: {retry})")).unwrap_or_default();
    format!("a rate limit answers {status}{retry}")
}

pub(in crate::suite::doctor) fn not_found(path: &str) -> String {
    format!("{path} is answered 404, as a path is that no program has")
}

pub(in crate::suite::doctor) fn instead(status: u16, what: &str, server: Option<String>) -> String {
    let server = server.map(|server| format!("; Server: {server}")).unwrap_or_default();
    format!("every delivery is answered {status}: {what}{server}")
}

pub(in crate::suite::doctor) fn no_http(why: &str) -> String {
    format!("what answers there does not speak HTTP/1.1: {why}")
}

pub(in crate::suite::doctor) fn check_port_of_http() -> String {
    "correct the port in the URL: another program listens on this one".to_owned()
}

pub(in crate::suite::doctor) fn no_answer_in_time() -> &'static str {
    "a valid delivery was not answered in time"
}

pub(in crate::suite::doctor) fn no_answer(outcome: &Outcome) -> String {
    format!("a valid delivery was not answered: {outcome}")
}

pub(in crate::suite::doctor) fn check_log() -> String {
    "read the log of the receiver, and of what is before it: something closes the connection".to_owned()
}

// What is between.

pub(in crate::suite::doctor) fn nothing_named() -> String {
    "no answer names a server or a proxy".to_owned()
}

pub(in crate::suite::doctor) fn server_named(server: &str) -> String {
    format!("answers name one server: {server}")
}

pub(in crate::suite::doctor) fn several_servers(servers: &[String]) -> String {
    format!("answers come from different servers: {}", servers.join("; "))
}

pub(in crate::suite::doctor) fn via(value: &str) -> String {
    format!("a proxy (Via: {value})")
}

pub(in crate::suite::doctor) fn between(names: &[String]) -> String {
    format!("answers pass through {}", names.join(", "))
}

pub(in crate::suite::doctor) fn go_around() -> String {
    "malformed, cut-off and unusual requests may be answered there, not by the receiver: test the receiver's own port, and \
     measure what is between with `doctor --through URL --listen-on PORT`"
        .to_owned()
}
