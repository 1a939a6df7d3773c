//! The bytes of a text file, without a byte order mark. PowerShell writes UTF-16.

use std::borrow::Cow;

use super::messages;

const UTF_8: &[u8] = b"\xef\xbb\xbf";
const LITTLE: &[u8] = b"\xff\xfe";
const BIG: &[u8] = b"\xfe\xff";

/// The text as UTF-8, with a note of what was done. What is in no other encoding stays as it is.
pub(super) fn decode<'a>(bytes: &'a [u8], notes: &mut Vec<String>) -> Cow<'a, [u8]> {
    if let Some(rest) = bytes.strip_prefix(UTF_8) {
        notes.push(messages::mark_removed().to_owned());
        return Cow::Borrowed(rest);
    }
    let units = match (bytes.strip_prefix(LITTLE), bytes.strip_prefix(BIG)) {
        (Some(rest), _) => pairs(rest, u16::from_le_bytes),
        (_, Some(rest)) => pairs(rest, u16::from_be_bytes),
        _ => return Cow::Borrowed(bytes),
    };
    match String::from_utf16(&units) {
        Ok(text) => {
            notes.push(messages::utf16_decoded().to_owned());
            Cow::Owned(text.into_bytes())
        }
        Err(_) => Cow::Borrowed(bytes),
    }
}

fn pairs(bytes: &[u8], join: impl Fn([u8; 2]) -> u16) -> Vec<u16> {
    bytes.chunks_exact(2).map(|pair| join([pair[0], pair[1]])).collect()
}
