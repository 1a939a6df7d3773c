//! Endpoints that end idle connections, next to one that keeps them.
//!
//! Invariant: a connection ends well after an answer and well before the next event, so that no request is under way.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use super::answers::plain;
use crate::subject::SubjectError;
use crate::suite::scenario::{Play, Scenario, Turn};
use crate::suite::sender::stage::{NewWebhook, Purpose, SenderStage};
use crate::suite::transcript::{Conduct, ScenarioName};
use crate::wire::coding::record_ids;
use crate::wire::endpoint::scripted::{IdleEnd, Received, Script};

/// Endpoints that close or reset idle connections.
pub const STALE_CONNECTIONS: Scenario = Scenario {
    name: ScenarioName("stale-connections"),
    sends: "an endpoint that closes each connection after it was idle for a moment, one that resets it, and one that keeps it; \
            several events, each after such a moment",
    needs: None,
    turn: Turn::Usual,
    play: Play::Sender(|stage| stage.stale_connections().boxed_local()),
};

/// How many events follow the first: a sender that loses one may have a new connection for the next.
const EVENTS: usize = 3;
/// How long to wait at most for idle connections to end. A sender may have others that stay open.
const LONGEST_END: Duration = Duration::from_millis(200);
/// How long until the sender can have noticed that a connection has ended.
const PAUSE: Duration = Duration::from_millis(170);

impl SenderStage<'_> {
    async fn stale_connections(&mut self) -> Result<(), SubjectError> {
        let scenario = STALE_CONNECTIONS.name;
        self.register(scenario).await?;
        for (conduct, end) in [(Conduct::ClosesIdle, IdleEnd::Close), (Conduct::ResetsIdle, IdleEnd::Reset)] {
            self.register_as(scenario, NewWebhook::signed().at(conduct)).await?;
            let script = Script { idle: Some(end), ..Script::always(plain()) };
            self.registered.iter().rev().take(1).for_each(|one| one.endpoint.follow(script.clone()));
        }
        self.emit_first(scenario).await?;
        self.wait_for_all().await;
        let sample = self.plain_event();
        for _ in 0..EVENTS {
            let began = Instant::now();
            let ending = self.registered.iter().filter(|one| {
                matches!(
                    self.transcript.webhooks[one.index].conduct,
                    Conduct::ClosesIdle | Conduct::ResetsIdle
                )
            });
            join_all(ending.map(|one| one.endpoint.wait_for_ends(LONGEST_END))).await;
            sleep(PAUSE).await;
            self.transcript.waited += began.elapsed();
            let id = self.record_id();
            self.emit_as(scenario, &sample, id.clone(), Purpose::Sample).await?;
            self.wait_for_all().await;
            let carries = |received: &[Received]| {
                received.iter().any(|one| record_ids(&one.delivery).iter().any(|other| other == &id))
            };
            if !self.registered.iter().all(|one| one.endpoint.look(carries)) {
                // Each lost event costs the whole wait.
                return Ok(());
            }
        }
        Ok(())
    }
}
