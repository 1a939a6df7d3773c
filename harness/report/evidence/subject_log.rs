//! `subject.log`: what the program under test wrote, with times.
//!
//! Invariant: bounded. The file is made with its first line, so a program that runs elsewhere has none.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::report::messages;
use crate::subject::heard::Stream;
use crate::terminal::clean;
use crate::webhook::dialect::rfc3339;

/// How many bytes of output are kept.
const MOST: usize = 64 * 1024 * 1024;

pub(super) struct SubjectLog {
    path: PathBuf,
    file: Option<File>,
    /// How much may still be written; `None` after a failure.
    left: Option<usize>,
}

impl SubjectLog {
    pub(super) fn within(folder: &Path) -> Self {
        Self { path: folder.join("subject.log"), file: None, left: Some(MOST) }
    }

    /// Adds a line, which is redacted. Returns what went wrong.
    pub(super) fn add(&mut self, stream: Stream, line: &str, at_ms: u64) -> Option<String> {
        let left = self.left?;
        let entry = format!("{} {} {}\n", rfc3339(at_ms), stream.as_str(), clean(line));
        self.left = left.checked_sub(entry.len());
        let entry = if self.left.is_some() { entry } else { messages::log_is_full() };
        let written = match &mut self.file {
            Some(file) => file.write_all(entry.as_bytes()),
            None => {
                File::create(&self.path).and_then(|file| self.file.insert(file).write_all(entry.as_bytes()))
            }
        };
        let why = written.err()?;
        self.left = None;
        Some(messages::not_written(&self.path, &why))
    }
}
