//! What is said of manual pages that cannot be written.

use std::fmt::Display;
use std::path::Path;

pub(in crate::cli) fn not_made(why: impl Display) -> String {
    format!("a manual page could not be made: {why}")
}

pub(in crate::cli) fn no_folder(folder: &Path, why: impl Display) -> String {
    format!("cannot create the folder {}: {why}; give another folder", folder.display())
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
