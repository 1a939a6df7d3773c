//! Everything that happened in a run and everything that the scenarios knew, as data: what checks judge.
//!
//! Invariant: a check needs nothing else. No clock, no socket, no subject stands behind a transcript.

mod conduct;
mod emission;
mod exchanges;
mod keeper;
mod processing;
mod respect;
mod scenario;
mod trial;

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::webhook::dialect::Dialect;
use crate::webhook::signature::Secret;
use crate::wire::exchange::{Exchange, ExchangeId, Outcome, Trust};

pub use crate::subject::capability::Capability;
pub use crate::subject::observed::Observed;
pub use crate::wire::endpoint::scripted::uuids;
pub use crate::wire::exchange::LONGEST_BODY;
pub use crate::wire::handshake::{Certificate, HandshakeEnd};
pub use conduct::{AnswerForm, Conduct, MOVED};
pub use emission::{
    Arrival, BrokenRequest, Emission, FailedHandshake, Generated, RegisteredWebhook, SettledDelivery, Traits,
};
pub use exchanges::Exchanges;
pub use keeper::{Keeper, Kept};
pub use processing::{ProcessingKind, ProcessingTrial};
pub use respect::{Age, Part, Redating, Respect, Surrounding, TimestampForm};
pub use scenario::ScenarioName;
pub use trial::{Comparison, Tally, Trial};

/// A run, as far as it concerns the verdicts.
#[derive(Debug)]
pub struct Transcript {
    /// Who was tested.
    pub role: Role,
    /// Whether it is traffic that was only watched or recorded: no event in it was emitted by the suite, so that each
    /// delivery is judged by what it says itself.
    pub recorded: bool,
    /// The form of body that was asked for.
    pub dialect: &'static Dialect,
    /// The bounds that held.
    pub limits: Limits,
    /// The receiver's secret.
    pub secret: Option<Secret>,
    /// The receiver's URL; empty for senders.
    pub url: String,
    /// Whose certificates the receiver could show.
    pub trust: Trust,
    /// Every exchange.
    pub exchanges: Exchanges,
    /// What was tried on a receiver.
    pub trials: Vec<Trial>,
    /// How many generated cases came out as they should, beside the trials.
    pub tallies: Vec<Tally>,
    /// What was sent to see what a receiver takes in.
    pub processing: Vec<ProcessingTrial>,
    /// What a receiver says that it took in.
    pub observed: Vec<Observed>,
    /// How long refusals took, by how much of the signature was right.
    pub comparison: Option<Comparison>,
    /// What is worth knowing about how the run went.
    pub remarks: Vec<String>,
    /// A receiver that was started here and ended by itself: after which exchange, and how.
    pub deaths: Vec<(ExchangeId, String)>,
    /// The webhooks that were registered at a sender.
    pub webhooks: Vec<RegisteredWebhook>,
    /// The secrets that webhooks were to be registered with, whether they were or not.
    pub secrets: Vec<Secret>,
    /// The events that a sender was made to emit.
    pub emissions: Vec<Emission>,
    /// What reached an endpoint of ours from a sender.
    pub arrivals: Vec<Arrival>,
    /// What reached an endpoint of ours and was no whole request.
    pub broken: Vec<BrokenRequest>,
    /// What came to a webhook's endpoint behind HTTPS and did not get as far as a request.
    pub handshakes: Vec<FailedHandshake>,
    /// What a sender reported of its deliveries.
    pub settled: Vec<SettledDelivery>,
    /// What a sender declared, or a receiver was attached with.
    pub capabilities: BTreeSet<Capability>,
    /// How each scenario that was begun ended.
    pub endings: Vec<(ScenarioName, Ending)>,
    /// Time spent only to see that nothing more comes.
    pub waited: Duration,
    /// Who is told of it all while it goes on.
    pub keeper: Option<Keeper>,
    /// How many trials and processing it was told of.
    told: (usize, usize),
}

/// Who is tested, and whom a requirement binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Who sends deliveries.
    Sender,
    /// Who answers them.
    Receiver,
}

/// The bounds of a run.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long the client waits for an answer, and the suite for a reply (`--timeout`).
    pub timeout: Duration,
    /// Within which a delivery must have started after its event (`--deadline`, contract DLV-6).
    pub deadline: Duration,
    /// Within which a receiver should answer (contract RCV-7).
    pub prompt: Duration,
    /// Within which it should answer if it can (contract RCV-12).
    pub quick: Duration,
    /// How long the suite watches for what must not come: a second delivery, one after a deletion.
    pub quiet: Duration,
    /// How far two clocks may be apart.
    pub skew: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            deadline: Duration::from_secs(5),
            prompt: Duration::from_secs(5),
            quick: Duration::from_secs(1),
            quiet: Duration::from_millis(400),
            skew: Duration::from_secs(5),
        }
    }
}

