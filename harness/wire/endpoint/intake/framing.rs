//! Where a request ends in a buffer: its head, and a body of a given length or in chunks.
//!
//! Invariant: pure, and in place: chunks are joined where they lie. What has been looked at is not looked at again.

use std::mem::MaybeUninit;

use super::Broken;

/// The longest head, in bytes.
pub(super) const LONGEST_HEAD: usize = 64 * 1024;
/// How many headers a request has at most.
pub(super) const MOST_HEADERS: usize = 100;
/// The longest line of a chunk's size or of a trailer, in bytes.
const LONGEST_LINE: usize = 4096;

/// A request whose head has come.
#[derive(Debug)]
pub(super) struct Incoming {
    /// How long the head is.
    pub(super) head: usize,
    /// Whether another request may follow on the connection.
    pub(super) persists: bool,
    /// Whether its sender waits to be told to go on.
    pub(super) expects: bool,
    rest: Rest,
}

#[derive(Debug)]
enum Rest {
    Length(usize),
    Chunks(Chunks),
}

/// A chunked body in the making.
#[derive(Debug, Clone, Copy)]
struct Chunks {
    /// Where the part that is joined already ends.
    joined: usize,
    /// Where the next bytes are that have not been looked at.
    next: usize,
    stage: Stage,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Size,
    Data(usize),
    /// The line end behind the data.
    Behind,
    Trailer,
}

/// Where a whole request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// Where its body ends.
    pub(super) body: usize,
    /// Where the next request begins.
    pub(super) whole: usize,
}

/// The head of a request, parsed.
pub(super) type Slots<'a> = [MaybeUninit<httparse::Header<'a>>; MOST_HEADERS];

/// Where the head of a request ends; `searched` bytes have been looked at before, and it is not in them. `None` where it is not
/// whole.
///
/// Errors: it is no HTTP/1.1, or too long.
pub(super) fn head_end(came: &[u8], searched: usize) -> Result<Option<usize>, Broken> {
    let from = searched.saturating_sub(3);
    if let Some(end) = memchr::memmem::find(&came[from..], b"\r\n\r\n") {
        let head = from + end + 4;
        return if head > LONGEST_HEAD { Err(Broken::Malformed) } else { Ok(Some(head)) };
    }
    // What does not begin like a request never becomes one.
    let begins = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'\r' | b'\n');
    let begun = came.first().is_none_or(begins);
    if begun && came.len() <= LONGEST_HEAD { Ok(None) } else { Err(Broken::Malformed) }
}

/// Parses a head that is whole. Errors: it is no HTTP.
pub(super) fn parse<'h, 'b>(
    head: &'b [u8],
    slots: &'h mut Slots<'b>,
) -> Result<httparse::Request<'h, 'b>, Broken> {
    let mut parsed = httparse::Request::new(&mut []);
    match parsed.parse_with_uninit_headers(head, slots) {
        Ok(httparse::Status::Complete(_)) => Ok(parsed),
        _ => Err(Broken::Malformed),
    }
}

impl Incoming {
    /// What a head of that length says of the request behind it.
    ///
    /// Errors: it says what cannot be, or what is not known here.
    pub(super) fn of(parsed: &httparse::Request<'_, '_>, head: usize) -> Result<Self, Broken> {
        let mut persists = parsed.version == Some(1);
        let (mut expects, mut length, mut chunked) = (false, None, false);
        for header in parsed.headers.iter() {
            // By its length first: most headers are none of these.
            match header.name.len() {
                6 if header.name.eq_ignore_ascii_case("expect") => {
                    expects = header.value.eq_ignore_ascii_case(b"100-continue");
                }
                10 if header.name.eq_ignore_ascii_case("connection") => {
                    let mut tokens = header.value.split(|&byte| byte == b',');
                    persists &= !tokens.any(|token| token.trim_ascii().eq_ignore_ascii_case(b"close"));
                }
                14 if header.name.eq_ignore_ascii_case("content-length") => {
                    let given = digits(header.value).ok_or(Broken::Malformed)?;
                    if length.is_some_and(|length| length != given) {
                        return Err(Broken::Malformed);
                    }
                    length = Some(given);
                }
                17 if header.name.eq_ignore_ascii_case("transfer-encoding") => {
                    if !header.value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                        return Err(Broken::Malformed);
                    }
                    chunked = true;
                }
                _ => {}
            }
        }
        let rest = match (chunked, length) {
            // Two lengths: whoever stands in between may have taken the other.
            (true, Some(_)) => return Err(Broken::Malformed),
            (true, None) => Rest::Chunks(Chunks { joined: head, next: head, stage: Stage::Size }),
            (false, length) => Rest::Length(length.unwrap_or(0)),
        };
        Ok(Self { head, persists, expects, rest })
    }

    /// How many bytes the whole will take, where that is known.
    pub(super) fn length(&self) -> Option<usize> {
        match self.rest {
            Rest::Length(length) => Some(self.head.saturating_add(length)),
            Rest::Chunks(_) => None,
        }
    }

    /// Where it ends, once all of it has come.
    ///
    /// Errors: its chunks are none, or its body is longer than `most`.
    pub(super) fn end(&mut self, came: &mut [u8], most: usize) -> Result<Option<End>, Broken> {
        match &mut self.rest {
            Rest::Length(length) if *length > most => Err(Broken::TooLarge),
            Rest::Length(length) => {
                let whole = self.head + *length;
                Ok((came.len() >= whole).then_some(End { body: whole, whole }))
            }
            Rest::Chunks(chunks) => chunks.join(came, self.head, most),
        }
    }

    /// How many bytes behind the joined part of a chunked body are of no more use: its framing.
    pub(super) fn slack(&mut self, came: &mut Vec<u8>) {
        if let Rest::Chunks(chunks) = &mut self.rest
            && chunks.next > chunks.joined
        {
            came.copy_within(chunks.next.., chunks.joined);
            came.truncate(came.len() - (chunks.next - chunks.joined));
            chunks.next = chunks.joined;
        }
    }
}

