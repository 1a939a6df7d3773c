//! What came of a load, as counts: latencies, statuses, errors by kind, bytes, and a series of seconds.
//!
//! Invariant: counting a delivery allocates nothing, and its memory does not grow with the number of deliveries: only with the
//! seconds, and those are bounded too.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::bench::generate::failure::Failure;
use crate::bench::generate::plan::Phase;
use crate::bench::generate::probe;

/// The longest latency that is told apart from longer ones, in microseconds: an hour.
const LONGEST_US: u64 = 3_600_000_000;
/// The most entries of the series; a longer load has longer ones.
const MOST_INTERVALS: u64 = 3600;

/// What a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryKind {
    /// One that must be acknowledged.
    Valid,
    /// The probe of that number in [`probe::ALL`], which must not.
    Probe(usize),
}

/// How an exchange ended.
#[derive(Debug, Clone, Copy)]
pub struct EndedDelivery {
    /// What it was.
    pub kind: DeliveryKind,
    /// The number of the phase that it belongs to.
    pub phase: usize,
    /// The status, where at least the head of an answer came.
    pub status: Option<u16>,
    /// Why there is no whole answer.
    pub failure: Option<Failure>,
    /// From the time that was meant for it to the end of the answer.
    pub latency: Duration,
    /// When it ended, from the start of the load.
    pub at: Duration,
    /// How many bytes were sent.
    pub sent_bytes: usize,
    /// How many bytes came.
    pub received_bytes: u64,
}

impl EndedDelivery {
    /// A valid delivery of which no bytes are counted.
    pub(in crate::bench) fn without_bytes(
        phase: usize,
        outcome: Result<u16, Failure>,
        latency: Duration,
        at: Duration,
    ) -> Self {
        let (status, failure) = (outcome.ok(), outcome.err());
        Self {
            kind: DeliveryKind::Valid,
            phase,
            status,
            failure,
            latency,
            at,
            sent_bytes: 0,
            received_bytes: 0,
        }
    }

    /// A delivery that was due and was not sent until the end; `waited` is how long it had been due.
    pub(in crate::bench) fn unsent(phase: usize, waited: Duration, at: Duration) -> Self {
        Self::without_bytes(phase, Err(Failure::Unsent), waited, at)
    }

    /// Whether it was acknowledged: a whole answer with a status from 200 to 299.
    pub fn acknowledged(&self) -> bool {
        self.failure.is_none() && self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether a probe was let through: the head of the answer tells, whatever became of the rest.
    pub fn let_through(&self) -> bool {
        self.kind != DeliveryKind::Valid && self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether it is what the contract asks for.
    pub fn is_as_it_must_be(&self) -> bool {
        match self.kind {
            DeliveryKind::Valid => self.acknowledged(),
            DeliveryKind::Probe(_) => !self.let_through(),
        }
    }
}

/// The counts of one phase.
#[derive(Debug, Clone)]
pub struct PhaseCounts {
    /// Genuine deliveries that were begun.
    pub sent: u64,
    /// Those that were acknowledged.
    pub acknowledged: u64,
    /// Those with another status, by it.
    pub refused: u64,
    /// Those without a whole answer, or never sent, by kind.
    pub failures: [u64; Failure::ALL.len()],
    /// The answers to genuine deliveries by status.
    pub statuses: Box<[u64; 1000]>,
    /// The answers to probes by status.
    pub probe_statuses: Box<[u64; 1000]>,
    /// Probes that were sent, by their number.
    pub probes: [u64; probe::ALL.len()],
    /// Those of them that were acknowledged.
    pub let_through: [u64; probe::ALL.len()],
    /// Those of them that got no answer.
    pub probes_unanswered: u64,
    /// Latencies of the deliveries that were acknowledged, or waited for in vain, in microseconds.
    pub latency: Histogram<u64>,
    /// Bytes that were sent, probes among them.
    pub sent_bytes: u64,
    /// Bytes that came.
    pub received_bytes: u64,
    /// When the last acknowledged delivery ended, from the start of the load.
    pub last: Duration,
    /// How late deliveries went out though a connection was free: how many there were, in all, and at most.
    pub late: (u64, Duration, Duration),
    /// Deliveries, probes among them, that went out behind the end of the phase: no connection was free for them in it.
    pub overdue: u64,
}

/// What came of a load, or of the part of it that one thread has.
#[derive(Debug)]
pub struct LoadTally {
    /// The counts of each phase.
    pub phases: Vec<PhaseCounts>,
    /// The series of the phases that are measured.
    pub series: TimeSeries,
    measured: Vec<bool>,
    /// When each phase ends, from the start of the load.
    ends: Vec<Duration>,
}

/// A histogram of latencies in microseconds, with that many significant digits.
pub fn histogram(digits: u8) -> Histogram<u64> {
    // One of constant bounds: it could not be made for bounds that make no sense only.
    Histogram::new_with_bounds(1, LONGEST_US, digits)
        .unwrap_or_else(|_| unreachable!("bounds that make sense"))
}

/// A latency as histograms have it.
pub fn micros(latency: Duration) -> u64 {
    u64::try_from(latency.as_micros()).unwrap_or(u64::MAX)
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
            probes: Default::default(),
            let_through: Default::default(),
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
                    if matches!(failure, Failure::TimedOut | Failure::Unsent | Failure::Lost) {
                        // It took at least as long: left out, the slowest would make the rest look fast.
                        self.latency.saturating_record(micros(ended.latency));
                    }
                }
            },
        }
    }

    /// How many deliveries were due and were not acknowledged.
    pub fn errors(&self) -> u64 {
        self.refused + self.failures.iter().sum::<u64>()
    }

    /// How many genuine deliveries were due and came to an end of some kind.
    pub fn ended(&self) -> u64 {
        self.acknowledged + self.errors()
    }

    /// Adds the counts of another.
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
        // Of the same bounds, so it cannot fail.
        let _ = self.latency.add(&other.latency);
    }
}

