//! Reads answers as they come, piece by piece: their status, where they end, and whether the connection may be used again.
//!
//! Invariant: bounded: a head fits into the buffer, a body is counted and thrown away, and nothing is allocated.

use std::mem::MaybeUninit;

use httparse::ParserConfig;

/// The longest head that is read, and how much of an answer is kept to be shown, in bytes.
pub(crate) const KEPT: usize = 16 * 1024;
/// The longest body that is read, in bytes.
pub(crate) const LONGEST_BODY: u64 = 64 * 1024 * 1024;
const MOST_HEADERS: usize = 100;
/// How many interim answers (1xx) may come before one that counts.
const MOST_INTERIM: u32 = 64;

/// Why what came is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It is no HTTP.
    Malformed,
    /// Its head or its body is longer than any that is read.
    TooLong,
}

/// An answer that is being read.
#[derive(Debug)]
pub(crate) struct Answer {
    buffer: Box<[u8]>,
    kept: usize,
    received: u64,
    head: Option<Head>,
    interim: u32,
    body: u64,
}

/// What the head of an answer says.
#[derive(Debug, Clone, Copy)]
struct Head {
    status: u16,
    persists: bool,
    rest: Rest,
}

/// What is still to come of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    Bytes(u64),
    Chunks(Chunks),
    UntilClose,
}

/// Where in a chunked body the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunks {
    Size {
        size: u64,
        digits: u8,
        extension: bool,
    },
    Data(u64),
    /// The line end behind the data.
    Behind,
    /// The trailer, in a line of that length so far.
    Trailer(u32),
    Done,
}

impl Default for Answer {
    fn default() -> Self {
        // As much again as is kept, for what is thrown away.
        let buffer = vec![0; 2 * KEPT].into();
        Self { buffer, kept: 0, received: 0, head: None, interim: 0, body: 0 }
    }
}

impl Answer {
    /// Forgets the answer before.
    pub(crate) fn begin(&mut self) {
        self.kept = 0;
        self.received = 0;
        self.head = None;
        self.interim = 0;
        self.body = 0;
    }

    /// Whether anything of it has come.
    pub(crate) fn is_begun(&self) -> bool {
        self.received > 0
    }

    /// Where the next bytes go.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        // Behind what is kept; once that is full, over what is thrown away.
        let from = if self.kept < KEPT { self.kept } else { KEPT };
        &mut self.buffer[from..]
    }

    /// Takes so many bytes that were written into the room. Returns whether the answer is whole now.
    ///
    /// Errors: what came is no answer.
    pub(crate) fn take(&mut self, count: usize) -> Result<bool, Wrong> {
        let from = if self.kept < KEPT { self.kept } else { KEPT };
        let mut new = from..from + count;
        self.received += count as u64;
        self.kept = new.end.min(KEPT).max(self.kept);
        while self.head.is_none() {
            match self.parse(new.end)? {
                // Nothing is lost of a head that is not whole: what came lies behind what was there.
                None if new.end >= KEPT => return Err(Wrong::TooLong),
                None => return Ok(false),
                Some((status @ 100..=199, length)) if status != 101 => {
                    // An interim answer: the one that counts follows it.
                    self.interim += 1;
                    if self.interim > MOST_INTERIM {
                        return Err(Wrong::TooLong);
                    }
                    self.head = None;
                    self.buffer.copy_within(length..new.end, 0);
                    new.end -= length;
                    self.kept = new.end.min(KEPT);
                }
                Some((_, length)) => new.start = length,
            }
        }
        let Some(head) = &mut self.head else { return Ok(false) };
        self.body += (new.end - new.start) as u64;
        if self.body > LONGEST_BODY {
            return Err(Wrong::TooLong);
        }
        let piece = &self.buffer[new];
        let left = match &mut head.rest {
            Rest::UntilClose => return Ok(false),
            Rest::Bytes(rest) => {
                let taken = (*rest).min(piece.len() as u64);
                *rest -= taken;
                (*rest == 0).then(|| piece.len() - taken as usize)
            }
            Rest::Chunks(chunks) => chunks.take(piece)?,
        };
        // What comes behind an answer belongs to no request: the connection is of no more use.
        head.persists &= left.is_none_or(|left| left == 0);
        Ok(left.is_some())
    }

    /// Reads the head, where it is whole: its status and length.
    fn parse(&mut self, end: usize) -> Result<Option<(u16, usize)>, Wrong> {
        let mut slots = [MaybeUninit::uninit(); MOST_HEADERS];
        let mut parsed = httparse::Response::new(&mut []);
        let mut parser = ParserConfig::default();
        parser.allow_spaces_after_header_name_in_responses(true);
        parser.allow_obsolete_multiline_headers_in_responses(true);
        let read = parser.parse_response_with_uninit_headers(&mut parsed, &self.buffer[..end], &mut slots);
        let length = match read {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return Err(Wrong::TooLong),
            Err(_) => return Err(Wrong::Malformed),
        };
        let status = parsed.code.unwrap_or_default();
        let mut persists = parsed.version == Some(1);
        let mut rest = Rest::UntilClose;
        for header in parsed.headers.iter() {
            if header.name.eq_ignore_ascii_case("content-length") && rest == Rest::UntilClose {
                let number = std::str::from_utf8(header.value).ok().and_then(|text| text.trim().parse().ok());
                rest = Rest::Bytes(number.ok_or(Wrong::Malformed)?);
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                if has_token(header.value, b"chunked") {
                    rest = Rest::Chunks(Chunks::NEXT);
                }
            } else if header.name.eq_ignore_ascii_case("connection") {
                if has_token(header.value, b"close") {
                    persists = false;
                } else if has_token(header.value, b"keep-alive") {
                    persists = true;
                }
            }
        }
        if matches!(status, 204 | 304) {
            rest = Rest::Bytes(0);
        }
        persists &= rest != Rest::UntilClose && status != 101;
        self.head = Some(Head { status, persists, rest });
        Ok(Some((status, length)))
    }

    /// Whether the answer is whole where the connection ends here.
    pub(crate) fn ends_with_the_connection(&self) -> bool {
        self.head.is_some_and(|head| head.rest == Rest::UntilClose)
    }

    /// The status, once the head is there.
    pub(crate) fn status(&self) -> Option<u16> {
        self.head.map(|head| head.status)
    }

    /// Whether the connection may carry another exchange behind this one.
    pub(crate) fn persists(&self) -> bool {
        self.head.is_some_and(|head| head.persists)
    }

    /// How many bytes have come.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// The first bytes of it.
    pub(crate) fn kept(&self) -> &[u8] {
        &self.buffer[..self.kept]
    }
}

