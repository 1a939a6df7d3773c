//! The state of a run against a sender. It registers webhooks at endpoints, emits events, and records what arrives.
//!
//! Invariant: a wait ends as soon as its condition is met. To see that nothing arrives, the stage watches for a fixed time. What
//! nothing else happens in counts as waited.

mod arrivals;
mod outcomes;
mod watches;

use std::cell::Cell;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep};

use crate::clock::Clock;
use crate::random::Random;
use crate::subject::SubjectError;
use crate::subject::capability::Capability;
use crate::subject::protocol::{self, Hello, Op, Reply};
use crate::subject::sender::{Sender, expect_ok};
use crate::suite::max_time::MaxTime;
use crate::suite::property::Extent;
use crate::suite::sender::messages;
use crate::suite::transcript::{AnswerForm, Conduct, Emission, RegisteredWebhook, ScenarioName, Transcript};
use crate::webhook::dialect::Dialect;
use crate::webhook::event::Event;
use crate::webhook::json::difference::Concern;
use crate::webhook::signature::Secret;
use crate::wire::endpoint::certificates::Authority;
use crate::wire::endpoint::scripted::{Budget, Endpoint, Settings, Strays};
use watches::{Watch, Watched};

/// The code of a scenario.
pub type Steps = for<'s> fn(&'s mut SenderStage<'_>) -> LocalBoxFuture<'s, Result<(), SubjectError>>;

/// The longest time that a sender may ask for until a registration is in force.
const LONGEST_SETTLING: Duration = Duration::from_secs(30);

/// The query of the webhooks' URLs. It contains everything that a careless sender changes.
const QUERY: &str = "tenant=a%20b&empty=&x=1";

/// What the scenarios of a sender run with.
pub struct SenderStage<'a> {
    pub subject: &'a dyn Sender,
    pub clock: &'a Clock,
    /// The source of ids and secrets.
    pub random: &'a Random,
    /// How much is generated, and from what.
    pub extent: Extent,
    pub(super) max_time: MaxTime,
    /// The longest wait for a reply so far, to requests that were sent one at a time.
    pub(super) slowest_reply: Cell<Duration>,
    pub transcript: &'a mut Transcript,
    pub(super) settings: Settings,
    /// The authority of the HTTPS endpoints, if there are to be any.
    authority: Option<&'a Authority>,
    pub(super) registered: Vec<Registered>,
    /// The watch that follows the scenario under way.
    watch: Option<Watch>,
    /// Whether it has shown that each of several webhooks gets what it must, so that scenarios may overlap.
    serves_several: bool,
    /// The scenarios that are still watched.
    watched: Vec<Watched>,
    /// The endpoints of webhooks that cannot be deleted. They stay open for deliveries that still go there.
    retired: Vec<Endpoint>,
    /// The token in each webhook's path, in the order of the transcript's webhooks.
    tokens: Vec<String>,
}

/// A webhook, its endpoint, and the sender's name for it.
pub(super) struct Registered {
    /// Its index in the transcript.
    pub(super) index: usize,
    pub(super) endpoint: Endpoint,
    pub(super) name: String,
}

/// A webhook that is to be registered.
pub(super) struct NewWebhook {
    pub(super) secret: Option<String>,
    pub(super) operations: Option<&'static [&'static str]>,
    pub(super) conduct: Conduct,
}

impl NewWebhook {
    /// A webhook at an endpoint that answers.
    pub(super) fn with_secret(secret: String) -> Self {
        Self { secret: Some(secret), operations: None, conduct: Conduct::Answers }
    }
}

/// What an event is emitted for.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    /// The first event after a registration, which only SUB-1 judges.
    First,
    Sample,
    Other,
    /// A record whose content is a concern of its own.
    Special(Concern),
    Answered(u16, AnswerForm),
}

