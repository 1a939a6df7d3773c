//! ACK: what a sender makes of an answer.
//!
//! Invariant: only what was delivered is judged; a status that no delivery met does not tell.

use super::judge::of_all;
use crate::cause::{Cause, Code};
use crate::exchange::ExchangeId;
use crate::fault::{Faults, SenderFault};
use crate::requirement::{Evidence, Level, Requirement, Role, Verdict};
use crate::transcript::{Capability, Emission, Scenario, Settled, Transcript};

/// The requirements of this group.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "ACK-1",
        role: Role::Sender,
        level: Level::Must,
        check_id: "sender/acknowledgement/2xx",
        text: "Every status from 200 to 299 acknowledges: the delivery is not sent again, and is reported as delivered \
               where outcomes are reported.",
        source: "D",
        why: "Endpoints answer 202 or 204 as often as 200; a sender that waits for 200 alone sends again what was taken.",
        scenarios: &[Scenario::Acknowledged],
        needs: None,
        check: acknowledged,
        counterexamples: Faults::Sender(&[
            SenderFault::ResentAfterAcknowledgement,
            SenderFault::Only200Acknowledges,
            SenderFault::DeliveredTwice,
        ]),
    },
    Requirement {
        id: "ACK-2",
        role: Role::Sender,
        level: Level::Must,
        check_id: "sender/acknowledgement/not-2xx",
        text: "A final status outside 200 to 299 does not acknowledge, a redirect included.",
        source: "D",
        why: "A delivery that an error page or a login redirect answered was not taken in by anybody.",
        scenarios: &[Scenario::NotAcknowledged],
        needs: Some(Capability::Outcomes),
        check: not_acknowledged,
        counterexamples: Faults::Sender(&[
            SenderFault::RedirectAcknowledges,
            SenderFault::RedirectFollowed,
            SenderFault::ErrorsAcknowledge,
        ]),
    },
];

/// The requests that carried an event of a scenario with one webhook, and what the sender reports of it.
fn delivered<'a>(t: &'a Transcript, emission: &Emission) -> (Vec<ExchangeId>, Option<&'a Settled>) {
    let webhook = t.webhooks_of(emission.scenario).next().map(|(index, _)| index);
    let deliveries = webhook.map(|index| t.deliveries(index, emission)).unwrap_or_default();
    let settled = t
        .settled
        .iter()
        .find(|settled| Some(settled.webhook) == webhook && settled.record_id == emission.record_id);
    (deliveries, settled)
}

/// Whether the outcomes were asked for so long after a delivery that it had to be settled.
fn had_time(t: &Transcript, delivery: ExchangeId) -> bool {
    let arrival = t.arrivals.iter().find(|arrival| arrival.exchange == delivery);
    let asked = arrival.and_then(|arrival| t.webhooks[arrival.webhook?].outcomes_at_ms);
    let deadline = u64::try_from(t.limits.deadline.as_millis()).unwrap_or(u64::MAX);
    asked.is_some_and(|asked| asked >= t.exchange(delivery).at_ms.saturating_add(deadline))
}

fn acknowledged(t: &Transcript) -> Verdict {
    let verdicts =
        t.emissions_of(Scenario::Acknowledged).filter(|emission| !emission.first).map(|emission| {
            let (status, (deliveries, settled)) = (emission.answer, delivered(t, emission));
            let (actual, message) = match (deliveries.len(), settled) {
                (0, _) => {
                    return Verdict::Untestable(format!(
                        "the delivery that {status} was meant for did not arrive"
                    ));
                }
                (1, Some(settled)) if settled.delivered => return Verdict::Pass,
                (1, None) if !t.capabilities.contains(&Capability::Outcomes) => return Verdict::Pass,
                (1, None) if !had_time(t, deliveries[0]) => {
                    return Verdict::Untestable(format!(
                        "the delivery that {status} was meant for arrived too late to be settled"
                    ));
                }
                (1, None) => (
                    "no outcome".to_owned(),
                    format!("a delivery that was answered {status} is not among the outcomes"),
                ),
                (1, Some(_)) => (
                    "reported as not delivered".to_owned(),
                    format!("a delivery that was answered {status} is reported as not delivered"),
                ),
                (times, _) => (
                    format!("sent {times} times"),
                    format!("a delivery that was answered {status} was sent {times} times"),
                ),
            };
            let cause = if deliveries.len() > 1
                && settled.is_some_and(|settled| settled.delivered)
                && status == 200
            {
                // Even the plainest acknowledgement is followed by a copy: it is not the status that is misread.
                Cause::detailed(Code::SendOncePerWebhook, "more than once")
            } else {
                Cause::detailed(Code::SendAckStatus, status.to_string())
            };
            Evidence::new("delivered, and not sent again", actual, message)
                .shown_by(deliveries)
                .because(cause)
                .fail()
        });
    with_statuses(of_all(verdicts, "no event could be emitted", "statuses"), t)
}

fn not_acknowledged(t: &Transcript) -> Verdict {
    let verdicts =
        t.emissions_of(Scenario::NotAcknowledged).filter(|emission| !emission.first).map(|emission| {
            let (status, (deliveries, settled)) = (emission.answer, delivered(t, emission));
            match (deliveries.is_empty(), settled) {
                (true, _) => {
                    Verdict::Untestable(format!("the delivery that {status} was meant for did not arrive"))
                }
                // Only settled deliveries are listed: one that is to be sent again later is not.
                (false, None) => Verdict::Untestable(format!(
                    "a delivery that was answered {status} was not settled within the deadline"
                )),
                (false, Some(settled)) if !settled.delivered => Verdict::Pass,
                (false, Some(_)) => {
                    let redirect = (300..400).contains(&status);
                    let code = if redirect { Code::SendRedirect } else { Code::SendAckStatus };
                    let message = format!("a delivery that was answered {status} is reported as delivered");
                    Evidence::new("reported as not delivered", "reported as delivered", message)
                        .shown_by(deliveries)
                        .because(Cause::detailed(code, status.to_string()))
                        .fail()
                }
            }
        });
    with_statuses(of_all(verdicts, "no event could be emitted", "statuses"), t)
}

/// The verdict with every status that was misread in its cause's detail, as ranges: `201-299`.
fn with_statuses(verdict: Verdict, t: &Transcript) -> Verdict {
    let Verdict::Fail(mut evidence) = verdict else { return verdict };
    let statuses: Vec<u16> =
        evidence.exchanges.iter().filter_map(|id| t.exchange(*id).outcome.status()).collect();
    let misread = |cause: &&mut Cause| matches!(cause.code, Code::SendAckStatus | Code::SendRedirect);
    if let Some(cause) = evidence.cause.as_mut().filter(misread).filter(|_| !statuses.is_empty()) {
        cause.detail = Some(ranges(statuses));
    }
    Verdict::Fail(evidence)
}

fn ranges(mut numbers: Vec<u16>) -> String {
    numbers.sort_unstable();
    numbers.dedup();
    let mut ranges: Vec<(u16, u16)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let word =
        |(first, last): (u16, u16)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    ranges.into_iter().map(word).collect::<Vec<_>>().join(", ")
}
