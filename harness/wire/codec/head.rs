//! Heads: where one ends, and what it says of the message.
//!
//! A request is read strictly (RFC 9112, with every MAY that lets a server refuse): whatever two readers could frame
//! differently is a fault. An answer is read as a client has to: what the RFC says how to read is read so.
//!
//! Invariant: a head is judged where it lies, without allocation.

use std::mem::MaybeUninit;

use httparse::{Header, Status};

use super::{FramingFault, LONGEST_HEAD};
use crate::wire::exchange::Headers;

/// How many headers a message has at most.
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

/// What the head of a request says of what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestFacts {
    pub framing: Framing,
    /// Whether another request may follow on the connection.
    pub persists: bool,
    /// Whether the sender waits for `100 Continue` before it sends the body.
    pub expects: bool,
}

/// What the head of an answer says of what follows it.
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

/// Where a head ends, its empty line included; `None` where more has to come. The first `searched` bytes have been looked at
/// before, in vain.
///
/// Errors: what came is too long, or never becomes a head.
pub fn head_end(came: &[u8], searched: usize, side: Side) -> Result<Option<usize>, FramingFault> {
    // Empty lines may go before a first line (RFC 9112, section 2.2).
    let mut start = 0;
    while came[start..].starts_with(b"\r\n") {
        start += 2;
    }
    let from = searched.saturating_sub(3).max(start);
    if let Some(at) = memchr::memmem::find(&came[from..], b"\r\n\r\n") {
        let end = from + at + 4;
        return if end > LONGEST_HEAD { Err(FramingFault::HeadTooLong) } else { Ok(Some(end)) };
    }
    let begins = match (side, &came[start..]) {
        (_, [] | [b'\r']) => true,
        (Side::Request, [first, ..]) => first.is_ascii_alphabetic() || *first == b'\n',
        (Side::Answer, begun) => begun.iter().zip(b"HTTP/").all(|(one, other)| one == other),
    };
    if !begins {
        return Err(FramingFault::NotHttp);
    }
    if came.len() > LONGEST_HEAD {
        return Err(FramingFault::HeadTooLong);
    }
    // A head whose lines end with line feeds alone would be waited for in vain.
    let alone = |at: usize| came[..from + at].last() != Some(&b'\r');
    if memchr::memchr_iter(b'\n', &came[from..]).any(alone) {
        return Err(FramingFault::BareLineFeed);
    }
    Ok(None)
}

/// Parses the head of a request that is whole, as [`head_end`] finds it.
///
/// Errors: what is wrong with it.
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

/// Parses the head of an answer that is whole, as [`head_end`] finds it.
///
/// Errors: what is wrong with it.
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

/// Whether the line before each header ends with CRLF: the parser takes a line feed alone, too.
fn lines_end(head: &[u8], headers: &[Header<'_>]) -> bool {
    let starts =
        headers.iter().map(|header| (header.name.as_ptr() as usize).wrapping_sub(head.as_ptr() as usize));
    let mut starts = starts.filter_map(|at| head.get(..at));
    // A line feed before the first line is one alone as well.
    head.first() != Some(&b'\n') && starts.all(|before| before.ends_with(b"\r\n"))
}

impl RequestFacts {
    /// What the head of a request says.
    ///
    /// Errors: where its body ends cannot be told, or could be told in two ways.
    pub(crate) fn of(parsed: &httparse::Request<'_, '_>) -> Result<Self, FramingFault> {
        let modern = parsed.version != Some(0);
        let (mut hosts, mut length, mut chunked, mut expects, mut persists) = (0, None, false, false, modern);
        for header in parsed.headers.iter() {
            // By its length first: most headers are none of these.
            match header.name.len() {
                4 if header.name.eq_ignore_ascii_case("host") => hosts += 1,
                6 if header.name.eq_ignore_ascii_case("expect") => {
                    expects |= header.value.eq_ignore_ascii_case(b"100-continue");
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
    /// What the head of an answer says (RFC 9112, section 6.3).
    ///
    /// Errors: where its body ends cannot be told.
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
                    // The same length again says nothing new.
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

/// Whether the `Connection` headers have that token.
pub fn has_token(headers: &Headers, token: &str) -> bool {
    headers.all("connection").any(|value| lists(value, token.as_bytes()))
}

/// What a `Connection` header makes of whether a connection persists. `close` goes before `keep-alive`.
fn persistence(value: &[u8], before: bool) -> bool {
    !lists(value, b"close") && (before || lists(value, b"keep-alive"))
}

fn lists(value: &[u8], token: &[u8]) -> bool {
    value.split(|&byte| byte == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(token))
}

/// A length in decimal digits and nothing else.
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

/// What is wrong with a head that the parser refuses.
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

/// Whether it is a token of RFC 9110, section 5.6.2.
pub fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_token_byte(byte))
}

pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
