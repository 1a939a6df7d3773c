//! What is wrong with a line that is not TOML, and how to write it.

use std::path::Path;

use crate::cli::messages::config as messages;

/// The number of the line at a place in a text.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|&byte| byte == b'\n').count() + 1
}

/// The error: the line, its text, and the fix.
pub(super) fn error(path: &Path, text: &str, at: usize, why: &str) -> String {
    // At the end of a text, what is missing is missing from the last line that has something.
    let at = if at >= text.len() { text.trim_end().len() } else { at };
    let line = line_at(text, at);
    let shown = text.lines().nth(line - 1).unwrap_or_default();
    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    messages::not_toml(path, line, &why, shown.trim(), &fix(shown.trim()))
}

/// How a line may have been meant.
fn fix(line: &str) -> String {
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
    use super::fix;

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
