//! HTTP/1.1 as bytes, for the wire-exact client and the raw endpoint: heads, framing, chunks.
//!
//! Invariant: bounded. A head is at most [`MAX_HEAD`] bytes, a body no more than its caller allows to be kept.

mod request;

use std::fmt::Write as _;
use std::io;
use std::mem::MaybeUninit;

use bytes::{BufMut, Bytes, BytesMut};
use httparse::ParserConfig;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::wire::exchange::{Delivery, Headers, Response, Transfer};

pub use request::{Step, encode_request};

/// The longest head that is read, in bytes.
pub const MAX_HEAD: usize = 64 * 1024;
const MAX_HEADERS: usize = 200;
/// How many chunks' lengths are kept.
const MAX_CHUNKS: usize = 4096;
const READ_SIZE: usize = 16 * 1024;

/// Why no whole message could be read.
#[derive(Debug)]
pub enum ReadError {
    /// The connection ended before the head was whole; `true` where not a single byte had come.
    Closed {
        /// Whether nothing at all had come.
        empty: bool,
    },
    /// The connection failed.
    Io(io::Error),
    /// What came is no HTTP.
    Malformed(String),
    /// The body is longer than allowed.
    TooLarge,
}

/// How a body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// That many bytes.
    Length(u64),
    /// Chunks.
    Chunked,
    /// Until the connection ends (responses only).
    UntilClose,
}

/// The head of a final response.
#[derive(Debug)]
pub struct ResponseHead {
    /// The response, without its body.
    pub response: Response,
    /// How its body is delimited.
    pub framing: Framing,
    /// Whether the connection may carry another exchange behind this one.
    pub persistent: bool,
}

/// The head of a request.
#[derive(Debug)]
pub struct RequestHead {
    /// The request without its body.
    pub delivery: Delivery,
    /// How the body is delimited.
    pub framing: Framing,
    /// Whether another request may follow on the connection.
    pub persists: bool,
}

/// What has been read of a connection and not yet used.
#[derive(Debug, Default)]
pub struct Reader {
    buffer: BytesMut,
    /// How many bytes have come in all.
    received: u64,
    /// The lengths of the chunks of the body that was read last.
    chunks: Vec<usize>,
}

/// A response's bytes.
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

fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        102 => "Processing",
        103 => "Early Hints",
        200 => "OK",
        202 => "Accepted",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "",
    }
}

fn may_have_body(status: u16) -> bool {
    !(status < 200 || status == 204 || status == 304)
}

