//! What is done to a sender: webhooks at endpoints of ours, events, and waiting for what has to come of them.
//!
//! Invariant: waits end with the thing that is waited for. Only what must not come is watched for a fixed time, and that
//! time is counted as waited.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::clock::Clock;
use crate::endpoint::mock::{Endpoint, Received, Script};
use crate::event::Event;
use crate::exchange::{Exchange, ExchangeId, Outcome, Response};
use crate::random::Random;
use crate::signature::Secret;
use crate::subject::SubjectError;
use crate::subject::protocol::{self, Hello, Op, Reply};
use crate::subject::sender::{Sender, expect_ok};
use crate::transcript::{Capability, Emission, Ending, Scenario, Settled, Transcript, Webhook, uuids};

/// The scenarios of senders, in the order in which they are run.
pub const ALL: &[Scenario] = &[
    Scenario::EveryEvent,
    Scenario::SeveralWebhooks,
    Scenario::Deletion,
    Scenario::Acknowledged,
    Scenario::NotAcknowledged,
];

/// The query of the webhooks' URLs: with everything in it that a careless sender changes.
const QUERY: &str = "tenant=a%20b&empty=&x=1";

/// How often outcomes are asked for while they are not settled.
const OUTCOMES_PACE: Duration = Duration::from_millis(10);

/// What a run against a sender has at hand.
pub struct Stage<'a> {
    /// The sender.
    pub subject: &'a dyn Sender,
    /// The time of day.
    pub clock: &'a Clock,
    /// Ids and secrets.
    pub random: &'a Random,
    /// What is written.
    pub transcript: &'a mut Transcript,
    registered: Vec<Registered>,
    /// What tells the webhooks' paths apart, in the order of the transcript's webhooks.
    tokens: Vec<String>,
}

/// A webhook, its endpoint, and what the sender calls it.
struct Registered {
    /// Its index in the transcript.
    index: usize,
    endpoint: Endpoint,
    name: String,
}

impl super::Stage for Stage<'_> {
    async fn run(&mut self, scenario: Scenario) {
        let played = self.play(scenario).await;
        self.collect();
        let cleared = if played.is_ok() { self.clear_away().await } else { Ok(()) };
        let ending = match played.and(cleared) {
            Ok(()) => Ending::Complete,
            Err(SubjectError::Died(why)) => Ending::Died(why),
            Err(SubjectError::Broke(why)) => Ending::Broke(why),
            Err(why) => Ending::Stuck(why.to_string()),
        };
        self.registered.clear();
        self.transcript.endings.push((scenario, ending));
    }

    fn transcript(&mut self) -> &mut Transcript {
        self.transcript
    }
}

impl<'a> Stage<'a> {
    /// A stage for a sender.
    pub fn new(
        subject: &'a dyn Sender,
        clock: &'a Clock,
        random: &'a Random,
        transcript: &'a mut Transcript,
    ) -> Self {
        Self { subject, clock, random, transcript, registered: Vec::new(), tokens: Vec::new() }
    }

    /// Asks who the sender is, and writes down what it declares.
    ///
    /// Errors: it does not answer, not in the protocol, or does not speak the dialect.
    pub async fn greet(&mut self) -> Result<Hello, SubjectError> {
        let dialect = self.transcript.dialect.name.to_owned();
        let hello: Hello = read("hello", self.call(Op::Hello { dialect }).await?)?;
        let all = [Capability::Delete, Capability::Filters, Capability::Outcomes, Capability::Unsigned];
        let declared =
            |capability: &Capability| hello.capabilities.iter().any(|name| name == capability.as_str());
        self.transcript.capabilities = all.into_iter().filter(declared).collect();
        Ok(hello)
    }

    async fn play(&mut self, scenario: Scenario) -> Result<(), SubjectError> {
        match scenario {
            Scenario::EveryEvent => self.every_event().await,
            Scenario::SeveralWebhooks => self.several_webhooks().await,
            Scenario::Deletion => self.deletion().await,
            Scenario::Acknowledged => self.statuses(scenario, &(200..=299).collect::<Vec<_>>()).await,
            Scenario::NotAcknowledged => self.statuses(scenario, NOT_ACKNOWLEDGING).await,
            _ => Ok(()),
        }
    }

