//! Turns the counts of a load into the entries of its report.
//!
//! Figures exclude the warm-up. Probes and unexpected answers include it.

use std::time::Duration;

use crate::bench::generate::failure::DeliveryFailure;
use crate::bench::generate::plan::Phase;
use crate::bench::generate::probe;
use crate::bench::measure::figures::{
    Latency, Lateness, Measured, Named, PhaseEntry, ProbeEntry, Probes, SeriesEntry, SeriesPoint,
    ShownExchange, StatusCount, Unexpected,
};
use crate::bench::measure::kept::{KeptExchange, UnexpectedKind};
use crate::bench::measure::latency::{histogram, micros};
use crate::bench::measure::load::{LoadEnding, LoadOutcome};
use crate::bench::measure::messages;
use crate::bench::measure::tally::PhaseCounts;
use crate::duration::milliseconds;
use crate::redaction::Redaction;
use crate::suite::requirement::Level;
use crate::terminal;

/// How much of a request or an answer is shown, in bytes.
const SHOWN: usize = 4096;

impl LoadOutcome {
    /// The counts of all measured phases together.
    pub fn counts(&self) -> PhaseCounts {
        let mut all = PhaseCounts::default();
        self.measured_phases().for_each(|(_, counts)| all.add(counts));
        all
    }

    /// The measured phases that began before the load ended, with their counts.
    fn measured_phases(&self) -> impl Iterator<Item = (&Phase, &PhaseCounts)> {
        let begun = |phase: &Phase| phase.measured && phase.from < self.elapsed;
        self.phases.iter().zip(&self.tally.phases).filter(move |(phase, _)| begun(phase))
    }

    fn length(&self, phase: &Phase) -> Duration {
        phase.length.min(self.elapsed.saturating_sub(phase.from))
    }

    /// The length of a phase, up to its last 2xx if that is later: the divisor of its rate.
    fn period(&self, phase: &Phase, counts: &PhaseCounts) -> Duration {
        self.length(phase).max(counts.last.saturating_sub(phase.from))
    }

    pub fn total(&self) -> Measured {
        let period = self.measured_phases().map(|(phase, counts)| self.period(phase, counts)).sum();
        measured(&self.counts(), period)
    }

    pub fn entries(&self) -> Vec<PhaseEntry> {
        let entry = |(phase, counts): (&Phase, &PhaseCounts)| PhaseEntry {
            rate: phase.rate,
            achieved: self.achieved(phase, counts),
            measured: measured(counts, self.period(phase, counts)),
        };
        self.measured_phases().map(entry).collect()
    }

    /// Deliveries per second that were sent within their phase.
    fn achieved(&self, phase: &Phase, counts: &PhaseCounts) -> f64 {
        let all = counts.sent + counts.probes.iter().sum::<u64>();
        rate(all.saturating_sub(counts.overdue), self.length(phase))
    }

    /// The rates that were not achieved because no connection was free, each with the achieved rate.
    fn missed(&self) -> Vec<(f64, f64)> {
        let missed = |(phase, counts): (&Phase, &PhaseCounts)| {
            let achieved = self.achieved(phase, counts);
            // With few deliveries, one that is late is already a large share.
            let rate = phase.rate.filter(|rate| achieved < rate * ACHIEVED && counts.sent > FEW)?;
            Some((rate, achieved))
        };
        self.measured_phases().filter_map(missed).collect()
    }

    /// The measured time in equal parts, up to the end of the load.
    pub fn series(&self) -> SeriesEntry {
        let series = &self.tally.series;
        let start =
            self.phases.iter().find(|phase| phase.measured).map_or(Duration::ZERO, |phase| phase.from);
        let measured = self.elapsed.saturating_sub(start).as_millis();
        let count = measured.div_ceil(series.interval.as_millis().max(1));
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let mut latencies = histogram(2);
        let points = series.parts.iter().take(count).map(|part| {
            latencies.reset();
            for (value, count) in &part.latencies {
                latencies.saturating_record_n(*value, *count);
            }
            let at = |quantile| (!latencies.is_empty()).then(|| latencies.value_at_quantile(quantile));
            SeriesPoint {
                sent: part.sent,
                acknowledged: part.acknowledged,
                refused: part.refused,
                failed: part.failed,
                p50_us: at(0.5),
                p90_us: at(0.9),
                p99_us: at(0.99),
            }
        });
        let points = points.collect();
        SeriesEntry { interval_ms: milliseconds(series.interval), points }
    }

    pub fn probes(&self, redaction: &Redaction) -> Probes {
        let mut all = PhaseCounts::default();
        self.tally.phases.iter().for_each(|counts| all.add(counts));
        let kinds = probe::all().iter().enumerate().map(|(number, kind)| ProbeEntry {
            name: kind.name().to_owned(),
            requirement: kind.requirement.id.to_owned(),
            level: kind.requirement.level.to_string(),
            sent: all.probes[number],
            let_through: all.let_through[number],
            exchange: self.kept(UnexpectedKind::Probe(number)).map(|(_, kept)| shown(kept, redaction)),
        });
        Probes {
            sent: all.probes.iter().sum(),
            let_through: all.let_through.iter().sum(),
            unanswered: all.probes_unanswered,
            statuses: statuses(&*all.probe_statuses),
            kinds: kinds.collect(),
        }
    }

