//! How long answers took, of every exchange, including released ones; and how long registrations and deletions took to be in force.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// How many digits of a time are kept.
const DIGITS: u8 = 2;

/// The times of all answers, in constant memory.
#[derive(Debug, Default)]
pub struct AnswerTimes(Option<Histogram<u64>>);

impl AnswerTimes {
    pub(super) fn record(&mut self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
        if self.0.is_none() {
            self.0 = Histogram::new(DIGITS).ok();
        }
        // It grows as needed.
        let _ = self.0.as_mut().map(|times| times.record(us));
    }

    /// How many answers took at most so many microseconds, but longer than the value before.
    pub fn buckets(&self) -> Vec<(u64, u64)> {
        let recorded = self.0.iter().flat_map(Histogram::iter_recorded);
        recorded.map(|one| (one.value_iterated_to(), one.count_at_value())).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::AnswerTimes;

    #[test]
    fn counts_every_time() {
        let mut times = AnswerTimes::default();
        assert_eq!(times.buckets(), []);
        for us in [0, 90, 90, 5_000_000] {
            times.record(Duration::from_micros(us));
        }
        let buckets = times.buckets();
        assert_eq!(buckets[..2], [(1, 1), (90, 2)]);
        assert!(buckets[2].0 >= 5_000_000 && buckets[2].0 < 5_050_000 && buckets[2].1 == 1, "{buckets:?}");
    }
}

/// How long a registration and a deletion took to be in force: the longest that was measured, from the answer to the first event that
/// showed it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    /// `None` if it was not measured; zero if the first event arrived.
    pub registration: Option<Duration>,
    /// Until when events still reached a deleted webhook; `None` if none did.
    pub deletion: Option<Duration>,
}

impl InForce {
    /// Whether a registration took time until it was in force.
    pub fn is_late(&self) -> bool {
        self.registration.is_some_and(|time| !time.is_zero())
    }
}
