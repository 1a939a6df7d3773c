//! A JSON text as a tree that keeps what spelling is about: the text of numbers, the order of members, duplicates, and
//! text that is no Unicode (lone surrogates).
//!
//! Invariant: pure, and strict: `parse` takes what RFC 8259 calls a JSON text in UTF-8, whole and without a byte-order
//! mark, and nothing else. `parse` of what `compact` writes gives the same tree.

pub mod difference;

use std::fmt::{self, Write as _};
use std::ops::Range;

/// How deep arrays and objects may stand in one another. No parser in the field draws the line further in than one less
/// (PHP's), and the stack of any thread holds as many.
pub const DEEPEST: usize = 512;

/// A JSON value, as it was spelled.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it was written: `1.0` and `1` are two numbers here.
    Number(String),
    /// A text.
    Text(Text),
    /// The elements of an array.
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
    /// The byte, from 0.
    pub at: usize,
    /// What is wrong there.
    pub why: &'static str,
}

/// A member of the outermost object, and where it stands: from its name's opening quote to the end of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: Text,
    /// Its bytes.
    pub span: Range<usize>,
}

impl Json {
    /// Reads one JSON text. Errors: what RFC 8259 does not allow, and nesting deeper than [`DEEPEST`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut parser = Parser::new(bytes)?;
        let value = parser.value(0)?;
        parser.end()?;
        Ok(value)
    }

    /// Where the members of the outermost object stand; none where the text is another value.
    pub fn members(bytes: &[u8]) -> Result<Vec<Member>, Malformed> {
        let mut parser = Parser::new(bytes)?;
        parser.white_space();
        let mut members = Vec::new();
        if parser.peek() == Some(b'{') {
            parser.object(0, |name, _, span| members.push(Member { name, span }))?;
        } else {
            parser.value(0)?;
        }
        parser.end()?;
        Ok(members)
    }

    /// The text with every member of this name cut out of the outermost object, and nothing else changed: what the program
    /// that wrote it would have written without them. `None` where there is no such member.
    pub fn without(bytes: &[u8], name: &str) -> Option<Vec<u8>> {
        let members = Self::members(bytes).ok()?;
        let name = Text::from(name);
        if members.iter().all(|member| member.name != name) {
            return None;
        }
        let (before, behind) = (&bytes[..members.first()?.span.start], &bytes[members.last()?.span.end..]);
        let mut kept = Vec::new();
        for (position, member) in members.iter().enumerate().filter(|(_, member)| member.name != name) {
            if !kept.is_empty() {
                // The comma, and the white space around it, that stood before this very member.
                kept.extend_from_slice(&bytes[members[position - 1].span.end..member.span.start]);
            }
            kept.extend_from_slice(&bytes[member.span.clone()]);
        }
        if kept.is_empty() {
            return Some([before.trim_ascii_end(), behind.trim_ascii_start()].concat());
        }
        Some([before, &kept, behind].concat())
    }

    /// The value of the member of this name: the last one, as parsers have it.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.member(&Text::from(name))
    }

    /// The same for a name that need not be Unicode.
    pub fn member(&self, name: &Text) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().rev().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    /// The value as text without white space: numbers as they were written, as few escapes as `JSON.stringify` makes.
    pub fn compact(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(text) => out.push_str(text),
            Self::Text(text) => text.quote(out),
            Self::Array(elements) => {
                out.push('[');
                for (position, element) in elements.iter().enumerate() {
                    if position > 0 {
                        out.push(',');
                    }
                    element.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (position, (name, value)) in members.iter().enumerate() {
                    if position > 0 {
                        out.push(',');
                    }
                    name.quote(out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

impl Text {
    /// Its UTF-16 code units.
    pub fn units(&self) -> &[u16] {
        &self.0
    }

    /// Its characters; `Err` is a surrogate without its other half.
    pub fn characters(&self) -> impl Iterator<Item = Result<char, u16>> + '_ {
        let units = self.0.iter().copied();
        char::decode_utf16(units).map(|unit| unit.map_err(|lone| lone.unpaired_surrogate()))
    }

    /// The text as a Rust string, or `None` where a surrogate stands alone.
    pub fn to_unicode(&self) -> Option<String> {
        String::from_utf16(&self.0).ok()
    }

    /// Writes it between quotes as `JSON.stringify` does.
    pub fn quote(&self, out: &mut String) {
        self.quote_with(out, |_, _| false);
    }

    /// The same, but for the characters that `special` writes itself, which it says by `true`.
    pub fn quote_with(&self, out: &mut String, special: impl Fn(char, &mut String) -> bool) {
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
pub fn escape(character: char, out: &mut String) {
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

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let utf8 = std::str::from_utf8(bytes);
        let text = utf8.map_err(|e| Malformed { at: e.valid_up_to(), why: "bytes that are not UTF-8" })?;
        if text.starts_with('\u{feff}') {
            return Err(Malformed { at: 0, why: "a byte-order mark" });
        }
        Ok(Self { text, at: 0 })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn refuse<T>(&self, why: &'static str) -> Result<T, Malformed> {
        Err(Malformed { at: self.at, why })
    }

    /// Goes past `byte` where it comes next.
    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn end(&mut self) -> Result<(), Malformed> {
        self.white_space();
        if self.at == self.text.len() { Ok(()) } else { self.refuse("something behind the value") }
    }

    fn value(&mut self, depth: usize) -> Result<Json, Malformed> {
        self.white_space();
        match self.peek() {
            Some(b'{') => {
                let mut members = Vec::new();
                self.object(depth, |name, value, _| members.push((name, value)))?;
                Ok(Json::Object(members))
            }
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) => self.refuse("something that begins no value"),
            None => self.refuse("the end where a value should be"),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, Malformed> {
        if !self.text[self.at..].starts_with(word) {
            return self.refuse("something that begins no value");
        }
        self.at += word.len();
        Ok(value)
    }

    fn array(&mut self, depth: usize) -> Result<Json, Malformed> {
        self.open(depth)?;
        let mut elements = Vec::new();
        self.white_space();
        if self.take(b']') {
            return Ok(Json::Array(elements));
        }
        loop {
            elements.push(self.value(depth + 1)?);
            self.white_space();
            if self.take(b']') {
                return Ok(Json::Array(elements));
            }
            if !self.take(b',') {
                return self.refuse("neither a comma nor the end of the array");
            }
        }
    }

    fn object(
        &mut self,
        depth: usize,
        mut each: impl FnMut(Text, Json, Range<usize>),
    ) -> Result<(), Malformed> {
        self.open(depth)?;
        self.white_space();
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            self.white_space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return self.refuse("something that is no member's name");
            }
            let name = self.string()?;
            self.white_space();
            if !self.take(b':') {
                return self.refuse("no colon behind a member's name");
            }
            let value = self.value(depth + 1)?;
            each(name, value, start..self.at);
            self.white_space();
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return self.refuse("neither a comma nor the end of the object");
            }
        }
    }

    fn open(&mut self, depth: usize) -> Result<(), Malformed> {
        if depth == DEEPEST {
            return self.refuse("nesting deeper than 512 levels");
        }
        self.at += 1;
        Ok(())
    }

    fn number(&mut self) -> Result<Json, Malformed> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _signed = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(Json::Number(self.text[start..self.at].to_owned()))
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { self.refuse("no digit where a number needs one") } else { Ok(()) }
    }

    fn string(&mut self) -> Result<Text, Malformed> {
        self.at += 1;
        let mut units = Vec::new();
        loop {
            let start = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1f)) {
                self.at += 1;
            }
            units.extend(self.text[start..self.at].encode_utf16());
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => units.push(self.escape()?),
                Some(_) => return self.refuse("a control character inside a text"),
                None => return self.refuse("the end inside a text"),
            }
        }
        self.at += 1;
        Ok(Text(units))
    }

    fn escape(&mut self) -> Result<u16, Malformed> {
        let unit = match self.text.as_bytes().get(self.at + 1) {
            Some(&itself @ (b'"' | b'\\' | b'/')) => itself.into(),
            Some(b'b') => 0x8,
            Some(b't') => 0x9,
            Some(b'n') => 0xa,
            Some(b'f') => 0xc,
            Some(b'r') => 0xd,
            Some(b'u') => {
                let digits = self.text.as_bytes().get(self.at + 2..self.at + 6).unwrap_or_default();
                let digits = std::str::from_utf8(digits).unwrap_or_default();
                // A sign would pass for a digit's place.
                let hexadecimal = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                let Some(unit) = u16::from_str_radix(digits, 16).ok().filter(|_| hexadecimal) else {
                    return self.refuse("an escape without four hexadecimal digits");
                };
                self.at += 4;
                unit
            }
            _ => return self.refuse("an escape that JSON does not have"),
        };
        self.at += 2;
        Ok(unit)
    }
}