    async fn every_event(&mut self) -> Result<(), SubjectError> {
        let scenario = Scenario::EveryEvent;
        self.register(scenario, self.random.secret()).await?;
        self.first(scenario).await?;
        for event in self.transcript.dialect.samples() {
            self.emit(scenario, &event, Kind::Sample).await?;
        }
        self.emit(scenario, &self.every_kind_of_value(), Kind::Other).await?;
        self.wait_for_all().await;
        Ok(())
    }

    async fn several_webhooks(&mut self) -> Result<(), SubjectError> {
        let scenario = Scenario::SeveralWebhooks;
        // The key is the secret's UTF-8 bytes as they are: beyond ASCII, and with white space at its ends.
        let secrets = [
            self.random.secret(),
            format!("ключ-鍵-{}", self.random.nonce()),
            format!(" {} ", self.random.secret()),
        ];
        for secret in secrets {
            self.register(scenario, secret).await?;
        }
        self.first(scenario).await?;
        for name in ["person.created", "company.created", "person.updated", "note.created"] {
            self.emit(scenario, &self.sample(name), Kind::Sample).await?;
        }
        self.wait_for_all().await;
        self.watch().await;
        Ok(())
    }

    async fn deletion(&mut self) -> Result<(), SubjectError> {
        if !self.transcript.capabilities.contains(&Capability::Delete) {
            return Ok(());
        }
        let scenario = Scenario::Deletion;
        self.register(scenario, self.random.secret()).await?;
        self.register(scenario, self.random.secret()).await?;
        self.first(scenario).await?;
        self.wait_for_all().await;
        let gone = &self.registered[0];
        let (index, webhook) = (gone.index, gone.name.clone());
        expect_ok("delete_webhook", self.subject.call(Op::DeleteWebhook { webhook }).await?)?;
        self.transcript.webhooks[index].deleted_after = Some(self.transcript.emissions.len());
        for name in ["person.created", "company.updated"] {
            self.emit(scenario, &self.sample(name), Kind::Sample).await?;
        }
        // The deleted one gets nothing, so only the one that stays is waited for.
        let after: Vec<String> = self.record_ids(scenario).split_off(1);
        self.wait_for(&self.registered[1].endpoint, after).await;
        self.awaited(scenario);
        self.watch().await;
        Ok(())
    }

    /// One event for each status, and what the sender made of the answers.
    async fn statuses(&mut self, scenario: Scenario, statuses: &[u16]) -> Result<(), SubjectError> {
        let elsewhere = Endpoint::start(self.clock.clone()).await;
        self.register(scenario, self.random.secret()).await?;
        self.first(scenario).await?;
        let sample = self.sample("person.updated");
        let ids: Vec<(String, u16)> = statuses.iter().map(|&status| (self.random.uuid(), status)).collect();
        self.registered[0].endpoint.follow(Script {
            statuses: ids.iter().cloned().collect(),
            location: Some(elsewhere.url("/moved")),
        });
        for (id, status) in ids {
            self.emit_as(scenario, &sample, id, Kind::Answered(status)).await?;
        }
        self.wait_for_all().await;
        if scenario == Scenario::Acknowledged {
            self.watch().await;
        }
        if self.transcript.capabilities.contains(&Capability::Outcomes) {
            self.ask_for_outcomes(scenario).await?;
        }
        for received in elsewhere.received() {
            self.take(None, received);
        }
        Ok(())
    }

    /// Asks until every delivery that arrived is settled, or the time in which it has to be is over.
    async fn ask_for_outcomes(&mut self, scenario: Scenario) -> Result<(), SubjectError> {
        let (index, webhook) = (self.registered[0].index, self.registered[0].name.clone());
        let arrived = self.registered[0].endpoint.received();
        let carried: HashSet<&str> = arrived.iter().flat_map(|one| uuids(&one.delivery.body)).collect();
        let asked = self.record_ids(scenario);
        let wanted: Vec<&String> = asked.iter().filter(|id| carried.contains(id.as_str())).collect();
        let deadline = Instant::now() + self.transcript.limits.deadline;
        loop {
            let answer =
                expect_ok("outcomes", self.subject.call(Op::Outcomes { webhook: webhook.clone() }).await?)?;
            let deliveries = answer.get("deliveries").cloned().unwrap_or(Value::Null);
            let outcomes: Vec<protocol::Outcome> = read("outcomes", deliveries)?;
            let settled: HashMap<String, protocol::Outcome> =
                outcomes.into_iter().filter_map(|one| Some((one.record.clone()?, one))).collect();
            if wanted.iter().all(|id| settled.contains_key(*id)) || Instant::now() >= deadline {
                self.transcript.settled.extend(settled.into_iter().map(|(record_id, one)| Settled {
                    webhook: index,
                    record_id,
                    delivered: one.delivered,
                    status: one.status,
                }));
                return Ok(());
            }
            sleep(OUTCOMES_PACE).await;
        }
    }

