//! What text for a terminal needs: the styles, and one way to show what a program under test wrote.
//!
//! Invariant: cleaned text holds no character that moves the cursor, changes colours or turns the direction of writing.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};

/// What is as it should be.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What is wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What is neither.
pub(crate) const UNCLEAR: Style = AnsiColor::Yellow.on_default();
/// What matters less.
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const BOLD: Style = Style::new().bold();

/// Whether a terminal shows nothing for a character, or shows what comes after it in another way.
pub(crate) fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The text on one line: every unseen character but a tab is escaped, such as `\u{1b}` or `\n`.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unseen(character) && character != '\t' {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// The same, with an ellipsis where the text has more than `most` characters.
pub(crate) fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", clean(&text[..end])),
        None => clean(text).into_owned(),
    }
}

/// The text over as many lines as it has, each cleaned, and each but the first after `margin`.
pub(crate) fn lines(text: &str, margin: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            shown.push('\n');
            shown.push_str(margin);
        }
        shown.push_str(&clean(line));
    }
    shown
}

/// The text without its styles.
pub(crate) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::{clean, clipped, lines};

    #[test]
    fn escapes_what_has_power_over_a_terminal() {
        assert_eq!(clean("Ünï\tcode 日本"), "Ünï\tcode 日本");
        assert_eq!(clean("a\u{1b}[31m\r\nb\u{202e}\u{200b}"), r"a\u{1b}[31m\r\nb\u{202e}\u{200b}");
        assert_eq!(clipped("日本\u{7}語", 3), "日本\\u{7}…");
        assert_eq!(clipped("日本", 2), "日本");
        assert_eq!(lines("a\n\u{1b}b\r\nc", "  "), "a\n  \\u{1b}b\n  c");
    }
}
