//! What the stage and the scenarios say: errors, and remarks on the run.

use std::collections::BTreeMap;

use crate::plural::counted;

pub(crate) fn endpoint_not_started(why: &str) -> String {
    format!("cannot start an endpoint: {why}")
}

pub(crate) fn capability_broken(capability: &str, why: &str) -> String {
    format!("the sender declares the capability `{capability}`, but it does not work: {why}")
}

pub(crate) fn https_not_tested(why: &str) -> String {
    format!("HTTPS was not tested: {why}")
}

/// A remark on a sender that accepts bad certificates. Each of `certificates` ends "a certificate that ...".
pub(crate) fn untrusted_accepted(certificates: &[&str]) -> String {
    let all = match certificates {
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => certificates.concat(),
    };
    format!(
        "the sender delivers to an HTTPS endpoint whose certificate {all}; an attacker on the network can read its \
         deliveries and acknowledge them"
    )
}

// The beginnings of remarks on generated events. A colon and the details follow. Each remark is made once.

pub(crate) fn secret_refused() -> &'static str {
    "the sender refused a generated secret"
}

pub(crate) fn records_refused(property: &str) -> String {
    format!("the sender refused some of the generated {property}")
}

pub(crate) fn lone_surrogate_changed() -> &'static str {
    "the sender changes text with a lone surrogate"
}

/// A remark on a CRM that has no object whose records can hold anything.
pub(crate) fn no_generated_records() -> &'static str {
    "no records were generated: the API key may not create a custom object with a JSON field"
}

// More about a generated event or secret.

pub(crate) fn short_secret() -> &'static str {
    "a short secret"
}

pub(crate) fn long_secret() -> &'static str {
    "a secret of more than 64 bytes"
}

pub(crate) fn secret_size(characters: usize, bytes: usize) -> String {
    format!("{characters} characters, {bytes} bytes")
}

pub(crate) fn wrong_only_in_burst(others: usize) -> String {
    format!("emitted together with {others} others; smaller events passed when emitted alone")
}

// How a delivery differs from the event that was emitted.

pub(crate) fn body_not_json() -> &'static str {
    "the body is not JSON"
}

pub(crate) fn other_event_named() -> &'static str {
    "the body names another event"
}

pub(crate) fn value_differs(path: &str, actual: Option<&str>, expected: &str) -> String {
    format!("`{path}` is {}, not {expected}", actual.unwrap_or("missing"))
}

pub(crate) fn unknown_dialect(name: &str) -> String {
    format!("its reply to hello names the dialect {name:?}; there are documented and shipped")
}

/// A remark on requests that are no deliveries, by method.
pub(crate) fn strays(counts: &BTreeMap<String, u64>) -> String {
    let each: Vec<String> = counts.iter().map(|(method, count)| format!("{method} {count}")).collect();
    let were =
        counted(counts.values().sum::<u64>(), "request was no delivery", "requests were no deliveries");
    format!("{were} (not judged): {}", each.join(", "))
}
