//! How each language re-serialises a body: the bytes that a program hashes if it hashes the parsed body instead of the received
//! bytes.
//!
//! Invariant: every output is byte for byte what the real program prints (recorded in `fixtures/vectors/serialisers.json`).
//! There is no output if the real program rejects a body that RFC 8259 allows.

use std::collections::HashMap;

use crate::webhook::json::printer::{Layout, Quote};
use crate::webhook::json::{Json, Text, escape};

mod number;

/// The maximum nesting of arrays and objects in `json_decode`. Its default depth of 512 also counts the innermost values.
const PHP_DEEPEST: usize = 511;

described! {
    /// A parser and printer of JSON that programs use between the wire and the hash.
    pub enum Serialiser {
        /// `JSON.stringify(JSON.parse(body))`:
        Javascript: "JavaScript's JSON.stringify",
        /// `json.dumps(json.loads(body))`:
        PythonDefault: "Python's json.dumps",
        /// With `separators=(",", ":")`:
        PythonCompact: "Python's json.dumps with compact separators",
        /// With `separators=(",", ":")` and `ensure_ascii=False`:
        PythonUnescaped: "Python's json.dumps with compact separators and ensure_ascii=False",
        /// `json.Unmarshal` into `any`, then `json.Marshal`, as in Go 1.22 and later. Earlier versions write `\b` and `\f` as
        /// `\u0008` and `\u000c`:
        Go: "Go's json.Marshal",
        /// `json_encode(json_decode($body, true))`:
        Php: "PHP's json_encode",
        /// JavaScript's values with all keys sorted by code units, including keys that look like integers, as in RFC 8785 and
        /// `json-stable-stringify`. (Sorting keys into a new object and stringifying that is different: JavaScript moves
        /// integer-like keys first again.)
        Sorted: "a serialiser that sorts the keys",
        /// `JSON.stringify(JSON.parse(body), null, 2)`:
        Pretty: "JavaScript's JSON.stringify with an indent of two",
    }
}

impl Serialiser {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Javascript => "javascript",
            Self::PythonDefault => "python",
            Self::PythonCompact => "python, compact",
            Self::PythonUnescaped => "python, compact, unescaped",
            Self::Go => "go",
            Self::Php => "php",
            Self::Sorted => "sorted",
            Self::Pretty => "pretty",
        }
    }

    /// A JSON object that all serialisers accept, no two print alike, and none prints unchanged. As a member of a record, it
    /// shows which serialiser a program uses between the wire and the hash.
    pub const fn probe() -> &'static str {
        r#"{"zeta":"<b>Łucja & Zoë</b> 😀 https://example.com/","10":1.0,"9":1e3,"alpha":[0.5,null,true]}"#
    }

    /// Re-serialises `body`; `None` if the language rejects it, or it is not JSON.
    pub fn reprint(self, body: &[u8]) -> Option<Vec<u8>> {
        self.print(&Json::parse(body).ok()?)
    }

    /// Prints a parsed body; `None` if the language rejects it.
    pub fn print(self, json: &Json) -> Option<Vec<u8>> {
        let value = self.read(json, 0).filter(|value| self.prints(value))?;
        Some(value.print(self.layout(), self.quote()).into_bytes())
    }

    /// The value as the language represents it, in the order in which it prints.
    fn read(self, json: &Json, depth: usize) -> Option<Json> {
        let deeper = depth + 1;
        Some(match json {
            Json::Null | Json::Bool(_) => json.clone(),
            Json::Number(raw) => self.number(raw)?,
            Json::Text(text) => Json::Text(self.text(text)?),
            Json::Array(_) | Json::Object(_) if self == Self::Php && depth == PHP_DEEPEST => return None,
            Json::Array(elements) => {
                Json::Array(elements.iter().map(|element| self.read(element, deeper)).collect::<Option<_>>()?)
            }
            Json::Object(members) => {
                let read = |(name, value): &(Text, Json)| Some((self.text(name)?, self.read(value, deeper)?));
                let members = members.iter().map(read).collect::<Option<Vec<_>>>()?;
                self.object(without_duplicates(members))
            }
        })
    }

    /// Whether the language can print the value. Replaced duplicates do not matter.
    fn prints(self, value: &Json) -> bool {
        let can_encode = |text: &Text| self != Self::PythonUnescaped || is_unicode(text);
        match value {
            Json::Null | Json::Bool(_) => true,
            Json::Number(text) => self != Self::Php || !text.ends_with(number::INFINITY),
            // Python cannot encode a lone surrogate as UTF-8.
            Json::Text(text) => can_encode(text),
            Json::Array(elements) => elements.iter().all(|element| self.prints(element)),
            Json::Object(members) => {
                members.iter().all(|(name, value)| can_encode(name) && self.prints(value))
            }
        }
    }

    fn number(self, raw: &str) -> Option<Json> {
        match self {
            Self::Javascript | Self::Sorted | Self::Pretty => {
                Some(number::javascript(raw).map_or(Json::Null, Json::Number))
            }
            Self::PythonDefault | Self::PythonCompact | Self::PythonUnescaped => {
                number::python(raw).map(Json::Number)
            }
            Self::Go => number::go(raw).map(Json::Number),
            Self::Php => Some(Json::Number(number::php(raw))),
        }
    }

    fn text(self, text: &Text) -> Option<Text> {
        match self {
            Self::Go => {
                // Go reads a lone surrogate as U+FFFD.
                let character = |c: Result<char, u16>| c.unwrap_or(char::REPLACEMENT_CHARACTER);
                Some(Text::from(text.characters().map(character).collect::<String>().as_str()))
            }
            Self::Php => Some(text).filter(|text| is_unicode(text)).cloned(),
            _ => Some(text.clone()),
        }
    }

    /// The members in the language's own order.
    fn object(self, mut members: Vec<(Text, Json)>) -> Json {
        match self {
            Self::Javascript | Self::Pretty => {
                // The sort is stable: other keys stay after all indices, in their order.
                members.sort_by_key(|(name, _)| array_index(name).map_or(u64::from(u32::MAX), u64::from));
            }
            Self::Go => {
                members.sort_by_cached_key(|(name, _)| name.characters().flatten().collect::<String>());
            }
            Self::Sorted => members.sort_by(|(one, _), (other, _)| one.cmp(other)),
            Self::Php => {
                let position =
                    |(at, (name, _)): (usize, &(Text, Json))| *name == Text::from(&*at.to_string());
                // Keys that look like integers become integers, and an array whose keys count up from 0 is printed as a list.
                // So is an empty array.
                if members.iter().enumerate().all(position) {
                    return Json::Array(members.into_iter().map(|(_, value)| value).collect());
                }
            }
            Self::PythonDefault | Self::PythonCompact | Self::PythonUnescaped => {}
        }
        Json::Object(members)
    }

    fn layout(self) -> Layout {
        match self {
            Self::PythonDefault => Layout { comma: ", ", colon: ": ", indent: None },
            Self::Pretty => Layout { colon: ": ", indent: Some("  "), ..Layout::COMPACT },
            _ => Layout::COMPACT,
        }
    }

    fn quote(self) -> Quote {
        match self {
            Self::Javascript | Self::Sorted | Self::Pretty | Self::PythonUnescaped => Text::quote,
            Self::PythonDefault | Self::PythonCompact => python_text,
            Self::Go => go_text,
            Self::Php => php_text,
        }
    }
}