impl<'a> SenderStage<'a> {
    pub fn new(
        subject: &'a dyn Sender,
        clock: &'a Clock,
        random: &'a Random,
        extent: Extent,
        max_time: MaxTime,
        transcript: &'a mut Transcript,
    ) -> Self {
        let patience = transcript.limits.timeout;
        let strays = Strays::default();
        let settings = Settings { clock: clock.clone(), budget: Budget::of_a_run(), strays, patience };
        let (registered, retired, tokens) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            subject,
            clock,
            random,
            extent,
            max_time,
            slowest_reply: Cell::default(),
            transcript,
            settings,
            authority: None,
            registered,
            watch: None,
            serves_several: false,
            watched: Vec::new(),
            retired,
            tokens,
        }
    }

    /// The stage with HTTPS endpoints whose certificates this authority signs.
    #[must_use]
    pub fn with_https(self, authority: &'a Authority) -> Self {
        Self { authority: Some(authority), ..self }
    }

    /// Sends `hello`, and records what the sender declares.
    ///
    /// Errors: it does not answer, breaks the protocol, or does not speak the dialect.
    pub async fn greet(&mut self) -> Result<Hello, SubjectError> {
        let dialect = self.transcript.dialect.name.to_owned();
        let ca = self.authority.and_then(|authority| match authority.file() {
            Ok(file) => Some(file.to_owned()),
            Err(why) => {
                self.transcript.remarks.push(messages::https_not_tested(&why.to_string()));
                None
            }
        });
        // Without an authority a sender has no certificate to trust.
        let https = ca.is_some().then_some(Capability::Https);
        let hello = Hello::read(&self.call(Op::Hello { dialect, ca }).await?)?;
        if let (Some(chosen), Some(own)) = (self.transcript.chosen, hello.dialect.as_deref()) {
            let known = Dialect::named(own);
            let known =
                known.ok_or_else(|| SubjectError::ProtocolViolation(messages::unknown_dialect(own)))?;
            self.transcript.choose(known, chosen);
        }
        self.transcript.settling =
            Duration::from_millis(hello.settle_ms.unwrap_or_default()).min(LONGEST_SETTLING);
        let all = [Capability::Delete, Capability::Filters, Capability::Outcomes, Capability::Unsigned];
        let all = all.into_iter().chain(https);
        self.transcript.capabilities = all.filter(|one| hello.declares(*one)).collect();
        Ok(hello)
    }

    pub(super) fn declares(&self, capability: Capability) -> bool {
        self.transcript.capabilities.contains(&capability)
    }

    /// An endpoint that answers 200 to everything, or an address at which nothing listens.
    pub(super) async fn endpoint(&self, conduct: Conduct) -> Result<Endpoint, SubjectError> {
        let settings = self.settings.clone();
        let started = match (conduct, self.authority) {
            (Conduct::Refuses, _) => Endpoint::refusing(settings),
            (Conduct::Secured(certificate), Some(authority)) => {
                Endpoint::start_secured(settings, authority, certificate).await
            }
            _ => Endpoint::start(settings).await,
        };
        started
            .map_err(|why| SubjectError::ProtocolViolation(messages::endpoint_not_started(&why.to_string())))
    }

    /// Registers a webhook with its own secret, at an endpoint that answers.
    pub(super) async fn register(&mut self, scenario: ScenarioName) -> Result<(), SubjectError> {
        let wanted = NewWebhook::with_secret(self.random.secret());
        self.register_as(scenario, wanted).await
    }

    pub(super) async fn register_as(
        &mut self,
        scenario: ScenarioName,
        wanted: NewWebhook,
    ) -> Result<(), SubjectError> {
        let endpoint = self.endpoint(wanted.conduct).await?;
        // Webhooks share no path, so late deliveries for an earlier webhook do not count for a later one.
        let token = self.random.nonce();
        let (url, secret) =
            (endpoint.url(&format!("/hooks/{token}?{QUERY}")), wanted.secret.map(Secret::new));
        self.tokens.push(token);
        let operations: Option<Vec<String>> =
            wanted.operations.map(|all| all.iter().map(|&one| one.to_owned()).collect());
        let op =
            Op::CreateWebhook { url: url.clone(), secret: secret.clone(), operations: operations.clone() };
        // Before the call: the reply may quote the secret, and so may the sender's output.
        let seed = self.extent.seed;
        let made = secret.as_ref().map(|secret| self.transcript.make_secret(secret, seed));
        let answer = match self.call(op).await {
            Err(SubjectError::RequestFailed(why)) if operations.is_some() => {
                return Err(broken_capability(Capability::Filters, &why));
            }
            Err(SubjectError::RequestFailed(why)) if secret.is_none() => {
                return Err(broken_capability(Capability::Unsigned, &why));
            }
            answer => answer?,
        };
        let name = protocol::webhook_name(&answer)?;
        let since = self.transcript.emissions.len();
        let index = self.transcript.register(RegisteredWebhook {
            scenario,
            url,
            secret,
            made,
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

    /// Emits the first event after a registration, which only SUB-1 judges. What follows comes when the registration is in force.
    pub(super) async fn emit_first(&mut self, scenario: ScenarioName) -> Result<(), SubjectError> {
        self.emit(scenario, &self.sample("person.created"), Purpose::First).await?;
        if self.settles() {
            sleep(self.transcript.settling).await;
            self.transcript.waited += self.transcript.settling;
        }
        Ok(())
    }

    /// Whether the sender asks for time until a registration is in force.
    pub(super) fn settles(&self) -> bool {
        !self.transcript.settling.is_zero()
    }

    pub(super) async fn emit(
        &mut self,
        scenario: ScenarioName,
        event: &Event,
        purpose: Purpose,
    ) -> Result<(), SubjectError> {
        self.emit_as(scenario, event, self.random.uuid(), purpose).await
    }

    pub(super) async fn emit_as(
        &mut self,
        scenario: ScenarioName,
        event: &Event,
        record_id: String,
        purpose: Purpose,
    ) -> Result<(), SubjectError> {
        self.emit_exactly(scenario, event.with_id(&record_id), record_id, purpose).await
    }

    /// Emits an event that already has its record id.
    pub(super) async fn emit_exactly(
        &mut self,
        scenario: ScenarioName,
        event: Event,
        record_id: String,
        purpose: Purpose,
    ) -> Result<(), SubjectError> {
        let (answer, form) = match purpose {
            Purpose::Answered(status, form) => (status, form),
            _ => (200, AnswerForm::Plain),
        };
        self.transcript.emissions.push(Emission {
            scenario,
            event: event.clone(),
            record_id,
            asked_at_ms: self.clock.now_ms(),
            first: matches!(purpose, Purpose::First),
            is_sample: !matches!(purpose, Purpose::Other | Purpose::Special(_)),
            concern: if let Purpose::Special(concern) = purpose { concern } else { Concern::Values },
            answer,
            form,
            unsupported: None,
            generated: None,
            awaited: false,
        });
        let reply = self.request(Op::Emit(event)).await?;
        // An unusual record may be refused: then nothing else is judged by it.
        let refused = match &reply {
            Reply::Unsupported(reason) => Some(reason),
            Reply::Error(reason) if matches!(purpose, Purpose::Special(_)) => Some(reason),
            _ => None,
        };
        if let (Some(reason), Some(emission)) = (refused, self.transcript.emissions.last_mut()) {
            emission.unsupported = Some(reason.clone());
            return Ok(());
        }
        expect_ok("emit", reply).map(drop)
    }

    pub(super) async fn call(&self, op: Op) -> Result<Box<RawValue>, SubjectError> {
        let name = op.name();
        expect_ok(name, self.request(op).await?)
    }

    /// Asks the sender for something while nothing else is asked.
    async fn request(&self, op: Op) -> Result<Reply, SubjectError> {
        let began = Instant::now();
        let reply = self.request_together(op).await;
        self.slowest_reply.set(self.slowest_reply.get().max(began.elapsed()));
        reply
    }

    /// The same while other things may be asked. Errors: the time is used up, too.
    pub(super) async fn request_together(&self, op: Op) -> Result<Reply, SubjectError> {
        if self.max_time.is_over() {
            return Err(SubjectError::OutOfTime);
        }
        self.subject.call(op).await
    }

    pub(super) fn sample(&self, name: &str) -> Event {
        // Every dialect has the samples that are named here; a test checks that.
        self.transcript.dialect.sample(name).unwrap_or_else(|| unreachable!("no sample {name}"))
    }

    pub(super) fn record_ids(&self, scenario: ScenarioName) -> Vec<String> {
        let possible =
            self.transcript.emissions_of(scenario).filter(|emission| emission.unsupported.is_none());
        possible.map(|emission| emission.record_id.clone()).collect()
    }

    /// How long to wait for a sender that itself waits for an answer that never comes.
    pub(crate) fn patience(&self) -> Duration {
        let limits = self.transcript.limits;
        limits.timeout.max(limits.deadline)
    }
}

/// The error of a sender that declares a capability but answers its operation with an error.
pub(super) fn broken_capability(capability: Capability, why: &str) -> SubjectError {
    SubjectError::BrokenCapability(messages::capability_broken(capability.as_str(), why))
}
