//! What is done to a sender: webhooks at endpoints of ours, events, and waiting for what has to come of them.
//!
//! Invariant: waits end with the thing that is waited for. Only what must not come is watched for a fixed time, and that
//! time is counted as waited.

mod answers;
mod events;
mod generated;
mod https;
mod outcomes;
mod unanswered;

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::{LocalBoxFuture, join_all};
use serde_json::Value;
use tokio::time::sleep;

use crate::clock::Clock;
use crate::random::Random;
use crate::subject::SubjectError;
use crate::subject::protocol::{self, Hello, Op, Reply};
use crate::subject::sender::{Sender, expect_ok};
use crate::suite::scenario::{Play, Scenario};
use crate::suite::stage::Extent;
use crate::suite::transcript::{
    Broken, Capability, Conduct, Emission, Ending, Form, Handshake, ScenarioName, Traits, Transcript,
    Webhook, uuids,
};
use crate::webhook::event::Event;
use crate::webhook::signature::Secret;
use crate::wire::endpoint::certificates::Authority;
use crate::wire::endpoint::scripted::{self, Budget, Endpoint, Received, Settings};
use crate::wire::exchange::{Exchange, ExchangeId};

/// How a scenario is played on a sender.
pub type Course = for<'s> fn(&'s mut Stage<'_>) -> LocalBoxFuture<'s, Result<(), SubjectError>>;

/// The query of the webhooks' URLs: with everything in it that a careless sender changes.
const QUERY: &str = "tenant=a%20b&empty=&x=1";

/// What a run against a sender has at hand.
pub struct Stage<'a> {
    /// The sender.
    pub subject: &'a dyn Sender,
    /// The time of day.
    pub clock: &'a Clock,
    /// Ids and secrets.
    pub random: &'a Random,
    /// How much is generated, and from what.
    pub extent: Extent,
    /// What is written.
    pub transcript: &'a mut Transcript,
    settings: Settings,
    /// The authority of the endpoints behind HTTPS, where there are to be any.
    authority: Option<&'a Authority>,
    registered: Vec<Registered>,
    /// The endpoints of webhooks that cannot be deleted, so that what still goes there meets no closed port.
    retired: Vec<Endpoint>,
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

/// A webhook that is to be registered.
struct Wanted {
    secret: Option<String>,
    operations: Option<&'static [&'static str]>,
    conduct: Conduct,
}

