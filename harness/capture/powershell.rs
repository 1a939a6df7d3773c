//! Commands of PowerShell: `Invoke-WebRequest` and `Invoke-RestMethod` as browsers and Postman write them, and `curl.exe`.
//!
//! Only what such commands need is read: strings, here-strings, tables and variables that have one of these.

use bytes::Bytes;

use super::shell::Command;
use super::{Body, Captured, Fault, Piece, Ruler, curl, messages};
use crate::wire::exchange::Headers;

/// How deep tables and brackets may be nested.
const DEEPEST: usize = 32;
/// How many variables are kept.
const MOST_VARIABLES: usize = 256;
/// How many bytes the values of variables may give.
const MOST_INSERTED: usize = 32 << 20;

#[derive(Debug, Clone)]
enum Value {
    Text(String),
    Table(Vec<(String, Value)>),
    /// The content of a file.
    File(String),
    /// Something that would have to be run.
    Unknown(String),
}

impl Value {
    /// About how many bytes it takes.
    fn size(&self) -> usize {
        match self {
            Self::Text(text) | Self::File(text) | Self::Unknown(text) => text.len() + 1,
            Self::Table(rows) => {
                rows.iter().map(|(name, value)| name.len() + value.size()).sum::<usize>() + 1
            }
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    variables: Vec<(String, Value)>,
    depth: usize,
    /// How many more bytes variables may give.
    left: usize,
    ruler: Ruler,
}

/// Every request of a script.
pub(super) fn requests(text: &[u8]) -> Result<Vec<Captured>, Fault> {
    let text = String::from_utf8_lossy(text);
    let mut reader = Reader {
        text: &text,
        at: 0,
        variables: Vec::new(),
        depth: 0,
        left: MOST_INSERTED,
        ruler: Ruler::new(),
    };
    let mut found = Vec::new();
    loop {
        reader.blank(true);
        if reader.rest().is_empty() {
            return Ok(found);
        }
        found.extend(reader.statement()?);
    }
}

/// Whether a word names a command that sends a request.
pub(super) fn is_request(word: &str) -> bool {
    ["invoke-webrequest", "invoke-restmethod", "iwr", "irm"]
        .iter()
        .any(|name| word.eq_ignore_ascii_case(name))
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    fn fault(&self, why: impl Into<String>) -> Fault {
        self.fault_at(self.at, why)
    }

    fn fault_at(&self, at: usize, why: impl Into<String>) -> Fault {
        Fault::at(super::line_of(self.text.as_bytes(), at), why)
    }

    /// Skips blanks, comments and continued lines; with `lines`, ends of lines and of statements too.
    fn blank(&mut self, lines: bool) {
        loop {
            let is_blank = |c: char| matches!(c, ' ' | '\t') || lines && matches!(c, '\r' | '\n' | ';' | ',');
            if self.take("`\r\n") || self.take("`\n") {
                continue;
            }
            match self.peek() {
                Some(c) if is_blank(c) => self.at += 1,
                Some('#') => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                _ => return,
            }
        }
    }

    fn line(&mut self) {
        while self.peek().is_some_and(|c| !matches!(c, '\n' | ';')) {
            if self.value().is_ok_and(|value| matches!(value, Value::Unknown(word) if word.is_empty())) {
                self.next();
            }
            self.blank(false);
        }
    }

    fn statement(&mut self) -> Result<Option<Captured>, Fault> {
        let begin = self.at;
        if self.peek() != Some('$') {
            let word = self.bare();
            if word.is_empty() {
                self.next();
            }
            return self.command(&word, begin);
        }
        self.next();
        let name = self.name();
        self.blank(false);
        if self.take(".Add(") {
            self.blank(false);
            let key = self.value()?;
            self.blank(true);
            let value = self.value()?;
            self.add(&name, key, value);
        } else if self.take("[") {
            let key = self.value()?;
            if self.take("]") {
                self.blank(false);
                if self.take("=") {
                    self.blank(false);
                    let value = self.value()?;
                    self.add(&name, key, value);
                }
            }
        } else if self.take("=") {
            self.blank(false);
            let begin = self.at;
            let word = self.bare();
            if is_request(&word) || curl::is_curl(word.as_bytes()) {
                return self.command(&word, begin);
            }
            self.at = begin;
            let value = if word.eq_ignore_ascii_case("New-Object") {
                Value::Table(Vec::new())
            } else {
                self.value()?
            };
            self.variables.retain(|(other, _)| !other.eq_ignore_ascii_case(&name));
            if self.variables.len() < MOST_VARIABLES {
                self.variables.push((name, value));
            }
        }
        self.line();
        Ok(None)
    }

    fn add(&mut self, name: &str, key: Value, value: Value) {
        let variable = self.variables.iter_mut().find(|(other, _)| other.eq_ignore_ascii_case(name));
        if let (Some((_, Value::Table(rows))), Value::Text(key)) = (variable, key) {
            rows.push((key, value));
        }
    }

    /// What follows the name of a command.
    fn command(&mut self, word: &str, begin: usize) -> Result<Option<Captured>, Fault> {
        let line = self.ruler.line(self.text.as_bytes(), begin);
        if curl::is_curl(word.as_bytes()) {
            let mut words = vec![b"curl".to_vec()];
            while self.argument() {
                words.push(match self.value()? {
                    Value::Text(text) => text.into_bytes(),
                    Value::Unknown(what) => return Err(Fault::at(line, messages::is_expanded(&what))),
                    Value::Table(_) | Value::File(_) => Vec::new(),
                });
            }
            let request = curl::requests(vec![Command { line, words }])?;
            return Ok(request.into_iter().next());
        }
        if !is_request(word) {
            self.line();
            return Ok(None);
        }
        let mut arguments = Vec::new();
        while self.argument() {
            let name = if self.take("-") { self.name().to_ascii_lowercase() } else { "uri".to_owned() };
            self.take(":");
            self.blank(false);
            let is_flag = ["usebasicparsing", "skipcertificatecheck", "disablekeepalive"].contains(&&*name)
                || !self.argument()
                || self.rest().starts_with('-');
            let value = if is_flag { Value::Text(String::new()) } else { self.value()? };
            arguments.push((name, value));
        }
        Ok(Some(request(&arguments).map_err(|why| Fault::at(line, why))?.at(line)))
    }

    /// Whether an argument follows in this statement.
    fn argument(&mut self) -> bool {
        self.blank(false);
        self.peek().is_some_and(|c| !matches!(c, '\r' | '\n' | ';' | '|' | ')'))
    }

    fn name(&mut self) -> String {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let length = self.rest().find(|c| !is_name(c)).unwrap_or(self.rest().len());
        let name = self.rest()[..length].to_owned();
        self.at += length;
        name
    }

    fn bare(&mut self) -> String {
        let ends = |c: char| {
            c.is_whitespace() || matches!(c, ';' | '|' | ')' | '}' | '=' | '"' | '\'' | '`' | ',' | '(' | '{')
        };
        let length = self.rest().find(ends).unwrap_or(self.rest().len());
        let word = self.rest()[..length].to_owned();
        self.at += length;
        word
    }

    fn value(&mut self) -> Result<Value, Fault> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.fault(messages::too_deep()));
        }
        let value = self.value_inside();
        self.depth -= 1;
        value
    }

    fn value_inside(&mut self) -> Result<Value, Fault> {
        for (open, close) in [("@\"", "\n\"@"), ("@'", "\n'@")] {
            if self.take(open) {
                return self.here_string(open, close);
            }
        }
        if self.take("@{") {
            return self.table();
        }
        match self.peek() {
            Some('"') => self.double().map(Value::Text),
            Some('\'') => self.single().map(Value::Text),
            Some('$') => {
                self.next();
                Ok(self.variable())
            }
            Some('(') => self.brackets(),
            _ => {
                let word = self.bare();
                let value = word.is_empty().then(|| Value::Unknown(String::new()));
                Ok(value.unwrap_or(Value::Text(word)))
            }
        }
    }

    fn variable(&mut self) -> Value {
        let name = self.name();
        let known = self.variables.iter().find(|(other, _)| other.eq_ignore_ascii_case(&name));
        let unknown = || Value::Unknown(format!("${name}"));
        let Some((_, value)) = known else { return unknown() };
        let Some(left) = self.left.checked_sub(value.size()) else { return unknown() };
        let value = value.clone();
        self.left = left;
        value
    }

    /// The text of a variable in a string.
    fn inserted(&mut self) -> Result<String, Fault> {
        if self.take("(") {
            // Browsers write other characters as `$([char]235)`.
            let end = self.rest().find(')').unwrap_or_default();
            let inner = &self.rest()[..end];
            let number = inner.trim().strip_prefix("[char]").map(|number| number.trim());
            let value = number.and_then(|number| match number.strip_prefix("0x") {
                Some(digits) => u32::from_str_radix(digits, 16).ok(),
                None => number.parse().ok(),
            });
            let Some(value) = value else { return Err(self.fault(messages::is_expanded("$(…)"))) };
            self.at += end + 1;
            // Half of a pair is kept as a mark that `joined` finds.
            return Ok(char::from_u32(value).map_or_else(|| format!("\u{1}{value:04x}"), String::from));
        }
        let dollar = self.at;
        match self.variable() {
            Value::Text(text) => Ok(text),
            _ if self.at == dollar => Ok("$".to_owned()),
            _ => Err(self.fault(messages::is_expanded(&format!("${}", &self.text[dollar..self.at])))),
        }
    }

    fn double(&mut self) -> Result<String, Fault> {
        let begin = self.at;
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                None => return Err(self.fault_at(begin, messages::quote_is_open("\""))),
                Some('"') if self.take("\"") => text.push('"'),
                Some('"') => return Ok(joined(&text)),
                Some('`') => text.extend(self.next().map(escape)),
                Some('$') => text.push_str(&self.inserted()?),
                Some(c) => text.push(c),
            }
        }
    }

    fn single(&mut self) -> Result<String, Fault> {
        let begin = self.at;
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                None => return Err(self.fault_at(begin, messages::quote_is_open("'"))),
                Some('\'') if self.take("'") => text.push('\''),
                Some('\'') => return Ok(text),
                Some(c) => text.push(c),
            }
        }
    }

    fn here_string(&mut self, open: &str, close: &str) -> Result<Value, Fault> {
        let begin = self.at;
        let unclosed = |reader: &Self| reader.fault_at(begin, messages::quote_is_open(open));
        self.take("\r");
        if !self.take("\n") {
            return Err(unclosed(self));
        }
        // The end of the line before it is not of the string.
        let start = self.at;
        let end = self.text[start - 1..].find(close).ok_or_else(|| unclosed(self))? + start - 1;
        let text = self.text.get(start..end).unwrap_or_default();
        let text = text.strip_suffix('\r').unwrap_or(text).to_owned();
        self.at = end + close.len();
        if open == "@'" {
            return Ok(Value::Text(text));
        }
        let variables = std::mem::take(&mut self.variables);
        let mut inner =
            Reader { text: &text, at: 0, variables, depth: self.depth, left: self.left, ruler: Ruler::new() };
        let mut read = String::new();
        while let Some(c) = inner.next() {
            match c {
                '`' => read.extend(inner.next().map(escape)),
                '$' => read.push_str(&inner.inserted().map_err(|fault| self.fault(fault.why))?),
                c => read.push(c),
            }
        }
        (self.left, self.variables) = (inner.left, inner.variables);
        Ok(Value::Text(joined(&read)))
    }

    fn table(&mut self) -> Result<Value, Fault> {
        let begin = self.at;
        let mut rows = Vec::new();
        loop {
            self.blank(true);
            if self.take("}") {
                return Ok(Value::Table(rows));
            }
            let key = self.value()?;
            self.blank(false);
            if !self.take("=") {
                return Err(self.fault_at(begin, messages::quote_is_open("@{")));
            }
            self.blank(false);
            let value = self.value()?;
            if let Value::Text(key) = key {
                rows.push((key, value));
            }
        }
    }

    /// What is in brackets: the last string, variable or file in it.
    fn brackets(&mut self) -> Result<Value, Fault> {
        let begin = self.at;
        self.next();
        let mut last = Value::Unknown("(…)".to_owned());
        let mut reads_file = false;
        loop {
            self.blank(true);
            match self.peek() {
                None => return Err(self.fault_at(begin, messages::quote_is_open("("))),
                Some(')') => {
                    self.next();
                    return Ok(last);
                }
                _ => {}
            }
            match self.value()? {
                Value::Unknown(word) if word.is_empty() => {
                    self.next();
                }
                Value::Text(word) if word.eq_ignore_ascii_case("Get-Content") || word.contains("ReadAll") => {
                    reads_file = true;
                }
                // An option, or the name of a type or a method.
                Value::Text(word) if word.starts_with(['-', '[', '.', ':']) => {}
                Value::Text(name) if reads_file => last = Value::File(name),
                value => last = value,
            }
        }
    }
}

