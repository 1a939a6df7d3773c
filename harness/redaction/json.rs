//! Redacts JSON text in its strings alone: eight digits of a number are not a part of a secret, although they may be the digits of one.

use serde::de::IgnoredAny;
use serde_json::Value;

use super::Redaction;
use crate::terminal;

/// What stands for a whole string that cannot be redacted in part.
const WHOLE: &str = "[redacted string]";

/// The JSON text, or lines of it, with its strings and names redacted; `None` if it is not JSON.
pub(super) fn redacted(redaction: &Redaction, text: &str) -> Option<String> {
    let begins = text.trim_start().starts_with(['{', '[']);
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    (begins && values.all(|value| value.is_ok())).then(|| in_strings(redaction, text))
}

/// Valid JSON, with what stands between quotes redacted.
fn in_strings(redaction: &Redaction, mut text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    while let Some(begin) = text.find('"') {
        let (before, string) = text.split_at(begin + 1);
        let (inside, after) = string.split_at(length(string));
        redacted += before;
        redacted += &string_of(redaction, inside);
        // The quote at its end.
        let (quote, rest) = after.split_at(after.len().min(1));
        redacted += quote;
        text = rest;
    }
    redacted + text
}

/// What stands between the quotes of a string. A placeholder that would leave a part of an escape, which is no JSON, is for the
/// characters of the string instead.
fn string_of(redaction: &Redaction, inside: &str) -> String {
    let is_string = |inside: &str| serde_json::from_str::<IgnoredAny>(&quoted(inside)).is_ok();
    let shown = redaction.text(inside);
    if shown == inside || is_string(&shown) {
        return shown;
    }
    // Half of a surrogate pair is no character.
    let Ok(characters) = serde_json::from_str::<String>(&quoted(inside)) else { return WHOLE.to_owned() };
    let escaped = terminal::json(Value::from(redaction.text(&characters)).to_string());
    let again = redaction.text(&escaped[1..escaped.len() - 1]);
    // The letter of an escape and the characters after it can be a part, although the characters themselves are none.
    if is_string(&again) { again } else { WHOLE.to_owned() }
}

fn quoted(inside: &str) -> String {
    format!("\"{inside}\"")
}

/// The length of a string up to the quote that ends it.
fn length(string: &str) -> usize {
    let mut is_escaped = false;
    let ends = |&byte: &u8| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    };
    string.as_bytes().iter().position(ends).unwrap_or(string.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::Redaction;
    use crate::webhook::signature::Secret;

    #[test]
    fn numbers_of_json_stay_as_they_are() {
        // In hexadecimal digits 66666666.
        let redaction = Redaction::new([&Secret::new("ffff-s3cr3t")]);
        for text in
            [r#"{"rate":2346.66666666,"at":["66666666x","\\\""]}"#, "{\"n\":66666666}\n[\"66666666\"]\n"]
        {
            let shown = redaction.rendered(text);
            let numbers = text.replace("\"66666666", "\"[redacted:part:hex:0-8]");
            assert_eq!(shown, numbers);
        }
        assert_eq!(redaction.rendered("2346.66666666"), "2346.[redacted:part:hex:0-8]", "no JSON");
        assert_eq!(redaction.rendered(r#"{"a\"ffff-s3cr3t":1}"#), r#"{"a\"[redacted]":1}"#);
    }

    #[test]
    fn escapes_of_json_stay_whole() {
        let redaction = Redaction::new([&Secret::new("n9f3c2a1b7d4")]);
        for (text, shown) in [
            // The first letter is that of an escape.
            (r#"["\n9f3c2a1b7d4"]"#, r#"["\n[redacted:part:1-12]"]"#),
            (r#"["\n9f3c2a1b7d4 \\n9f3c2a1b7d4"]"#, r#"["\n[redacted:part:1-12] \\[redacted]"]"#),
            (r#"["\ud800 \n9f3c2a1b7d4"]"#, r#"["[redacted string]"]"#),
        ] {
            assert_eq!(redaction.rendered(text), shown);
        }
        let short = Redaction::new([&Secret::new("n9f3c2a1")]);
        assert_eq!(short.rendered(r#"["\n9f3c2a1"]"#), r#"["[redacted string]"]"#);
    }

    fn has(value: &Value, secret: &str) -> bool {
        match value {
            Value::String(text) => text.contains(secret),
            Value::Array(values) => values.iter().any(|value| has(value, secret)),
            Value::Object(members) => {
                members.iter().any(|(name, value)| name.contains(secret) || has(value, secret))
            }
            _ => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever is redacted, and whatever escapes stand before it.
        #[test]
        fn redacted_json_is_json(
            secret in "[bfnrtu\"\\\\/0-9a-f]{4,24}",
            marks in "[\"\\\\\n\t\u{1}…]{0,4}",
            (from, to) in (0..24_usize, 0..24_usize),
        ) {
            let redaction = Redaction::new([&Secret::new(secret.as_str())]);
            let part = &secret[from.min(to).min(secret.len())..to.max(from).min(secret.len())];
            let value = json!({ part: [format!("{marks}{part}…"), format!("{marks}{secret}"), format!("{part}{marks}")] });
            for json in [value.to_string(), json!({ "line": value.to_string(), "n": 66666666 }).to_string()] {
                let shown = redaction.rendered(&json);
                let read = serde_json::from_str::<Value>(&shown);
                prop_assert!(read.is_ok_and(|value| !has(&value, &secret)), "{}", shown);
            }
        }
    }
}
