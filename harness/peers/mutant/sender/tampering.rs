//! A transport that changes requests and misreads answers.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use url::Url;

use super::acts::{Act, CARELESS_WAIT, Redirect};
use super::careless::{AnswerRead, Careless};
use super::kept::Kept;
use super::messages;
use super::outgoing::Outgoing;
use super::registry::Registry;
use crate::clock::Clock;
use crate::peers::sender::Transport;
use crate::webhook::dialect::Dialect;
use crate::wire::exchange::{Delivery, Headers, Outcome, Response};
use crate::wire::messages::not_a_url;

/// How long a delivery waits for each webhook that was registered earlier.
const TURN: Duration = Duration::from_millis(5);
/// How many times as long as a late delivery a sender reads a body that the next delivery waits for.
const BODIES: u32 = 2;

pub(super) struct Tampering {
    act: Act,
    dialect: &'static Dialect,
    clock: Clock,
    registry: Arc<Registry>,
    late: Duration,
    inner: Arc<dyn Transport>,
    /// The transport for https URLs: the careless client does not support TLS.
    secured: Arc<dyn Transport>,
    turn: tokio::sync::Mutex<()>,
}

impl Transport for Tampering {
    fn send(&self, url: Url, delivery: Delivery) -> BoxFuture<'_, Outcome> {
        self.tamper(url.into(), delivery).boxed()
    }

    fn trust(&self, ca: &Path) -> Result<(), String> {
        self.secured.trust(ca)
    }
}

impl Tampering {
    pub(super) fn new(
        act: Act,
        dialect: &'static Dialect,
        clock: Clock,
        transport: Arc<dyn Transport>,
        registry: Arc<Registry>,
        late: Duration,
    ) -> Self {
        let other = match act {
            Act::SendsBy(pool) => pool().ok(),
            _ => None,
        };
        let secured = other.map_or(transport, |other| Arc::new(other));
        let counts = matches!(act, Act::CountsCharacters);
        let careless = |reads| Arc::new(Careless { wait: CARELESS_WAIT, reads, in_characters: counts });
        let inner: Arc<dyn Transport> = match act {
            Act::SendsCarelessly(reads) => careless(reads),
            Act::Misunderstands(_) => careless(AnswerRead::WholeBody),
            Act::CountsCharacters => careless(AnswerRead::FinalHead),
            Act::WaitsForBodies => Arc::new(Careless {
                wait: CARELESS_WAIT,
                reads: AnswerRead::BodyWithin(late * BODIES),
                in_characters: false,
            }),
            Act::SendsOnKept => Arc::new(Kept::new(CARELESS_WAIT)),
            _ => secured.clone(),
        };
        Self { act, dialect, clock, registry, late, inner, secured, turn: tokio::sync::Mutex::default() }
    }

