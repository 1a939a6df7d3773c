//! What a sender was asked to do, and what arrived.
//!
//! Indices refer to the transcript's lists, which only grow.

use std::ops::Range;
use std::sync::OnceLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{AnswerForm, Conduct, ScenarioName};
use crate::constant::{self, Constant};
use crate::webhook::dialect::Dialect;
use crate::webhook::event::Event;
use crate::webhook::json::difference::Concern;
use crate::webhook::signature::Secret;
use crate::wire::codec::{FramingFault, WrongLength};
use crate::wire::exchange::ExchangeId;
use crate::wire::handshake::HandshakeEnd;

/// A webhook that was registered at a sender.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RegisteredWebhook {
    pub scenario: ScenarioName,
    pub url: String,
    #[serde(skip)]
    pub secret: Option<Secret>,
    /// The number of that secret among those that the run made, by which it is made again.
    pub made: Option<usize>,
    /// Its filter, if any.
    pub operations: Option<Vec<String>>,
    /// What its endpoint does with deliveries.
    pub conduct: Conduct,
    /// How many events had been emitted when it was registered.
    pub since: usize,
    /// How many events had been emitted when the scenario deleted it; `None` if it was only cleaned up at the end. A time would
    /// not do: the events before and after a deletion may fall into the same millisecond.
    pub deleted_after: Option<usize>,
    /// When its outcomes were last asked for, in milliseconds since the epoch.
    pub outcomes_at_ms: Option<u64>,
    /// Until when its endpoint was watched, in milliseconds since the epoch.
    pub watched_until_ms: u64,
    /// How many more requests reached its endpoint than were kept.
    pub dropped: u64,
    /// Whether a dropped request may have carried an event that no kept request carries.
    pub overflowed: bool,
}

/// An event that a sender was asked to emit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Emission {
    pub scenario: ScenarioName,
    /// The event, with its own record id.
    pub event: Event,
    pub record_id: String,
    /// When the sender was asked, in milliseconds since the epoch.
    pub asked_at_ms: u64,
    /// Whether it is the first one after a registration. If it does not arrive, only SUB-1 fails.
    pub first: bool,
    /// Whether the record is the sample event's, so that the body has the sample's shape.
    pub is_sample: bool,
    /// What the record is for. If it is not for its values, only the requirement on that concern judges it.
    pub concern: Concern,
    /// The status that the endpoint answers it with.
    pub answer: u16,
    /// What else is special about that answer.
    pub form: AnswerForm,
    /// Why the sender cannot emit this event, if it says so.
    pub unsupported: Option<String>,
    /// How it was generated, if it was. Only generated events that deviate are recorded.
    pub generated: Option<Generated>,
    /// Whether its deliveries had the full time to arrive. If not, a missing one shows nothing.
    pub awaited: bool,
}

impl Emission {
    /// Whether this is the same event: of the same record, with the same name.
    pub fn is(&self, other: &Self) -> bool {
        self.record_id == other.record_id && self.event.name == other.event.name
    }
}

/// How an event was generated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generated {
    /// What the property generates, as a plural noun phrase.
    #[serde(deserialize_with = "constant::read")]
    pub property: Constant,
    /// In how many steps it was shrunk.
    pub steps: usize,
    /// What is special about it, as the end of a sentence.
    pub what: Option<String>,
    /// Which parts of it matter, in a sentence, if that was found out.
    pub matters: Option<String>,
    /// The webhooks that it was emitted to, as indices into [`super::Transcript::webhooks`].
    pub webhooks: Range<usize>,
}

/// A request that reached an endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Arrival {
    /// The webhook whose endpoint it reached, as an index into [`super::Transcript::webhooks`]; `None` at an endpoint without a
    /// webhook, such as the target of a redirect.
    pub webhook: Option<usize>,
    /// The request and its answer.
    pub exchange: ExchangeId,
    /// The events that it carries, as indices into [`super::Transcript::emissions`].
    pub carries: Vec<usize>,
    pub traits: Traits,
    /// The dialect that its body shows, once it was asked for.
    #[serde(skip)]
    pub(crate) shown: OnceLock<Option<&'static Dialect>>,
}

/// What an endpoint saw of a request, apart from its bytes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Traits {
    /// When its first byte arrived, in milliseconds since the epoch.
    pub began_ms: u64,
    /// The length of the body on the wire, without transfer coding; less of it may be kept.
    pub body_length: u64,
    /// How long the sender waited after the whole request before it closed the connection unanswered.
    pub given_up_after: Option<Duration>,
    /// How its declared length is wrong, if bytes followed it that are no request.
    pub wrong_length: Option<WrongLength>,
}

/// Bytes that reached a webhook's endpoint but are not a whole request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BrokenRequest {
    /// The webhook, as an index into [`super::Transcript::webhooks`].
    pub webhook: usize,
    /// What is wrong with its framing; `None` if it is only incomplete.
    pub fault: Option<FramingFault>,
    /// What is wrong with it and how it begins, as a fragment.
    pub what: String,
}

/// A connection to a webhook's HTTPS endpoint that ended before a request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FailedHandshake {
    /// The webhook, as an index into [`super::Transcript::webhooks`].
    pub webhook: usize,
    /// When it ended, in milliseconds since the epoch.
    pub at_ms: u64,
    pub end: HandshakeEnd,
    /// The same in words, as a clause.
    pub what: String,
}

/// The outcome that a sender reports for one delivery.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SettledDelivery {
    /// The webhook, as an index into [`super::Transcript::webhooks`].
    pub webhook: usize,
    pub record_id: String,
    pub delivered: bool,
    /// The final status, if there was an answer.
    pub status: Option<u16>,
}
