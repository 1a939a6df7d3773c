//! The arguments of `curl` as a request.

use std::collections::VecDeque;

use bytes::Bytes;

use super::shell::Command;
use super::{Body, Captured, Fault, Piece, Requests, messages};
use crate::wire::exchange::Headers;

/// Letters of options that have a value.
const WITH_VALUE: &[u8] = b"AbcCdDeEFHKmoPQrtTuUwxXyYz";
/// Names of options without a value. Any other has one, unless it begins as in the next list.
const FLAGS: &[&str] = &[
    "anyauth",
    "append",
    "basic",
    "ca-native",
    "compressed",
    "compressed-ssh",
    "create-dirs",
    "crlf",
    "digest",
    "disable",
    "fail",
    "fail-early",
    "fail-with-body",
    "get",
    "globoff",
    "head",
    "ignore-content-length",
    "include",
    "insecure",
    "ipv4",
    "ipv6",
    "junk-session-cookies",
    "list-only",
    "location",
    "location-trusted",
    "negotiate",
    "netrc",
    "netrc-optional",
    "ntlm",
    "parallel",
    "parallel-immediate",
    "path-as-is",
    "post301",
    "post302",
    "post303",
    "progress-bar",
    "raw",
    "remote-header-name",
    "remote-name",
    "remote-name-all",
    "remote-time",
    "show-error",
    "show-headers",
    "silent",
    "skip-existing",
    "ssl",
    "ssl-reqd",
    "styled-output",
    "tcp-fastopen",
    "tcp-nodelay",
    "tr-encoding",
    "trace-ids",
    "trace-time",
    "use-ascii",
    "verbose",
    "xattr",
];
/// How names of options without a value begin.
const FLAG_BEGINS: &[&str] = &["http0", "http1", "http2", "http3", "no-", "tlsv1", "sslv", "suppress-"];

#[derive(Default)]
struct Read {
    method: Option<String>,
    url: Option<String>,
    headers: Headers,
    pieces: Vec<Piece>,
    stdin: Option<Piece>,
    /// Why the body is not JSON, or is not in the command.
    no_body: Option<String>,
    json: bool,
    get: bool,
}

/// The request of each `curl` among the commands.
pub(super) fn requests(commands: Vec<Command>) -> Result<Vec<Captured>, Fault> {
    let mut found = Requests::default();
    for command in commands {
        let mut words = VecDeque::from(command.words);
        // A prompt, or an assignment of a variable.
        while words.front().is_some_and(|word| is_prompt(word)) {
            words.pop_front();
        }
        if !words.pop_front().is_some_and(|word| is_curl(&word)) {
            continue;
        }
        while !words.is_empty() {
            found.add(one(&mut words, command.line, command.stdin.as_ref())?)?;
        }
    }
    Ok(found.all)
}

/// Whether a word names the program.
pub(super) fn is_curl(word: &[u8]) -> bool {
    let name =
        word.rsplit(|byte| matches!(byte, b'/' | b'\\' | b'>')).next().unwrap_or(word).to_ascii_lowercase();
    name == b"curl" || name == b"curl.exe"
}

fn is_prompt(word: &[u8]) -> bool {
    let is_prompt = matches!(word, b"$" | b"#" | b"%" | b">" | b"sudo" | b"time" | b"PS" | b"exec");
    is_prompt || !is_curl(word) && (word.contains(&b'=') && !word.starts_with(b"-") || word.ends_with(b">"))
}

/// Reads a request up to `--next`.
fn one(words: &mut VecDeque<Vec<u8>>, line: usize, stdin: Option<&Piece>) -> Result<Captured, Fault> {
    let mut read = Read { stdin: stdin.cloned(), ..Read::default() };
    while let Some(word) = words.pop_front() {
        let text = String::from_utf8_lossy(&word).into_owned();
        if text == "--next" || text == "-:" {
            break;
        }
        if let Some(name) = text.strip_prefix("--").filter(|name| !name.is_empty()) {
            let has_value =
                !FLAGS.contains(&name) && !FLAG_BEGINS.iter().any(|begin| name.starts_with(begin));
            let value = if has_value { words.pop_front() } else { None };
            read.option(name, value.unwrap_or_default()).map_err(|why| Fault::at(line, why))?;
        } else if text.len() > 1 && text.starts_with('-') {
            read.letters(&word[1..], words).map_err(|why| Fault::at(line, why))?;
        } else {
            read.url.get_or_insert(text);
        }
    }
    Ok(read.captured(line))
}

