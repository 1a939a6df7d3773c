//! Answers to deliveries: statuses and forms.
//!
//! Invariant: each answer goes to the deliveries of one record, whatever else is in flight.

use futures_util::FutureExt as _;

use crate::subject::SubjectError;
use crate::subject::capability::Capability;
use crate::suite::scenario::{Play, Scenario, Turn};
use crate::suite::sender::stage::{NewWebhook, Purpose, SenderStage};
use crate::suite::transcript::{AnswerForm, Conduct, MOVED, ScenarioName};
use crate::wire::endpoint::scripted::{Answer, Before, Manner, Script};

/// Every status that acknowledges.
pub const ACKNOWLEDGED: Scenario = Scenario {
    name: ScenarioName("acknowledged"),
    sends: "an endpoint that answers each event with a different status from 200 to 299",
    needs: None,
    turn: Turn::Usual,
    play: Play::Sender(|stage| stage.acknowledged().boxed_local()),
};

/// Statuses that do not acknowledge.
pub const NOT_ACKNOWLEDGED: Scenario = Scenario {
    name: ScenarioName("not-acknowledged"),
    sends: "an endpoint that answers with client errors and server errors",
    needs: None,
    turn: Turn::Usual,
    play: Play::Sender(|stage| stage.not_acknowledged().boxed_local()),
};

/// Redirects.
pub const REDIRECTED: Scenario = Scenario {
    name: ScenarioName("redirected"),
    sends: "an endpoint that answers with redirects, to another host and to itself",
    needs: None,
    turn: Turn::Last,
    play: Play::Sender(|stage| stage.redirected().boxed_local()),
};

/// Answers of 200 in several forms.
pub const ANSWER_FORMS: Scenario = Scenario {
    name: ScenarioName("answer-forms"),
    sends: "an endpoint that answers 200 with an empty body, 4 MiB, a body that is not JSON or an error \
            message, or after 100, 102 and 103; and an endpoint that answers before it has read the body",
    needs: None,
    turn: Turn::Usual,
    play: Play::Sender(|stage| stage.answer_forms().boxed_local()),
};

/// Client and server errors. The rate limits come last: a sender may send less after them.
const NOT_ACKNOWLEDGING: &[u16] = &[400, 401, 403, 404, 405, 409, 413, 422, 500, 502, 504, 503, 429];

const REDIRECTING: &[u16] = &[300, 301, 302, 303, 304, 307, 308];

/// The longest body of an answer.
const LARGE_BODY: usize = 4 * 1024 * 1024;
const JSON: &str = "application/json";

/// A 200 with a usual body.
pub(crate) fn plain() -> Answer {
    Answer::status(200).body(JSON, "{\"received\":true}")
}

/// The targets of redirects.
#[derive(Default)]
struct RedirectTargets<'a> {
    another_host: &'a str,
    itself: &'a str,
}

/// The answer of that status and form to a record's deliveries.
fn answer(status: u16, form: AnswerForm, record_id: &str, targets: &RedirectTargets<'_>) -> Answer {
    let mut answer = plain();
    answer.response.status = status;
    match form {
        AnswerForm::Plain => answer,
        AnswerForm::Endless => Answer { manner: Manner::Endless, ..answer },
        AnswerForm::ToAnotherHost => {
            answer.header("Location", format!("{}{record_id}", targets.another_host))
        }
        AnswerForm::ToItself => answer.header("Location", format!("{}{record_id}", targets.itself)),
        AnswerForm::Body("an empty body") => Answer::status(status),
        AnswerForm::Body("a body of 4 MiB") => answer.body(JSON, format!("\"{}\"", "x".repeat(LARGE_BODY))),
        AnswerForm::Body("a body that is not JSON") => answer.body(JSON, "<!DOCTYPE html><title>ok</title>"),
        AnswerForm::Body(_) => {
            answer.body(JSON, "{\"success\":false,\"statusCode\":500,\"error\":\"Internal Server Error\"}")
        }
        AnswerForm::Interim("100") => Answer { interim: vec![100], ..answer },
        AnswerForm::Interim("102") => Answer { interim: vec![102], ..answer },
        AnswerForm::Interim("103") => Answer { interim: vec![103], ..answer },
        AnswerForm::Interim(_) => Answer { interim: vec![102, 103, 103], ..answer },
    }
}

/// The forms of answers in the scenario `answer-forms`.
const FORMS: &[AnswerForm] = &[
    AnswerForm::Plain,
    AnswerForm::Body("an empty body"),
    AnswerForm::Body("a body of 4 MiB"),
    AnswerForm::Body("a body that is not JSON"),
    AnswerForm::Body("a body that reports an error"),
    AnswerForm::Interim("100"),
    AnswerForm::Interim("102"),
    AnswerForm::Interim("103"),
    AnswerForm::Interim("102, 103 and 103"),
];

