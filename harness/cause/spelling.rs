//! How the serialisers of the field spell a JSON text: for telling which one stood between what was signed and what was sent.
//!
//! Invariant: pure. Each spelling is of the same value; strings with halves of surrogate pairs are none of any.

use std::fmt::Write as _;

use serde_json::value::RawValue;

use crate::dialect::Members;

/// A way to spell a JSON text, by the name that causes have for it.
pub(super) struct Spelling {
    pub(super) name: &'static str,
    style: Style,
}

/// What serialisers do differently.
#[derive(Clone, Copy)]
struct Style {
    separators: (&'static str, &'static str),
    /// What each level is indented by, where a member stands on a line of its own.
    indent: &'static str,
    order: Order,
    numbers: Numbers,
    escapes: Escapes,
}

#[derive(Clone, Copy, PartialEq)]
enum Order {
    AsGiven,
    Sorted,
    /// Keys that look like an array's index first, by their number.
    Javascript,
}

#[derive(Clone, Copy, PartialEq)]
enum Numbers {
    AsWritten,
    /// Through a double, as JavaScript prints one; Go differs in the exponent's zero only.
    Double,
    GoDouble,
}

#[derive(Clone, Copy, PartialEq)]
enum Escapes {
    Few,
    /// Everything beyond ASCII.
    Ascii,
    /// That, and slashes.
    AsciiAndSlash,
    /// What HTML gives a meaning.
    Html,
}

const COMPACT: Style = Style {
    separators: (",", ":"),
    indent: "",
    order: Order::AsGiven,
    numbers: Numbers::AsWritten,
    escapes: Escapes::Few,
};
const SPACED: Style = Style { separators: (", ", ": "), ..COMPACT };
const JAVASCRIPT: Style = Style { order: Order::Javascript, numbers: Numbers::Double, ..COMPACT };

/// Every spelling known; where two are the same text, the first speaks: the one that supposes less.
pub(super) const ALL: &[Spelling] = &[
    Spelling { name: "compact", style: COMPACT },
    Spelling { name: "sorted", style: Style { order: Order::Sorted, ..COMPACT } },
    Spelling { name: "javascript", style: JAVASCRIPT },
    Spelling { name: "python", style: Style { escapes: Escapes::Ascii, ..SPACED } },
    Spelling { name: "python", style: SPACED },
    Spelling { name: "python", style: Style { escapes: Escapes::Ascii, ..COMPACT } },
    Spelling { name: "php", style: Style { escapes: Escapes::AsciiAndSlash, ..COMPACT } },
    Spelling {
        name: "go",
        style: Style { order: Order::Sorted, numbers: Numbers::GoDouble, escapes: Escapes::Html, ..COMPACT },
    },
    Spelling { name: "sorted", style: Style { order: Order::Sorted, escapes: Escapes::Ascii, ..SPACED } },
    Spelling { name: "pretty", style: Style { separators: (",", ": "), indent: "  ", ..JAVASCRIPT } },
    Spelling { name: "pretty", style: Style { separators: (",", ": "), indent: "    ", ..COMPACT } },
];

impl Spelling {
    /// The text in this spelling; `None` where it is no JSON, or cannot be spelled so.
    pub(super) fn of(&self, text: &[u8]) -> Option<Vec<u8>> {
        let value: &RawValue = serde_json::from_slice(text).ok()?;
        let mut spelled = String::with_capacity(text.len() + text.len() / 4);
        self.style.write(value, 0, &mut spelled)?;
        Some(spelled.into_bytes())
    }
}

impl Style {
    fn write(&self, value: &RawValue, depth: usize, out: &mut String) -> Option<()> {
        let text = value.get();
        match text.as_bytes().first()? {
            b'{' => {
                let members = Members::parse(text.as_bytes()).ok()?;
                let members = self.ordered(&members);
                let write = |(key, value): &(String, &RawValue), out: &mut String| {
                    self.write_text(key, out);
                    out.push_str(self.separators.1);
                    self.write(value, depth + 1, out)
                };
                self.write_list(('{', '}'), &members, depth, out, write)
            }
            b'[' => {
                let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                let write = |value: &&RawValue, out: &mut String| self.write(value, depth + 1, out);
                self.write_list(('[', ']'), &elements, depth, out, write)
            }
            b'"' => {
                let text: String = serde_json::from_str(text).ok()?;
                self.write_text(&text, out);
                Some(())
            }
            b'-' | b'0'..=b'9' => {
                match self.numbers {
                    Numbers::AsWritten => out.push_str(text),
                    Numbers::Double | Numbers::GoDouble => {
                        write_double(text.parse().ok()?, self.numbers == Numbers::GoDouble, out);
                    }
                }
                Some(())
            }
            _ => {
                out.push_str(text);
                Some(())
            }
        }
    }

    fn write_list<T>(
        &self,
        (open, close): (char, char),
        list: &[T],
        depth: usize,
        out: &mut String,
        mut write: impl FnMut(&T, &mut String) -> Option<()>,
    ) -> Option<()> {
        let line = |depth: usize, out: &mut String| {
            if !self.indent.is_empty() && !list.is_empty() {
                out.push('\n');
                (0..depth).for_each(|_| out.push_str(self.indent));
            }
        };
        out.push(open);
        for (at, one) in list.iter().enumerate() {
            if at > 0 {
                out.push_str(self.separators.0);
            }
            line(depth + 1, out);
            write(one, out)?;
        }
        line(depth, out);
        out.push(close);
        Some(())
    }

