//! What a load says about its receiver: the report, and the exit status that goes with it.
//!
//! Invariant: pure. A probe that was let through, or more errors than are allowed, fails whatever the latencies are; and a load
//! that measured nothing never passes.

use std::time::Duration;

use super::objective::Bound;
use super::report::{
    BenchReport, CorpusFacts, FORMAT, LoadFacts, Machine, SearchEntry, ThresholdEntry, Tool,
};
use crate::bench::generate::corpus::Corpus;
use crate::bench::generate::load::{Ending, Outcome};
use crate::bench::generate::plan::Plan;
use crate::exit::ExitStatus;
use crate::redaction::Redaction;
use crate::suite::requirement::Level;
use crate::webhook::dialect::rfc3339;

/// What a report says beside what came of the load, and what it is judged by.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// What was measured, as reports call it.
    pub subject: &'a str,
    /// The arguments of the command, without the secret.
    pub command: Vec<String>,
    /// The dialect's name.
    pub dialect: &'a str,
    /// When it began, in milliseconds since the epoch.
    pub started_at_ms: u64,
    /// How long it took in all.
    pub took: Duration,
    /// The load.
    pub plan: &'a Plan,
    /// The bodies.
    pub corpus: &'a Corpus,
    /// The machine.
    pub machine: Machine,
    /// Which share of errors is allowed, from 0 to 1.
    pub max_errors: f64,
    /// The weakest level whose probes fail the run when they are let through.
    pub fail_on: Level,
    /// The bounds.
    pub thresholds: &'a [Bound],
    /// Takes the secret out.
    pub redaction: &'a Redaction,
    /// The search that led here, where there was one.
    pub search: Option<SearchEntry>,
    /// How the receiver ended by itself, where it did.
    pub ended: Option<String>,
}

impl Machine {
    /// This one.
    pub fn this() -> Self {
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            cpu: processor(),
            optimised: !cfg!(debug_assertions),
        }
    }
}

/// The processor's model as Linux tells it; elsewhere it is not known.
fn processor() -> Option<String> {
    let told = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let value = |name: &str| {
        let named = |line: &str| {
            let (key, value) = line.split_once(':')?;
            (key.trim() == name).then(|| value.trim().to_owned())
        };
        told.lines().find_map(named).filter(|value| !value.is_empty())
    };
    // ARM's has numbers in the place of a name.
    let numbers = || Some(format!("{} {}", value("CPU implementer")?, value("CPU part")?));
    value("model name").or_else(numbers)
}

impl LoadFacts {
    /// What there is to say of a plan. A search for the highest rate has its rates among its trials.
    pub fn of(plan: &Plan, max_errors: f64, searches: bool) -> Self {
        let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let (mode, rates) = if searches { ("find-max", Vec::new()) } else { plan.mode.described() };
        Self {
            mode: mode.to_owned(),
            rates,
            concurrency: plan.concurrency,
            threads: plan.threads,
            duration_ms: ms(plan.duration),
            warm_up_ms: ms(plan.warm_up),
            timeout_ms: ms(plan.timeout),
            probe_share: plan.probe_share,
            max_errors,
        }
    }
}

impl Tool {
    /// This program.
    pub fn this() -> Self {
        Self { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

impl CorpusFacts {
    /// What there is to say of a corpus.
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

/// The report of a load, and its exit status.
pub fn report(outcome: &Outcome, facts: Facts<'_>) -> (BenchReport, ExitStatus) {
    let Facts { plan, redaction, .. } = facts;
    let counts = outcome.counts();
    let thresholds: Vec<ThresholdEntry> =
        facts.thresholds.iter().map(|bound| bound.held_by(&counts).into()).collect();
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut notes = outcome.notes();
    let has_ended = facts.ended.is_some();
    notes.extend(facts.ended);
    if !facts.machine.optimised {
        notes.push("the tool was built without optimisations: its figures say little".to_owned());
    }
    let lets_through = outcome.broken_level().is_some_and(|level| level <= facts.fail_on);
    let total = outcome.total();
    // A receiver that answers no probe has refused none.
    let probes = outcome.probes(redaction);
    let unjudged = probes.sent > 0 && probes.unanswered == probes.sent;
    if probes.unanswered > 0 {
        notes.push(format!(
            "{} of the {} deliveries that must be refused got no answer: that is no refusal",
            probes.unanswered, probes.sent
        ));
    }
    let none_held = facts.search.as_ref().is_some_and(|search| search.found.is_none());
    // Of a search that found nothing the last trial is what was too fast, unless nothing is acknowledged at any rate.
    let too_many_errors = total.error_share > facts.max_errors;
    let status = if outcome.ending == Ending::Interrupted {
        ExitStatus::Interrupted
    } else if lets_through || (too_many_errors && (!none_held || counts.acknowledged == 0)) {
        ExitStatus::Failed
    } else if thresholds.iter().any(|one| !one.held) || none_held && outcome.ending == Ending::Complete {
        ExitStatus::Slower
    } else if outcome.ending == Ending::Gone || has_ended || counts.acknowledged == 0 || unjudged {
        ExitStatus::Incomplete
    } else {
        ExitStatus::Passed
    };
    if counts.ended() == 0 {
        notes.push("no genuine delivery came to an end in the time that was measured".to_owned());
    }
    let result = word(status);
    let report = BenchReport {
        format: FORMAT.to_owned(),
        role: "receiver".to_owned(),
        tool: Tool::this(),
        machine: facts.machine,
        command: facts.command,
        subject: redaction.text(facts.subject),
        dialect: facts.dialect.to_owned(),
        started_at: rfc3339(facts.started_at_ms),
        seed: Some(plan.seed),
        load: LoadFacts::of(plan, facts.max_errors, facts.search.is_some()),
        corpus: CorpusFacts::of(facts.corpus),
        result: result.to_owned(),
        exit_status: status.code(),
        duration_ms: ms(facts.took),
        total,
        phases: outcome.entries(),
        series: outcome.series(),
        probes,
        unexpected: outcome.unexpected(redaction),
        thresholds,
        search: facts.search,
        comparison: None,
        sending: None,
        notes: notes.iter().map(|note| redaction.text(note)).collect(),
    };
    (report, status)
}

/// What a result is called.
pub fn word(status: ExitStatus) -> &'static str {
    match status {
        ExitStatus::Passed => "pass",
        ExitStatus::Failed => "fail",
        ExitStatus::Slower => "slow",
        ExitStatus::Interrupted => "interrupted",
        ExitStatus::Harness => "error",
        _ => "incomplete",
    }
}

impl From<super::objective::Held> for ThresholdEntry {
    fn from(held: super::objective::Held) -> Self {
        Self { bound: held.bound.to_string(), measured: held.measured, held: held.held }
    }
}
