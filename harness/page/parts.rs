//! Parts of the pages of reports: the top with the result, lists of facts, notes, and the result line.

use maud::{Markup, html};

use super::text;

/// A verdict or a result, as a word that begins a line.
pub(crate) fn word(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect::<String>().replace('-', " ")
}

/// The top of a page: the result in large letters, with what it means in a sentence.
pub(crate) struct Top<'a> {
    /// What was measured, before the result.
    pub(crate) measured: Option<Markup>,
    pub(crate) result: &'a str,
    pub(crate) lead: &'a str,
    /// What follows the sentence.
    pub(crate) more: Markup,
}

impl Top<'_> {
    pub(crate) fn render(&self) -> Markup {
        html! {
            section.top data-result=(self.result) {
                @if let Some(measured) = &self.measured { p.measured { (measured) } }
                h1 { (word(self.result)) }
                p.lead { (text::block(self.lead)) }
                (self.more)
            }
        }
    }
}

/// A labelled row of a list of facts; nothing without a value.
pub(crate) fn fact(label: &str, value: Option<Markup>) -> Markup {
    html! { @if let Some(value) = value { div { dt { (label) } dd { (value) } } } }
}

/// The same for a command with a button.
pub(crate) fn command(label: &str, value: Option<Markup>) -> Markup {
    html! { @if let Some(value) = value { div.command { dt { (label) } dd { (value) } } } }
}

/// Figures in large digits, each with its name.
pub(crate) fn tiles(figures: &[(&str, String)]) -> Markup {
    html! { dl.tiles { @for (name, figure) in figures { div { dt { (name) } dd { (text::line(figure)) } } } } }
}

/// The notes of a report; nothing if there are none.
pub(crate) fn notes(notes: &[String]) -> Markup {
    html! {
        @if !notes.is_empty() {
            section aria-labelledby="notes" {
                h2 #notes { "Notes" }
                ul.notes { @for note in notes { li { (text::prose(note)) } } }
            }
        }
    }
}

/// The line at the end that scripts can search for.
pub(crate) fn result_line(line: &str) -> Markup {
    html! { p.result { code { (text::line(line)) } } }
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn word_begins_with_a_capital() {
        assert_eq!(word("not-applicable"), "Not applicable");
    }
}
