//! Deliveries that were not acknowledged, and their retries.
//!
//! Invariant: only retries that came while the endpoints were watched are judged, and messages name that time.

use crate::suite::requirement::{Requirement, Verdict};
use crate::suite::sender::messages;
use crate::suite::transcript::{Arrival, Emission, RegisteredWebhook, Transcript};

/// A delivery that was attempted more than once.
pub(super) struct Retried<'a> {
    pub(super) webhook: &'a RegisteredWebhook,
    pub(super) emission: &'a Emission,
    /// In the order of arrival.
    pub(super) attempts: Vec<&'a Arrival>,
}

/// The deliveries in the requirement's scenarios that were retried after an answer other than 2xx, or without an answer. If there
/// are none, the verdict says how long the suite watched for them.
pub(super) fn retried<'a>(requirement: &Requirement, t: &'a Transcript) -> Result<Vec<Retried<'a>>, Verdict> {
    let (mut found, mut watched_ms, mut failed) = (Vec::new(), 0, false);
    let webhooks = requirement.scenarios.iter().flat_map(|scenario| t.webhooks_of(scenario.name));
    for (index, webhook) in webhooks {
        for emission in t.emissions_to(index) {
            let attempts = t.attempts(index, emission);
            let Some(first) = attempts.first().map(|first| t.exchange(first.exchange)) else { continue };
            if first.outcome.acknowledges() {
                continue;
            }
            failed = true;
            watched_ms = watched_ms.max(webhook.watched_until_ms.saturating_sub(first.at_ms));
            if attempts.len() > 1 {
                found.push(Retried { webhook, emission, attempts });
            }
        }
    }
    if !failed {
        return Err(Verdict::Inconclusive(messages::all_acknowledged().to_owned()));
    }
    if found.is_empty() {
        let seconds = watched_ms as f64 / 1000.0;
        return Err(Verdict::NotApplicable(messages::not_retried(seconds)));
    }
    Ok(found)
}
