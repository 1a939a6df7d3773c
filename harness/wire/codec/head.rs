//! Heads: where one ends, and what it says about the message.
//!
//! A request is parsed strictly (RFC 9112, with every MAY that allows a server to reject): whatever two readers could frame
//! differently is a fault. An answer is parsed leniently, as the RFC asks of a client.
//!
//! Invariant: a head is parsed in place, without allocation.

use std::mem::MaybeUninit;

use httparse::{Header, Status};

use super::{FramingFault, LONGEST_HEAD};
use crate::wire::exchange::Headers;

/// The maximum number of headers in a message.
pub const MOST_HEADERS: usize = 200;

pub type Slots<'a> = [MaybeUninit<Header<'a>>; MOST_HEADERS];

pub const fn slots<'a>() -> Slots<'a> {
    [const { MaybeUninit::uninit() }; MOST_HEADERS]
}

/// How a body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Length(u64),
    Chunked,
    /// Until the connection ends (answers only).
    UntilClose,
}

/// What the head of a request says about the body and the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestFacts {
    pub framing: Framing,
    /// Whether another request may follow on the connection.
    pub persists: bool,
    /// Whether the sender waits for `100 Continue` before it sends the body.
    pub expects: bool,
}

/// What the head of an answer says about the body and the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerFacts {
    pub status: u16,
    pub framing: Framing,
    pub persists: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Request,
    Answer,
}

/// Where a head ends, its empty line included; `None` if it is not complete yet. The first `searched` bytes were searched
/// before.
///
/// Errors: the bytes are too long, or cannot become a head.
pub fn head_end(arrived: &[u8], searched: usize, side: Side) -> Result<Option<usize>, FramingFault> {
    // Empty lines may precede the start line (RFC 9112, section 2.2).
    let mut start = 0;
    while arrived[start..].starts_with(b"\r\n") {
        start += 2;
    }
    let from = searched.saturating_sub(3).max(start);
    if let Some(at) = memchr::memmem::find(&arrived[from..], b"\r\n\r\n") {
        let end = from + at + 4;
        return if end > LONGEST_HEAD { Err(FramingFault::HeadTooLong) } else { Ok(Some(end)) };
    }
    let begins = match (side, &arrived[start..]) {
        (_, [] | [b'\r']) => true,
        (Side::Request, [first, ..]) => first.is_ascii_alphabetic() || *first == b'\n',
        (Side::Answer, begun) => begun.iter().zip(b"HTTP/").all(|(one, other)| one == other),
    };
    if !begins {
        return Err(FramingFault::NotHttp);
    }
    if arrived.len() > LONGEST_HEAD {
        return Err(FramingFault::HeadTooLong);
    }
    // A head whose lines end with line feeds alone would never seem complete.
    let alone = |at: usize| arrived[..from + at].last() != Some(&b'\r');
    if memchr::memchr_iter(b'\n', &arrived[from..]).any(alone) {
        return Err(FramingFault::BareLineFeed);
    }
    Ok(None)
}

/// Parses the complete head of a request, as [`head_end`] finds it.
pub fn parse_request<'h, 'b>(
    head: &'b [u8],
    slots: &'h mut Slots<'b>,
) -> Result<httparse::Request<'h, 'b>, FramingFault> {
    let mut parsed = httparse::Request::new(&mut []);
    match parsed.parse_with_uninit_headers(head, slots) {
        Ok(Status::Complete(length)) if length == head.len() && lines_end(head, parsed.headers) => Ok(parsed),
        Ok(_) => Err(FramingFault::BareLineFeed),
        Err(why) => Err(fault(head, why)),
    }
}

/// Parses the complete head of an answer, as [`head_end`] finds it.
pub fn parse_answer<'h, 'b>(
    head: &'b [u8],
    slots: &'h mut Slots<'b>,
) -> Result<httparse::Response<'h, 'b>, FramingFault> {
    let mut parsed = httparse::Response::new(&mut []);
    let parser = httparse::ParserConfig::default();
    match parser.parse_response_with_uninit_headers(&mut parsed, head, slots) {
        Ok(Status::Complete(length)) if length == head.len() && lines_end(head, parsed.headers) => Ok(parsed),
        Ok(_) => Err(FramingFault::BareLineFeed),
        Err(why) => Err(fault(head, why)),
    }
}

