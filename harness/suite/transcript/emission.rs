//! What a sender was made to do, and what came of it.
//!
//! Invariant: plain data; indices refer to the transcript's lists, which only grow.

use std::ops::Range;
use std::time::Duration;

use super::{AnswerForm, Conduct, ScenarioName};
use crate::webhook::event::Event;
use crate::webhook::signature::Secret;
use crate::wire::codec::FramingFault;
use crate::wire::exchange::ExchangeId;
use crate::wire::handshake::HandshakeEnd;

/// A webhook that was registered at a sender.
#[derive(Debug, Clone)]
pub struct RegisteredWebhook {
    /// What it belongs to.
    pub scenario: ScenarioName,
    /// The URL that was registered.
    pub url: String,
    /// Its secret, where it has one.
    pub secret: Option<Secret>,
    /// Its filter, where it has one.
    pub operations: Option<Vec<String>>,
    /// What its endpoint does with deliveries.
    pub conduct: Conduct,
    /// How many events had been emitted when it was registered.
    pub since: usize,
    /// Where the scenario itself deleted it (not merely cleared it away): how many events had been emitted before. Times
    /// would not tell: the event before a deletion and the one after it may fall into the same millisecond.
    pub deleted_after: Option<usize>,
    /// When its outcomes were asked for last, in milliseconds since the epoch.
    pub outcomes_at_ms: Option<u64>,
    /// Until when its endpoint was watched, in milliseconds since the epoch.
    pub watched_until_ms: u64,
    /// How many requests reached its endpoint beyond those that were kept.
    pub dropped: u64,
    /// Whether some of these may have carried an event that none of those kept carries.
    pub overflowed: bool,
}

/// An event that a sender was made to emit.
#[derive(Debug, Clone)]
pub struct Emission {
    /// What it belongs to.
    pub scenario: ScenarioName,
    /// The event, with a record id of its own.
    pub event: Event,
    pub record_id: String,
    /// When the sender was asked, in milliseconds since the epoch.
    pub asked_at_ms: u64,
    /// Whether it is the first one after a registration: that one shows SUB-1, and nothing else is judged by its
    /// absence.
    pub first: bool,
    /// Whether the record is that of the sample event, so that the body has the sample's shape.
    pub is_sample: bool,
    /// Whether the record has numbers that a double does not hold. PAY-7 alone judges what becomes of it.
    pub has_long_numbers: bool,
    /// The status that the endpoint answers it with.
    pub answer: u16,
    /// What that answer is otherwise.
    pub form: AnswerForm,
    /// Why the sender cannot let this event happen, where it says so.
    pub unsupported: Option<String>,
    /// How it was generated, where it was. Of generated events only those are here of which something came out otherwise
    /// than it should.
    pub generated: Option<Generated>,
    /// Whether its deliveries had all the time to arrive that they may take. Where not, a missing one tells nothing.
    pub awaited: bool,
}

/// How an event was generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// What all of its kind are, as a noun phrase in the plural.
    pub property: &'static str,
    /// In how many steps it was made smaller.
    pub steps: usize,
    /// What else is worth knowing of it, as the end of a sentence.
    pub what: Option<String>,
    /// The webhooks that were there for it, as indices into [`super::Transcript::webhooks`].
    pub webhooks: Range<usize>,
}

/// A request that reached an endpoint.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The webhook whose endpoint it reached, as an index into [`super::Transcript::webhooks`]; `None` at an endpoint that no
    /// webhook was registered for (the target of a redirect).
    pub webhook: Option<usize>,
    /// The request and what it was answered.
    pub exchange: ExchangeId,
    /// The events that it carries, as indices into [`super::Transcript::emissions`].
    pub carries: Vec<usize>,
    /// What the endpoint saw of it other than its bytes.
    pub traits: Traits,
}

/// What an endpoint saw of a request other than its bytes.
#[derive(Debug, Clone, Copy)]
pub struct Traits {
    /// When its first byte had arrived, in milliseconds since the epoch.
    pub began_ms: u64,
    /// How long the body was on the wire, transfer coding apart; what was kept of it may be shorter.
    pub body_length: u64,
    /// How long it had been whole when the sender ended the connection without having been answered.
    pub given_up_after: Option<Duration>,
}

/// What reached a webhook's endpoint and was no whole request.
#[derive(Debug, Clone)]
pub struct BrokenRequest {
    /// The webhook, as an index into [`super::Transcript::webhooks`].
    pub webhook: usize,
    /// What is wrong with its framing; `None` where it only did not come to its end.
    pub fault: Option<FramingFault>,
    /// What is wrong with it, and how it begins: a fragment of a sentence.
    pub what: String,
}

/// A connection to a webhook's HTTPS endpoint that came to no request.
#[derive(Debug, Clone)]
pub struct FailedHandshake {
    /// The webhook, as an index into [`super::Transcript::webhooks`].
    pub webhook: usize,
    /// When it ended, in milliseconds since the epoch.
    pub at_ms: u64,
    pub end: HandshakeEnd,
    /// The same in words: a whole clause.
    pub what: String,
}

/// What a sender reports of one delivery.
#[derive(Debug, Clone)]
pub struct SettledDelivery {
    /// The webhook, as an index into [`super::Transcript::webhooks`].
    pub webhook: usize,
    /// The record's id.
    pub record_id: String,
    /// Whether it was acknowledged.
    pub delivered: bool,
    /// The final status, where there was an answer.
    pub status: Option<u16>,
}
