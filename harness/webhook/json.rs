//! A JSON text as a tree that keeps what formatting is about: the text of numbers, the order of members, duplicates, and
//! text that is no Unicode (lone surrogates).
//!
//! Invariant: `parse` of what `compact` writes gives the same tree.

pub mod difference;
mod parser;
pub(crate) mod printer;

use std::fmt::{self, Write as _};
use std::ops::Range;

/// How deep arrays and objects may stand in one another. No parser in the field draws the line further in than one less
/// (PHP's), and the stack of any thread holds as many.
pub(crate) const DEEPEST: usize = 512;

/// A JSON value, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Json {
    Null,
    Bool(bool),
    /// A number, as it was written: `1.0` and `1` are two numbers here.
    Number(String),
    Text(Text),
    Array(Vec<Json>),
    /// The members of an object, in their order, duplicates included.
    Object(Vec<(Text, Json)>),
}

/// Text as JSON has it: UTF-16 code units, which need not pair up. Its order is that of the code units, as JavaScript's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text(Vec<u16>);

/// Why a text is no JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why} at byte {at}")]
pub struct Malformed {
    pub at: usize,
    /// What is wrong there.
    pub why: &'static str,
}

/// A member of the outermost object, and where it stands: from its name's opening quote to the end of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberSpan {
    pub name: Text,
    pub span: Range<usize>,
}

impl Json {
    /// The value of the member of this name: the last one, as parsers have it.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.member(&Text::from(name))
    }

    /// The same for a name that need not be Unicode.
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
        let units = self.0.iter().copied();
        char::decode_utf16(units).map(|unit| unit.map_err(|lone| lone.unpaired_surrogate()))
    }

    /// The text as a Rust string, or `None` where a surrogate stands alone.
    pub(crate) fn to_unicode(&self) -> Option<String> {
        String::from_utf16(&self.0).ok()
    }

    /// Writes it between quotes as `JSON.stringify` does.
    pub(crate) fn quote(&self, out: &mut String) {
        self.quote_with(out, |_, _| false);
    }

    /// The same, but for the characters that `special` writes itself, which it says by `true`.
    pub(crate) fn quote_with(&self, out: &mut String, special: impl Fn(char, &mut String) -> bool) {
        out.push('"');
        for character in self.characters() {
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
        out.push('"');
    }
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
