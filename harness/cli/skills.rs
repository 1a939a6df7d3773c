//! `skills`: the skill file for coding agents, in a project or on stdout.
//!
//! Invariant: a file that was edited is never replaced.

use std::path::{Path, PathBuf};
use std::{env, fs};

use clap::{Args, Subcommand};

use super::console::Console;
use super::headings::OUTPUT;
use super::marked::{self, Comment, Found};
use super::messages::skills as messages;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::files;

/// The skill, without the mark.
const SKILL: &str = include_str!("skills/SKILL.md");
/// The folders in which coding agents look for a project's skills.
const FOLDERS: [&str; 2] = [".agents/skills", ".claude/skills"];
const NAME: &str = "twenty-conform/SKILL.md";

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

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    match &arguments.command {
        Command::Show => {
            console.print(&skill())?;
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
    let text = skill();
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
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(Error::Usage(messages::not_a_file(path)));
    }
    marked::found(path, text, Comment::Markup).map_err(|why| Error::Usage(messages::unreadable(path, why)))
}

fn skill() -> String {
    marked::marked(SKILL, Comment::Markup)
}

#[cfg(test)]
mod tests {
    use super::SKILL;

    #[test]
    fn skill_is_short_and_says_when_to_use_it() {
        assert!(SKILL.lines().count() < 100, "{}", SKILL.lines().count());
        let head: Vec<&str> = SKILL.lines().take(4).collect();
        assert!(head[0] == "---" && head[1] == "name: twenty-conform" && head[3] == "---", "{head:?}");
        assert!(head[2].starts_with("description: ") && head[2].len() < 1024, "{head:?}");
        assert!(!SKILL.contains("written by twenty-conform"));
    }
}
