//! What the suite says of a run as a whole, in the order of a run: selection, scenarios, verdicts.

/// A pattern of `--run` or `--skip` that selects nothing.
/// How often something happened: `once`, `3 times`.
pub(in crate::suite) fn times_in_words(count: usize) -> String {
    match count {
        0 => "not at all".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

/// `whose` says which requirements were searched: `of a receiver`, or nothing.
pub(super) fn pattern_without_match(pattern: &str, whose: &str) -> String {
    format!(
        "the pattern {pattern:?} matches no requirement or check{whose}; `twenty-conform list` shows them all"
    )
}

/// A harness fault: the signatures of the test vectors are not those that the suite computes.
pub(super) fn signatures_disagree(first: &str) -> String {
    format!("the suite's signatures differ from those of its test vectors: {first}")
}

pub(super) fn interrupted() -> String {
    "the run was interrupted".to_owned()
}

/// A scenario that is skipped because the program under test ended in an earlier one.
pub(super) fn skipped_after(why: &str) -> String {
    format!("skipped after an earlier failure: {why}")
}

/// A scenario that is skipped because the sender delivers nothing at all.
pub(super) fn skipped_without_deliveries() -> String {
    "skipped: no delivery arrived in earlier scenarios".to_owned()
}

pub(super) fn observations_missing() -> String {
    "what the receiver processes is not visible without --observe".to_owned()
}

pub(super) fn capability_missing(capability: &str) -> String {
    format!("the sender does not declare the capability `{capability}`")
}

/// What is expected of a sender that exited during a scenario, and what it did.
pub(super) fn exited() -> (&'static str, &'static str) {
    ("the sender keeps running", "it exited")
}

/// What is expected of a sender whose declared capability does not work, and what it did.
pub(super) fn capability_broken() -> (&'static str, &'static str) {
    ("the declared capability works", "it does not")
}

/// The first of several findings, with how many of all deliveries (or other things) show one.
pub(super) fn first_of(finding: &str, failed: usize, of: usize, things: &str) -> String {
    match failed {
        1 => finding.to_owned(),
        _ => format!("{finding} ({failed} of {of} {things})"),
    }
}

#[cfg(test)]
mod tests {
    use super::first_of;

    #[test]
    fn first_finding_says_how_many_there_are() {
        assert_eq!(first_of("rejected (401) a delivery", 1, 9, "cases"), "rejected (401) a delivery");
        assert_eq!(
            first_of("rejected (401) a delivery", 2, 9, "cases"),
            "rejected (401) a delivery (2 of 9 cases)"
        );
    }
}
