//! The load generator: what it sends and when, how it judges, and how it handles receivers that misbehave.
//!
//! Every receiver runs in this process, and every load is short or ended by a condition.

mod bodies;
mod change_points;
mod comparison;
mod connections;
pub(crate) mod formats;
mod intake;
mod judged;
mod ledger;
pub(crate) mod made;
pub(crate) mod page;
mod pair;
mod schedule;
mod search;
mod sending;
mod statistics;
mod texts;

use std::time::Duration;

use tokio::sync::watch;
use twenty_conform::bench::generate::corpus::Corpus;
use twenty_conform::bench::generate::plan::{LoadPlan, Mode};
use twenty_conform::bench::measure::load::{self, LoadOutcome, LoadTarget};
use twenty_conform::bench::measure::machine::{Machine, Tool};
use twenty_conform::bench::measure::report::{BenchReport, BenchRole, Origin};
use twenty_conform::bench::measure::verdict::{ReceiverFacts, Tolerance, report};
use twenty_conform::clock::Clock;
use twenty_conform::redaction::Redaction;
use twenty_conform::suite::requirement::Level;
use twenty_conform::webhook::dialect::DOCUMENTED;
use twenty_conform::webhook::signature::Secret;
use twenty_conform::wire::client::Target;

pub(crate) const SECRET: &str = "0a1B2c3D4e5F-of-the-load";

/// A short load without probes and without a warm-up.
pub(crate) fn plan(duration_ms: u64) -> LoadPlan {
    LoadPlan {
        concurrency: 4,
        duration: Duration::from_millis(duration_ms),
        warm_up: Duration::ZERO,
        timeout: Duration::from_secs(5),
        probe_share: 0.0,
        seed: 7,
        ..LoadPlan::default()
    }
}

fn at_rate(rate: f64, duration_ms: u64) -> LoadPlan {
    LoadPlan { mode: Mode::Rates(vec![rate]), ..plan(duration_ms) }
}

/// A corpus of one body, or of one body per line.
fn corpus(text: &str) -> Corpus {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    Corpus::read(file.path()).unwrap()
}

/// Runs a load on a target until it ends or is `interrupted`.
async fn run_until(
    plan: &LoadPlan,
    target: &Target,
    corpus: &Corpus,
    interrupted: &watch::Receiver<bool>,
) -> LoadOutcome {
    run_by(&Clock::system(), plan, target, corpus, interrupted).await
}

/// The same by another clock.
async fn run_by(
    clock: &Clock,
    plan: &LoadPlan,
    target: &Target,
    corpus: &Corpus,
    interrupted: &watch::Receiver<bool>,
) -> LoadOutcome {
    let subject = LoadTarget {
        target,
        secret: &Secret::new(SECRET),
        dialect: &DOCUMENTED,
        corpus,
        clock,
        interrupted,
        live: None,
        idle: None,
    };
    load::run(plan, &subject, 0).await.unwrap()
}

/// Runs a load of the sample events on a target to its end.
pub(crate) async fn run(plan: &LoadPlan, target: &Target) -> LoadOutcome {
    let (_never, interrupted) = watch::channel(false);
    run_until(plan, target, &samples(), &interrupted).await
}

fn samples() -> Corpus {
    Corpus::samples(&DOCUMENTED, "http://127.0.0.1/", 1_735_066_639_761)
}

/// The report of a load, with a share of errors allowed.
pub(crate) fn judged(
    outcome: &LoadOutcome,
    plan: &LoadPlan,
    max_errors: f64,
    thresholds: &[&str],
) -> BenchReport {
    let thresholds: Vec<_> = thresholds.iter().map(|bound| bound.parse().unwrap()).collect();
    let facts = ReceiverFacts {
        origin: Origin {
            role: BenchRole::Receiver,
            tool: Tool::this(),
            machine: Machine::this(),
            command: Vec::new(),
            subject: "a receiver".to_owned(),
            dialect: "documented".to_owned(),
            started_at_ms: 0,
            took_ms: 0,
            seed: Some(plan.seed),
        },
        plan,
        corpus: &samples(),
        tolerance: Tolerance { max_errors, fail_on: Level::Must },
        thresholds: &thresholds,
        redaction: &Redaction::new([&Secret::new(SECRET)]),
        search: None,
        ended: None,
    };
    let report = report(outcome, facts);
    assert_eq!(report.exit_status, report.status().code());
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(BenchReport::parse(&text).unwrap(), report, "parsing reverses serialising");
    assert!(!text.contains(SECRET), "{text}");
    report
}

/// How many errors of this kind a report has.
fn errors(report: &BenchReport, kind: &str) -> u64 {
    report.total.errors.iter().find(|error| error.name == kind).map_or(0, |error| error.count)
}

/// How many valid deliveries were answered with this status.
fn answers(report: &BenchReport, status: u16) -> u64 {
    report.total.statuses.iter().find(|one| one.status == status).map_or(0, |one| one.count)
}