impl Reader {
    /// Reads the head of the final response. Interim ones (1xx) are passed over; `interim` is told their statuses.
    pub async fn response_head<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
        interim: impl Fn(u16),
    ) -> Result<ResponseHead, ReadError> {
        loop {
            let head = self.head(stream).await?;
            let mut slots = [const { MaybeUninit::uninit() }; MAX_HEADERS];
            let mut parsed = httparse::Response::new(&mut []);
            let parser = ParserConfig::default();
            let read = parser.parse_response_with_uninit_headers(&mut parsed, &head, &mut slots);
            read.map_err(|why| ReadError::Malformed(format!("{why}: {}", quote(&head))))?;
            let status = parsed.code.unwrap_or_default();
            if (100..200).contains(&status) && status != 101 {
                interim(status);
                continue;
            }
            let (version, headers) = (parsed.version, collect(parsed.headers));
            let framing = if may_have_body(status) {
                framing(&headers, Framing::UntilClose)?
            } else {
                Framing::Length(0)
            };
            let persistent = status != 101
                && framing != Framing::UntilClose
                && !has_token(&headers, "close")
                && (version == Some(1) || has_token(&headers, "keep-alive"));
            return Ok(ResponseHead {
                response: Response { status, headers, body: Bytes::new() },
                framing,
                persistent,
            });
        }
    }

    /// How many bytes have come in all.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Whether everything that has come has been used.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Reads a whole request, with a body of at most `limit` bytes.
    pub async fn request<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
        limit: usize,
    ) -> Result<Delivery, ReadError> {
        let RequestHead { mut delivery, framing, .. } = self.request_head(stream).await?;
        if matches!(framing, Framing::Length(length) if length > limit as u64) {
            return Err(ReadError::TooLarge);
        }
        let (body, whole) = self.body(stream, framing, limit, limit).await?;
        if !whole {
            return Err(ReadError::TooLarge);
        }
        delivery.body = body;
        delivery.transfer = self.transfer(framing);
        Ok(delivery)
    }

    /// Reads the head of a request.
    pub async fn request_head<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
    ) -> Result<RequestHead, ReadError> {
        let head = self.head(stream).await?;
        let mut slots = [const { MaybeUninit::uninit() }; MAX_HEADERS];
        let mut parsed = httparse::Request::new(&mut []);
        let read = parsed.parse_with_uninit_headers(&head, &mut slots);
        read.map_err(|why| ReadError::Malformed(format!("{why}: {}", quote(&head))))?;
        let (method, target) =
            (parsed.method.unwrap_or_default().to_owned(), parsed.path.unwrap_or_default().to_owned());
        let headers = collect(parsed.headers);
        let framing = framing(&headers, Framing::Length(0))?;
        let says = |word: &[u8]| headers.all("connection").any(|value| value.eq_ignore_ascii_case(word));
        let persists = if parsed.version == Some(0) { says(b"keep-alive") } else { !says(b"close") };
        let delivery = Delivery { method, target, headers, body: Bytes::new(), transfer: Transfer::Whole };
        Ok(RequestHead { delivery, framing, persists })
    }

    /// How the body that was read last came over the wire.
    pub fn transfer(&mut self, framing: Framing) -> Transfer {
        match framing {
            Framing::Chunked => Transfer::Chunks(std::mem::take(&mut self.chunks)),
            _ => Transfer::Whole,
        }
    }

    /// Waits for the first byte of the next message; `false` where the connection ended before it.
    pub async fn begins<R: AsyncRead + Unpin>(&mut self, stream: &mut R) -> Result<bool, ReadError> {
        Ok(!self.buffer.is_empty() || self.fill(stream).await? > 0)
    }

    /// What has been read and not yet used.
    pub fn unused(&self) -> &[u8] {
        &self.buffer
    }

    /// Waits until the peer ends the connection. What it sends meanwhile is kept, up to a head's length.
    pub async fn ended<R: AsyncRead + Unpin>(&mut self, stream: &mut R) {
        while self.buffer.len() < MAX_HEAD {
            if !matches!(self.fill(stream).await, Ok(1..)) {
                return;
            }
        }
        // Whoever sends on and on has not gone; what it does next is not seen until it is read.
        std::future::pending().await
    }

    /// Reads a body to its end, keeps the first `keep` bytes of it, and gives up behind `limit` bytes. Returns what was
    /// kept, and whether the end was reached.
    pub async fn body<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
        framing: Framing,
        keep: usize,
        limit: usize,
    ) -> Result<(Bytes, bool), ReadError> {
        let mut body = BytesMut::new();
        let mut keep_of = |part: &[u8]| {
            let room = keep.saturating_sub(body.len());
            body.extend_from_slice(&part[..part.len().min(room)]);
        };
        let whole = self.body_in_parts(stream, framing, limit as u64, &mut keep_of).await?;
        Ok((body.freeze(), whole))
    }

    /// Reads a body to its end and hands each part of it on as it comes; gives up behind `limit` bytes. Returns whether
    /// the end was reached.
    pub async fn body_in_parts<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
        framing: Framing,
        limit: u64,
        part: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<bool, ReadError> {
        let mut seen = 0_u64;
        self.chunks.clear();
        match framing {
            Framing::Length(length) => {
                self.take(stream, length.min(limit), part).await?;
                Ok(length <= limit)
            }
            Framing::UntilClose => loop {
                if self.buffer.is_empty() && self.fill(stream).await? == 0 {
                    return Ok(true);
                }
                let rest = usize::try_from(limit - seen).unwrap_or(usize::MAX).min(self.buffer.len());
                if rest == 0 {
                    return Ok(false);
                }
                seen += rest as u64;
                part(&self.buffer.split_to(rest));
            },
            Framing::Chunked => loop {
                let line = self.line(stream).await?;
                let digits = line.split(|&byte| byte == b';').next().unwrap_or_default();
                let size = std::str::from_utf8(digits)
                    .ok()
                    .and_then(|text| usize::from_str_radix(text.trim(), 16).ok());
                let size =
                    size.ok_or_else(|| ReadError::Malformed(format!("chunk size {}", quote(&line))))?;
                if size == 0 {
                    while !self.line(stream).await?.is_empty() {}
                    return Ok(true);
                }
                seen = seen.saturating_add(size as u64);
                // A peer that sends a byte in each chunk shall not fill the memory with lengths.
                if self.chunks.len() < MAX_CHUNKS {
                    self.chunks.push(size);
                }
                if seen > limit {
                    return Ok(false);
                }
                self.take(stream, size as u64, part).await?;
                self.line(stream).await?;
            },
        }
    }

    /// Hands `length` bytes on.
    async fn take<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
        length: u64,
        part: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<(), ReadError> {
        let mut left = length;
        while left > 0 {
            if self.buffer.is_empty() && self.fill(stream).await? == 0 {
                return Err(ReadError::Closed { empty: false });
            }
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
            part(&self.buffer.split_to(count));
            left -= count as u64;
        }
        Ok(())
    }

    async fn head<R: AsyncRead + Unpin>(&mut self, stream: &mut R) -> Result<Bytes, ReadError> {
        let mut searched = 0;
        loop {
            if let Some(at) = find(&self.buffer[searched..], b"\r\n\r\n") {
                return Ok(self.buffer.split_to(searched + at + 4).freeze());
            }
            searched = self.buffer.len().saturating_sub(3);
            if self.buffer.len() > MAX_HEAD {
                return Err(ReadError::Malformed(format!("a head of more than {MAX_HEAD} bytes")));
            }
            if self.fill(stream).await? == 0 {
                return Err(if self.buffer.is_empty() {
                    ReadError::Closed { empty: true }
                } else if self.buffer.starts_with(b"HTTP/") || self.buffer.len() < 5 {
                    ReadError::Closed { empty: false }
                } else {
                    ReadError::Malformed(format!("it begins {}", quote(&self.buffer)))
                });
            }
        }
    }

    async fn line<R: AsyncRead + Unpin>(&mut self, stream: &mut R) -> Result<Bytes, ReadError> {
        loop {
            if let Some(at) = find(&self.buffer, b"\r\n") {
                let line = self.buffer.split_to(at + 2).freeze();
                return Ok(line.slice(..at));
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(ReadError::Malformed("a chunk's line without end".to_owned()));
            }
            if self.fill(stream).await? == 0 {
                return Err(ReadError::Closed { empty: false });
            }
        }
    }

    async fn fill<R: AsyncRead + Unpin>(&mut self, stream: &mut R) -> Result<usize, ReadError> {
        self.buffer.reserve(READ_SIZE);
        match stream.read_buf(&mut self.buffer).await {
            Ok(count) => {
                self.received += count as u64;
                Ok(count)
            }
            // TLS that ends without saying so: an end all the same.
            Err(why) if why.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            Err(why) => Err(ReadError::Io(why)),
        }
    }
}

