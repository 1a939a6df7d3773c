//! The state of a run against a sender. It registers webhooks at endpoints, emits events, and records what arrives.
//!
//! Invariant: a wait ends as soon as its condition is met. To see that nothing arrives, the stage watches for a fixed time. What
//! nothing else happens in counts as waited.

mod arrivals;
mod crm;
mod emitting;
mod outcomes;
mod settling;
mod watches;

use std::cell::Cell;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;

use crate::clock::Clock;
use crate::random::Random;
use crate::subject::SubjectError;
use crate::subject::capability::Capability;
use crate::subject::protocol::{self, Hello, Op};
use crate::subject::sender::{Crm, Sender};
use crate::suite::max_time::MaxTime;
use crate::suite::property::Extent;
use crate::suite::sender::messages;
use crate::suite::transcript::{AnswerForm, Conduct, RegisteredWebhook, ScenarioName, Transcript};
use crate::webhook::dialect::Dialect;
use crate::webhook::event::Event;
use crate::webhook::json::difference::Concern;
use crate::webhook::signature::Secret;
use crate::wire::endpoint::certificates::Authority;
use crate::wire::endpoint::scripted::{Budget, Endpoint, Place, Settings, Strays};
pub(super) use crm::WasSet;
pub(super) use emitting::Planned;
use settling::Settling;
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
    /// What is special about the sender if it is a CRM.
    crm: Option<Crm>,
    /// The source of the ids of a CRM's records: other ones for each run, since records of an interrupted run may still be there.
    crm_ids: Option<Random>,
    /// Webhooks of earlier scenarios at a CRM, where each registration has a price. Later scenarios use them again.
    idle: Vec<Registered>,
    /// Whether only the calls are wanted: nothing arrives.
    pub(crate) rehearses: bool,
    /// When a registration of the scenario under way is in force.
    pub(super) settling: Settling,
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
    pub(super) secret: NewSecret,
    /// The filter, if any.
    pub(super) operations: Option<Vec<String>>,
    pub(super) conduct: Conduct,
}

/// The secret of a new webhook.
#[derive(PartialEq, Eq)]
pub(super) enum NewSecret {
    /// One of its own, which the stage makes.
    Made,
    Given(String),
    None,
}

impl NewWebhook {
    /// A webhook with a secret of its own, at an endpoint that answers.
    pub(super) fn signed() -> Self {
        Self { secret: NewSecret::Made, operations: None, conduct: Conduct::Answers }
    }

    pub(super) fn with_secret(secret: String) -> Self {
        Self { secret: NewSecret::Given(secret), ..Self::signed() }
    }

    /// The same webhook at another endpoint.
    pub(super) fn at(self, conduct: Conduct) -> Self {
        Self { conduct, ..self }
    }
}

/// What an event is emitted for.
#[derive(Clone, Copy)]
pub(in crate::suite::sender) enum Purpose {
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
        let place = Place::default();
        let settings = Settings { clock: clock.clone(), budget: Budget::of_a_run(), strays, patience, place };
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
            crm: None,
            crm_ids: None,
            idle: Vec::new(),
            rehearses: false,
            settling: Settling::default(),
        }
    }

    /// The stage with HTTPS endpoints whose certificates this authority signs.
    #[must_use]
    pub fn with_https(self, authority: &'a Authority) -> Self {
        Self { authority: Some(authority), ..self }
    }

    /// The stage with endpoints at this place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.settings.place = place;
        self
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
        let all = [
            Capability::Delete,
            Capability::Filters,
            Capability::Outcomes,
            Capability::Unsigned,
            Capability::MetadataEvents,
        ];
        let all = all.into_iter().chain(https);
        self.transcript.capabilities = all.filter(|one| hello.declares(*one)).collect();
        self.crm = self.subject.crm();
        let seed = self.extent.seed ^ self.clock.now_ms();
        self.crm_ids = self.crm.as_ref().map(|_| Random::from_seed(seed));
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
        self.register_as(scenario, NewWebhook::signed()).await
    }

    pub(super) async fn register_as(
        &mut self,
        scenario: ScenarioName,
        wanted: NewWebhook,
    ) -> Result<(), SubjectError> {
        if self.use_again(scenario, &wanted) {
            return Ok(());
        }
        let secret = match wanted.secret {
            NewSecret::Made => Some(self.random.secret()),
            NewSecret::Given(secret) => Some(secret),
            NewSecret::None => None,
        };
        let endpoint = self.endpoint(wanted.conduct).await?;
        // Webhooks share no path, so late deliveries for an earlier webhook do not count for a later one.
        let token = self.random.nonce();
        let (url, secret) = (endpoint.url(&format!("/hooks/{token}?{QUERY}")), secret.map(Secret::new));
        let operations = wanted.operations;
        let op =
            Op::CreateWebhook { url: url.clone(), secret: secret.clone(), operations: operations.clone() };
        // Before the call: the reply may quote the secret, and so may the sender's output.
        let seed = self.extent.seed;
        let made = secret.as_ref().map(|secret| self.transcript.make_secret(secret, seed));
        let answer = match self.call(op).await {
            Err(SubjectError::RequestFailed(why)) if operations.is_some() => {
                return Err(self.broken_capability(Capability::Filters, why));
            }
            Err(SubjectError::RequestFailed(why)) if secret.is_none() => {
                return Err(self.broken_capability(Capability::Unsigned, why));
            }
            answer => answer?,
        };
        let name = protocol::webhook_name(&answer)?;
        let since = self.transcript.emissions.len();
        self.tokens.push(token);
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
        self.settling.registered(self.clock.now_ms());
        self.registered.push(Registered { index, endpoint, name });
        Ok(())
    }

    /// Whether a registration takes time until it is in force, by the sender's own account or as it was measured.
    pub(super) fn settles(&self) -> bool {
        !self.transcript.settling.is_zero() || self.transcript.in_force.is_late()
    }

    /// The sample events that the sender can emit. Metadata events are a capability.
    pub(super) fn samples(&self) -> Vec<Event> {
        let mut samples = self.transcript.dialect.samples();
        samples.retain(|event| !event.name.is_metadata() || self.declares(Capability::MetadataEvents));
        samples
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

    /// The error of a sender that declares a capability but answers its operation with an error. If the API of a CRM fails, that says
    /// nothing about its webhooks.
    pub(super) fn broken_capability(&self, capability: Capability, why: String) -> SubjectError {
        if self.crm().is_some() {
            return SubjectError::RequestFailed(why);
        }
        SubjectError::BrokenCapability(messages::capability_broken(capability.as_str(), &why))
    }

    /// How long to wait for a sender that itself waits for an answer that never comes.
    pub(crate) fn patience(&self) -> Duration {
        let limits = self.transcript.limits;
        limits.timeout.max(limits.deadline)
    }
}
