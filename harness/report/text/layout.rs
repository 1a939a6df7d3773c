//! Lines of a limited width, wrapped at words. Commands are never wrapped, so that they can be copied.

use anstyle::Style;

use crate::terminal::{DIM, clean};

/// The width where the output is no terminal.
pub const WIDTH: usize = 100;

/// The column of values that follow a label.
pub(super) const VALUE: usize = 12;

/// The column of a requirement's title.
pub(super) const TITLE: usize = 18;

/// The text in lines of at most `width` characters, of which the first has `first` characters before it and the others `margin`.
/// Only a word that is longer is longer.
pub(in crate::report) fn wrapped(text: &str, first: usize, margin: usize, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = first;
    for word in clean(text).split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
            used += length;
        } else if used + 1 + length <= width {
            line.push(' ');
            line.push_str(word);
            used += 1 + length;
        } else {
            lines.push(word.to_owned());
            used = margin + length;
        }
    }
    lines
}

/// A label and its value, with further lines below the value. `indent` is how far the label is from the margin.
pub(super) fn labelled(text: &mut String, indent: usize, label: &str, value: &str, width: usize) {
    let at = indent + VALUE - 2;
    for (number, line) in value.lines().flat_map(|line| wrapped(line, at, at, width)).enumerate() {
        let label = if number == 0 { label } else { "" };
        push_labelled(text, indent, label, &line);
    }
}

/// The same for a command, which stays in one line.
pub(super) fn labelled_command(text: &mut String, indent: usize, label: &str, command: &str) {
    push_labelled(text, indent, label, command);
}

fn push_labelled(text: &mut String, indent: usize, label: &str, line: &str) {
    let pad = VALUE - 2 - label.len();
    let label = if label.is_empty() { String::new() } else { format!("{DIM}{label}{DIM:#}") };
    text.push_str(format!("{:indent$}{label}{:pad$}{line}", "", "").trim_end());
    text.push('\n');
}

/// A sentence in a style, with a code at the right edge of its last line, or of a line of its own if it does not fit.
pub(super) fn with_code(
    text: &mut String,
    (sentence, style): (&str, Style),
    code: &str,
    (first, margin, width): (usize, usize, usize),
) {
    let lines = wrapped(sentence, first, margin, width);
    let last = lines.len() - 1;
    for (number, line) in lines.iter().enumerate() {
        let before = if number == 0 { 0 } else { margin };
        text.push_str(&format!("{:before$}{style}{line}{style:#}", ""));
        if number < last || code.is_empty() {
            text.push('\n');
            continue;
        }
        let used = if number == 0 { first } else { margin } + line.chars().count();
        if used + 2 + code.len() <= width {
            let gap = width - used - code.len();
            text.push_str(&format!("{:gap$}{DIM}{code}{DIM:#}\n", ""));
        } else {
            let gap = width.saturating_sub(code.len());
            text.push_str(&format!("\n{:gap$}{DIM}{code}{DIM:#}\n", ""));
        }
    }
}

#[cfg(test)]
mod tests {
    use anstyle::Style;

    use super::{labelled, with_code, wrapped};
    use crate::terminal::plain;

    #[test]
    fn wraps_at_words_only() {
        assert_eq!(wrapped("one two three", 0, 0, 7), ["one two", "three"]);
        assert_eq!(wrapped("one two three", 4, 0, 7), ["one", "two", "three"]);
        assert_eq!(wrapped("a-very-long-word b", 0, 0, 4), ["a-very-long-word", "b"]);
        assert_eq!(wrapped("", 0, 0, 4), [""]);
        let mut text = String::new();
        labelled(&mut text, 2, "fix", "use the secret\nunchanged \u{7}", 24);
        assert_eq!(
            plain(&text),
            "  fix       use the\n            secret\n            unchanged\n            \\u{7}\n"
        );
    }

    #[test]
    fn the_code_stands_at_the_right_edge() {
        for (width, expected) in [(20, "a b c            x.y\n"), (8, "a b c\n     x.y\n")] {
            let mut text = String::new();
            with_code(&mut text, ("a b c", Style::new()), "x.y", (0, 0, width));
            assert_eq!(plain(&text), expected);
        }
    }
}
