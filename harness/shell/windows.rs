//! Command lines on Windows.
//!
//! They are split as programs there split their own, where `\` is a character of paths; single quotes work too, so that the commands
//! of pages and configuration files mean the same on each system. What is printed can be pasted into PowerShell, and into `cmd.exe`
//! and Git Bash as far as no character is special in one of them.

use super::posix;

/// The words of a command line; `None` if a quote is not closed.
///
/// Double quotes keep spaces, anywhere in a word. Backslashes before one count by twos: each pair is a backslash, and an odd one makes
/// the quote a character. A word that begins with a single quote ends at the next.
pub(crate) fn split(command: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = command.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('\'').map(|inner| inner.split_once('\'')) {
            Some(Some((word, after))) if after.is_empty() || after.starts_with(char::is_whitespace) => {
                (word.to_owned(), after)
            }
            Some(_) => return None,
            None => first_word(rest)?,
        };
        words.push(word);
        rest = after.trim_start();
    }
    Some(words)
}

/// The first word, and what follows it; `None` if a quote is not closed.
fn first_word(text: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut is_quoted = false;
    let mut backslashes = 0;
    for (at, character) in text.char_indices() {
        if character == '\\' {
            backslashes += 1;
            continue;
        }
        let is_quote = character == '"';
        let kept = if is_quote { backslashes / 2 } else { backslashes };
        word.extend(std::iter::repeat_n('\\', kept));
        let is_escaped = is_quote && backslashes % 2 == 1;
        backslashes = 0;
        match character {
            '"' if !is_escaped => is_quoted = !is_quoted,
            space if space.is_whitespace() && !is_quoted => return Some((word, &text[at..])),
            other => word.push(other),
        }
    }
    word.extend(std::iter::repeat_n('\\', backslashes));
    (!is_quoted).then_some((word, ""))
}

/// A word, in quotes only if it needs them; `None` if it has a NUL byte.
pub(crate) fn word(word: &[u8]) -> Option<String> {
    let Some(text) = std::str::from_utf8(word).ok().filter(|_| posix::is_typed(word)) else {
        // Only a POSIX shell can write such bytes.
        return posix::quoted(word);
    };
    let is_bare = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-./:_\\".contains(byte);
    let is_special = |character| "\"$`%!^".contains(character);
    if !text.is_empty() && word.iter().all(is_bare) {
        Some(text.to_owned())
    } else if text.contains(is_special) || text.ends_with('\\') {
        Some(single(text))
    } else {
        Some(format!("\"{text}\""))
    }
}

/// A line of PowerShell that runs a command with variables, in a folder.
pub(super) fn line(folder: Option<&str>, variables: &[(&str, &str)], command: &str) -> String {
    let folder = folder.map(|folder| format!("cd {folder}; ")).unwrap_or_default();
    let variables: String =
        variables.iter().map(|(name, value)| format!("$env:{name} = {}; ", single(value))).collect();
    // A quoted word at the beginning of a command is a text there.
    let call = if command.starts_with(['"', '\'']) { "& " } else { "" };
    format!("{folder}{variables}{call}{command}")
}

/// A word in PowerShell's single quotes.
fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::{line, split, word};

    #[test]
    fn splits_as_programs_on_windows_do() {
        for (command, expected) in [
            (r"C:\tools\node.exe server.mjs", &[r"C:\tools\node.exe", "server.mjs"][..]),
            (r#""C:\Program Files\nodejs\node.exe" a"#, &[r"C:\Program Files\nodejs\node.exe", "a"]),
            (r#"a --dir="C:\my files\\" b"#, &["a", r"--dir=C:\my files\", "b"]),
            (r#"sh -c "echo \"it's\"""#, &["sh", "-c", "echo \"it's\""]),
            (r"C:\Users\O'Brien\a.exe 'b c' d", &[r"C:\Users\O'Brien\a.exe", "b c", "d"]),
            (r#"a "" '' \\server\x \"#, &["a", "", "", r"\\server\x", r"\"]),
            (" \t ", &[]),
        ] {
            let expected: Vec<String> = expected.iter().map(|&word| word.to_owned()).collect();
            assert_eq!(split(command), Some(expected), "{command}");
        }
        for open in ["a \"b", "'a", "'a'b"] {
            assert_eq!(split(open), None, "{open}");
        }
    }

    #[test]
    fn quotes_for_powershell() {
        for (text, expected) in [
            (r"C:\a\b.exe", r"C:\a\b.exe"),
            ("node server.mjs", "\"node server.mjs\""),
            ("it's", "\"it's\""),
            ("", "\"\""),
            ("100 %", "'100 %'"),
            (r#""C:\my files\a.exe" b's"#, r#"'"C:\my files\a.exe" b''s'"#),
            (r"C:\my files\", r"'C:\my files\'"),
        ] {
            assert_eq!(word(text.as_bytes()).as_deref(), Some(expected));
        }
        assert_eq!(word(b"a\0"), None);
        assert_eq!(line(None, &[("PORT", "3000")], "node a.mjs"), "$env:PORT = '3000'; node a.mjs");
        assert_eq!(line(Some("app"), &[], "\"my app.exe\""), "cd app; & \"my app.exe\"");
    }
}
