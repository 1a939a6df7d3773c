//! SUB: which events reach which webhook.
//!
//! Invariant: an event that must not arrive counts as absent only where another webhook did get it.

use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Verdict};
use crate::suite::sender::judge::of_generated;
use crate::suite::sender::scenarios::{
    DELETION, EVERY_EVENT, FILTERED, GENERATED, NOT_ACKNOWLEDGED, SEVERAL_WEBHOOKS, UNANSWERED,
};
use crate::suite::transcript::{Capability, Emission, Transcript, Webhook};

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
        check: |_, t| active_at_once(t),
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
        text: "Several webhooks can be registered; every event reaches each of them, once per webhook.",
        source: "D",
        why: "Each webhook is a subscription of its own; nothing but the sender can make up for a delivery that was \
              skipped, and a receiver should not have to guess that a second one is a copy.",
        scenarios: &[&SEVERAL_WEBHOOKS, &GENERATED],
        needs: None,
        check: |_, t| once_per_webhook(t),
        counterexamples: Faults::Sender(&[
            SenderFault::SecondWebhookForgotten,
            SenderFault::LongSecretsLeftOut,
            SenderFault::LargeRecordsNotSent,
            SenderFault::DeliveredTwice,
        ]),
    },
    Requirement {
        id: "SUB-3",
        title: "nothing after deletion",
        binds: Binds::Sender(Recorded::Cannot(
            "traffic alone does not show which webhooks there were, and which events",
        )),
        level: Level::Must,
        check_id: "sender/subscription/deleted",
        text: "A deleted webhook receives no event that was emitted after the deletion was answered.",
        source: "D",
        why: "A deleted webhook's endpoint may belong to somebody else by now; the records are none of their business.",
        scenarios: &[&DELETION],
        needs: Some(Capability::Delete),
        check: |_, t| deleted(t),
        counterexamples: Faults::Sender(&[SenderFault::DeliveredAfterDeletion]),
    },
    Requirement {
        id: "SUB-4",
        title: "every kind of event",
        binds: Binds::Sender(Recorded::Cannot(
            "traffic alone does not show which webhooks there were, and which events",
        )),
        level: Level::Must,
        check_id: "sender/subscription/every-kind",
        text: "A webhook without a filter receives every kind of event: created, updated, deleted, of standard and \
               custom objects.",
        source: "D",
        why: "A copy of the CRM that never hears of deletions, or of custom objects, drifts away from it in silence.",
        scenarios: &[&EVERY_EVENT],
        needs: None,
        check: |_, t| every_kind(t),
        counterexamples: Faults::Sender(&[SenderFault::DeletionsNotSent, SenderFault::CustomObjectsNotSent]),
    },
    Requirement {
        id: "SUB-5",
        title: "filters",
        binds: Binds::Sender(Recorded::Cannot(
            "traffic alone does not show which webhooks there were, and which events",
        )),
        level: Level::Should,
        check_id: "sender/subscription/filter",
        text: "A webhook with a filter receives the matching events only (capability filters).",
        source: "S",
        why: "Whoever asks for some events is not prepared for others, and relies on those that were asked for.",
        scenarios: &[&FILTERED],
        needs: Some(Capability::Filters),
        check: |_, t| filtered(t),
        counterexamples: Faults::Sender(&[
            SenderFault::FiltersIgnored,
            SenderFault::WildcardsNotUnderstood,
            SenderFault::MetadataNotMatched,
        ]),
    },
];

/// The webhooks that an event should have reached: those of its scenario or, where it was generated, of its round.
fn webhooks_there<'a>(t: &'a Transcript, emission: &'a Emission) -> impl Iterator<Item = usize> + 'a {
    let there = |index: &usize| emission.generated.as_ref().is_none_or(|one| one.webhooks.contains(index));
    t.webhooks_of(emission.scenario).map(|(index, _)| index).filter(there)
}

/// The webhooks of a scenario at which an event did not arrive, and at which it arrived more than once.
fn missed_and_repeated(t: &Transcript, emission: &Emission) -> (Vec<usize>, Vec<usize>) {
    let count = |index| (index, t.deliveries(index, emission).len());
    let counts: Vec<(usize, usize)> = webhooks_there(t, emission).map(count).collect();
    let of = |wanted: fn(usize) -> bool| {
        counts.iter().filter(|(_, count)| wanted(*count)).map(|(index, _)| *index).collect()
    };
    (of(|count| count == 0), of(|count| count > 1))
}

fn cannot_be_emitted(emission: &Emission) -> Option<Verdict> {
    let reason = emission.unsupported.as_ref()?;
    Some(Verdict::Inconclusive(format!("the sender cannot emit {}: {reason}", emission.event.name)))
}

/// What the absence of a delivery tells where the run broke off before it had been waited for, or where more came than could
/// be kept.
fn not_awaited(t: &Transcript, emission: &Emission) -> Option<Verdict> {
    let name = &emission.event.name;
    let why = if !emission.awaited {
        format!("the run broke off before {name} had to have arrived")
    } else if t.webhooks_of(emission.scenario).any(|(_, webhook)| webhook.overflowed) {
        format!("{name} may be among the requests that were too many to be kept (see SUB-2)")
    } else {
        return None;
    };
    Some(Verdict::Inconclusive(why))
}

