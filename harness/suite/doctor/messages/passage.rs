//! What a measured passage says: how requests arrive on the other side of a proxy or a tunnel.

use std::net::IpAddr;
use std::time::Duration;

use super::{size, time};
use crate::plural::counted;
use crate::suite::doctor::passed::change::{BodyChange, Changed};
use crate::wire::exchange::Outcome;

pub(in crate::suite::doctor) const CHECKS_OF_HEADERS: &str =
    "checks of header names, repeated headers and bytes in headers";
pub(in crate::suite::doctor) const CHECKS_OF_FORMS: &str = "checks of chunks and of Expect";
pub(in crate::suite::doctor) const CHECKS_OF_CUT: &str = "checks of slow and cut-off requests";

/// What to do where some checks see the proxy instead of the receiver.
pub(in crate::suite::doctor) fn judges_the_proxy(checks: &str) -> String {
    format!(
        "through this URL, {checks} judge what is between, not the receiver: test the receiver's own port"
    )
}

pub(in crate::suite::doctor) fn arrives(listens: &str, took: Duration, strays: usize) -> String {
    let strays = match strays {
        0 => String::new(),
        strays => format!("; {} of others too", counted(strays, "request", "requests")),
    };
    format!("what is sent to the URL arrives at {listens} after {}{strays}", time(took))
}

pub(in crate::suite::doctor) fn arrives_malformed(listens: &str, why: &str) -> String {
    format!("what arrives at {listens} is no request of HTTP/1.1: {why}")
}

pub(in crate::suite::doctor) fn speak_http() -> String {
    "have the proxy speak plain HTTP/1.1 to this port: without TLS, HTTP/2 or the PROXY protocol".to_owned()
}

pub(in crate::suite::doctor) fn nothing_arrives(listens: &str, outcome: &Outcome) -> String {
    format!("nothing arrives at {listens}; the answer to a request to the URL: {outcome}")
}

pub(in crate::suite::doctor) fn lead_here(listens: &str) -> String {
    format!("point the proxy or the tunnel at {listens}, or name with --listen-on where it leads")
}

pub(in crate::suite::doctor) fn lead_here_or(listens: &str, fix: &str) -> String {
    format!("{}; or {fix}", lead_here(listens))
}

pub(in crate::suite::doctor) fn not_arrived() -> &'static str {
    "that request did not arrive"
}

pub(in crate::suite::doctor) fn path_kept(method: &str, path: &str) -> String {
    format!("{method} {path} arrives unchanged")
}

pub(in crate::suite::doctor) fn path_changed(sent: &str, method: &str, path: &str) -> String {
    format!("POST {sent} arrives as {method} {path}")
}

pub(in crate::suite::doctor) fn serve_that_path() -> String {
    "have the receiver serve the path that arrives, or have the proxy keep the path".to_owned()
}

pub(in crate::suite::doctor) fn keep_method() -> String {
    "have the proxy keep the method: deliveries are POST".to_owned()
}

pub(in crate::suite::doctor) fn twenty_headers_arrive() -> &'static str {
    "signature, timestamp, nonce and Content-Type arrive unchanged"
}

pub(in crate::suite::doctor) fn twenty_headers_lost(lost: &[&str], changed: &[&str]) -> String {
    let part = |names: &[&str], what: &str| match names {
        [] => None,
        names => Some(format!("{what}: {}", names.join(", "))),
    };
    let parts = [part(lost, "removed"), part(changed, "changed")];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

pub(in crate::suite::doctor) fn pass_headers() -> String {
    "have the proxy pass on all headers unchanged (CloudFront: an origin request policy that forwards them)"
        .to_owned()
}

/// Headers other than Twenty's.
pub(in crate::suite::doctor) fn headers(
    added: &[(String, String)],
    removed: &[&String],
    changed: &[&Changed],
    host: Option<&Changed>,
) -> String {
    const MOST: usize = 12;
    let mut parts = Vec::new();
    if !added.is_empty() {
        let names: Vec<&str> = added.iter().take(MOST).map(|(name, _)| name.as_str()).collect();
        let more = added.len().saturating_sub(MOST);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        parts.push(format!("added: {}{more}", names.join(", ")));
    }
    if !removed.is_empty() {
        let names: Vec<&str> = removed.iter().map(|name| name.as_str()).collect();
        parts.push(format!("removed: {}", names.join(", ")));
    }
    for Changed { name, sent, arrived } in changed.iter().copied().chain(host) {
        parts.push(format!("{name} was {sent:?}, arrives as {arrived:?}"));
    }
    if parts.is_empty() { "other headers arrive unchanged".to_owned() } else { parts.join("; ") }
}

pub(in crate::suite::doctor) fn names_kept() -> &'static str {
    "names of headers keep their case and their order"
}

pub(in crate::suite::doctor) fn names_changed(renamed: &[(String, String)], reordered: bool) -> String {
    let mut parts = Vec::new();
    if let Some((sent, arrived)) = renamed.first() {
        let all = counted(renamed.len(), "name changes its case", "names change their case");
        parts.push(format!("{all}: {sent} arrives as {arrived}"));
    }
    if reordered {
        parts.push("the order changes".to_owned());
    }
    parts.join("; ")
}

pub(in crate::suite::doctor) fn odd_headers_arrive() -> &'static str {
    "a header that is sent twice, and a byte beyond ASCII in one, arrive unchanged"
}

pub(in crate::suite::doctor) fn odd_headers_stopped(outcome: &Outcome) -> String {
    format!("a request with a header twice and a byte beyond ASCII in one does not arrive: {outcome}")
}

