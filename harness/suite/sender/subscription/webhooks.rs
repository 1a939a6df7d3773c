//! SUB-1 and SUB-2: every webhook receives every event, beginning with the first.

use super::missing::{
    cannot_be_emitted, is_usual, lost, missed_and_repeated, not_awaited, webhooks_of_event,
};
use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::messages::times_in_words;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Unrecorded, Verdict};
use crate::suite::sender::judge::{first_scenario, of_generated};
use crate::suite::sender::messages;
use crate::suite::sender::scenario::answers::{NOT_ACKNOWLEDGED, REDIRECTED};
use crate::suite::sender::scenario::events::{EVERY_EVENT, SEVERAL_WEBHOOKS};
use crate::suite::sender::scenario::generated::GENERATED;
use crate::suite::sender::scenario::stalled::STALLED;
use crate::suite::sender::scenario::unanswered::UNANSWERED;
use crate::suite::transcript::{Emission, RegisteredWebhook, ScenarioName, Transcript};

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "SUB-1",
        title: "active at once",
        binds: Binds::Sender(Recorded::Cannot(Unrecorded::Webhooks)),
        level: Level::Must,
        check_id: "sender/subscription/active-at-once",
        text: "A webhook is active as soon as its registration has been answered: the next event reaches it.",
        source: "D",
        why: "Users who register a webhook and then change a record expect a delivery.",
        scenarios: &[&EVERY_EVENT],
        needs: None,
        check: active_at_once,
        counterexamples: Faults::Sender(&[
            SenderFault::FirstEventMissed,
            SenderFault::SettlesSlowly,
            SenderFault::SettlesUnsaid,
        ]),
    },
    Requirement {
        id: "SUB-2",
        title: "every webhook gets every event",
        binds: Binds::Sender(Recorded::Cannot(Unrecorded::Webhooks)),
        level: Level::Must,
        check_id: "sender/subscription/once-per-webhook",
        text: "Several webhooks can be registered; every event reaches each of them exactly once.",
        source: "D",
        why: "Each webhook is its own subscription. Only the sender can make up for a skipped delivery, and a receiver \
              should not have to detect copies.",
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
    let scenario = first_scenario(requirement);
    let first = first_after_registration(t, scenario).map(|emission| arrives_at_once(t, emission));
    let first = of_all(first.into_iter(), messages::no_webhook_registered(), "events");
    first.or_fail(|| {
        // A cache may have been read just after the first registration, and hide a later one.
        let scenarios = t.endings.iter().map(|(name, _)| *name).filter(|name| *name != scenario);
        let later =
            scenarios.filter(|_| t.in_force.is_late()).filter_map(|name| first_after_registration(t, name));
        later.map(|emission| arrives_at_once(t, emission)).find(|verdict| matches!(verdict, Verdict::Fail(_)))
    })
}

/// The first event after the registration of a scenario's webhooks. Those after it show when the registration is in force.
fn first_after_registration(t: &Transcript, scenario: ScenarioName) -> Option<&Emission> {
    t.emissions_of(scenario).find(|emission| emission.first)
}

fn arrives_at_once(t: &Transcript, emission: &Emission) -> Verdict {
    if let Some(inconclusive) = cannot_be_emitted(emission) {
        return inconclusive;
    }
    if missed_and_repeated(t, emission).0.is_empty() {
        return Verdict::Pass;
    }
    let name = &emission.event.name;
    let message = match t.in_force.registration {
        _ if !t.settling.is_zero() => {
            messages::first_event_missed_while_settling(name, t.settling.as_millis())
        }
        Some(time) if !time.is_zero() => messages::in_force_after(name, time),
        _ => return lost(t, emission, messages::first_event_missed(name)),
    };
    match lost(t, emission, message) {
        Verdict::Fail(evidence) => evidence.because(Cause::new(Code::SendSettling)).fail(),
        other => other,
    }
}

/// The verdict if more requests reached an endpoint than are kept, in the first scenario in which that happened. Deliveries
/// that are not acknowledged may be retried: ACK-4 judges how often.
fn flooded(t: &Transcript) -> Option<Verdict> {
    let failing = [NOT_ACKNOWLEDGED.name, REDIRECTED.name, UNANSWERED.name, STALLED.name];
    let acknowledges = |webhook: &RegisteredWebhook| !failing.contains(&webhook.scenario);
    let mut webhooks = t.webhooks.iter().enumerate();
    let (index, webhook) = webhooks.find(|(_, webhook)| webhook.dropped > 0 && acknowledges(webhook))?;
    let kept = t.arrivals.iter().filter(|arrival| arrival.webhook == Some(index)).count() as u64;
    let (requests, events) = (kept + webhook.dropped, t.emissions_of(webhook.scenario).count());
    if requests <= events as u64 {
        return Some(Verdict::Inconclusive(messages::requests_not_kept(kept, requests)));
    }
    let message = messages::too_many_requests(requests, events);
    let evidence = Evidence::new(messages::once_at_each_webhook(), format!("{requests} requests"), message);
    Some(evidence.because(Cause::detailed(Code::SendOncePerWebhook, "more than once")).fail())
}

fn once_per_webhook(requirement: &Requirement, t: &Transcript) -> Verdict {
    if let Some(flooded) = flooded(t) {
        return flooded;
    }
    let once = |emission: &Emission| once_at_each(t, emission);
    let fixed = t.emissions_of(first_scenario(requirement)).filter(|emission| !emission.first).map(once);
    let fixed = of_all(fixed, messages::no_webhook_registered(), "events");
    fixed.or_fail(|| {
        let generated = t.emissions_of(GENERATED.name).filter(|emission| !emission.first);
        // More than one is judged here, whatever the record.
        let is_missed = |emission: &&Emission| !missed_and_repeated(t, emission).0.is_empty();
        let mut generated = generated.filter(|emission| is_usual(emission) || !is_missed(emission));
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
    let webhooks = webhooks_of_event(t, emission).count();
    let (missed, repeated) = missed_and_repeated(t, emission);
    if let Some(&webhook) = repeated.first() {
        let deliveries = t.deliveries(webhook, emission);
        let message = messages::delivered_repeatedly(name, deliveries.len());
        return Evidence::new("once", times_in_words(deliveries.len()), message)
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
    let message = messages::webhooks_left_out(name, missed.len(), webhooks);
    let reached = format!("at {} of {webhooks}", webhooks - missed.len());
    Evidence::new(messages::once_at_each_webhook(), reached, message)
        .because(Cause::detailed(Code::SendOncePerWebhook, "webhooks left out"))
        .fail()
}
