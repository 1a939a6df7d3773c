//! Text from elsewhere in a Markdown page, as nothing but text.
//!
//! Punctuation becomes numeric references, which CommonMark never reads as markup: not as code, HTML, links, table cells, emphasis or
//! formulas. GitHub finds mentions and numbers of issues in the rendered text, but not in code.

use crate::terminal::{clean, inert};

/// Punctuation that means nothing within a line of Markdown, except where it makes an address.
const HARMLESS: &str = ",;()'\"/=+-?%!{}.:";

/// The text as words of a line.
pub(super) fn prose(text: &str, most: usize) -> String {
    // A space without width keeps a name from being a mention, and a number from being one of an issue.
    escaped(&one_line(text, most)).replace("&#64;", "&#64;&#8203;").replace("&#35;", "&#35;&#8203;")
}

/// The text as code within a line.
pub(super) fn code(text: &str, most: usize) -> String {
    format!("<code>{}</code>", escaped(&one_line(text, most)))
}

/// The text as a block of code, with its lines.
pub(super) fn block(text: &str, most: usize) -> String {
    let lines: Vec<_> = beginning(text, most).lines().map(clean).collect();
    let text = cut(&lines.join("\n"), most);
    if inert(&text) != text {
        // Unchanged, it would command GitHub's runner when a step prints the page.
        return format!("<pre>\n{}\n</pre>\n", escaped(&text));
    }
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{text}\n{fence}\n")
}

fn one_line(text: &str, most: usize) -> String {
    let lines: Vec<_> = beginning(text, most).lines().map(|line| clean(line.trim())).collect();
    cut(lines.join(" ").trim(), most)
}

/// The part of a long text that is enough to cut it later.
fn beginning(text: &str, most: usize) -> &str {
    let text = text.trim_start();
    // Lines may begin and end with white space.
    text.char_indices().nth(2 * most).map_or(text, |(end, _)| &text[..end])
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        let is_address = match character {
            // Of a command to GitHub's runner, too.
            ':' => ["://", "::"].iter().any(|mark| text[at..].starts_with(mark)),
            '.' => text.as_bytes()[at.saturating_sub(3)..at].eq_ignore_ascii_case(b"www"),
            _ => false,
        };
        if character.is_ascii_punctuation() && (is_address || !HARMLESS.contains(character)) {
            shown.push_str(&format!("&#{};", u32::from(character)));
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{block, code, prose};

    #[test]
    fn markup_is_text() {
        assert_eq!(code("a|b`</code>\n@x", 99), "<code>a&#124;b&#96;&#60;/code&#62; &#64;x</code>");
        assert_eq!(prose("see #1, **@x**", 99), "see &#35;&#8203;1, &#42;&#42;&#64;&#8203;x&#42;&#42;");
        assert_eq!(prose("a.b: http://c.d WWW.e", 99), "a.b: http&#58;//c.d WWW&#46;e");
        assert_eq!(code("abcd", 3), "<code>abc…</code>");
        assert_eq!(block("a\n```\nb\u{1b}", 99), "````text\na\n```\nb\\u{1b}\n````\n");
        assert_eq!(block("::a\n##[b]", 99), "<pre>\n&#58;:a\n&#35;&#35;&#91;b&#93;\n</pre>\n");
    }
}
