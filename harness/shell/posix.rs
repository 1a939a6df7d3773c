//! Words of a POSIX shell, for commands that users paste.
//!
//! A word has no character that is invisible or changes a terminal. Bytes that cannot be typed are written with `printf`, since
//! `$'…'` is unknown to some shells, such as dash.

use std::fmt::Write as _;

use crate::terminal::is_invisible;

/// Whether the bytes can be typed: UTF-8 text without invisible characters.
pub(crate) fn is_typed(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| !text.contains(is_invisible))
}

/// A word in quotes; `None` if it has a NUL byte, which no argument can have.
pub(crate) fn quoted(word: &[u8]) -> Option<String> {
    if word.contains(&0) {
        return None;
    }
    if is_typed(word) {
        return Some(single(&String::from_utf8_lossy(word)));
    }
    // A command substitution removes line feeds at its end.
    let end = word.iter().rposition(|&byte| byte != b'\n').map_or(0, |last| last + 1);
    let (text, feeds) = word.split_at(end);
    let text = if text.is_empty() { String::new() } else { format!("\"$({})\"", printed(text)) };
    let feeds = if feeds.is_empty() { String::new() } else { single(&"\n".repeat(feeds.len())) };
    Some(text + &feeds)
}

/// A word, in quotes only if it needs them.
pub(crate) fn word(word: &[u8]) -> Option<String> {
    let is_bare = |byte: &u8| byte.is_ascii_alphanumeric() || b"%+,-./:@_".contains(byte);
    match std::str::from_utf8(word) {
        Ok(text) if !text.is_empty() && word.iter().all(is_bare) => Some(text.to_owned()),
        _ => quoted(word),
    }
}

/// A line that runs a command with variables, whose values need no quotes, in a folder.
pub(super) fn line(folder: Option<&str>, variables: &[(&str, &str)], command: &str) -> String {
    let folder = folder.map(|folder| format!("cd {folder} && ")).unwrap_or_default();
    let variables: String = variables.iter().map(|(name, value)| format!("{name}={value} ")).collect();
    format!("{folder}{variables}{command}")
}

/// A command that prints the bytes.
pub(crate) fn printed(bytes: &[u8]) -> String {
    let mut format = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' | '%' => format.extend([character, character]),
                '\n' => format.push_str("\\n"),
                // An option.
                '-' if format.is_empty() => push_octal(&mut format, b"-"),
                other if is_invisible(other) => {
                    push_octal(&mut format, other.encode_utf8(&mut [0; 4]).as_bytes());
                }
                other => format.push(other),
            }
        }
        push_octal(&mut format, chunk.invalid());
    }
    format!("printf {}", single(&format))
}

fn push_octal(format: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(format, "\\{byte:03o}");
    }
}

fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::{printed, quoted, word};
    #[cfg(not(windows))]
    use crate::shell::joined;

    #[test]
    fn quotes_what_a_shell_would_change() {
        for (bytes, expected) in [
            (&b"it's"[..], r"'it'\''s'"),
            (b"", "''"),
            (b"$(id)`id`", "'$(id)`id`'"),
            ("日本 é".as_bytes(), "'日本 é'"),
            (b"-a\xe9%\\\x01'", r#""$(printf '\055a\351%%\\\001'\''')""#),
            (b"a\nb\n\n", "\"$(printf 'a\\nb')\"'\n\n'"),
            ("\u{202e}".as_bytes(), r#""$(printf '\342\200\256')""#),
        ] {
            assert_eq!(quoted(bytes).as_deref(), Some(expected), "{bytes:?}");
        }
        assert_eq!(quoted(b"a\0"), None);
        assert_eq!(word(b"POST").as_deref(), Some("POST"));
        assert_eq!(word(b"A`id`").as_deref(), Some("'A`id`'"));
        #[cfg(not(windows))]
        assert_eq!(joined(["./a b", "x;", "A=1"]).as_deref(), Some("'./a b' 'x;' 'A=1'"));
        assert_eq!(printed(b"a\0"), r"printf 'a\000'");
    }
}