    async fn register(&mut self, scenario: Scenario, secret: String) -> Result<(), SubjectError> {
        let endpoint = Endpoint::start(self.clock.clone()).await;
        // No two webhooks share a path: what an earlier one still gets is not taken for a later one's.
        let token = self.random.nonce();
        let (url, secret) = (endpoint.url(&format!("/hooks/{token}?{QUERY}")), Secret::new(secret));
        self.tokens.push(token);
        let op = Op::CreateWebhook { url: url.clone(), secret: Some(secret.clone()), operations: None };
        let answer = self.call(op).await?;
        let name = answer.get("webhook").and_then(Value::as_str).map(str::to_owned);
        let name = name.ok_or_else(|| {
            SubjectError::Broke(format!(
                "the sender's answer to `create_webhook` has no text `webhook`: {answer}"
            ))
        })?;
        let webhook = Webhook { scenario, url, secret, deleted_after: None };
        let index = self.transcript.register(webhook);
        self.registered.push(Registered { index, endpoint, name });
        Ok(())
    }

    /// The first event behind a registration, which only SUB-1 judges.
    async fn first(&mut self, scenario: Scenario) -> Result<(), SubjectError> {
        self.emit(scenario, &self.sample("person.created"), Kind::First).await
    }

    async fn emit(&mut self, scenario: Scenario, event: &Event, kind: Kind) -> Result<(), SubjectError> {
        self.emit_as(scenario, event, self.random.uuid(), kind).await
    }

    async fn emit_as(
        &mut self,
        scenario: Scenario,
        event: &Event,
        record_id: String,
        kind: Kind,
    ) -> Result<(), SubjectError> {
        let event = event.with_id(&record_id);
        self.transcript.emissions.push(Emission {
            scenario,
            event: event.clone(),
            record_id,
            asked_at_ms: self.clock.now_ms(),
            first: matches!(kind, Kind::First),
            is_sample: !matches!(kind, Kind::Other),
            answer: if let Kind::Answered(status) = kind { status } else { 200 },
            unsupported: None,
            awaited: false,
        });
        let reply = self.subject.call(Op::Emit(event)).await?;
        if let (Reply::Unsupported(reason), Some(emission)) = (&reply, self.transcript.emissions.last_mut()) {
            emission.unsupported = Some(reason.clone());
            return Ok(());
        }
        expect_ok("emit", reply).map(drop)
    }

    async fn call(&self, op: Op) -> Result<Value, SubjectError> {
        let name = op.name();
        expect_ok(name, self.subject.call(op).await?)
    }

    fn sample(&self, name: &str) -> Event {
        // Every dialect has the samples that are named here; a test looks.
        self.transcript.dialect.sample(name).unwrap_or_else(|| unreachable!("no sample {name}"))
    }

    /// A record with every kind of value that must come out as it went in.
    fn every_kind_of_value(&self) -> Event {
        self.sample("person.updated").edit(|record| {
            record["kindsOfValue"] = json!({
                "scripts": ["Łódź", "日本語", "العربية", "ελληνικά", "हिन्दी", "👩🏽‍🚀"],
                "escapes": "\" \\ / \u{8} \u{c} \n \r \t \u{1} \u{7f} \u{2028} <b>&amp;</b>",
                "numbers": [0, -1, 0.1, 1.5e300, 5e-324, 9_007_199_254_740_992_u64, -9_007_199_254_740_992_i64],
                "empty": [null, "", [], {}],
                "booleans": [true, false],
                "nested": { "a": { "b": { "c": [[[{ "d": null }]]] } } },
                "": "an empty key",
                "10": "keys that look like", "9": "integers",
            });
        })
    }

