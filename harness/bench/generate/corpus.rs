//! The bodies of a load: the dialect's sample events, or files of one's own.
//!
//! Invariant: bounded in bytes, and prepared once: a body is the bytes that were given with one place of 36 bytes in it, into
//! which each delivery's record id is written. Nothing is printed anew from a parse.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::bench::generate::ids::PLACEHOLDER;
use crate::webhook::dialect::{Context, Dialect};

/// The longest body, in bytes.
pub const LONGEST_BODY: usize = 16 * 1024 * 1024;
/// How long all bodies may be together, in bytes.
pub const LARGEST_CORPUS: usize = 64 * 1024 * 1024;

/// The bodies that a load sends, one after the other and over again.
#[derive(Debug, Clone)]
pub struct Corpus {
    bodies: Vec<Body>,
}

#[derive(Debug, Clone)]
pub struct Body {
    /// Its bytes, with a placeholder where the record's id goes.
    pub bytes: Box<[u8]>,
    /// Where the 36 bytes of the record's id stand; `None` where there is no place for one.
    pub id: Option<Range<usize>>,
}

/// Where the bodies come from: one line of a file, or the whole of it.
struct CorpusSource<'a> {
    path: &'a Path,
    line: Option<usize>,
}

impl Corpus {
    /// The sample events that every receiver has to acknowledge: those of standard objects.
    pub fn samples(dialect: &Dialect, target_url: &str, now_ms: u64) -> Self {
        let context = Context {
            target_url,
            webhook_id: "5f0c6a0e-3b1e-4c57-9d2a-6d1f6f1b7a01",
            workspace_id: "8e2b1c44-70d5-4a63-b0f4-1b1c9f0a2d02",
            occurred_at_ms: now_ms,
        };
        let bodies = dialect.familiar().map(|event| {
            let body = dialect.render(&event.with_id(PLACEHOLDER), &context);
            Body::prepare(&body).unwrap_or_else(|_| Body { bytes: (*body).into(), id: None })
        });
        Self { bodies: bodies.collect() }
    }

    /// The bodies of a file, or of every file in a folder: one JSON text for each file, or one for each line.
    ///
    /// Errors: there is none, one is no JSON, or there is too much; each names the file and the line.
    pub fn read(path: &Path) -> Result<Self, String> {
        let mut corpus = Self { bodies: Vec::new() };
        let mut bytes = 0;
        for file in files(path)? {
            // What a device or a pipe gives has no length that could be asked for.
            let mut text = Vec::new();
            let opened = fs::File::open(&file);
            let read = opened.and_then(|file| file.take(LARGEST_CORPUS as u64 + 1).read_to_end(&mut text));
            read.map_err(|why| unreadable(&file, &why))?;
            bytes += text.len();
            if bytes > LARGEST_CORPUS {
                return Err(too_much(path));
            }
            corpus.add(&file, &text)?;
        }
        if corpus.bodies.is_empty() {
            return Err(format!(
                "the corpus {} is empty: it holds no file with a JSON text in it",
                path.display()
            ));
        }
        Ok(corpus)
    }

    /// The bodies, at least one.
    pub fn bodies(&self) -> &[Body] {
        &self.bodies
    }

    /// How long the longest is, in bytes.
    pub fn longest(&self) -> usize {
        self.bodies.iter().map(|body| body.bytes.len()).max().unwrap_or_default()
    }

    /// Adds what a file holds: the whole of it where that is one JSON text, otherwise each line.
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
                // Its first line is no JSON text, so it is a text over several lines, and its own error says more.
                Err(_) if at == 0 => {
                    let line = Some(number + whole.line() - 1);
                    return Err(CorpusSource { path, line }.is_no_json(&whole));
                }
                Err(why) => return Err(source.is_no_json(&why)),
            }
        }
        Ok(())
    }

    fn push(&mut self, body: Body, source: &CorpusSource<'_>) -> Result<(), String> {
        if body.bytes.len() > LONGEST_BODY {
            return Err(format!(
                "the corpus is too large: {source} is a body of {} bytes, and the longest that is sent has {} MiB",
                body.bytes.len(),
                LONGEST_BODY >> 20
            ));
        }
        self.bodies.push(body);
        Ok(())
    }
}

impl CorpusSource<'_> {
    fn is_no_json(&self, why: &serde_json::Error) -> String {
        // The parser counts lines from the text's own beginning.
        let words = why.to_string();
        let words = words.split(" at line ").next().unwrap_or_default();
        format!("the corpus is broken: {self} is no JSON text: {words} (column {})", why.column())
    }
}

impl std::fmt::Display for CorpusSource<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.path.display())?;
        self.line.map_or(Ok(()), |line| write!(f, ", line {line},"))
    }
}

fn too_much(path: &Path) -> String {
    format!("the corpus {} is too large: it may hold {} MiB in all", path.display(), LARGEST_CORPUS >> 20)
}

fn unreadable(path: &Path, why: &std::io::Error) -> String {
    format!("the corpus {} cannot be read: {why}", path.display())
}

/// The file itself, or what a folder holds, in the order of the names; hidden files and folders are passed over.
fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    if !fs::metadata(path).map_err(|why| unreadable(path, &why))?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(|why| unreadable(path, &why))? {
        let file = entry.map_err(|why| unreadable(path, &why))?.path();
        let hidden = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// An object's members as they stand in the text; of two of one name the last, as most parsers have it.
#[derive(Deserialize)]
#[serde(transparent)]
struct Object<'a>(#[serde(borrow)] BTreeMap<String, &'a RawValue>);

impl Body {
    /// Finds the record's id in a JSON text, or makes a place for one.
    ///
    /// Errors: it is no JSON text.
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
                    let behind = offset(text, record) + 1;
                    let comma = if inner.is_empty() { "\"" } else { "\"," };
                    Self::splice(text, behind..behind, &format!("\"{id}\":\""), comma)
                }
            });
        }
        Ok(without())
    }

    /// The text with the placeholder between two others in the place of a part of it.
    fn splice(text: &[u8], gone: Range<usize>, before: &str, behind: &str) -> Self {
        let head = [&text[..gone.start], before.as_bytes()].concat();
        let id = head.len()..head.len() + PLACEHOLDER.len();
        let bytes = [&head, PLACEHOLDER.as_bytes(), behind.as_bytes(), &text[gone.end..]].concat();
        Self { bytes: bytes.into(), id: Some(id) }
    }
}

/// Where a part begins in the text that it was borrowed from.
fn offset(text: &[u8], part: &str) -> usize {
    part.as_ptr().addr() - text.as_ptr().addr()
}
