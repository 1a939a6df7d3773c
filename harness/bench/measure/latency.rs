//! Histograms of latencies in microseconds.

use std::time::Duration;

use hdrhistogram::Histogram;
use hdrhistogram::iterators::IterationValue;

use super::figures::Latency;

/// The longest latency that is recorded exactly, in microseconds: an hour.
const LONGEST_US: u64 = 3_600_000_000;

/// A histogram of microseconds with this many significant digits.
pub(super) fn histogram(digits: u8) -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_US, digits)
        .unwrap_or_else(|_| unreachable!("the bounds are constant and valid"))
}

pub(super) fn micros(latency: Duration) -> u64 {
    u64::try_from(latency.as_micros()).unwrap_or(u64::MAX)
}

impl Latency {
    /// The figures of values in microseconds, each with its count.
    pub(in crate::bench) fn of_values(values: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let mut all = histogram(3);
        for (value, count) in values {
            all.saturating_record_n(value, count);
        }
        Self::of(&all)
    }

    /// The figures of a distribution of microseconds.
    pub fn of(values: &Histogram<u64>) -> Self {
        let mut coarse = histogram(2);
        for value in values.iter_recorded() {
            coarse.saturating_record_n(value.value_iterated_to(), value.count_at_value());
        }
        let bucket = |value: IterationValue<u64>| (value.value_iterated_to(), value.count_at_value());
        let at = |quantile| values.value_at_quantile(quantile).min(values.max());
        Self {
            count: values.len(),
            min_us: if values.is_empty() { 0 } else { values.min() },
            mean_us: values.mean(),
            stdev_us: values.stdev(),
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: values.max(),
            buckets: coarse.iter_recorded().map(bucket).collect(),
        }
    }
}