    fn ordered<'a>(&self, members: &'a Members) -> Vec<(String, &'a RawValue)> {
        let given = |key: &str| Some((key.to_owned(), members.get(key)?));
        let mut list: Vec<(String, &RawValue)> = members.keys().filter_map(given).collect();
        if self.order != Order::AsGiven {
            // A parser keeps one member of each name.
            let mut seen = std::collections::HashSet::new();
            list.retain(|(key, _)| seen.insert(key.clone()));
        }
        match self.order {
            Order::AsGiven => {}
            Order::Sorted => list.sort_by(|(one, _), (other, _)| one.cmp(other)),
            Order::Javascript => list.sort_by_key(|(key, _)| index(key).unwrap_or(u64::MAX)),
        }
        list
    }

    fn write_text(&self, text: &str, out: &mut String) {
        out.push('"');
        let mut units = [0; 2];
        for character in text.chars() {
            // Writing to a string does not fail.
            match character {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '/' if self.escapes == Escapes::AsciiAndSlash => out.push_str("\\/"),
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if self.escapes == Escapes::Html => {
                    let _ = write!(out, "\\u{:04x}", u32::from(character));
                }
                control if control < ' ' => {
                    let _ = write!(out, "\\u{:04x}", u32::from(control));
                }
                other
                    if !other.is_ascii()
                        && matches!(self.escapes, Escapes::Ascii | Escapes::AsciiAndSlash) =>
                {
                    for unit in other.encode_utf16(&mut units) {
                        let _ = write!(out, "\\u{unit:04x}");
                    }
                }
                other => out.push(other),
            }
        }
        out.push('"');
    }
}

/// The number of a key that looks like an array's index.
fn index(key: &str) -> Option<u64> {
    let number: u64 = key.parse().ok()?;
    (number < u64::from(u32::MAX) && number.to_string() == key).then_some(number)
}

/// A double as JavaScript prints it (ECMA-262, Number::toString), or as Go's encoding/json does.
fn write_double(double: f64, go: bool, out: &mut String) {
    if double == 0.0 {
        out.push_str(if go && double.is_sign_negative() { "-0" } else { "0" });
        return;
    }
    let magnitude = double.abs();
    if (1e-6..1e21).contains(&magnitude) {
        // Without an exponent Rust prints the shortest digits that give the double again, as both do.
        let _ = write!(out, "{double}");
        return;
    }
    let text = format!("{double:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    let _ = write!(out, "{mantissa}e{sign}{digits}");
}

#[cfg(test)]
mod tests {
    use super::ALL;

    fn spelled(name: &str, text: &str) -> Vec<String> {
        let of_name = ALL.iter().filter(|spelling| spelling.name == name);
        of_name
            .map(|one| String::from_utf8_lossy(&one.of(text.as_bytes()).unwrap_or_default()).into_owned())
            .collect()
    }

    #[test]
    fn each_serialiser_is_told_by_its_spelling() {
        let text = r#"{"b": [1.0, 1e21, 0.0000001, {}], "10": "é/<", "9": null, "a": "\u2028\u0001"}"#;
        let long = "\u{2028}";
        for (name, expected) in [
            ("javascript", format!(r#"{{"9":null,"10":"é/<","b":[1,1e+21,1e-7,{{}}],"a":"{long}\u0001"}}"#)),
            (
                "compact",
                format!(r#"{{"b":[1.0,1e21,0.0000001,{{}}],"10":"é/<","9":null,"a":"{long}\u0001"}}"#),
            ),
            (
                "python",
                r#"{"b": [1.0, 1e21, 0.0000001, {}], "10": "\u00e9/<", "9": null, "a": "\u2028\u0001"}"#
                    .to_owned(),
            ),
            (
                "php",
                r#"{"b":[1.0,1e21,0.0000001,{}],"10":"\u00e9\/<","9":null,"a":"\u2028\u0001"}"#.to_owned(),
            ),
            ("go", r#"{"10":"é/\u003c","9":null,"a":"\u2028\u0001","b":[1,1e+21,1e-7,{}]}"#.to_owned()),
            (
                "sorted",
                format!(r#"{{"10":"é/<","9":null,"a":"{long}\u0001","b":[1.0,1e21,0.0000001,{{}}]}}"#),
            ),
        ] {
            assert_eq!(spelled(name, text)[0], expected, "{name}");
        }
        assert_eq!(
            spelled("pretty", r#"{"a":[1,[]],"b":{}}"#)[0],
            "{\n  \"a\": [\n    1,\n    []\n  ],\n  \"b\": {}\n}"
        );
    }

    #[test]
    fn what_is_no_json_has_no_spelling() {
        for text in ["", "{", "{\"a\":\"\\ud800\"}"] {
            assert!(ALL.iter().all(|spelling| spelling.of(text.as_bytes()).is_none()), "{text}");
        }
    }
}