/// These answers after one that acknowledges. It shows that outcomes are reported at all.
fn and_one_acknowledged(answers: impl Iterator<Item = (u16, AnswerForm)>) -> Vec<(u16, AnswerForm)> {
    [(200, AnswerForm::Plain)].into_iter().chain(answers).collect()
}

impl SenderStage<'_> {
    async fn acknowledged(&mut self) -> Result<(), SubjectError> {
        let scenario = ACKNOWLEDGED.name;
        self.register(scenario).await?;
        let answers: Vec<(u16, AnswerForm)> = (200..=299).map(|status| (status, AnswerForm::Plain)).collect();
        self.emit_for_each(scenario, &answers, &RedirectTargets::default()).await?;
        // An acknowledged delivery is settled at once.
        self.settle([(0, self.record_ids(scenario))], self.transcript.limits.timeout).await?;
        self.watch_meanwhile(None);
        Ok(())
    }

    async fn not_acknowledged(&mut self) -> Result<(), SubjectError> {
        let scenario = NOT_ACKNOWLEDGED.name;
        self.register(scenario).await?;
        let answers: Vec<(u16, AnswerForm)> =
            and_one_acknowledged(NOT_ACKNOWLEDGING.iter().map(|&status| (status, AnswerForm::Plain)));
        self.emit_for_each(scenario, &answers, &RedirectTargets::default()).await?;
        // A delivery that may be retried later is not settled, so the wait ends at the deadline.
        self.settle([(0, self.record_ids(scenario))], self.transcript.limits.deadline).await
    }

    async fn redirected(&mut self) -> Result<(), SubjectError> {
        let scenario = REDIRECTED.name;
        let endpoint = self.endpoint(Conduct::Answers).await?;
        self.register(scenario).await?;
        let another_host = endpoint.url_by_name(MOVED).await;
        let itself = self.registered[0].endpoint.url(MOVED);
        let forms =
            |&status: &u16| [(status, AnswerForm::ToAnotherHost), (status, AnswerForm::ToItself)].into_iter();
        let answers = and_one_acknowledged(REDIRECTING.iter().flat_map(forms));
        let targets = RedirectTargets { another_host: &another_host, itself: &itself };
        self.emit_for_each(scenario, &answers, &targets).await?;
        self.settle([(0, self.record_ids(scenario))], self.transcript.limits.deadline).await?;
        if !self.declares(Capability::Outcomes) {
            // Without outcomes nothing tells whether it is still following a redirect.
            self.watch_until(&endpoint, |received| !received.is_empty()).await;
        }
        for received in endpoint.received() {
            self.record_arrival(None, received);
        }
        Ok(())
    }

    async fn answer_forms(&mut self) -> Result<(), SubjectError> {
        let scenario = ANSWER_FORMS.name;
        self.register(scenario).await?;
        self.register_as(scenario, NewWebhook::signed().at(Conduct::AnswersEarly)).await?;
        self.registered[1].endpoint.follow(Script::before(Before::Answers(plain())));
        let answers: Vec<(u16, AnswerForm)> = FORMS.iter().map(|&form| (200, form)).collect();
        self.emit_for_each(scenario, &answers, &RedirectTargets::default()).await?;
        let ids = self.record_ids(scenario);
        self.settle([(0, ids.clone()), (1, ids)], self.patience()).await?;
        self.watch_meanwhile(None);
        Ok(())
    }

    /// Emits one event for each answer. The webhook that was registered first gives the answers.
    async fn emit_for_each(
        &mut self,
        scenario: ScenarioName,
        answers: &[(u16, AnswerForm)],
        targets: &RedirectTargets<'_>,
    ) -> Result<(), SubjectError> {
        self.emit_first(scenario).await?;
        let sample = self.plain_event();
        let ids: Vec<String> = answers.iter().map(|_| self.record_id()).collect();
        let script = |(id, &(status, form)): (&String, &(u16, AnswerForm))| {
            (id.clone(), vec![answer(status, form, id, targets)])
        };
        self.registered[0].endpoint.follow(Script {
            by_record: ids.iter().zip(answers).map(script).collect(),
            by_target: vec![(MOVED.to_owned(), Answer::status(200))],
            ..Script::default()
        });
        let event = |(id, &(status, form)): (String, &(u16, AnswerForm))| {
            (sample.with_id(&id), id, Purpose::Answered(status, form))
        };
        let events = ids.into_iter().zip(answers).map(event).collect();
        self.emit_together(scenario, events).await?;
        self.wait_for_all().await;
        Ok(())
    }
}
