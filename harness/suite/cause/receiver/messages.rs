//! The details of causes, shown in parentheses after a code: `accepts.everything (an error in the body of a 2xx)`.

use crate::suite::transcript::{Part, shifted};

/// By how much the receiver's clock is off.
pub(super) fn about(minutes: i32) -> String {
    format!("about {}", shifted(minutes))
}

pub(super) fn only_ahead() -> &'static str {
    "only deliveries dated ahead are accepted"
}

pub(super) fn only_back() -> &'static str {
    "only deliveries dated back are accepted"
}

pub(super) fn trimmed() -> &'static str {
    "trimmed: white space at the ends is cut off before it is hashed"
}

pub(super) fn header_in_seconds() -> &'static str {
    "the header is read in seconds"
}

pub(super) fn iso_date_expected() -> &'static str {
    "an ISO date is expected"
}

pub(super) fn error_in_body() -> &'static str {
    "an error in the body of a 2xx"
}

pub(super) fn error_in_every_body() -> &'static str {
    "an error in the body of a 2xx, to valid deliveries too"
}

pub(super) fn missing_in_body() -> &'static str {
    "a 2xx whose body says that a header is missing, to valid deliveries too"
}

pub(super) fn accepted_not_processed() -> &'static str {
    "answered before it is verified: forged deliveries are accepted, but not processed"
}

pub(super) fn queued_unseen() -> &'static str {
    "202 to everything: verified after the answer, or not at all"
}

/// The fix if an error is answered with a 2xx.
pub(super) fn answer_a_status() -> &'static str {
    "answer an error with a status of its own, such as 401: a logic function of a Twenty application must return a Response, \
     because any other value is answered 200"
}

/// The fix if the headers are missing and that is answered with a 2xx.
pub(super) fn forward_and_answer() -> &'static str {
    "pass both headers on, which a route of a Twenty application does only for those that it declares, and answer 401 where one is \
     missing"
}

/// The fix if the answer comes before the verification.
pub(super) fn verify_before_the_answer() -> &'static str {
    "verify the signature before the answer, and answer 401 if it does not match: for a server route of a Twenty application, in \
     the resolver"
}

pub(super) fn status_to_everything(status: u16) -> String {
    format!("{status} to every delivery")
}

pub(super) fn no_answer() -> &'static str {
    "no answer to any delivery"
}

pub(super) fn no_answer_in_time() -> &'static str {
    "no answer in time to any delivery"
}

pub(super) fn any_signature() -> &'static str {
    "any signature, but not a missing one"
}

pub(super) fn other_method() -> &'static str {
    "another method is accepted"
}

pub(super) fn printed_again() -> &'static str {
    "parsed as a number and printed again"
}

/// The part of the body that the signature does not cover.
pub(super) fn without(part: Part) -> String {
    format!("without {}", part.describe())
}

/// What a repeat is recognised by, if the dialect has no nonce.
pub(super) fn timestamp_or_signature() -> &'static str {
    "timestamp or signature"
}

/// What a receiver accepts that rejects the form of the other payloads.
pub(super) fn only_this_form(dialect: &str) -> String {
    format!("only {dialect} payloads are accepted; check those with --dialect {dialect}")
}

pub(super) fn login_page() -> &'static str {
    "200 and a login page to everything"
}

pub(super) fn page_for_people() -> &'static str {
    "200 and a page for people to everything: is this the path of the receiver?"
}
