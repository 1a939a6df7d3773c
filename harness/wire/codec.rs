//! HTTP/1.1 as bytes: decides what is a valid message, and writes messages.
//!
//! Heads, framing and chunks are parsed without I/O ([`head_end`], [`parse_request`], [`RequestFacts`], [`Chunks`] …). The
//! client, every endpoint and the load generator share this code, so they agree on what is malformed.
//!
//! Invariant: bounded. A head has at most `LONGEST_HEAD` bytes; of a body, only what the caller allows is kept.

mod chunks;
mod fault;
mod head;
mod reader;
mod request;
mod watch;

use bytes::BufMut;

use crate::terminal::quoted;
use crate::wire::exchange::{Headers, Response};

pub use chunks::{Chunks, Part};
pub use fault::{FramingFault, WrongLength};
pub use head::{
    AnswerFacts, Framing, MOST_HEADERS, RequestFacts, Side, Slots, has_token, head_end, is_token,
    parse_answer, parse_request, slots,
};
pub(crate) use reader::collect;
pub use reader::{AnswerHead, ReadError, Reader, RequestHead};
pub use request::{Step, encode_request};
pub use watch::Watch;

/// The longest head, in bytes.
pub(crate) const LONGEST_HEAD: usize = 64 * 1024;
/// How many chunk lengths are kept of one body.
pub(crate) const LONGEST_CHUNK_LIST: usize = 4096;

pub fn encode_response(response: &Response) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} {}\r\n", response.status, reason(response.status)).into_bytes();
    push_headers(&mut head, &response.headers);
    if may_have_body(response.status) {
        head.extend_from_slice(format!("Content-Length: {}\r\n\r\n", response.body.len()).as_bytes());
        head.extend_from_slice(&response.body);
    } else {
        head.extend_from_slice(b"\r\n");
    }
    head
}

fn push_headers(head: &mut impl BufMut, headers: &Headers) {
    for (name, value) in &headers.0 {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            head.put_slice(part);
        }
    }
}

/// The usual reason phrase; empty for a status that is not known.
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        102 => "Processing",
        103 => "Early Hints",
        200 => "OK",
        202 => "Accepted",
        201 => "Created",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        419 => "Page Expired",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

fn may_have_body(status: u16) -> bool {
    !(status < 200 || status == 204 || status == 304)
}

/// The first bytes that a peer sent, quoted and escaped to fit on one line.
pub(crate) fn quote(bytes: &[u8]) -> String {
    const LONGEST: usize = 120;
    let mut text = quoted(&bytes[..bytes.len().min(LONGEST)]);
    if bytes.len() > LONGEST {
        text.insert(text.len() - 1, '…');
    }
    text
}
