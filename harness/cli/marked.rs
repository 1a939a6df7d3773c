//! Files that this program writes into projects, with a last line that tells an edited file from one of another version.
//!
//! Invariant: the line has the version and the hash of what is before it, in the same form in every version.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::budget::SMALL_FILE;
use crate::input::{self, Unread};

/// What stands in the comment before the version and the hash.
const MARK: &str = "written by twenty-conform ";

/// How a comment of one line is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Comment {
    /// In Markdown.
    Markup,
    /// In Python.
    Hash,
    /// In JavaScript and Go.
    Slashes,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    /// What would be written.
    Same,
    /// What another version wrote.
    Older,
    Edited,
}

impl Comment {
    fn around(self) -> (&'static str, &'static str) {
        match self {
            Self::Markup => ("<!-- ", " -->\n"),
            Self::Hash => ("# ", "\n"),
            Self::Slashes => ("// ", "\n"),
        }
    }
}

/// The text with the mark of this version.
pub(super) fn marked(text: &str, comment: Comment) -> String {
    with_mark(text, comment, env!("CARGO_PKG_VERSION"))
}

/// What stands at a path where a marked text would be written. Errors: it cannot be read.
pub(super) fn found(path: &Path, marked: &str, comment: Comment) -> Result<Found, Unread> {
    // Something may be in the way of the folder, which creating it tells.
    if fs::symlink_metadata(path).is_err() {
        return Ok(Found::Nothing);
    }
    // Version control may have changed the ends of lines.
    let there = input::text(path, SMALL_FILE)?.replace("\r\n", "\n");
    let (begin, _) = comment.around();
    Ok(match there.rsplit_once(&format!("{begin}{MARK}")) {
        _ if there == marked => Found::Same,
        Some((before, mark)) if there == with_mark(before, comment, version(mark)) => Found::Older,
        _ => Found::Edited,
    })
}

fn with_mark(text: &str, comment: Comment, version: &str) -> String {
    let (begin, end) = comment.around();
    let hash = const_hex::encode(&Sha256::digest(text)[..16]);
    format!("{text}{begin}{MARK}{version}, {hash}{end}")
}

/// The version that a mark names.
fn version(mark: &str) -> &str {
    mark.split(',').next().unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::{Comment, Found, found, marked, with_mark};

    #[test]
    fn edited_file_is_told_from_one_of_another_version() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for comment in [Comment::Markup, Comment::Hash, Comment::Slashes] {
            let text = marked("Never\n", comment);
            let read = |written: &str| {
                std::fs::write(&path, written).unwrap();
                found(&path, &text, comment).unwrap()
            };
            assert_eq!(read(&text), Found::Same);
            assert_eq!(read(&text.replace('\n', "\r\n")), Found::Same);
            assert_eq!(read(&with_mark("another text\n", comment, "0.0.9")), Found::Older);
            let edits = [text.replace("Never", "Always"), text.clone() + "more\n", "Never\n".to_owned()];
            for edited in edits.into_iter().chain([String::new()]) {
                assert_eq!(read(&edited), Found::Edited, "{edited}");
            }
            std::fs::remove_file(&path).unwrap();
            assert_eq!(found(&path, &text, comment).unwrap(), Found::Nothing);
        }
    }
}
