//! The report as JSON (interface, section 4).
//!
//! Invariant: everything in it comes from `Report`, under names that are never changed.

use super::Report;

/// The report as pretty-printed JSON with a line feed at its end.
pub fn render(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report)
        .unwrap_or_else(|why| unreachable!("a report is text and numbers: {why}"));
    text.push('\n');
    text
}
