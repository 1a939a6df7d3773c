//! What the tests that `replay --as` writes say, and why a case cannot be one.

/// How it is sent is not only its bytes: in chunks, in pieces, or cut off.
pub(in crate::report) fn needs_the_wire() -> &'static str {
    "it is about how the bytes are sent, which `replay` repeats and other HTTP clients do not"
}

pub(in crate::report) fn not_written() -> &'static str {
    "it has a value that no short code computes; `replay` sends it"
}

pub(in crate::report) fn has_the_secret() -> &'static str {
    "its delivery has the secret, or a part of it, in a form that would stand in the test; `replay` sends it"
}

pub(in crate::report) fn body_is_too_long(most: usize) -> String {
    format!("its body is longer than the {} KiB that may stand in a test; `replay` sends it", most / 1024)
}

/// What is expected is a time, or that the receiver runs on.
pub(in crate::report) fn needs_more_than_a_status() -> &'static str {
    "the status of its answer does not show the failure; `replay` does"
}

/// The comment of the valid delivery before.
pub(in crate::report) fn why_a_control() -> &'static str {
    "A valid delivery of the same kind, so that a rejection of the next one is due to what is wrong with it."
}

pub(in crate::report) fn control_is_expected() -> &'static str {
    "a valid delivery: expected 2xx, answered "
}

/// What a failure says before the status. `what` is a noun phrase.
pub(in crate::report) fn trial_is_expected(what: &str, expected: &str) -> String {
    format!("{what}: expected {expected}, answered ")
}

pub(in crate::report) fn title_of_a_test(requirement: Option<(&str, &str)>, what: &str) -> String {
    match requirement {
        Some((id, title)) => format!("{id} {title}: {what}"),
        None => capitalised(what),
    }
}

fn capitalised(what: &str) -> String {
    let mut letters = what.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

pub(in crate::report) fn of_captured() -> &'static str {
    "A valid delivery is accepted with 2xx, and any other is not."
}
