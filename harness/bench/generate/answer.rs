//! Reads answers as they come, piece by piece: their status, where they end, and whether the connection may be used again.
//!
//! Invariant: bounded: a head fits into the buffer, a body is counted and thrown away, and nothing is allocated.

use crate::wire::codec::{AnswerFacts, Chunks, Framing, FramingFault, Side, head_end, parse_answer, slots};

/// The longest head that is read, and how much of an answer is kept to be shown, in bytes.
pub(crate) const KEPT: usize = 16 * 1024;
/// The longest body that is read, in bytes.
pub(crate) const LONGEST_BODY: u64 = 64 * 1024 * 1024;
/// How many interim answers (1xx) may come before one that counts.
const MOST_INTERIM: u32 = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It is no HTTP.
    Malformed,
    /// Its head or its body is longer than any that is read.
    TooLong,
}

impl From<FramingFault> for Wrong {
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

/// What is still to come of a body.
#[derive(Debug, Clone, Copy)]
enum Rest {
    Bytes(u64),
    Chunks(Chunks),
    UntilClose,
}

impl Default for Answer {
    fn default() -> Self {
        // As much again as is kept, for what is thrown away.
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
        // Behind what is kept; once that is full, over what is thrown away.
        let from = if self.kept < KEPT { self.kept } else { KEPT };
        &mut self.buffer[from..]
    }

    /// Takes so many bytes that were written into the room. Returns whether the answer is whole now.
    ///
    /// Errors: what came is no answer.
    pub(crate) fn take(&mut self, count: usize) -> Result<bool, Wrong> {
        let from = if self.kept < KEPT { self.kept } else { KEPT };
        let (mut new, mut searched) = (from..from + count, from);
        self.received += count as u64;
        self.kept = new.end.min(KEPT).max(self.kept);
        while self.head.is_none() {
            match self.parse(new.end, searched)? {
                // Nothing is lost of a head that is not whole: what came lies after what was there.
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
                    searched = 0;
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
            Rest::Chunks(chunks) => after(chunks, piece)?,
        };
        // What comes after an answer belongs to no request: the connection is of no more use.
        head.persists &= left.is_none_or(|left| left == 0);
        Ok(left.is_some())
    }

    /// Reads the head, where it is whole: its status and length. The first `searched` bytes hold no end of it.
    fn parse(&mut self, end: usize, searched: usize) -> Result<Option<(u16, usize)>, Wrong> {
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

    /// Whether the answer is whole where the connection ends here.
    pub(crate) fn ends_with_the_connection(&self) -> bool {
        self.head.is_some_and(|head| matches!(head.rest, Rest::UntilClose))
    }

    /// The status, once the head is there.
    pub(crate) fn status(&self) -> Option<u16> {
        self.head.map(|head| head.status)
    }

    /// Whether the connection may carry another exchange after this one.
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

/// Goes over a piece of a body in chunks. Returns how many bytes are left after its end, once that has come.
fn after(chunks: &mut Chunks, mut piece: &[u8]) -> Result<Option<usize>, Wrong> {
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
