//! ACK-1 and ACK-2: which statuses acknowledge a delivery.

use super::outcome::{answered, delivered, misread_acknowledgement};
use crate::peers::fault::{Faults, SenderFault};
use crate::subject::capability::Capability;
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Unrecorded, Verdict};
use crate::suite::sender::judge::{and_over_https, first_scenario};
use crate::suite::sender::messages;
use crate::suite::sender::scenario::answers::{ACKNOWLEDGED, NOT_ACKNOWLEDGED, REDIRECTED};
use crate::suite::sender::scenario::https::HTTPS;
use crate::suite::transcript::{Emission, ScenarioName, Transcript};
use crate::wire::exchange::acknowledges;

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "ACK-1",
        title: "every 2xx acknowledges",
        binds: Binds::Sender(Recorded::Cannot(Unrecorded::Answers)),
        level: Level::Must,
        check_id: "sender/acknowledgement/2xx",
        text: "Every status from 200 to 299 acknowledges: the delivery is not sent again, and is reported as \
               delivered where outcomes are reported.",
        source: "D",
        why: "Endpoints answer 202 or 204 as often as 200. A sender that accepts only 200 repeats deliveries that were processed.",
        scenarios: &[&ACKNOWLEDGED, &HTTPS],
        needs: None,
        check: |requirement, t| and_over_https(t, acknowledged(requirement, t), acknowledged_over_https),
        counterexamples: Faults::Sender(&[
            SenderFault::ResentAfterAcknowledgement,
            SenderFault::Only200Acknowledges,
            SenderFault::OnlyCommon2xxAcknowledge,
            SenderFault::DeliveredTwice,
        ]),
    },
    Requirement {
        id: "ACK-2",
        title: "nothing else acknowledges",
        binds: Binds::Sender(Recorded::Cannot(Unrecorded::Answers)),
        level: Level::Must,
        check_id: "sender/acknowledgement/not-2xx",
        text: "A final status outside 200 to 299 does not acknowledge, redirects included.",
        source: "D",
        why: "A delivery that was answered by an error page or a login redirect was not processed.",
        scenarios: &[&NOT_ACKNOWLEDGED, &REDIRECTED],
        needs: Some(Capability::Outcomes),
        check: not_acknowledged,
        counterexamples: Faults::Sender(&[
            SenderFault::RedirectAcknowledges,
            SenderFault::RedirectFollowed,
            SenderFault::RedirectFollowedAsGet,
            SenderFault::ErrorsAcknowledge,
            SenderFault::ClientErrorsAcknowledge,
        ]),
    },
];

fn acknowledged(requirement: &Requirement, t: &Transcript) -> Verdict {
    let judge = |emission: &Emission| {
        let (status, (deliveries, settled)) = (emission.answer, delivered(t, emission));
        let (actual, message) = match misread_acknowledgement(t, &status.to_string(), &deliveries, settled) {
            Ok(Some(wrong)) => wrong,
            Ok(None) => return Verdict::Pass,
            Err(unclear) => return unclear,
        };
        let again = deliveries.len() > 1 && settled.is_some_and(|settled| settled.delivered);
        let cause = if again && status == 200 {
            // A copy follows even a plain 200, so the status is not what is misread.
            Cause::detailed(Code::SendOncePerWebhook, "more than once")
        } else {
            Cause::detailed(Code::SendAckStatus, status.to_string())
        };
        let evidence = Evidence::new(messages::delivered_once(), actual, message);
        evidence.shown_by(deliveries).because(cause).fail()
    };
    of_statuses(t, &[first_scenario(requirement)], judge)
}

/// The same at the HTTPS endpoint whose certificate is good. DLV-2 fails if nothing arrived there.
fn acknowledged_over_https(t: &Transcript) -> Option<Verdict> {
    t.arrivals_in(HTTPS.name).next()?;
    let judge = |emission: &Emission| {
        let (deliveries, settled) = delivered(t, emission);
        match misread_acknowledgement(t, "200", &deliveries, settled) {
            Ok(None) => Verdict::Pass,
            Err(unclear) => unclear,
            Ok(Some((actual, message))) => {
                let cause = Cause::detailed(Code::SendAckStatus, "200 over HTTPS");
                let evidence = Evidence::new(messages::delivered_once(), actual, message);
                evidence.shown_by(deliveries).because(cause).fail()
            }
        }
    };
    Some(of_all(answered(t, HTTPS.name).map(judge), messages::no_event_emitted(), "deliveries"))
}

fn not_acknowledged(requirement: &Requirement, t: &Transcript) -> Verdict {
    let scenarios: Vec<ScenarioName> = requirement.scenarios.iter().map(|scenario| scenario.name).collect();
    // Only settled deliveries are listed, and one that will be retried is not settled. The acknowledged delivery shows that
    // outcomes are listed at all.
    let mut all = scenarios.iter().flat_map(|scenario| answered(t, *scenario));
    let shows_outcomes = all.any(|emission| {
        emission.answer == 200 && delivered(t, emission).1.is_some_and(|settled| settled.delivered)
    });
    let judge = |emission: &Emission| {
        let (status, (deliveries, settled)) = (emission.answer, delivered(t, emission));
        match (deliveries.is_empty(), settled) {
            _ if acknowledges(status) => {
                Verdict::NotApplicable(messages::meant_to_be_acknowledged().to_owned())
            }
            (true, _) => Verdict::Inconclusive(messages::answered_not_arrived(status)),
            (false, None) if shows_outcomes => Verdict::Pass,
            (false, None) => Verdict::Inconclusive(messages::no_outcomes().to_owned()),
            (false, Some(settled)) if !settled.delivered => Verdict::Pass,
            (false, Some(_)) => {
                let redirect = (300..400).contains(&status);
                let code = if redirect { Code::SendRedirect } else { Code::SendAckStatus };
                let message = messages::failure_acknowledged(status);
                Evidence::new(messages::reported_not_delivered(), messages::reported_delivered(), message)
                    .shown_by(deliveries)
                    .because(Cause::detailed(code, status.to_string()))
                    .fail()
            }
        }
    };
    of_statuses(t, &scenarios, judge)
}

/// One verdict on all statuses of some scenarios. Its cause's detail lists every misread status in ranges: `201-299`.
fn of_statuses(t: &Transcript, scenarios: &[ScenarioName], judge: impl Fn(&Emission) -> Verdict) -> Verdict {
    let all = scenarios.iter().flat_map(|scenario| answered(t, *scenario));
    let verdicts: Vec<(u16, Verdict)> = all.map(|emission| (emission.answer, judge(emission))).collect();
    let failed = verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Fail(_)));
    let misread = ranges(failed.map(|(status, _)| *status).collect());
    let statuses = verdicts.into_iter().map(|(_, verdict)| verdict);
    let mut verdict = of_all(statuses, messages::no_event_emitted(), "statuses");
    if let Verdict::Fail(evidence) = &mut verdict
        && let Some(cause) = &mut evidence.cause
        && matches!(cause.code, Code::SendAckStatus | Code::SendRedirect)
    {
        cause.detail = Some(misread);
    }
    verdict
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
