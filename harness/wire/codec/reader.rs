//! Reads messages from a stream, for the client and the scripted endpoint.
//!
//! Invariant: bounded. Beyond one read buffer and a head, unread bytes stay in the socket.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::chunks::Chunks;
use super::head::{AnswerFacts, Framing, RequestFacts, Side, head_end, parse_answer, parse_request, slots};
use super::{FramingFault, LONGEST_CHUNK_LIST, LONGEST_HEAD, quote};
use crate::wire::exchange::{Delivery, Headers, Response, Transfer};

const READ_SIZE: usize = 16 * 1024;

#[derive(Debug)]
pub enum ReadError {
    /// The connection ended before the message was complete.
    Closed {
        /// Whether nothing had arrived.
        empty: bool,
    },
    Io(io::Error),
    Malformed {
        fault: FramingFault,
        /// The first bytes of the malformed part, quoted.
        quoted: String,
    },
}

/// The head of a final answer.
#[derive(Debug)]
pub struct AnswerHead {
    /// The answer without its body.
    pub response: Response,
    pub framing: Framing,
    /// Whether the connection may carry another exchange after this one.
    pub persists: bool,
    /// The minor version of HTTP/1.
    pub minor: u8,
}

#[derive(Debug)]
pub struct RequestHead {
    pub delivery: Delivery,
    pub facts: RequestFacts,
}

/// Bytes that were read from a connection and not used yet.
#[derive(Debug, Default)]
pub struct Reader {
    buffer: BytesMut,
    received: u64,
    /// The chunk lengths of the last body.
    chunks: Vec<usize>,
}

fn malformed(fault: FramingFault, bytes: &[u8]) -> ReadError {
    ReadError::Malformed { fault, quoted: quote(bytes) }
}