impl Read {
    /// Options of one letter in one word: `-sX`, then the value or the next word.
    fn letters(&mut self, letters: &[u8], words: &mut VecDeque<Vec<u8>>) -> Result<(), String> {
        for (at, letter) in letters.iter().enumerate() {
            if !WITH_VALUE.contains(letter) {
                if *letter == b'G' {
                    self.get = true;
                }
                continue;
            }
            let attached = &letters[at + 1..];
            let value =
                if attached.is_empty() { words.pop_front().unwrap_or_default() } else { attached.to_vec() };
            let name = match letter {
                b'X' => "request",
                b'H' => "header",
                b'd' => "data",
                b'A' => "user-agent",
                b'F' => "form",
                b'T' => "upload-file",
                b'K' => "config",
                _ => "",
            };
            return self.option(name, value);
        }
        Ok(())
    }

    fn option(&mut self, name: &str, value: Vec<u8>) -> Result<(), String> {
        let text = || String::from_utf8_lossy(&value).into_owned();
        match name {
            "request" => self.method = Some(text()),
            "url" => self.url = Some(text()),
            "get" => self.get = true,
            "user-agent" => self.headers.add("User-Agent", value),
            "header" => self.header(&value)?,
            "data-raw" => self.pieces.push(Piece::Text(value.into())),
            "data" | "data-ascii" | "data-binary" | "json" => {
                self.json |= name == "json";
                self.data(value, matches!(name, "data-binary" | "json"));
            }
            "upload-file" => self.data([b"@", &*value].concat(), true),
            "data-urlencode" | "form" | "form-string" => {
                self.no_body = Some(messages::command_sends_a_form(name))
            }
            "config" => return Err(messages::command_reads_options(&text())),
            _ => {}
        }
        Ok(())
    }

    fn data(&mut self, value: Vec<u8>, binary: bool) {
        match value.strip_prefix(b"@") {
            Some(b"-" | b"/dev/stdin") if self.stdin.is_some() => {
                self.pieces.extend(self.stdin.take().map(|piece| match piece {
                    Piece::File { name, .. } => Piece::File { name, binary },
                    Piece::Text(text) if binary => Piece::Text(text),
                    Piece::Text(text) => {
                        let is_kept = |byte: &u8| !matches!(byte, b'\r' | b'\n' | b'\0');
                        Piece::Text(text.iter().copied().filter(is_kept).collect())
                    }
                }));
            }
            Some(b"-" | b"/dev/stdin") => self.no_body = Some(messages::body_from_stdin().to_owned()),
            Some(name) => {
                let name = String::from_utf8_lossy(name).into_owned();
                self.pieces.push(Piece::File { name, binary });
            }
            None => self.pieces.push(Piece::Text(value.into())),
        }
    }

    fn header(&mut self, line: &[u8]) -> Result<(), String> {
        if let Some(file) = line.strip_prefix(b"@") {
            return Err(messages::headers_in_a_file(&String::from_utf8_lossy(file)));
        }
        let Some(colon) = memchr::memchr(b':', line) else { return Ok(()) };
        let value = line[colon + 1..].trim_ascii();
        // A name with nothing after it removes a header.
        if !value.is_empty() {
            let name = String::from_utf8_lossy(line[..colon].trim_ascii()).into_owned();
            self.headers.add(name, value.to_vec());
        }
        Ok(())
    }

    fn captured(mut self, line: usize) -> Captured {
        if self.json && self.headers.single("content-type").is_none() {
            self.headers.add("Content-Type", "application/json");
        }
        let has_body = !self.pieces.is_empty() && !self.get || self.no_body.is_some();
        let method = self.method.unwrap_or_else(|| if has_body { "POST" } else { "GET" }.to_owned());
        let body = match (self.no_body, &*self.pieces) {
            (Some(why), _) => Body::NotRecorded(why),
            _ if !has_body => Body::NotRecorded(messages::command_without_body().to_owned()),
            (None, pieces) => match texts(pieces) {
                Some(body) => Body::Bytes(body),
                None => Body::Files(self.pieces),
            },
        };
        let target = self.url.unwrap_or_else(|| "/".to_owned());
        Captured::new(method, target, self.headers, body).at(line)
    }
}

/// The pieces as one body, if none is a file.
fn texts(pieces: &[Piece]) -> Option<Bytes> {
    if let [Piece::Text(text)] = pieces {
        return Some(text.clone());
    }
    let texts: Option<Vec<&[u8]>> = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => Some(&**text),
            Piece::File { .. } => None,
        })
        .collect();
    texts.map(|texts| texts.join(&b'&').into())
}
