//! The outcome of a load as counts: latencies, statuses, errors by kind, bytes, and a series of seconds.
//!
//! Counting a delivery allocates nothing. Memory does not grow with the number of deliveries, only with the seconds, which are
//! bounded.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::ended::{DeliveryKind, EndedDelivery};
use super::latency::{histogram, micros};
use super::series::TimeSeries;
use crate::bench::generate::failure::DeliveryFailure;
use crate::bench::generate::plan::Phase;
use crate::bench::generate::probe;

#[derive(Debug, Clone)]
pub struct PhaseCounts {
    pub sent: u64,
    pub acknowledged: u64,
    pub refused: u64,
    /// Deliveries without a complete answer, or never sent, by kind.
    pub failures: [u64; DeliveryFailure::ALL.len()],
    pub statuses: Box<[u64; 1000]>,
    pub probe_statuses: Box<[u64; 1000]>,
    /// Probes sent, by their index.
    pub probes: Vec<u64>,
    pub let_through: Vec<u64>,
    pub probes_unanswered: u64,
    /// Latencies of the deliveries that were accepted or timed out, in microseconds.
    pub latency: Histogram<u64>,
    /// Bytes sent, including probes.
    pub sent_bytes: u64,
    pub received_bytes: u64,
    /// The end of the last accepted delivery, from the start of the load.
    pub last: Duration,
    /// How late deliveries were sent although a connection was free: count, sum and maximum.
    pub late: (u64, Duration, Duration),
    /// Deliveries, including probes, that were sent after the end of their phase because no connection was free.
    pub overdue: u64,
}

/// The counts of a load, or of one of its threads.
#[derive(Debug)]
pub struct LoadTally {
    pub phases: Vec<PhaseCounts>,
    pub series: TimeSeries,
    measured: Vec<bool>,
    /// When each phase ends, from the start of the load.
    ends: Vec<Duration>,
}

impl Default for PhaseCounts {
    fn default() -> Self {
        Self {
            sent: 0,
            acknowledged: 0,
            refused: 0,
            failures: Default::default(),
            statuses: Box::new([0; 1000]),
            probe_statuses: Box::new([0; 1000]),
            probes: vec![0; probe::all().len()],
            let_through: vec![0; probe::all().len()],
            probes_unanswered: 0,
            latency: histogram(3),
            sent_bytes: 0,
            received_bytes: 0,
            last: Duration::ZERO,
            late: Default::default(),
            overdue: 0,
        }
    }
}

impl PhaseCounts {
    fn count(&mut self, ended: &EndedDelivery) {
        self.sent_bytes += ended.sent_bytes as u64;
        self.received_bytes += ended.received_bytes;
        let statuses = match ended.kind {
            DeliveryKind::Valid => &mut self.statuses,
            DeliveryKind::Probe(_) => &mut self.probe_statuses,
        };
        let status = ended.status.filter(|_| ended.failure.is_none() || ended.let_through());
        if let Some(count) = status.and_then(|status| statuses.get_mut(usize::from(status))) {
            *count += 1;
        }
        match ended.kind {
            DeliveryKind::Probe(number) => {
                self.probes[number] += 1;
                self.let_through[number] += u64::from(ended.let_through());
                self.probes_unanswered += u64::from(ended.status.is_none());
            }
            DeliveryKind::Valid if ended.acknowledged() => {
                self.acknowledged += 1;
                self.latency.saturating_record(micros(ended.latency));
                self.last = self.last.max(ended.at);
            }
            DeliveryKind::Valid => match ended.failure {
                None => self.refused += 1,
                Some(failure) => {
                    self.failures[failure as usize] += 1;
                    if matches!(
                        failure,
                        DeliveryFailure::TimedOut | DeliveryFailure::Unsent | DeliveryFailure::Lost
                    ) {
                        // It took at least this long. Without it, losing the slowest would improve the latencies.
                        self.latency.saturating_record(micros(ended.latency));
                    }
                }
            },
        }
    }

    /// How many valid deliveries were due and not accepted.
    pub fn errors(&self) -> u64 {
        self.refused + self.failures.iter().sum::<u64>()
    }

    /// How many valid deliveries were due and ended in any way.
    pub fn ended(&self) -> u64 {
        self.acknowledged + self.errors()
    }

    pub fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.acknowledged += other.acknowledged;
        self.refused += other.refused;
        self.probes_unanswered += other.probes_unanswered;
        self.sent_bytes += other.sent_bytes;
        self.received_bytes += other.received_bytes;
        self.last = self.last.max(other.last);
        self.overdue += other.overdue;
        self.late.0 += other.late.0;
        self.late.1 += other.late.1;
        self.late.2 = self.late.2.max(other.late.2);
        sum(&mut self.failures, &other.failures);
        sum(&mut *self.statuses, &*other.statuses);
        sum(&mut *self.probe_statuses, &*other.probe_statuses);
        sum(&mut self.probes, &other.probes);
        sum(&mut self.let_through, &other.let_through);
        // Both have the same bounds, so this cannot fail.
        let _ = self.latency.add(&other.latency);
    }
}

fn sum(all: &mut [u64], more: &[u64]) {
    all.iter_mut().zip(more).for_each(|(all, more)| *all += more);
}

impl LoadTally {
    pub fn new(phases: &[Phase]) -> Self {
        let measured = phases.iter().map(|phase| phase.measured).collect();
        let counts = phases.iter().map(|_| PhaseCounts::default()).collect();
        let ends = phases.iter().map(Phase::end).collect();
        Self { phases: counts, series: TimeSeries::new(phases), measured, ends }
    }

    /// Counts a delivery that is sent. `late` is given if a connection was free at the planned time.
    pub fn begin(&mut self, kind: DeliveryKind, phase: usize, at: Duration, late: Option<Duration>) {
        let counts = &mut self.phases[phase];
        counts.overdue += u64::from(at > self.ends[phase]);
        if let Some(late) = late {
            let (count, all, most) = counts.late;
            counts.late = (count + 1, all + late, most.max(late));
        }
        if kind == DeliveryKind::Valid {
            counts.sent += 1;
            if self.measured[phase] {
                self.series.part(at).sent += 1;
            }
        }
    }

    pub fn end(&mut self, ended: &EndedDelivery) {
        self.phases[ended.phase].count(ended);
        if self.measured[ended.phase] {
            self.series.count(ended);
        }
    }

    pub fn measures(&self, phase: usize) -> bool {
        self.measured.get(phase).is_some_and(|measured| *measured)
    }

    /// Changes the kind of a failure that was counted in a phase.
    pub fn correct(&mut self, phase: usize, from: DeliveryFailure, to: DeliveryFailure) {
        let counted = |counts: &&mut PhaseCounts| counts.failures[from as usize] > 0;
        let at = phase.min(self.phases.len());
        let (before, after) = self.phases.split_at_mut(at);
        // Near the change of two phases it may be counted in the previous one.
        if let Some(counts) = after.iter_mut().chain(before).find(counted) {
            counts.failures[from as usize] -= 1;
            counts.failures[to as usize] += 1;
        }
    }

    /// Adds the counts of another thread of the same load.
    pub fn add(&mut self, other: Self) {
        for (counts, more) in self.phases.iter_mut().zip(&other.phases) {
            counts.add(more);
        }
        self.series.add(other.series);
    }
}
