//! What the Markdown report says, in its order.

use crate::plural::counted;

pub(super) fn payloads(dialect: &str) -> String {
    format!("{dialect} payloads")
}

pub(super) fn findings() -> &'static str {
    "Findings"
}

pub(super) fn more_findings(count: usize) -> String {
    format!("{} in the JSON report.", counted(count, "more finding is", "more findings are"))
}

pub(super) fn failures() -> &'static str {
    "Failures"
}

pub(super) fn fails_the_run() -> &'static str {
    "fails the run"
}

pub(super) fn fails_no_run() -> &'static str {
    "not gated"
}

/// The heading of a table of failures.
pub(super) fn columns_with_gate() -> &'static str {
    "| level | requirement | found | gate |\n|---|---|---|---|\n"
}

/// The heading of a table of other requirements.
pub(super) fn columns() -> &'static str {
    "| level | requirement | reason |\n|---|---|---|\n"
}

pub(super) fn more_failures(count: usize) -> String {
    format!("{} in the JSON report", counted(count, "more failure is", "more failures are"))
}

pub(super) fn more_requirements(count: usize) -> String {
    format!("{} in the JSON report", counted(count, "more requirement is", "more requirements are"))
}

pub(super) fn more_notes(count: usize) -> String {
    format!("{} in the JSON report", counted(count, "more note is", "more notes are"))
}

pub(super) fn details() -> &'static str {
    "Details of the failures"
}

/// Where a requirement comes from.
pub(super) fn source(source: &str) -> String {
    format!("source: {source}")
}

pub(super) fn notes() -> &'static str {
    "Notes"
}
