//! What the help of completions and manual pages ends with, and what is said of pages that cannot be written.

use std::fmt::Display;
use std::path::Path;

pub(crate) const COMPLETIONS: &str = "\
Examples:
  # Complete in each bash that starts
  $ twenty-conform completions bash > ~/.local/share/bash-completion/completions/twenty-conform
  # Complete in zsh; the folder is one of its fpath
  $ twenty-conform completions zsh > ~/.zfunc/_twenty-conform
  # Complete in fish
  $ twenty-conform completions fish > ~/.config/fish/completions/twenty-conform.fish";

pub(crate) const MAN: &str = "\
Examples:
  # Write all manual pages, then read one
  $ twenty-conform man man/man1
  # Write them where man finds them
  $ twenty-conform man ~/.local/share/man/man1";

/// The statuses of `man`.
pub(crate) const OF_MAN: &str = "\
Exit status:
    0  every page was written
    2  usage error, or a file that is not such a page is in the way
   70  a page could not be written";

pub(in crate::cli) fn not_made(why: impl Display) -> String {
    format!("a manual page could not be made: {why}")
}

pub(in crate::cli) fn not_a_file(path: &Path) -> String {
    format!("{} is not a regular file; remove it, or give another folder", path.display())
}

pub(in crate::cli) fn unreadable(path: &Path, why: impl Display) -> String {
    format!("cannot read {}, which would be replaced: {why}", path.display())
}

pub(in crate::cli) fn other_file(path: &Path) -> String {
    format!(
        "{} exists and is not a page of this program, so it is not replaced; remove it, or give another folder",
        path.display()
    )
}