/// How a scenario ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Everything was done that it consists of.
    Complete,
    /// The sender ended by itself in the middle: how.
    Died(String),
    /// The sender answered a request with an error, or not at all within the wait: what.
    Stuck(String),
    /// The sender does not keep what it declares: what it said.
    Unkept(String),
    /// The sender broke the attachment protocol: a quotation.
    Broke(String),
    /// It was not begun: why.
    Skipped(String),
}

impl Role {
    /// The word on the command line and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Receiver => "receiver",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Transcript {
    /// A transcript in which nothing has happened yet.
    pub fn new(role: Role, dialect: &'static Dialect, limits: Limits) -> Self {
        Self {
            role,
            recorded: false,
            dialect,
            limits,
            secret: None,
            url: String::new(),
            trust: Trust::System,
            exchanges: Exchanges::default(),
            trials: Vec::new(),
            tallies: Vec::new(),
            processing: Vec::new(),
            observed: Vec::new(),
            comparison: None,
            remarks: Vec::new(),
            deaths: Vec::new(),
            webhooks: Vec::new(),
            secrets: Vec::new(),
            emissions: Vec::new(),
            arrivals: Vec::new(),
            broken: Vec::new(),
            handshakes: Vec::new(),
            settled: Vec::new(),
            capabilities: BTreeSet::new(),
            endings: Vec::new(),
            waited: Duration::ZERO,
            keeper: None,
            told: (0, 0),
        }
    }

    /// Takes an exchange in and numbers it.
    pub fn record(&mut self, exchange: Exchange) -> ExchangeId {
        let id = self.exchanges.push(exchange);
        if let (Some(keeper), Some(exchange)) = (&self.keeper, self.exchanges.get(id)) {
            keeper.tell(Kept::Exchange(exchange));
        }
        id
    }

    /// Takes in a webhook that is about to be registered. Returns its index.
    pub fn register(&mut self, webhook: RegisteredWebhook) -> usize {
        if let (Some(keeper), Some(secret)) = (&self.keeper, &webhook.secret) {
            keeper.tell(Kept::Secret(secret));
        }
        self.webhooks.push(webhook);
        self.webhooks.len() - 1
    }

    /// Ends a scenario: what was tried in it is told, and what nothing refers to is let go of.
    pub fn close(&mut self) {
        let (trials, processing) = (&self.trials[self.told.0..], &self.processing[self.told.1..]);
        if let Some(keeper) = self.keeper.as_ref().filter(|_| !(trials.is_empty() && processing.is_empty())) {
            keeper.tell(Kept::Scenario { trials, processing });
        }
        self.told = (self.trials.len(), self.processing.len());
        self.release();
    }

    /// The exchange of that number, which a trial, a death or an arrival names.
    pub fn exchange(&self, id: ExchangeId) -> &Exchange {
        self.exchanges.get(id).unwrap_or_else(|| unreachable!("exchange {id} was released"))
    }

    /// Lets go of the exchanges that nothing refers to: those of generated cases that came out as they should.
    pub fn release(&mut self) {
        let trials =
            self.trials.iter().flat_map(|trial| trial.controls.iter().copied().chain([trial.exchange]));
        let deaths = self.deaths.iter().map(|(at, _)| *at);
        let arrivals = self.arrivals.iter().map(|arrival| arrival.exchange);
        let taken = self.processing.iter().flat_map(|trial| trial.exchanges.iter().copied());
        let compared = self.comparison.iter().flat_map(|comparison| comparison.shown_by.iter().copied());
        let named: HashSet<ExchangeId> =
            trials.chain(deaths).chain(arrivals).chain(taken).chain(compared).collect();
        self.exchanges.keep(&named);
    }

    /// What came of the exchange of that number.
    pub fn outcome(&self, id: ExchangeId) -> &Outcome {
        &self.exchange(id).outcome
    }

    /// Whether the exchange of that number was acknowledged.
    pub fn acknowledged(&self, id: ExchangeId) -> bool {
        self.outcome(id).acknowledges()
    }

    /// How a receiver ended at that exchange, if it did.
    pub fn death_at(&self, id: ExchangeId) -> Option<&str> {
        self.deaths.iter().find(|(at, _)| *at == id).map(|(_, how)| how.as_str())
    }

