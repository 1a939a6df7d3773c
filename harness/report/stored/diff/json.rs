//! The differences as JSON.

use super::Difference;
use crate::terminal::json;

impl Difference {
    /// As pretty-printed JSON, ending with a line feed.
    pub fn json(&self) -> String {
        render(self)
    }
}

/// As pretty-printed JSON, ending with a line feed.
fn render(difference: &Difference) -> String {
    let text = serde_json::to_string_pretty(difference)
        .unwrap_or_else(|why| unreachable!("differences are text and numbers: {why}"));
    json(text + "\n")
}
