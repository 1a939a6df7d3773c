//! The details of causes that are found in a sender's signatures.

use crate::webhook::recipe::Misread;

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

/// How text beyond ASCII was sent although it was signed unchanged.
pub(super) fn after_signing(encoding: Misread) -> &'static str {
    match encoding {
        Misread::Ascii | Misread::AsciiCharacters => "replaced by ? after signing",
        Misread::AsciiDropped => "dropped after signing",
        Misread::Latin1 => "sent as Latin-1 after signing",
        Misread::DecodedAsLatin1 => "decoded as Latin-1 after signing",
        Misread::Replaced => "replaced by U+FFFD after signing",
        _ => "escaped after signing",
    }
}

/// Members that were signed and not sent.
pub(super) fn dropped_after(names: &[String]) -> String {
    const MOST: usize = 5;
    let shown: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > MOST { ", …" } else { "" };
    format!("{}{more}; after signing", shown.join(", "))
}

/// Another text was signed, and in another way.
pub(super) fn and_signed(text: &str, recipe: &str) -> String {
    format!("{text}; and signed {recipe}")
}