    fn record_ids(&self, scenario: Scenario) -> Vec<String> {
        let possible =
            self.transcript.emissions_of(scenario).filter(|emission| emission.unsupported.is_none());
        possible.map(|emission| emission.record_id.clone()).collect()
    }

    /// Waits until every event of the scenario has reached every webhook of it.
    async fn wait_for_all(&mut self) {
        let Some(scenario) =
            self.registered.first().map(|first| self.transcript.webhooks[first.index].scenario)
        else {
            return;
        };
        let waits = self.registered.iter().map(|one| self.wait_for(&one.endpoint, self.record_ids(scenario)));
        join_all(waits).await;
        self.awaited(scenario);
    }

    /// Notes that what was emitted so far had all the time to arrive that it may take.
    fn awaited(&mut self, scenario: Scenario) {
        let of_scenario = self.transcript.emissions.iter_mut().filter(|one| one.scenario == scenario);
        of_scenario.for_each(|emission| emission.awaited = true);
    }

    /// Waits until those records have arrived. Twice the deadline: what is late is not lost, and is another finding.
    async fn wait_for(&self, endpoint: &Endpoint, ids: Vec<String>) {
        let (mut missing, mut seen): (HashSet<String>, _) = (ids.into_iter().collect(), 0);
        let enough = |received: &[Received]| {
            for id in received[seen..].iter().flat_map(|one| uuids(&one.delivery.body)) {
                missing.remove(id);
            }
            seen = received.len();
            missing.is_empty()
        };
        // What did not come by then is for the checks to see.
        endpoint.wait(self.transcript.limits.deadline * 2, enough).await;
    }

    /// Watches for what must not come.
    async fn watch(&mut self) {
        let quiet = self.transcript.limits.quiet;
        sleep(quiet).await;
        self.transcript.waited += quiet;
    }

    /// Writes down what reached the endpoints.
    fn collect(&mut self) {
        let arrived: Vec<(usize, Vec<Received>)> =
            self.registered.iter().map(|one| (one.index, one.endpoint.received())).collect();
        for (index, received) in arrived {
            for one in received {
                let strays = |(other, token): (usize, &String)| {
                    other != index && one.delivery.target.contains(token.as_str())
                };
                if !self.tokens.iter().enumerate().any(strays) {
                    self.take(Some(index), one);
                }
            }
        }
    }

    fn take(&mut self, webhook: Option<usize>, received: Received) {
        let answer = Response {
            status: received.status,
            headers: crate::exchange::Headers::default(),
            body: bytes::Bytes::new(),
        };
        let exchange = Exchange {
            id: ExchangeId(0),
            delivery: received.delivery,
            outcome: Outcome::Answered(answer),
            at_ms: received.at_ms,
            took: Duration::ZERO,
        };
        self.transcript.arrive(webhook, exchange);
    }

    /// Deletes the scenario's webhooks, where the sender can.
    async fn clear_away(&mut self) -> Result<(), SubjectError> {
        if !self.transcript.capabilities.contains(&Capability::Delete) {
            return Ok(());
        }
        for registered in &self.registered {
            if self.transcript.webhooks[registered.index].deleted_after.is_none() {
                self.call(Op::DeleteWebhook { webhook: registered.name.clone() }).await?;
            }
        }
        Ok(())
    }
}

/// What an emission is there for.
#[derive(Clone, Copy)]
enum Kind {
    First,
    Sample,
    Other,
    Answered(u16),
}

/// Statuses outside 200 to 299, a sample of each class.
const NOT_ACKNOWLEDGING: &[u16] =
    &[300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 502, 503, 504];

/// Reads an answer. Errors: [`SubjectError::Broke`], with the answer.
fn read<T: serde::de::DeserializeOwned>(op: &str, answer: Value) -> Result<T, SubjectError> {
    serde_json::from_value(answer.clone()).map_err(|why| {
        let answer = crate::wire::quote(answer.to_string().as_bytes());
        SubjectError::Broke(format!("the sender's answer to `{op}` cannot be read ({why}): {answer}"))
    })
}