/// The character after a backtick.
fn escape(c: char) -> char {
    match c {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        other => other,
    }
}

/// The text with the halves of pairs joined.
fn joined(text: &str) -> String {
    if !text.contains('\u{1}') {
        return text.to_owned();
    }
    let mut units = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1}') {
        units.extend(before.encode_utf16());
        let unit = after.get(..4).and_then(|digits| u16::from_str_radix(digits, 16).ok());
        units.push(unit.unwrap_or(1));
        rest = if unit.is_some() { &after[4..] } else { after };
    }
    units.extend(rest.encode_utf16());
    String::from_utf16_lossy(&units)
}

fn request(arguments: &[(String, Value)]) -> Result<Captured, String> {
    let of = |name: &str| arguments.iter().find(|(other, _)| other == name).map(|(_, value)| value);
    let text = |name: &str| match of(name) {
        Some(Value::Text(text)) => Ok(Some(text.clone())),
        Some(Value::Unknown(what)) => Err(messages::is_expanded(what)),
        _ => Ok(None),
    };
    let mut headers = Headers::default();
    match of("headers") {
        Some(Value::Table(rows)) => {
            for (name, value) in rows {
                match value {
                    Value::Text(value) => headers.add(name.clone(), value.clone()),
                    Value::Unknown(what) => return Err(messages::is_expanded(what)),
                    Value::Table(_) | Value::File(_) => {}
                }
            }
        }
        Some(Value::Unknown(what)) => return Err(messages::is_expanded(what)),
        _ => {}
    }
    if let Some(kind) = text("contenttype")? {
        headers.set("Content-Type", kind);
    }
    let body = match of("body") {
        Some(Value::Text(body)) => Body::Bytes(Bytes::from(body.clone())),
        Some(Value::File(name)) => Body::Files(vec![Piece::File { name: name.clone(), binary: true }]),
        Some(Value::Unknown(what)) => return Err(messages::is_expanded(what)),
        Some(Value::Table(_)) => Body::NotRecorded(messages::command_sends_a_form("-Body")),
        None => match text("infile")? {
            Some(name) => Body::Files(vec![Piece::File { name, binary: true }]),
            None => Body::NotRecorded(messages::command_without_body().to_owned()),
        },
    };
    let method = text("method")?.unwrap_or_else(|| "GET".to_owned()).to_ascii_uppercase();
    let target = super::target(&text("uri")?.unwrap_or_else(|| "/".to_owned()));
    Ok(Captured::new(method, target, headers, body))
}
