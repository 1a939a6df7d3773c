//! Who hears what a program under test writes, line by line.
//!
//! Invariant: bounded. A long line is heard in pieces.

use std::fmt;
use std::sync::Arc;

/// How many bytes of a line are heard at once.
const PIECE: usize = 16 * 1024;

/// Where a program writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// Gets each line that a program writes, without its end.
#[derive(Clone)]
pub struct Listener(Arc<Hear>);

type Hear = dyn Fn(Stream, &[u8]) + Send + Sync;

/// The lines of one stream.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    listener: Listener,
    stream: Stream,
    /// The beginning of a line whose end has not come.
    begun: Vec<u8>,
}

impl Stream {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

impl Listener {
    pub fn new(hear: impl Fn(Stream, &[u8]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }

    pub(super) fn lines(&self, stream: Stream) -> Lines {
        Lines { listener: self.clone(), stream, begun: Vec::new() }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}

impl Lines {
    /// Passes whole lines on, and keeps what follows the last one.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            self.begun.extend(&rest[..end]);
            self.pass(true);
            rest = &rest[end + 1..];
        }
        self.begun.extend(rest);
        while self.begun.len() >= PIECE {
            self.pass(false);
        }
    }

    /// Passes on what has no end of a line.
    pub(super) fn end(&mut self) {
        if !self.begun.is_empty() {
            self.pass(true);
        }
    }

    /// Passes on the line that has begun, or a piece of it.
    fn pass(&mut self, whole: bool) {
        let mut line = std::mem::take(&mut self.begun);
        if !whole {
            self.begun = line.split_off(PIECE);
        }
        for piece in line.chunks(PIECE) {
            (self.listener.0)(self.stream, piece.strip_suffix(b"\r").unwrap_or(piece));
        }
        if line.is_empty() {
            (self.listener.0)(self.stream, b"");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::{Listener, PIECE, Stream};

    #[test]
    fn hears_whole_lines_and_long_ones_in_pieces() -> Result<(), String> {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let into = heard.clone();
        let listener = Listener::new(move |_, line| {
            if let Ok(mut heard) = into.lock() {
                heard.push(line.to_vec());
            }
        });
        let mut lines = listener.lines(Stream::Stderr);
        for part in ["a", "b\r\n\nc", "d"] {
            lines.push(part.as_bytes());
        }
        lines.end();
        lines.push(&vec![b'x'; 2 * PIECE + 1]);
        lines.end();
        let lengths = |lines: &[Vec<u8>]| lines.iter().map(Vec::len).collect::<Vec<_>>();
        let heard = heard.lock().map_err(|why| why.to_string())?;
        assert_eq!(heard[..3], [b"ab".to_vec(), Vec::new(), b"cd".to_vec()]);
        assert_eq!(lengths(&heard[3..]), [PIECE, PIECE, 1]);
        Ok(())
    }
}