    fn forward(&self, url: &str, delivery: Delivery) -> BoxFuture<'_, Outcome> {
        let is_secured = url.starts_with("https:");
        let way = if is_secured { &self.secured } else { &self.inner };
        match (Url::parse(url), self.act) {
            (Ok(url), Act::Misframes(name, value)) if !is_secured => async move {
                let mut first = delivery.clone();
                first.headers.add(name, value);
                Careless { wait: CARELESS_WAIT, reads: AnswerRead::FirstHead, in_characters: false }
                    .send(url.clone(), first)
                    .await;
                way.send(url, delivery).await
            }
            .boxed(),
            (Ok(url), _) => way.send(url, delivery),
            (Err(why), _) => ready(Outcome::Malformed(not_a_url(url, why))).boxed(),
        }
    }

    async fn tamper(&self, registered: String, delivery: Delivery) -> Outcome {
        let mut request = Outgoing {
            url: registered.clone(),
            delivery,
            secret: self.registry.secret_of(&registered),
            registry: &self.registry,
            dialect: self.dialect,
            now_ms: self.clock.now_ms(),
        };
        match self.act {
            Act::Withholds(these) if these(&request) => return Outcome::TimedOut,
            Act::Settles(time) | Act::SettlesUnsaid(time) if self.registry.age_of(&registered) < time => {
                return Outcome::TimedOut;
            }
            Act::StopsAfterFailure if self.registry.lock().stopped.contains(&registered) => {
                return Outcome::TimedOut;
            }
            Act::SendsLate => sleep(self.late).await,
            _ => self.alter(&mut request),
        }
        let sent = self.forward(&request.url, request.delivery.clone());
        let outcome = match self.act {
            Act::SendsInTurn => {
                // The tasks of one event start in any order. The sleep puts them in the order of the webhooks.
                sleep(TURN * self.registry.place_of(&registered)).await;
                let _turn = self.turn.lock().await;
                sent.await
            }
            Act::WaitsForBodies => {
                let turn = self.registry.turn_of(&registered);
                let _turn = turn.lock().await;
                sent.await
            }
            Act::GivesUp(wait) => timeout(wait, sent).await.unwrap_or(Outcome::TimedOut),
            _ => sent.await,
        };
        let outcome = self.resend(&registered, &mut request, outcome).await;
        let outcome = self.follow(&request.delivery, outcome).await;
        self.misread(&registered, outcome)
    }

    fn alter(&self, request: &mut Outgoing<'_>) {
        let (dialect, now_ms) = (self.dialect, request.now_ms);
        match self.act {
            Act::Alters(change) => change(request),
            Act::Edits(change) => request.edit(|body| change(dialect, body)),
            Act::EditsRecord(change) => request.edit(|body| change(&mut body[dialect.record_member])),
            Act::Dates(time) => request.edit(|body| body[dialect.time_member] = time(now_ms)),
            Act::Stamps(timestamp) => request.sign_at(timestamp(now_ms)),
            Act::Signs(recipe) => request.sign_by(recipe),
            Act::Batches(_) => request.edit(|body| {
                let id = body[dialect.record_member]["id"].as_str().unwrap_or_default();
                if let Some(event) = self.registry.lock().batched.get(id) {
                    let record: Value = serde_json::from_str(event.record.get()).unwrap_or_default();
                    body["alsoHappened"] =
                        json!([{ dialect.event_member: event.name, dialect.record_member: record }]);
                }
            }),
            _ => {}
        }
    }

    /// Sends a delivery again if the fault says so. Returns the last outcome.
    async fn resend(&self, registered: &str, request: &mut Outgoing<'_>, mut outcome: Outcome) -> Outcome {
        match self.act {
            Act::Resends(these) if these(&outcome) => {
                outcome = self.forward(&request.url, request.delivery.clone()).await;
            }
            Act::Retries(most, pause, change) => {
                for attempt in 0..most {
                    let failed = outcome.status().is_some_and(|status| status >= 500);
                    if !failed || !self.registry.is_registered(registered) {
                        break;
                    }
                    if !pause.is_zero() {
                        sleep(pause).await;
                    }
                    request.now_ms = self.clock.now_ms();
                    change(request, attempt);
                    outcome = self.forward(&request.url, request.delivery.clone()).await;
                }
            }
            _ => {}
        }
        outcome
    }

    async fn follow(&self, delivery: &Delivery, outcome: Outcome) -> Outcome {
        let (Act::Follows(how), Outcome::Answered(response)) = (self.act, &outcome) else { return outcome };
        let location = response.headers.single("location").filter(|_| (300..400).contains(&response.status));
        let Some(location) = location.map(|value| String::from_utf8_lossy(value).into_owned()) else {
            return outcome;
        };
        match how {
            Redirect::Counted => self.forward(&location, delivery.clone()).await,
            Redirect::Uncounted => {
                self.forward(&location, delivery.clone()).await;
                outcome
            }
            Redirect::AsGet if location.contains("//localhost") => outcome,
            Redirect::AsGet => {
                let get = Delivery {
                    method: "GET".to_owned(),
                    headers: Headers::default(),
                    body: Bytes::new(),
                    ..delivery.clone()
                };
                self.forward(&location, get).await
            }
        }
    }

    fn misread(&self, registered: &str, outcome: Outcome) -> Outcome {
        match (self.act, &outcome) {
            (Act::Acknowledges(these), _) if these(&outcome) => {
                Outcome::Answered(Response { status: 200, ..Response::default() })
            }
            (Act::Crashes(these), _) if these(&outcome) => {
                self.registry.lock().crashed = Some(messages::crashed(&outcome));
                outcome
            }
            (Act::StopsAfterFailure, _) if outcome.status().is_none() => {
                self.registry.lock().stopped.insert(registered.to_owned());
                outcome
            }
            // The status is ignored. Over HTTPS no body is read, so the fault has no effect.
            (Act::Misunderstands(these), Outcome::Answered(answer))
                if !registered.starts_with("https:") && these(answer) =>
            {
                Outcome::Malformed(messages::answer_not_understood().to_owned())
            }
            _ => outcome,
        }
    }
}
