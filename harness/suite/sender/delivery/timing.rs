//! DLV-6 and DLV-7: how soon a delivery starts.

use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Unrecorded, Verdict};
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::judge::every_delivery;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::events::EVERY_EVENT;
use crate::suite::sender::scenario::stalled::STALLED;
use crate::suite::sender::scenario::unanswered::UNANSWERED;
use crate::suite::transcript::{AnswerForm, Conduct, Emission, RegisteredWebhook, ScenarioName, Transcript};

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "DLV-6",
        title: "prompt",
        binds: Binds::Sender(Recorded::Cannot(Unrecorded::EventTime)),
        level: Level::Must,
        check_id: "sender/delivery/prompt",
        text: "Delivery starts within the delivery deadline (default 5 s) after the event.",
        source: "D (\"real time\")",
        why: "Webhooks exist to replace polling.",
        scenarios: &[&EVERY_EVENT],
        needs: None,
        check: |requirement, t| every_delivery(requirement, t, prompt),
        counterexamples: Faults::Sender(&[SenderFault::SentLate]),
    },
    Requirement {
        id: "DLV-7",
        title: "endpoints are independent",
        binds: Binds::Sender(Recorded::Cannot(Unrecorded::OtherEndpoints)),
        level: Level::Should,
        check_id: "sender/delivery/unblocked",
        text: "An endpoint that hangs, refuses or fails delays no delivery to another endpoint.",
        source: "D, W",
        why: "Endpoints belong to different parties. One that is down must not cut off the others.",
        scenarios: &[&UNANSWERED, &STALLED],
        needs: None,
        check: unblocked,
        counterexamples: Faults::Sender(&[SenderFault::OneHangBlocksAll, SenderFault::CrashesOnRefusal]),
    },
];

fn prompt(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let (emission, deadline) = (arrived.emission()?, arrived.transcript.limits.deadline);
    let took = arrived.arrival.traits.began_ms.saturating_sub(emission.asked_at_ms);
    Ok(if u128::from(took) <= deadline.as_millis() {
        Verdict::Pass
    } else {
        let message = messages::delivered_late(&emission.event.name, took);
        let bound = messages::within_ms(deadline.as_millis());
        arrived.evidence(bound, format!("{took} ms"), message).because(Cause::new(Code::SendLate)).fail()
    })
}

/// The deliveries to working endpoints next to one that hangs, refuses or fails.
fn unblocked(requirement: &Requirement, t: &Transcript) -> Verdict {
    let scenarios = requirement.scenarios.iter();
    let verdicts = scenarios.map(|scenario| unblocked_in(scenario.name, t));
    of_all(verdicts, messages::no_event_emitted(), "scenarios")
}

/// The same in one scenario. They are compared with deliveries made while there was no other endpoint.
fn unblocked_in(scenario: ScenarioName, t: &Transcript) -> Verdict {
    let webhooks: Vec<_> = t.webhooks_of(scenario).collect();
    let troubled = || webhooks.iter().filter(|(_, webhook)| webhook.conduct != Conduct::Answers);
    let Some((_, RegisteredWebhook { since, .. })) = troubled().next() else {
        return Verdict::Inconclusive(messages::no_hanging_webhook().to_owned());
    };
    let reached = |&&(index, _): &&(usize, &RegisteredWebhook)| {
        t.emissions_to(index).any(|emission| !t.attempts(index, emission).is_empty())
    };
    if troubled().find(reached).is_none() {
        return Verdict::Inconclusive(messages::hanging_not_reached().to_owned());
    }
    let deadline = u64::try_from(t.limits.deadline.as_millis()).unwrap_or(u64::MAX);
    // How long a delivery took to start, and its exchange.
    let took = |webhook: usize, emission: &Emission| {
        let first = t.attempts(webhook, emission).into_iter().next()?;
        Some((first.traits.began_ms.saturating_sub(emission.asked_at_ms), first.exchange))
    };
    let working = || webhooks.iter().filter(|(_, webhook)| webhook.conduct == Conduct::Answers);
    let judged = |emission: &&Emission| {
        emission.scenario == scenario && !emission.first && emission.unsupported.is_none()
    };
    let prompt_before = t.emissions[..*since].iter().filter(judged).any(|emission| {
        working().any(|(index, _)| took(*index, emission).is_some_and(|(took, _)| took <= deadline))
    });
    if !prompt_before {
        return Verdict::Inconclusive(messages::late_without_trouble().to_owned());
    }
    let pairs = working().flat_map(|&(index, _)| {
        // ACK-9 judges what an answer without end holds up.
        let after =
            t.emissions[*since..].iter().filter(judged).take_while(|one| one.form != AnswerForm::Endless);
        after.map(move |emission| (index, emission))
    });
    let verdicts = pairs.map(|(index, emission)| {
        let name = &emission.event.name;
        let (took, exchange) = match took(index, emission) {
            Some((took, _)) if took <= deadline => return Verdict::Pass,
            Some((took, exchange)) => (Some(took), Some(exchange)),
            None if !emission.awaited => return Verdict::Inconclusive(messages::run_cut_off(name)),
            None if t.webhooks[index].overflowed => {
                return Verdict::Inconclusive(messages::perhaps_not_kept(name));
            }
            None => (None, None),
        };
        let (actual, message) = (messages::started_after(took), messages::held_up(name, took));
        Evidence::new(messages::within_ms(deadline), actual, message)
            .shown_by(exchange)
            .because(Cause::detailed(Code::SendBlocked, messages::other_endpoints()))
            .fail()
    });
    of_all(verdicts, messages::no_event_emitted(), "deliveries")
}
