//! The checks on what a sender makes of no answer, and how long it waits for one.
//!
//! Invariant: what the sender did at an endpoint in trouble counts only beside what it did at the one that is well.

use std::time::Duration;

use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Evidence, Verdict};
use crate::suite::sender::scenarios::{BAD_CERTIFICATES, UNANSWERED};
use crate::suite::transcript::{Arrival, Capability, Conduct, Emission, Transcript};

/// A wait that was ended sooner than this was not a second long. A sender's clock starts a little before ours.
const SHORTEST_WAIT: Duration = Duration::from_millis(900);

/// The webhooks at endpoints of some conduct.
fn webhooks(t: &Transcript, wanted: impl Fn(Conduct) -> bool) -> Vec<(usize, Conduct)> {
    let all = t.webhooks_of(UNANSWERED.name).map(|(index, webhook)| (index, webhook.conduct));
    all.filter(|(_, conduct)| wanted(*conduct)).collect()
}

/// The events that meet an endpoint's conduct: all but the one behind the registration.
fn met(t: &Transcript, webhook: usize) -> impl Iterator<Item = &Emission> {
    t.emissions_to(webhook).filter(|emission| !emission.first && emission.unsupported.is_none())
}

/// ACK-3.
pub(super) fn not_acknowledged(t: &Transcript) -> Verdict {
    let all_well = webhooks(t, |conduct| conduct == Conduct::Answers);
    let (Some(&(well, _)), Some(&(last, _))) = (all_well.first(), all_well.last()) else {
        return Verdict::Inconclusive("no webhook could be registered".to_owned());
    };
    let reports = t.capabilities.contains(&Capability::Outcomes);
    let mut misread: Vec<&str> = Vec::new();
    let mut verdicts = Vec::new();
    for (webhook, conduct) in webhooks(t, Conduct::is_silent) {
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
                _ if stopped(t, last, conduct, emission, &attempts, seen_before) => {
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
                // It is not over, or was begun anew: either way nothing was taken for an acknowledgement.
                None if attempts.len() > 1 || !reports || is_well => Verdict::Pass,
                // Behind the first one the sender may still be waiting for the answer to that.
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
    well: usize,
    conduct: Conduct,
    emission: &Emission,
    attempts: &[&Arrival],
    seen_before: bool,
) -> bool {
    let kept = t.webhooks_of(UNANSWERED.name).all(|(_, webhook)| !webhook.overflowed);
    let visible = conduct.sees_requests() && conduct != Conduct::Hangs && kept;
    let reached_the_well = || !t.attempts(well, emission).is_empty();
    visible && attempts.is_empty() && seen_before && emission.awaited && reached_the_well()
}

/// ACK-3, where the answer is missing because the sender did not take the certificate.
pub(super) fn bad_certificates(t: &Transcript) -> Option<Verdict> {
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

/// ACK-6.
pub(super) fn waits(t: &Transcript) -> Verdict {
    let verdicts =
        webhooks(t, |conduct| matches!(conduct, Conduct::Hangs | Conduct::AnswersLate | Conduct::Drips));
    let verdicts = verdicts.into_iter().map(|(webhook, conduct)| match conduct {
        Conduct::Hangs => gives_up(t, webhook),
        _ => waits_long_enough(t, webhook, conduct),
    });
    of_all(verdicts, "no webhook could be registered", "endpoints")
}

/// How long the answer that never comes is waited for.
fn gives_up(t: &Transcript, webhook: usize) -> Verdict {
    let attempts: Vec<&Arrival> =
        met(t, webhook).flat_map(|emission| t.attempts(webhook, emission)).collect();
    let Some(first) = attempts.first() else {
        return Verdict::Inconclusive("nothing reached the endpoint that hangs".to_owned());
    };
    let waited = |arrival: &&&Arrival| arrival.traits.let_go;
    let bound = format!("between 1 s and {:.1} s", t.limits.timeout.as_secs_f64());
    let shortest = attempts.iter().filter_map(|arrival| Some((waited(&arrival)?, arrival.exchange))).min();
    match shortest {
        Some((wait, exchange)) if wait < SHORTEST_WAIT => {
            let wait = format!("{} ms", wait.as_millis());
            let message = format!("an answer was waited for no longer than {wait}");
            Evidence::new(bound, wait, message)
                .shown_by([exchange])
                .because(Cause::detailed(Code::SendAckStatus, "no answer within a second"))
                .fail()
        }
        Some((wait, _)) if wait <= t.limits.timeout => Verdict::Pass,
        _ => {
            let at_ms = t.exchange(first.exchange).at_ms;
            let watched = Duration::from_millis(t.webhooks[webhook].watched_until_ms.saturating_sub(at_ms));
            if watched < t.limits.timeout {
                return Verdict::Inconclusive(format!(
                    "it was watched for {:.1} s only",
                    watched.as_secs_f64()
                ));
            }
            let still = format!("still waiting after {:.1} s", watched.as_secs_f64());
            let message = format!("an answer that never comes is waited for without end: {still}");
            Evidence::new(bound, still, message)
                .shown_by([first.exchange])
                .because(Cause::detailed(Code::SendBlocked, "by an answer that never comes"))
                .fail()
        }
    }
}

/// Whether an answer that takes a little less than a second is waited for.
fn waits_long_enough(t: &Transcript, webhook: usize, conduct: Conduct) -> Verdict {
    let Some(emission) = met(t, webhook).next() else {
        return Verdict::Inconclusive("no event could be emitted".to_owned());
    };
    let attempts = t.attempts(webhook, emission);
    let Some(first) = attempts.first() else {
        return Verdict::Inconclusive(format!("no delivery arrived that {}", conduct.what_became()));
    };
    let settled = t.settled_of(webhook, emission);
    // What the sender reports comes first: one that has read enough may close the connection in the middle of the answer.
    let (actual, what) = match (settled, first.traits.let_go) {
        (Some(settled), _) if settled.delivered => return Verdict::Pass,
        (Some(_), _) => ("reported as not delivered".to_owned(), "is reported as not delivered"),
        (None, Some(wait)) => (format!("given up after {} ms", wait.as_millis()), "was given up before that"),
        (None, None) => return Verdict::Pass,
    };
    let message = format!("a delivery that {} within a second {what}", conduct.what_became());
    Evidence::new("delivered", actual, message)
        .shown_by(attempts.iter().map(|arrival| arrival.exchange))
        .because(Cause::detailed(Code::SendAckStatus, format!("200, {}", conduct.as_str())))
        .fail()
}
