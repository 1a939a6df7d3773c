//! Command lines: how one is split into words, and how a word is quoted, by the rules of this system.

pub(crate) mod posix;
pub(crate) mod windows;

/// The words of a command line, without any expansion; `None` if a quote is not closed.
pub(crate) fn split(command: &str) -> Option<Vec<String>> {
    if cfg!(windows) { windows::split(command) } else { shlex::split(command) }
}

/// A word, in quotes only if it needs them; `None` if it has a NUL byte, which no argument can have.
pub(crate) fn word(word: &[u8]) -> Option<String> {
    if cfg!(windows) { windows::word(word) } else { posix::word(word) }
}

/// A command of these words. Its first word is no assignment, and no word is expanded.
pub(crate) fn joined<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let words: Option<Vec<String>> = words.into_iter().map(|one| word(one.as_bytes())).collect();
    words.map(|words| words.join(" "))
}

/// What sets a variable for the command that follows it.
pub(crate) fn assigned(name: &str, value: &str) -> String {
    if cfg!(windows) { windows::assigned(name, value) } else { format!("{name}={value} ") }
}
