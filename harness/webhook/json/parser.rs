//! Reads a JSON text into a tree, or finds where its members are.
//!
//! Invariant: it takes what RFC 8259 calls a JSON text in UTF-8, whole and without a byte-order mark, and nothing else.

use std::ops::Range;

use super::{DEEPEST, Json, Malformed, MemberSpan, Text};

impl Json {
    /// Reads one JSON text. Errors: what RFC 8259 does not allow, and nesting deeper than [`DEEPEST`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut parser = Parser::new(bytes)?;
        let value = parser.value(0)?;
        parser.end()?;
        Ok(value)
    }

    /// Where the members of the outermost object stand; none where the text is another value.
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

    /// The text with every member of this name cut out of the outermost object, and nothing else changed: what the program
    /// that wrote it would have written without them. `None` where there is no such member.
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
                // The comma, and the white space around it, that stood before this very member.
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
        let text = utf8.map_err(|e| Malformed { at: e.valid_up_to(), why: "bytes that are not UTF-8" })?;
        if text.starts_with('\u{feff}') {
            return Err(Malformed { at: 0, why: "a byte-order mark" });
        }
        Ok(Self { text, at: 0 })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fail<T>(&self, why: &'static str) -> Result<T, Malformed> {
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
        if self.at == self.text.len() { Ok(()) } else { self.fail("something behind the value") }
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
            Some(_) => self.fail("something that begins no value"),
            None => self.fail("the end where a value should be"),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, Malformed> {
        if !self.text[self.at..].starts_with(word) {
            return self.fail("something that begins no value");
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
                return self.fail("neither a comma nor the end of the array");
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
                return self.fail("something that is no member's name");
            }
            let name = self.string()?;
            self.white_space();
            if !self.take(b':') {
                return self.fail("no colon behind a member's name");
            }
            let value = self.value(depth + 1)?;
            each(name, value, start..self.at);
            self.white_space();
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return self.fail("neither a comma nor the end of the object");
            }
        }
    }

    fn open(&mut self, depth: usize) -> Result<(), Malformed> {
        if depth == DEEPEST {
            return self.fail("nesting deeper than 512 levels");
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
        if self.at == start { self.fail("no digit where a number needs one") } else { Ok(()) }
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
                Some(_) => return self.fail("a control character inside a text"),
                None => return self.fail("the end inside a text"),
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
                    return self.fail("an escape without four hexadecimal digits");
                };
                self.at += 4;
                unit
            }
            _ => return self.fail("an escape that JSON does not have"),
        };
        self.at += 2;
        Ok(unit)
    }
}
