//! A JSON text as a tree that keeps its formatting: the digits of numbers, the order of members, duplicates, and strings that
//! are not Unicode (lone surrogates).
//!
//! Invariant: `parse` of the output of `compact` gives the same tree.

pub mod difference;
mod parser;
pub(crate) mod printer;

use std::fmt::{self, Write as _};
use std::ops::Range;

/// The maximum nesting of arrays and objects. The strictest common parser (PHP) allows one level less, and this depth fits the
/// stack of any thread.
pub(crate) const DEEPEST: usize = 512;

/// A JSON value as written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Json {
    Null,
    Bool(bool),
    /// A number as written: `1.0` and `1` differ.
    Number(String),
    Text(Text),
    Array(Vec<Json>),
    /// The members of an object, in order, with duplicates.
    Object(Vec<(Text, Json)>),
}

/// A JSON string: UTF-16 code units, which may be unpaired. Ordered by code unit, as in JavaScript.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text(Vec<u16>);

/// Why a text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} at byte {at}", why.describe())]
pub struct Malformed {
    pub at: usize,
    /// What is wrong there.
    pub why: Fault,
}

described! {
    /// What is wrong in a text that is not JSON.
    pub enum Fault {
        InvalidUtf8: "invalid UTF-8",
        ByteOrderMark: "byte-order mark",
        ExpectedValue: "expected a value",
        ExpectedName: "expected a member name in quotes",
        ExpectedColon: "expected `:` after a member name",
        ExpectedCommaOrBracket: "expected `,` or `]`",
        ExpectedCommaOrBrace: "expected `,` or `}`",
        ExpectedDigit: "expected a digit",
        UnexpectedEnd: "unexpected end, expected a value",
        TrailingText: "unexpected text after the value",
        TooDeep: "nesting deeper than 512 levels",
        UnterminatedString: "unterminated string",
        ControlCharacter: "control character in a string",
        IncompleteEscape: "`\\u` without four hexadecimal digits",
        UnknownEscape: "unknown escape",
    }
}

/// A member of the outermost object, and its span: from the opening quote of its name to the end of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberSpan {
    pub name: Text,
    pub span: Range<usize>,
}

/// Whether a JSON text can be parsed in limited memory: it has at most `most` values.
pub(crate) fn has_at_most(text: &[u8], most: usize) -> bool {
    let begins_value = |byte: &&u8| matches!(byte, b',' | b':' | b'[');
    text.len() <= 2 * most || text.iter().filter(begins_value).count() < most
}

impl Json {
    /// The value of this member: the last one, as in most parsers.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.member(&Text::from(name))
    }

    /// The same for a name that may not be Unicode.
    pub(crate) fn member(&self, name: &Text) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().rev().find(|(other, _)| other == name).map(|(_, value)| value)
    }
}

impl Text {
    pub(crate) fn units(&self) -> &[u16] {
        &self.0
    }

    /// Its characters; `Err` is a surrogate without its other half.
    pub(crate) fn characters(&self) -> impl Iterator<Item = Result<char, u16>> + '_ {
        decoded(&self.0)
    }

    /// The text as a Rust string, or `None` if it has a lone surrogate.
    pub(crate) fn to_unicode(&self) -> Option<String> {
        String::from_utf16(&self.0).ok()
    }

    /// Writes it between quotes as `JSON.stringify` does.
    pub(crate) fn quote(&self, out: &mut String) {
        self.quote_with(out, |_, _| false);
    }

    /// The same, except for characters that `special` writes itself and returns `true` for.
    pub(crate) fn quote_with(&self, out: &mut String, special: impl Fn(char, &mut String) -> bool) {
        out.push('"');
        let mut rest = &self.0[..];
        while !rest.is_empty() {
            // Most texts are nothing but letters.
            let end = rest.iter().position(|unit| !is_letter(*unit)).unwrap_or(rest.len());
            out.push_str(&String::from_utf16_lossy(&rest[..end]));
            rest = &rest[end..];
            let end = rest.iter().position(|unit| is_letter(*unit)).unwrap_or(rest.len());
            Self::quote_others(&rest[..end], out, &special);
            rest = &rest[end..];
        }
        out.push('"');
    }

    fn quote_others(units: &[u16], out: &mut String, special: impl Fn(char, &mut String) -> bool) {
        for character in decoded(units) {
            match character {
                Ok('"') => out.push_str("\\\""),
                Ok('\\') => out.push_str("\\\\"),
                Ok('\u{8}') => out.push_str("\\b"),
                Ok('\t') => out.push_str("\\t"),
                Ok('\n') => out.push_str("\\n"),
                Ok('\u{c}') => out.push_str("\\f"),
                Ok('\r') => out.push_str("\\r"),
                Ok(control @ '\0'..='\u{1f}') => escape(control, out),
                Ok(other) if special(other, out) => {}
                Ok(other) => out.push(other),
                Err(surrogate) => escape_unit(surrogate, out),
            }
        }
    }
}

fn decoded(units: &[u16]) -> impl Iterator<Item = Result<char, u16>> + '_ {
    char::decode_utf16(units.iter().copied()).map(|unit| unit.map_err(|lone| lone.unpaired_surrogate()))
}

/// Whether every serialiser prints a unit as it is: printable ASCII that has no meaning in JSON, HTML or paths.
fn is_letter(unit: u16) -> bool {
    matches!(unit, 0x20..=0x7e) && !matches!(unit, 0x22 | 0x26 | 0x2f | 0x3c | 0x3e | 0x5c)
}

/// Writes a character as `\u` escapes with lowercase digits: one, or two beyond the basic plane.
pub(crate) fn escape(character: char, out: &mut String) {
    let mut units = [0; 2];
    for unit in character.encode_utf16(&mut units) {
        escape_unit(*unit, out);
    }
}

fn escape_unit(unit: u16, out: &mut String) {
    // Writing to a `String` never fails.
    let _ = write!(out, "\\u{unit:04x}");
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.encode_utf16().collect())
    }
}

impl From<Vec<u16>> for Text {
    fn from(units: Vec<u16>) -> Self {
        Self(units)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf16_lossy(&self.0))
    }
}
