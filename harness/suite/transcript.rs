//! Everything that happened in a run, as data for the checks.
//!
//! A check needs nothing else: a transcript refers to no clock, socket or subject.

mod answers;
mod arrivals;
mod conduct;
mod emission;
mod exchanges;
mod form;
mod keeper;
mod made;
mod messages;
mod processing;
mod respect;
mod scenario;
mod times;
mod trial;

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::constant::Constant;
use crate::webhook::dialect::Dialect;
use crate::webhook::manner::Manner;
use crate::webhook::signature::Secret;
use crate::wire::exchange::{Exchange, ExchangeId, Trust};

pub use crate::subject::capability::Capability;
pub use crate::subject::observed::{Observations, Observed};
pub use crate::wire::exchange::LONGEST_BODY;
pub use crate::wire::handshake::{Certificate, HandshakeEnd};
pub use crate::wire::uuids::uuids;
pub use answers::Leaks;
pub use conduct::{AnswerForm, Conduct, MOVED};
pub use emission::{
    Arrival, BrokenRequest, Emission, FailedHandshake, Generated, RegisteredWebhook, SettledDelivery, Traits,
};
pub use exchanges::{Answers, Exchanges};
pub use form::{ReadTranscript, WrittenTranscript};
pub use keeper::{Keeper, Kept};
pub use made::SealedSecret;
pub use messages::shifted;
pub use processing::{ProcessingKind, ProcessingTrial};
pub use respect::{Age, Part, Redating, Respect, Surrounding, TimestampForm};
pub use scenario::ScenarioName;
pub use times::{AnswerTimes, InForce};
pub use trial::{Comparison, Deviation, GeneratedCase, Tally, Trial};

/// What dialect `auto` found out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// The dialect that was refused while the chosen one was accepted, and the answer to it.
    #[serde(default, deserialize_with = "form::refused")]
    pub refused: Option<(Constant, ExchangeId)>,
}

/// What happened in a run, as far as verdicts depend on it. Its JSON form has everything but the secrets and the exchanges.
#[derive(Debug, Serialize, Deserialize)]
pub struct Transcript {
    pub role: Role,
    /// Whether this is recorded or watched traffic. The suite emitted none of its events, so each delivery is judged by itself.
    pub recorded: bool,
    #[serde(with = "form::dialect")]
    pub dialect: &'static Dialect,
    /// How the deliveries to a receiver were made.
    pub manner: Manner,
    /// How the dialect was found out; `None` if an option named it.
    pub chosen: Option<Chosen>,
    pub limits: Limits,
    /// The receiver's secret.
    #[serde(skip)]
    pub secret: Option<Secret>,
    /// Whether there was one, which this transcript lacks because it was read from a file.
    #[serde(skip)]
    withheld_secret: bool,
    /// The receiver's URL; empty for senders.
    pub url: String,
    /// Which certificates of the receiver were trusted.
    pub trust: Trust,
    #[serde(skip)]
    pub exchanges: Exchanges,
    /// What was tried on a receiver.
    pub trials: Vec<Trial>,
    /// How many generated cases there were, in addition to the trials.
    pub tallies: Vec<Tally>,
    /// What was sent to see which deliveries a receiver processes.
    pub processing: Vec<ProcessingTrial>,
    /// What a receiver reports as processed.
    pub observed: Observations,
    /// How long rejections took, by how much of the signature was right.
    pub comparison: Option<Comparison>,
    /// Notes on how the run went.
    pub remarks: Vec<String>,
    /// Each exit of a receiver that the suite started: after which exchange, and how.
    pub deaths: Vec<(ExchangeId, String)>,
    /// What a receiver that the suite started had written last when it answered 5xx.
    pub complaints: Vec<(ExchangeId, Vec<String>)>,
    /// What matters in a generated case, in a sentence, by its exchange.
    pub matters: Vec<(ExchangeId, String)>,
    /// The webhooks that were registered at a sender.
    pub webhooks: Vec<RegisteredWebhook>,
    /// The secrets of all webhooks, including those whose registration failed, and what else no report may have.
    #[serde(skip)]
    pub secrets: Vec<Secret>,
    /// The secrets that the run made, by their numbers.
    pub made: Vec<SealedSecret>,
    /// The events that a sender was asked to emit.
    pub emissions: Vec<Emission>,
    /// The requests that reached the suite's endpoints.
    pub arrivals: Vec<Arrival>,
    /// What reached the suite's endpoints but was not a whole request.
    pub broken: Vec<BrokenRequest>,
    /// Connections to HTTPS endpoints that ended before a request.
    pub handshakes: Vec<FailedHandshake>,
    /// The outcomes that a sender reported for its deliveries.
    pub settled: Vec<SettledDelivery>,
    /// The capabilities that a sender declared, or that a receiver was attached with.
    pub capabilities: BTreeSet<Capability>,
    /// Whether the program under test could not be reached or started, so that nothing was tried.
    pub unreached: bool,
    /// Whether the run stopped early, because no delivery reaches the receiver.
    pub stopped: bool,
    /// How each scenario ended.
    pub endings: Vec<(ScenarioName, Ending)>,
    /// How long a registration or a deletion takes to be in force, by the sender's own account.
    pub settling: Duration,
    #[serde(default)]
    pub in_force: InForce,
    /// Time spent waiting to see that nothing more arrives.
    pub waited: Duration,
    /// Records everything while the run runs.
    #[serde(skip)]
    pub keeper: Option<Keeper>,
    /// How many trials and processing trials the keeper has.
    #[serde(skip)]
    kept: (usize, usize),
}

