//! ACK-3: no answer does not acknowledge, and the sender goes on.
//!
//! Invariant: what the sender did at an endpoint that does not answer is compared with what it did at one that does.

use super::endpoints::{judged_events, webhooks};
use crate::peers::fault::{Faults, SenderFault};
use crate::subject::capability::Capability;
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Unrecorded, Verdict};
use crate::suite::sender::judge::and_over_https;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::https::BAD_CERTIFICATES;
use crate::suite::sender::scenario::stalled::STALLED;
use crate::suite::sender::scenario::unanswered::UNANSWERED;
use crate::suite::transcript::{Arrival, Conduct, Emission, ScenarioName, Transcript};

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[Requirement {
    id: "ACK-3",
    title: "no answer is no acknowledgement",
    binds: Binds::Sender(Recorded::Cannot(Unrecorded::Answers)),
    level: Level::Must,
    check_id: "sender/acknowledgement/no-answer",
    text: "No answer (refused, reset, closed early, cut off inside the header, timed out) does not acknowledge; \
           the sender goes on with the next delivery.",
    source: "D",
    why: "A delivery without an answer may not have been processed. If the sender gives up on an endpoint that was down \
          for a moment, the endpoint misses everything from then on.",
    scenarios: &[&UNANSWERED, &BAD_CERTIFICATES, &STALLED],
    needs: None,
    check: |_, t| and_over_https(t, not_acknowledged(t), bad_certificates),
    counterexamples: Faults::Sender(&[
        SenderFault::ResetAcknowledges,
        SenderFault::ClosingAcknowledges,
        SenderFault::FirstLineAcknowledges,
        SenderFault::RefusalAcknowledges,
        SenderFault::SilenceAcknowledges,
        SenderFault::StopsAfterFailure,
        SenderFault::CrashesOnRefusal,
        SenderFault::HandshakeAcknowledges,
        SenderFault::CrashesOnCertificate,
    ]),
}];

fn not_acknowledged(t: &Transcript) -> Verdict {
    let mut misread: Vec<&'static str> = Vec::new();
    let mut verdicts = Vec::new();
    for scenario in [UNANSWERED.name, STALLED.name] {
        verdicts.extend(silent_in(t, scenario, &mut misread));
    }
    let mut verdict = of_all(verdicts.into_iter(), messages::no_event_emitted(), "deliveries");
    if let Verdict::Fail(evidence) = &mut verdict
        && let Some(cause) = evidence.cause.as_mut().filter(|cause| cause.code == Code::SendAckStatus)
    {
        cause.detail = Some(messages::unanswered(&misread));
    }
    verdict
}

/// The verdicts on the silent endpoints of a scenario. Adds those whose silence is misread.
fn silent_in(t: &Transcript, scenario: ScenarioName, misread: &mut Vec<&'static str>) -> Vec<Verdict> {
    let working = webhooks(t, scenario, |conduct| conduct == Conduct::Answers);
    let (Some(&(working, _)), Some(&(last, _))) = (working.first(), working.last()) else {
        return vec![Verdict::Inconclusive(messages::no_webhook_registered().to_owned())];
    };
    let reports = t.capabilities.contains(&Capability::Outcomes);
    let mut verdicts = Vec::new();
    for (webhook, conduct) in webhooks(t, scenario, Conduct::is_silent) {
        let mut seen_before = false;
        for (at, emission) in judged_events(t, webhook).enumerate() {
            let attempts = t.attempts(webhook, emission);
            let answered = |attempt: &&Arrival| t.exchange(attempt.exchange).outcome.acknowledges();
            if attempts.iter().any(answered) {
                // An endpoint hangs only a few times.
                continue;
            }
            if conduct == Conduct::Hangs && attempts.is_empty() {
                // It hangs for certain records, and sees none in a body that it cannot read.
                continue;
            }
            let others_settled = t.settled_of(working, emission).is_some_and(|settled| settled.delivered);
            let exchanges = attempts.iter().map(|arrival| arrival.exchange);
            verdicts.push(match t.settled_of(webhook, emission) {
                Some(settled) if settled.delivered => {
                    if !misread.contains(&conduct.as_str()) {
                        misread.push(conduct.as_str());
                    }
                    let message = messages::silence_acknowledged(conduct.what_happened());
                    let (expected, actual) =
                        (messages::reported_not_delivered(), messages::reported_delivered());
                    Evidence::new(expected, actual, message)
                        .shown_by(exchanges)
                        .because(Cause::new(Code::SendAckStatus))
                        .fail()
                }
                _ if stopped(t, scenario, last, conduct, emission, &attempts, seen_before) => {
                    let message = messages::endpoint_given_up(&emission.event.name, conduct.what_happened());
                    Evidence::new(messages::next_delivery(), messages::nothing_sent(), message)
                        .because(Cause::detailed(
                            Code::SendBlocked,
                            messages::after_failure(conduct.as_str()),
                        ))
                        .fail()
                }
                Some(_) => Verdict::Pass,
                // It is unsettled or was retried. Either way the sender read no acknowledgement.
                None if attempts.len() > 1 || !reports || others_settled => Verdict::Pass,
                // The sender may still be waiting for the answer to the first delivery.
                None if conduct == Conduct::Hangs && at > 0 => continue,
                None => Verdict::Inconclusive(messages::no_outcomes().to_owned()),
            });
            seen_before |= !attempts.is_empty();
        }
        if conduct.sees_requests() && !seen_before {
            verdicts.push(Verdict::Inconclusive(messages::endpoint_not_reached(conduct.what_happened())));
        }
    }
    verdicts
}

