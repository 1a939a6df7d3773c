//! Judges a load on a receiver, and makes its report.
//!
//! An accepted probe or too many errors fail the load whatever the latencies are. A load that measured nothing never passes.

use super::load::{LoadEnding, LoadOutcome};
use super::messages;
use super::objective::{Bound, BoundCheck};
use super::report::{BenchReport, CorpusFacts, Figures, LoadFacts, LoadMode, Origin, SearchEntry};
use super::result::BenchResult;
use super::tally::PhaseCounts;
use crate::bench::generate::corpus::Corpus;
use crate::bench::generate::plan::{LoadPlan, Mode};
use crate::duration::milliseconds;
use crate::redaction::Redaction;
use crate::suite::requirement::Level;

/// What a receiver may do wrong under load.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    /// The allowed share of errors, from 0 to 1.
    pub max_errors: f64,
    /// The lowest level at which an accepted probe fails the run.
    pub fail_on: Level,
}

/// The parts of a receiver's report other than the outcome of the load.
#[derive(Debug, Clone)]
pub struct ReceiverFacts<'a> {
    pub origin: Origin,
    pub plan: &'a LoadPlan,
    pub corpus: &'a Corpus,
    pub tolerance: Tolerance,
    pub thresholds: &'a [Bound],
    pub redaction: &'a Redaction,
    /// The search for the highest rate, if requested.
    pub search: Option<SearchEntry>,
    /// How the receiver ended, if it ended by itself.
    pub ended: Option<String>,
}

impl LoadFacts {
    /// The facts of a plan. The rates of a search are in its trials instead.
    pub fn of(plan: &LoadPlan, max_errors: f64, searches: bool) -> Self {
        let (mode, rates) = match &plan.mode {
            _ if searches => (LoadMode::FindMax, Vec::new()),
            Mode::Saturation => (LoadMode::Saturation, Vec::new()),
            Mode::Rates(rates) if rates.len() == 1 => (LoadMode::Rate, rates.clone()),
            Mode::Rates(rates) => (LoadMode::RateSteps, rates.clone()),
        };
        Self {
            mode,
            rates,
            concurrency: plan.concurrency,
            threads: plan.threads,
            duration_ms: milliseconds(plan.duration),
            warm_up_ms: milliseconds(plan.warm_up),
            timeout_ms: milliseconds(plan.timeout),
            probe_share: plan.probe_share,
            max_errors,
        }
    }
}

impl CorpusFacts {
    pub fn of(corpus: &Corpus) -> Self {
        let lengths = corpus.bodies().iter().map(|body| body.bytes.len() as u64);
        Self {
            bodies: corpus.bodies().len(),
            bytes: lengths.sum(),
            longest: corpus.longest() as u64,
            without_id: corpus.bodies().iter().filter(|body| body.id.is_none()).count(),
        }
    }
}

pub fn report(outcome: &LoadOutcome, facts: ReceiverFacts<'_>) -> BenchReport {
    let ReceiverFacts { mut origin, plan, corpus, tolerance, thresholds, redaction, search, ended } = facts;
    let counts = outcome.counts();
    let figures = Figures {
        total: outcome.total(),
        phases: outcome.entries(),
        series: outcome.series(),
        probes: outcome.probes(redaction),
        unexpected: outcome.unexpected(redaction),
    };
    let thresholds = checked(thresholds, &counts);
    let result = judge(outcome, &figures, &tolerance, &thresholds, search.as_ref(), ended.is_some());

    let mut notes = outcome.notes();
    notes.extend(ended);
    notes.extend(origin.machine.note());
    let probes = &figures.probes;
    if probes.unanswered > 0 {
        notes.push(messages::probes_unanswered(probes.unanswered, probes.sent));
    }
    notes.extend(rejects_everything(&counts).map(messages::rejects_everything));
    if counts.ended() == 0 {
        notes.push(messages::nothing_measured().to_owned());
    }

    let load = LoadFacts::of(plan, tolerance.max_errors, search.is_some());
    origin.subject = redaction.text(&origin.subject);
    let mut report = BenchReport::new(origin, load, CorpusFacts::of(corpus), figures, result);
    report.thresholds = thresholds;
    report.search = search;
    notes.extend(report.note_on_stalls());
    report.notes = notes.iter().map(|note| redaction.text(note)).collect();
    report
}

fn judge(
    outcome: &LoadOutcome,
    figures: &Figures,
    tolerance: &Tolerance,
    thresholds: &[BoundCheck],
    search: Option<&SearchEntry>,
    has_ended: bool,
) -> BenchResult {
    let Figures { total, probes, .. } = figures;
    let nothing = total.acknowledged == 0;
    let accepts_probes = outcome.broken_level().is_some_and(|level| level <= tolerance.fail_on);
    // A receiver that answers no probe has rejected none.
    let unjudged = probes.sent > 0 && probes.unanswered == probes.sent;
    let none_found = search.is_some_and(|search| search.found.is_none());
    let unstable = search.is_some_and(|search| !search.stable);
    // If a search finds nothing, errors at the last rate mean too slow, unless nothing is accepted at any rate.
    let too_many_errors = total.error_share > tolerance.max_errors && (!none_found || nothing);
    let too_slow = thresholds.iter().any(|check| !check.held);
    if outcome.ending == LoadEnding::Interrupted {
        BenchResult::Interrupted
    } else if accepts_probes || too_many_errors && outcome.clock_step_ms.is_none() {
        BenchResult::Fail
    } else if too_many_errors {
        // What was signed with another time than the receiver's is rightly rejected.
        BenchResult::Incomplete
    } else if too_slow || none_found && !unstable && outcome.ending == LoadEnding::Complete {
        BenchResult::Slow
    } else if outcome.ending == LoadEnding::Gone || unstable || has_ended || nothing || unjudged {
        BenchResult::Incomplete
    } else {
        BenchResult::Pass
    }
}

/// The status, if the receiver answered every valid delivery with one that rejects a signature.
fn rejects_everything(counts: &PhaseCounts) -> Option<usize> {
    let rejected =
        |status: &usize| counts.statuses[*status] > 0 && counts.statuses[*status] == counts.ended();
    [400, 401, 403].into_iter().find(rejected)
}

/// Checks each bound.
pub(in crate::bench) fn checked(bounds: &[Bound], counts: &PhaseCounts) -> Vec<BoundCheck> {
    bounds.iter().map(|bound| bound.check(counts)).collect()
}
