//! `skills`: the skill file for coding agents, in a project or on stdout.
//!
//! Invariant: a file that was edited is never replaced. One that this program wrote ends with the hash of what is before it.

use std::path::{Path, PathBuf};
use std::{env, fs};

use clap::{Args, Subcommand};
use sha2::{Digest, Sha256};

use super::console::Console;
use super::headings::OUTPUT;
use super::messages::skills as messages;
use crate::budget::SMALL_FILE;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::{files, input};

/// The skill, without the mark.
const SKILL: &str = include_str!("skills/SKILL.md");
/// The folders in which coding agents look for a project's skills.
const FOLDERS: [&str; 2] = [".agents/skills", ".claude/skills"];
const NAME: &str = "twenty-conform/SKILL.md";
/// What the mark begins with, in every version. The version and the hash follow.
const MARK: &str = "<!-- written by twenty-conform ";
const MARK_END: &str = " -->\n";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the skill into the project's folders of skills
    #[command(after_long_help = messages::INSTALL)]
    Install {
        /// Write it into this folder of skills instead of .agents/skills and .claude/skills; repeatable
        #[arg(long, value_name = "DIR", help_heading = OUTPUT)]
        into: Vec<PathBuf>,
    },
    /// Print the skill
    #[command(after_long_help = messages::SHOW)]
    Show,
}

/// What stands at the path of a skill.
enum Found {
    Nothing,
    /// What would be written.
    Same,
    /// What another version wrote.
    Older,
    Edited,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    match &arguments.command {
        Command::Show => {
            console.print(&marked(SKILL))?;
            Ok(ExitStatus::Passed)
        }
        Command::Install { into } if into.is_empty() => install(&in_project(), console),
        Command::Install { into } => install(into, console),
    }
}

/// The folders of skills at the top of the repository, or in the current folder if it is in none.
fn in_project() -> Vec<PathBuf> {
    let current = env::current_dir().unwrap_or_default();
    let top = current.ancestors().find(|folder| folder.join(".git").exists());
    let top = top.filter(|top| **top != *current).unwrap_or(Path::new(""));
    FOLDERS.iter().map(|folder| top.join(folder)).collect()
}

fn install(folders: &[PathBuf], console: &mut Console) -> Result<ExitStatus, Error> {
    let text = marked(SKILL);
    let mut status = ExitStatus::Passed;
    for path in folders.iter().map(|folder| folder.join(NAME)) {
        let line = match found(&path, &text)? {
            Found::Same => messages::is_there(&path),
            Found::Edited => {
                status = ExitStatus::Failed;
                messages::was_edited(&path)
            }
            other => {
                let folder = path.parent().unwrap_or(Path::new("."));
                fs::create_dir_all(folder)
                    .and_then(|()| files::write(&path, text.as_bytes()))
                    .map_err(|source| Error::File { path: path.clone(), source })?;
                messages::written(&path, matches!(other, Found::Older))
            }
        };
        console.print(&line)?;
    }
    Ok(status)
}

/// Errors: there is something that is no file, or cannot be read.
fn found(path: &Path, text: &str) -> Result<Found, Error> {
    match fs::symlink_metadata(path) {
        // Something may be in the way of the folder, which creating it tells.
        Err(_) => return Ok(Found::Nothing),
        Ok(found) if !found.is_file() => return Err(Error::Usage(messages::not_a_file(path))),
        _ => {}
    }
    let read = input::text(path, SMALL_FILE);
    let there = read.map_err(|why| Error::Usage(messages::unreadable(path, why)))?;
    // Version control may have changed the ends of lines.
    let there = there.replace("\r\n", "\n");
    Ok(match there.rsplit_once(MARK) {
        _ if there == text => Found::Same,
        Some((before, _)) if there == with_mark(before, version(&there)) => Found::Older,
        _ => Found::Edited,
    })
}

fn marked(skill: &str) -> String {
    with_mark(skill, env!("CARGO_PKG_VERSION"))
}

fn with_mark(skill: &str, version: &str) -> String {
    let hash = const_hex::encode(&Sha256::digest(skill)[..16]);
    format!("{skill}{MARK}{version}, {hash}{MARK_END}")
}

/// The version that a mark names.
fn version(text: &str) -> &str {
    let mark = text.rsplit_once(MARK).map(|(_, mark)| mark).unwrap_or_default();
    mark.split(',').next().unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::{Found, MARK, SKILL, found, marked, with_mark};

    #[test]
    fn skill_is_short_and_says_when_to_use_it() {
        assert!(SKILL.lines().count() < 100, "{}", SKILL.lines().count());
        let head: Vec<&str> = SKILL.lines().take(4).collect();
        assert!(head[0] == "---" && head[1] == "name: twenty-conform" && head[3] == "---", "{head:?}");
        assert!(head[2].starts_with("description: ") && head[2].len() < 1024, "{head:?}");
        assert!(!SKILL.contains(MARK));
    }

    #[test]
    fn edited_file_is_told_from_one_of_another_version() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("SKILL.md");
        let text = marked(SKILL);
        let read = |written: &str| {
            std::fs::write(&path, written).unwrap();
            found(&path, &text).unwrap()
        };
        assert!(matches!(read(&text), Found::Same));
        assert!(matches!(read(&text.replace('\n', "\r\n")), Found::Same));
        assert!(matches!(read(&with_mark("another text\n", "0.0.9")), Found::Older));
        for edited in
            [text.replace("Never", "Always"), text.clone() + "more\n", SKILL.to_owned(), String::new()]
        {
            assert!(matches!(read(&edited), Found::Edited), "{edited}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(found(&path, &text).unwrap(), Found::Nothing));
    }
}
