//! The end of what a program writes to a stream that something else reads.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::watch;
use tokio::time::timeout;

use super::output::LastOutput;

/// The last bytes that were read from a stream.
#[derive(Debug, Clone)]
pub(super) struct Tail {
    kept: LastOutput,
    over: watch::Sender<bool>,
}

/// A stream whose end is kept while it is read.
pub(super) struct Tailed<R> {
    stream: R,
    tail: Tail,
}

impl Default for Tail {
    fn default() -> Self {
        Self { kept: LastOutput::default(), over: watch::Sender::new(false) }
    }
}

impl Tail {
    /// The stream, whose end is kept while it is read.
    pub(super) fn of<R>(&self, stream: R) -> Tailed<R> {
        Tailed { stream, tail: self.clone() }
    }

    /// Waits until the stream was read to its end, for at most `wait`.
    pub(super) async fn is_over(&self, wait: Duration) {
        let mut over = self.over.subscribe();
        // If it is not over by then, a child process keeps the stream open.
        let _ = timeout(wait, over.wait_for(|over| *over)).await;
    }

    pub(super) fn last_lines(&self) -> Vec<String> {
        self.kept.last_lines()
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Tailed<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = to.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, to));
        let arrived = &to.filled()[before..];
        if arrived.is_empty() {
            self.tail.over.send_replace(true);
        }
        self.tail.kept.push(arrived);
        Poll::Ready(read)
    }
}
