//! What the accounts say about a wrong delivery. The defects themselves are in [`super::ledger::Defect`].

/// A defect with more about it, which may be empty.
pub(in crate::bench) fn with_detail(defect: &str, detail: &str) -> String {
    if detail.is_empty() { defect.to_owned() } else { format!("{defect}: {detail}") }
}

pub(super) fn off_by(ms: u64) -> String {
    format!("off by {ms} ms")
}

pub(super) fn not_an_envelope() -> &'static str {
    "it is not an object with readable members"
}

pub(super) fn missing(member: &str) -> String {
    format!("the member {member} is missing")
}

pub(super) fn mistyped(member: &str, found: &str, expected: &str) -> String {
    format!("the member {member} has the type {found}, not {expected}")
}

/// `event` is JSON text, with its quotes.
pub(super) fn not_an_event(event: &str) -> String {
    format!("{event} is not an event name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appends_a_detail_only_if_there_is_one() {
        assert_eq!(with_detail("the body is not JSON", ""), "the body is not JSON");
        assert_eq!(with_detail("stale", &off_by(7)), "stale: off by 7 ms");
    }
}
