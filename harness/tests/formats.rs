//! The formats of reports on runs. Each is read back by a reader that shares no code with what writes it.
//!
//! Invariant: the formats agree with each other, and with the exit status.

pub(crate) mod github;
mod hostile;
mod readers;
mod source;
mod written;

use std::collections::BTreeMap;
use std::fs;

use tempfile::TempDir;

use self::readers::READERS;
use crate::cli::program::{Ran, finish, twenty};

/// A run with a report in each format, by the name of the format.
fn reported(arguments: &[&str]) -> (Ran, BTreeMap<&'static str, String>) {
    let folder = TempDir::new().unwrap();
    let mut command = twenty(arguments);
    for (format, _) in READERS {
        command.arg(format!("--report={format}={}", folder.path().join(format).display()));
    }
    let ran = finish(command);
    let read = |format| {
        fs::read_to_string(folder.path().join(format))
            .unwrap_or_else(|why| panic!("{format}: {why}: {ran:#?}"))
    };
    let reports = READERS.iter().map(|(format, _)| (*format, read(format))).collect();
    (ran, reports)
}
