//! How long a receiver took to answer.

use serde::{Deserialize, Serialize};

use crate::suite::requirement::Role;
use crate::suite::transcript::Transcript;

/// How many buckets there are for a time ten times as long.
pub(super) const PER_DECADE: i32 = 10;

/// How long a receiver took from the first byte of a delivery to the head of its answer, in microseconds, of every delivery that it
/// answered. Percentiles are at most 1% too high, those of several reports at most 26%.
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
        if transcript.role == Role::Sender {
            return None;
        }
        let runs = [Some(transcript), after];
        let mut times: Vec<(u64, u64)> =
            runs.into_iter().flatten().flat_map(|run| run.exchanges.answer_times().buckets()).collect();
        times.sort_unstable();
        Self::of_sorted(&times)
    }

    /// Of the answers of two reports.
    pub fn of_both(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        let (one, other) = match (one, other) {
            (Some(one), Some(other)) => (one, other),
            (one, other) => return one.or(other),
        };
        let max = one.max.max(other.max);
        let mut times = [one.buckets, other.buckets].concat();
        times.sort_unstable();
        let both = Self::of_sorted(&times)?;
        let [p50, p90, p99] = [both.p50, both.p90, both.p99].map(|time| time.min(max));
        Some(Self { p50, p90, p99, max, ..both })
    }

    /// Of times, each with how many answers took so long.
    fn of_sorted(times: &[(u64, u64)]) -> Option<Self> {
        let count: u64 = times.iter().map(|(_, count)| count).sum();
        let (max, _) = *times.last()?;
        let below = |hundredths: u64| {
            let wanted = count.saturating_mul(hundredths).div_ceil(100).max(1);
            let mut seen = 0;
            let found = times.iter().find(|(_, count)| {
                seen += count;
                seen >= wanted
            });
            found.map_or(max, |(time, _)| *time)
        };
        let mut buckets: Vec<(u64, u64)> = Vec::new();
        for (time, count) in times {
            let end = end_of(step(*time));
            match buckets.last_mut() {
                Some(last) if last.0 == end => last.1 += count,
                _ => buckets.push((end, *count)),
            }
        }
        Some(Self { count, p50: below(50), p90: below(90), p99: below(99), max, buckets })
    }
}

/// The step of a time on a logarithmic axis. A time at the end of a bucket is in that bucket.
pub(super) fn step(us: u64) -> i32 {
    #[expect(clippy::cast_precision_loss, reason = "times are far below 2^53 us")]
    let us = us.max(1) as f64;
    #[expect(clippy::cast_possible_truncation, reason = "the logarithm of a number of 64 bits is small")]
    let step = (us.log10() * f64::from(PER_DECADE)).ceil() as i32;
    step
}

/// The longest time of a step, in whole microseconds.
fn end_of(step: i32) -> u64 {
    // A power of ten may come out a little below.
    let end = 10_f64.powf(f64::from(step) / f64::from(PER_DECADE)) + 1e-6;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it saturates, and no power is negative"
    )]
    let end = end as u64;
    end
}

#[cfg(test)]
mod tests {
    use super::{Latency, end_of, step};

    #[test]
    fn percentiles_are_of_all_answers() {
        let one = Latency::of_sorted(&[(100, 50), (110, 2), (200, 47), (900, 1)]);
        let shown = one.as_ref().map(|one| (one.count, one.p50, one.p90, one.p99, one.max));
        assert_eq!(shown, Some((100, 100, 200, 200, 900)));
        let buckets = vec![(100, 50), (125, 2), (251, 47), (1000, 1)];
        assert_eq!(one.as_ref().map(|one| &one.buckets), Some(&buckets));
        let both = Latency::of_both(one, Latency::of_sorted(&[(120, 1), (950, 1)]));
        let shown = both.map(|both| (both.count, both.p50, both.max, both.buckets));
        assert_eq!(shown, Some((102, 125, 950, vec![(100, 50), (125, 3), (251, 47), (1000, 2)])));
        assert_eq!(Latency::of_sorted(&[]), None);
    }

    #[test]
    fn end_of_a_bucket_is_in_it() {
        for time in (1..5_000).chain([10_000, 99_999, 100_000, 1_000_000, 30_000_000]) {
            let end = end_of(step(time));
            assert!(end >= time && step(end) == step(time), "{time}: {end}");
        }
    }
}