fn has_token(value: &[u8], token: &[u8]) -> bool {
    value.split(|&byte| byte == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(token))
}

impl Chunks {
    const NEXT: Self = Self::Size { size: 0, digits: 0, extension: false };

    /// Goes over a piece of the body. Returns how many bytes are left behind its end, once that has come.
    fn take(&mut self, mut piece: &[u8]) -> Result<Option<usize>, Wrong> {
        while *self != Self::Done {
            let Some((&byte, behind)) = piece.split_first() else { return Ok(None) };
            *self = match *self {
                Self::Data(length) => {
                    let taken = usize::try_from(length).unwrap_or(usize::MAX).min(piece.len());
                    piece = &piece[taken..];
                    match length - taken as u64 {
                        0 => Self::Behind,
                        rest => Self::Data(rest),
                    }
                }
                other => {
                    piece = behind;
                    other.step(byte)?
                }
            };
        }
        Ok(Some(piece.len()))
    }

    /// Goes over a byte that is no data. A line feed alone ends a line too.
    fn step(self, byte: u8) -> Result<Self, Wrong> {
        Ok(match (self, byte) {
            (Self::Size { digits: 0, .. }, b'\n') => return Err(Wrong::Malformed),
            (Self::Size { size: 0, .. }, b'\n') => Self::Trailer(0),
            (Self::Size { size, .. }, b'\n') => Self::Data(size),
            (Self::Size { size, digits, extension: false }, _) if byte.is_ascii_hexdigit() => {
                let digit = char::from(byte).to_digit(16).unwrap_or_default();
                if digits >= 15 {
                    return Err(Wrong::TooLong);
                }
                Self::Size { size: size << 4 | u64::from(digit), digits: digits + 1, extension: false }
            }
            (Self::Size { digits: 0, .. }, _) => return Err(Wrong::Malformed),
            // White space or an extension behind the digits.
            (Self::Size { size, digits, .. }, b'\r' | b' ' | b'\t' | b';') => {
                Self::Size { size, digits, extension: true }
            }
            (Self::Size { extension: true, .. }, _) => self,
            (Self::Behind, b'\n') => Self::NEXT,
            (Self::Behind, b'\r') => self,
            (Self::Trailer(0), b'\n') => Self::Done,
            (Self::Trailer(_), b'\n') => Self::Trailer(0),
            (Self::Trailer(_), b'\r') => self,
            (Self::Trailer(length), _) if length < KEPT as u32 => Self::Trailer(length + 1),
            (Self::Trailer(_), _) => return Err(Wrong::TooLong),
            _ => return Err(Wrong::Malformed),
        })
    }
}
