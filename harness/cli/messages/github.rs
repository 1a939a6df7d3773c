//! What is said about `--source`, and about the summary of a step on GitHub Actions.

use std::fmt::Display;
use std::path::Path;

use crate::plural::counted;

pub(in crate::cli) fn no_such_source(file: &Path) -> String {
    format!(
        "--source: there is no file {}; give the file of your handler, as FILE or FILE:LINE",
        file.display()
    )
}

pub(in crate::cli) fn source_is_folder(file: &Path) -> String {
    format!("--source: {} is a folder; give the file of your handler", file.display())
}

pub(in crate::cli) fn line_is_zero(given: &Path) -> String {
    format!("--source {}: lines are counted from 1", given.display())
}

pub(in crate::cli) fn no_such_line(file: &Path, line: usize, lines: usize) -> String {
    let has = counted(lines, "line", "lines");
    format!("--source: {} has no line {line}; it has {has}", file.display())
}

pub(in crate::cli) fn summary_is_no_file(path: &Path) -> String {
    format!(
        "warning: no step summary: GITHUB_STEP_SUMMARY names {}, which is no regular file",
        path.display()
    )
}

pub(in crate::cli) fn summary_is_full(path: &Path) -> String {
    format!(
        "warning: no step summary: {} would have more than 1 MiB, and GitHub would show nothing of it; run fewer commands in a step",
        path.display()
    )
}

pub(in crate::cli) fn summary_refuses(path: &Path, why: impl Display) -> String {
    format!(
        "warning: no step summary: cannot write {}, which GITHUB_STEP_SUMMARY names: {why}",
        path.display()
    )
}
