//! How long a receiver took to answer.

use serde::{Deserialize, Serialize};

use crate::suite::requirement::Role;
use crate::suite::transcript::Transcript;

/// How long a receiver took from the first byte of a delivery to the head of its answer, in microseconds, of every delivery that it
/// answered. Percentiles are at most 1% too high.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Latency {
    /// How many deliveries were answered.
    pub count: u64,
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub max: u64,
    /// How many answers took at most so long, but longer than the value before.
    pub buckets: Vec<(u64, u64)>,
}

impl Latency {
    /// Of a run and of what was sent after it to see what the first fault hides. `None` if nothing was answered, or of a sender: its
    /// answers are the suite's own.
    pub(super) fn of_run(transcript: &Transcript, after: Option<&Transcript>) -> Option<Self> {
        let of = |transcript: &Transcript| Self::of_buckets(transcript.exchanges.answer_times().buckets());
        match transcript.role {
            Role::Sender => None,
            Role::Receiver => Self::of_both(of(transcript), after.and_then(of)),
        }
    }

    /// Of the answers of two runs.
    pub fn of_both(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        let (one, other) = match (one, other) {
            (Some(one), Some(other)) => (one, other),
            (one, other) => return one.or(other),
        };
        let mut buckets = [one.buckets, other.buckets].concat();
        buckets.sort_unstable();
        buckets.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            kept.1 += if is_same { later.1 } else { 0 };
            is_same
        });
        Self::of_buckets(buckets)
    }

    fn of_buckets(buckets: Vec<(u64, u64)>) -> Option<Self> {
        let count: u64 = buckets.iter().map(|(_, count)| count).sum();
        let (max, _) = *buckets.last()?;
        let below = |hundredths: u64| {
            let wanted = count.saturating_mul(hundredths).div_ceil(100).max(1);
            let mut seen = 0;
            let found = buckets.iter().find(|(_, count)| {
                seen += count;
                seen >= wanted
            });
            found.map_or(max, |(value, _)| *value)
        };
        Some(Self { count, p50: below(50), p90: below(90), p99: below(99), max, buckets })
    }
}

#[cfg(test)]
mod tests {
    use super::Latency;

    #[test]
    fn percentiles_are_of_all_answers() {
        let one = Latency::of_buckets(vec![(100, 50), (200, 49), (900, 1)]);
        let shown = one.as_ref().map(|one| (one.count, one.p50, one.p90, one.p99, one.max));
        assert_eq!(shown, Some((100, 100, 200, 200, 900)));
        let both = Latency::of_both(one, Latency::of_buckets(vec![(150, 1), (200, 1)]));
        assert_eq!(both.map(|both| both.buckets), Some(vec![(100, 50), (150, 1), (200, 50), (900, 1)]));
        assert_eq!(Latency::of_buckets(Vec::new()), None);
    }
}