fn is_unicode(text: &Text) -> bool {
    text.characters().all(|character| character.is_ok())
}

/// Keeps the last value of each name, at the position of the first.
fn without_duplicates(members: Vec<(Text, Json)>) -> Vec<(Text, Json)> {
    let mut places: HashMap<Text, usize> = HashMap::with_capacity(members.len());
    let mut kept: Vec<(Text, Json)> = Vec::with_capacity(members.len());
    for (name, value) in members {
        if let Some(&place) = places.get(&name) {
            kept[place].1 = value;
        } else {
            places.insert(name.clone(), kept.len());
            kept.push((name, value));
        }
    }
    kept
}

/// The name as an array index: a decimal below 2^32 - 1 without leading zeros. JavaScript enumerates indices before all other
/// keys.
fn array_index(name: &Text) -> Option<u32> {
    let (&first, rest) = name.units().split_first()?;
    let digit = |unit: u16| (0x30..=0x39).contains(&unit);
    if !digit(first) || (first == 0x30 && !rest.is_empty()) || !rest.iter().copied().all(digit) {
        return None;
    }
    name.to_unicode()?.parse().ok().filter(|&index| index != u32::MAX)
}

/// Python also escapes everything that is not printable ASCII.
fn python_text(text: &Text, out: &mut String) {
    text.quote_with(out, |character, out| escape_if(!matches!(character, ' '..='~'), character, out));
}

/// Go also escapes characters with a meaning in HTML or scripts.
fn go_text(text: &Text, out: &mut String) {
    let special = |c| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
    text.quote_with(out, |character, out| escape_if(special(character), character, out));
}

/// PHP also escapes the slash, and everything that is not ASCII.
fn php_text(text: &Text, out: &mut String) {
    text.quote_with(out, |character, out| {
        if character == '/' {
            out.push_str("\\/");
        }
        character == '/' || escape_if(!character.is_ascii(), character, out)
    });
}

fn escape_if(special: bool, character: char, out: &mut String) -> bool {
    if special {
        escape(character, out);
    }
    special
}
