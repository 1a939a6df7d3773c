//! ACK-3: no answer does not acknowledge, and the sender goes on.
//!
//! Invariant: what the sender did at an endpoint in trouble counts only along with what it did at one that answers.

use super::endpoints::{met, webhooks};
use crate::peers::fault::{Faults, SenderFault};
use crate::subject::capability::Capability;
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Verdict};
use crate::suite::sender::judge::{and_over_https, first_scenario};
use crate::suite::sender::scenario::https::BAD_CERTIFICATES;
use crate::suite::sender::scenario::unanswered::UNANSWERED;
use crate::suite::transcript::{Arrival, Conduct, Emission, ScenarioName, Transcript};

/// The requirements of this group.
pub const ALL: &[Requirement] = &[Requirement {
    id: "ACK-3",
    title: "no answer is no acknowledgement",
    binds: Binds::Sender(Recorded::Cannot("traffic alone does not show what the sender makes of an answer")),
    level: Level::Must,
    check_id: "sender/acknowledgement/no-answer",
    text: "No answer (refused, reset, closed early, cut off inside the header, timed out) does not acknowledge; \
           the sender goes on with the next delivery.",
    source: "D",
    why: "What nobody answered for was taken in by nobody; and an endpoint that was down for a moment misses \
          everything from then on where the sender gives it up.",
    scenarios: &[&UNANSWERED, &BAD_CERTIFICATES],
    needs: None,
    check: |requirement, t| and_over_https(t, not_acknowledged(requirement, t), bad_certificates),
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

fn not_acknowledged(requirement: &Requirement, t: &Transcript) -> Verdict {
    let scenario = first_scenario(requirement);
    let all_well = webhooks(t, scenario, |conduct| conduct == Conduct::Answers);
    let (Some(&(well, _)), Some(&(last, _))) = (all_well.first(), all_well.last()) else {
        return Verdict::Inconclusive("no webhook could be registered".to_owned());
    };
    let reports = t.capabilities.contains(&Capability::Outcomes);
    let mut misread: Vec<&str> = Vec::new();
    let mut verdicts = Vec::new();
    for (webhook, conduct) in webhooks(t, scenario, Conduct::is_silent) {
        let mut seen_before = false;
        for (at, emission) in met(t, webhook).enumerate() {
            let attempts = t.attempts(webhook, emission);
            let is_well = t.settled_of(well, emission).is_some_and(|settled| settled.delivered);
            let exchanges = attempts.iter().map(|arrival| arrival.exchange);
            verdicts.push(match t.settled_of(webhook, emission) {
                Some(settled) if settled.delivered => {
                    if !misread.contains(&conduct.as_str()) {
                        misread.push(conduct.as_str());
                    }
                    let message =
                        format!("a delivery that {} is reported as delivered", conduct.what_became());
                    Evidence::new("reported as not delivered", "reported as delivered", message)
                        .shown_by(exchanges)
                        .because(Cause::new(Code::SendAckStatus))
                        .fail()
                }
                _ if stopped(t, scenario, last, conduct, emission, &attempts, seen_before) => {
                    let name = &emission.event.name;
                    let became = conduct.what_became();
                    let message =
                        format!("behind a delivery that {became}, {name} was not sent to that endpoint");
                    Evidence::new("the next delivery is sent", "nothing is sent", message)
                        .because(Cause::detailed(
                            Code::SendBlocked,
                            format!("by a failure: {}", conduct.as_str()),
                        ))
                        .fail()
                }
                Some(_) => Verdict::Pass,
                // It is not over, or was retried: either way the sender read no acknowledgement.
                None if attempts.len() > 1 || !reports || is_well => Verdict::Pass,
                // After the first one the sender may still be waiting for the answer to that.
                None if conduct == Conduct::Hangs && at > 0 => continue,
                None => Verdict::Inconclusive("no outcome is reported of any delivery".to_owned()),
            });
            seen_before |= !attempts.is_empty();
        }
        if conduct.sees_requests() && !seen_before {
            let why = format!("nothing arrived at the endpoint where a delivery {}", conduct.what_became());
            verdicts.push(Verdict::Inconclusive(why));
        }
    }
    let mut verdict = of_all(verdicts.into_iter(), "no event could be emitted", "deliveries");
    if let Verdict::Fail(evidence) = &mut verdict
        && let Some(cause) = evidence.cause.as_mut().filter(|cause| cause.code == Code::SendAckStatus)
    {
        cause.detail = Some(format!("no answer: {}", misread.join(", ")));
    }
    verdict
}

/// Whether a sender has given an endpoint up: an event that reached the one that is well, which was registered last, did
/// not come, where one before it did.
fn stopped(
    t: &Transcript,
    scenario: ScenarioName,
    well: usize,
    conduct: Conduct,
    emission: &Emission,
    attempts: &[&Arrival],
    seen_before: bool,
) -> bool {
    let kept = t.webhooks_of(scenario).all(|(_, webhook)| !webhook.overflowed);
    let visible = conduct.sees_requests() && conduct != Conduct::Hangs && kept;
    let reached_the_well = || !t.attempts(well, emission).is_empty();
    visible && attempts.is_empty() && seen_before && emission.awaited && reached_the_well()
}

/// The same where the answer is missing because the sender rejected the certificate.
fn bad_certificates(t: &Transcript) -> Option<Verdict> {
    let mut webhooks = t.webhooks_of(BAD_CERTIFICATES.name);
    let (well, _) = webhooks.next()?;
    let reports = t.capabilities.contains(&Capability::Outcomes);
    let mut verdicts = Vec::new();
    for (webhook, registered) in webhooks {
        let became = registered.conduct.what_became();
        if t.arrivals.iter().any(|arrival| arrival.webhook == Some(webhook)) {
            // It got an answer, so nothing is wrong with taking that for one.
            verdicts.push(Verdict::NotApplicable(format!("the sender delivers what {became}")));
            continue;
        }
        let came = |wanted: &dyn Fn(u64) -> bool| {
            t.handshakes.iter().any(|one| one.webhook == webhook && wanted(one.at_ms))
        };
        for emission in met(t, webhook) {
            let (name, asked) = (&emission.event.name, emission.asked_at_ms);
            let is_well = t.settled_of(well, emission).is_some_and(|settled| settled.delivered);
            let stopped = emission.awaited
                && came(&|at| at < asked)
                && !came(&|at| at >= asked)
                && !t.attempts(well, emission).is_empty();
            verdicts.push(match t.settled_of(webhook, emission) {
                Some(settled) if settled.delivered => {
                    let message = format!("a delivery that {became} is reported as delivered");
                    let cause = Cause::detailed(Code::SendAckStatus, registered.conduct.as_str());
                    Evidence::new("reported as not delivered", "reported as delivered", message)
                        .because(cause)
                        .fail()
                }
                _ if stopped => {
                    let message =
                        format!("behind a delivery that {became}, {name} was not sent to that endpoint");
                    let detail = format!("by a failure: {}", registered.conduct.as_str());
                    Evidence::new("the next delivery is sent", "nobody comes", message)
                        .because(Cause::detailed(Code::SendBlocked, detail))
                        .fail()
                }
                Some(_) => Verdict::Pass,
                None if !reports || is_well => Verdict::Pass,
                None => Verdict::Inconclusive("no outcome is reported of any delivery".to_owned()),
            });
        }
        if !came(&|_| true) {
            let why = format!("nobody came to the endpoint where a delivery {became}");
            verdicts.push(Verdict::Inconclusive(why));
        }
    }
    Some(of_all(verdicts.into_iter(), "no webhook could be registered", "deliveries"))
}