fn lost(t: &Transcript, emission: &Emission, message: String) -> Verdict {
    if let Some(inconclusive) = not_awaited(t, emission) {
        return inconclusive;
    }
    let waited = format!("nothing within {:.1} s", 2.0 * t.limits.deadline.as_secs_f64());
    let detail = emission.event.name.to_string();
    Evidence::new("one delivery", waited, message).because(Cause::detailed(Code::SendLost, detail)).fail()
}

fn active_at_once(t: &Transcript) -> Verdict {
    let verdicts = t.emissions_of(EVERY_EVENT.name).filter(|emission| emission.first).map(|emission| {
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

/// What it tells that more requests reached an endpoint than are kept: in the first scenario where that was so. Where
/// deliveries are not acknowledged they may be sent again, and ACK-4 says how often.
fn flooded(t: &Transcript) -> Option<Verdict> {
    let acknowledges =
        |webhook: &Webhook| ![NOT_ACKNOWLEDGED.name, UNANSWERED.name].contains(&webhook.scenario);
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

fn once_per_webhook(t: &Transcript) -> Verdict {
    if let Some(flooded) = flooded(t) {
        return flooded;
    }
    let once = |emission: &Emission| once_at_each(t, emission);
    let fixed = t.emissions_of(SEVERAL_WEBHOOKS.name).filter(|emission| !emission.first).map(once);
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

fn deleted(t: &Transcript) -> Verdict {
    let Some((gone, at)) =
        t.webhooks_of(DELETION.name).find_map(|(index, webhook)| Some((index, webhook.deleted_after?)))
    else {
        return Verdict::Inconclusive("no webhook could be deleted".to_owned());
    };
    let stays = t.webhooks_of(DELETION.name).map(|(index, _)| index).find(|&index| index != gone);
    let after = t.emissions.iter().skip(at).filter(|emission| emission.scenario == DELETION.name);
    let verdicts = after.map(|emission| {
        let (name, late) = (&emission.event.name, t.deliveries(gone, emission));
        if !late.is_empty() {
            let message = format!("{name}, emitted after the deletion, reached the deleted webhook");
            return Evidence::new("no delivery", "a delivery", message)
                .shown_by(late)
                .because(Cause::new(Code::SendAfterDelete))
                .fail();
        }
        if stays.is_some_and(|stays| !t.deliveries(stays, emission).is_empty()) {
            return Verdict::Pass;
        }
        Verdict::Inconclusive(format!("{name} reached the webhook that stays neither"))
    });
    of_all(verdicts, "nothing was emitted after the deletion", "events")
}

fn every_kind(t: &Transcript) -> Verdict {
    let verdicts = t.emissions_of(EVERY_EVENT.name).filter(|emission| !emission.first).map(|emission| {
        if let Some(inconclusive) = cannot_be_emitted(emission) {
            return inconclusive;
        }
        if missed_and_repeated(t, emission).0.is_empty() {
            return Verdict::Pass;
        }
        lost(t, emission, format!("{} never arrived", emission.event.name))
    });
    of_all(verdicts, "no event could be emitted", "events")
}

fn filtered(t: &Transcript) -> Verdict {
    let webhooks = t.webhooks_of(FILTERED.name);
    let (filtered, others): (Vec<_>, Vec<_>) =
        webhooks.partition(|(_, webhook)| webhook.operations.is_some());
    let reached_another =
        |emission: &Emission| others.iter().any(|(index, _)| !t.deliveries(*index, emission).is_empty());
    let verdicts = filtered.iter().flat_map(|&(index, webhook)| {
        let operations = webhook.operations.clone().unwrap_or_default();
        let filter = operations.join(", ");
        t.emissions_of(FILTERED.name).filter(|emission| !emission.first).map(move |emission| {
            if let Some(inconclusive) = cannot_be_emitted(emission) {
                return inconclusive;
            }
            let (name, arrived) = (&emission.event.name, t.deliveries(index, emission));
            let wanted = operations.iter().any(|operation| name.matches(operation));
            let (expected, actual, message) = match (wanted, arrived.is_empty()) {
                (true, false) | (false, true) => return Verdict::Pass,
                (false, false) => (
                    "no delivery",
                    "a delivery",
                    format!("{name} reached a webhook with the filter {filter}"),
                ),
                (true, true) if !reached_another(emission) => {
                    return Verdict::Inconclusive(format!(
                        "{name} reached the webhook without a filter neither"
                    ));
                }
                (true, true) if webhook.overflowed => {
                    return Verdict::Inconclusive(format!(
                        "{name} may be among the requests that were not kept"
                    ));
                }
                (true, true) => {
                    let message = format!("{name} did not reach a webhook with the filter {filter}");
                    ("a delivery", "no delivery", message)
                }
            };
            let cause = Cause::detailed(Code::SendFilter, filter.clone());
            Evidence::new(expected, actual, message).shown_by(arrived).because(cause).fail()
        })
    });
    of_all(verdicts, "no webhook with a filter could be registered", "events and filters")
}
