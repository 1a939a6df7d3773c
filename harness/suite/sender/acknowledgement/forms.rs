//! ACK-5: only the status of an answer counts. ACK-7 shares how forms of answers are judged.
//!
//! Invariant: a form of answer counts against a sender only if it reads a plain answer with that status correctly.

use super::outcome::{answered, delivered, misread_acknowledgement};
use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Unrecorded, Verdict};
use crate::suite::sender::judge::first_scenario;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::answers::ANSWER_FORMS;
use crate::suite::transcript::{AnswerForm, Conduct, Transcript};
use crate::wire::exchange::ExchangeId;

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[Requirement {
    id: "ACK-5",
    title: "only the status counts",
    binds: Binds::Sender(Recorded::Cannot(Unrecorded::Answers)),
    level: Level::Should,
    check_id: "sender/acknowledgement/status-alone",
    text: "An empty, large, non-JSON or error-looking body under a 2xx is still an acknowledgement.",
    source: "D",
    why: "The documentation asks only for a status, and frameworks answer with all kinds of bodies.",
    scenarios: &[&ANSWER_FORMS],
    needs: None,
    check: |requirement, t| in_forms(requirement, t, |form| matches!(form, AnswerForm::Body(_)), true),
    counterexamples: Faults::Sender(&[
        SenderFault::AnswerMustBeJson,
        SenderFault::ErrorInAnswerIsFailure,
        SenderFault::LargeAnswerIsFailure,
    ]),
}];

/// One verdict on the answers of 200 in the wanted forms and, if `early` is set, on the answer before the body is read.
pub(super) fn in_forms(
    requirement: &Requirement,
    t: &Transcript,
    wanted: fn(AnswerForm) -> bool,
    early: bool,
) -> Verdict {
    let scenario = first_scenario(requirement);
    let Some(plain) = answered(t, scenario).find(|emission| emission.form == AnswerForm::Plain) else {
        return Verdict::Inconclusive(messages::no_event_emitted().to_owned());
    };
    let (deliveries, settled) = delivered(t, plain);
    match misread_acknowledgement(t, "200", &deliveries, settled) {
        Ok(None) => {}
        Ok(Some((_, message))) => return Verdict::Inconclusive(messages::plain_answer_misread(&message)),
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
        let evidence = Evidence::new(messages::delivered_once(), actual, message);
        evidence.shown_by(deliveries).because(cause).fail()
    };
    let mut verdicts = Vec::new();
    for emission in answered(t, scenario).filter(|emission| wanted(emission.form)) {
        let (deliveries, settled) = delivered(t, emission);
        verdicts.push(judge(words(emission.form), deliveries, settled));
    }
    let mut webhooks = t.webhooks_of(scenario);
    let answers_early = webhooks.find(|(_, webhook)| webhook.conduct == Conduct::AnswersEarly);
    if let Some((webhook, _)) = answers_early.filter(|_| early) {
        let what = messages::before_body_read().to_owned();
        verdicts.push(judge(what, t.deliveries(webhook, plain), t.settled_of(webhook, plain)));
    }
    let mut verdict = of_all(verdicts.into_iter(), messages::no_event_emitted(), "forms of answer");
    if let Verdict::Fail(evidence) = &mut verdict
        && let Some(cause) = &mut evidence.cause
    {
        cause.detail = Some(misread.join(", "));
    }
    verdict
}

/// A form of a 200 in words.
fn words(form: AnswerForm) -> String {
    match form {
        AnswerForm::Body(body) => messages::with_body(body),
        AnswerForm::Interim(statuses) => messages::after_interim(statuses),
        AnswerForm::Plain | AnswerForm::Endless | AnswerForm::ToAnotherHost | AnswerForm::ToItself => {
            "200".to_owned()
        }
    }
}
