//! What a sender did with a delivery that was acknowledged, and how it reports the delivery.
//!
//! Invariant: an answer shows nothing if its delivery did not arrive.

use crate::subject::capability::Capability;
use crate::suite::requirement::Verdict;
use crate::suite::sender::messages;
use crate::suite::transcript::{Emission, ScenarioName, SettledDelivery, Transcript};
use crate::wire::exchange::ExchangeId;

/// The attempts to deliver an event to the first webhook of its scenario, and the outcome that the sender reports.
pub(super) fn delivered<'a>(
    t: &'a Transcript,
    emission: &Emission,
) -> (Vec<ExchangeId>, Option<&'a SettledDelivery>) {
    let Some((webhook, _)) = t.webhooks_of(emission.scenario).next() else { return (Vec::new(), None) };
    (t.deliveries(webhook, emission), t.settled_of(webhook, emission))
}

/// Whether the outcomes were asked for late enough for a delivery to be settled.
fn asked_late_enough(t: &Transcript, delivery: ExchangeId) -> bool {
    let arrival = t.arrivals.iter().find(|arrival| arrival.exchange == delivery);
    let asked = arrival.and_then(|arrival| t.webhooks[arrival.webhook?].outcomes_at_ms);
    let deadline = u64::try_from(t.limits.deadline.as_millis()).unwrap_or(u64::MAX);
    asked.is_some_and(|asked| asked >= t.exchange(delivery).at_ms.saturating_add(deadline))
}

/// The events of a scenario that have their own answers.
pub(super) fn answered(t: &Transcript, scenario: ScenarioName) -> impl Iterator<Item = &Emission> {
    t.emissions_of(scenario).filter(|emission| !emission.first)
}

/// How an acknowledgement was misread, as (actual, message); `None` if it was read correctly. `Err` if that cannot be judged.
pub(super) fn misread_acknowledgement(
    t: &Transcript,
    what: &str,
    deliveries: &[ExchangeId],
    settled: Option<&SettledDelivery>,
) -> Result<Option<(String, String)>, Verdict> {
    Ok(Some(match (deliveries.len(), settled) {
        (0, _) => {
            return Err(Verdict::Inconclusive(messages::answered_not_arrived(what)));
        }
        (1, Some(settled)) if settled.delivered => return Ok(None),
        (1, None) if !t.capabilities.contains(&Capability::Outcomes) => return Ok(None),
        (1, None) if !asked_late_enough(t, deliveries[0]) => {
            return Err(Verdict::Inconclusive(messages::answered_too_late(what)));
        }
        (1, None) => ("no outcome".to_owned(), messages::outcome_missing(what)),
        (1, Some(_)) => {
            (messages::reported_not_delivered().to_owned(), messages::acknowledgement_unreported(what))
        }
        (count, _) => (messages::sent(count), messages::acknowledged_and_resent(what, count)),
    }))
}
