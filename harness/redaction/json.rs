//! Redacts JSON text in its strings alone: eight digits of a number are not a part of a secret, although they may be the digits of one.

use serde::de::IgnoredAny;

use super::Redaction;

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
        redacted += &redaction.text(inside);
        // The quote at its end.
        let (quote, rest) = after.split_at(after.len().min(1));
        redacted += quote;
        text = rest;
    }
    redacted + text
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
}
