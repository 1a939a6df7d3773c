//! What the help of `vectors` ends with, and what it says of files.

use std::path::Path;

pub(crate) const VECTORS: &str = "\
Examples:
  # Write the vectors; python3 vectors/check.py then checks a verification
  $ twenty-conform vectors export vectors
  # Fail in CI if they are those of another version
  $ twenty-conform vectors check vectors
See docs/test-suites.md.";

pub(crate) const EXPORT: &str = "\
Examples:
  # Write the vectors; node vectors/check.mjs then checks a verification
  $ twenty-conform vectors export vectors
  # Write them where the tests of Go programs have their data
  $ twenty-conform vectors export testdata/twenty

Exit status:
    0  every file was written
    2  usage error, or a file that is not part of an export is in the way
   70  a file could not be written";

pub(crate) const CHECK: &str = "\
Examples:
  # Fail in CI if the exported vectors are those of another version
  $ twenty-conform vectors check vectors
  # The same where the tests of Go programs have their data
  $ twenty-conform vectors check testdata/twenty

Exit status:
    0  the vectors are those of this version
    1  some were changed, are missing, or are of another version
    2  usage error, or the file has no vectors";

pub(in crate::cli) fn in_the_way(path: &Path) -> String {
    format!(
        "{} exists, and the folder has no vectors, so it is not replaced; remove it, or give another folder",
        path.display()
    )
}

/// A program that is not the one of this version.
pub(in crate::cli) fn kept(path: &Path) -> String {
    format!(
        "note: {} was changed, and stays as it is; remove it to get the one of this version",
        path.display()
    )
}

pub(in crate::cli) fn unreadable(path: &Path, why: &str) -> String {
    format!(
        "cannot read vectors from {}: {why}; write them with `twenty-conform vectors export`",
        path.display()
    )
}

pub(in crate::cli) fn other_format(format: &str, own: &str) -> String {
    format!("its format is {format:?}, not {own}")
}

pub(in crate::cli) fn checked(path: &Path, version: &str, count: usize, faults: &[String]) -> String {
    let place = path.display();
    if faults.is_empty() {
        return format!("{place}: {count} vectors of version {version} are those of this one\n");
    }
    let listed: String = faults.iter().map(|fault| format!("  {fault}\n")).collect();
    format!(
        "{place}: {count} vectors of version {version} are not those of this one\n{listed}write them again: twenty-conform vectors export {}\n",
        path.parent().unwrap_or(Path::new(".")).display()
    )
}
