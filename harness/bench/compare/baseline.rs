//! Reports of benchmarks that are kept under a name, to be compared with later.
//!
//! Invariant: a baseline is there whole or not at all; a file that is none is refused with its name.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::bench::measure::report::BenchReport;

/// Where baselines are kept where nothing else is said.
pub const FOLDER: &str = ".twenty-conform/baselines";
/// The longest name.
const LONGEST_NAME: usize = 100;
/// The longest report that is read, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// A name that is one file's on every system. Errors: why it is none, as a sentence.
pub fn check_name(name: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if begins && name.len() <= LONGEST_NAME && name.bytes().all(allowed) && !name.ends_with('.') {
        return Ok(());
    }
    Err(format!(
        "{name:?} is no name of a baseline: it may hold up to {LONGEST_NAME} letters, digits, dots, hyphens and underscores, \
         begins with a letter or digit, and ends with no dot"
    ))
}

/// Where the baseline of a name is kept.
pub fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.json"))
}

/// What is meant by an argument: a file where it has a separator or ends in `.json`, otherwise the baseline of that name.
///
/// Errors: it is neither.
pub fn locate(argument: &str, folder: &Path) -> Result<PathBuf, String> {
    if argument.ends_with(".json") || argument.contains(['/', '\\']) {
        return Ok(argument.into());
    }
    check_name(argument)?;
    Ok(path(folder, argument))
}

/// Reads a report. Errors: a sentence that names the file.
pub fn read(path: &Path) -> Result<BenchReport, String> {
    let failed = |why: String| format!("the report {} cannot be read: {why}", path.display());
    let file = File::open(path).map_err(|why| failed(why.to_string()))?;
    let mut text = Vec::new();
    // One byte more than is allowed says that there is more.
    file.take(LARGEST + 1).read_to_end(&mut text).map_err(|why| failed(why.to_string()))?;
    if text.len() as u64 > LARGEST {
        return Err(failed(format!("it has more than {} MiB", LARGEST >> 20)));
    }
    let text = String::from_utf8(text).map_err(|_| failed("it is no text".to_owned()))?;
    BenchReport::parse(&text).map_err(failed)
}

/// Keeps a report under a name; one that was there is replaced. Returns where it is.
///
/// Errors: where it cannot be written, and why.
pub fn save(folder: &Path, name: &str, report: &BenchReport) -> Result<PathBuf, (PathBuf, std::io::Error)> {
    let path = path(folder, name);
    // Beside it, so that it is moved and not copied; of this process alone.
    let unfinished = folder.join(format!(".{name}.{}.unfinished", std::process::id()));
    let written = fs::create_dir_all(folder).and_then(|()| {
        let text = serde_json::to_string_pretty(report)? + "\n";
        let mut file = File::create(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)
    });
    if written.is_err() {
        // It may not even have been made.
        let _ = fs::remove_file(&unfinished);
    }
    written.map(|()| path.clone()).map_err(|why| (path, why))
}
