//! SUB-3, SUB-4 and SUB-5: which events a webhook receives.
//!
//! Invariant: an event that must not arrive counts as absent only if another webhook received it.

use super::missing::{cannot_be_emitted, is_usual, lost, missed_and_repeated};
use crate::peers::fault::{Faults, SenderFault};
use crate::subject::capability::Capability;
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Unrecorded, Verdict};
use crate::suite::sender::judge::first_scenario;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::events::{DELETION, EVERY_EVENT, FILTERED};
use crate::suite::transcript::{Emission, Transcript};

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "SUB-3",
        title: "nothing after deletion",
        binds: Binds::Sender(Recorded::Cannot(Unrecorded::Webhooks)),
        level: Level::Must,
        check_id: "sender/subscription/deleted",
        text: "A deleted webhook receives no event that was emitted after the deletion was answered.",
        source: "D",
        why: "The endpoint of a deleted webhook may belong to someone else by now, who must not see the records.",
        scenarios: &[&DELETION],
        needs: Some(Capability::Delete),
        check: deleted,
        counterexamples: Faults::Sender(&[SenderFault::DeliveredAfterDeletion]),
    },
    Requirement {
        id: "SUB-4",
        title: "every kind of event",
        binds: Binds::Sender(Recorded::Cannot(Unrecorded::Webhooks)),
        level: Level::Must,
        check_id: "sender/subscription/every-kind",
        text: "A webhook without a filter receives every kind of event: created, updated, deleted, of standard and \
               custom objects.",
        source: "D",
        why: "A copy of the CRM that never receives deletions or custom objects goes out of date unnoticed.",
        scenarios: &[&EVERY_EVENT],
        needs: None,
        check: every_kind,
        counterexamples: Faults::Sender(&[SenderFault::DeletionsNotSent, SenderFault::CustomObjectsNotSent]),
    },
    Requirement {
        id: "SUB-5",
        title: "filters",
        binds: Binds::Sender(Recorded::Cannot(Unrecorded::Webhooks)),
        level: Level::Should,
        check_id: "sender/subscription/filter",
        text: "A webhook with a filter receives only matching events (capability `filters`).",
        source: "S",
        why: "A receiver that asks for some events is not prepared for others, and relies on those that it asked for.",
        scenarios: &[&FILTERED],
        needs: Some(Capability::Filters),
        check: filtered,
        counterexamples: Faults::Sender(&[
            SenderFault::FiltersIgnored,
            SenderFault::WildcardsNotUnderstood,
            SenderFault::MetadataNotMatched,
        ]),
    },
];

fn deleted(requirement: &Requirement, t: &Transcript) -> Verdict {
    let scenario = first_scenario(requirement);
    let Some((deleted, at)) =
        t.webhooks_of(scenario).find_map(|(index, webhook)| Some((index, webhook.deleted_after?)))
    else {
        return Verdict::Inconclusive(messages::no_webhook_deleted().to_owned());
    };
    let remaining = t.webhooks_of(scenario).map(|(index, _)| index).find(|&index| index != deleted);
    let after = t.emissions.iter().skip(at);
    let after = after.filter(|emission| emission.scenario == scenario && !emission.first);
    let verdicts = after.map(|emission| {
        let (name, late) = (&emission.event.name, t.deliveries(deleted, emission));
        if !late.is_empty() {
            let message = messages::delivered_after_deletion(name, t.in_force.deletion);
            let settles = !t.settling.is_zero() || t.in_force.deletion.is_some();
            let code = if settles { Code::SendSettling } else { Code::SendAfterDelete };
            return Evidence::new("no delivery", "a delivery", message)
                .shown_by(late)
                .because(Cause::new(code))
                .fail();
        }
        if remaining.is_some_and(|remaining| !t.deliveries(remaining, emission).is_empty()) {
            return Verdict::Pass;
        }
        Verdict::Inconclusive(messages::missed_remaining(name))
    });
    of_all(verdicts, messages::nothing_after_deletion(), "events")
}

fn every_kind(requirement: &Requirement, t: &Transcript) -> Verdict {
    let emissions = t.emissions_of(first_scenario(requirement));
    let usual = emissions.filter(|emission| !emission.first && is_usual(emission));
    let verdicts = usual.map(|emission| {
        if let Some(inconclusive) = cannot_be_emitted(emission) {
            return inconclusive;
        }
        if missed_and_repeated(t, emission).0.is_empty() {
            return Verdict::Pass;
        }
        lost(t, emission, messages::not_delivered(&emission.event.name))
    });
    of_all(verdicts, messages::no_event_emitted(), "events")
}

fn filtered(requirement: &Requirement, t: &Transcript) -> Verdict {
    let scenario = first_scenario(requirement);
    let webhooks = t.webhooks_of(scenario);
    let (filtered, others): (Vec<_>, Vec<_>) =
        webhooks.partition(|(_, webhook)| webhook.operations.is_some());
    let reached_another =
        |emission: &Emission| others.iter().any(|(index, _)| !t.deliveries(*index, emission).is_empty());
    let verdicts = filtered.iter().flat_map(|&(index, webhook)| {
        let operations = webhook.operations.clone().unwrap_or_default();
        let filter = operations.join(", ");
        t.emissions_of(scenario).filter(|emission| !emission.first).map(move |emission| {
            if let Some(inconclusive) = cannot_be_emitted(emission) {
                return inconclusive;
            }
            let (name, arrived) = (&emission.event.name, t.deliveries(index, emission));
            let wanted = operations.iter().any(|operation| name.matches(operation));
            let (expected, actual, message) = match (wanted, arrived.is_empty()) {
                (true, false) | (false, true) => return Verdict::Pass,
                (false, false) => ("no delivery", "a delivery", messages::filter_ignored(name, &filter)),
                (true, true) if !reached_another(emission) => {
                    return Verdict::Inconclusive(messages::missed_unfiltered(name));
                }
                (true, true) if webhook.overflowed => {
                    return Verdict::Inconclusive(messages::perhaps_not_kept(name));
                }
                (true, true) => ("a delivery", "no delivery", messages::filter_too_strict(name, &filter)),
            };
            let cause = Cause::detailed(Code::SendFilter, filter.clone());
            Evidence::new(expected, actual, message).shown_by(arrived).because(cause).fail()
        })
    });
    of_all(verdicts, messages::no_filter_registered(), "events and filters")
}
