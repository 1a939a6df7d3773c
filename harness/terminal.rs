//! Text for a terminal: styles, and safe display of what a program under test wrote.
//!
//! Cleaned text has no character that moves the cursor, changes colours or changes the direction of writing.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};

/// For passes.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// For failures and errors.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// For inconclusive verdicts.
pub(crate) const UNCLEAR: Style = AnsiColor::Yellow.on_default();
/// For details.
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const BOLD: Style = Style::new().bold();

/// Whether a character is invisible, or changes how a terminal shows what follows.
pub(crate) fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The text on one line: invisible characters except tabs are escaped, such as `\u{1b}` or `\n`.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_invisible(character) && character != '\t' {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// The same, cut off with an ellipsis after `most` characters.
pub(crate) fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", clean(&text[..end])),
        None => clean(text).into_owned(),
    }
}

/// The text with each line cleaned, and all lines but the first indented by `margin`.
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
    fn escapes_invisible_and_control_characters() {
        assert_eq!(clean("Ünï\tcode 日本"), "Ünï\tcode 日本");
        assert_eq!(clean("a\u{1b}[31m\r\nb\u{202e}\u{200b}"), r"a\u{1b}[31m\r\nb\u{202e}\u{200b}");
        assert_eq!(clipped("日本\u{7}語", 3), "日本\\u{7}…");
        assert_eq!(clipped("日本", 2), "日本");
        assert_eq!(lines("a\n\u{1b}b\r\nc", "  "), "a\n  \\u{1b}b\n  c");
    }
}