fn sum(all: &mut [u64], more: &[u64]) {
    all.iter_mut().zip(more).for_each(|(all, more)| *all += more);
}

impl LoadTally {
    /// Nothing so far.
    pub fn new(phases: &[Phase]) -> Self {
        let measured = phases.iter().map(|phase| phase.measured).collect();
        let counts = phases.iter().map(|_| PhaseCounts::default()).collect();
        let ends = phases.iter().map(Phase::end).collect();
        Self { phases: counts, series: TimeSeries::new(phases), measured, ends }
    }

    /// Counts a delivery that goes out; `late` where a connection was free at the time meant for it.
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
                self.series.moment(at).sent += 1;
            }
        }
    }

    /// Counts an exchange that has ended.
    pub fn end(&mut self, ended: &EndedDelivery) {
        self.phases[ended.phase].count(ended);
        if self.measured[ended.phase] {
            self.series.count(ended);
        }
    }

    /// Whether a phase is measured, or warm-up.
    pub fn measures(&self, phase: usize) -> bool {
        self.measured.get(phase).is_some_and(|measured| *measured)
    }

    /// Counts a failure of a phase as another one: it is known better now.
    pub fn correct(&mut self, phase: usize, from: Failure, to: Failure) {
        let counted = |counts: &&mut PhaseCounts| counts.failures[from as usize] > 0;
        let at = phase.min(self.phases.len());
        let (before, behind) = self.phases.split_at_mut(at);
        // Near the change of two phases it may be the one before.
        if let Some(counts) = behind.iter_mut().chain(before).find(counted) {
            counts.failures[from as usize] -= 1;
            counts.failures[to as usize] += 1;
        }
    }

    /// Adds what another has counted of the same load.
    pub fn add(&mut self, other: Self) {
        for (counts, more) in self.phases.iter_mut().zip(&other.phases) {
            counts.add(more);
        }
        self.series.add(other.series);
    }
}

/// A series of equally long parts of the measured time.
#[derive(Debug)]
pub struct TimeSeries {
    /// How long each is: whole seconds.
    pub interval: Duration,
    /// When the first begins, from the start of the load.
    start: Duration,
    /// The parts so far.
    pub moments: Vec<SeriesPart>,
    /// The latencies of the one that is under way.
    latency: Histogram<u64>,
    current: usize,
}

/// One part of the series.
#[derive(Debug, Clone, Default)]
pub struct SeriesPart {
    /// Genuine deliveries that were begun.
    pub sent: u64,
    /// Those that were acknowledged.
    pub acknowledged: u64,
    /// Those that were answered otherwise.
    pub refused: u64,
    /// Those without a whole answer.
    pub failed: u64,
    /// Latencies in microseconds with how many there were of each.
    pub latencies: Vec<(u64, u64)>,
}

impl TimeSeries {
    fn new(phases: &[Phase]) -> Self {
        let start = phases.iter().find(|phase| phase.measured).map_or(Duration::ZERO, |phase| phase.from);
        let end = phases.last().map_or(Duration::ZERO, Phase::end);
        let length = end.saturating_sub(start).as_secs();
        let interval = Duration::from_secs(length.div_ceil(MOST_INTERVALS).max(1));
        let count = end.saturating_sub(start).as_millis().div_ceil(interval.as_millis()).max(1);
        let moments = vec![SeriesPart::default(); usize::try_from(count).unwrap_or(1)];
        Self { interval, start, moments, latency: histogram(2), current: 0 }
    }

    /// The part that a time falls into; what comes after the end belongs to the last.
    fn index(&self, at: Duration) -> usize {
        // The interval is whole seconds.
        let index = at.saturating_sub(self.start).as_secs() / self.interval.as_secs().max(1);
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        index.min(self.moments.len() - 1)
    }

    fn moment(&mut self, at: Duration) -> &mut SeriesPart {
        let index = self.index(at);
        &mut self.moments[index]
    }

    fn count(&mut self, ended: &EndedDelivery) {
        if ended.kind != DeliveryKind::Valid {
            return;
        }
        let index = self.index(ended.at);
        // Exchanges end in the order of time, so a part that is over stays so.
        if index > self.current {
            self.settle();
            self.current = index;
        }
        let moment = &mut self.moments[index];
        if ended.acknowledged() {
            moment.acknowledged += 1;
            self.latency.saturating_record(micros(ended.latency));
        } else if ended.failure.is_some() {
            moment.failed += 1;
        } else {
            moment.refused += 1;
        }
    }

    /// Puts the latencies of the part under way where they belong.
    fn settle(&mut self) {
        let recorded = self.latency.iter_recorded();
        let recorded = recorded.map(|value| (value.value_iterated_to(), value.count_since_last_iteration()));
        self.moments[self.current].latencies.extend(recorded);
        self.latency.reset();
    }

    fn add(&mut self, mut other: Self) {
        self.settle();
        other.settle();
        for (moment, more) in self.moments.iter_mut().zip(other.moments) {
            moment.sent += more.sent;
            moment.acknowledged += more.acknowledged;
            moment.refused += more.refused;
            moment.failed += more.failed;
            moment.latencies.extend(more.latencies);
        }
    }
}
