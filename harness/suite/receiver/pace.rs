//! RCV-7, RCV-12, RCV-8 and RCV-13: how soon a receiver answers, and how many deliveries it accepts at a time.

use std::time::Duration;

use futures_util::FutureExt as _;

use super::judge::{accepts, fails, has_controls, is_rate_limited};
use super::messages;
use super::stage::ReceiverStage;
use super::valid::VALID;
use crate::peers::fault::{Faults, ReceiverFault};
use crate::subject::SubjectError;
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Binds, Evidence, Expected, Level, Requirement, Verdict};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Respect, ScenarioName, Transcript, Trial};
use crate::wire::exchange::Delivery;

/// The requirements of this group, in the order of the contract.
pub(super) const ALL: &[Requirement] = &[RCV_7, RCV_12, RCV_8, RCV_13];

const RCV_7: Requirement = Requirement {
    id: "RCV-7",
    title: "answers within 5 s",
    binds: Binds::Receiver,
    level: Level::Should,
    check_id: "receiver/reception/prompt",
    text: "The answer comes within 5 s.",
    source: "D (\"as soon as possible\"), S",
    why: "Twenty gives up after 5 s and never sends the delivery again.",
    scenarios: &[&VALID],
    needs: None,
    check: |_, t| answers_within(t, t.limits.prompt),
    counterexamples: Faults::Receiver(&[ReceiverFault::AnswersLate]),
};

const RCV_12: Requirement = Requirement {
    id: "RCV-12",
    title: "answers within 1 s",
    binds: Binds::Receiver,
    level: Level::Advice,
    check_id: "receiver/reception/quick",
    text: "The answer comes within 1 s.",
    source: "D",
    why: "A receiver that does its work before it answers is too late as soon as the work is slow.",
    scenarios: &[&VALID],
    needs: None,
    check: |_, t| answers_within(t, t.limits.quick),
    counterexamples: Faults::Receiver(&[ReceiverFault::AnswersLate]),
};

fn answers_within(t: &Transcript, bound: Duration) -> Verdict {
    let answered = || t.trials_of(VALID.name).filter(|trial| t.acknowledged(trial.exchange));
    let Some(slowest) = answered().max_by_key(|trial| t.exchange(trial.exchange).took) else {
        return Verdict::Inconclusive(messages::no_valid_accepted().to_owned());
    };
    let took = t.exchange(slowest.exchange).took;
    if took <= bound {
        return Verdict::Pass;
    }
    let message = messages::accepted_late(took, &slowest.what);
    Evidence::new(Expected::Within(bound), format!("{:.1} s", took.as_secs_f64()), message)
        .shown_by([slowest.exchange])
        .because(Cause::new(Code::AnswerLate))
        .fail()
}

const RCV_8: Requirement = Requirement {
    id: "RCV-8",
    title: "20 at a time",
    binds: Binds::Receiver,
    level: Level::Must,
    check_id: "receiver/reception/concurrent",
    text: "20 concurrent deliveries, which is what a Twenty sends at once, are all \
          accepted, each within the client's wait.",
    source: "D, S",
    why: "An import changes hundreds of records in a second, and Twenty sends up to 20 of their deliveries at the same \
          time.",
    scenarios: &[&CONCURRENT_20],
    needs: None,
    check: accepts_twenty,
    counterexamples: Faults::Receiver(&[ReceiverFault::OneAtATime, ReceiverFault::LimitsTenAtATime]),
};

/// What is sent for RCV-8.
const CONCURRENT_20: Scenario = Scenario::receiver(
    "concurrent",
    "20 valid deliveries at the same time, each on its own connection",
    |stage| stage.concurrent(CONCURRENT_20.name, 20).boxed_local(),
);

const RCV_13: Requirement = Requirement {
    id: "RCV-13",
    title: "64 at a time",
    binds: Binds::Receiver,
    level: Level::Should,
    check_id: "receiver/reception/concurrent-64",
    text: "So are 64.",
    source: "W",
    why: "Several webhooks or workspaces may send to one receiver. A receiver with room for only 20 connections fails \
          when a second sender comes.",
    scenarios: &[&CONCURRENT_64],
    needs: None,
    check: accepts_at_once,
    counterexamples: Faults::Receiver(&[ReceiverFault::OneAtATime, ReceiverFault::OnlyThirtyAtATime]),
};

/// What is sent for RCV-13.
const CONCURRENT_64: Scenario = Scenario::receiver(
    "concurrent-64",
    "64 valid deliveries at the same time, each on its own connection",
    |stage| stage.concurrent(CONCURRENT_64.name, 64).boxed_local(),
);

impl ReceiverStage<'_> {
    async fn concurrent(&mut self, scenario: ScenarioName, count: usize) -> Result<(), SubjectError> {
        let control = self.send(self.maker.deliver(&self.maker.plain())).await?;
        let deliveries: Vec<Delivery> =
            (0..count).map(|_| self.maker.deliver(&self.maker.plain())).map(closing).collect();
        for exchange in self.send_concurrently(&deliveries).await? {
            self.transcript.trials.push(Trial {
                scenario,
                what: format!("one of {count} concurrent valid deliveries"),
                respect: Respect::Concurrent,
                generated: false,
                exchange,
                controls: vec![control],
            });
        }
        Ok(())
    }
}

/// The delivery with a header that closes its connection after the answer. A server that serves one connection at a time would
/// not reach the others until then.
fn closing(mut delivery: Delivery) -> Delivery {
    delivery.headers.add("Connection", "close");
    delivery
}

/// RCV-8: a limit that 20 deliveries at a time hit, and nothing else, loses deliveries of a Twenty.
fn accepts_twenty(requirement: &Requirement, t: &Transcript) -> Verdict {
    let limited: Vec<&Trial> =
        t.trials_of(CONCURRENT_20.name).filter(|trial| is_rate_limited(t, trial)).collect();
    let first = limited.iter().map(|trial| trial.exchange).min();
    // If a limit answered before, it is not their number at a time that it limits.
    let before = |trial: &Trial| {
        let sent = trial.controls.iter().copied().chain([trial.exchange]);
        let mut sent = sent.filter(|&id| first.is_some_and(|first| id < first));
        sent.any(|id| t.outcome(id).rate_limit().is_some())
    };
    let accepted = limited.iter().all(|trial| has_controls(t, trial));
    if accepted && !t.trials.iter().any(before) && !goes_on(t) {
        let cause = |_: &Trial| Some(Cause::new(Code::RouteRateLimit));
        if let Some(failed) = fails(t, requirement.scenarios, &limited, cause) {
            return failed;
        }
    }
    accepts_at_once(requirement, t)
}

/// Whether the limit that many deliveries at a time hit also answers single ones afterwards.
fn goes_on(t: &Transcript) -> bool {
    let single = |trial: &&Trial| trial.respect != Respect::Concurrent;
    t.trials.iter().filter(single).any(|trial| is_rate_limited(t, trial))
        || t.trials.iter().flat_map(|trial| &trial.controls).any(|&id| t.outcome(id).rate_limit().is_some())
}

fn accepts_at_once(requirement: &Requirement, t: &Transcript) -> Verdict {
    accepts(requirement.scenarios, t, |_| Some(Cause::new(Code::RefusesConcurrent)))
}
