//! What `listen` says of deliveries: in their lines, in its summary, and where it waits for one.

use crate::plural::counted;

/// What follows a delivery's length.
pub(super) fn signature(state: &str) -> String {
    format!("signature {state}")
}

/// The signature of a delivery, if the secret is unknown.
pub(super) fn not_checked() -> &'static str {
    "not checked (no secret)"
}

/// A delivery that was passed on, and the status of the answer.
pub(super) fn forwarded(status: u16) -> String {
    format!("→ forwarded, {status}")
}

/// A delivery that was not passed on, or not taken.
pub(super) fn forward_failed(why: &str) -> String {
    format!("→ forward failed: {why}")
}

/// A connection that was closed halfway, or bytes that are neither a request nor a part of a delivery.
pub(super) fn scrap(what: &str) -> String {
    format!("no delivery: passed over: {what}")
}

/// Connections that were closed without a request, in the summary.
pub(super) fn unused_in_all(count: u64) -> String {
    let connections = counted(count, "connection that was closed", "connections that were closed");
    format!("{connections} without a request")
}

/// The one line about requirements that were not shown. `by_secret` counts those that a secret would show.
pub(super) fn not_shown(count: usize, by_secret: usize) -> String {
    let count = counted(count as u64, "requirement", "requirements");
    let secret =
        if by_secret > 0 { format!(", {by_secret} of them for want of --secret") } else { String::new() };
    format!("not shown by these deliveries: {count}{secret}")
}

/// The same, if there was no delivery.
pub(super) fn nothing_shown() -> &'static str {
    "no requirement was shown: no delivery arrived"
}

/// Which kinds of event have come, and which have not.
pub(super) fn kinds(seen: &[(&str, u64)], missing: &[&str]) -> String {
    let seen: Vec<String> = seen.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    let seen = if seen.is_empty() { "none".to_owned() } else { seen.join(", ") };
    let missing = if missing.is_empty() { "none".to_owned() } else { missing.join(", ") };
    format!("kinds of event seen: {seen}; not seen: {missing}")
}

/// Forwarded deliveries that were not taken, and why, with how often.
pub(super) fn not_forwarded(count: u64, of: u64, losses: &[(&str, u64)]) -> String {
    let losses: Vec<String> = losses.iter().map(|(why, count)| format!("{why} ({count})")).collect();
    format!("not passed on: {count} of {}: {}", counted(of, "delivery", "deliveries"), losses.join(", "))
}

/// The end of the last line: how many were passed on, and how many were not.
pub(super) fn result_of_forwarding(passed: u64, lost: u64) -> String {
    format!(" passed on {passed} not passed on {lost}")
}

/// The end of the last line, without a secret.
pub(super) fn signatures_not_checked() -> &'static str {
    ", signatures not checked (no secret)"
}

/// A condition of `--wait-for` that is not `KEY=PATTERN`.
pub(super) fn condition_without_value(text: &str) -> String {
    format!("{text:?} is no condition: write KEY=PATTERN, such as event=person.updated or record=ID")
}

/// A condition of `--wait-for` with an unknown key.
pub(super) fn unknown_condition(key: &str, nearest: Option<&str>, keys: &[&str]) -> String {
    let nearest = nearest.map(|nearest| format!("; did you mean {nearest}=?")).unwrap_or_default();
    format!("{key:?} is no key of a condition{nearest}; the keys are {} and data.NAME", keys.join(", "))
}

/// A condition of `--wait-for` that no delivery can meet.
pub(super) fn unknown_value(key: &str, pattern: &str, nearest: Option<&str>) -> String {
    let nearest = nearest.map(|nearest| format!("; did you mean {key}={nearest}?")).unwrap_or_default();
    format!("{key}={pattern} is never met: {pattern:?} is no value of {key}{nearest}")
}

// The details of a delivery.

pub(super) fn passed(requirements: &[&str]) -> String {
    format!("passed: {}", requirements.join(", "))
}

/// What follows the beginning of a long body.
pub(super) fn more_bytes(more: usize) -> String {
    format!("… and {}", counted(more as u64, "more byte", "more bytes"))
}

pub(super) fn empty_body() -> &'static str {
    "(the body is empty)"
}

#[cfg(test)]
mod tests {
    use super::{kinds, not_forwarded, not_shown};

    #[test]
    fn lines_of_the_summary() {
        assert_eq!(not_shown(29, 0), "not shown by these deliveries: 29 requirements");
        assert!(not_shown(1, 1).ends_with("1 requirement, 1 of them for want of --secret"));
        assert_eq!(
            kinds(&[("created", 2)], &["updated", "deleted"]),
            "kinds of event seen: created 2; not seen: updated, deleted"
        );
        assert_eq!(kinds(&[], &[]), "kinds of event seen: none; not seen: none");
        assert_eq!(
            not_forwarded(3, 5, &[("answered 500", 1), ("connection refused", 2)]),
            "not passed on: 3 of 5 deliveries: answered 500 (1), connection refused (2)"
        );
    }
}