pub(in crate::suite::doctor) fn odd_headers_changed(twice: bool, bytes: bool) -> String {
    match (twice, bytes) {
        (false, true) => "a header that is sent twice arrives otherwise".to_owned(),
        (true, false) => "a byte beyond ASCII in a header arrives otherwise".to_owned(),
        _ => "a header that is sent twice, and a byte beyond ASCII in one, arrive otherwise".to_owned(),
    }
}

pub(in crate::suite::doctor) fn trimmed() -> &'static str {
    "trimmed: without white space at its ends"
}

pub(in crate::suite::doctor) fn bodies_kept(count: usize) -> String {
    format!("{} arrive byte for byte", counted(count, "body", "bodies"))
}

pub(in crate::suite::doctor) fn body_changed(change: &BodyChange) -> String {
    let BodyChange { sent, arrived, at, there, printed_by, encoding } = change;
    let by = printed_by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default();
    let encoding =
        encoding.as_ref().map(|encoding| format!("; Content-Encoding: {encoding}")).unwrap_or_default();
    let [sent_there, arrived_there] = there;
    format!(
        "a body of {sent} bytes arrives as {arrived}{by}: at offset {at}, {sent_there} became {arrived_there}{encoding}"
    )
}

pub(in crate::suite::doctor) fn pass_body() -> String {
    "have the proxy pass on bodies as bytes: no JSON transformation, inspection that rewrites, compression or trimming. No \
     signature can be verified after it"
        .to_owned()
}

pub(in crate::suite::doctor) fn chunked() -> &'static str {
    "a body in chunks"
}

pub(in crate::suite::doctor) fn expecting() -> &'static str {
    "a request with Expect: 100-continue"
}

pub(in crate::suite::doctor) fn slow() -> &'static str {
    "a body with a pause in it"
}

pub(in crate::suite::doctor) fn second() -> &'static str {
    "a second request"
}

pub(in crate::suite::doctor) fn stopped(what: &str, outcome: &Outcome) -> String {
    format!("{what} does not arrive: {outcome}")
}

pub(in crate::suite::doctor) fn chunks_arrive() -> &'static str {
    "a body in chunks arrives in chunks"
}

pub(in crate::suite::doctor) fn chunks_joined() -> &'static str {
    "a body in chunks arrives with its length instead"
}

pub(in crate::suite::doctor) fn expect_passed() -> &'static str {
    "Expect: 100-continue arrives"
}

pub(in crate::suite::doctor) fn expect_answered() -> &'static str {
    "Expect: 100-continue is answered before this machine"
}

pub(in crate::suite::doctor) fn expect_lost() -> &'static str {
    "Expect: 100-continue neither arrives nor is answered"
}

pub(in crate::suite::doctor) fn streams() -> &'static str {
    "the begin of a slow body arrives while the rest is not sent yet"
}

pub(in crate::suite::doctor) fn buffers(head_late: bool) -> String {
    let what = if head_late { "a request arrives" } else { "a body arrives" };
    format!("buffered: {what} only when it is complete")
}

pub(in crate::suite::doctor) fn large_arrives(bytes: usize) -> String {
    format!("a body of {} arrives", size(bytes))
}

pub(in crate::suite::doctor) fn large_changed(bytes: usize, arrived: u64) -> String {
    format!("of a body of {}, {arrived} bytes arrive", size(bytes))
}

pub(in crate::suite::doctor) fn large_stopped(bytes: usize, outcome: &Outcome) -> String {
    format!("a body of {} does not arrive: {outcome}", size(bytes))
}

pub(in crate::suite::doctor) fn raise_limit() -> String {
    "raise the limit of bodies in the proxy (nginx: client_max_body_size, 1 MiB by default)".to_owned()
}

/// `added` are the headers that are added to answers.
pub(in crate::suite::doctor) fn answers_kept(added: &[String]) -> String {
    let added = if added.is_empty() { String::new() } else { format!("; added: {}", added.join(", ")) };
    format!("answers come back with their status, their body and their header{added}")
}

pub(in crate::suite::doctor) fn answers_rewritten() -> &'static str {
    "answers come back with their status, but with another body or without their header"
}

/// `replaced` has the status of each answer that was given, and what the client got.
pub(in crate::suite::doctor) fn answers_replaced(replaced: &[(u16, String)]) -> String {
    let each: Vec<String> =
        replaced.iter().map(|(given, back)| format!("{given} comes back as: {back}")).collect();
    format!("an answer is replaced: {}", each.join("; "))
}

pub(in crate::suite::doctor) fn pass_answers() -> String {
    "have the proxy pass on answers unchanged, those with 4xx and 5xx too (nginx: proxy_intercept_errors off)"
        .to_owned()
}

pub(in crate::suite::doctor) fn not_repeated() -> &'static str {
    "each request arrives once, also when it is answered 500"
}

pub(in crate::suite::doctor) fn repeated(times: usize, status: u16) -> String {
    format!("one request arrives {times} times (it is answered {status})")
}

pub(in crate::suite::doctor) fn do_not_repeat() -> String {
    "have the proxy not repeat a POST (nginx: proxy_next_upstream off; Envoy, Traefik: no retries)".to_owned()
}

/// `outer` is towards the URL, `inner` between the proxy and this machine.
pub(in crate::suite::doctor) fn kept(outer: bool, inner: bool) -> String {
    let words = |kept: bool| if kept { "kept" } else { "closed after each request" };
    format!("the connection to the URL is {}; the one to this machine is {}", words(outer), words(inner))
}

pub(in crate::suite::doctor) fn kept_and_lost(outcome: &Outcome) -> String {
    format!("the second request on a connection was lost: {outcome}")
}

pub(in crate::suite::doctor) fn client(from: IpAddr, named: &[String]) -> String {
    let named = if named.is_empty() { "no header names the sender".to_owned() } else { named.join("; ") };
    format!("requests come from {from}; {named}")
}
