//! How long a client waits for the body of an answer after its head, and how much of it is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;

/// The time limit for an answer's body after its head.
const BODY_WAIT: Duration = Duration::from_secs(1);
/// The same after several bodies that did not come: most bodies arrive together with the head.
const SHORT_WAIT: Duration = Duration::from_millis(2);
/// How many bytes of a body are read so that the connection can be used again.
const READ: usize = 1024 * 1024;
/// The same after several bodies that were longer.
const SHORT_READ: usize = 64 * 1024;
/// After this many bodies that did not come, the wait is short; after this many that were longer than `READ`, less is read.
const FEW: usize = 3;

/// The limits of bodies. Its clones count the bodies that did not come together.
#[derive(Debug, Clone, Default)]
pub(super) struct BodyLimits {
    /// `None` if the limits stay as they are.
    seen: Option<Arc<Seen>>,
}

/// How many bodies of a kind there were.
#[derive(Debug, Default)]
struct Seen {
    missing: AtomicUsize,
    long: AtomicUsize,
}

impl BodyLimits {
    /// The whole wait and the whole length for a few bodies, and less if those do not come or are too long.
    pub(super) fn for_a_few() -> Self {
        Self { seen: Some(Arc::default()) }
    }

    /// The wait for the next body. It is not longer than `timeout`.
    pub(super) fn wait(&self, timeout: Duration) -> Duration {
        let wait = if self.are_few(|seen| &seen.missing) { BODY_WAIT } else { SHORT_WAIT };
        wait.min(timeout)
    }

    /// How many bytes of the next body are read, if this many are kept.
    pub(super) fn length(&self, kept: usize) -> usize {
        kept.max(if self.are_few(|seen| &seen.long) { READ } else { SHORT_READ })
    }

    /// Notes how the read of a body ended: within the wait or not, and at its end or at the limit.
    pub(super) fn note<E, R>(&self, read: &Result<Result<(Bytes, u64, bool), R>, E>) {
        match read {
            Err(_) => self.missed(),
            Ok(Ok((_, _, false))) => self.too_long(),
            Ok(_) => {}
        }
    }

    /// Notes that a body did not come in time.
    fn missed(&self) {
        self.add(|seen| &seen.missing);
    }

    /// Notes that a body was longer than what is read.
    fn too_long(&self) {
        self.add(|seen| &seen.long);
    }

    fn are_few(&self, kind: impl Fn(&Seen) -> &AtomicUsize) -> bool {
        self.seen.as_ref().is_none_or(|seen| kind(seen).load(Ordering::Relaxed) < FEW)
    }

    fn add(&self, kind: impl Fn(&Seen) -> &AtomicUsize) {
        if let Some(seen) = &self.seen {
            kind(seen).fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_becomes_short_after_a_few_missing_bodies() {
        let (limits, usual) = (BodyLimits::for_a_few(), BodyLimits::default());
        let other = limits.clone();
        let timeout = Duration::from_secs(10);
        for _ in 0..FEW {
            assert_eq!(limits.wait(timeout), BODY_WAIT);
            other.missed();
            usual.missed();
        }
        assert_eq!(limits.wait(timeout), SHORT_WAIT);
        assert_eq!(usual.wait(timeout), BODY_WAIT);
        assert_eq!(usual.wait(Duration::from_millis(300)), Duration::from_millis(300));
        assert_eq!(limits.length(10), READ);
    }

    #[test]
    fn less_is_read_after_a_few_long_bodies() {
        let (limits, usual) = (BodyLimits::for_a_few(), BodyLimits::default());
        for _ in 0..FEW {
            assert_eq!(limits.length(10), READ);
            assert_eq!(limits.length(2 * READ), 2 * READ);
            limits.too_long();
            usual.too_long();
        }
        assert_eq!(limits.length(10), SHORT_READ);
        assert_eq!(limits.length(READ), READ);
        assert_eq!(usual.length(10), READ);
        assert_eq!(limits.wait(BODY_WAIT), BODY_WAIT);
    }
}
