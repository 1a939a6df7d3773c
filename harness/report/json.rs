//! The report as JSON. The names of its members are stable within a version of [`super::FORMAT`].

use super::Report;
use crate::terminal::json;

/// The report as pretty-printed JSON, ending with a line feed.
pub fn render(report: &Report) -> String {
    let text = serde_json::to_string_pretty(report)
        .unwrap_or_else(|why| unreachable!("a report is text and numbers: {why}"));
    json(text + "\n")
}
