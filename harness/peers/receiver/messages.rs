//! The bodies of the reference receiver's answers to what it rejects, in the order in which it checks.

pub(super) fn post_only() -> &'static str {
    "send deliveries with POST\n"
}

pub(super) fn one_signature() -> &'static str {
    "X-Twenty-Webhook-Signature must be present exactly once"
}

pub(super) fn one_timestamp() -> &'static str {
    "X-Twenty-Webhook-Timestamp must be present exactly once"
}

pub(super) fn timestamp_not_digits() -> &'static str {
    "the timestamp is not decimal digits"
}

pub(super) fn signature_mismatch() -> &'static str {
    "the signature does not match"
}

pub(super) fn not_fresh() -> &'static str {
    "the timestamp is too far from the current time"
}
