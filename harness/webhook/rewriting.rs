//! Other spellings of the same JSON text: what a program signs if it prints a body once for the signature and once for the
//! request.
//!
//! Invariant: only escapes in strings and white space between tokens differ; member order and numbers stay.

use crate::webhook::json::escape;

/// What differs from the text that is sent. The fields that are `false` or `Kept` are as they were sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rewriting {
    pub html: Html,
    /// Characters beyond ASCII.
    pub beyond: Escapes,
    pub slashes: Escapes,
    pub space: Space,
}

/// The escapes of characters with a meaning in HTML.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Html {
    #[default]
    Kept,
    /// `<`, `>`, `&`, U+2028 and U+2029, as Go's encoding/json escapes them.
    Go,
    /// `<`, `>`, `&`, `=`, `'`, U+2028 and U+2029, as Gson escapes them.
    Gson,
    Unescaped,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Escapes {
    #[default]
    Kept,
    Escaped,
    Unescaped,
}

/// The white space between tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Space {
    #[default]
    Kept,
    Compact,
    /// A blank after each comma and colon.
    Spaced,
}

impl Html {
    fn escapes(self, character: char) -> bool {
        match self {
            Self::Kept | Self::Unescaped => false,
            Self::Go => matches!(character, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'),
            Self::Gson => matches!(character, '<' | '>' | '&' | '=' | '\'' | '\u{2028}' | '\u{2029}'),
        }
    }
}

impl Rewriting {
    /// Every rewriting but the one that changes nothing; those with fewer differences come first.
    pub fn all() -> Vec<Self> {
        let escapes = [Escapes::Kept, Escapes::Escaped, Escapes::Unescaped];
        let mut all = Vec::new();
        for html in [Html::Kept, Html::Go, Html::Gson, Html::Unescaped] {
            for beyond in escapes {
                for slashes in escapes {
                    for space in [Space::Kept, Space::Compact, Space::Spaced] {
                        all.push(Self { html, beyond, slashes, space });
                    }
                }
            }
        }
        all.sort_by_key(Self::distance);
        all.split_off(1)
    }

    fn distance(&self) -> usize {
        usize::from(self.html != Html::Kept)
            + usize::from(self.beyond != Escapes::Kept)
            + usize::from(self.slashes != Escapes::Kept)
            + usize::from(self.space != Space::Kept)
    }

    /// The text rewritten; `None` if that changes nothing.
    pub fn of(&self, text: &str) -> Option<String> {
        let mut writer =
            Writer { rewriting: self, out: String::with_capacity(text.len()), escaped: String::new() };
        writer.write(text);
        (writer.out != text).then_some(writer.out)
    }

    /// What differs, in words: "HTML-escaped: \u003c \u0026". `text` is what was sent.
    pub fn describe(&self, text: &str) -> String {
        let mut words = Vec::new();
        match self.html {
            Html::Kept => {}
            Html::Unescaped => words.push("without HTML escapes".to_owned()),
            Html::Go | Html::Gson => {
                // Only what occurs is proven.
                let mut escapes: Vec<String> = Vec::new();
                for character in text.chars().filter(|&one| self.html.escapes(one)) {
                    let mut one = String::new();
                    escape(character, &mut one);
                    if !escapes.contains(&one) {
                        escapes.push(one);
                    }
                }
                escapes.sort_unstable();
                words.push(format!("HTML-escaped: {}", escapes.join(" ")));
            }
        }
        match self.beyond {
            Escapes::Kept => {}
            Escapes::Escaped => words.push("ASCII".to_owned()),
            Escapes::Unescaped => words.push("not ASCII".to_owned()),
        }
        match self.slashes {
            Escapes::Kept => {}
            Escapes::Escaped => words.push("slashes escaped".to_owned()),
            Escapes::Unescaped => words.push("slashes not escaped".to_owned()),
        }
        match self.space {
            Space::Kept => {}
            Space::Compact => words.push("compact".to_owned()),
            Space::Spaced => words.push("spaced".to_owned()),
        }
        words.join(", ")
    }
}

struct Writer<'a> {
    rewriting: &'a Rewriting,
    out: String,
    /// Reused for the escapes of one character.
    escaped: String,
}

