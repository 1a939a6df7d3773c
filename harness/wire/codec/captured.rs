//! Parses a request that a person or a tool captured into a file.

use httparse::Status;

use super::head::digits;
use super::{FramingFault, MOST_HEADERS};
use crate::wire::exchange::Headers;

#[derive(Debug)]
pub struct Captured<'a> {
    pub method: &'a str,
    /// Unchanged from the request line.
    pub target: &'a str,
    pub headers: Headers,
    pub body: &'a [u8],
}

/// Why a file is not a captured request with a known body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotCaptured {
    NoEmptyLine,
    /// The body is chunked, and what is signed is the body without its chunks.
    InChunks,
    /// It is not a request, with the parser's error.
    NoRequest(httparse::Error),
    /// The length of its body is not clear.
    Framing(FramingFault),
}

/// Parses a captured request. Lines may end with a line feed alone, and headers of the connection may be missing, because
/// editors and tools change both. Without a length, the rest of the file is the body.
pub fn captured(bytes: &[u8]) -> Result<Captured<'_>, NotCaptured> {
    let mut slots = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Request::new(&mut slots);
    let head = match parsed.parse(bytes) {
        Ok(Status::Complete(head)) => head,
        Ok(Status::Partial) => return Err(NotCaptured::NoEmptyLine),
        Err(why) => return Err(NotCaptured::NoRequest(why)),
    };
    let headers = super::reader::collect(parsed.headers);
    if headers.all("transfer-encoding").next().is_some() {
        return Err(NotCaptured::InChunks);
    }
    let mut lengths = headers.all("content-length");
    let length = lengths.next().map(|value| digits(value)).transpose().map_err(NotCaptured::Framing)?;
    if lengths.next().is_some() {
        return Err(NotCaptured::Framing(FramingFault::LengthTwice));
    }
    drop(lengths);
    let body = &bytes[head..];
    let end = length.and_then(|length| usize::try_from(length).ok()).unwrap_or(usize::MAX).min(body.len());
    let (method, target) = (parsed.method.unwrap_or_default(), parsed.path.unwrap_or_default());
    Ok(Captured { method, target, headers, body: &body[..end] })
}
