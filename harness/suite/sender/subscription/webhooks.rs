//! SUB-1 and SUB-2: every webhook gets every event, from the first one on.

use super::missing::{cannot_be_emitted, lost, missed_and_repeated, not_awaited, webhooks_there};
use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Verdict};
use crate::suite::sender::judge::{first_scenario, of_generated};
use crate::suite::sender::scenario::answers::NOT_ACKNOWLEDGED;
use crate::suite::sender::scenario::events::{EVERY_EVENT, SEVERAL_WEBHOOKS};
use crate::suite::sender::scenario::generated::GENERATED;
use crate::suite::sender::scenario::unanswered::UNANSWERED;
use crate::suite::transcript::{Emission, RegisteredWebhook, Transcript};

/// The requirements of this group.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "SUB-1",
        title: "active at once",
        binds: Binds::Sender(Recorded::Cannot(
            "traffic alone does not show which webhooks there were, and which events",
        )),
        level: Level::Must,
        check_id: "sender/subscription/active-at-once",
        text: "A webhook is active as soon as its registration has been answered: the next event reaches it.",
        source: "D",
        why: "Whoever registers a webhook and then makes a change expects to hear of it.",
        scenarios: &[&EVERY_EVENT],
        needs: None,
        check: active_at_once,
        counterexamples: Faults::Sender(&[SenderFault::FirstEventMissed]),
    },
    Requirement {
        id: "SUB-2",
        title: "every webhook gets every event",
        binds: Binds::Sender(Recorded::Cannot(
            "traffic alone does not show which webhooks there were, and which events",
        )),
        level: Level::Must,
        check_id: "sender/subscription/once-per-webhook",
        text: "Several webhooks can be registered; every event reaches each of them exactly once.",
        source: "D",
        why: "Each webhook is a subscription of its own; nothing but the sender can make up for a delivery that was \
              skipped, and a receiver should not have to guess that a second one is a copy.",
        scenarios: &[&SEVERAL_WEBHOOKS, &GENERATED],
        needs: None,
        check: once_per_webhook,
        counterexamples: Faults::Sender(&[
            SenderFault::SecondWebhookForgotten,
            SenderFault::LongSecretsLeftOut,
            SenderFault::LargeRecordsNotSent,
            SenderFault::DeliveredTwice,
        ]),
    },
];

fn active_at_once(requirement: &Requirement, t: &Transcript) -> Verdict {
    let emissions = t.emissions_of(first_scenario(requirement));
    let verdicts = emissions.filter(|emission| emission.first).map(|emission| {
        if let Some(inconclusive) = cannot_be_emitted(emission) {
            return inconclusive;
        }
        if missed_and_repeated(t, emission).0.is_empty() {
            return Verdict::Pass;
        }
        lost(
            t,
            emission,
            format!("the first event ({}) behind the registration did not arrive", emission.event.name),
        )
    });
    of_all(verdicts, "no webhook could be registered", "events")
}

/// The verdict where more requests reached an endpoint than are kept, in the first scenario where that was so. Deliveries
/// that are not acknowledged may be sent again: ACK-4 judges how often.
fn flooded(t: &Transcript) -> Option<Verdict> {
    let acknowledges =
        |webhook: &RegisteredWebhook| ![NOT_ACKNOWLEDGED.name, UNANSWERED.name].contains(&webhook.scenario);
    let mut webhooks = t.webhooks.iter().enumerate();
    let (index, webhook) = webhooks.find(|(_, webhook)| webhook.dropped > 0 && acknowledges(webhook))?;
    let kept = t.arrivals.iter().filter(|arrival| arrival.webhook == Some(index)).count() as u64;
    let (requests, events) = (kept + webhook.dropped, t.emissions_of(webhook.scenario).count());
    if requests <= events as u64 {
        return Some(Verdict::Inconclusive(format!("of {requests} requests only {kept} could be kept")));
    }
    let message =
        format!("{requests} requests reached one webhook's endpoint, where {events} events were emitted");
    let evidence = Evidence::new("once at each webhook", format!("{requests} requests"), message);
    Some(evidence.because(Cause::detailed(Code::SendOncePerWebhook, "more than once")).fail())
}

fn once_per_webhook(requirement: &Requirement, t: &Transcript) -> Verdict {
    if let Some(flooded) = flooded(t) {
        return flooded;
    }
    let once = |emission: &Emission| once_at_each(t, emission);
    let fixed = t.emissions_of(first_scenario(requirement)).filter(|emission| !emission.first).map(once);
    let fixed = of_all(fixed, "no webhooks could be registered", "events");
    fixed.or_fail(|| {
        let mut generated = t.emissions_of(GENERATED.name).filter(|emission| !emission.first);
        generated.find_map(|emission| match once(emission) {
            Verdict::Fail(evidence) => Some(of_generated(t, *evidence, emission).fail()),
            _ => None,
        })
    })
}

fn once_at_each(t: &Transcript, emission: &Emission) -> Verdict {
    if let Some(inconclusive) = cannot_be_emitted(emission) {
        return inconclusive;
    }
    let name = &emission.event.name;
    let webhooks = webhooks_there(t, emission).count();
    let (missed, repeated) = missed_and_repeated(t, emission);
    if let Some(&webhook) = repeated.first() {
        let deliveries = t.deliveries(webhook, emission);
        let message = format!("{name} arrived {} times at one webhook", deliveries.len());
        return Evidence::new("once", format!("{} times", deliveries.len()), message)
            .shown_by(deliveries)
            .because(Cause::detailed(Code::SendOncePerWebhook, "more than once"))
            .fail();
    }
    if missed.is_empty() {
        return Verdict::Pass;
    }
    if let Some(inconclusive) = not_awaited(t, emission) {
        return inconclusive;
    }
    let message = format!("{name} did not arrive at {} of {webhooks} webhooks", missed.len());
    Evidence::new("once at each webhook", format!("at {} of {webhooks}", webhooks - missed.len()), message)
        .because(Cause::detailed(Code::SendOncePerWebhook, "webhooks are left out"))
        .fail()
}
