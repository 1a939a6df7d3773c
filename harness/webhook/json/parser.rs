//! Parses a JSON text into a tree, or finds the spans of its members.
//!
//! Invariant: accepts exactly one JSON text of RFC 8259 in UTF-8, without a byte-order mark.

use std::ops::Range;

use super::{DEEPEST, Fault, Json, Malformed, MemberSpan, Text};

impl Json {
    /// Parses one JSON text. Errors: anything that RFC 8259 forbids, and nesting deeper than [`DEEPEST`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut parser = Parser::new(bytes)?;
        let value = parser.value(0)?;
        parser.end()?;
        Ok(value)
    }

    /// The members of the outermost object with their spans; none if the text is another value.
    pub fn members(bytes: &[u8]) -> Result<Vec<MemberSpan>, Malformed> {
        let mut parser = Parser::new(bytes)?;
        parser.white_space();
        let mut members = Vec::new();
        if parser.peek() == Some(b'{') {
            parser.object(0, |name, _, span| members.push(MemberSpan { name, span }))?;
        } else {
            parser.value(0)?;
        }
        parser.end()?;
        Ok(members)
    }

    /// The text without the members of this name in the outermost object, as its writer would have written it without
    /// them. `None` if there is no such member.
    pub fn without(bytes: &[u8], name: &str) -> Option<Vec<u8>> {
        let members = Self::members(bytes).ok()?;
        let name = Text::from(name);
        if members.iter().all(|member| member.name != name) {
            return None;
        }
        let (before, after) = (&bytes[..members.first()?.span.start], &bytes[members.last()?.span.end..]);
        let mut kept = Vec::new();
        for (position, member) in members.iter().enumerate().filter(|(_, member)| member.name != name) {
            if !kept.is_empty() {
                // The comma before this member, with the white space around it.
                kept.extend_from_slice(&bytes[members[position - 1].span.end..member.span.start]);
            }
            kept.extend_from_slice(&bytes[member.span.clone()]);
        }
        if kept.is_empty() {
            return Some([before.trim_ascii_end(), after.trim_ascii_start()].concat());
        }
        Some([before, &kept, after].concat())
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let utf8 = std::str::from_utf8(bytes);
        let text = utf8.map_err(|e| Malformed { at: e.valid_up_to(), why: Fault::InvalidUtf8 })?;
        if text.starts_with('\u{feff}') {
            return Err(Malformed { at: 0, why: Fault::ByteOrderMark });
        }
        Ok(Self { text, at: 0 })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fail<T>(&self, why: Fault) -> Result<T, Malformed> {
        Err(Malformed { at: self.at, why })
    }

    /// Skips `byte` if it is next. Returns whether it was.
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn end(&mut self) -> Result<(), Malformed> {
        self.white_space();
        if self.at == self.text.len() { Ok(()) } else { self.fail(Fault::TrailingText) }
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
            Some(_) => self.fail(Fault::ExpectedValue),
            None => self.fail(Fault::UnexpectedEnd),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, Malformed> {
        if !self.text[self.at..].starts_with(word) {
            return self.fail(Fault::ExpectedValue);
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
                return self.fail(Fault::ExpectedCommaOrBracket);
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
                return self.fail(Fault::ExpectedName);
            }
            let name = self.string()?;
            self.white_space();
            if !self.take(b':') {
                return self.fail(Fault::ExpectedColon);
            }
            let value = self.value(depth + 1)?;
            each(name, value, start..self.at);
            self.white_space();
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return self.fail(Fault::ExpectedCommaOrBrace);
            }
        }
    }

    fn open(&mut self, depth: usize) -> Result<(), Malformed> {
        if depth == DEEPEST {
            return self.fail(Fault::TooDeep);
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
        if self.at == start { self.fail(Fault::ExpectedDigit) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<Text, Malformed> {
        self.at += 1;
        let mut units = Vec::new();
        loop {
            let start = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1f)) {
                self.at += 1;
            }
            let part = &self.text[start..self.at];
            if part.is_ascii() {
                units.extend(part.bytes().map(u16::from));
            } else {
                units.extend(part.encode_utf16());
            }
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => units.push(self.escape()?),
                Some(_) => return self.fail(Fault::ControlCharacter),
                None => return self.fail(Fault::UnterminatedString),
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
                // `from_str_radix` would accept a sign.
                let hexadecimal = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                let Some(unit) = u16::from_str_radix(digits, 16).ok().filter(|_| hexadecimal) else {
                    return self.fail(Fault::IncompleteEscape);
                };
                self.at += 4;
                unit
            }
            _ => return self.fail(Fault::UnknownEscape),
        };
        self.at += 2;
        Ok(unit)
    }
}
