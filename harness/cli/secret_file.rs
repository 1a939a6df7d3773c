//! What is odd in the file of a secret: what editors, shells and `.env` files add, and what is no part of most secrets.
//!
//! Invariant: the secret is used as it is in the file, and no part of it is shown.

use super::messages;

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
