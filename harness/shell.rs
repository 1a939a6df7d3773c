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

/// A line that runs a command of these words with these variables, in a folder; `None` if a word has a NUL byte.
pub(crate) fn line<'a>(
    folder: Option<&str>,
    variables: impl IntoIterator<Item = (&'a str, &'a str)>,
    words: &[String],
) -> Option<String> {
    let folder = match folder {
        Some(folder) => Some(word(folder.as_bytes())?),
        None => None,
    };
    let command = joined(words.iter().map(String::as_str))?;
    let written = if cfg!(windows) { windows::line } else { posix::line };
    Some(written(folder.as_deref(), &variables.into_iter().collect::<Vec<_>>(), &command))
}
