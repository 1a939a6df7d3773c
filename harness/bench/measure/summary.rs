//! From the counts of a load to the entries of its report.
//!
//! Invariant: only what was measured is summed up; what must be judged (probes, answers to valid deliveries) is judged in the
//! warm-up too.

use std::time::Duration;

use crate::bench::generate::failure::DeliveryFailure;
use crate::bench::generate::plan::Phase;
use crate::bench::generate::probe;
use crate::bench::measure::figures::{
    Latency, Lateness, Measured, Named, PhaseEntry, ProbeEntry, Probes, SeriesEntry, SeriesPoint,
    ShownExchange, StatusCount, Unexpected,
};
use crate::bench::measure::latency::{histogram, micros};
use crate::bench::measure::load::{LoadEnding, LoadOutcome};
use crate::bench::measure::tally::PhaseCounts;
use crate::bench::measure::witness::{KeptExchange, Oddity};
use crate::duration::milliseconds;
use crate::redaction::Redaction;
use crate::suite::requirement::Level;

/// How much of a request or an answer is shown, in bytes.
const SHOWN: usize = 4096;

impl LoadOutcome {
    /// The counts of all measured phases together.
    pub fn counts(&self) -> PhaseCounts {
        let mut all = PhaseCounts::default();
        self.measured_phases().for_each(|(_, counts)| all.add(counts));
        all
    }

    /// The measured phases that had begun when the load ended, with their counts.
    fn measured_phases(&self) -> impl Iterator<Item = (&Phase, &PhaseCounts)> {
        let begun = |phase: &Phase| phase.measured && phase.from < self.elapsed;
        self.phases.iter().zip(&self.tally.phases).filter(move |(phase, _)| begun(phase))
    }

    fn length(&self, phase: &Phase) -> Duration {
        phase.length.min(self.elapsed.saturating_sub(phase.from))
    }

    /// How long a phase went on until the last of its acknowledgements: what is divided by to have a rate.
    fn stretch(&self, phase: &Phase, counts: &PhaseCounts) -> Duration {
        self.length(phase).max(counts.last.saturating_sub(phase.from))
    }

    pub fn total(&self) -> Measured {
        let stretch = self.measured_phases().map(|(phase, counts)| self.stretch(phase, counts)).sum();
        measured(&self.counts(), stretch)
    }

    pub fn entries(&self) -> Vec<PhaseEntry> {
        let entry = |(phase, counts): (&Phase, &PhaseCounts)| PhaseEntry {
            rate: phase.rate,
            achieved: self.achieved(phase, counts),
            measured: measured(counts, self.stretch(phase, counts)),
        };
        self.measured_phases().map(entry).collect()
    }

    /// How many a second went out in their phase.
    fn achieved(&self, phase: &Phase, counts: &PhaseCounts) -> f64 {
        let all = counts.sent + counts.probes.iter().sum::<u64>();
        rate(all.saturating_sub(counts.overdue), self.length(phase))
    }

    /// The rates that were missed, since no connection was free for what was due, with what went out instead.
    fn missed(&self) -> Vec<(f64, f64)> {
        let missed = |(phase, counts): (&Phase, &PhaseCounts)| {
            let achieved = self.achieved(phase, counts);
            // Of few deliveries the last one is a large share.
            let rate = phase.rate.filter(|rate| achieved < rate * ACHIEVED && counts.sent > FEW)?;
            Some((rate, achieved))
        };
        self.measured_phases().filter_map(missed).collect()
    }