/// Whether the line before each header ends with CRLF. The parser also accepts a line feed alone.
fn lines_end(head: &[u8], headers: &[Header<'_>]) -> bool {
    let starts =
        headers.iter().map(|header| (header.name.as_ptr() as usize).wrapping_sub(head.as_ptr() as usize));
    let mut starts = starts.filter_map(|at| head.get(..at));
    // So is a line feed before the start line.
    head.first() != Some(&b'\n') && starts.all(|before| before.ends_with(b"\r\n"))
}

impl RequestFacts {
    /// Errors: the end of the body is unknown or ambiguous.
    pub(crate) fn of(parsed: &httparse::Request<'_, '_>) -> Result<Self, FramingFault> {
        let modern = parsed.version != Some(0);
        let (mut hosts, mut length, mut chunked, mut expects, mut persists) = (0, None, false, false, modern);
        for header in parsed.headers.iter() {
            // Compare lengths first: most headers are none of these.
            match header.name.len() {
                4 if header.name.eq_ignore_ascii_case("host") => hosts += 1,
                6 if header.name.eq_ignore_ascii_case("expect") => {
                    // HTTP/1.0 does not know it (RFC 9110, section 10.1.1).
                    expects |= modern && header.value.eq_ignore_ascii_case(b"100-continue");
                }
                10 if header.name.eq_ignore_ascii_case("connection") => {
                    persists = persistence(header.value, persists);
                }
                14 if header.name.eq_ignore_ascii_case("content-length") => {
                    let given = digits(header.value)?;
                    if length.replace(given).is_some() {
                        return Err(FramingFault::LengthTwice);
                    }
                }
                17 if header.name.eq_ignore_ascii_case("transfer-encoding") => {
                    if chunked || !header.value.eq_ignore_ascii_case(b"chunked") {
                        return Err(FramingFault::UnknownCoding);
                    }
                    chunked = true;
                }
                _ => {}
            }
        }
        let framing = match (chunked, length) {
            (true, Some(_)) => return Err(FramingFault::LengthAndChunked),
            (true, None) if !modern => return Err(FramingFault::CodingInHttp10),
            (true, None) => Framing::Chunked,
            (false, length) => Framing::Length(length.unwrap_or(0)),
        };
        match hosts {
            0 if modern => Err(FramingFault::HostMissing),
            0 | 1 => Ok(Self { framing, persists, expects }),
            _ => Err(FramingFault::HostTwice),
        }
    }
}

impl AnswerFacts {
    /// Follows RFC 9112, section 6.3.
    ///
    /// Errors: the end of the body is unknown.
    pub(crate) fn of(parsed: &httparse::Response<'_, '_>) -> Result<Self, FramingFault> {
        let status = parsed.code.unwrap_or_default();
        let bodiless = matches!(status, 100..=199 | 204 | 304);
        let (mut length, mut chunked, mut persists) = (None, None, parsed.version == Some(1));
        for header in parsed.headers.iter() {
            match header.name.len() {
                10 if header.name.eq_ignore_ascii_case("connection") => {
                    persists = persistence(header.value, persists);
                }
                14 if !bodiless && header.name.eq_ignore_ascii_case("content-length") => {
                    let given = digits(header.value)?;
                    // Repeating the same length is harmless.
                    if length.replace(given).is_some_and(|before| before != given) {
                        return Err(FramingFault::LengthTwice);
                    }
                }
                17 if header.name.eq_ignore_ascii_case("transfer-encoding") => {
                    let last = header.value.rsplit(|&byte| byte == b',').next().unwrap_or_default();
                    chunked = Some(last.trim_ascii().eq_ignore_ascii_case(b"chunked"));
                }
                _ => {}
            }
        }
        let framing = match (chunked, length) {
            _ if bodiless => Framing::Length(0),
            (Some(true), _) => Framing::Chunked,
            (None, Some(length)) => Framing::Length(length),
            (Some(false), _) | (None, None) => Framing::UntilClose,
        };
        persists &= status != 101 && framing != Framing::UntilClose;
        Ok(Self { status, framing, persists })
    }
}

/// Whether a `Connection` header has this token.
pub fn has_token(headers: &Headers, token: &str) -> bool {
    headers.all("connection").any(|value| lists(value, token.as_bytes()))
}

/// Whether the connection persists after this `Connection` header. `close` wins over `keep-alive`.
fn persistence(value: &[u8], before: bool) -> bool {
    !lists(value, b"close") && (before || lists(value, b"keep-alive"))
}

fn lists(value: &[u8], token: &[u8]) -> bool {
    value.split(|&byte| byte == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(token))
}

/// Parses a length that is decimal digits and nothing else.
pub(super) fn digits(value: &[u8]) -> Result<u64, FramingFault> {
    let number = |before: u64, byte: &u8| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        before.checked_mul(10)?.checked_add(digit)
    };
    let read = value.iter().try_fold(0, number).filter(|_| !value.is_empty());
    read.ok_or_else(|| match value {
        [b'+' | b'-', ..] => FramingFault::LengthSigned,
        _ if value.contains(&b',') => FramingFault::LengthListed,
        _ => FramingFault::LengthNotDigits,
    })
}

/// The fault of a head that the parser rejects.
#[cold]
fn fault(head: &[u8], why: httparse::Error) -> FramingFault {
    let text = head.trim_ascii_start();
    for (at, &byte) in text.iter().enumerate() {
        if byte == b'\n' && at.checked_sub(1).is_none_or(|before| text[before] != b'\r') {
            return FramingFault::BareLineFeed;
        }
        if byte == b'\r' && text.get(at + 1) != Some(&b'\n') {
            return FramingFault::BareCarriageReturn;
        }
    }
    let lines = text.split(|&byte| byte == b'\n').skip(1);
    for line in lines.take_while(|line| !matches!(line, [] | [b'\r'])) {
        if matches!(line, [b' ' | b'\t', ..]) {
            return FramingFault::FoldedLine;
        }
        let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
        if name.trim_ascii_end().len() < name.len() && is_token(name.trim_ascii_end()) {
            return FramingFault::SpaceBeforeColon;
        }
    }
    match why {
        httparse::Error::HeaderName => FramingFault::HeaderName,
        httparse::Error::HeaderValue => FramingFault::HeaderValue,
        httparse::Error::TooManyHeaders => FramingFault::TooManyHeaders,
        _ if !text.first().is_some_and(u8::is_ascii_alphabetic) => FramingFault::NotHttp,
        _ => FramingFault::StartLine,
    }
}

/// Whether this is a token (RFC 9110, section 5.6.2).
pub fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_token_byte(byte))
}

pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
