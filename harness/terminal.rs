//! Text for a terminal: styles, and safe display of what others wrote, such as a program under test or a file.
//!
//! What is displayed has no character that moves the cursor, changes colours, is invisible, or changes the direction of writing,
//! except the styles of this module. Each is escaped, such as `\u{1b}`; bytes that are not UTF-8 are shown as `\xff`.
//!
//! Text goes through two stages. Where it enters a sentence, it is cleaned (`clean`) or quoted. Everything that is printed or
//! written as text passes `guarded` last, so that a forgotten place cannot harm a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use memchr::{memchr, memmem};

use crate::webhook::json::escape;

/// For passes.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// For failures and errors.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// For inconclusive verdicts.
pub(crate) const UNCLEAR: Style = AnsiColor::Yellow.on_default();
/// For details.
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const BOLD: Style = Style::new().bold();

/// Every sequence that a style writes, and the underline of headings in help.
const SEQUENCES: [&str; 7] = ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[4m", "\x1b[31m", "\x1b[32m", "\x1b[33m"];

/// Whether a character is invisible, or changes how a terminal shows what follows.
pub(crate) fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            // Soft hyphen, joiners and fillers.
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}'
            // Directions and zero widths, line and paragraph separators.
            | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}'
            // Annotations, characters that are none, and what XML forbids.
            | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            // Tags and further variation selectors.
            | '\u{e0000}'..='\u{e0fff}')
}

/// Whether every byte is a character that is always visible.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
}

/// The text on one line: invisible characters except tabs are escaped, such as `\u{1b}`.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_invisible(character) && character != '\t' {
            push_escaped(&mut shown, character);
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

fn push_escaped(text: &mut String, character: char) {
    // Writing to a string does not fail.
    let _ = write!(text, "\\u{{{:x}}}", u32::from(character));
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

/// Bytes as text, with bytes that are not UTF-8 as `\xff`. Clean it to display it.
///
/// A reader can tell what was there: a backslash that others wrote is doubled where it would look like such an escape, or like one
/// of [`clean`].
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && !(text.contains('\\') && (text.contains(is_invisible) || has_escape(text)))
    {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid();
        for (at, character) in valid.char_indices() {
            if character == '\\' {
                let rest = valid[at..].trim_start_matches('\\');
                let before_byte = rest.is_empty() && !chunk.invalid().is_empty();
                if before_byte || rest.starts_with(is_invisible) || is_escape(rest) {
                    shown.push('\\');
                }
            }
            shown.push(character);
        }
        for byte in chunk.invalid() {
            // Writing to a string does not fail.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    Cow::Owned(shown)
}

/// Bytes in quotes on one line, escaped as in Rust; bytes that are not UTF-8 as `\xff`.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    let mut shown = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        shown.extend(chunk.valid().escape_debug());
        for byte in chunk.invalid() {
            // Writing to a string does not fail.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown + "\""
}

/// Whether a text has something that looks like an escape.
fn has_escape(text: &str) -> bool {
    text.match_indices('\\').any(|(at, _)| is_escape(&text[at + 1..]))
}

/// Whether a text begins like an escape without its backslash.
fn is_escape(rest: &str) -> bool {
    let is_byte = || {
        let digits = rest.as_bytes().get(1..3);
        rest.starts_with('x') && digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    rest.starts_with("u{") || is_byte()
}

/// The last stage of everything that is displayed: only line feeds, tabs and the styles of this module are left as they are.
pub(crate) fn guarded(text: &str) -> Cow<'_, str> {
    let is_dangerous = |one: char| is_invisible(one) && one != '\n' && one != '\t';
    if !text.contains(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let own = SEQUENCES.iter().find(|sequence| rest.starts_with(**sequence));
        let length = own.map_or(character.len_utf8(), |sequence| sequence.len());
        if own.is_none() && is_dangerous(character) {
            push_escaped(&mut shown, character);
        } else {
            shown.push_str(&rest[..length]);
        }
        rest = &rest[length..];
    }
    Cow::Owned(shown)
}

/// The text without its styles.
pub(crate) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(&guarded(text)).to_string()
}

/// How many bytes are searched at a time for what is not plain.
const PART: usize = 256;

/// Begins a command to GitHub's runner, wherever it is in a line of output.
pub(crate) const RUNNER_MARK: &str = "##[";

/// The text so that no line of it is a command to GitHub's runner, which takes lines of any output: one that begins with `::`, or has
/// `##[` in it.
pub(crate) fn inert(text: &str) -> Cow<'_, str> {
    inert_with(text, ("\\u{3a}", "\\u{23}"))
}

/// The same with other spellings of the colon and the number sign.
pub(crate) fn inert_with<'a>(text: &'a str, (colon, sign): (&str, &str)) -> Cow<'a, str> {
    if !text.contains("::") && !text.contains(RUNNER_MARK) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let rest = content(line);
        let (margin, rest) = line.split_at(line.len() - rest.len());
        shown.push_str(margin);
        let rest = match rest.strip_prefix("::") {
            Some(after) => {
                shown.push_str(colon);
                shown.push(':');
                after
            }
            None => rest,
        };
        shown.push_str(&rest.replace(RUNNER_MARK, &format!("{sign}#[")));
    }
    Cow::Owned(shown)
}

