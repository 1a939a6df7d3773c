//! Why a file or folder cannot be used as a saved run.

use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::messages;
use crate::input::Unread;

/// A file or folder that is not a saved run, or a damaged one.
#[derive(Debug, Error)]
pub struct Unusable {
    pub path: PathBuf,
    pub why: Why,
}

/// Why it cannot be used.
#[derive(Debug)]
pub enum Why {
    /// It cannot be read: it is missing, too long, not UTF-8, a pipe.
    Unread(Unread),
    /// A folder without any file of a run.
    NotARun,
    /// The run has no report, because it did not end. It may have exchanges.
    NotEnded,
    /// The folder has no such file.
    Lacks(&'static str),
    /// A folder or a device in place of a file.
    NotAFile,
    /// It ends in the middle.
    Cut,
    /// It is not JSON: where, and why.
    NotJson(String),
    /// It has another form than its format says.
    Malformed(String),
    /// It is no file of this suite, or another one. The format that it names, if it does.
    OtherFormat { found: Option<String>, wanted: &'static str },
    /// A later version wrote it.
    Newer {
        found: String,
        wanted: &'static str,
        /// The version of the program that wrote it, if it says so.
        tool: Option<String>,
    },
    /// An earlier version wrote it.
    Older { found: String, wanted: &'static str, tool: Option<String> },
    /// The files of a folder are of different runs: in what they differ.
    Mixed(&'static str),
}

pub(super) fn unusable(path: &Path, why: Why) -> Unusable {
    Unusable { path: path.to_owned(), why }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        f.write_str(&match &self.why {
            Why::Unread(why) => messages::unread(path, why),
            Why::NotARun => messages::not_a_run(path),
            Why::NotEnded => messages::not_ended(path),
            Why::Lacks(name) => messages::lacks(path, name),
            Why::NotAFile => messages::not_a_file(path),
            Why::Cut => messages::cut(path),
            Why::NotJson(why) => messages::not_json(path, why),
            Why::Malformed(why) => messages::malformed(path, why),
            Why::OtherFormat { found, wanted } => messages::other_format(path, found.as_deref(), wanted),
            Why::Newer { found, wanted, tool } => messages::newer(path, (found, wanted), tool.as_deref()),
            Why::Older { found, wanted, tool } => messages::older(path, (found, wanted), tool.as_deref()),
            Why::Mixed(what) => messages::mixed(path, what),
        })
    }
}
