//! Everything that happened in a run and everything that the scenarios knew, as data: what checks judge.
//!
//! Invariant: a check needs nothing else. No clock, no socket, no subject stands behind a transcript.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::dialect::Dialect;
use crate::event::Event;
use crate::exchange::{Exchange, ExchangeId, Outcome};
use crate::recipe::Recipe;
use crate::signature::Secret;

/// A run, as far as it concerns the verdicts.
#[derive(Debug)]
pub struct Transcript {
    /// Who was tested.
    pub role: Role,
    /// The form of body that was asked for.
    pub dialect: &'static Dialect,
    /// The bounds that held.
    pub limits: Limits,
    /// The receiver's secret.
    pub secret: Option<Secret>,
    /// The receiver's URL; empty for senders.
    pub url: String,
    /// Every exchange; the one with number N stands at N - 1.
    pub exchanges: Vec<Exchange>,
    /// What was tried on a receiver.
    pub trials: Vec<Trial>,
    /// A receiver that was started here and ended by itself: after which exchange, and how.
    pub deaths: Vec<(ExchangeId, String)>,
    /// The webhooks that were registered at a sender.
    pub webhooks: Vec<Webhook>,
    /// The events that a sender was made to emit.
    pub emissions: Vec<Emission>,
    /// What reached an endpoint of ours from a sender.
    pub arrivals: Vec<Arrival>,
    /// What a sender reported of its deliveries.
    pub settled: Vec<Settled>,
    /// What a sender declared.
    pub capabilities: BTreeSet<Capability>,
    /// How each scenario that was begun ended.
    pub endings: Vec<(Scenario, Ending)>,
    /// Time spent only to see that nothing more comes.
    pub waited: Duration,
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

/// What is done to a subject. Scenarios are few; each feeds several checks. How each is done stands under `scenario/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scenario {
    /// Receiver: every sample event, correctly signed.
    Genuine,
    /// Receiver: events, objects and members that it does not know.
    Unfamiliar,
    /// Receiver: header names in other cases.
    HeaderCase,
    /// Receiver: many deliveries at the same time.
    Concurrent,
    /// Receiver: `Content-Type` with a parameter.
    ContentType,
    /// Receiver: bodies in chunks and in segments, several deliveries on one connection.
    Framing,
    /// Receiver: a body of 256 KiB.
    Body256KiB,
    /// Receiver: a body of 1 MiB.
    Body1MiB,
    /// Receiver: bodies that grow until one is refused.
    BodyLimit,
    /// Receiver: the same content again, signed anew.
    Repeated,
    /// Receiver: JSON as `JSON.stringify` writes it.
    JavascriptJson,
    /// Receiver: a lone surrogate, escaped.
    LoneSurrogate,
    /// Receiver: JSON as other programs may write it.
    OtherSpelling,
    /// Receiver: the body of the other dialect.
    OtherDialect,
    /// Receiver: content changed under the old signature.
    AlteredContent,
    /// Receiver: the timestamp header changed under the old signature.
    AlteredTimestamp,
    /// Receiver: signed under another key.
    WrongKey,
    /// Receiver: a header missing or empty.
    MissingHeader,
    /// Receiver: signed over something else.
    OtherMessage,
    /// Receiver: another algorithm or form of digest.
    OtherDigest,
    /// Receiver: something beside the digits of the signature.
    Surrounded,
    /// Receiver: signatures of other lengths, and of bytes that are no digits.
    SignatureLength,
    /// Receiver: timestamps that are not digits only.
    TimestampForm,
    /// Receiver: correctly signed, and too old or from the future.
    Stale,
    /// Receiver: correctly signed, and up to a minute off.
    Recent,
    /// Receiver: correctly signed, and no delivery.
    Malformed,
    /// Receiver: unsigned, malformed beside well-formed.
    UnsignedMalformed,
    /// Receiver: request methods other than POST.
    OtherMethod,
    /// Receiver: unsigned requests with something that might let them in.
    BackDoor,
    /// Receiver: the same content in another spelling under the old signature.
    Respelled,
    /// Receiver that refuses the plain genuine delivery: every known way of signing, to find the one it expects.
    Diagnosis,
    /// Sender: one webhook, every sample event and one record of every kind of value.
    EveryEvent,
    /// Sender: three webhooks with secrets of their own.
    SeveralWebhooks,
    /// Sender: one webhook is deleted while another stays.
    Deletion,
    /// Sender: an endpoint that answers with every status from 200 to 299.
    Acknowledged,
    /// Sender: an endpoint that answers with statuses of the other classes.
    NotAcknowledged,
}