/// A line without the white space and the styles at its beginning: styles are removed where there is no terminal.
fn content(line: &str) -> &str {
    let trimmed = line.trim_start();
    let style = SEQUENCES.iter().find_map(|sequence| trimmed.strip_prefix(sequence));
    style.map_or(trimmed, content)
}

/// JSON with invisible characters escaped, such as `\u202e`. They only occur inside strings, where serialisers escape the ASCII
/// ones except DEL. What commands GitHub's runner is escaped too.
pub(crate) fn json(json: String) -> String {
    let is_marked = memmem::find(json.as_bytes(), RUNNER_MARK.as_bytes()).is_some();
    let json = if is_marked { json.replace(RUNNER_MARK, "\\u0023#[") } else { json };
    let is_dangerous = |one: char| one > '~' && is_invisible(one);
    // Most parts of a report are plain ASCII.
    let is_plain = |part: &[u8]| part.is_ascii() && memchr(0x7f, part).is_none();
    let is_harmless = |(number, part): (usize, &[u8])| {
        let (mut from, mut to) = (number * PART, number * PART + part.len());
        is_plain(part) || {
            from -= (0..from).take_while(|back| !json.is_char_boundary(from - back)).count();
            to += (to..json.len()).take_while(|end| !json.is_char_boundary(*end)).count();
            !json[from..to].contains(is_dangerous)
        }
    };
    if json.as_bytes().chunks(PART).enumerate().all(is_harmless) {
        return json;
    }
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        if is_dangerous(character) { escape(character, &mut shown) } else { shown.push(character) }
    }
    shown
}

#[cfg(test)]
mod tests {
    use anstyle::Style;

    use super::{BAD, BOLD, DIM, GOOD, UNCLEAR, clean, clipped, guarded, inert, json, lines, plain, text};

    #[test]
    fn escapes_invisible_and_control_characters() {
        assert_eq!(clean("Ünï\tcode 日本"), "Ünï\tcode 日本");
        assert_eq!(
            clean("a\u{1b}[31m\r\nb\u{202e}\u{200b}\u{9b}\u{e0041}"),
            r"a\u{1b}[31m\u{d}\u{a}b\u{202e}\u{200b}\u{9b}\u{e0041}"
        );
        assert_eq!(clipped("日本\u{7}語", 3), "日本\\u{7}…");
        assert_eq!(clipped("日本", 2), "日本");
        assert_eq!(lines("a\n\u{1b}b\r\nc", "  "), "a\n  \\u{1b}b\n  c");
    }

    #[test]
    fn only_own_styles_pass_the_guard() {
        for style in [GOOD, BAD, UNCLEAR, DIM, BOLD] {
            let styled = format!("{style}é\t{style:#}\n");
            assert_eq!(guarded(&styled), styled);
            assert_eq!(plain(&styled), "é\t\n");
        }
        let others = format!("{BOLD}\u{1b}]0;x\u{7}\u{1b}[2J\u{1b}[1;31m\r\u{9b}5m\u{7f}\u{2028}{BOLD:#}");
        let escaped = r"\u{1b}]0;x\u{7}\u{1b}[2J\u{1b}[1;31m\u{d}\u{9b}5m\u{7f}\u{2028}";
        assert_eq!(guarded(&others), format!("{BOLD}{escaped}{BOLD:#}"));
        assert_eq!(plain(&others), escaped);
        assert_eq!(Style::new().render().to_string(), "");
    }

    #[test]
    fn bytes_can_be_told_from_text_that_looks_like_them() {
        let shown = |bytes: &'static [u8]| clean(&text(bytes)).into_owned();
        for (bytes, expected) in [
            (&b"C:\\new\\xml \\n"[..], r"C:\new\xml \n"),
            (b"\xff\xc3", r"\xff\xc3"),
            (b"\\xff", r"\\xff"),
            (b"\\\xff", r"\\\xff"),
            (b"\\\\xff", r"\\\\xff"),
            (b"\x1b", r"\u{1b}"),
            (b"\\u{1b}", r"\\u{1b}"),
            (b"\\\x1b", r"\\\u{1b}"),
            ("é\u{202e}".as_bytes(), r"é\u{202e}"),
        ] {
            assert_eq!(shown(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn no_line_commands_the_runner() {
        for (written, shown) in [
            ("a::b ## [c]\n", "a::b ## [c]\n"),
            ("::error::x\n", "\\u{3a}:error::x\n"),
            ("a\n \u{3000}\t::add-mask::x\nb", "a\n \u{3000}\t\\u{3a}:add-mask::x\nb"),
            ("\u{1b}[2m  \u{1b}[0m::x", "\u{1b}[2m  \u{1b}[0m\\u{3a}:x"),
            ("said ##[error]x ##[group]", "said \\u{23}#[error]x \\u{23}#[group]"),
            ("::##[a]", "\\u{3a}:\\u{23}#[a]"),
        ] {
            assert_eq!(inert(written), shown, "{written:?}");
        }
        assert_eq!(json("[\"###[a]\"]".to_owned()), "[\"#\\u0023#[a]\"]");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let written = json("{\n \"a\": \"é\u{7f}\u{9b}\u{202e}\u{e0041}\"\n}".to_owned());
        assert_eq!(written, "{\n \"a\": \"é\\u007f\\u009b\\u202e\\udb40\\udc41\"\n}");
    }
}