    /// The strictest level among the requirements of accepted probes.
    pub fn broken_level(&self) -> Option<Level> {
        let broken = probe::all().iter().enumerate();
        let broken = broken.filter(|(number, _)| self.kept(UnexpectedKind::Probe(*number)).is_some());
        broken.map(|(_, kind)| kind.requirement.level).min()
    }

    /// Valid deliveries that were not accepted, by kind.
    pub fn unexpected(&self, redaction: &Redaction) -> Vec<Unexpected> {
        let entry = |(kind, (count, kept)): (&UnexpectedKind, &(u64, KeptExchange))| {
            let (kind, text) = match kind {
                UnexpectedKind::Probe(_) => return None,
                UnexpectedKind::Status(status) => (status.to_string(), messages::unexpected_answer(status)),
                UnexpectedKind::Failure(failure) => {
                    (failure.name().to_owned(), failure.describe().to_owned())
                }
            };
            Some(Unexpected { kind, text, count: *count, exchange: shown(kept, redaction) })
        };
        self.kept.0.iter().filter_map(entry).collect()
    }

    fn kept(&self, kind: UnexpectedKind) -> Option<&(u64, KeptExchange)> {
        self.kept.0.get(&kind)
    }

    /// That the clock was set, and what follows from it.
    pub(in crate::bench) fn clock_note(&self) -> Option<String> {
        self.clock_step_ms.map(messages::clock_was_set)
    }

    pub fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.clock_note().into_iter().collect();
        match self.ending {
            LoadEnding::Complete => {}
            LoadEnding::Interrupted => notes.push(messages::interrupted().to_owned()),
            LoadEnding::Gone => notes.push(messages::receiver_gone(self.elapsed.as_secs_f64())),
        }
        if self.reopened > 0 {
            notes.push(messages::reopened(self.reopened));
        }
        if self.ending == LoadEnding::Complete {
            let missed = self.missed().into_iter();
            notes.extend(missed.map(|(rate, achieved)| messages::rate_missed(rate, achieved)));
        }
        let late = self.lateness().into_iter();
        notes.extend(late.map(|(rate, mean, most)| messages::generator_late(rate, mean, most)));
        notes
    }

    /// The rates that the generator itself missed, with its lateness on average and at most, in milliseconds.
    pub(in crate::bench) fn lateness(&self) -> Vec<(f64, f64, f64)> {
        let late = |(phase, counts): (&Phase, &PhaseCounts)| {
            let (count, all, most) = counts.late;
            let mean = all.checked_div(u32::try_from(count).unwrap_or(u32::MAX)).unwrap_or_default();
            let rate = phase.rate.filter(|_| mean > LATE_ON_AVERAGE || most > LATE_AT_MOST)?;
            Some((rate, mean.as_secs_f64() * 1e3, most.as_secs_f64() * 1e3))
        };
        self.measured_phases().filter_map(late).collect()
    }
}

/// The share of a rate that must be sent in time, unless there are few deliveries.
pub(super) const ACHIEVED: f64 = 0.98;
const FEW: u64 = 100;
/// The lateness of the generator, on average and at most, above which a note is given.
const LATE_ON_AVERAGE: Duration = Duration::from_millis(2);
const LATE_AT_MOST: Duration = Duration::from_millis(100);

/// A rate from a count and milliseconds; 0 without time.
pub(in crate::bench) fn per_second(count: f64, time_ms: f64) -> f64 {
    if time_ms > 0.0 { count / time_ms * 1e3 } else { 0.0 }
}

fn rate(count: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { count as f64 / time.as_secs_f64() }
}

fn measured(counts: &PhaseCounts, period: Duration) -> Measured {
    let errors = DeliveryFailure::ALL.iter().map(|&failure| (failure, counts.failures[failure as usize]));
    let errors = errors.filter(|(_, count)| *count > 0);
    let (late, all, most) = counts.late;
    let lateness = (late > 0).then(|| Lateness {
        count: late,
        mean_us: all.as_secs_f64() * 1e6 / late as f64,
        max_us: micros(most),
    });
    Measured {
        duration_ms: period.as_secs_f64() * 1e3,
        rate: rate(counts.acknowledged, period),
        sent: counts.sent,
        acknowledged: counts.acknowledged,
        refused: counts.refused,
        failed: counts.failures.iter().sum(),
        error_share: counts.errors() as f64 / counts.ended().max(1) as f64,
        errors: errors.map(|(failure, count)| Named { name: failure.name().to_owned(), count }).collect(),
        statuses: statuses(&*counts.statuses),
        bytes_sent: counts.sent_bytes,
        bytes_received: counts.received_bytes,
        latency: Latency::of(&counts.latency),
        lateness,
    }
}

fn statuses(counts: &[u64]) -> Vec<StatusCount> {
    let counted = (0..).zip(counts).filter(|(_, count)| **count > 0);
    counted.map(|(status, &count)| StatusCount { status, count }).collect()
}

fn shown(kept: &KeptExchange, redaction: &Redaction) -> ShownExchange {
    let text = |bytes: &[u8]| {
        // Truncated after redaction, which would miss a secret cut in half.
        let clean = redaction.text(&terminal::text(bytes));
        match clean.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &clean[..end]),
            None => clean,
        }
    };
    ShownExchange {
        at_ms: kept.at.as_secs_f64() * 1e3,
        took_ms: kept.took.as_secs_f64() * 1e3,
        status: kept.status,
        request: text(&kept.request),
        answer: text(&kept.answer),
    }
}