impl Reader {
    /// Reads the head of the final answer. Interim answers (1xx) are skipped; `interim` gets their statuses.
    pub(crate) async fn answer_head<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
        interim: impl Fn(u16),
    ) -> Result<AnswerHead, ReadError> {
        loop {
            let head = self.head(stream, Side::Answer).await?;
            let mut slots = slots();
            let refused = |fault| malformed(fault, &head);
            let parsed = parse_answer(&head, &mut slots).map_err(refused)?;
            let AnswerFacts { status, framing, persists } = AnswerFacts::of(&parsed).map_err(refused)?;
            if (100..200).contains(&status) && status != 101 {
                interim(status);
                continue;
            }
            let (headers, minor) = (collect(parsed.headers), parsed.version.unwrap_or_default());
            let response = Response { status, headers, ..Response::default() };
            return Ok(AnswerHead { response, framing, persists, minor });
        }
    }

    pub async fn request_head<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
    ) -> Result<RequestHead, ReadError> {
        let head = self.head(stream, Side::Request).await?;
        let mut slots = slots();
        let refused = |fault| malformed(fault, &head);
        let parsed = parse_request(&head, &mut slots).map_err(refused)?;
        let facts = RequestFacts::of(&parsed).map_err(refused)?;
        let (method, target) = (parsed.method.unwrap_or_default(), parsed.path.unwrap_or_default());
        let delivery = Delivery::new(method, target, collect(parsed.headers), Bytes::new());
        Ok(RequestHead { delivery, facts })
    }

    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// How the last body was transferred.
    pub(crate) fn transfer(&mut self, framing: Framing) -> Transfer {
        match framing {
            Framing::Chunked => Transfer::Chunks(std::mem::take(&mut self.chunks)),
            _ => Transfer::Whole,
        }
    }

    /// Waits for the first byte of the next message; `false` if the connection ended first.
    pub(crate) async fn begins<R: AsyncRead + Unpin>(&mut self, stream: &mut R) -> Result<bool, ReadError> {
        Ok(!self.buffer.is_empty() || self.fill(stream).await? > 0)
    }

    pub(crate) fn unused(&self) -> &[u8] {
        &self.buffer
    }

    /// Waits until the peer ends the connection. Bytes that arrive until then are kept, up to the length of a head.
    pub(crate) async fn ended<R: AsyncRead + Unpin>(&mut self, stream: &mut R) {
        while self.buffer.len() < LONGEST_HEAD {
            if !matches!(self.fill(stream).await, Ok(1..)) {
                return;
            }
        }
        // The peer is still sending. Its end is not visible until all of that is read.
        std::future::pending().await
    }

    /// Reads the body of an answer to its end, keeps its first `keep` bytes, and gives up after `limit` bytes. Returns what was
    /// kept, how many more bytes were read, and whether the end was reached.
    pub(crate) async fn answer_body<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
        framing: Framing,
        keep: usize,
        limit: usize,
    ) -> Result<(Bytes, u64, bool), ReadError> {
        let (mut body, mut length) = (BytesMut::new(), 0);
        let mut keep_of = |part: &[u8]| {
            length += part.len() as u64;
            let room = keep.saturating_sub(body.len());
            body.extend_from_slice(&part[..part.len().min(room)]);
        };
        let whole = self.parts(stream, (framing, Side::Answer), limit as u64, &mut keep_of).await?;
        let cut = (length - body.len() as u64).max(u64::from(!whole));
        // A body that was read in small steps has more memory than it needs.
        Ok((Bytes::copy_from_slice(&body), cut, whole))
    }

    /// Reads the body of a request to its end and passes on each part as it arrives.
    pub async fn request_body<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
        framing: Framing,
        part: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<(), ReadError> {
        self.parts(stream, (framing, Side::Request), u64::MAX, part).await.map(drop)
    }

    /// Passes on the parts of a body; gives up after `limit` bytes. Returns whether the end was reached.
    async fn parts<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
        (framing, side): (Framing, Side),
        limit: u64,
        part: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<bool, ReadError> {
        self.chunks.clear();
        match framing {
            Framing::Length(length) => {
                self.take(stream, length.min(limit), part).await?;
                Ok(length <= limit)
            }
            Framing::UntilClose => {
                let mut left = limit;
                loop {
                    if self.buffer.is_empty() && self.fill(stream).await? == 0 {
                        return Ok(true);
                    }
                    let count = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
                    if count == 0 {
                        return Ok(false);
                    }
                    left -= count as u64;
                    part(&self.buffer.split_to(count));
                }
            }
            Framing::Chunked => self.chunks(stream, Chunks::new(side), limit, part).await,
        }
    }

    async fn chunks<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
        mut chunks: Chunks,
        limit: u64,
        part: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<bool, ReadError> {
        let mut seen = 0_u64;
        loop {
            if self.buffer.is_empty() && self.fill(stream).await? == 0 {
                return Err(ReadError::Closed { empty: false });
            }
            let next = chunks.next(&self.buffer).map_err(|fault| malformed(fault, &self.buffer))?;
            if let Some(size) = next.opens {
                seen = seen.saturating_add(size);
                // A peer that sends chunks of one byte must not fill the memory with lengths.
                if self.chunks.len() < LONGEST_CHUNK_LIST {
                    self.chunks.push(usize::try_from(size).unwrap_or(usize::MAX));
                }
                if seen > limit {
                    return Ok(false);
                }
            }
            let _ = self.buffer.split_to(next.skip);
            if next.data > 0 {
                part(&self.buffer.split_to(next.data));
            }
            if next.ends {
                return Ok(true);
            }
        }
    }

    /// Passes on `length` bytes.
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

    async fn head<R: AsyncRead + Unpin>(&mut self, stream: &mut R, side: Side) -> Result<Bytes, ReadError> {
        let mut searched = 0;
        loop {
            let end =
                head_end(&self.buffer, searched, side).map_err(|fault| malformed(fault, &self.buffer))?;
            if let Some(end) = end {
                return Ok(self.buffer.split_to(end).freeze());
            }
            searched = self.buffer.len();
            if self.fill(stream).await? == 0 {
                return Err(ReadError::Closed { empty: self.buffer.is_empty() });
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
            // TLS without close_notify is an end too.
            Err(why) if why.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            Err(why) => Err(ReadError::Io(why)),
        }
    }
}

pub(crate) fn collect(headers: &[httparse::Header<'_>]) -> Headers {
    Headers(
        headers.iter().map(|header| (header.name.to_owned(), Bytes::copy_from_slice(header.value))).collect(),
    )
}
