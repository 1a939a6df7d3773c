//! Text from outside, as a page shows it: characters that are invisible or change the direction are escaped, and so is markup.

use maud::{Markup, PreEscaped, Render, html};

use super::messages;
use crate::terminal;

/// Text for the content of an element, never for an attribute: quotes are not escaped, which halves the size of JSON.
struct Content<'a>(&'a str);

impl Render for Content<'_> {
    fn render_to(&self, page: &mut String) {
        for character in self.0.chars() {
            match character {
                '&' => page.push_str("&amp;"),
                '<' => page.push_str("&lt;"),
                '>' => page.push_str("&gt;"),
                other => page.push(other),
            }
        }
    }
}

/// Text on one line, for content.
pub(crate) fn line(text: &str) -> Markup {
    PreEscaped(Content(&terminal::clean(text)).render().into_string())
}

/// How many characters of a text a page has, unless it has to be whole.
const LONGEST: usize = 4000;

/// Text with its lines, for content. Of a longer one, the beginning and how much is missing.
pub(crate) fn block(text: &str) -> Markup {
    match text.char_indices().nth(LONGEST) {
        None => whole(text),
        Some((end, _)) => html! {
            (whole(&text[..end])) span.cut { (messages::more_characters(text[end..].chars().count())) }
        },
    }
}

/// The same, however long it is.
pub(crate) fn whole(text: &str) -> Markup {
    PreEscaped(Content(&terminal::lines(text, "")).render().into_string())
}

/// A sentence of the suite, in which code is in backticks.
pub(crate) fn prose(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return block(text);
    }
    html! {
        @for (at, part) in parts.into_iter().enumerate() {
            @if at % 2 == 1 { code { (line(part)) } } @else { (joined(part)) }
        }
    }
}

/// The same as [`block`], with the white space at its ends.
fn joined(part: &str) -> Markup {
    html! { (block(part)) @if part.ends_with('\n') { "\n" } }
}

/// Text for an attribute, on one line.
pub(crate) fn attribute(text: &str) -> String {
    terminal::clean(text).into_owned()
}

#[cfg(test)]
mod tests {
    use maud::html;

    use super::{attribute, block, line, prose};

    #[test]
    fn text_cannot_leave_its_place() {
        let hostile = "a</script>\u{202e}\u{0}\u{1b}[2J&\"'\nb";
        let shown = html! { p title=(attribute(hostile)) { (line(hostile)) (block(hostile)) } };
        let line = "a&lt;/script&gt;\\u{202e}\\u{0}\\u{1b}[2J&amp;\"'";
        let expected = format!("{line}\\u{{a}}b{line}\nb</p>");
        let shown = shown.into_string();
        assert!(shown.ends_with(&expected), "{shown}");
        assert!(
            shown.starts_with("<p title=\"a&lt;/script&gt;\\u{202e}\\u{0}\\u{1b}[2J&amp;&quot;'"),
            "{shown}"
        );
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        let shown = block(&"\u{e9}".repeat(4002)).into_string();
        let expected =
            format!("{}<span class=\"cut\"> … 2 more characters not shown</span>", "\u{e9}".repeat(4000));
        assert_eq!(shown, expected);
    }

    #[test]
    fn code_in_backticks_is_code() {
        assert_eq!(prose("a `<b>` c").into_string(), "a <code>&lt;b&gt;</code> c");
        assert_eq!(prose("a ` b").into_string(), "a ` b");
    }
}
