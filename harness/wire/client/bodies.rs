//! How long a client waits for the body of an answer after its head.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The time limit for an answer's body after its head.
const BODY_WAIT: Duration = Duration::from_secs(1);
/// The same after several bodies that did not come: most bodies arrive together with the head.
const SHORT_WAIT: Duration = Duration::from_millis(2);
/// After this many bodies that did not come, the wait is short.
const FEW: usize = 3;

/// The wait for bodies. Its clones count the bodies that did not come together.
#[derive(Debug, Clone, Default)]
pub(super) struct BodyWait {
    /// How many bodies did not come; `None` if the wait never becomes short.
    missing: Option<Arc<AtomicUsize>>,
}

impl BodyWait {
    /// The whole wait for a few bodies, and a short one if those do not come.
    pub(super) fn for_a_few() -> Self {
        Self { missing: Some(Arc::default()) }
    }

    /// The wait for the next body. It is not longer than `timeout`.
    pub(super) fn next(&self, timeout: Duration) -> Duration {
        let missing = self.missing.as_ref().map_or(0, |missing| missing.load(Ordering::Relaxed));
        let wait = if missing < FEW { BODY_WAIT } else { SHORT_WAIT };
        wait.min(timeout)
    }

    /// Notes that a body did not come in time.
    pub(super) fn missed(&self) {
        if let Some(missing) = &self.missing {
            missing.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_becomes_short_after_a_few_missing_bodies() {
        let (wait, usual) = (BodyWait::for_a_few(), BodyWait::default());
        let other = wait.clone();
        let timeout = Duration::from_secs(10);
        for _ in 0..FEW {
            assert_eq!(wait.next(timeout), BODY_WAIT);
            other.missed();
            usual.missed();
        }
        assert_eq!(wait.next(timeout), SHORT_WAIT);
        assert_eq!(usual.next(timeout), BODY_WAIT);
        assert_eq!(usual.next(Duration::from_millis(300)), Duration::from_millis(300));
    }
}
