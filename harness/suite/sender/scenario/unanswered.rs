//! Endpoints that end connections instead of answering, answer late, or fail, next to working ones.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::answers::plain;
use crate::subject::SubjectError;
use crate::suite::scenario::{Play, Scenario, Turn};
use crate::suite::sender::stage::{NewWebhook, Purpose, SenderStage};
use crate::suite::transcript::{AnswerForm, Conduct, ScenarioName};
use crate::wire::coding::record_ids;
use crate::wire::endpoint::scripted::{Answer, Before, Manner, Received, Script};

/// Endpoints that give no whole answer, answer late, or fail.
pub const UNANSWERED: Scenario = Scenario {
    name: ScenarioName("unanswered"),
    sends: "endpoints that refuse, close, reset during the request, cut off the status line or the headers, answer \
            late, byte by byte, always 500, or 500 twice; next to working endpoints",
    needs: None,
    turn: Turn::Last,
    play: Play::Sender(|stage| stage.unanswered().boxed_local()),
};

/// How long a late answer takes: less than the second that a sender must wait.
const LATE: Duration = Duration::from_millis(800);
/// How long an answer byte by byte takes.
const DRIPPING: Duration = Duration::from_millis(600);

/// The endpoints that are registered after the first working one. Another working one comes last: a sender that delivers in order has
/// reached all the others before it.
const OTHER_ENDPOINTS: &[Conduct] = &[
    Conduct::Refuses,
    Conduct::ClosesAtOnce,
    Conduct::Closes,
    Conduct::Resets,
    Conduct::CutsStatusLine,
    Conduct::CutsHeaders,
    Conduct::AnswersLate,
    Conduct::Drips,
    Conduct::Fails,
    Conduct::FailsTwice,
    Conduct::Answers,
];

/// What an endpoint does. Endpoints that answer do so in an unusual way for one record only.
fn script(conduct: Conduct, record_id: &str) -> Script {
    let always = |manner| Script::always(Answer { manner, ..plain() });
    let for_record = |answers: Vec<Answer>| Script {
        by_record: [(record_id.to_owned(), answers)].into(),
        ..Script::always(plain())
    };
    match conduct {
        Conduct::Answers
        | Conduct::AnswersEarly
        | Conduct::ClosesIdle
        | Conduct::ResetsIdle
        | Conduct::Refuses
        | Conduct::Hangs
        | Conduct::AnswersWithoutEnd
        | Conduct::Secured(_) => Script::always(plain()),
        Conduct::ClosesAtOnce => Script::before(Before::Closes),
        Conduct::Closes => always(Manner::Closes),
        Conduct::Resets => Script::before(Before::Resets),
        Conduct::CutsStatusLine => always(Manner::CutInStatusLine),
        Conduct::CutsHeaders => always(Manner::CutInHeaders),
        Conduct::AnswersLate => for_record(vec![Answer { delay: LATE, ..plain() }]),
        Conduct::Drips => for_record(vec![Answer { manner: Manner::Dripped(DRIPPING), ..plain() }]),
        Conduct::Fails => for_record(vec![Answer::status(500)]),
        Conduct::FailsTwice => for_record(vec![Answer::status(500), Answer::status(500), plain()]),
    }
}

impl SenderStage<'_> {
    async fn unanswered(&mut self) -> Result<(), SubjectError> {
        let scenario = UNANSWERED.name;
        let sample = self.plain_event();
        // Shows how soon a delivery arrives while every endpoint works.
        self.register(scenario).await?;
        self.emit_first(scenario).await?;
        self.emit(scenario, &sample, Purpose::Sample).await?;
        self.wait_for_all().await;
        let unanswered = self.record_id();
        // Each webhook at a CRM costs two calls, and an endpoint that fails twice shows a retry too.
        let is_needed = |one: &&Conduct| self.crm().is_none() || **one != Conduct::Fails;
        let others: Vec<Conduct> = OTHER_ENDPOINTS.iter().filter(is_needed).copied().collect();
        for &conduct in &others {
            self.register_as(scenario, NewWebhook::signed().at(conduct)).await?;
        }
        self.emit_first(scenario).await?;
        self.wait_for_all().await;
        for (registered, &conduct) in self.registered[1..].iter().zip(&others) {
            registered.endpoint.follow(script(conduct, &unanswered));
        }
        self.emit_as(scenario, &sample, unanswered.clone(), Purpose::Answered(200, AnswerForm::Plain))
            .await?;
        self.wait_for_all().await;
        // Gives the sender time to give up on a webhook after a failed delivery.
        let failing: Vec<usize> =
            (1..).zip(&others).filter(|(_, one)| one.is_silent()).map(|(at, _)| at).collect();
        let all_of = |ids: &[String]| failing.iter().map(|&at| (at, ids.to_vec())).collect::<Vec<_>>();
        self.settle(all_of(std::slice::from_ref(&unanswered)), self.transcript.limits.deadline).await?;
        let mut ids = vec![unanswered.clone()];
        let later: Vec<String> = (0..4).map(|_| self.record_id()).collect();
        self.emit_together(scenario, self.plain_events(&later)).await?;
        ids.extend(later);
        self.wait_for_all().await;
        // A sender that has sent nothing again by now does so only at once.
        let quiet = self.transcript.limits.quiet;
        self.watch_for(if self.has_sent_again() { quiet } else { quiet / 8 }).await;
        self.settle(all_of(&ids), self.transcript.limits.deadline).await?;
        let late = (1..).zip(&others).filter(|(_, one)| matches!(one, Conduct::AnswersLate | Conduct::Drips));
        let once = late.map(|(at, _)| at).chain([1]).map(|at| (at, vec![unanswered.clone()]));
        self.settle(once.chain([(0, ids)]), self.transcript.limits.deadline).await
    }

    /// Whether a request came again, with the same event.
    fn has_sent_again(&self) -> bool {
        let emitted: HashSet<String> = self.record_ids(UNANSWERED.name).into_iter().collect();
        let repeats = |received: &[Received]| {
            let mut seen = HashSet::new();
            let of_request = |one| HashSet::<String>::from_iter(record_ids(one));
            let mut ids = received.iter().flat_map(|one| of_request(&one.delivery));
            ids.any(|id| emitted.contains(&id) && !seen.insert(id))
        };
        self.registered.iter().any(|one| one.endpoint.look(repeats))
    }
}
