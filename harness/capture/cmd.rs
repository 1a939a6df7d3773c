//! Commands as `cmd.exe` reads them: first its own escapes (`^`), then the quotes of the program that is started.

use super::shell::{Command, MOST_WORDS};
use super::{Fault, Ruler, messages};

/// Every command of a text. Errors: a quote is not closed.
pub(super) fn commands(text: &[u8]) -> Result<Vec<Command>, Fault> {
    let mut found = Vec::new();
    let (mut at, mut count) = (0, 0);
    let mut ruler = Ruler::new();
    while at < text.len() {
        let line = ruler.line(text, at);
        let (command, end) = unescaped(text, at);
        // Browsers escape each quote for `cmd`, and double every backslash, although the program takes most as they are.
        let doubled = memchr::memmem::find(&text[at..end], b"^\"").is_some();
        at = end;
        let words = words(&command, doubled).ok_or_else(|| Fault::at(line, messages::quote_is_open("\"")))?;
        count += words.len();
        if count > MOST_WORDS {
            return Err(Fault::at(line, messages::too_many_words(MOST_WORDS)));
        }
        if !words.is_empty() {
            found.push(Command { line, words, stdin: None });
        }
    }
    Ok(found)
}

/// One command without the escapes of `cmd`, and where the next begins. Inside quotes that are not escaped, `^` is a character.
fn unescaped(text: &[u8], mut at: usize) -> (Vec<u8>, usize) {
    let mut command = Vec::new();
    let mut quoted = false;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'^' if !quoted => {
                let rest = &text[at..];
                let end = if rest.starts_with(b"\r\n") { 2 } else { usize::from(rest.starts_with(b"\n")) };
                at += end;
                if end == 0 {
                    command.extend(text.get(at));
                    at += 1;
                    continue;
                }
                // An escaped end of a line disappears; a second line feed after it stays.
                let rest = text.get(at..).unwrap_or_default();
                let end = if rest.starts_with(b"\r\n") { 2 } else { usize::from(rest.starts_with(b"\n")) };
                if end > 0 {
                    command.push(b'\n');
                    at += end;
                }
            }
            // A quote is not closed at the end of a line if the text goes on in the next: JSON in several lines.
            b'\n' if !quoted => break,
            b'|' | b'&' | b'>' if !quoted => {
                at += memchr::memchr(b'\n', &text[at..]).map_or(text.len() - at, |end| end + 1);
                break;
            }
            b'"' => {
                // `\"` is a quote of the program's, but `cmd` counts it too.
                let escaped = command.iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1;
                quoted ^= !escaped;
                command.push(byte);
            }
            _ => command.push(byte),
        }
    }
    (command, at.min(text.len()))
}

/// The arguments of a command line, as the runtime of C programs on Windows reads them; `None` if a quote is open. `doubled` is
/// whether every backslash is doubled.
fn words(command: &[u8], doubled: bool) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quoted = false;
    let mut at = 0;
    while let Some(&byte) = command.get(at) {
        match byte {
            b'\\' => {
                let run = command[at..].iter().take_while(|&&byte| byte == b'\\').count();
                at += run;
                let word = word.get_or_insert_default();
                if command.get(at) == Some(&b'"') {
                    word.extend(std::iter::repeat_n(b'\\', run / 2));
                    if run % 2 == 1 {
                        word.push(b'"');
                        at += 1;
                    }
                } else {
                    let run = if doubled && run % 2 == 0 { run / 2 } else { run };
                    word.extend(std::iter::repeat_n(b'\\', run));
                }
                continue;
            }
            b'"' if quoted && command.get(at + 1) == Some(&b'"') => {
                word.get_or_insert_default().push(b'"');
                at += 1;
            }
            b'"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            b' ' | b'\t' | b'\r' | b'\n' if !quoted => words.extend(word.take()),
            _ if words.len() > MOST_WORDS => break,
            _ if words.len() > MOST_WORDS => break,
            _ => word.get_or_insert_default().push(byte),
        }
        at += 1;
    }
    words.extend(word);
    (!quoted).then_some(words)
}