/// Whether the `Connection` headers have that token.
pub fn has_token(headers: &Headers, token: &str) -> bool {
    let named = |value: &Bytes| {
        value.split(|&byte| byte == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    };
    headers.all("connection").any(named)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn collect(headers: &[httparse::Header<'_>]) -> Headers {
    Headers(
        headers.iter().map(|header| (header.name.to_owned(), Bytes::copy_from_slice(header.value))).collect(),
    )
}

fn framing(headers: &Headers, otherwise: Framing) -> Result<Framing, ReadError> {
    let chunked = |value: &Bytes| value.to_ascii_lowercase().ends_with(b"chunked");
    if headers.all("transfer-encoding").any(chunked) {
        return Ok(Framing::Chunked);
    }
    let Some(length) = headers.all("content-length").next() else { return Ok(otherwise) };
    let number = std::str::from_utf8(length).ok().and_then(|text| text.trim().parse().ok());
    number
        .map(Framing::Length)
        .ok_or_else(|| ReadError::Malformed(format!("Content-Length {}", quote(length))))
}

/// The first bytes of what a peer sent, as a quotation that fits on a line.
pub fn quote(bytes: &[u8]) -> String {
    const LONGEST: usize = 120;
    let mut text = String::from("\"");
    for character in String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]).chars() {
        // Writing to a string does not fail.
        let _ = write!(text, "{}", character.escape_debug());
    }
    text.push_str(if bytes.len() > LONGEST { "…\"" } else { "\"" });
    text
}
