//! Judges a load on a sender, and makes its report.
//!
//! A lost, duplicated or wrong delivery fails the load whatever the latencies are, unless that is allowed. A load in which nothing
//! arrived never passes.

use crate::bench::accounts::entry::{LedgerEntry, LedgerFault};
use crate::bench::accounts::messages::with_detail;
use crate::bench::generate::failure::DeliveryFailure;
use crate::bench::measure::figures::{Probes, ShownExchange, Unexpected};
use crate::bench::measure::load::LoadEnding;
use crate::bench::measure::objective::Bound;
use crate::bench::measure::report::{BenchReport, CorpusFacts, Figures, LoadFacts, Origin, SendingEntry};
use crate::bench::measure::result::BenchResult;
use crate::bench::measure::summary::per_second;
use crate::bench::measure::verdict::checked;
use crate::bench::sending::messages;
use crate::bench::sending::run::{SenderLoad, SenderOutcome, path};
use crate::bench::sending::watch::WatchState;
use crate::duration::milliseconds;
use crate::subject::SubjectError;

/// The parts of a sender's report other than the outcome of the load.
#[derive(Debug, Clone)]
pub struct SenderFacts<'a> {
    pub origin: Origin,
    pub task: &'a SenderLoad,
    pub allowed: &'a [LedgerFault],
    pub thresholds: &'a [Bound],
}

impl SenderLoad {
    pub fn load(&self) -> LoadFacts {
        LoadFacts { threads: self.receiving, probe_share: 0.0, ..LoadFacts::of(&self.plan, 0.0, false) }
    }
}

impl SenderOutcome {
    pub fn report(&self, facts: SenderFacts<'_>) -> BenchReport {
        let SenderFacts { mut origin, task, allowed, thresholds } = facts;
        let state = &self.watch.state();
        let (counts, ledger) = (self.outcome.counts(), self.ledger(state));
        let thresholds = checked(thresholds, &counts);
        // Late deliveries, rejected events and events not requested in time count like losses.
        let missed = counts.failures.iter().sum::<u64>() + state.rejected + state.late;
        let missed = missed > 0 && !allowed.contains(&LedgerFault::Lost);
        let result = if self.outcome.ending == LoadEnding::Interrupted {
            BenchResult::Interrupted
        } else if matches!(self.broke, Some(SubjectError::ProtocolViolation(_))) {
            BenchResult::Error
        } else if missed || !ledger.faults(allowed).is_empty() {
            BenchResult::Fail
        } else if thresholds.iter().any(|check| !check.held) {
            BenchResult::Slow
        } else if self.outcome.ending == LoadEnding::Gone || counts.acknowledged == 0 {
            BenchResult::Incomplete
        } else {
            BenchResult::Pass
        };
        let mut total = self.outcome.total();
        total.bytes_received = ledger.bytes;
        let mut load = task.load();
        if task.events.is_some() {
            // A number of events lasts as long as they take.
            load.duration_ms = milliseconds(self.outcome.elapsed);
        }
        let (bodies, bytes, longest) = self.events.lengths();
        let corpus = CorpusFacts { bodies, bytes, longest, without_id: 0 };
        let events_per_s = per_second(state.complete as f64, total.duration_ms);
        let figures = Figures {
            total,
            phases: self.outcome.entries(),
            series: self.outcome.series(),
            probes: Probes::default(),
            unexpected: self.unexpected(state, &ledger),
        };
        origin.subject = self.redaction.text(&origin.subject);
        let mut report = BenchReport::new(origin, load, corpus, figures, result);
        report.thresholds = thresholds;
        report.sending = Some(SendingEntry {
            sender: self.redaction.text(format!("{} {}", self.hello.name, self.hello.version).trim()),
            webhooks: task.webhooks,
            events: task.events,
            events_per_s,
            settle_ms: milliseconds(task.settle),
            strange: state.strange,
            ledger,
        });
        report.notes = self.notes(&report, state);
        report
    }

    /// The accounts with the exact losses. Gaps miss those after the last delivery.
    fn ledger(&self, state: &WatchState) -> LedgerEntry {
        let mut ledger = self.ledger.clone();
        for (webhook, &lost) in ledger.webhooks.iter_mut().zip(&state.lost) {
            webhook.lost = Some(lost);
        }
        ledger.lost = Some(state.lost.iter().sum());
        ledger
    }

    /// Lost, duplicated and wrong deliveries by kind, each with its first example.
    fn unexpected(&self, state: &WatchState, ledger: &LedgerEntry) -> Vec<Unexpected> {
        let clean = |text: &str| self.redaction.text(text);
        let requested = |number: u64, answer: String| ShownExchange {
            request: clean(&self.events.shown(number)),
            answer: clean(&answer),
            ..ShownExchange::default()
        };
        let mut found = Vec::new();
        let mut add = |kind: &str, text: String, count: u64, exchange: ShownExchange| {
            found.push(Unexpected { kind: kind.to_owned(), text, count, exchange });
        };
        if let Some((number, webhook)) = state.first_lost {
            let answer = messages::nothing_arrived(&path(webhook));
            add(
                DeliveryFailure::Lost.name(),
                DeliveryFailure::Lost.describe().to_owned(),
                state.lost.iter().sum(),
                requested(number, answer),
            );
        }
        if let Some((number, webhook)) = state.first_duplicated {
            let answer = messages::arrived_again(&path(webhook));
            let text = messages::duplicated().to_owned();
            add("duplicated", text, ledger.duplicated, requested(number, answer));
        }
        if let Some((number, why)) = &state.first_rejected {
            let text = DeliveryFailure::NotAccepted.describe().to_owned();
            add(DeliveryFailure::NotAccepted.name(), text, state.rejected, requested(*number, why.clone()));
        }
        for kind in &ledger.kinds {
            let (request, detail) = match &kind.first {
                Some(first) => (first.request.clone(), first.detail.clone()),
                None => Default::default(),
            };
            let exchange = ShownExchange {
                status: Some(kind.status),
                request,
                answer: kind.status.to_string(),
                ..ShownExchange::default()
            };
            add(&kind.kind, with_detail(&kind.text, &detail), kind.count, exchange);
        }
        found
    }

    fn notes(&self, report: &BenchReport, state: &WatchState) -> Vec<String> {
        let late = self.outcome.lateness().into_iter();
        let mut notes: Vec<String> =
            late.map(|(rate, mean, most)| messages::generator_late(rate, mean, most)).collect();
        let seconds = self.outcome.elapsed.as_secs_f64();
        match (self.outcome.ending, &self.broke) {
            (LoadEnding::Interrupted, _) => notes.push(messages::interrupted(seconds)),
            (_, Some(why)) => notes.push(messages::sender_stopped(seconds, why)),
            _ => {}
        }
        let Some(sending) = &report.sending else { return notes };
        let out_of_order = sending.ledger.out_of_order;
        if out_of_order > 0 {
            notes.push(messages::out_of_order(out_of_order));
        }
        if state.late > 0 {
            notes.push(messages::late(state.late, report.load.timeout_ms as f64 / 1e3));
        }
        if state.strange > 0 {
            notes.push(messages::unknown_ids(state.strange));
        }
        let total = &report.total;
        if total.acknowledged + total.refused + total.failed == 0 {
            notes.push(messages::nothing_measured().to_owned());
        }
        notes.extend(report.note_on_stalls());
        notes.extend(report.machine.note());
        notes.iter().map(|note| self.redaction.text(note)).collect()
    }
}
