//! DLV-6 and DLV-7: how soon a delivery starts.

use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Verdict};
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::judge::{every_delivery, first_scenario};
use crate::suite::sender::scenario::events::EVERY_EVENT;
use crate::suite::sender::scenario::unanswered::UNANSWERED;
use crate::suite::transcript::{Conduct, Emission, RegisteredWebhook, Transcript};

/// The requirements of this group.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "DLV-6",
        title: "prompt",
        binds: Binds::Sender(Recorded::Cannot("when the event happened is not known")),
        level: Level::Must,
        check_id: "sender/delivery/prompt",
        text: "Delivery starts within the delivery deadline (default 5 s) after the event.",
        source: "D (\"real time\")",
        why: "Webhooks are there so that nobody needs to poll.",
        scenarios: &[&EVERY_EVENT],
        needs: None,
        check: |requirement, t| every_delivery(requirement, t, prompt),
        counterexamples: Faults::Sender(&[SenderFault::SentLate]),
    },
    Requirement {
        id: "DLV-7",
        title: "endpoints are independent",
        binds: Binds::Sender(Recorded::Cannot("traffic alone does not show it")),
        level: Level::Should,
        check_id: "sender/delivery/unblocked",
        text: "An endpoint that hangs, refuses or fails delays no delivery to another endpoint.",
        source: "D, W",
        why: "Endpoints belong to different parties; one that is down must not cut the others off.",
        scenarios: &[&UNANSWERED],
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
        let message = format!("{} began to arrive {took} ms after the event", emission.event.name);
        let bound = format!("within {} ms", deadline.as_millis());
        arrived.evidence(bound, format!("{took} ms"), message).because(Cause::new(Code::SendLate)).fail()
    })
}

/// The deliveries to the endpoints that are well. How soon they come while no other endpoint is there shows what keeps them.
fn unblocked(requirement: &Requirement, t: &Transcript) -> Verdict {
    let scenario = first_scenario(requirement);
    let webhooks: Vec<_> = t.webhooks_of(scenario).collect();
    let hanging = webhooks.iter().find(|(_, webhook)| webhook.conduct == Conduct::Hangs);
    let Some(&(hanging, RegisteredWebhook { since, .. })) = hanging else {
        return Verdict::Inconclusive("no webhook could be registered at an endpoint that hangs".to_owned());
    };
    if !t.emissions_to(hanging).any(|emission| !t.attempts(hanging, emission).is_empty()) {
        return Verdict::Inconclusive("nothing reached the endpoint that hangs".to_owned());
    }
    let deadline = u64::try_from(t.limits.deadline.as_millis()).unwrap_or(u64::MAX);
    // How long a delivery took to begin, and which it was.
    let took = |webhook: usize, emission: &Emission| {
        let first = t.attempts(webhook, emission).into_iter().next()?;
        Some((first.traits.began_ms.saturating_sub(emission.asked_at_ms), first.exchange))
    };
    let well = || webhooks.iter().filter(|(_, webhook)| webhook.conduct == Conduct::Answers);
    let judged = |emission: &&Emission| !emission.first && emission.unsupported.is_none();
    let prompt_before = t.emissions[..*since].iter().filter(judged).any(|emission| {
        well().any(|(index, _)| took(*index, emission).is_some_and(|(took, _)| took <= deadline))
    });
    if !prompt_before {
        return Verdict::Inconclusive(
            "deliveries are late while nothing is in their way, too (see DLV-6)".to_owned(),
        );
    }
    let pairs = well().flat_map(|&(index, _)| {
        let after = t.emissions[*since..].iter().filter(|one| one.scenario == scenario);
        after.filter(judged).map(move |emission| (index, emission))
    });
    let verdicts = pairs.map(|(index, emission)| {
        let (actual, exchange) = match took(index, emission) {
            Some((took, _)) if took <= deadline => return Verdict::Pass,
            Some((took, exchange)) => (format!("after {took} ms"), Some(exchange)),
            None if !emission.awaited => {
                return Verdict::Inconclusive("the run broke off before it had to have arrived".to_owned());
            }
            None if t.webhooks[index].overflowed => {
                return Verdict::Inconclusive("it may be among the requests that were not kept".to_owned());
            }
            None => ("not at all".to_owned(), None),
        };
        let name = &emission.event.name;
        let message =
            format!("while other endpoints hang and refuse, {name} reached one that is well {actual}");
        Evidence::new(format!("within {deadline} ms"), actual, message)
            .shown_by(exchange)
            .because(Cause::detailed(Code::SendBlocked, "by other endpoints that hang or refuse"))
            .fail()
    });
    of_all(verdicts, "no event could be emitted", "deliveries")
}
