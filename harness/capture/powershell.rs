//! Commands of PowerShell: `Invoke-WebRequest` and `Invoke-RestMethod` as browsers and Postman write them, and `curl.exe`.
//!
//! Only what such commands need is read: strings, here-strings, tables and variables that have one of these.

mod values;

use bytes::Bytes;

use super::shell::Command;
use super::{Body, Captured, Fault, Piece, Requests, curl, messages};
use crate::wire::exchange::Headers;
use values::{Reader, Value};

/// How many arguments of a command, and rows that are added to a table, are kept.
const MOST_ARGUMENTS: usize = 1000;
/// How many variables are kept.
const MOST_VARIABLES: usize = 256;

/// Every request of a script.
pub(super) fn requests(text: &[u8]) -> Result<Vec<Captured>, Fault> {
    let text = String::from_utf8_lossy(text);
    let mut reader = Reader::new(&text);
    let mut found = Requests::default();
    loop {
        reader.blank(true);
        if reader.rest().is_empty() {
            return Ok(found.all);
        }
        reader.statement()?.map_or(Ok(()), |request| found.add(request))?;
    }
}

/// Whether a word names a command that sends a request.
pub(super) fn is_request(word: &str) -> bool {
    ["invoke-webrequest", "invoke-restmethod", "iwr", "irm"]
        .iter()
        .any(|name| word.eq_ignore_ascii_case(name))
}

impl Reader<'_> {
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
            if word == "PS" {
                // A prompt, up to its end.
                let line = self.rest().split('\n').next().unwrap_or_default();
                self.at += line.find('>').map_or(line.len(), |end| end + 1);
                return Ok(None);
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
        if let (Some((_, Value::Table(rows))), Value::Text(key)) = (variable, key)
            && rows.len() < MOST_ARGUMENTS
        {
            rows.push((key, value));
        }
    }

    /// What follows the name of a command.
    fn command(&mut self, word: &str, begin: usize) -> Result<Option<Captured>, Fault> {
        let line = self.line_of(begin);
        if curl::is_curl(word.as_bytes()) {
            let mut words = vec![b"curl".to_vec()];
            while self.argument() {
                if words.len() > MOST_ARGUMENTS {
                    break;
                }
                words.push(match self.value()? {
                    Value::Text(text) => text.into_bytes(),
                    Value::Unknown(what) => return Err(Fault::at(line, messages::is_expanded(&what))),
                    Value::Table(_) | Value::File(_) => Vec::new(),
                });
            }
            let request = curl::requests(vec![Command { line, words, stdin: None }])?;
            return Ok(request.into_iter().next());
        }
        if !is_request(word) {
            self.line();
            return Ok(None);
        }
        let mut arguments = Vec::new();
        while self.argument() {
            let before = self.at;
            let name = if self.take("-") { self.name().to_ascii_lowercase() } else { "uri".to_owned() };
            self.take(":");
            self.blank(false);
            let is_flag = ["usebasicparsing", "skipcertificatecheck", "disablekeepalive"].contains(&&*name)
                || !self.argument()
                || self.rest().starts_with('-');
            let value = if is_flag { Value::Text(String::new()) } else { self.value()? };
            if self.at == before {
                // Nothing that an argument may begin with.
                self.next();
            } else if arguments.len() < MOST_ARGUMENTS {
                arguments.push((name, value));
            }
        }
        Ok(Some(request(&arguments).map_err(|why| Fault::at(line, why))?.at(line)))
    }

    /// Whether an argument follows in this statement.
    fn argument(&mut self) -> bool {
        self.blank(false);
        self.peek().is_some_and(|c| !matches!(c, '\r' | '\n' | ';' | '|' | ')'))
    }
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
    let target = text("uri")?.unwrap_or_else(|| "/".to_owned());
    Ok(Captured::new(method, target, headers, body))
}
