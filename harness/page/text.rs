//! Text from outside, as a page shows it: characters that are invisible or change the direction are escaped, and so is markup.

use maud::{Markup, PreEscaped, Render};

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

/// Text with its lines, for content.
pub(crate) fn block(text: &str) -> Markup {
    PreEscaped(Content(&terminal::lines(text, "")).render().into_string())
}

/// Text for an attribute, on one line.
pub(crate) fn attribute(text: &str) -> String {
    terminal::clean(text).into_owned()
}

#[cfg(test)]
mod tests {
    use maud::html;

    use super::{attribute, block, line};

    #[test]
    fn text_cannot_leave_its_place() {
        let hostile = "a</script>\u{202e}\u{0}\u{1b}[2J&\"'\nb";
        let shown = html! { p title=(attribute(hostile)) { (line(hostile)) (block(hostile)) } };
        let line = "a&lt;/script&gt;\\u{202e}\\u{0}\\u{1b}[2J&amp;\"'";
        let expected = format!("{line}\\u{{a}}b{line}\nb</p>");
        let shown = shown.into_string();
        assert!(shown.ends_with(&expected), "{shown}");
        assert!(shown.starts_with("<p title=\"a&lt;/script&gt;\\u{202e}\\u{0}\\u{1b}[2J&amp;&quot;'"), "{shown}");
    }
}
