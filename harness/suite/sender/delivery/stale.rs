//! DLV-8: deliveries on connections that the endpoint has closed.
//!
//! Invariant: a delivery counts as lost only if the same event reached the endpoint that keeps its connections.

use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Unrecorded, Verdict};
use crate::suite::sender::judge::first_scenario;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::stale::STALE_CONNECTIONS;
use crate::suite::sender::subscription::missing::{cannot_be_emitted, not_awaited};
use crate::suite::transcript::{Conduct, Emission, Transcript};
use crate::wire::exchange::ExchangeId;

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[Requirement {
    id: "DLV-8",
    title: "stale connections lose nothing",
    binds: Binds::Sender(Recorded::Cannot(Unrecorded::Connections)),
    level: Level::Should,
    check_id: "sender/delivery/stale-connection",
    text: "A delivery on a kept-alive connection that the endpoint has closed in the meantime still arrives.",
    source: "R, W",
    why: "Servers and proxies close idle connections after some seconds, and when they restart. A client that sends on such a \
          connection gets an error at once, although the endpoint works (RFC 9112, section 9.3.1).",
    scenarios: &[&STALE_CONNECTIONS],
    needs: None,
    check: arrives,
    counterexamples: Faults::Sender(&[SenderFault::LosesOnStaleConnection]),
}];

fn arrives(requirement: &Requirement, t: &Transcript) -> Verdict {
    let scenario = first_scenario(requirement);
    let Some((kept, _)) = t.webhooks_of(scenario).find(|(_, one)| one.conduct == Conduct::Answers) else {
        return Verdict::Inconclusive(messages::no_webhook_registered().to_owned());
    };
    let ends_idle = |conduct| matches!(conduct, Conduct::ClosesIdle | Conduct::ResetsIdle);
    let mut verdicts = Vec::new();
    for (webhook, registered) in t.webhooks_of(scenario).filter(|(_, one)| ends_idle(one.conduct)) {
        let mut before: Option<ExchangeId> = None;
        for emission in t.emissions_to(webhook) {
            let attempt = t.attempts(webhook, emission).first().map(|arrival| arrival.exchange);
            // The first event opens the connection.
            if !emission.first {
                verdicts.push(match attempt {
                    Some(_) => Verdict::Pass,
                    None => missing(t, emission, registered.conduct, before, kept),
                });
            }
            before = attempt.or(before);
        }
    }
    of_all(verdicts.into_iter(), messages::no_event_emitted(), "deliveries")
}

/// The verdict on an event that did not arrive where idle connections end.
fn missing(
    t: &Transcript,
    emission: &Emission,
    conduct: Conduct,
    before: Option<ExchangeId>,
    kept: usize,
) -> Verdict {
    let name = &emission.event.name;
    if let Some(inconclusive) = cannot_be_emitted(emission).or_else(|| not_awaited(t, emission)) {
        return inconclusive;
    }
    if before.is_none() || t.attempts(kept, emission).is_empty() {
        return Verdict::Inconclusive(messages::missed_elsewhere(name));
    }
    let waited = messages::nothing_within(2.0 * t.limits.deadline.as_secs_f64());
    let message = messages::lost_on_stale_connection(name, conduct == Conduct::ResetsIdle);
    Evidence::new(messages::on_new_connection(), waited, message)
        .shown_by(before)
        .because(Cause::detailed(Code::SendStaleConnection, conduct.as_str()))
        .fail()
}
