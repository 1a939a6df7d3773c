//! The file for CI: where it is written, and what it runs.

use std::path::Path;

use super::Service;
use super::answers::{Answers, Attached, Ci};
use super::write::NewFile;
use crate::cli::messages::{ci as texts, init as messages};
use crate::shell::posix::word;

/// A file of the source, which CI builds.
const SOURCE: &str = "twenty-conform/Cargo.toml";

/// The file, and what the user has to do with it.
pub(super) fn file(ci: &Ci, answers: &Answers, folder: &Path) -> (NewFile, Option<String>) {
    let target = answers.attached.target();
    let url = target.map(|target| target.url());
    // A URL has no NUL byte.
    let url = url.and_then(|url| word(url.as_bytes())).unwrap_or_default();
    let job = texts::Job {
        role: answers.role.as_str(),
        start: ci.start.as_deref().map(|command| (command, url)),
        port: target.map(|target| target.port),
        needs_secret: matches!(answers.attached, Attached::Url(_)),
    };
    let (file, include) = match ci.service {
        Service::Github => {
            (NewFile::new(folder.join(".github/workflows/twenty-conform.yml"), texts::github(&job)), None)
        }
        Service::Gitlab if is_of_user(&folder.join(".gitlab-ci.yml")) => {
            let path = ".gitlab/twenty-conform.yml";
            (NewFile::new(folder.join(path), texts::gitlab(&job)), Some(messages::include(path)))
        }
        Service::Gitlab => (NewFile::new(folder.join(".gitlab-ci.yml"), texts::gitlab(&job)), None),
    };
    let source = (!folder.join(SOURCE).is_file()).then(messages::needs_source);
    let notes: Vec<String> = include.into_iter().chain(source).collect();
    (file, Some(notes.concat()).filter(|notes| !notes.is_empty()))
}

/// Whether there is such a file that `init` has not written.
fn is_of_user(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
        && !std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(texts::MARK.as_bytes()))
}