impl crate::suite::stage::Stage for Stage<'_> {
    async fn run(&mut self, scenario: &Scenario) {
        let played = self.play(scenario).await;
        self.collect();
        let cleared = if played.is_ok() { self.clear_away().await } else { Ok(()) };
        let ending = match played.and(cleared) {
            Ok(()) => Ending::Complete,
            Err(SubjectError::Died(why)) => Ending::Died(why),
            Err(SubjectError::Broke(why)) => Ending::Broke(why),
            Err(SubjectError::Unkept(why)) => Ending::Unkept(why),
            Err(why) => Ending::Stuck(why.to_string()),
        };
        self.leave();
        self.transcript.endings.push((scenario.name, ending));
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
        extent: Extent,
        transcript: &'a mut Transcript,
    ) -> Self {
        let patience = transcript.limits.timeout;
        let settings = Settings { clock: clock.clone(), budget: Budget::of_a_run(), patience };
        let (registered, retired, tokens) = (Vec::new(), Vec::new(), Vec::new());
        let authority = None;
        Self { subject, clock, random, extent, transcript, settings, authority, registered, retired, tokens }
    }

    /// The stage with endpoints behind HTTPS.
    #[must_use]
    pub fn offering(self, authority: &'a Authority) -> Self {
        Self { authority: Some(authority), ..self }
    }

    /// Asks who the sender is, and writes down what it declares.
    ///
    /// Errors: it does not answer, not in the protocol, or does not speak the dialect.
    pub async fn greet(&mut self) -> Result<Hello, SubjectError> {
        let dialect = self.transcript.dialect.name.to_owned();
        let ca = self.authority.and_then(|authority| match authority.file() {
            Ok(file) => Some(file.to_owned()),
            Err(why) => {
                self.transcript.remarks.push(format!("HTTPS is not tried: {why}"));
                None
            }
        });
        // Who was not told of the authority has nobody to trust.
        let https = ca.is_some().then_some(Capability::Https);
        let hello = Hello::read(&self.call(Op::Hello { dialect, ca }).await?)?;
        let all = [Capability::Delete, Capability::Filters, Capability::Outcomes, Capability::Unsigned];
        let all = all.into_iter().chain(https);
        self.transcript.capabilities = all.filter(|one| hello.declares(*one)).collect();
        Ok(hello)
    }

    async fn play(&mut self, scenario: &Scenario) -> Result<(), SubjectError> {
        match scenario.play {
            Play::Sender(course) if scenario.needs.is_none_or(|needed| self.declares(needed)) => {
                course(self).await
            }
            _ => Ok(()),
        }
    }

    fn declares(&self, capability: Capability) -> bool {
        self.transcript.capabilities.contains(&capability)
    }

    /// An endpoint that answers 200 to everything, or an address where nobody listens.
    async fn endpoint(&self, conduct: Conduct) -> Result<Endpoint, SubjectError> {
        let settings = self.settings.clone();
        let started = match (conduct, self.authority) {
            (Conduct::Refuses, _) => Endpoint::refusing(settings),
            (Conduct::Secured(certificate), Some(authority)) => {
                Endpoint::start_secured(settings, authority, certificate).await
            }
            _ => Endpoint::start(settings).await,
        };
        started.map_err(|why| SubjectError::Broke(format!("no endpoint can be set up: {why}")))
    }

    /// Registers a webhook with a secret of its own, at an endpoint that answers.
    async fn register(&mut self, scenario: ScenarioName) -> Result<(), SubjectError> {
        let wanted = Wanted::with_secret(self.random.secret());
        self.register_as(scenario, wanted).await
    }

    async fn register_as(&mut self, scenario: ScenarioName, wanted: Wanted) -> Result<(), SubjectError> {
        let endpoint = self.endpoint(wanted.conduct).await?;
        // No two webhooks share a path: what an earlier one still gets is not taken for a later one's.
        let token = self.random.nonce();
        let (url, secret) =
            (endpoint.url(&format!("/hooks/{token}?{QUERY}")), wanted.secret.map(Secret::new));
        self.tokens.push(token);
        let operations: Option<Vec<String>> =
            wanted.operations.map(|all| all.iter().map(|&one| one.to_owned()).collect());
        let op =
            Op::CreateWebhook { url: url.clone(), secret: secret.clone(), operations: operations.clone() };
        // Before it is asked: what it answers may quote the secret.
        self.transcript.secrets.extend(secret.clone());
        let answer = match self.call(op).await {
            Err(SubjectError::Stuck(why)) if operations.is_some() => {
                return Err(unkept(Capability::Filters, &why));
            }
            Err(SubjectError::Stuck(why)) if secret.is_none() => {
                return Err(unkept(Capability::Unsigned, &why));
            }
            answer => answer?,
        };
        let name = protocol::webhook_name(&answer)?;
        let since = self.transcript.emissions.len();
        let index = self.transcript.register(Webhook {
            scenario,
            url,
            secret,
            operations,
            conduct: wanted.conduct,
            since,
            deleted_after: None,
            outcomes_at_ms: None,
            watched_until_ms: 0,
            dropped: 0,
            overflowed: false,
        });
        self.registered.push(Registered { index, endpoint, name });
        Ok(())
    }

    /// The first event behind a registration, which only SUB-1 judges.
    async fn first(&mut self, scenario: ScenarioName) -> Result<(), SubjectError> {
        self.emit(scenario, &self.sample("person.created"), Kind::First).await
    }

    async fn emit(&mut self, scenario: ScenarioName, event: &Event, kind: Kind) -> Result<(), SubjectError> {
        self.emit_as(scenario, event, self.random.uuid(), kind).await
    }

    async fn emit_as(
        &mut self,
        scenario: ScenarioName,
        event: &Event,
        record_id: String,
        kind: Kind,
    ) -> Result<(), SubjectError> {
        let event = event.with_id(&record_id);
        let event = if matches!(kind, Kind::LongNumbers) { events::with_long_numbers(&event) } else { event };
        let (answer, form) =
            if let Kind::Answered(status, form) = kind { (status, form) } else { (200, Form::Plain) };
        self.transcript.emissions.push(Emission {
            scenario,
            event: event.clone(),
            record_id,
            asked_at_ms: self.clock.now_ms(),
            first: matches!(kind, Kind::First),
            is_sample: !matches!(kind, Kind::Other | Kind::LongNumbers),
            has_long_numbers: matches!(kind, Kind::LongNumbers),
            answer,
            form,
            unsupported: None,
            generated: None,
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

    fn record_ids(&self, scenario: ScenarioName) -> Vec<String> {
        let possible =
            self.transcript.emissions_of(scenario).filter(|emission| emission.unsupported.is_none());
        possible.map(|emission| emission.record_id.clone()).collect()
    }

    /// The records of the events that a webhook was there for, as far as its filter lets them through.
    fn expected_at(&self, webhook: usize) -> Vec<String> {
        let operations = &self.transcript.webhooks[webhook].operations;
        let wanted = |emission: &&Emission| {
            let name = &emission.event.name;
            emission.unsupported.is_none()
                && operations.as_ref().is_none_or(|all| all.iter().any(|one| name.matches(one)))
        };
        self.transcript.emissions_to(webhook).filter(wanted).map(|one| one.record_id.clone()).collect()
    }

    /// Waits until every event of the scenario has reached every webhook of it where it can be seen.
    async fn wait_for_all(&mut self) {
        let visible = |one: &&Registered| self.transcript.webhooks[one.index].conduct.sees_requests();
        let seen = self.registered.iter().filter(visible);
        join_all(seen.map(|one| self.wait_for(&one.endpoint, self.expected_at(one.index)))).await;
        if let Some(first) = self.registered.first() {
            self.awaited(self.transcript.webhooks[first.index].scenario);
        }
    }

    /// Notes that what was emitted so far had all the time to arrive that it may take.
    fn awaited(&mut self, scenario: ScenarioName) {
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
        let (now, unfinished_after) = (self.clock.now_ms(), self.transcript.limits.deadline);
        let seen = |one: &Registered| (one.index, one.endpoint.seen(unfinished_after));
        for (index, seen) in self.registered.iter().map(seen).collect::<Vec<_>>() {
            for one in seen.received {
                let strays = |(other, token): (usize, &String)| {
                    other != index && one.delivery.target.contains(token.as_str())
                };
                if !self.tokens.iter().enumerate().any(strays) {
                    self.take(Some(index), one);
                }
            }
            let broken = seen.broken.into_iter().map(|one| Broken { webhook: index, what: one.what });
            self.transcript.broken.extend(broken);
            let handshake = |one: scripted::Handshake| Handshake {
                webhook: index,
                at_ms: one.at_ms,
                end: one.end,
                what: one.what,
            };
            self.transcript.handshakes.extend(seen.handshakes.into_iter().map(handshake));
            let webhook = &mut self.transcript.webhooks[index];
            webhook.watched_until_ms = now;
            (webhook.dropped, webhook.overflowed) = (seen.dropped, seen.overflowed);
        }
    }

    fn take(&mut self, webhook: Option<usize>, received: Received) {
        let traits = Traits {
            began_ms: received.began_ms,
            body_length: received.body_length,
            let_go: received.let_go,
        };
        self.transcript.arrive(webhook, Self::exchange(received), traits);
    }

    fn exchange(received: Received) -> Exchange {
        Exchange {
            id: ExchangeId(0),
            delivery: received.delivery,
            outcome: received.outcome,
            at_ms: received.at_ms,
            took: Duration::ZERO,
        }
    }

    /// Deletes the scenario's webhooks, where the sender can.
    async fn clear_away(&mut self) -> Result<(), SubjectError> {
        if !self.declares(Capability::Delete) {
            return Ok(());
        }
        for registered in &self.registered {
            if self.transcript.webhooks[registered.index].deleted_after.is_none() {
                match self.call(Op::DeleteWebhook { webhook: registered.name.clone() }).await {
                    // What the scenario was for is done; that a webhook cannot be deleted is for SUB-3 to say.
                    Ok(_) | Err(SubjectError::Stuck(_)) => {}
                    Err(why) => return Err(why),
                }
            }
        }
        Ok(())
    }

    /// Gives the scenario's endpoints up. Where a webhook cannot be deleted its endpoint stays, and counts no more.
    fn leave(&mut self) {
        let left = self.registered.drain(..).map(|one| one.endpoint);
        if self.transcript.capabilities.contains(&Capability::Delete) {
            left.for_each(drop);
        } else {
            self.retired.extend(left.inspect(Endpoint::retire));
        }
    }
}

impl Wanted {
    fn with_secret(secret: String) -> Self {
        Self { secret: Some(secret), operations: None, conduct: Conduct::Answers }
    }
}

/// What an emission is there for.
#[derive(Clone, Copy)]
enum Kind {
    First,
    Sample,
    Other,
    LongNumbers,
    Answered(u16, Form),
}

/// What it is that an operation was answered with an error which stands for a capability.
fn unkept(capability: Capability, why: &str) -> SubjectError {
    SubjectError::Unkept(format!("the capability `{}` is declared and not kept: {why}", capability.as_str()))
}
