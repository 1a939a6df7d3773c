//! Prints a JSON value: what stands between its tokens and how its texts are quoted is for the caller to say.

use super::{Json, Text};

/// What stands between the tokens.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) comma: &'static str,
    pub(crate) colon: &'static str,
    pub(crate) indent: Option<&'static str>,
}

impl Layout {
    pub(crate) const COMPACT: Self = Self { comma: ",", colon: ":", indent: None };
}

/// Writes a text between quotes.
pub(crate) type Quote = fn(&Text, &mut String);

impl Json {
    /// The value as text without white space: numbers as they were written, as few escapes as `JSON.stringify` makes.
    pub fn compact(&self) -> String {
        self.print(Layout::COMPACT, Text::quote)
    }

    /// The value as text, members and elements in their order and numbers as they were written.
    pub(crate) fn print(&self, layout: Layout, quote: Quote) -> String {
        let mut printer = Printer { layout, quote, out: String::new() };
        printer.value(self, 0);
        printer.out
    }
}

struct Printer {
    layout: Layout,
    quote: Quote,
    out: String,
}

impl Printer {
    fn value(&mut self, value: &Json, depth: usize) {
        match value {
            Json::Text(text) => (self.quote)(text, &mut self.out),
            Json::Array(elements) => self.list('[', elements, ']', depth, |printer, element| {
                printer.value(element, depth + 1);
            }),
            Json::Object(members) => self.list('{', members, '}', depth, |printer, (name, value)| {
                (printer.quote)(name, &mut printer.out);
                printer.out.push_str(printer.layout.colon);
                printer.value(value, depth + 1);
            }),
            Json::Number(number) => self.out.push_str(number),
            Json::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Json::Null => self.out.push_str("null"),
        }
    }

    fn list<T>(&mut self, open: char, items: &[T], close: char, depth: usize, each: impl Fn(&mut Self, &T)) {
        self.out.push(open);
        for (position, item) in items.iter().enumerate() {
            if position > 0 {
                self.out.push_str(self.layout.comma);
            }
            self.line(depth + 1);
            each(self, item);
        }
        if !items.is_empty() {
            self.line(depth);
        }
        self.out.push(close);
    }

    fn line(&mut self, depth: usize) {
        if let Some(indent) = self.layout.indent {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(indent, depth));
        }
    }
}
