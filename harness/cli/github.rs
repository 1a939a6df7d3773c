//! What a run tells GitHub Actions in addition to its reports: annotations, and the summary of the step.
//!
//! Invariant: neither changes the status, and neither is written to stdout, which may be a report.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use super::console::Console;
use super::environment;
use super::messages::github::{summary_is_full, summary_is_no_file, summary_refuses};
use crate::report::{Report, annotations, markdown};

/// How much GitHub takes for a step; it shows nothing of a longer summary.
const MOST: u64 = 1024 * 1024;

/// Prints the annotations on GitHub Actions, and appends to the summary of the step where there is one.
pub(super) fn tell(report: &Report, console: &mut Console) {
    if environment::is_github() {
        console.command(&annotations::render(report));
    }
    let Some(path) = environment::step_summary() else { return };
    let page = console.redacted(&markdown::render(report));
    if let Err(why) = append(&path, &page) {
        console.note(&why);
    }
}

/// Prints an error that ended a command as an annotation.
pub(super) fn tell_error(message: &str, console: &mut Console) {
    if environment::is_github() {
        console.command(&annotations::error(message));
    }
}

/// Appends to the summary. It stays as it was if that fails.
///
/// Errors: a warning that says why.
fn append(path: &Path, page: &str) -> Result<(), String> {
    let old = match fs::metadata(path) {
        Ok(old) if !old.is_file() => return Err(summary_is_no_file(path)),
        Ok(old) => old.len(),
        Err(_) => 0,
    };
    if old + page.len() as u64 > MOST {
        return Err(summary_is_full(path));
    }
    write(path, page, old).map_err(|why| summary_refuses(path, &why))
}

fn write(path: &Path, page: &str, old: u64) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    let written = file.write_all(page.as_bytes()).and_then(|()| file.flush());
    if written.is_err() {
        // If this fails too, the summary has a part of the page.
        let _ = file.set_len(old);
    }
    written
}
