//! What the help of `skills` ends with, and what it says of files.

use std::fmt::Display;
use std::path::Path;

pub(crate) const SKILLS: &str = "\
Examples:
  # Tell the coding agents of this project how to use the suite
  $ twenty-conform skills install
  # Read what they are told
  $ twenty-conform skills show
See docs/test-suites.md.";

pub(crate) const INSTALL: &str = "\
Examples:
  # Write .agents/skills/twenty-conform/SKILL.md and the same in .claude/skills, at the top of the repository
  $ twenty-conform skills install
  # Write it where another coding agent looks
  $ twenty-conform skills install --into .github/skills

Exit status:
    0  every file is the one of this version
    1  a file was edited, and stays as it is
    2  usage error, or something that is no file is in the way
   70  a file could not be written";

pub(crate) const SHOW: &str = "\
Examples:
  # Read what coding agents are told
  $ twenty-conform skills show
  # Give it to one that has no folder of skills
  $ twenty-conform skills show > twenty-conform-skill.md";

pub(in crate::cli) fn written(path: &Path, is_newer: bool) -> String {
    let how = if is_newer { "updated" } else { "written" };
    format!("{}: {how}\n", path.display())
}

pub(in crate::cli) fn is_there(path: &Path) -> String {
    format!("{}: up to date\n", path.display())
}

pub(in crate::cli) fn was_edited(path: &Path) -> String {
    format!(
        "{}: edited, and left as it is; `twenty-conform skills show` prints the one of this version\n",
        path.display()
    )
}

pub(in crate::cli) fn not_a_file(path: &Path) -> String {
    format!("{} is not a regular file; remove it, or give another folder with --into", path.display())
}

pub(in crate::cli) fn unreadable(path: &Path, why: impl Display) -> String {
    format!("cannot read {}, which would be replaced: {why}", path.display())
}