impl Scenario {
    /// What is done, for `explain`.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Genuine => "every sample event of the dialect, correctly signed",
            Self::Unfamiliar => {
                "correctly signed deliveries of an unknown event, an unknown object, and with unknown members"
            }
            Self::HeaderCase => "a genuine delivery with its header names in lower, upper and mixed case",
            Self::Concurrent => "64 genuine deliveries at the same time, each on a connection of its own",
            Self::ContentType => "a genuine delivery with Content-Type: application/json; charset=utf-8",
            Self::Framing => {
                "genuine deliveries in chunks, in segments, split inside a character, and several on one connection"
            }
            Self::Body256KiB => "a genuine delivery of 256 KiB",
            Self::Body1MiB => "a genuine delivery of 1 MiB",
            Self::BodyLimit => {
                "genuine deliveries that double in size up to 16 MiB, and the first that is refused again in chunks"
            }
            Self::Repeated => "the same content again under a new timestamp and signature",
            Self::JavascriptJson => "genuine deliveries with whatever JSON.stringify can write",
            Self::LoneSurrogate => "a genuine delivery with the escape of a lone surrogate",
            Self::OtherSpelling => {
                "genuine deliveries with white space, other orders, other escapes, other numbers, duplicate keys"
            }
            Self::OtherDialect => "a genuine delivery in the other dialect's form",
            Self::Surrounded => {
                "the right digits with something before or behind them, and beside a second signature header"
            }
            Self::SignatureLength => {
                "signatures of 0, 1, 63, 65 and 200 digits, and of 64 bytes beyond ASCII"
            }
            Self::TimestampForm => {
                "deliveries correctly signed under timestamps that are not digits only, and text moved over the colon"
            }
            Self::Stale => "deliveries correctly signed for a day ago, for tomorrow, and in seconds",
            Self::Recent => "deliveries correctly signed for up to a minute ago or ahead",
            Self::Malformed => "correctly signed bodies that are no deliveries",
            Self::UnsignedMalformed => "unsigned requests, malformed beside well-formed",
            Self::OtherMethod => "a signed delivery by GET, PUT, PATCH and DELETE",
            Self::BackDoor => {
                "unsigned deliveries that claim a local address, carry the secret itself, or are called a ping"
            }
            Self::Respelled => "the same content in another spelling under the old signature",
            Self::AlteredContent => {
                "a genuine delivery whose body was changed behind the signature: a value, a member more, \
                 a member less, cut short"
            }
            Self::AlteredTimestamp => {
                "a genuine delivery whose timestamp header was changed behind the signature: a millisecond later, \
                 a minute earlier, with a zero before it"
            }
            Self::WrongKey => {
                "deliveries signed under another secret, the empty key, and the secret decoded or in other case"
            }
            Self::MissingHeader => "deliveries whose signature, timestamp or both are missing or empty",
            Self::OtherMessage => {
                "deliveries signed over the body alone, the timestamp alone, with another separator, \
                 over the payload stringified twice, and with the signature of another delivery"
            }
            Self::OtherDigest => {
                "deliveries signed with SHA-1, SHA-512, plain SHA-256, in base64, cut short, and with zeros"
            }
            Self::Diagnosis => "deliveries signed in every known wrong way, to find the one that is expected",
            Self::EveryEvent => {
                "one webhook without a filter; every sample event and a record with every kind of value is emitted"
            }
            Self::SeveralWebhooks => "three webhooks with secrets of their own; several events are emitted",
            Self::Deletion => "two webhooks, one of which is deleted between two events",
            Self::Acknowledged => "an endpoint that answers each event with another status from 200 to 299",
            Self::NotAcknowledged => {
                "an endpoint that answers with redirects (to another endpoint), client errors and server errors"
            }
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
    /// The sender broke the attachment protocol: a quotation.
    Broke(String),
    /// It was not begun: why.
    Skipped(String),
}