    /// The measured time in equal parts, as far as it went.
    pub fn series(&self) -> SeriesEntry {
        let series = &self.tally.series;
        let start =
            self.phases.iter().find(|phase| phase.measured).map_or(Duration::ZERO, |phase| phase.from);
        let gone_on = self.elapsed.saturating_sub(start).as_millis();
        let count = gone_on.div_ceil(series.interval.as_millis().max(1));
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let mut latencies = histogram(2);
        let points = series.moments.iter().take(count).map(|moment| {
            latencies.reset();
            for (value, count) in &moment.latencies {
                latencies.saturating_record_n(*value, *count);
            }
            let at = |quantile| (!latencies.is_empty()).then(|| latencies.value_at_quantile(quantile));
            SeriesPoint {
                sent: moment.sent,
                acknowledged: moment.acknowledged,
                refused: moment.refused,
                failed: moment.failed,
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
        let kinds = probe::ALL.iter().enumerate().map(|(number, kind)| ProbeEntry {
            name: kind.name.to_owned(),
            requirement: kind.requirement.id.to_owned(),
            level: kind.requirement.level.to_string(),
            sent: all.probes[number],
            let_through: all.let_through[number],
            exchange: self.witness(Oddity::Probe(number)).map(|(_, witness)| shown(witness, redaction)),
        });
        Probes {
            sent: all.probes.iter().sum(),
            let_through: all.let_through.iter().sum(),
            unanswered: all.probes_unanswered,
            statuses: statuses(&*all.probe_statuses),
            kinds: kinds.collect(),
        }
    }

    /// The strictest level of the requirements that probes which were let through belong to.
    pub fn broken_level(&self) -> Option<Level> {
        let broken = probe::ALL.iter().enumerate();
        let broken = broken.filter(|(number, _)| self.witness(Oddity::Probe(*number)).is_some());
        broken.map(|(_, kind)| kind.requirement.level).min()
    }

    /// Valid deliveries that were not acknowledged, by kind.
    pub fn unexpected(&self, redaction: &Redaction) -> Vec<Unexpected> {
        let entry = |(oddity, (count, witness)): (&Oddity, &(u64, KeptExchange))| {
            let (kind, text) = match oddity {
                Oddity::Probe(_) => return None,
                Oddity::Status(status) => {
                    (status.to_string(), format!("a valid delivery was answered {status}"))
                }
                Oddity::Failure(failure) => (failure.name().to_owned(), failure.describe().to_owned()),
            };
            Some(Unexpected { kind, text, count: *count, exchange: shown(witness, redaction) })
        };
        self.witnesses.0.iter().filter_map(entry).collect()
    }

    fn witness(&self, oddity: Oddity) -> Option<&(u64, KeptExchange)> {
        self.witnesses.0.get(&oddity)
    }

    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        match self.ending {
            LoadEnding::Complete => {}
            LoadEnding::Interrupted => {
                notes.push("the load was interrupted: this is what there was until then".to_owned())
            }
            LoadEnding::Gone => notes.push(format!(
                "the load ended early, after {:.1} s: nobody listened at the receiver's address any more",
                self.elapsed.as_secs_f64()
            )),
        }
        if self.reopened > 0 {
            notes.push(format!("{} connections were opened in the place of closed ones", self.reopened));
        }
        if self.ending == LoadEnding::Complete {
            notes.extend(self.missed().into_iter().map(|(rate, achieved)| {
                format!(
                    "of {rate} deliveries per second only {achieved:.1} went out in time: no connection was free for the others"
                )
            }));
        }
        for (rate, mean, most) in self.lateness() {
            notes.push(format!(
                "the generator itself did not keep up with {rate} deliveries per second: though a connection was free, \
                 they went out {mean:.1} ms late on average, {most:.1} ms at most; that is part of the latencies"
            ));
        }
        notes
    }

    /// The rates that the generator itself did not keep up with: how late it was on average and at most, in milliseconds.
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

/// Which share of a rate must go out in time, where there are more deliveries than a few.
pub(super) const ACHIEVED: f64 = 0.98;
const FEW: u64 = 100;
/// How late the generator may be on average, and once, until it is said.
const LATE_ON_AVERAGE: Duration = Duration::from_millis(2);
const LATE_AT_MOST: Duration = Duration::from_millis(100);

/// So many in so many milliseconds, as a rate; nothing where there was no time.
pub(in crate::bench) fn per_second(count: f64, time_ms: f64) -> f64 {
    if time_ms > 0.0 { count / time_ms * 1e3 } else { 0.0 }
}

fn rate(count: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { count as f64 / time.as_secs_f64() }
}

fn measured(counts: &PhaseCounts, stretch: Duration) -> Measured {
    let errors = DeliveryFailure::ALL.iter().map(|&failure| (failure, counts.failures[failure as usize]));
    let errors = errors.filter(|(_, count)| *count > 0);
    let (late, all, most) = counts.late;
    let lateness = (late > 0).then(|| Lateness {
        count: late,
        mean_us: all.as_secs_f64() * 1e6 / late as f64,
        max_us: micros(most),
    });
    Measured {
        duration_ms: stretch.as_secs_f64() * 1e3,
        rate: rate(counts.acknowledged, stretch),
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

fn shown(witness: &KeptExchange, redaction: &Redaction) -> ShownExchange {
    let text = |bytes: &[u8]| {
        // Cut short after the redaction: half a secret is not found.
        let clean = redaction.text(&String::from_utf8_lossy(bytes));
        match clean.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &clean[..end]),
            None => clean,
        }
    };
    ShownExchange {
        at_ms: witness.at.as_secs_f64() * 1e3,
        took_ms: witness.took.as_secs_f64() * 1e3,
        status: witness.status,
        request: text(&witness.request),
        answer: text(&witness.answer),
    }
}
