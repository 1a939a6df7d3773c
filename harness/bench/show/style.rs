//! What the texts share: colours, and what a peer wrote made harmless.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const BOLD: Style = Style::new().bold();

/// How many lines of a request or an answer are shown.
const SHOWN_LINES: usize = 14;
/// How long such a line may be.
const LONGEST_LINE: usize = 160;

/// What a peer wrote, without power over the terminal.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

/// The first lines of a message, each after a mark.
pub(super) fn message(text: &mut String, mark: char, message: &str) {
    for line in message.lines().take(SHOWN_LINES) {
        let (shown, more) = match line.char_indices().nth(LONGEST_LINE) {
            Some((end, _)) => (&line[..end], "…"),
            None => (line, ""),
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "    {mark} {DIM}{}{more}{DIM:#}", clean(shown));
    }
}

/// A share as a percentage, to two digits.
pub(super) fn percent(share: f64) -> String {
    format!("{}%", (share * 1e4).round() / 1e2)
}
