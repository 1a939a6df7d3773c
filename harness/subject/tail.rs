//! The end of what a program writes to a stream that something else reads.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::watch;
use tokio::time::timeout;

/// How many bytes are kept.
const KEPT: usize = 4 * 1024;

/// The last bytes that were read from a stream.
#[derive(Debug, Clone)]
pub(super) struct Tail {
    kept: Arc<Mutex<VecDeque<u8>>>,
    over: watch::Sender<bool>,
}

/// A stream whose end is kept while it is read.
pub(super) struct Tailed<R> {
    stream: R,
    tail: Tail,
}

impl Default for Tail {
    fn default() -> Self {
        Self { kept: Arc::default(), over: watch::Sender::new(false) }
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

    pub(super) fn text(&self) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept.iter().copied().collect::<Vec<_>>()).into_owned()
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
        let mut kept = self.tail.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(&arrived[arrived.len().saturating_sub(KEPT)..]);
        let surplus = kept.len().saturating_sub(KEPT);
        kept.drain(..surplus);
        drop(kept);
        Poll::Ready(read)
    }
}
