//! The contents of a file of recorded traffic, in any format, and the bounded source that it is read from.
//!
//! Invariant: the memory that a recording takes is bounded, whatever the file has.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::mem::size_of;
use std::rc::Rc;

use bytes::Bytes;

use super::messages;
use crate::suite::transcript::Arrival;
use crate::wire::exchange::{Exchange, Outcome};

/// The longest file that is read, in bytes.
const LONGEST_FILE: u64 = 64 * 1024 * 1024;
/// How many bytes of memory the deliveries may take.
const MOST_KEPT: usize = 72 * 1024 * 1024;
/// What an allocation costs in addition to its content.
const ALLOCATION: usize = 16;
const BUFFER: usize = 64 * 1024;

#[derive(Debug, Default)]
pub struct Recording {
    /// Its deliveries, in order.
    pub exchanges: Vec<Exchange>,
    /// How many requests were read that are no deliveries.
    pub(super) strays: usize,
    /// Notes on how it was read.
    pub remarks: Vec<String>,
    /// About how many bytes the deliveries take.
    kept: usize,
}

impl Recording {
    /// Adds a delivery. Probes and browsers' requests are only counted. Errors: the deliveries take too much memory.
    pub(super) fn add(&mut self, exchange: Exchange) -> Result<(), String> {
        if exchange.delivery.is_stray() {
            self.strays += 1;
            return Ok(());
        }
        self.kept += size_of::<Exchange>() + size_of::<Arrival>() + variable(&exchange);
        if self.kept > MOST_KEPT {
            return Err(messages::too_many_deliveries(self.exchanges.len(), MOST_KEPT >> 20));
        }
        self.exchanges.push(exchange);
        Ok(())
    }
}

/// About how many bytes an exchange takes outside of itself.
fn variable(exchange: &Exchange) -> usize {
    let delivery = &exchange.delivery;
    let answer = match &exchange.outcome {
        Outcome::Answered(answer) => Some(answer),
        _ => None,
    };
    let headers = delivery.headers.0.iter().chain(answer.iter().flat_map(|answer| &answer.headers.0));
    let headers =
        headers.map(|(name, value)| size_of::<(String, Bytes)>() + name.len() + value.len() + 2 * ALLOCATION);
    let texts = [
        delivery.method.len(),
        delivery.target.len(),
        delivery.body.len(),
        answer.map_or(0, |answer| answer.body.len()),
    ];
    headers.chain(texts.map(|length| length + ALLOCATION)).sum()
}

/// The bytes of a file, read once, with the count of its lines so far.
pub(super) struct Source<R> {
    inner: R,
    buffer: Vec<u8>,
    at: usize,
    /// How many more bytes may be read.
    left: u64,
    lines: Rc<Cell<usize>>,
}

impl<R: Read> Source<R> {
    /// Reads the beginning. Errors: it cannot be read.
    pub(super) fn new(inner: R) -> io::Result<Self> {
        let lines = Rc::new(Cell::new(0));
        let mut source = Self { inner, buffer: Vec::new(), at: 0, left: LONGEST_FILE, lines };
        source.refill()?;
        Ok(source)
    }

    /// The bytes that are next, at least [`BUFFER`] of them at the beginning of a longer file.
    pub(super) fn next(&self) -> &[u8] {
        &self.buffer[self.at..]
    }

    /// Whether the buffer has the rest of the file.
    pub(super) fn is_short(&self) -> bool {
        self.buffer.len() < BUFFER
    }

    /// How many lines have ended before the next byte, also while something reads from it.
    pub(super) fn line_count(&self) -> Rc<Cell<usize>> {
        self.lines.clone()
    }

    /// Reads until the buffer is full or the file ends.
    fn refill(&mut self) -> io::Result<()> {
        self.buffer.clear();
        self.at = 0;
        let most = (BUFFER as u64).min(self.left + 1);
        (&mut self.inner).take(most).read_to_end(&mut self.buffer)?;
        let read = self.buffer.len() as u64;
        if read > self.left {
            return Err(io::Error::other(messages::too_long_file(LONGEST_FILE >> 20)));
        }
        self.left -= read;
        Ok(())
    }
}

impl<R: Read> BufRead for Source<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.buffer.len() {
            self.refill()?;
        }
        Ok(&self.buffer[self.at..])
    }

    fn consume(&mut self, count: usize) {
        let end = (self.at + count).min(self.buffer.len());
        let lines = memchr::memchr_iter(b'\n', &self.buffer[self.at..end]).count();
        self.lines.set(self.lines.get() + lines);
        self.at = end;
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // A parser reads single bytes.
        if let ([place], Some(&byte)) = (&mut *into, self.buffer.get(self.at)) {
            *place = byte;
            self.at += 1;
            if byte == b'\n' {
                self.lines.set(self.lines.get() + 1);
            }
            return Ok(1);
        }
        let next = self.fill_buf()?;
        let count = next.len().min(into.len());
        into[..count].copy_from_slice(&next[..count]);
        self.consume(count);
        Ok(count)
    }
}
