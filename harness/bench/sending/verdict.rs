//! What a load on a sender says about it: the report, and the exit status that goes with it.
//!
//! Invariant: a delivery that is lost, doubled or wrong fails the run whatever the latencies are, unless that is allowed; and a
//! load in which nothing arrived never passes.

use std::time::Duration;

use super::watch::State;
use super::{Sent, Task, path};
use crate::bench::accounts::ledger::entry::{Fault, LedgerEntry};
use crate::bench::generate::load::{Ending, Outcome};
use crate::bench::measure::objective::Bound;
use crate::bench::measure::report::{
    BenchReport, CorpusFacts, FORMAT, LoadFacts, Machine, Probes, SendingEntry, Shown, ThresholdEntry, Tool,
    Unexpected,
};
use crate::bench::measure::verdict::word;
use crate::exit::ExitStatus;
use crate::subject::SubjectError;
use crate::webhook::dialect::rfc3339;

/// What a report says beside what came of the load, and what it is judged by.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// What was measured, as reports call it.
    pub subject: &'a str,
    /// The arguments of the command.
    pub command: Vec<String>,
    /// The dialect's name.
    pub dialect: &'a str,
    /// When it began, in milliseconds since the epoch.
    pub started_at_ms: u64,
    /// How long it took in all.
    pub took: Duration,
    /// The load.
    pub task: &'a Task,
    /// The machine.
    pub machine: Machine,
    /// What does not fail the run.
    pub allowed: &'a [Fault],
    /// The bounds.
    pub thresholds: &'a [Bound],
}

impl Task {
    /// What reports say of it.
    pub fn load(&self) -> LoadFacts {
        LoadFacts { threads: self.receiving, probe_share: 0.0, ..LoadFacts::of(&self.plan, 0.0, false) }
    }
}

impl Sent {
    /// The report, and its exit status.
    pub fn report(&self, facts: Facts<'_>) -> (BenchReport, ExitStatus) {
        let Facts { task, .. } = facts;
        let (plan, state) = (&task.plan, &self.watch.state());
        let (counts, ledger) = (self.outcome.counts(), self.ledger(state));
        let thresholds: Vec<ThresholdEntry> =
            facts.thresholds.iter().map(|bound| bound.held_by(&counts).into()).collect();
        // Late and untaken ones, and those that could not be asked for in time, are missed like lost ones.
        let missed = counts.failures.iter().sum::<u64>() + state.refused + state.late;
        let missed = missed > 0 && !facts.allowed.contains(&Fault::Lost);
        let status = if self.outcome.ending == Ending::Interrupted {
            ExitStatus::Interrupted
        } else if matches!(self.broke, Some(SubjectError::Broke(_))) {
            ExitStatus::Harness
        } else if missed || !ledger.faults(facts.allowed).is_empty() {
            ExitStatus::Failed
        } else if thresholds.iter().any(|one| !one.held) {
            ExitStatus::Slower
        } else if self.outcome.ending == Ending::Gone || counts.acknowledged == 0 {
            ExitStatus::Incomplete
        } else {
            ExitStatus::Passed
        };
        let mut total = self.outcome.total();
        total.bytes_received = ledger.bytes;
        let (bodies, bytes, longest) = self.events.lengths();
        let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let mut load = task.load();
        if task.events.is_some() {
            // One of so many events goes on for as long as they take.
            load.duration_ms = ms(self.outcome.elapsed);
        }
        let events_per_s = match total.duration_ms {
            some if some > 0.0 => state.complete as f64 * 1e3 / some,
            _ => 0.0,
        };
        let report = BenchReport {
            comparison: None,
            format: FORMAT.to_owned(),
            role: "sender".to_owned(),
            tool: Tool::this(),
            machine: facts.machine,
            command: facts.command,
            subject: self.redaction.text(facts.subject),
            dialect: facts.dialect.to_owned(),
            started_at: rfc3339(facts.started_at_ms),
            seed: Some(plan.seed),
            load,
            corpus: CorpusFacts { bodies, bytes, longest, without_id: 0 },
            result: word(status).to_owned(),
            exit_status: status.code(),
            duration_ms: ms(facts.took),
            total,
            phases: self.outcome.entries(),
            series: self.outcome.series(),
            probes: Probes {
                sent: 0,
                let_through: 0,
                unanswered: 0,
                statuses: Vec::new(),
                kinds: Vec::new(),
            },
            unexpected: self.unexpected(state, &ledger),
            thresholds,
            search: None,
            sending: Some(SendingEntry {
                sender: self.redaction.text(format!("{} {}", self.hello.name, self.hello.version).trim()),
                webhooks: task.webhooks,
                events: task.events,
                events_per_s,
                settle_ms: ms(task.settle),
                strange: state.strange,
                ledger,
            }),
            notes: Vec::new(),
        };
        let notes = self.notes(&report, state);
        (BenchReport { notes, ..report }, status)
    }

    /// The accounts, with what is known to be lost in the place of the gaps, which show nothing behind the last delivery.
    fn ledger(&self, state: &State) -> LedgerEntry {
        let mut ledger = self.ledger.clone();
        for (webhook, &lost) in ledger.webhooks.iter_mut().zip(&state.lost) {
            webhook.lost = Some(lost);
        }
        ledger.lost = Some(state.lost.iter().sum());
        ledger
    }

    /// What did not arrive as it must, by kind, with the first of each.
    fn unexpected(&self, state: &State, ledger: &LedgerEntry) -> Vec<Unexpected> {
        let clean = |text: &str| self.redaction.text(text);
        let asked = |number: u64, answer: String| Shown {
            at_ms: 0.0,
            took_ms: 0.0,
            status: None,
            request: clean(&self.events.shown(number)),
            answer: clean(&answer),
        };
        let mut found = Vec::new();
        let mut add = |kind: &str, text: String, count: u64, exchange: Shown| {
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
            let exchange = Shown {
                at_ms: 0.0,
                took_ms: 0.0,
                status: Some(kind.status),
                request,
                answer: kind.status.to_string(),
            };
            let detail = if detail.is_empty() { detail } else { format!(": {detail}") };
            add(&kind.kind, format!("{}{detail}", kind.text), kind.count, exchange);
        }
        found
    }

    /// What is worth knowing.
    fn notes(&self, report: &BenchReport, state: &State) -> Vec<String> {
        let mut notes = lateness(&self.outcome);
        let seconds = self.outcome.elapsed.as_secs_f64();
        match (self.outcome.ending, &self.broke) {
            (Ending::Interrupted, _) => notes.push(format!("interrupted after {seconds:.1} s")),
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
        if !report.machine.optimised {
            notes.push("the tool was built without optimisations: its figures say little".to_owned());
        }
        notes.iter().map(|note| self.redaction.text(note)).collect()
    }
}

/// Whether the events were asked for at their time.
fn lateness(outcome: &Outcome) -> Vec<String> {
    let all = outcome.lateness().into_iter();
    let said = all.map(|(rate, mean, most)| {
        format!(
            "the suite itself did not keep up with {rate} events per second: it asked for them {mean:.1} ms late on average, \
             {most:.1} ms at most; that is part of the latencies"
        )
    });
    said.collect()
}
