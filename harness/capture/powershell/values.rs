//! Strings, tables and variables of PowerShell.

use std::cell::Cell;

use super::super::{Fault, Ruler, messages};

/// How deep tables and brackets may be nested.
const DEEPEST: usize = 32;
/// How many bytes the values of variables may give.
const MOST_INSERTED: usize = 32 << 20;
/// How many rows of a table are read.
const MOST_ROWS: usize = 1000;

#[derive(Debug, Clone)]
pub(super) enum Value {
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

pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) variables: Vec<(String, Value)>,
    depth: usize,
    /// How many more bytes variables may give.
    left: usize,
    ruler: Cell<Ruler>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            variables: Vec::new(),
            depth: 0,
            left: MOST_INSERTED,
            ruler: Cell::new(Ruler::new()),
        }
    }

    pub(super) fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub(super) fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    pub(super) fn line_of(&self, at: usize) -> usize {
        let mut ruler = self.ruler.get();
        let line = ruler.line(self.text.as_bytes(), at);
        self.ruler.set(ruler);
        line
    }

    pub(super) fn fault(&self, why: impl Into<String>) -> Fault {
        self.fault_at(self.at, why)
    }

    fn fault_at(&self, at: usize, why: impl Into<String>) -> Fault {
        Fault::at(self.line_of(at), why)
    }

    /// Skips blanks, comments and continued lines; with `lines`, ends of lines and of statements too.
    pub(super) fn blank(&mut self, lines: bool) {
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

    pub(super) fn name(&mut self) -> String {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let length = self.rest().find(|c| !is_name(c)).unwrap_or(self.rest().len());
        let name = self.rest()[..length].to_owned();
        self.at += length;
        name
    }

    pub(super) fn bare(&mut self) -> String {
        let ends = |c: char| {
            c.is_whitespace() || matches!(c, ';' | '|' | ')' | '}' | '=' | '"' | '\'' | '`' | ',' | '(' | '{')
        };
        let length = self.rest().find(ends).unwrap_or(self.rest().len());
        let word = self.rest()[..length].to_owned();
        self.at += length;
        word
    }

    pub(super) fn value(&mut self) -> Result<Value, Fault> {
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
        let mut inner = Reader {
            text: &text,
            at: 0,
            variables,
            depth: self.depth,
            left: self.left,
            ruler: Cell::new(Ruler::new()),
        };
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
            if let Value::Text(key) = key
                && rows.len() < MOST_ROWS
            {
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
