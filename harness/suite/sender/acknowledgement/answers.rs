//! The checks on answers: their statuses, their forms, and redirects.
//!
//! Invariant: a form of answer speaks against a sender only where the plain answer of that status is taken rightly.

use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Evidence, Verdict};
use crate::suite::sender::scenarios::{ACKNOWLEDGED, ANSWER_FORMS, HTTPS, NOT_ACKNOWLEDGED};
use crate::suite::transcript::{
    Capability, Conduct, Emission, Form, MOVED, ScenarioName, Settled, Transcript,
};
use crate::wire::exchange::ExchangeId;

/// The attempts at an event's delivery in a scenario, at the webhook that was registered first, and what the sender reports
/// of it.
fn delivered<'a>(t: &'a Transcript, emission: &Emission) -> (Vec<ExchangeId>, Option<&'a Settled>) {
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
fn answered(t: &Transcript, scenario: ScenarioName) -> impl Iterator<Item = &Emission> {
    t.emissions_of(scenario).filter(|emission| !emission.first)
}

/// What is wrong with how an acknowledgement was taken, as (actual, message); `Err` where that does not tell.
fn misread_acknowledgement(
    t: &Transcript,
    what: &str,
    deliveries: &[ExchangeId],
    settled: Option<&Settled>,
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

/// ACK-1.
pub(super) fn acknowledged(t: &Transcript) -> Verdict {
    let judge = |emission: &Emission| {
        let (status, (deliveries, settled)) = (emission.answer, delivered(t, emission));
        let (actual, message) = match misread_acknowledgement(t, &status.to_string(), &deliveries, settled) {
            Ok(Some(wrong)) => wrong,
            Ok(None) => return Verdict::Pass,
            Err(unclear) => return unclear,
        };
        let again = deliveries.len() > 1 && settled.is_some_and(|settled| settled.delivered);
        let cause = if again && status == 200 {
            // Even the plainest acknowledgement is followed by a copy: it is not the status that is misread.
            Cause::detailed(Code::SendOncePerWebhook, "more than once")
        } else {
            Cause::detailed(Code::SendAckStatus, status.to_string())
        };
        let evidence = Evidence::new("delivered, and not sent again", actual, message);
        evidence.shown_by(deliveries).because(cause).fail()
    };
    of_statuses(t, ACKNOWLEDGED.name, judge)
}

/// ACK-1, at the endpoint behind HTTPS whose certificate is good. That nothing came there is for DLV-2 to say.
pub(super) fn acknowledged_over_https(t: &Transcript) -> Option<Verdict> {
    t.arrivals_in(HTTPS.name).next()?;
    let judge = |emission: &Emission| {
        let (deliveries, settled) = delivered(t, emission);
        match misread_acknowledgement(t, "200", &deliveries, settled) {
            Ok(None) => Verdict::Pass,
            Err(unclear) => unclear,
            Ok(Some((actual, message))) => {
                let cause = Cause::detailed(Code::SendAckStatus, "200 over HTTPS");
                let evidence = Evidence::new("delivered, and not sent again", actual, message);
                evidence.shown_by(deliveries).because(cause).fail()
            }
        }
    };
    Some(of_all(answered(t, HTTPS.name).map(judge), "no event could be emitted", "deliveries"))
}

/// ACK-2.
pub(super) fn not_acknowledged(t: &Transcript) -> Verdict {
    // Only settled deliveries are listed: one that is to be sent again later is not. That outcomes are listed at all is
    // shown by the one that was acknowledged.
    let mut all = answered(t, NOT_ACKNOWLEDGED.name);
    let shows_outcomes = all.any(|emission| {
        emission.answer == 200 && delivered(t, emission).1.is_some_and(|settled| settled.delivered)
    });
    let judge = |emission: &Emission| {
        let (status, (deliveries, settled)) = (emission.answer, delivered(t, emission));
        match (deliveries.is_empty(), settled) {
            _ if (200..300).contains(&status) => {
                Verdict::NotApplicable("it is there to be acknowledged".to_owned())
            }
            (true, _) => {
                Verdict::Inconclusive(format!("the delivery that {status} was meant for did not arrive"))
            }
            (false, None) if shows_outcomes => Verdict::Pass,
            (false, None) => Verdict::Inconclusive("no outcome is reported of any delivery".to_owned()),
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
    };
    of_statuses(t, NOT_ACKNOWLEDGED.name, judge)
}

/// One verdict on all statuses of a scenario, with every one that was misread in its cause's detail, as ranges: `201-299`.
fn of_statuses(t: &Transcript, scenario: ScenarioName, judge: impl Fn(&Emission) -> Verdict) -> Verdict {
    let verdicts: Vec<(u16, Verdict)> =
        answered(t, scenario).map(|emission| (emission.answer, judge(emission))).collect();
    let failed = verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Fail(_)));
    let misread = ranges(failed.map(|(status, _)| *status).collect());
    let statuses = verdicts.into_iter().map(|(_, verdict)| verdict);
    let mut verdict = of_all(statuses, "no event could be emitted", "statuses");
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

/// ACK-5 and ACK-7: answers of 200 in the wanted forms, and where `early` is set the one that comes before its time.
pub(super) fn in_forms(t: &Transcript, wanted: fn(Form) -> bool, early: bool) -> Verdict {
    let Some(plain) = answered(t, ANSWER_FORMS.name).find(|emission| emission.form == Form::Plain) else {
        return Verdict::Inconclusive("no event could be emitted".to_owned());
    };
    let (deliveries, settled) = delivered(t, plain);
    match misread_acknowledgement(t, "200", &deliveries, settled) {
        Ok(None) => {}
        Ok(Some((_, message))) => return Verdict::Inconclusive(format!("{message} (see ACK-1)")),
        Err(unclear) => return unclear,
    }
    let mut misread = Vec::new();
    let mut judge = |what: String, deliveries: Vec<ExchangeId>, settled| {
        let (actual, message) = match misread_acknowledgement(t, &what, &deliveries, settled) {
            Ok(Some(wrong)) => wrong,
            Ok(None) => return Verdict::Pass,
            Err(unclear) => return unclear,
        };
        let cause = Cause::detailed(Code::SendAckStatus, what.as_str());
        misread.push(what);
        let evidence = Evidence::new("delivered, and not sent again", actual, message);
        evidence.shown_by(deliveries).because(cause).fail()
    };
    let mut verdicts = Vec::new();
    for emission in answered(t, ANSWER_FORMS.name).filter(|emission| wanted(emission.form)) {
        let (deliveries, settled) = delivered(t, emission);
        verdicts.push(judge(words(emission.form), deliveries, settled));
    }
    let mut webhooks = t.webhooks_of(ANSWER_FORMS.name);
    let answers_early = webhooks.find(|(_, webhook)| webhook.conduct == Conduct::AnswersEarly);
    if let Some((webhook, _)) = answers_early.filter(|_| early) {
        let what = "200 before the body had been read".to_owned();
        verdicts.push(judge(what, t.deliveries(webhook, plain), t.settled_of(webhook, plain)));
    }
    let mut verdict = of_all(verdicts.into_iter(), "no event could be emitted", "forms of answer");
    if let Verdict::Fail(evidence) = &mut verdict
        && let Some(cause) = &mut evidence.cause
    {
        cause.detail = Some(misread.join(", "));
    }
    verdict
}

/// A form of a 200, for people.
fn words(form: Form) -> String {
    match form {
        Form::Body(body) => format!("200 with {body}"),
        Form::Interim(statuses) => format!("200 behind {statuses}"),
        Form::Plain | Form::ToAnotherHost | Form::ToItself => "200".to_owned(),
    }
}

/// ACK-8.
pub(super) fn redirects(t: &Transcript) -> Verdict {
    let redirected = answered(t, NOT_ACKNOWLEDGED.name)
        .filter(|one| matches!(one.form, Form::ToAnotherHost | Form::ToItself));
    let verdicts = redirected.map(|emission| {
        let (status, (deliveries, settled)) = (emission.answer, delivered(t, emission));
        if deliveries.is_empty() {
            return Verdict::Inconclusive(format!("the delivery that {status} was meant for did not arrive"));
        }
        let carries = |at: &usize| t.emissions[*at].record_id == emission.record_id;
        let followed = t.arrivals.iter().find_map(|arrival| {
            let exchange = t.exchange(arrival.exchange);
            let there = exchange.delivery.target.starts_with(MOVED) && arrival.carries.iter().any(carries);
            there.then_some((arrival.webhook.is_none(), exchange))
        });
        let Some((elsewhere, exchange)) = followed else { return Verdict::Pass };
        let method = &exchange.delivery.method;
        let counts = settled.is_some_and(|settled| settled.delivered);
        let (detail, message) = if elsewhere {
            let message =
                format!("a delivery that was answered {status} went on to another host, by {method}");
            (format!("to another host, by {method}"), message)
        } else if method != "POST" && counts {
            let message =
                format!("a delivery that was answered {status} became a {method} that counts as delivered");
            (format!("a {method} that counts as delivered"), message)
        } else {
            return Verdict::Pass;
        };
        Evidence::new("not followed", format!("followed by {method}"), message)
            .shown_by(deliveries.into_iter().chain([exchange.id]))
            .because(Cause::detailed(Code::SendRedirect, detail))
            .fail()
    });
    of_all(verdicts, "no event could be emitted", "redirects")
}