    /// What was tried in a scenario.
    pub fn trials_of(&self, scenario: ScenarioName) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(move |trial| trial.scenario == scenario)
    }

    /// How often a receiver took that in.
    pub fn times_observed(&self, wanted: &Observed) -> usize {
        self.observed.iter().filter(|observed| *observed == wanted).count()
    }

    /// How many generated cases of a scenario came out otherwise than they should, and how many there were.
    pub fn generated(&self, scenario: ScenarioName) -> (usize, usize) {
        let of_scenario = self.tallies.iter().filter(|tally| tally.scenario == scenario);
        of_scenario.fold((0, 0), |(deviating, cases), tally| {
            (deviating + tally.cases - tally.as_expected - tally.uncontrolled, cases + tally.cases)
        })
    }

    /// How many cases were tried in a scenario: fixed and generated ones, and what was sent to see what is processed or how
    /// long it takes.
    pub fn cases_of(&self, scenario: ScenarioName) -> usize {
        let fixed = self.trials_of(scenario).filter(|trial| !trial.generated).count();
        let processing = self.processing.iter().filter(|trial| trial.scenario == scenario).count();
        let compared = self.comparison.iter().filter(|comparison| comparison.scenario == scenario);
        let compared: usize = compared.map(|one| one.early.len() + one.late.len() + one.control.len()).sum();
        fixed + self.generated(scenario).1 + processing + compared
    }

    /// The webhooks of a scenario, with their indices, in the order of their registration.
    pub fn webhooks_of(&self, scenario: ScenarioName) -> impl Iterator<Item = (usize, &RegisteredWebhook)> {
        self.webhooks.iter().enumerate().filter(move |(_, webhook)| webhook.scenario == scenario)
    }

    /// The events emitted in a scenario.
    pub fn emissions_of(&self, scenario: ScenarioName) -> impl Iterator<Item = &Emission> {
        self.emissions.iter().filter(move |emission| emission.scenario == scenario)
    }

    /// Takes in what reached an endpoint, and finds out which events it carries.
    pub fn arrive(&mut self, webhook: Option<usize>, exchange: Exchange, traits: Traits) {
        let delivery = &exchange.delivery;
        // Where a redirect was followed without the body, the target tells.
        let mut carries: Vec<usize> = uuids(&delivery.body)
            .chain(uuids(delivery.target.as_bytes()))
            .filter_map(|id| self.emissions.iter().position(|emission| emission.record_id == id))
            .collect();
        // The id may stand in a body more than once; that is one event all the same.
        carries.sort_unstable();
        carries.dedup();
        let exchange = self.record(exchange);
        self.arrivals.push(Arrival { webhook, exchange, carries, traits });
    }

    /// What reached the endpoints of a scenario's webhooks, with the webhook of each, in the order in which the events
    /// were emitted: deliveries run side by side, and a report must not depend on which of them was faster.
    pub fn arrivals_in(
        &self,
        scenario: ScenarioName,
    ) -> impl Iterator<Item = (&RegisteredWebhook, &Arrival)> {
        let of_scenario = |arrival: &'_ &Arrival| {
            arrival.webhook.is_some_and(|webhook| self.webhooks[webhook].scenario == scenario)
        };
        let mut arrivals: Vec<&Arrival> = self.arrivals.iter().filter(of_scenario).collect();
        arrivals.sort_by_key(|arrival| (arrival.carries.first().copied(), arrival.webhook));
        arrivals.into_iter().filter_map(|arrival| Some((&self.webhooks[arrival.webhook?], arrival)))
    }

    /// The events of its scenario that a webhook was there for.
    pub fn emissions_to(&self, webhook: usize) -> impl Iterator<Item = &Emission> {
        let RegisteredWebhook { scenario, since, .. } = &self.webhooks[webhook];
        self.emissions[*since..].iter().filter(move |emission| emission.scenario == *scenario)
    }

    /// What carried an event to a webhook's endpoint, in the order of arrival; not what came there by a redirect.
    pub fn attempts(&self, webhook: usize, emission: &Emission) -> Vec<&Arrival> {
        let carries = |arrival: &&Arrival| {
            self.carried(arrival).any(|one| one.record_id == emission.record_id)
                && !self.exchange(arrival.exchange).delivery.target.starts_with(MOVED)
        };
        let here = self.arrivals.iter().filter(|arrival| arrival.webhook == Some(webhook));
        here.filter(carries).collect()
    }

    /// The numbers of what [`Transcript::attempts`] gives.
    pub fn deliveries(&self, webhook: usize, emission: &Emission) -> Vec<ExchangeId> {
        self.attempts(webhook, emission).into_iter().map(|arrival| arrival.exchange).collect()
    }

    /// What the sender reports of an event's delivery to a webhook, where it is settled.
    pub fn settled_of(&self, webhook: usize, emission: &Emission) -> Option<&SettledDelivery> {
        let mut settled = self.settled.iter();
        settled.find(|settled| settled.webhook == webhook && settled.record_id == emission.record_id)
    }

    /// The events that an arrival carries.
    pub fn carried(&self, arrival: &Arrival) -> impl Iterator<Item = &Emission> {
        arrival.carries.iter().map(|&at| &self.emissions[at])
    }

    /// How a scenario ended, if it was begun.
    pub fn ending(&self, scenario: ScenarioName) -> Option<&Ending> {
        self.endings.iter().find(|(other, _)| *other == scenario).map(|(_, ending)| ending)
    }
}
