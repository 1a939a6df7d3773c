//! Prints a JSON value. The caller chooses the separators and how strings are quoted.

use super::{Json, Text};

/// The text between tokens.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) comma: &'static str,
    pub(crate) colon: &'static str,
    pub(crate) indent: Option<&'static str>,
}

impl Layout {
    pub(crate) const COMPACT: Self = Self { comma: ",", colon: ":", indent: None };
}

/// Writes a string in quotes.
pub(crate) type Quote = fn(&Text, &mut String);

impl Json {
    /// The value without white space, with numbers as written and the escapes of `JSON.stringify`.
    pub fn compact(&self) -> String {
        self.print(Layout::COMPACT, Text::quote)
    }

    /// The value, with members and elements in order and numbers as written.
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