impl Chunks {
    fn join(&mut self, came: &mut [u8], head: usize, most: usize) -> Result<Option<End>, Broken> {
        loop {
            match self.stage {
                Stage::Data(length) => {
                    let part = length.min(came.len() - self.next);
                    came.copy_within(self.next..self.next + part, self.joined);
                    (self.joined, self.next) = (self.joined + part, self.next + part);
                    if part < length {
                        self.stage = Stage::Data(length - part);
                        return Ok(None);
                    }
                    self.stage = Stage::Behind;
                }
                stage => {
                    let line = &came[self.next..];
                    let Some(end) = memchr::memmem::find(line, b"\r\n") else {
                        return if line.len() > LONGEST_LINE { Err(Broken::Malformed) } else { Ok(None) };
                    };
                    let line = &line[..end];
                    self.next += end + 2;
                    self.stage = match stage {
                        Stage::Size => match size(line).ok_or(Broken::Malformed)? {
                            0 => Stage::Trailer,
                            length if length > most - (self.joined - head) => return Err(Broken::TooLarge),
                            length => Stage::Data(length),
                        },
                        Stage::Behind if line.is_empty() => Stage::Size,
                        Stage::Trailer if line.is_empty() => {
                            return Ok(Some(End { body: self.joined, whole: self.next }));
                        }
                        Stage::Trailer if line.len() <= LONGEST_LINE => Stage::Trailer,
                        _ => return Err(Broken::Malformed),
                    };
                }
            }
        }
    }
}

/// A length in decimal digits and nothing else.
fn digits(text: &[u8]) -> Option<usize> {
    let text = text.trim_ascii();
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

/// A chunk's size; what stands behind a semicolon says nothing.
fn size(line: &[u8]) -> Option<usize> {
    let digits = line.split(|&byte| byte == b';').next()?.trim_ascii();
    let hexadecimal = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    usize::from_str_radix(std::str::from_utf8(digits).ok().filter(|_| hexadecimal)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use std::mem::MaybeUninit;

    use super::super::Broken;
    use super::{End, Incoming, MOST_HEADERS, head_end, parse};

    /// Gives the request in pieces of that length; returns its body and how much of it was used.
    fn read(request: &str, piece: usize, most: usize) -> Result<(Vec<u8>, usize), Broken> {
        let mut came = Vec::new();
        let (mut incoming, mut searched) = (None::<Incoming>, 0);
        for part in request.as_bytes().chunks(piece) {
            came.extend_from_slice(part);
            if incoming.is_none() {
                let head = head_end(&came, searched)?;
                searched = came.len();
                let mut slots = [const { MaybeUninit::uninit() }; MOST_HEADERS];
                incoming = match head {
                    Some(head) => Some(Incoming::of(&parse(&came[..head], &mut slots)?, head)?),
                    None => None,
                };
            }
            if let Some(one) = &mut incoming
                && let Some(End { body, whole }) = one.end(&mut came, most)?
            {
                return Ok((came[one.head..body].to_vec(), whole));
            }
        }
        Err(Broken::CutOff)
    }

    #[test]
    fn bodies_end_where_their_framing_says_however_they_come() {
        let length = "POST / HTTP/1.1\r\ncontent-LENGTH: 5\r\n\r\nhello";
        let chunks = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n02\r\nlo\r\n0\r\nA: b\r\n\r\n";
        for request in [length, chunks] {
            for piece in 1..=request.len() {
                let read = read(&format!("{request}{length}"), piece, 5);
                assert_eq!(read, Ok((b"hello".to_vec(), request.len())), "{request} in pieces of {piece}");
            }
            assert_eq!(read(request, 7, 4), Err(Broken::TooLarge), "{request}");
            assert_eq!(read(&request[..request.len() - 1], 7, 5), Err(Broken::CutOff), "{request}");
        }
    }

    #[test]
    fn what_is_no_request_is_told_apart() {
        for request in [
            "\u{1}\r\n\r\n",
            "\u{1}",
            "HTTP/1.1 200 OK\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        ] {
            assert_eq!(read(request, 3, 99), Err(Broken::Malformed), "{request:?}");
        }
        let long = format!("POST / HTTP/1.1\r\nA: {}\r\n", "a".repeat(super::LONGEST_HEAD));
        assert_eq!(read(&long, 1000, 99), Err(Broken::Malformed));
    }
}
