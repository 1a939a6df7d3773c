//! Endpoints that may hold up everything: one that never answers, and one whose answer never ends, each between working ones.
//!
//! Invariant: they are the last, on webhooks of their own, and only a few deliveries stall. A sender that works through one queue
//! gets to the end of it.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tokio::time::Instant;

use super::answers::plain;
use crate::subject::SubjectError;
use crate::suite::scenario::{Play, Scenario, Turn};
use crate::suite::sender::stage::{NewWebhook, Purpose, SenderStage};
use crate::suite::transcript::{AnswerForm, Conduct, ScenarioName};
use crate::wire::coding::record_ids;
use crate::wire::endpoint::scripted::{Answer, Manner, Received, Script};

/// Endpoints whose answers never come, or never end.
pub const STALLED: Scenario = Scenario {
    name: ScenarioName("stalled"),
    sends: "an endpoint that does not answer two deliveries and, after that, one whose answer to a delivery never ends; between \
            working endpoints",
    needs: None,
    turn: Turn::Stalling,
    play: Play::Sender(|stage| stage.stalled().boxed_local()),
};

/// The endpoints that are registered after the first working one. Another working one comes last: a sender that delivers in order has
/// reached all the others before it.
const ENDPOINTS: [Conduct; 3] = [Conduct::Hangs, Conduct::AnswersWithoutEnd, Conduct::Answers];
/// How many deliveries hang. Where each holds up the next by the sender's wait, the one after them is late for certain.
const HANGING: usize = 2;
/// How many events follow the one whose answer never ends.
const AFTER_ENDLESS: usize = 3;
/// How much longer to wait than the checks want.
const MARGIN: Duration = Duration::from_millis(200);

impl SenderStage<'_> {
    async fn stalled(&mut self) -> Result<(), SubjectError> {
        let scenario = STALLED.name;
        // Shows how soon a delivery arrives while every endpoint works.
        self.register(scenario).await?;
        self.emit_first(scenario).await?;
        let event = self.planned(&self.plain_event());
        self.emit_together(scenario, vec![event]).await?;
        self.wait_for_all().await;
        for conduct in ENDPOINTS {
            self.register_as(scenario, NewWebhook::signed().at(conduct)).await?;
        }
        self.emit_first(scenario).await?;
        self.wait_for_all().await;
        let hung = self.hang().await?;
        self.answer_without_end(&hung).await
    }

    /// Lets deliveries hang, and emits one more event after them. Returns the records of those that hang: at once if they held up nothing, or
    /// else when nothing hangs any more.
    async fn hang(&mut self) -> Result<Vec<String>, SubjectError> {
        let mut ids: Vec<String> = (0..=HANGING).map(|_| self.record_id()).collect();
        let hangs = || vec![Answer { manner: Manner::Hangs, ..plain() }];
        self.registered[1].endpoint.follow(Script {
            by_record: ids[..HANGING].iter().map(|id| (id.clone(), hangs())).collect(),
            ..Script::always(plain())
        });
        let began = Instant::now();
        for (event, id, purpose) in self.plain_events(&ids) {
            self.emit_exactly(STALLED.name, event, id, purpose).await?;
        }
        self.wait_for_all_but_hanging().await;
        let deadline = self.transcript.limits.deadline;
        if began.elapsed() > deadline / 2 {
            let rest = deadline * 2 + self.patience();
            self.wait_until_given_up(1, &ids[..HANGING], Instant::now(), rest).await;
            self.wait_for_all().await;
        }
        ids.truncate(HANGING);
        Ok(ids)
    }

    /// Answers a delivery without end, and emits more events. Waits until the sender has given up on all that stalls.
    async fn answer_without_end(&mut self, hung: &[String]) -> Result<(), SubjectError> {
        let endless = self.record_id();
        self.registered[2].endpoint.follow(Script {
            by_record: [(endless.clone(), vec![Answer { manner: Manner::Endless, ..plain() }])].into(),
            ..Script::always(plain())
        });
        let mut ids = vec![endless.clone()];
        self.emit_as(STALLED.name, &self.plain_event(), endless, Purpose::Answered(200, AnswerForm::Endless))
            .await?;
        self.wait_for_all_but_hanging().await;
        let answered = Instant::now();
        let later: Vec<String> = (0..AFTER_ENDLESS).map(|_| self.record_id()).collect();
        self.emit_together(STALLED.name, self.plain_events(&later)).await?;
        ids.extend(later);
        self.wait_for_all_but_hanging().await;
        // The checks want the whole time, which they count by another clock.
        let patience = self.patience() + MARGIN;
        self.wait_until_given_up(1, hung, answered, patience).await;
        self.wait_until_given_up(2, &ids[..1], answered, patience).await;
        let working = [0, 3].map(|at| (at, ids.clone()));
        let all = working.into_iter().chain([(1, hung.to_vec())]);
        self.settle(all, self.transcript.limits.deadline).await
    }

    /// Waits at all endpoints but the one that hangs: a sender may deliver to one endpoint one by one.
    async fn wait_for_all_but_hanging(&mut self) {
        let hanging = self.registered.remove(1);
        self.wait_for_all().await;
        self.registered.insert(1, hanging);
    }

    /// Waits until the sender has given up on the answers to these records, or the time since then is over.
    async fn wait_until_given_up(&mut self, place: usize, ids: &[String], since: Instant, most: Duration) {
        let began = Instant::now();
        let rest = most.saturating_sub(since.elapsed());
        let given_up = |id: &String| {
            let id = id.clone();
            let is_given_up =
                move |one: &Received| one.given_up_after.is_some() && record_ids(&one.delivery).contains(&id);
            self.registered[place].endpoint.wait(rest, move |received| received.iter().any(&is_given_up))
        };
        // The checks judge a delivery that was not given up by then.
        join_all(ids.iter().map(given_up)).await;
        self.transcript.waited += began.elapsed();
    }
}
