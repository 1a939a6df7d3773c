//! The details of causes that are found in a sender's signatures.

pub(super) fn milliseconds_apart() -> &'static str {
    "a few milliseconds apart"
}

pub(super) fn later_time() -> &'static str {
    "a later time"
}

pub(super) fn earlier_time() -> &'static str {
    "an earlier time"
}

pub(super) fn body_member(member: &str) -> String {
    format!("the body's `{member}`")
}
