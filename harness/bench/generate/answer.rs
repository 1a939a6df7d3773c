//! Reads an answer piece by piece: its status, where it ends, and whether the connection can be used again.
//!
//! Memory is bounded: a head fits into the buffer, a body is counted and dropped, and nothing is allocated.

use crate::wire::codec::{AnswerFacts, Chunks, Framing, FramingFault, Side, head_end, parse_answer, slots};

/// The longest head that is read, and how much of an answer is kept for the report, in bytes.
pub(crate) const KEPT: usize = 16 * 1024;
/// The longest body that is read, in bytes.
pub(crate) const LONGEST_BODY: u64 = 64 * 1024 * 1024;
/// How many interim answers (1xx) may precede the final one.
const MOST_INTERIM: u32 = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerFault {
    /// It is not HTTP.
    Malformed,
    /// Its head or its body exceeds the limit.
    TooLong,
}

impl From<FramingFault> for AnswerFault {
    fn from(fault: FramingFault) -> Self {
        match fault {
            FramingFault::HeadTooLong | FramingFault::TooManyHeaders | FramingFault::ChunkLine => {
                Self::TooLong
            }
            _ => Self::Malformed,
        }
    }
}

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

/// The rest of a body.
#[derive(Debug, Clone, Copy)]
enum Rest {
    Bytes(u64),
    Chunks(Chunks),
    UntilClose,
}

impl Default for Answer {
    fn default() -> Self {
        // The second half is for bytes that are dropped.
        let buffer = vec![0; 2 * KEPT].into();
        Self { buffer, kept: 0, received: 0, head: None, interim: 0, body: 0 }
    }
}

impl Answer {
    pub(crate) fn begin(&mut self) {
        self.kept = 0;
        self.received = 0;
        self.head = None;
        self.interim = 0;
        self.body = 0;
    }

    pub(crate) fn is_begun(&self) -> bool {
        self.received > 0
    }

    /// Where the next bytes go.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        // After the kept bytes; once they fill their half, over the dropped ones.
        let from = if self.kept < KEPT { self.kept } else { KEPT };
        &mut self.buffer[from..]
    }

    /// Reads `count` bytes that were written into the room. Returns whether the answer is complete.
    ///
    /// Errors: the bytes are not an answer.
    pub(crate) fn read(&mut self, count: usize) -> Result<bool, AnswerFault> {
        let from = if self.kept < KEPT { self.kept } else { KEPT };
        let (mut new, mut searched) = (from..from + count, from);
        self.received += count as u64;
        self.kept = new.end.min(KEPT).max(self.kept);
        while self.head.is_none() {
            match self.parse(new.end, searched)? {
                // An incomplete head stays in the buffer, and the next bytes follow it.
                None if new.end >= KEPT => return Err(AnswerFault::TooLong),
                None => return Ok(false),
                Some((status @ 100..=199, length)) if status != 101 => {
                    // An interim answer: the final one follows it.
                    self.interim += 1;
                    if self.interim > MOST_INTERIM {
                        return Err(AnswerFault::TooLong);
                    }
                    self.head = None;
                    self.buffer.copy_within(length..new.end, 0);
                    new.end -= length;
                    self.kept = new.end.min(KEPT);
                    searched = 0;
                }
                Some((_, length)) => new.start = length,
            }
        }
        let Some(head) = &mut self.head else { return Ok(false) };
        self.body += (new.end - new.start) as u64;
        if self.body > LONGEST_BODY {
            return Err(AnswerFault::TooLong);
        }
        let piece = &self.buffer[new];
        let left = match &mut head.rest {
            Rest::UntilClose => return Ok(false),
            Rest::Bytes(rest) => {
                let read = (*rest).min(piece.len() as u64);
                *rest -= read;
                (*rest == 0).then(|| piece.len() - read as usize)
            }
            Rest::Chunks(chunks) => left_after(chunks, piece)?,
        };
        // Bytes after an answer belong to no request: the connection cannot be used again.
        head.persists &= left.is_none_or(|left| left == 0);
        Ok(left.is_some())
    }

    /// Reads the head if it is complete: its status and length. It does not end in the first `searched` bytes.
    fn parse(&mut self, end: usize, searched: usize) -> Result<Option<(u16, usize)>, AnswerFault> {
        let Some(length) = head_end(&self.buffer[..end], searched, Side::Answer)? else { return Ok(None) };
        let mut slots = slots();
        let AnswerFacts { status, framing, persists } =
            AnswerFacts::of(&parse_answer(&self.buffer[..length], &mut slots)?)?;
        let rest = match framing {
            Framing::Length(length) => Rest::Bytes(length),
            Framing::Chunked => Rest::Chunks(Chunks::new(Side::Answer)),
            Framing::UntilClose => Rest::UntilClose,
        };
        self.head = Some(Head { status, persists, rest });
        Ok(Some((status, length)))
    }

    /// Whether the answer is complete if the connection ends here.
    pub(crate) fn ends_with_the_connection(&self) -> bool {
        self.head.is_some_and(|head| matches!(head.rest, Rest::UntilClose))
    }

    /// The status, once the head is complete.
    pub(crate) fn status(&self) -> Option<u16> {
        self.head.map(|head| head.status)
    }

    /// Whether the connection can be used for another exchange.
    pub(crate) fn persists(&self) -> bool {
        self.head.is_some_and(|head| head.persists)
    }

    /// How many bytes have arrived.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// The first bytes of the answer.
    pub(crate) fn kept(&self) -> &[u8] {
        &self.buffer[..self.kept]
    }
}

/// Reads a piece of a chunked body. Returns how many bytes follow its end, if the body ends in this piece.
fn left_after(chunks: &mut Chunks, mut piece: &[u8]) -> Result<Option<usize>, AnswerFault> {
    loop {
        let part = chunks.next(piece)?;
        piece = &piece[part.skip + part.data..];
        if part.ends {
            return Ok(Some(piece.len()));
        }
        if piece.is_empty() {
            return Ok(None);
        }
    }
}
