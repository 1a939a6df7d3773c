//! `vectors`: the test vectors as files, for programs in any language.
//!
//! Invariant: no file is replaced that is not part of an export, nor a program that was changed, and if one is in the way, nothing is
//! written.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::console::Console;
use super::marked::{self, Comment, Found};
use super::messages::vectors as messages;
use super::outputs;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::input;
use crate::suite::vectors::{self, FILES, FORMAT, TestVectors};

/// The file with the vectors.
const VECTORS: &str = "vectors.json";
/// What the names of the programs begin with.
const PROGRAM: &str = "check";
/// The largest such file that is read, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the vectors, their JSON Schema, and programs that check them
    #[command(after_long_help = messages::EXPORT)]
    Export {
        /// Write the files into this folder, which is created if missing
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Compare exported vectors with those of this version
    #[command(after_long_help = messages::CHECK)]
    Check {
        /// The folder with the files
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    match &arguments.command {
        Command::Export { folder } => export(folder, console),
        Command::Check { folder } => check(folder, console),
    }
}

fn export(folder: &Path, console: &mut Console) -> Result<ExitStatus, Error> {
    let all = vectors::all().map_err(Error::Harness)?;
    let mut json = serde_json::to_string_pretty(&all).map_err(|why| Error::Harness(why.to_string()))?;
    json.push('\n');
    let has_vectors = read(&folder.join(VECTORS)).is_ok();
    let files = FILES.map(|(name, text)| {
        let comment = comment(name);
        (name, comment, comment.map_or_else(|| text.to_owned(), |comment| marked::marked(text, comment)))
    });
    let is_edited = |(name, comment, text): &(&str, Option<Comment>, String)| {
        let found = comment.map(|comment| marked::found(&folder.join(name), text, comment));
        has_vectors && matches!(found, Some(Ok(Found::Edited) | Err(_)))
    };
    let (kept, replaced): (Vec<_>, Vec<_>) = files.into_iter().partition(is_edited);
    // The vectors are last, so a folder with them has everything.
    let written: Vec<(String, Vec<u8>)> = replaced
        .into_iter()
        .map(|(name, _, text)| (name, text))
        .chain([(VECTORS, json)])
        .map(|(name, text)| (name.to_owned(), text.into_bytes()))
        .collect();
    let stops = |path: &Path, bytes: &[u8]| {
        (!has_vectors && outputs::is_other(path, bytes)).then(|| messages::in_the_way(path))
    };
    outputs::write_all(folder, &written, stops, console)?;
    kept.iter().for_each(|(name, ..)| console.note(&messages::kept(&folder.join(name))));
    Ok(ExitStatus::Passed)
}

/// How a program has its mark; `None` for other files. Users put their verification into the programs.
fn comment(name: &str) -> Option<Comment> {
    let is_program = name.starts_with(PROGRAM);
    is_program.then(|| if name.ends_with(".py") { Comment::Hash } else { Comment::Slashes })
}

fn check(folder: &Path, console: &mut Console) -> Result<ExitStatus, Error> {
    let path = folder.join(VECTORS);
    let read = read(&path).map_err(|why| Error::Usage(messages::unreadable(&path, &why)))?;
    let faults = vectors::faults(&read).map_err(Error::Harness)?;
    console.print(&messages::checked(&path, &read.version, read.vectors.len(), &faults))?;
    Ok(if faults.is_empty() { ExitStatus::Passed } else { ExitStatus::Failed })
}

/// Errors: why the file has no vectors.
fn read(path: &Path) -> Result<TestVectors, String> {
    let bytes = input::file(path, LARGEST).map_err(|why| why.to_string())?;
    let read: TestVectors = serde_json::from_slice(&bytes).map_err(|why| why.to_string())?;
    if read.format == FORMAT { Ok(read) } else { Err(messages::other_format(&read.format, FORMAT)) }
}
