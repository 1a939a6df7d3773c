//! What a sender did with a delivery that was acknowledged, and what it reports of it.
//!
//! Invariant: an answer that no delivery met shows nothing.

use crate::subject::capability::Capability;
use crate::suite::requirement::Verdict;
use crate::suite::transcript::{Emission, ScenarioName, SettledDelivery, Transcript};
use crate::wire::exchange::ExchangeId;

/// The attempts at an event's delivery in a scenario, at the webhook that was registered first, and what the sender reports
/// of it.
pub(super) fn delivered<'a>(
    t: &'a Transcript,
    emission: &Emission,
) -> (Vec<ExchangeId>, Option<&'a SettledDelivery>) {
    let Some((webhook, _)) = t.webhooks_of(emission.scenario).next() else { return (Vec::new(), None) };
    (t.deliveries(webhook, emission), t.settled_of(webhook, emission))
}

/// Whether the outcomes were asked for so long after a delivery that it had to be settled.
fn had_time(t: &Transcript, delivery: ExchangeId) -> bool {
    let arrival = t.arrivals.iter().find(|arrival| arrival.exchange == delivery);
    let asked = arrival.and_then(|arrival| t.webhooks[arrival.webhook?].outcomes_at_ms);
    let deadline = u64::try_from(t.limits.deadline.as_millis()).unwrap_or(u64::MAX);
    asked.is_some_and(|asked| asked >= t.exchange(delivery).at_ms.saturating_add(deadline))
}

/// The events of a scenario that meet an answer of their own.
pub(super) fn answered(t: &Transcript, scenario: ScenarioName) -> impl Iterator<Item = &Emission> {
    t.emissions_of(scenario).filter(|emission| !emission.first)
}

/// How an acknowledgement was misread, as (actual, message); `Err` where that cannot be judged.
pub(super) fn misread_acknowledgement(
    t: &Transcript,
    what: &str,
    deliveries: &[ExchangeId],
    settled: Option<&SettledDelivery>,
) -> Result<Option<(String, String)>, Verdict> {
    Ok(Some(match (deliveries.len(), settled) {
        (0, _) => {
            return Err(Verdict::Inconclusive(format!(
                "the delivery that {what} was meant for did not arrive"
            )));
        }
        (1, Some(settled)) if settled.delivered => return Ok(None),
        (1, None) if !t.capabilities.contains(&Capability::Outcomes) => return Ok(None),
        (1, None) if !had_time(t, deliveries[0]) => {
            let why = format!("the delivery that {what} was meant for arrived too late to be settled");
            return Err(Verdict::Inconclusive(why));
        }
        (1, None) => (
            "no outcome".to_owned(),
            format!("a delivery that was answered {what} is not among the outcomes"),
        ),
        (1, Some(_)) => (
            "reported as not delivered".to_owned(),
            format!("a delivery that was answered {what} is reported as not delivered"),
        ),
        (times, _) => (
            format!("sent {times} times"),
            format!("a delivery that was answered {what} was sent {times} times"),
        ),
    }))
}