impl Writer<'_> {
    fn write(&mut self, text: &str) {
        let mut rest = text;
        let mut in_string = false;
        while let Some(character) = rest.chars().next() {
            let length = match (in_string, character) {
                (true, '\\') => self.escape(rest),
                (true, _) => {
                    in_string = character != '"';
                    self.character(character);
                    character.len_utf8()
                }
                (false, _) => {
                    in_string = character == '"';
                    self.token(character);
                    character.len_utf8()
                }
            };
            rest = rest.get(length..).unwrap_or_default();
        }
    }

    /// A character between strings.
    fn token(&mut self, character: char) {
        let is_space = matches!(character, ' ' | '\t' | '\r' | '\n');
        if is_space && self.rewriting.space != Space::Kept {
            return;
        }
        self.out.push(character);
        if self.rewriting.space == Space::Spaced && matches!(character, ',' | ':') {
            self.out.push(' ');
        }
    }

    /// A character in a string that is not escaped.
    fn character(&mut self, character: char) {
        let beyond = !character.is_ascii() && self.rewriting.beyond == Escapes::Escaped;
        if beyond || self.rewriting.html.escapes(character) {
            escape(character, &mut self.out);
        } else {
            if character == '/' && self.rewriting.slashes == Escapes::Escaped {
                self.out.push('\\');
            }
            self.out.push(character);
        }
    }

    /// An escape at the beginning of `rest`. Returns its length.
    fn escape(&mut self, rest: &str) -> usize {
        let (character, length) = unescaped(rest);
        let is_plain = character.is_some_and(|character| match character {
            '/' => self.rewriting.slashes == Escapes::Unescaped,
            '<' | '>' | '&' | '=' | '\'' => self.rewriting.html == Html::Unescaped,
            other => !other.is_ascii() && self.rewriting.beyond == Escapes::Unescaped,
        });
        self.escaped.clear();
        self.escaped.push_str(rest.get(..length).unwrap_or(rest));
        match character.filter(|_| is_plain) {
            Some(character) => self.out.push(character),
            None => self.out.push_str(&self.escaped),
        }
        length
    }
}

/// The character of the escape at the beginning of a text, and the escape's length. `None` for those that every printer
/// writes, such as `\n`.
fn unescaped(rest: &str) -> (Option<char>, usize) {
    let unit = |at: usize| {
        let digits = rest.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    if rest.as_bytes().get(1) == Some(&b'/') {
        return (Some('/'), 2);
    }
    let Some(first) = unit(0) else {
        let second = rest.chars().nth(1).map_or(0, char::len_utf8);
        return (None, 1 + second);
    };
    if let Some(second) = unit(6)
        && let Some(Ok(pair)) = char::decode_utf16([first, second]).next()
        && pair.len_utf16() == 2
    {
        return (Some(pair), 12);
    }
    (char::from_u32(u32::from(first)), 6)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    const ONE: Rewriting =
        Rewriting { html: Html::Kept, beyond: Escapes::Kept, slashes: Escapes::Kept, space: Space::Kept };
    const PLAIN: &str = r#"{"a<b": "x=1 & 'y'/ 😀é\n\"","n": [1.0, 1e3]}"#;

    #[test]
    fn escapes_are_written_and_undone() {
        let gson = Rewriting { html: Html::Gson, ..ONE };
        let escaped = gson.of(PLAIN).unwrap();
        assert_eq!(escaped, r#"{"a\u003cb": "x\u003d1 \u0026 \u0027y\u0027/ 😀é\n\"","n": [1.0, 1e3]}"#);
        assert_eq!(gson.describe(PLAIN), r"HTML-escaped: \u0026 \u0027 \u003c \u003d");
        let like_go = Rewriting { html: Html::Go, ..ONE };
        assert_eq!(like_go.of(PLAIN).unwrap(), r#"{"a\u003cb": "x=1 \u0026 'y'/ 😀é\n\"","n": [1.0, 1e3]}"#);
        let unescaped = Rewriting { html: Html::Unescaped, ..ONE };
        assert_eq!(unescaped.of(&escaped).unwrap(), PLAIN);
        assert_eq!(unescaped.of(PLAIN), None);
        let ascii = Rewriting { beyond: Escapes::Escaped, slashes: Escapes::Escaped, ..ONE };
        let all = ascii.of(PLAIN).unwrap();
        assert_eq!(all, r#"{"a<b": "x=1 & 'y'\/ \ud83d\ude00\u00e9\n\"","n": [1.0, 1e3]}"#);
        let back = Rewriting { beyond: Escapes::Unescaped, slashes: Escapes::Unescaped, ..ONE };
        assert_eq!(back.of(&all).unwrap(), PLAIN);
        // A lone surrogate stays, and so does an escape that is cut off.
        assert_eq!(back.of(r#"{"a":"\ud83d x \u00e"}"#), None);
        assert_eq!(back.of("\"\\"), None);
    }

    #[test]
    fn white_space_changes_between_tokens_alone() {
        let compact = Rewriting { space: Space::Compact, ..ONE };
        let text = compact.of(PLAIN).unwrap();
        assert_eq!(text, r#"{"a<b":"x=1 & 'y'/ 😀é\n\"","n":[1.0,1e3]}"#);
        let spaced = Rewriting { space: Space::Spaced, ..ONE };
        assert_eq!(spaced.of(&text).unwrap(), r#"{"a<b": "x=1 & 'y'/ 😀é\n\"", "n": [1.0, 1e3]}"#);
        assert_eq!((compact.describe(&text), spaced.describe(&text)), ("compact".into(), "spaced".into()));
    }

    #[test]
    fn the_nearest_come_first() {
        let all = Rewriting::all();
        assert_eq!(all.len(), 4 * 3 * 3 * 3 - 1);
        assert!(all.is_sorted_by_key(Rewriting::distance));
        assert_eq!(all[0].distance(), 1);
        let words = all.iter().map(|one| one.describe("<")).collect::<std::collections::BTreeSet<_>>();
        // Go and Gson escape this text alike.
        assert_eq!(words.len(), 3 * 3 * 3 * 3 - 1);
    }
}
