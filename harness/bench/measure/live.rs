//! The figures of a load while it runs, for somebody who watches it.
//!
//! Threads add what they counted ten times a second, so watching costs a delivery almost nothing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::ended::{DeliveryKind, EndedDelivery};
use super::latency::{histogram, micros};

/// How often a thread adds what it counted.
const EVERY: Duration = Duration::from_millis(100);

/// What a load counted since somebody looked.
#[derive(Debug, Default)]
pub struct LiveFigures(Mutex<Recent>);

/// The figures of a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LivePoint {
    pub accepted: u64,
    /// Valid deliveries that were not accepted.
    pub errors: u64,
    pub p50_us: u64,
    pub p99_us: u64,
}

#[derive(Debug)]
struct Recent {
    accepted: u64,
    errors: u64,
    latency: Histogram<u64>,
}

/// What a thread counted and has not added yet.
#[derive(Debug)]
pub(in crate::bench) struct LivePart {
    live: Arc<LiveFigures>,
    recent: Recent,
    added: Instant,
}

impl Default for Recent {
    fn default() -> Self {
        Self { accepted: 0, errors: 0, latency: histogram(2) }
    }
}

impl Recent {
    fn clear(&mut self) {
        (self.accepted, self.errors) = (0, 0);
        self.latency.clear();
    }
}

impl LiveFigures {
    /// The figures since the last call.
    pub fn take(&self) -> LivePoint {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = |quantile| recent.latency.value_at_quantile(quantile).min(recent.latency.max());
        let point =
            LivePoint { accepted: recent.accepted, errors: recent.errors, p50_us: at(0.5), p99_us: at(0.99) };
        recent.clear();
        point
    }
}

impl LivePart {
    pub(in crate::bench) fn new(live: Arc<LiveFigures>) -> Self {
        Self { live, recent: Recent::default(), added: Instant::now() }
    }

    pub(in crate::bench) fn count(&mut self, ended: &EndedDelivery, now: Instant) {
        if ended.kind != DeliveryKind::Valid {
            return;
        }
        if ended.acknowledged() {
            self.recent.accepted += 1;
            self.recent.latency.saturating_record(micros(ended.latency));
        } else {
            self.recent.errors += 1;
        }
        if now.saturating_duration_since(self.added) < EVERY {
            return;
        }
        self.added = now;
        let mut all = self.live.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.accepted += self.recent.accepted;
        all.errors += self.recent.errors;
        // Both have the same bounds, so this cannot fail.
        let _ = all.latency.add(&self.recent.latency);
        self.recent.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::{LiveFigures, LivePart, LivePoint};
    use crate::bench::measure::ended::{DeliveryKind, EndedDelivery};

    #[test]
    fn figures_are_added_in_parts_and_taken_once() {
        let live = Arc::new(LiveFigures::default());
        let mut part = LivePart::new(live.clone());
        let begun = Instant::now();
        let ended = |status, ms| EndedDelivery {
            kind: DeliveryKind::Valid,
            phase: 0,
            status: Some(status),
            failure: None,
            latency: Duration::from_millis(ms),
            at: Duration::ZERO,
            sent_bytes: 0,
            received_bytes: 0,
        };
        part.count(&ended(200, 10), begun);
        assert_eq!(live.take(), LivePoint::default(), "nothing is added at once");
        part.count(&ended(500, 1), begun);
        part.count(&ended(200, 30), begun + Duration::from_secs(1));
        let point = live.take();
        assert_eq!((point.accepted, point.errors), (2, 1));
        assert!(
            (9_900..=10_100).contains(&point.p50_us) && (29_700..=30_300).contains(&point.p99_us),
            "{point:?}"
        );
        assert_eq!(live.take(), LivePoint::default());
    }
}
