//! What each language's serialiser makes of a body that its parser has read: the bytes that a program hashes when it
//! hashes a parse instead of what came over the wire.
//!
//! Invariant: every output is byte for byte what the real program prints (`fixtures/vectors/serialisers.json` holds
//! what they printed), and there is none where the real program refuses a body that RFC 8259 allows.

use std::collections::HashMap;

use crate::webhook::json::printer::{Layout, Quote};
use crate::webhook::json::{Json, Text, escape};

mod number;

/// How deep arrays and objects may stand in one another for `json_decode`, whose default depth of 512 counts what is in
/// the innermost.
const PHP_DEEPEST: usize = 511;

/// A parser and printer of JSON that programs use between the wire and the hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Serialiser {
    /// `JSON.stringify(JSON.parse(body))`.
    Javascript,
    /// `json.dumps(json.loads(body))`.
    PythonDefault,
    /// The same with `separators=(",", ":")`.
    PythonCompact,
    /// The same with `ensure_ascii=False` too.
    PythonUnescaped,
    /// `json.Unmarshal` into `any`, then `json.Marshal`, as Go prints since 1.22: before, it wrote `\b` and `\f` as
    /// `\u0008` and `\u000c`.
    Go,
    /// `json_encode(json_decode($body, true))`.
    Php,
    /// JavaScript's values with the keys of every object sorted as text, by code units, those that look like integers
    /// among them: what RFC 8785 and `json-stable-stringify` print. (Sorting keys into a new object and stringifying
    /// that is another thing: JavaScript moves integer-like keys first again.)
    Sorted,
    /// `JSON.stringify(JSON.parse(body), null, 2)`.
    Pretty,
}

impl Serialiser {
    pub const ALL: &[Self] = &[
        Self::Javascript,
        Self::PythonDefault,
        Self::PythonCompact,
        Self::PythonUnescaped,
        Self::Go,
        Self::Php,
        Self::Sorted,
        Self::Pretty,
    ];

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

    /// What prints it, as the end of "printed again by ...".
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Javascript => "JavaScript's JSON.stringify",
            Self::PythonDefault => "Python's json.dumps",
            Self::PythonCompact => "Python's json.dumps with compact separators",
            Self::PythonUnescaped => "Python's json.dumps with compact separators and ensure_ascii=False",
            Self::Go => "Go's json.Marshal",
            Self::Php => "PHP's json_encode",
            Self::Sorted => "a serialiser that sorts the keys",
            Self::Pretty => "JavaScript's JSON.stringify with an indent of two",
        }
    }

    /// One JSON object that no two serialisers print alike, and none as it stands, yet all of them read. As a member of a
    /// record it makes a body tell which serialiser a program puts between the wire and the hash.
    pub const fn probe() -> &'static str {
        r#"{"zeta":"<b>Łucja & Zoë</b> 😀 https://example.com/","10":1.0,"9":1e3,"alpha":[0.5,null,true]}"#
    }

    /// What the serialiser prints of `body`; `None` where it, or its parser, refuses, and where `body` is no JSON.
    pub fn reprint(self, body: &[u8]) -> Option<Vec<u8>> {
        self.print(&Json::parse(body).ok()?)
    }

    /// What the serialiser prints of a body that has been read already.
    pub fn print(self, json: &Json) -> Option<Vec<u8>> {
        let value = self.read(json, 0).filter(|value| self.prints(value))?;
        Some(value.print(self.layout(), self.quote()).into_bytes())
    }

    /// The value as the language holds it: what is printed is this, in this order.
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

    /// Whether the language prints what it has read. What a duplicate has replaced is no obstacle.
    fn prints(self, value: &Json) -> bool {
        let speaks = |text: &Text| self != Self::PythonUnescaped || is_unicode(text);
        match value {
            Json::Null | Json::Bool(_) => true,
            Json::Number(text) => self != Self::Php || !text.ends_with(number::INFINITY),
            // Python has no UTF-8 for a surrogate that stands alone.
            Json::Text(text) => speaks(text),
            Json::Array(elements) => elements.iter().all(|element| self.prints(element)),
            Json::Object(members) => members.iter().all(|(name, value)| speaks(name) && self.prints(value)),
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
                // A surrogate that stands alone is U+FFFD to Go.
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
                // The sort is stable, and what is no index stays after all indices in the order it came in.
                members.sort_by_key(|(name, _)| array_index(name).map_or(u64::from(u32::MAX), u64::from));
            }
            Self::Go => {
                members.sort_by_cached_key(|(name, _)| name.characters().flatten().collect::<String>());
            }
            Self::Sorted => members.sort_by(|(one, _), (other, _)| one.cmp(other)),
            Self::Php => {
                let position =
                    |(at, (name, _)): (usize, &(Text, Json))| *name == Text::from(&*at.to_string());
                // The keys of an array are integers where they look like it, and an array whose keys count up from 0
                // is a list, whatever it was before. An empty one is, too.
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

/// The last value of each name, in the place of the first.
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

/// The name as an array index, which JavaScript enumerates before all other keys: decimal without leading zeros, below
/// 2^32 - 1.
fn array_index(name: &Text) -> Option<u32> {
    let (&first, rest) = name.units().split_first()?;
    let digit = |unit: u16| (0x30..=0x39).contains(&unit);
    if !digit(first) || (first == 0x30 && !rest.is_empty()) || !rest.iter().copied().all(digit) {
        return None;
    }
    name.to_unicode()?.parse().ok().filter(|&index| index != u32::MAX)
}

/// What Python escapes too: whatever is not printable ASCII.
fn python_text(text: &Text, out: &mut String) {
    text.quote_with(out, |character, out| escape_if(!matches!(character, ' '..='~'), character, out));
}

/// What Go escapes too: what would mean something inside HTML or a script.
fn go_text(text: &Text, out: &mut String) {
    let special = |c| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
    text.quote_with(out, |character, out| escape_if(special(character), character, out));
}

/// What PHP escapes too: the slash, and whatever is not ASCII.
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
