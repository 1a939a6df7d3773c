//! Commands as bash reads them: quotes, `$'…'`, continued lines, here-documents. Nothing is expanded.

use bytes::Bytes;

use super::{Fault, Piece, Ruler, messages};

/// How many words all commands of a text may have.
pub(super) const MOST_WORDS: usize = 300_000;

/// A command and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) line: usize,
    pub(super) words: Vec<Vec<u8>>,
    /// What it reads from stdin, if the text has it or names its file.
    pub(super) stdin: Option<Piece>,
}

/// What the next word is, if it is no argument.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Redirection {
    /// A file to write, or a descriptor.
    Other,
    /// The file to read.
    Input,
    /// The text to read.
    HereString,
}

struct Shell<'a> {
    text: &'a [u8],
    at: usize,
    commands: Vec<Command>,
    /// The command that is being read.
    words: Vec<Vec<u8>>,
    begins: usize,
    ruler: Ruler,
    /// How many words were read.
    count: usize,
    /// The word that is being read.
    word: Option<Vec<u8>>,
    redirection: Option<Redirection>,
    stdin: Option<Piece>,
    /// The last line of the here-document that begins on the next line, and whether it is read as it is.
    document: Option<(Vec<u8>, bool)>,
}

/// Every command of a text. Errors: a quote is not closed, or something would have to be expanded.
pub(super) fn bash(text: &[u8]) -> Result<Vec<Command>, Fault> {
    let mut shell = Shell {
        text,
        at: 0,
        commands: Vec::new(),
        words: Vec::new(),
        begins: 0,
        ruler: Ruler::new(),
        count: 0,
        word: None,
        redirection: None,
        stdin: None,
        document: None,
    };
    while let Some(byte) = shell.peek() {
        shell.step(byte)?;
        if shell.count > MOST_WORDS {
            return Err(shell.fault(shell.at, messages::too_many_words(MOST_WORDS)));
        }
    }
    shell.end_command();
    Ok(shell.commands)
}

