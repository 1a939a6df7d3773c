//! What is wrong with a line that is not TOML, and how to write it.

use std::path::Path;

use super::SECRET;
use crate::cli::messages::config as messages;

/// How much of a line is shown.
const WIDEST: usize = 100;

/// Parts of names that say that a value is secret.
const PARTS: [&str; 6] = ["SECRET", "TOKEN", "KEY", "PASSWORD", "PASSWD", "CREDENTIAL"];

/// Whether a text names something secret.
pub(super) fn may_be_secret(text: &str) -> bool {
    let text = text.to_uppercase();
    PARTS.iter().any(|part| text.contains(part))
}

/// The number of the line at a place in a text.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|&byte| byte == b'\n').count() + 1
}

/// The error: the line, its text, and the fix.
pub(super) fn error(path: &Path, text: &str, at: usize, why: &str) -> String {
    // At the end of a text, what is missing is missing from the last line that has something.
    let at = if at >= text.len() { text.trim_end().len() } else { at };
    let line = line_at(text, at);
    let shown = without_secret(text.lines().nth(line - 1).unwrap_or_default().trim());
    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = shown.chars().take(WIDEST).collect();
    messages::not_toml(path, line, &why, &cut, &fix(&cut))
}

/// The line without its value, if the name says that it is secret.
fn without_secret(line: &str) -> String {
    let name = line.split(['=', ':']).next().unwrap_or_default().trim();
    let is_path = SECRET.iter().any(|long| name.strip_prefix(long) == Some("-file"));
    if name.len() < line.len() && !is_path && may_be_secret(line) {
        format!("{name} = {}", messages::HIDDEN)
    } else {
        line.to_owned()
    }
}

/// How a line may have been meant.
fn fix(line: &str) -> String {
    if let Some(long) = SECRET.iter().find(|long| line.starts_with(&format!("{long} ="))) {
        return messages::secret_in_file(long).to_owned();
    }
    let quotes = |quote| line.matches(quote).count() % 2 == 1;
    if line.starts_with('[') && !line.contains('=') {
        let name = line.trim_matches(['[', ']', ' ']);
        return messages::write_table(name);
    }
    let Some((name, value)) = line.split_once('=').map(|(name, value)| (name.trim(), value.trim())) else {
        return match line.split_once(':') {
            Some((name, value)) => messages::write_value(name.trim(), value.trim()),
            None => messages::write_assignment().to_owned(),
        };
    };
    if quotes('"') || quotes('\'') {
        messages::close_quotes().to_owned()
    } else if value.starts_with('[') && !value.ends_with(']') {
        messages::close_list().to_owned()
    } else if value.is_empty() || value.starts_with(['"', '\'', '[', '{']) {
        messages::write_assignment().to_owned()
    } else {
        messages::write_value(name, value)
    }
}

#[cfg(test)]
mod tests {
    use super::{fix, without_secret};

    #[test]
    fn secrets_are_not_shown() {
        for (line, shown) in [
            ("secret = s3cr3t", "secret = [hidden]"),
            ("env = { API_KEY = s3cr3t }", "env = [hidden]"),
            ("secret-file = secret.txt", "secret-file = secret.txt"),
            ("api-key = eyJhbGciOi", "api-key = [hidden]"),
            ("api-key-file = key.txt", "api-key-file = key.txt"),
            ("[receiver", "[receiver"),
        ] {
            assert_eq!(without_secret(line), shown);
        }
        assert!(fix(&without_secret("secret = s3cr3t")).contains("secret-file"));
        assert!(fix(&without_secret("api-key = eyJ")).contains("api-key-file"));
    }

    #[test]
    fn fixes_show_how_a_line_is_written() {
        for (line, shown) in [
            ("[bench", "[bench]"),
            ("[[bench]", "[bench]"),
            ("timeout = 10s", "timeout = \"10s\""),
            ("run = VER-*", "run = \"VER-*\""),
            ("timeout: 10s", "timeout = \"10s\""),
            ("run = [\"VER-1\"", "]"),
            ("exec = \"node server.mjs", "quotation mark"),
            ("timeout", "NAME = VALUE"),
        ] {
            assert!(fix(line).contains(shown), "{line}: {}", fix(line));
        }
    }
}
