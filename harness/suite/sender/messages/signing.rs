//! SIG and NON: the headers with which a receiver verifies a delivery.

use crate::webhook::event::EventName;

pub(crate) fn missing_or_repeated(header: &str) -> String {
    format!("{header} is missing or repeated")
}

pub(crate) fn no_secret() -> &'static str {
    "the webhook has no secret"
}

pub(crate) fn signature_malformed() -> &'static str {
    "the signature is not 64 hexadecimal digits (see SIG-3)"
}

// SIG-1 and SIG-2

/// `other` is another header that has the value.
pub(crate) fn header_count(delivery: &str, header: &str, count: usize, other: Option<&str>) -> String {
    match (count, other) {
        (0, Some(other)) => format!("{delivery} has no {header} header; the value is in {other}"),
        (0, None) => format!("{delivery} has no {header} header"),
        _ => format!("{delivery} has {count} {header} headers"),
    }
}

// SIG-3 and SIG-10

pub(crate) fn hex_digits() -> &'static str {
    "64 hexadecimal digits"
}

pub(crate) fn not_hex_digits(delivery: &str, signature: &str) -> String {
    format!("{delivery} has the signature {signature}, which is not 64 hexadecimal digits")
}

pub(crate) fn uppercase_digits(delivery: &str, signature: &str) -> String {
    format!("{delivery} has a signature with uppercase digits: {signature}")
}

// SIG-4

/// `why` is what the known cause does, if there is one. `is_long` is whether the body is too long for some causes.
pub(crate) fn signature_mismatch(delivery: &str, why: Option<&str>, is_long: bool) -> String {
    let why = why.unwrap_or(if is_long {
        "its body is too long to try every known way of signing; check that the secret is the webhook's"
    } else {
        "it matches no known way of signing; check that the secret is the webhook's"
    });
    format!("{delivery} has a signature that does not match: {why}")
}

/// `what` is something in the bodies of all deliveries that fail, and of no others.
pub(crate) fn only_deliveries_with(message: &str, what: &str) -> String {
    format!("{message}; only deliveries with {what} in them fail")
}

/// `coding` is a content coding, such as gzip.
pub(crate) fn signed_before_coding(coding: &str) -> String {
    format!("the signature fits the text before its content coding {coding} (see DLV-3)")
}

// SIG-5

pub(crate) fn not_decimal() -> &'static str {
    "not a decimal number"
}

pub(crate) fn not_time_of_sending() -> &'static str {
    "not the time of sending"
}

/// `form` says what it is: "in seconds".
pub(crate) fn wrong_timestamp(delivery: &str, timestamp: &str, form: &str) -> String {
    format!("{delivery} has the timestamp header {timestamp}, which is {form}")
}

pub(crate) fn milliseconds_near(at_ms: u64, date: &str) -> String {
    format!("milliseconds near {at_ms} ({date})")
}

// SIG-6

pub(crate) fn other_secret(delivery: &str) -> String {
    format!("{delivery} is signed with the secret of another webhook")
}

pub(crate) fn secret_of_another_webhook() -> &'static str {
    "another webhook's secret"
}

pub(crate) fn no_secret_matches() -> &'static str {
    "the signature matches no webhook's secret (see SIG-4)"
}

// SIG-7

pub(crate) fn first_attempt_unverified() -> &'static str {
    "the first attempt does not verify either (see SIG-4)"
}

pub(crate) fn retry_unsigned(event: &EventName) -> String {
    format!("a retry of the delivery of {event} is not signed")
}

pub(crate) fn on_retry(message: &str) -> String {
    format!("on a retry, {message}")
}

// SIG-8 and SIG-9

pub(crate) fn secret_too_short(bytes: usize) -> String {
    format!("a secret of fewer than {bytes} bytes is too short to search for")
}

pub(crate) fn secret_leaked(delivery: &str, place: &str) -> String {
    format!("{delivery} has the webhook's secret in {place}")
}

pub(crate) fn signed_without_secret(delivery: &str) -> String {
    format!("{delivery} is signed, but its webhook has no secret")
}

// NON-1

pub(crate) fn no_nonce_in(dialect: &str) -> String {
    format!("the {dialect} dialect has no nonce")
}

pub(crate) fn fresh_nonce() -> &'static str {
    "32 lowercase hexadecimal digits, used once"
}

/// `detail` is "malformed" or "repeated"; without a `nonce` it is missing, or there are several.
pub(crate) fn wrong_nonce(delivery: &str, detail: &str, nonce: Option<&str>) -> String {
    match nonce {
        Some(nonce) => format!("{delivery} has a {detail} nonce: {nonce}"),
        None => format!("{delivery} has no nonce, or more than one"),
    }
}
