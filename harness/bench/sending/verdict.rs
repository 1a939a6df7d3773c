//! What a load on a sender says about it: the report, and the exit status that goes with it.
//!
//! Invariant: a delivery that is lost, doubled or wrong fails the run whatever the latencies are, unless that is allowed; and a
//! load in which nothing arrived never passes.

use crate::bench::accounts::entry::{LedgerEntry, LedgerFault};
use crate::bench::measure::figures::{Probes, ShownExchange, Unexpected};
use crate::bench::measure::load::{LoadEnding, LoadOutcome};
use crate::bench::measure::objective::Bound;
use crate::bench::measure::report::{BenchReport, CorpusFacts, Figures, LoadFacts, Origin, SendingEntry};
use crate::bench::measure::result::BenchResult;
use crate::bench::measure::summary::per_second;
use crate::bench::measure::verdict::checked;
use crate::bench::sending::run::{SenderLoad, SenderOutcome, path};
use crate::bench::sending::watch::WatchState;
use crate::duration::milliseconds;
use crate::subject::SubjectError;

/// What the report of a load on a sender is made from, besides its outcome.
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
        // Late and untaken ones, and those that could not be asked for in time, are missed like lost ones.
        let missed = counts.failures.iter().sum::<u64>() + state.refused + state.late;
        let missed = missed > 0 && !allowed.contains(&LedgerFault::Lost);
        let result = if self.outcome.ending == LoadEnding::Interrupted {
            BenchResult::Interrupted
        } else if matches!(self.broke, Some(SubjectError::Broke(_))) {
            BenchResult::Error
        } else if missed || !ledger.faults(allowed).is_empty() {
            BenchResult::Fail
        } else if thresholds.iter().any(|one| !one.held) {
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
            // One of so many events goes on for as long as they take.
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

    /// The accounts, with what is known to be lost in the place of the gaps, which show nothing after the last delivery.
    fn ledger(&self, state: &WatchState) -> LedgerEntry {
        let mut ledger = self.ledger.clone();
        for (webhook, &lost) in ledger.webhooks.iter_mut().zip(&state.lost) {
            webhook.lost = Some(lost);
        }
        ledger.lost = Some(state.lost.iter().sum());
        ledger
    }

    /// What did not arrive as it must, by kind, with the first of each.
    fn unexpected(&self, state: &WatchState, ledger: &LedgerEntry) -> Vec<Unexpected> {
        let clean = |text: &str| self.redaction.text(text);
        let asked = |number: u64, answer: String| ShownExchange {
            request: clean(&self.events.shown(number)),
            answer: clean(&answer),
            ..ShownExchange::default()
        };
        let mut found = Vec::new();
        let mut add = |kind: &str, text: String, count: u64, exchange: ShownExchange| {
            found.push(Unexpected { kind: kind.to_owned(), text, count, exchange });
        };
        if let Some((number, webhook)) = state.first_lost {
            let text = "the sender was asked for the event, and its delivery did not arrive";
            let answer = format!("nothing arrived at {}", path(webhook));
            add("lost", text.to_owned(), state.lost.iter().sum(), asked(number, answer));
        }
        if let Some((number, webhook)) = state.first_doubled {
            let answer =
                format!("it arrived at {} more than once, and was acknowledged each time", path(webhook));
            let text = "a delivery that was acknowledged arrived again";
            add("duplicated", text.to_owned(), ledger.duplicated, asked(number, answer));
        }
        if let Some((number, why)) = &state.first_refused {
            let text = "the sender did not take an event";
            add("untaken", text.to_owned(), state.refused, asked(*number, why.clone()));
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
            let detail = if detail.is_empty() { detail } else { format!(": {detail}") };
            add(&kind.kind, format!("{}{detail}", kind.text), kind.count, exchange);
        }
        found
    }

    fn notes(&self, report: &BenchReport, state: &WatchState) -> Vec<String> {
        let mut notes = lateness(&self.outcome);
        let seconds = self.outcome.elapsed.as_secs_f64();
        match (self.outcome.ending, &self.broke) {
            (LoadEnding::Interrupted, _) => notes.push(format!("interrupted after {seconds:.1} s")),
            (_, Some(why)) => {
                notes.push(format!("the sender could not be asked any further after {seconds:.1} s: {why}"));
            }
            _ => {}
        }
        let Some(sending) = &report.sending else { return notes };
        let out_of_order = sending.ledger.out_of_order;
        if out_of_order > 0 {
            notes.push(format!(
                "{out_of_order} deliveries arrived behind later events of theirs; no order is promised"
            ));
        }
        if state.late > 0 {
            notes.push(format!(
                "{} deliveries arrived later than {:.1} s after their events, and were not waited for any more",
                state.late,
                report.load.timeout_ms as f64 / 1e3
            ));
        }
        if state.strange > 0 {
            notes.push(format!(
                "{} verified deliveries hold no record id that was asked for: are ids passed on as they were given?",
                state.strange
            ));
        }
        let total = &report.total;
        if total.acknowledged + total.refused + total.failed == 0 {
            notes.push("no delivery came to an end in the time that was measured".to_owned());
        }
        notes.extend(report.machine.note());
        notes.iter().map(|note| self.redaction.text(note)).collect()
    }
}

/// Whether the events were asked for at their time.
fn lateness(outcome: &LoadOutcome) -> Vec<String> {
    let all = outcome.lateness().into_iter();
    let said = all.map(|(rate, mean, most)| {
        format!(
            "the suite itself did not keep up with {rate} events per second: it asked for them {mean:.1} ms late on average, \
             {most:.1} ms at most; that is part of the latencies"
        )
    });
    said.collect()
}