/// Whether a sender has given up on an endpoint. If so, an earlier event arrived there but this one did not, although it reached
/// the working endpoint that was registered last.
fn stopped(
    t: &Transcript,
    scenario: ScenarioName,
    working: usize,
    conduct: Conduct,
    emission: &Emission,
    attempts: &[&Arrival],
    seen_before: bool,
) -> bool {
    let kept = t.webhooks_of(scenario).all(|(_, webhook)| !webhook.overflowed);
    let visible = conduct.sees_requests() && conduct != Conduct::Hangs && kept;
    let reached_working = || !t.attempts(working, emission).is_empty();
    visible && attempts.is_empty() && seen_before && emission.awaited && reached_working()
}

/// The same if there is no answer because the sender rejected the certificate.
fn bad_certificates(t: &Transcript) -> Option<Verdict> {
    let mut webhooks = t.webhooks_of(BAD_CERTIFICATES.name);
    let (working, _) = webhooks.next()?;
    let reports = t.capabilities.contains(&Capability::Outcomes);
    let mut verdicts = Vec::new();
    for (webhook, registered) in webhooks {
        let Conduct::Secured(certificate) = registered.conduct else { continue };
        let what_happened = registered.conduct.what_happened();
        if t.arrivals.iter().any(|arrival| arrival.webhook == Some(webhook)) {
            // It was answered, so it may count as acknowledged.
            verdicts.push(Verdict::NotApplicable(messages::certificate_accepted(certificate.describe())));
            continue;
        }
        let connected = |wanted: &dyn Fn(u64) -> bool| {
            t.handshakes.iter().any(|one| one.webhook == webhook && wanted(one.at_ms))
        };
        for emission in judged_events(t, webhook) {
            let (name, asked) = (&emission.event.name, emission.asked_at_ms);
            let others_settled = t.settled_of(working, emission).is_some_and(|settled| settled.delivered);
            let stopped = emission.awaited
                && connected(&|at| at < asked)
                && !connected(&|at| at >= asked)
                && !t.attempts(working, emission).is_empty();
            verdicts.push(match t.settled_of(webhook, emission) {
                Some(settled) if settled.delivered => {
                    let message = messages::silence_acknowledged(what_happened);
                    let (expected, actual) =
                        (messages::reported_not_delivered(), messages::reported_delivered());
                    let cause = Cause::detailed(Code::SendAckStatus, registered.conduct.as_str());
                    Evidence::new(expected, actual, message).because(cause).fail()
                }
                _ if stopped => {
                    let message = messages::endpoint_given_up(name, what_happened);
                    let detail = messages::after_failure(registered.conduct.as_str());
                    Evidence::new(messages::next_delivery(), messages::nothing_sent(), message)
                        .because(Cause::detailed(Code::SendBlocked, detail))
                        .fail()
                }
                Some(_) => Verdict::Pass,
                None if !reports || others_settled => Verdict::Pass,
                None => Verdict::Inconclusive(messages::no_outcomes().to_owned()),
            });
        }
        if !connected(&|_| true) {
            verdicts.push(Verdict::Inconclusive(messages::endpoint_not_contacted(certificate.describe())));
        }
    }
    Some(of_all(verdicts.into_iter(), messages::no_webhook_registered(), "deliveries"))
}
