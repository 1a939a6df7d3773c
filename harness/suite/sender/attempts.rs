//! What a sender does with a delivery that was not acknowledged: nothing more, or further attempts.
//!
//! Invariant: only what was seen while the endpoints were watched is judged, and what is said names that time.

use serde_json::Value;

use super::signing::valid;
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Evidence, Verdict};
use crate::suite::sender::judge::Arrived;
use crate::suite::sender::scenarios::{NOT_ACKNOWLEDGED, UNANSWERED};
use crate::suite::transcript::{Arrival, Emission, ScenarioName, Transcript, Webhook};
use crate::webhook::dialect::Members;
use crate::webhook::signature::SIGNATURE_HEADER;

/// Where deliveries are not acknowledged.
const SCENARIOS: [ScenarioName; 2] = [UNANSWERED.name, NOT_ACKNOWLEDGED.name];
/// How many attempts at one delivery may be seen: a backoff worth its name needs hours for as many.
const MOST_ATTEMPTS: usize = 15;
/// Two pauses in a row that are shorter than this make a tight loop.
const SHORTEST_PAUSE_MS: u64 = 50;

/// A delivery that was attempted more than once.
struct Repeated<'a> {
    webhook: &'a Webhook,
    emission: &'a Emission,
    /// In the order of arrival.
    attempts: Vec<&'a Arrival>,
}

/// The deliveries that were attempted again though they had not been answered 2xx; where there is none, for how long that
/// was watched.
fn repeated(t: &Transcript) -> Result<Vec<Repeated<'_>>, Verdict> {
    let (mut found, mut watched_ms, mut failed) = (Vec::new(), 0, false);
    let webhooks = SCENARIOS.into_iter().flat_map(|scenario| t.webhooks_of(scenario));
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
                found.push(Repeated { webhook, emission, attempts });
            }
        }
    }
    if !failed {
        return Err(Verdict::Inconclusive("no delivery arrived that was not acknowledged".to_owned()));
    }
    if found.is_empty() {
        let seconds = watched_ms as f64 / 1000.0;
        return Err(Verdict::NotApplicable(format!(
            "no delivery was sent again within the {seconds:.1} s that were watched"
        )));
    }
    Ok(found)
}

/// SIG-7: further attempts verify as the first ones do.
pub(crate) fn verified(t: &Transcript) -> Verdict {
    let found = match repeated(t) {
        Ok(found) => found,
        Err(none) => return none,
    };
    let verify =
        |webhook, arrival| valid(t, &Arrived::of(t, webhook, arrival)).unwrap_or_else(|unclear| unclear);
    let verdicts = found.iter().flat_map(|one| {
        let (first, further) = (one.attempts[0], &one.attempts[1..]);
        let name = &one.emission.event.name;
        further.iter().map(move |&arrival| {
            if verify(one.webhook, first) != Verdict::Pass {
                return Verdict::Inconclusive(
                    "the first attempt does not verify either (see SIG-4)".to_owned(),
                );
            }
            let arrived = Arrived::of(t, one.webhook, arrival);
            if arrived.exchange.delivery.headers.all(SIGNATURE_HEADER).next().is_none() {
                let message = format!("a further attempt at {name} is not signed");
                let cause = Cause::detailed(Code::HeaderMissing, SIGNATURE_HEADER);
                return arrived.evidence("a signature", "none", message).because(cause).fail();
            }
            match verify(one.webhook, arrival) {
                Verdict::Fail(mut evidence) => {
                    evidence.message = format!("in a further attempt at {name} {}", evidence.message);
                    Verdict::Fail(evidence)
                }
                verdict => verdict,
            }
        })
    });
    of_all(verdicts, "no further attempt", "further attempts")
}

/// ACK-4: further attempts carry the same, are few, and have pauses between them.
pub(crate) fn bounded(t: &Transcript) -> Verdict {
    let found = match repeated(t) {
        Ok(found) => found,
        Err(none) => return none,
    };
    let verdicts = found.iter().map(|one| {
        let name = &one.emission.event.name;
        let exchanges = || one.attempts.iter().map(|arrival| arrival.exchange);
        let times: Vec<u64> = exchanges().map(|id| t.exchange(id).at_ms).collect();
        let count = times.len();
        let span = times[count - 1].saturating_sub(times[0]);
        let sent = format!("{count} times within {span} ms");
        let too_often = |detail: &str, expected: String| {
            let message = format!("{name} was sent {sent} to an endpoint that failed");
            let cause = Cause::detailed(Code::SendUnboundedRetry, detail);
            Evidence::new(expected, sent.clone(), message).shown_by(exchanges()).because(cause).fail()
        };
        let pauses: Vec<u64> = times.windows(2).map(|two| two[1].saturating_sub(two[0])).collect();
        if count > MOST_ATTEMPTS {
            return too_often(
                "without end",
                format!("at most {MOST_ATTEMPTS} attempts while it was watched"),
            );
        }
        if pauses.windows(2).any(|two| two.iter().all(|&pause| pause < SHORTEST_PAUSE_MS)) {
            return too_often("without a pause", format!("pauses of {SHORTEST_PAUSE_MS} ms or more"));
        }
        let first = one.attempts[0];
        let changed = one.attempts[1..]
            .iter()
            .find_map(|other| Some((other, difference(t, one.emission, first, other)?)));
        match changed {
            None => Verdict::Pass,
            Some((other, what)) => {
                let message = format!("a further attempt at {name} carries another {what} than the first");
                let cause = Cause::detailed(Code::PayloadValue, format!("{what} of a further attempt"));
                Evidence::new(format!("the same {what}"), format!("another {what}"), message)
                    .shown_by([first.exchange, other.exchange])
                    .because(cause)
                    .fail()
            }
        }
    });
    of_all(verdicts, "no further attempt", "deliveries")
}

/// In which member two attempts at a delivery differ: the one that names the event, or the one that holds the record.
fn difference(t: &Transcript, emission: &Emission, one: &Arrival, other: &Arrival) -> Option<&'static str> {
    let body = |arrival: &Arrival| Members::parse(&t.exchange(arrival.exchange).delivery.body);
    let (Ok(one), Ok(other)) = (body(one), body(other)) else { return Some("form of body") };
    let value = |members: &Members, key: &str| -> Option<Value> {
        serde_json::from_str(members.get(key)?.get()).ok()
    };
    let keys = [t.dialect.event_member, t.dialect.content_member(&emission.event.name)];
    keys.into_iter().find(|key| value(&one, key) != value(&other, key))
}
