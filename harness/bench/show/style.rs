//! Shared by the texts: a peer's message, and shares as percentages.

use std::fmt::Write as _;

use crate::terminal::{DIM, clipped};

/// How many lines of a request or an answer are shown.
const SHOWN_LINES: usize = 14;
const LONGEST_LINE: usize = 160;

/// The first lines of a message, each after a mark.
pub(super) fn message(text: &mut String, mark: char, message: &str) {
    for line in message.lines().take(SHOWN_LINES) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "    {mark} {DIM}{}{DIM:#}", clipped(line, LONGEST_LINE));
    }
}
