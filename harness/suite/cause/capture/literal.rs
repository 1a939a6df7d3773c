//! Parsed bodies that a program printed in its own notation: a dictionary of Python, a hash of Ruby, an object of JavaScript.
//!
//! Invariant: no recursion deeper than JSON allows, and nothing is guessed: what is cut off or has no JSON value ends the reading.

use crate::webhook::json::{DEEPEST, Json, Text};

/// The compact JSON of a printed object; `None` if it is JSON already, or no such object.
pub(super) fn json(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?.trim();
    if !text.starts_with(['{', '[']) || Json::parse(text.as_bytes()).is_ok() {
        return None;
    }
    let mut reader = Reader { rest: text };
    let value = reader.value(0)?;
    reader.rest.trim().is_empty().then(|| value.compact().into_bytes())
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn take(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth >= DEEPEST {
            return None;
        }
        if self.take("{") {
            return self.object(depth);
        }
        if self.take("[") {
            return self.array(depth);
        }
        if self.rest.starts_with(['"', '\'', '`']) {
            return self.string().map(Json::Text);
        }
        match self.word() {
            "null" | "None" | "nil" => Some(Json::Null),
            "true" | "True" => Some(Json::Bool(true)),
            "false" | "False" => Some(Json::Bool(false)),
            number => {
                let parsed = Json::parse(number.as_bytes()).ok()?;
                matches!(parsed, Json::Number(_)).then_some(parsed)
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        let mut members = Vec::new();
        while !self.take("}") {
            self.rest = self.rest.trim_start().trim_start_matches(':');
            let name = if self.rest.starts_with(['"', '\'', '`']) {
                self.string()?
            } else {
                Text::from(self.word())
            };
            if !self.take("=>") && !self.take(":") && !self.take("=") {
                return None;
            }
            members.push((name, self.value(depth + 1)?));
            if !self.take(",") && !self.rest.trim_start().starts_with('}') {
                return None;
            }
        }
        Some(Json::Object(members))
    }

    fn array(&mut self, depth: usize) -> Option<Json> {
        let mut elements = Vec::new();
        while !self.take("]") {
            elements.push(self.value(depth + 1)?);
            if !self.take(",") && !self.rest.trim_start().starts_with(']') {
                return None;
            }
        }
        Some(Json::Array(elements))
    }

    /// Letters, digits and what numbers have.
    fn word(&mut self) -> &'a str {
        let is_part = |one: char| one.is_alphanumeric() || matches!(one, '_' | '$' | '.' | '+' | '-');
        let end = self.rest.find(|one| !is_part(one)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// A string in quotes of any kind, with the escapes of JSON, and `\xNN` and `\'`.
    fn string(&mut self) -> Option<Text> {
        let mut characters = self.rest.char_indices();
        let (_, quote) = characters.next()?;
        let mut out = String::from("\"");
        while let Some((at, character)) = characters.next() {
            match character {
                _ if character == quote => {
                    self.rest = &self.rest[at + 1..];
                    out.push('"');
                    let Json::Text(text) = Json::parse(out.as_bytes()).ok()? else { return None };
                    return Some(text);
                }
                '\\' => match characters.next()?.1 {
                    'x' => {
                        out.push_str("\\u00");
                        out.extend([characters.next()?.1, characters.next()?.1]);
                    }
                    plain @ ('\'' | '`') => out.push(plain),
                    other => out.extend(['\\', other]),
                },
                '"' => out.push_str("\\\""),
                other => out.push(other),
            }
        }
        None
    }
}