/// One thing tried on a receiver.
#[derive(Debug, Clone)]
pub struct Trial {
    /// What it belongs to.
    pub scenario: Scenario,
    /// What was sent, as a noun phrase: "a delivery signed over the body alone".
    pub what: String,
    /// In which respect it differs from its twins.
    pub respect: Respect,
    /// What came of it.
    pub exchange: ExchangeId,
    /// Plain genuine deliveries: the one before it, and for negatives also the one behind it.
    pub twins: Vec<ExchangeId>,
}

/// In which one respect a trial differs from a plain genuine delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Respect {
    /// In none: it is correctly signed, and to be acknowledged.
    Genuine,
    /// In its form, which HTTP and JSON leave open: which. It is correctly signed, and to be acknowledged.
    Form(&'static str),
    /// In something beside the digits of its signature: what.
    Surrounded(&'static str),
    /// In the form of its timestamp, under which it is correctly signed: which.
    TimestampForm(&'static str),
    /// In its age: how old.
    Stale(&'static str),
    /// In its age, which is negative.
    Future,
    /// In that it is no delivery: what it is.
    Malformed(&'static str),
    /// In its request method.
    Method,
    /// In that it is unsigned and tries another way in: which.
    BackDoor(&'static str),
    /// In the spelling of its body, under the twin's signature: which.
    Respelled(&'static str),
    /// In its body, under the twin's signature.
    Content,
    /// In its timestamp header, under the twin's signature.
    Timestamp,
    /// In how it is signed.
    Signed(Recipe),
    /// In timestamp and signature, which are those of another delivery.
    Borrowed,
    /// In that it has no signature, or an empty one.
    Unsigned,
    /// In that it has no timestamp, or an empty one.
    Undated,
}

/// A webhook that was registered at a sender.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// What it belongs to.
    pub scenario: Scenario,
    /// The URL that was registered.
    pub url: String,
    /// Its secret.
    pub secret: Secret,
    /// When its deletion had been answered, in milliseconds since the epoch, where it was deleted by the scenario
    /// itself (not merely cleared away).
    pub deleted_at_ms: Option<u64>,
}

/// An event that a sender was made to emit.
#[derive(Debug, Clone)]
pub struct Emission {
    /// What it belongs to.
    pub scenario: Scenario,
    /// The event, with a record id of its own.
    pub event: Event,
    /// That id.
    pub record_id: String,
    /// When the sender was asked, in milliseconds since the epoch.
    pub asked_at_ms: u64,
    /// Whether it is the first one behind a registration: that one shows SUB-1, and nothing else is judged by its
    /// absence.
    pub first: bool,
    /// Whether the record is that of the sample event, so that the body has the sample's shape.
    pub is_sample: bool,
    /// The status that the endpoint answers it with.
    pub answer: u16,
    /// Why the sender cannot let this event happen, where it says so.
    pub unsupported: Option<String>,
}

/// A request that reached an endpoint.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The webhook whose endpoint it reached, as an index into [`Transcript::webhooks`]; `None` at an endpoint that no
    /// webhook was registered for (the target of a redirect).
    pub webhook: Option<usize>,
    /// The request and what it was answered.
    pub exchange: ExchangeId,
    /// The events that it carries, as indices into [`Transcript::emissions`].
    pub carries: Vec<usize>,
}

/// What a sender reports of one delivery.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The webhook, as an index into [`Transcript::webhooks`].
    pub webhook: usize,
    /// The record's id.
    pub record_id: String,
    /// Whether it was acknowledged.
    pub delivered: bool,
    /// The final status, where there was an answer.
    pub status: Option<u16>,
}

/// What a sender can declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// Webhooks can be deleted.
    Delete,
    /// Webhooks take filters.
    Filters,
    /// The outcomes of deliveries can be asked for.
    Outcomes,
    /// Webhooks can do without a secret.
    Unsigned,
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

impl Capability {
    /// The word of the attachment protocol.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Filters => "filters",
            Self::Outcomes => "outcomes",
            Self::Unsigned => "unsigned",
        }
    }
}

impl Transcript {
    /// A transcript in which nothing has happened yet.
    pub fn new(role: Role, dialect: &'static Dialect, limits: Limits) -> Self {
        Self {
            role,
            dialect,
            limits,
            secret: None,
            url: String::new(),
            exchanges: Vec::new(),
            trials: Vec::new(),
            deaths: Vec::new(),
            webhooks: Vec::new(),
            emissions: Vec::new(),
            arrivals: Vec::new(),
            settled: Vec::new(),
            capabilities: BTreeSet::new(),
            endings: Vec::new(),
            waited: Duration::ZERO,
        }
    }

    /// Takes an exchange in and numbers it.
    pub fn record(&mut self, mut exchange: Exchange) -> ExchangeId {
        exchange.id = ExchangeId(self.exchanges.len() + 1);
        let id = exchange.id;
        self.exchanges.push(exchange);
        id
    }

    /// The exchange of that number. Numbers come from [`Transcript::record`], so it is there.
    pub fn exchange(&self, id: ExchangeId) -> &Exchange {
        &self.exchanges[id.0 - 1]
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
    pub fn trials_of(&self, scenario: Scenario) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(move |trial| trial.scenario == scenario)
    }

    /// The webhooks of a scenario, with their indices, in the order of their registration.
    pub fn webhooks_of(&self, scenario: Scenario) -> impl Iterator<Item = (usize, &Webhook)> {
        self.webhooks.iter().enumerate().filter(move |(_, webhook)| webhook.scenario == scenario)
    }

    /// The events emitted in a scenario.
    pub fn emissions_of(&self, scenario: Scenario) -> impl Iterator<Item = &Emission> {
        self.emissions.iter().filter(move |emission| emission.scenario == scenario)
    }

    /// Takes in what reached an endpoint, and finds out which events it carries.
    pub fn arrive(&mut self, webhook: Option<usize>, exchange: Exchange) {
        let mut carries: Vec<usize> = uuids(&exchange.delivery.body)
            .filter_map(|id| self.emissions.iter().position(|emission| emission.record_id == id))
            .collect();
        // The id may stand in a body more than once; that is one event all the same.
        carries.sort_unstable();
        carries.dedup();
        let exchange = self.record(exchange);
        self.arrivals.push(Arrival { webhook, exchange, carries });
    }

    /// What reached the endpoints of a scenario's webhooks, with the webhook of each, in the order in which the events
    /// were emitted: deliveries run side by side, and a report must not depend on which of them was faster.
    pub fn arrivals_in(&self, scenario: Scenario) -> impl Iterator<Item = (&Webhook, &Arrival)> {
        let of_scenario = |arrival: &'_ &Arrival| {
            arrival.webhook.is_some_and(|webhook| self.webhooks[webhook].scenario == scenario)
        };
        let mut arrivals: Vec<&Arrival> = self.arrivals.iter().filter(of_scenario).collect();
        arrivals.sort_by_key(|arrival| (arrival.carries.first().copied(), arrival.webhook));
        arrivals.into_iter().filter_map(|arrival| Some((&self.webhooks[arrival.webhook?], arrival)))
    }

    /// What carried an event to a webhook's endpoint.
    pub fn deliveries(&self, webhook: usize, emission: &Emission) -> Vec<ExchangeId> {
        let carries =
            |arrival: &&Arrival| self.carried(arrival).any(|one| one.record_id == emission.record_id);
        let here = self.arrivals.iter().filter(|arrival| arrival.webhook == Some(webhook));
        here.filter(carries).map(|arrival| arrival.exchange).collect()
    }

    /// The events that an arrival carries.
    pub fn carried(&self, arrival: &Arrival) -> impl Iterator<Item = &Emission> {
        arrival.carries.iter().map(|&at| &self.emissions[at])
    }

    /// How a scenario ended, if it was begun.
    pub fn ending(&self, scenario: Scenario) -> Option<&Ending> {
        self.endings.iter().find(|(other, _)| *other == scenario).map(|(_, ending)| ending)
    }
}

/// The UUIDs that stand in a body. The suite's record ids are UUIDs of its own, so they tell which events a body carries
/// whatever else it is: no JSON, form-encoded, several events at once.
pub fn uuids(body: &[u8]) -> impl Iterator<Item = &str> {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    body.windows(36).filter_map(|window| {
        let is_dash = |at: usize| window[at] == b'-';
        let fits = |(at, byte): (usize, &u8)| {
            if DASHES.contains(&at) { is_dash(at) } else { byte.is_ascii_hexdigit() }
        };
        // The dashes first: they rule out nearly every place with one look.
        (DASHES.into_iter().all(is_dash) && window.iter().enumerate().all(fits))
            .then(|| std::str::from_utf8(window).ok())
            .flatten()
    })
}
