//! Tables of figures. A wide one scrolls in its own box.

use maud::{Markup, html};

use crate::page::text;

pub(super) struct Cell {
    content: Markup,
    is_number: bool,
}

impl Cell {
    /// A text; one that begins with a digit is aligned to the right.
    pub(super) fn figure(text: &str) -> Self {
        let digits = text.trim_start_matches(['+', '-']);
        Self { content: text::line(text), is_number: digits.starts_with(|c: char| c.is_ascii_digit()) }
    }

    pub(super) fn of(content: Markup) -> Self {
        Self { content, is_number: false }
    }

    /// A word with the colour of a verdict, and its mark.
    pub(super) fn verdict(verdict: &str, word: &str) -> Self {
        Self::of(html! { span.word data-verdict=(verdict) { (text::line(word)) } })
    }
}

/// A table with this name for screen readers.
pub(super) fn table(name: &str, head: &[&str], rows: Vec<Vec<Cell>>) -> Markup {
    let is_number = |column: usize| rows.iter().any(|row| row.get(column).is_some_and(|cell| cell.is_number));
    html! {
        div.scroll tabindex="0" role="group" aria-label=(text::attribute(name)) {
            table {
                thead { tr {
                    @for (at, name) in head.iter().enumerate() {
                        th.n[is_number(at)] scope="col" { (name) }
                    }
                } }
                tbody { @for row in &rows { tr { @for cell in row { td.n[cell.is_number] { (cell.content) } } } } }
            }
        }
    }
}
