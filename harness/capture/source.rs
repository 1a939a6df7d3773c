//! The bytes of a file, read once, piece by piece, with the count of its lines so far.
//!
//! Invariant: bounded. A file and each entry of it have a limit.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use super::messages;

const BUFFER: usize = 64 * 1024;
/// The longest entry, in bytes.
pub(super) const LONGEST_ENTRY: u64 = 64 << 20;

/// A file that is read.
#[derive(Debug)]
pub struct Source<R> {
    inner: R,
    buffer: Vec<u8>,
    at: usize,
    limit: u64,
    /// How many more bytes may be read.
    left: u64,
    /// How many more bytes the entry may have that is being read.
    entry: Rc<Cell<u64>>,
    lines: Rc<Cell<usize>>,
}

impl<R: Read> Source<R> {
    /// Reads the beginning of a file of at most `limit` bytes. Errors: it cannot be read.
    pub fn new(inner: R, limit: u64) -> io::Result<Self> {
        let (lines, entry) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(u64::MAX)));
        let mut source = Self { inner, buffer: Vec::new(), at: 0, limit, left: limit, entry, lines };
        source.refill()?;
        Ok(source)
    }

    /// The bytes that are next, at least [`BUFFER`] of them at the beginning of a longer file.
    pub fn next(&self) -> &[u8] {
        &self.buffer[self.at..]
    }

    /// Whether the buffer has the rest of the file.
    pub fn is_short(&self) -> bool {
        self.buffer.len() < BUFFER
    }

    /// How many lines have ended before the next byte, also while something reads from it.
    pub fn line_count(&self) -> Rc<Cell<usize>> {
        self.lines.clone()
    }

    /// How many more bytes may be read of an entry. Who reads entries sets it at the beginning of each.
    pub(super) fn left_of_entry(&self) -> Rc<Cell<u64>> {
        self.entry.clone()
    }

    /// Reads until the buffer is full or the file ends.
    fn refill(&mut self) -> io::Result<()> {
        self.buffer.clear();
        self.at = 0;
        let most = (BUFFER as u64).min(self.left + 1);
        (&mut self.inner).take(most).read_to_end(&mut self.buffer)?;
        let read = self.buffer.len() as u64;
        if read > self.left {
            return Err(io::Error::other(messages::too_long(self.limit >> 20)));
        }
        self.left -= read;
        let entry = self.entry.get().checked_sub(read);
        let entry = entry.ok_or_else(|| io::Error::other(messages::entry_too_long(LONGEST_ENTRY >> 20)))?;
        self.entry.set(entry);
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