/// The two ends of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Sender,
    Receiver,
}

/// The time limits of a run.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Limits {
    /// How long to wait for an answer of a receiver or a reply of a sender (`--timeout`).
    pub timeout: Duration,
    /// How soon after its event a delivery must start (`--deadline`, contract DLV-6).
    pub deadline: Duration,
    /// How soon a receiver should answer (contract RCV-7).
    pub prompt: Duration,
    /// How soon a receiver ideally answers (contract RCV-12).
    pub quick: Duration,
    /// How long to watch for deliveries that must not come, such as one after a deletion.
    pub quiet: Duration,
    /// How far the two clocks may differ.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// It ran to its end.
    Complete,
    /// The sender exited during the scenario: how.
    Died(String),
    /// The sender answered a request with an error, or did not answer in time: what.
    RequestFailed(String),
    /// The sender declared a capability that does not work: what it said.
    BrokenCapability(String),
    /// The sender violated the attachment protocol: what it sent.
    ProtocolViolation(String),
    /// It did not run: why.
    Skipped(String),
    /// The run's time, which is given here, was used up before or during the scenario.
    OutOfTime(Duration),
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
    pub fn new(role: Role, dialect: &'static Dialect, limits: Limits) -> Self {
        Self {
            role,
            recorded: false,
            dialect,
            manner: Manner::CONTRACT,
            chosen: None,
            limits,
            secret: None,
            withheld_secret: false,
            url: String::new(),
            trust: Trust::System,
            exchanges: Exchanges::default(),
            trials: Vec::new(),
            tallies: Vec::new(),
            processing: Vec::new(),
            observed: Observations::default(),
            comparison: None,
            remarks: Vec::new(),
            deaths: Vec::new(),
            complaints: Vec::new(),
            matters: Vec::new(),
            webhooks: Vec::new(),
            secrets: Vec::new(),
            made: Vec::new(),
            emissions: Vec::new(),
            arrivals: Vec::new(),
            broken: Vec::new(),
            handshakes: Vec::new(),
            settled: Vec::new(),
            capabilities: BTreeSet::new(),
            unreached: false,
            stopped: false,
            endings: Vec::new(),
            settling: Duration::ZERO,
            in_force: InForce::default(),
            waited: Duration::ZERO,
            keeper: None,
            kept: (0, 0),
        }
    }

    /// The transcript of what follows this one. The numbers of exchanges go on.
    pub fn following(&self) -> Self {
        let mut next = Self::new(self.role, self.dialect, self.limits);
        next.secret.clone_from(&self.secret);
        next.url.clone_from(&self.url);
        next.trust = self.trust.clone();
        next.exchanges = self.exchanges.following();
        next.keeper.clone_from(&self.keeper);
        next
    }

    /// Goes on in a dialect that was found out.
    pub fn choose(&mut self, dialect: &'static Dialect, chosen: Chosen) {
        (self.dialect, self.chosen) = (dialect, Some(chosen));
        if let Some(keeper) = &self.keeper {
            keeper.keep(Kept::Dialect(dialect.name));
        }
    }

    /// Records an exchange and numbers it.
    pub fn record(&mut self, exchange: Exchange) -> ExchangeId {
        self.record_part(exchange, 0)
    }

    /// The same for a request of whose body this many bytes are missing.
    fn record_part(&mut self, exchange: Exchange, body_cut: u64) -> ExchangeId {
        let id = match self.role {
            Role::Receiver => self.exchanges.push_answered(exchange, self.secret.as_ref(), &self.manner),
            // The answers are the suite's own.
            Role::Sender => self.exchanges.push(exchange),
        };
        if let (Some(keeper), Some(exchange)) = (&self.keeper, self.exchanges.get(id)) {
            keeper.keep(Kept::Exchange { exchange, body_cut });
        }
        id
    }

    /// Has a secret redacted from now on.
    pub fn hide(&mut self, secret: &Secret) {
        self.secrets.push(secret.clone());
        if let Some(keeper) = &self.keeper {
            keeper.keep(Kept::Secret(secret));
        }
    }

    /// Records a webhook that was registered. Returns its index.
    pub fn register(&mut self, webhook: RegisteredWebhook) -> usize {
        self.webhooks.push(webhook);
        self.webhooks.len() - 1
    }

    /// Ends a scenario: hands its trials to the keeper, and releases exchanges that nothing refers to.
    pub fn close(&mut self) {
        let (trials, processing) = (&self.trials[self.kept.0..], &self.processing[self.kept.1..]);
        if let Some(keeper) = self.keeper.as_ref().filter(|_| !(trials.is_empty() && processing.is_empty())) {
            let provisional = self.manner != Manner::CONTRACT;
            keeper.keep(Kept::Scenario { trials, processing, provisional });
        }
        self.kept = (self.trials.len(), self.processing.len());
        self.release();
    }

    /// The exchange with this number, which a trial, a death or an arrival must refer to.
    pub fn exchange(&self, id: ExchangeId) -> &Exchange {
        self.exchanges.get(id).unwrap_or_else(|| unreachable!("exchange {id} was released"))
    }

    /// Releases the exchanges that nothing refers to: those of generated cases that went as expected.
    pub fn release(&mut self) {
        let trials =
            self.trials.iter().flat_map(|trial| trial.controls.iter().copied().chain([trial.exchange]));
        let deaths = self.deaths.iter().map(|(at, _)| *at);
        let arrivals = self.arrivals.iter().map(|arrival| arrival.exchange);
        let processed = self.processing.iter().flat_map(|trial| trial.exchanges.iter().copied());
        let compared = self.comparison.iter().flat_map(|comparison| comparison.shown_by.iter().copied());
        let refused = self.chosen.and_then(|chosen| chosen.refused).map(|(_, id)| id);
        let named: HashSet<ExchangeId> =
            trials.chain(deaths).chain(arrivals).chain(processed).chain(compared).chain(refused).collect();
        self.exchanges.keep(&named);
    }

    /// How the receiver exited at this exchange, if it did.
    pub fn death_at(&self, id: ExchangeId) -> Option<&str> {
        self.deaths.iter().find(|(at, _)| *at == id).map(|(_, how)| how.as_str())
    }

    /// The scenario that an exchange with a receiver belongs to, as far as its trials show.
    pub fn scenario_of(&self, id: ExchangeId) -> Option<ScenarioName> {
        let of_trial = |trial: &&Trial| trial.exchange == id || trial.controls.contains(&id);
        let processed = || self.processing.iter().find(|trial| trial.exchanges.contains(&id));
        let trial = self.trials.iter().find(of_trial).map(|trial| trial.scenario);
        trial.or_else(|| processed().map(|trial| trial.scenario))
    }

    pub fn trials_of(&self, scenario: ScenarioName) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(move |trial| trial.scenario == scenario)
    }

    /// How often the receiver processed this.
    pub fn times_observed(&self, wanted: &Observed) -> usize {
        self.observed.times(wanted)
    }

    /// How many generated cases of a scenario deviated, and how many there were.
    pub fn generated(&self, scenario: ScenarioName) -> (usize, usize) {
        let of_scenario = self.tallies.iter().filter(|tally| tally.scenario == scenario);
        of_scenario.fold((0, 0), |(deviating, cases), tally| {
            (deviating + tally.cases - tally.as_expected - tally.uncontrolled, cases + tally.cases)
        })
    }

    /// How many cases a scenario had: fixed and generated ones, processing trials, and timed deliveries.
    pub fn cases_of(&self, scenario: ScenarioName) -> usize {
        let fixed = self.trials_of(scenario).filter(|trial| !trial.generated).count();
        let processing = self.processing.iter().filter(|trial| trial.scenario == scenario).count();
        let compared = self.comparison.iter().filter(|comparison| comparison.scenario == scenario);
        let compared: usize = compared.map(|one| one.early.len() + one.late.len() + one.control.len()).sum();
        // A delivery may be a trial in both ways.
        fixed.max(processing) + self.generated(scenario).1 + compared
    }

    /// Changes how a scenario ended that was complete except for its generated cases.
    pub fn cut_short(&mut self, scenario: ScenarioName, how: Ending) {
        let complete =
            |(name, ending): &&mut (ScenarioName, Ending)| *name == scenario && *ending == Ending::Complete;
        if let Some((_, ending)) = self.endings.iter_mut().find(complete) {
            *ending = how;
        }
    }

    /// How a scenario ended, if it ran.
    pub fn ending(&self, scenario: ScenarioName) -> Option<&Ending> {
        self.endings.iter().find(|(other, _)| *other == scenario).map(|(_, ending)| ending)
    }
}
