//! The measured time in equal parts, with the figures of each.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::ended::{DeliveryKind, EndedDelivery};
use super::latency::{histogram, micros};
use crate::bench::generate::plan::Phase;

/// The most parts of the series; a longer load has longer parts.
const MOST_INTERVALS: u64 = 3600;

#[derive(Debug)]
pub struct TimeSeries {
    /// The length of a part, in whole seconds.
    pub interval: Duration,
    /// The beginning of the first part, from the start of the load.
    start: Duration,
    pub parts: Vec<SeriesPart>,
    /// The latencies of the current part.
    latency: Histogram<u64>,
    current: usize,
}

#[derive(Debug, Clone, Default)]
pub struct SeriesPart {
    pub sent: u64,
    pub acknowledged: u64,
    pub refused: u64,
    /// Deliveries without a complete answer.
    pub failed: u64,
    /// Latencies in microseconds, each with its count.
    pub latencies: Vec<(u64, u64)>,
}

impl TimeSeries {
    pub(super) fn new(phases: &[Phase]) -> Self {
        let start = phases.iter().find(|phase| phase.measured).map_or(Duration::ZERO, |phase| phase.from);
        let end = phases.last().map_or(Duration::ZERO, Phase::end);
        let length = end.saturating_sub(start).as_secs();
        let interval = Duration::from_secs(length.div_ceil(MOST_INTERVALS).max(1));
        let count = end.saturating_sub(start).as_millis().div_ceil(interval.as_millis()).max(1);
        let parts = vec![SeriesPart::default(); usize::try_from(count).unwrap_or(1)];
        Self { interval, start, parts, latency: histogram(2), current: 0 }
    }

    /// The part that a time belongs to. Times after the end belong to the last part.
    fn index(&self, at: Duration) -> usize {
        let index = at.saturating_sub(self.start).as_secs() / self.interval.as_secs().max(1);
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        index.min(self.parts.len() - 1)
    }

    pub(super) fn part(&mut self, at: Duration) -> &mut SeriesPart {
        let index = self.index(at);
        &mut self.parts[index]
    }

    pub(super) fn count(&mut self, ended: &EndedDelivery) {
        if ended.kind != DeliveryKind::Valid {
            return;
        }
        let index = self.index(ended.at);
        // Deliveries end in the order of time, so an earlier part gets no more of them.
        if index > self.current {
            self.settle();
            self.current = index;
        }
        let part = &mut self.parts[index];
        if ended.acknowledged() {
            part.acknowledged += 1;
            self.latency.saturating_record(micros(ended.latency));
        } else if ended.failure.is_some() {
            part.failed += 1;
        } else {
            part.refused += 1;
        }
    }

    /// Moves the latencies of the current part into it.
    fn settle(&mut self) {
        let recorded = self.latency.iter_recorded();
        let recorded = recorded.map(|value| (value.value_iterated_to(), value.count_since_last_iteration()));
        self.parts[self.current].latencies.extend(recorded);
        self.latency.reset();
    }

    pub(super) fn add(&mut self, mut other: Self) {
        self.settle();
        other.settle();
        for (part, more) in self.parts.iter_mut().zip(other.parts) {
            part.sent += more.sent;
            part.acknowledged += more.acknowledged;
            part.refused += more.refused;
            part.failed += more.failed;
            part.latencies.extend(more.latencies);
        }
    }
}