impl Shell<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }

    fn fault(&self, at: usize, why: impl Into<String>) -> Fault {
        Fault::at(super::line_of(self.text, at), why)
    }

    fn word(&mut self) -> &mut Vec<u8> {
        if self.word.is_none() && self.words.is_empty() {
            self.begins = self.at.saturating_sub(1);
        }
        self.word.get_or_insert_default()
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        match self.redirection.take() {
            None => {
                self.count += 1;
                self.words.push(word);
            }
            Some(Redirection::Other) => {}
            Some(Redirection::Input) => {
                let name = String::from_utf8_lossy(&word).into_owned();
                self.stdin = Some(Piece::File { name, binary: true });
            }
            Some(Redirection::HereString) => {
                self.stdin = Some(Piece::Text([&word, &b"\n"[..]].concat().into()))
            }
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.redirection = None;
        let stdin = self.stdin.take();
        if !self.words.is_empty() {
            let line = self.ruler.line(self.text, self.begins);
            self.commands.push(Command { line, words: std::mem::take(&mut self.words), stdin });
        }
    }

    /// Reads what begins with this byte outside of quotes.
    fn step(&mut self, byte: u8) -> Result<(), Fault> {
        let begin = self.at;
        self.at += 1;
        match byte {
            b' ' | b'\t' | b'\r' => self.end_word(),
            b'\n' if self.document.is_some() => {
                self.document(begin)?;
                self.end_command();
            }
            b'\n' | b';' | b'|' => self.end_command(),
            b'&' if self.redirection.is_some() => self.word().push(byte),
            b'&' => self.end_command(),
            b'#' if self.word.is_none() => {
                self.at += memchr::memchr(b'\n', self.rest()).unwrap_or(self.rest().len());
            }
            b'<' if self.rest().starts_with(b"<<") => {
                self.end_word();
                self.at += 2;
                self.redirection = Some(Redirection::HereString);
            }
            b'<' if self.peek() == Some(b'<') => {
                self.end_word();
                self.at += 1;
                self.document_begins();
            }
            b'<' | b'>' => {
                // The number before it, as in `2>`, is no argument.
                let is_number = |word: &Vec<u8>| word.iter().all(u8::is_ascii_digit);
                self.word = self.word.take().filter(|word| !is_number(word));
                self.end_word();
                if self.peek() == Some(b'>') {
                    self.at += 1;
                }
                let is_input = byte == b'<';
                self.redirection = Some(if is_input { Redirection::Input } else { Redirection::Other });
            }
            b'\'' => self.single(begin)?,
            b'"' => self.double(begin)?,
            b'\\' => self.escaped(),
            b'`' => return Err(self.fault(begin, messages::is_expanded("`…`"))),
            b'$' => self.dollar(begin)?,
            _ => self.word().push(byte),
        }
        Ok(())
    }

    /// Reads the word with which a here-document ends.
    fn document_begins(&mut self) {
        self.at += usize::from(self.peek() == Some(b'-'));
        self.at += self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let is_word = |byte: &&u8| !byte.is_ascii_whitespace() && !matches!(byte, b';' | b'|' | b'&' | b'>');
        let word: Vec<u8> = self.rest().iter().take_while(is_word).copied().collect();
        self.at += word.len();
        let is_quote = |byte: &u8| matches!(byte, b'\'' | b'"' | b'\\');
        let plain: Vec<u8> = word.iter().copied().filter(|byte| !is_quote(byte)).collect();
        self.document = Some((plain.clone(), plain.len() < word.len()));
    }

    /// Reads a here-document, which begins here.
    fn document(&mut self, begin: usize) -> Result<(), Fault> {
        let Some((end, is_quoted)) = self.document.take() else { return Ok(()) };
        let from = self.at;
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                return Err(self.fault(begin, messages::document_is_open(&String::from_utf8_lossy(&end))));
            }
            let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            let line = &rest[..length];
            if line.trim_ascii() == end {
                break;
            }
            self.at += length;
        }
        let to = self.at;
        self.at += memchr::memchr(b'\n', self.rest()).map_or(self.rest().len(), |end| end + 1);
        let text = &self.text[from..to];
        let dollar = memchr::memchr(b'$', text).filter(|_| !is_quoted);
        if let Some(at) = dollar {
            let name: Vec<u8> =
                text[at..].iter().take(12).take_while(|byte| !byte.is_ascii_whitespace()).copied().collect();
            return Err(self.fault(from + at, messages::is_expanded(&String::from_utf8_lossy(&name))));
        }
        self.stdin = Some(Piece::Text(Bytes::copy_from_slice(text)));
        Ok(())
    }

    /// What follows a backslash outside of quotes.
    fn escaped(&mut self) {
        if self.rest().starts_with(b"\r\n") {
            self.at += 2;
        } else if self.rest().starts_with(b"\n") {
            self.at += 1;
        } else if let Some(byte) = self.next() {
            self.word().push(byte);
        }
    }

    fn single(&mut self, begin: usize) -> Result<(), Fault> {
        let Some(length) = memchr::memchr(b'\'', self.rest()) else {
            return Err(self.fault(begin, messages::quote_is_open("'")));
        };
        let text = self.rest()[..length].to_vec();
        self.word().extend_from_slice(&text);
        self.at += length + 1;
        Ok(())
    }

    fn double(&mut self, begin: usize) -> Result<(), Fault> {
        self.word();
        loop {
            let at = self.at;
            match self.next() {
                None => return Err(self.fault(begin, messages::quote_is_open("\""))),
                Some(b'"') => return Ok(()),
                Some(b'\\') => match self.next() {
                    Some(b'\n') => {}
                    Some(byte @ (b'"' | b'\\' | b'$' | b'`')) => self.word().push(byte),
                    Some(byte) => self.word().extend_from_slice(&[b'\\', byte]),
                    None => {}
                },
                Some(b'`') => return Err(self.fault(at, messages::is_expanded("`…`"))),
                Some(b'$') => match self.expansion() {
                    Some(name) => return Err(self.fault(at, messages::is_expanded(&name))),
                    None => self.word().push(b'$'),
                },
                Some(byte) => self.word().push(byte),
            }
        }
    }

    /// What follows a `$` outside of quotes.
    fn dollar(&mut self, begin: usize) -> Result<(), Fault> {
        match self.peek() {
            Some(b'\'') => {
                self.at += 1;
                self.ansi(begin)
            }
            Some(b'"') => {
                self.at += 1;
                self.double(begin)
            }
            _ => match self.expansion() {
                Some(name) => Err(self.fault(begin, messages::is_expanded(&name))),
                None => {
                    self.word().push(b'$');
                    Ok(())
                }
            },
        }
    }

    /// The expansion that follows a `$`, as it is written.
    fn expansion(&self) -> Option<String> {
        let rest = self.rest();
        let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        match rest.first()? {
            b'{' => Some("${…}".to_owned()),
            b'(' => Some("$(…)".to_owned()),
            byte if byte.is_ascii_alphanumeric() || *byte == b'_' => {
                let name: Vec<u8> = rest.iter().take_while(is_name).copied().collect();
                Some(format!("${}", String::from_utf8_lossy(&name)))
            }
            _ => None,
        }
    }

    /// The rest of `$'…'`.
    fn ansi(&mut self, begin: usize) -> Result<(), Fault> {
        self.word();
        loop {
            match self.next() {
                None => return Err(self.fault(begin, messages::quote_is_open("$'"))),
                Some(b'\'') => return Ok(()),
                Some(b'\\') => self.ansi_escape(),
                Some(byte) => self.word().push(byte),
            }
        }
    }

    fn ansi_escape(&mut self) {
        let Some(byte) = self.next() else { return };
        let one = match byte {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'a' => 7,
            b'b' => 8,
            b'e' | b'E' => 27,
            b'f' => 12,
            b'v' => 11,
            b'\\' | b'\'' | b'"' | b'?' => byte,
            b'x' => return self.number(16, 2, byte, false),
            b'u' => return self.number(16, 4, byte, true),
            b'U' => return self.number(16, 8, byte, true),
            b'0'..=b'7' => {
                self.at -= 1;
                return self.number(8, 3, byte, false);
            }
            b'c' => self.next().map_or(0, |byte| byte & 0x1f),
            _ => {
                self.word().push(b'\\');
                byte
            }
        };
        self.word().push(one);
    }

    /// A byte or a character by its number. Without a digit, the escape is kept.
    fn number(&mut self, radix: u32, most: usize, kind: u8, is_character: bool) {
        let digits: Vec<u32> =
            self.rest().iter().take(most).map_while(|&byte| char::from(byte).to_digit(radix)).collect();
        self.at += digits.len();
        let value = digits.iter().fold(0_u32, |value, digit| value.wrapping_mul(radix).wrapping_add(*digit));
        if digits.is_empty() {
            self.word().extend_from_slice(&[b'\\', kind]);
        } else if is_character {
            let character = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
            self.word().extend_from_slice(character.to_string().as_bytes());
        } else {
            self.word().push((value & 0xff) as u8);
        }
    }
}
