//! The bodies of a load: the dialect's sample events, or the user's own files.
//!
//! A body is prepared once: its bytes stay as given, except for 36 bytes into which each delivery's record id is written.
//! No body is re-serialised.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::bench::generate::ids::PLACEHOLDER;
use crate::bench::generate::messages;
use crate::input::{self, Unread};
use crate::webhook::dialect::{Context, Dialect};

/// The longest body, in bytes.
pub const LONGEST_BODY: usize = 16 * 1024 * 1024;
/// The limit on the sum of all bodies, in bytes.
pub const LARGEST_CORPUS: usize = 64 * 1024 * 1024;

/// The bodies that a load sends, in turn and repeatedly.
#[derive(Debug, Clone)]
pub struct Corpus {
    bodies: Vec<Body>,
}

#[derive(Debug, Clone)]
pub struct Body {
    /// The bytes, with a placeholder for the record's id.
    pub bytes: Box<[u8]>,
    /// The 36 bytes of the record's id; `None` if there is no place for one.
    pub id: Option<Range<usize>>,
}

/// Where a body comes from: a line of a file, or the whole file.
struct CorpusSource<'a> {
    path: &'a Path,
    line: Option<usize>,
}

impl Corpus {
    /// The sample events that every receiver must accept: those of standard objects.
    pub fn samples(dialect: &Dialect, target_url: &str, now_ms: u64) -> Self {
        let context = Context {
            target_url,
            webhook_id: "5f0c6a0e-3b1e-4c57-9d2a-6d1f6f1b7a01",
            workspace_id: "8e2b1c44-70d5-4a63-b0f4-1b1c9f0a2d02",
            occurred_at_ms: now_ms,
        };
        let bodies = dialect.required_samples().map(|event| {
            let body = dialect.render(&event.with_id(PLACEHOLDER), &context);
            Body::prepare(&body).unwrap_or_else(|_| Body { bytes: (*body).into(), id: None })
        });
        Self { bodies: bodies.collect() }
    }

    /// The bodies of a file, or of every file in a folder: one JSON text per file or per line.
    ///
    /// Errors, with the file and the line: there is no body, a body is not JSON, or the corpus is too large.
    pub fn read(path: &Path) -> Result<Self, String> {
        let mut corpus = Self { bodies: Vec::new() };
        let mut bytes = 0;
        for file in files(path)? {
            let text = input::file(&file, (LARGEST_CORPUS - bytes) as u64).map_err(|why| match why {
                Unread::TooLong { .. } => messages::corpus_too_large(path, LARGEST_CORPUS >> 20),
                why => messages::corpus_unreadable(&file, &why),
            })?;
            bytes += text.len();
            corpus.add(&file, &text)?;
        }
        if corpus.bodies.is_empty() {
            return Err(messages::corpus_empty(path));
        }
        Ok(corpus)
    }

    /// The bodies, at least one.
    pub fn bodies(&self) -> &[Body] {
        &self.bodies
    }

    /// The length of the longest body, in bytes.
    pub fn longest(&self) -> usize {
        self.bodies.iter().map(|body| body.bytes.len()).max().unwrap_or_default()
    }

    /// Adds the content of a file: all of it if it is one JSON text, else each line.
    fn add(&mut self, path: &Path, text: &[u8]) -> Result<(), String> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_end();
        if text.trim_ascii_start().is_empty() {
            return Ok(());
        }
        let whole = match Body::prepare(text.trim_ascii_start()) {
            Ok(body) => return self.push(body, &CorpusSource { path, line: None }),
            Err(why) => why,
        };
        let lines = text.split(|&byte| byte == b'\n').enumerate();
        let lines = lines.map(|(at, line)| (at + 1, line.trim_ascii())).filter(|(_, line)| !line.is_empty());
        for (at, (number, line)) in lines.enumerate() {
            let source = CorpusSource { path, line: Some(number) };
            match Body::prepare(line) {
                Ok(body) => self.push(body, &source)?,
                // The first line is not JSON, so the file is one text over several lines: its own error says more.
                Err(_) if at == 0 => {
                    let line = Some(number + whole.line() - 1);
                    return Err(CorpusSource { path, line }.not_json(&whole));
                }
                Err(why) => return Err(source.not_json(&why)),
            }
        }
        Ok(())
    }

    fn push(&mut self, body: Body, source: &CorpusSource<'_>) -> Result<(), String> {
        if body.bytes.len() > LONGEST_BODY {
            return Err(messages::body_too_long(source, body.bytes.len(), LONGEST_BODY >> 20));
        }
        self.bodies.push(body);
        Ok(())
    }
}

impl CorpusSource<'_> {
    fn not_json(&self, why: &serde_json::Error) -> String {
        // The parser's line number counts from the start of the text, not of the file.
        let words = why.to_string();
        let words = words.split(" at line ").next().unwrap_or_default();
        messages::body_not_json(self, words, why.column())
    }
}

impl std::fmt::Display for CorpusSource<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.path.display())?;
        self.line.map_or(Ok(()), |line| write!(f, ", line {line},"))
    }
}

/// The file itself, or the files of a folder in the order of their names, without hidden files and subfolders.
fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    let unreadable = |why: std::io::Error| messages::corpus_unreadable(path, &why);
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        let hidden = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// The members of an object, unparsed. The last of two with the same name counts, as in most parsers.
#[derive(Deserialize)]
#[serde(transparent)]
struct Object<'a>(#[serde(borrow)] BTreeMap<String, &'a RawValue>);

impl Body {
    /// Finds the record's id in a JSON text, or makes a place for one.
    ///
    /// Errors: the text is not JSON.
    fn prepare(text: &[u8]) -> Result<Self, serde_json::Error> {
        let whole: &RawValue = serde_json::from_slice(text)?;
        let without = || Self { bytes: text.into(), id: None };
        let Ok(Object(members)) = serde_json::from_str(whole.get()) else { return Ok(without()) };
        for (member, id) in [("data", "id"), ("record", "id"), ("event", "recordId")] {
            let Some(record) = members.get(member).map(|raw| raw.get()) else { continue };
            let Ok(Object(inner)) = serde_json::from_str(record) else { continue };
            return Ok(match inner.get(id).map(|raw| raw.get()) {
                Some(value) => {
                    let from = offset(text, value);
                    Self::splice(text, from..from + value.len(), "\"", "\"")
                }
                None => {
                    let start = offset(text, record) + 1;
                    let comma = if inner.is_empty() { "\"" } else { "\"," };
                    Self::splice(text, start..start, &format!("\"{id}\":\""), comma)
                }
            });
        }
        Ok(without())
    }

    /// Replaces a part of the text by the placeholder, with `before` and `after` around it.
    fn splice(text: &[u8], replaced: Range<usize>, before: &str, after: &str) -> Self {
        let head = [&text[..replaced.start], before.as_bytes()].concat();
        let id = head.len()..head.len() + PLACEHOLDER.len();
        let bytes = [&head, PLACEHOLDER.as_bytes(), after.as_bytes(), &text[replaced.end..]].concat();
        Self { bytes: bytes.into(), id: Some(id) }
    }
}

/// Where a borrowed part begins in its text.
fn offset(text: &[u8], part: &str) -> usize {
    part.as_ptr().addr() - text.as_ptr().addr()
}
