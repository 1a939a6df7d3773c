//! What a sender makes of the answers to its deliveries.
//!
//! Invariant: each answer is given to one record's deliveries, whatever else is under way.

use std::time::Duration;

use super::{Kind, Stage, Wanted};
use crate::subject::SubjectError;
use crate::suite::sender::scenarios::{ACKNOWLEDGED, ANSWER_FORMS, NOT_ACKNOWLEDGED};
use crate::suite::transcript::{Conduct, Form, MOVED, ScenarioName};
use crate::wire::endpoint::scripted::{Answer, Before, Manner, Script};

/// Statuses outside 200 to 299, a sample of each class.
const NOT_ACKNOWLEDGING: &[u16] =
    &[300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 502, 503, 504];

/// The longest body of an answer.
const LARGE_BODY: usize = 4 * 1024 * 1024;
const JSON: &str = "application/json";

/// A 200 with a body as endpoints have it.
pub(crate) fn plain() -> Answer {
    Answer::status(200).body(JSON, "{\"received\":true}")
}

/// Where redirects lead to.
struct Elsewhere<'a> {
    another_host: &'a str,
    itself: &'a str,
}

/// The answer of that status and form to a record's deliveries.
fn answer(status: u16, form: Form, record_id: &str, elsewhere: &Elsewhere<'_>) -> Answer {
    let mut answer = plain();
    answer.response.status = status;
    match form {
        Form::Plain => answer,
        Form::ToAnotherHost => answer.header("Location", format!("{}{record_id}", elsewhere.another_host)),
        Form::ToItself => answer.header("Location", format!("{}{record_id}", elsewhere.itself)),
        Form::Body("an empty body") => Answer::status(status),
        Form::Body("a body of 4 MiB") => answer.body(JSON, format!("\"{}\"", "x".repeat(LARGE_BODY))),
        Form::Body("a body without end") => Answer { manner: Manner::Endless, ..answer },
        Form::Body("a body that is no JSON") => answer.body(JSON, "<!DOCTYPE html><title>ok</title>"),
        Form::Body(_) => {
            answer.body(JSON, "{\"success\":false,\"statusCode\":500,\"error\":\"Internal Server Error\"}")
        }
        Form::Interim("100") => Answer { interim: vec![100], ..answer },
        Form::Interim("102") => Answer { interim: vec![102], ..answer },
        Form::Interim("103") => Answer { interim: vec![103], ..answer },
        Form::Interim(_) => Answer { interim: vec![102, 103, 103], ..answer },
    }
}

/// The forms of answers that the scenario of that name has.
const FORMS: &[Form] = &[
    Form::Plain,
    Form::Body("an empty body"),
    Form::Body("a body of 4 MiB"),
    Form::Body("a body without end"),
    Form::Body("a body that is no JSON"),
    Form::Body("a body that speaks of an error"),
    Form::Interim("100"),
    Form::Interim("102"),
    Form::Interim("103"),
    Form::Interim("102, 103 and 103"),
];

impl Stage<'_> {
    pub(crate) async fn acknowledged(&mut self) -> Result<(), SubjectError> {
        let scenario = ACKNOWLEDGED.name;
        self.register(scenario).await?;
        let answers: Vec<(u16, Form)> = (200..=299).map(|status| (status, Form::Plain)).collect();
        let elsewhere = Elsewhere { another_host: "", itself: "" };
        self.answered_each_in_its_way(scenario, &answers, &elsewhere).await?;
        self.watch().await;
        // What was acknowledged is settled then and there.
        self.settle([(0, self.record_ids(scenario))], self.transcript.limits.timeout).await
    }

    pub(crate) async fn not_acknowledged(&mut self) -> Result<(), SubjectError> {
        let scenario = NOT_ACKNOWLEDGED.name;
        let endpoint = self.endpoint(Conduct::Answers).await?;
        self.register(scenario).await?;
        let another_host = endpoint.url_by_name(MOVED).await;
        let itself = self.registered[0].endpoint.url(MOVED);
        let forms = |&status: &u16| match status {
            300..400 => vec![(status, Form::ToAnotherHost), (status, Form::ToItself)],
            _ => vec![(status, Form::Plain)],
        };
        // One that is acknowledged shows that outcomes are reported at all.
        let answers: Vec<(u16, Form)> =
            [(200, Form::Plain)].into_iter().chain(NOT_ACKNOWLEDGING.iter().flat_map(forms)).collect();
        let elsewhere = Elsewhere { another_host: &another_host, itself: &itself };
        self.answered_each_in_its_way(scenario, &answers, &elsewhere).await?;
        // What was not acknowledged may be sent again later, and is then not settled: it is not waited for any longer.
        self.settle([(0, self.record_ids(scenario))], self.transcript.limits.deadline).await?;
        for received in endpoint.received() {
            self.take(None, received);
        }
        Ok(())
    }

    pub(crate) async fn answer_forms(&mut self) -> Result<(), SubjectError> {
        let scenario = ANSWER_FORMS.name;
        self.register(scenario).await?;
        let early = Wanted::with_secret(self.random.secret());
        self.register_as(scenario, Wanted { conduct: Conduct::AnswersEarly, ..early }).await?;
        self.registered[1].endpoint.follow(Script::before(Before::Answers(plain())));
        let answers: Vec<(u16, Form)> = FORMS.iter().map(|&form| (200, form)).collect();
        let elsewhere = Elsewhere { another_host: "", itself: "" };
        self.answered_each_in_its_way(scenario, &answers, &elsewhere).await?;
        self.watch().await;
        let ids = self.record_ids(scenario);
        self.settle([(0, ids.clone()), (1, ids)], self.patience()).await
    }

    /// One event for each answer, all of which the webhook that was registered first gets.
    async fn answered_each_in_its_way(
        &mut self,
        scenario: ScenarioName,
        answers: &[(u16, Form)],
        elsewhere: &Elsewhere<'_>,
    ) -> Result<(), SubjectError> {
        self.first(scenario).await?;
        let sample = self.sample("person.updated");
        let ids: Vec<String> = answers.iter().map(|_| self.random.uuid()).collect();
        let script = |(id, &(status, form)): (&String, &(u16, Form))| {
            (id.clone(), vec![answer(status, form, id, elsewhere)])
        };
        self.registered[0].endpoint.follow(Script {
            by_record: ids.iter().zip(answers).map(script).collect(),
            by_target: vec![(MOVED.to_owned(), Answer::status(200))],
            ..Script::default()
        });
        for (id, &(status, form)) in ids.into_iter().zip(answers) {
            self.emit_as(scenario, &sample, id, Kind::Answered(status, form)).await?;
        }
        self.wait_for_all().await;
        Ok(())
    }

    /// How long a sender is waited for that itself waits for what never comes.
    pub(crate) fn patience(&self) -> Duration {
        let limits = self.transcript.limits;
        limits.timeout.max(limits.deadline)
    }
}
