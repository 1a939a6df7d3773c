//! What is odd in the file of a secret: what editors, shells and `.env` files add, and what is no part of most secrets.
//!
//! Invariant: the secret is used as it is in the file, and no part of it is shown. Without what is odd, it is only tried, to
//! explain a signature that does not match.

use super::messages;

/// How many lines of a file are tried as the secret.
const MOST_LINES: usize = 16;

/// The secret in the text of a file: without the line break at its end.
pub(super) fn secret(text: &str) -> &str {
    text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(text)
}

/// What is odd in a secret.
pub(super) fn oddities(secret: &str) -> Vec<&'static str> {
    let (mark, rest) = secret.strip_prefix('\u{feff}').map_or((false, secret), |rest| (true, rest));
    let line = rest.trim_end_matches(['\r', '\n']);
    let words = line.trim();
    let value = value(words);
    let found = [
        (mark, messages::has_mark()),
        (value.is_some(), messages::has_name()),
        (is_quoted(value.unwrap_or(words)), messages::has_quotes()),
        (rest.contains('\n'), messages::has_line_breaks()),
        (rest.contains('\r'), messages::has_carriage_return()),
        (words.len() != line.len(), messages::has_blanks()),
    ];
    found.into_iter().filter(|(is_so, _)| *is_so).map(|(_, what)| what).collect()
}

/// The secrets that odd text may mean, each with what the given one has around it. Those with fewer changes come first.
pub(super) fn meant(secret: &str) -> Vec<(String, Vec<&'static str>)> {
    let mut all: Vec<(String, Vec<&'static str>)> = Vec::new();
    let mut add = |text: &str, what: Option<&'static str>| {
        let left = oddities(text);
        let mut gone = oddities(secret);
        gone.retain(|oddity| !left.contains(oddity));
        gone.extend(what);
        if !text.is_empty()
            && text != secret
            && !gone.is_empty()
            && all.iter().all(|(other, _)| other != text)
        {
            all.push((text.to_owned(), gone));
        }
    };
    let unmarked = secret.strip_prefix('\u{feff}').unwrap_or(secret);
    let one_line = unmarked.trim_end_matches(['\r', '\n']);
    add(unmarked, None);
    add(one_line, None);
    // A file of several lines has the secret in one of them.
    for line in one_line.lines().take(MOST_LINES) {
        let words = line.trim();
        let commented = words.split_once(" #").map(|(text, _)| text.trim_end());
        for (text, what) in [(Some(words), None), (commented, Some(messages::has_comment()))] {
            let Some(text) = text else { continue };
            let named = value(text).unwrap_or(text).trim();
            let escaped = named.strip_suffix("\\n");
            for inner in [text, named, unquoted(text), unquoted(named)] {
                add(inner, what);
            }
            if let Some(text) = escaped {
                add(text, Some(messages::has_escape()));
            }
        }
    }
    all
}

fn unquoted(text: &str) -> &str {
    if is_quoted(text) { &text[1..text.len() - 1] } else { text }
}

/// The value of a line `NAME=VALUE`, with or without `export`. The padding of base64 is no such line.
fn value(line: &str) -> Option<&str> {
    let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_name && !value.trim_start_matches('=').is_empty()).then_some(value)
}

fn is_quoted(text: &str) -> bool {
    let quotes = ['"', '\'', '`'];
    text.len() > 1 && quotes.iter().any(|quote| text.starts_with(*quote) && text.ends_with(*quote))
}

#[cfg(test)]
mod tests {
    use super::{oddities, secret};
    use crate::cli::messages::{
        has_blanks, has_carriage_return, has_line_breaks, has_mark, has_name, has_quotes,
    };

    #[test]
    fn oddities_of_each_kind_are_found() {
        for (text, expected) in [
            ("s3cr3t\n", &[][..]),
            ("s3cr3t\r\n", &[]),
            ("c2VjcmV0Cg==\n", &[]),
            ("two words", &[]),
            ("it's", &[]),
            ("=x", &[]),
            ("\"s3cr3t\"\n", &[has_quotes()]),
            ("'s3cr3t'", &[has_quotes()]),
            ("s3cr3t\n\n", &[has_line_breaks()]),
            ("s3cr3t\r", &[has_carriage_return()]),
            ("s3cr3t\r\n\r\n", &[has_line_breaks(), has_carriage_return()]),
            (" s3cr3t", &[has_blanks()]),
            ("s3cr3t \n", &[has_blanks()]),
            ("\u{feff}s3cr3t\n", &[has_mark()]),
            ("TWENTY_WEBHOOK_SECRET=s3cr3t\n", &[has_name()]),
            ("export SECRET='s3cr3t'\n", &[has_name(), has_quotes()]),
            ("A=1\nB=2\n", &[has_name(), has_line_breaks()]),
        ] {
            assert_eq!(oddities(secret(text)), expected, "{text:?}");
        }
    }
}
