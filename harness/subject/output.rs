//! The end of what a process wrote to stdout or stderr.
//!
//! Invariant: bounded. What is kept begins with `…` if something before it was dropped: redaction looks for the end of a secret
//! there.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf, copy, sink};
use tokio::sync::watch;
use tokio::time::timeout;

use super::heard::{Lines, Listener, Stream};
use crate::budget::shortened;
use crate::terminal;

/// How many bytes are kept.
const KEPT: usize = 16 * 1024;
/// How many bytes of a line are shown.
const SHOWN_BYTES: usize = 500;
/// The last bytes that were read from a stream.
#[derive(Debug, Clone, Default)]
pub(super) struct LastOutput {
    kept: Arc<Mutex<Kept>>,
    /// Whether the stream was read to its end.
    over: watch::Sender<bool>,
}

/// A stream whose end is kept while it is read.
pub(super) struct Tee<R> {
    stream: R,
    output: LastOutput,
}

#[derive(Debug, Default)]
struct Kept {
    bytes: VecDeque<u8>,
    is_cut: bool,
    /// Who hears its lines, if anyone does.
    heard: Option<Lines>,
}

impl LastOutput {
    /// One whose lines this listener hears.
    pub(super) fn heard_by(listener: Option<&Listener>, stream: Stream) -> Self {
        let heard = listener.map(|listener| listener.lines(stream));
        let kept = Kept { heard, ..Kept::default() };
        Self { kept: Arc::new(Mutex::new(kept)), over: watch::Sender::default() }
    }

    /// The stream, whose end is kept while something else reads it.
    pub(super) fn tee<R>(&self, stream: R) -> Tee<R> {
        Tee { stream, output: self.clone() }
    }

    /// Reads a stream to its end, for nothing else.
    pub(super) async fn read<R: AsyncRead + Unpin>(self, stream: R) {
        // A stream that cannot be read has ended.
        let _ = copy(&mut self.tee(stream), &mut sink()).await;
    }

    /// Waits until the stream was read to its end, for at most `wait`.
    pub(super) async fn is_over(&self, wait: Duration) {
        let mut over = self.over.subscribe();
        // If it is not over by then, a child process keeps the stream open.
        let _ = timeout(wait, over.wait_for(|over| *over)).await;
    }

    fn push(&self, bytes: &[u8]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lines) = &mut kept.heard {
            lines.push(bytes);
        }
        kept.bytes.extend(bytes);
        let surplus = kept.bytes.len().saturating_sub(KEPT);
        kept.bytes.drain(..surplus);
        kept.is_cut |= surplus > 0;
    }

    /// The stream has ended.
    fn end(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.heard.iter_mut().for_each(Lines::end);
        drop(kept);
        self.over.send_replace(true);
    }

    fn text(&self) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = kept.bytes.iter().copied().collect();
        // A character that was cut is not shown.
        let cut = bytes.iter().take(3).take_while(|&&byte| kept.is_cut && byte & 0xc0 == 0x80).count();
        let mark = if kept.is_cut { "…" } else { "" };
        format!("{mark}{}", terminal::text(&bytes[cut..]))
    }

    /// The last lines, at most `most` of them.
    pub(super) fn last_lines(&self, most: usize) -> Vec<String> {
        let text = self.text();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(most)..].iter().map(|line| shortened(line, SHOWN_BYTES)).collect()
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Tee<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = to.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, to));
        let arrived = &to.filled()[before..];
        if arrived.is_empty() {
            self.output.end();
        } else {
            self.output.push(arrived);
        }
        Poll::Ready(read)
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, LastOutput};

    #[test]
    fn marks_what_was_cut() {
        let output = LastOutput::default();
        output.push("é".repeat(KEPT / 2).as_bytes());
        assert_eq!(output.text(), "é".repeat(KEPT / 2));
        output.push(b"x");
        assert_eq!(output.text(), format!("…{}x", "é".repeat(KEPT / 2 - 1)));
    }
}
