//! What is tried on a receiver.
//!
//! Invariant: a trial differs from its twins in the one respect that it names.

use std::time::Duration;

use serde::Serialize;

use super::ScenarioName;
use crate::webhook::recipe::Recipe;
use crate::wire::exchange::ExchangeId;

/// One thing tried on a receiver.
#[derive(Debug, Clone)]
pub struct Trial {
    /// What it belongs to.
    pub scenario: ScenarioName,
    /// What was sent, as a noun phrase: "a delivery signed over the body alone".
    pub what: String,
    /// In which respect it differs from its twins.
    pub respect: Respect,
    /// Whether it was generated: of generated cases only those that tell something are trials.
    pub generated: bool,
    /// What came of it.
    pub exchange: ExchangeId,
    /// Plain genuine deliveries: the one before it, and for negatives also the one behind it.
    pub controls: Vec<ExchangeId>,
}

/// In which one respect a trial differs from a plain genuine delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Respect {
    /// In none: it is correctly signed, and to be acknowledged.
    Valid,
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
    Reformatted(&'static str),
    /// In its body, under the twin's signature: which part of it.
    Content(&'static str),
    /// In a further member `secret` of its body, under the twin's signature.
    SecretMember,
    /// In its timestamp header, under the twin's signature: how.
    Timestamp(&'static str),
    /// In how it is signed.
    Signed(Recipe),
    /// In the key that it is signed with: which.
    Key(&'static str),
    /// In the key, which is one that programs fall back to: which.
    DefaultSecret(&'static str),
    /// In the header that its signature or timestamp stands in, and in how it is signed: which.
    Header(&'static str, Recipe),
    /// In the digits of its signature: how.
    Digits(&'static str),
    /// In timestamp and signature, which are those of another delivery.
    Borrowed,
    /// In that it has no signature, or an empty one.
    Unsigned,
    /// In that it has no timestamp, or an empty one.
    Undated,
}

/// The generated cases of one property, beside those of them that are trials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// What they belong to.
    pub scenario: ScenarioName,
    /// What was generated.
    pub property: &'static str,
    /// How many were tried.
    pub cases: usize,
    /// How many of them came out as they should.
    pub as_expected: usize,
    /// How many of them tell nothing, since a twin was not acknowledged.
    pub uncontrolled: usize,
}

/// How long a receiver took to refuse signatures, by where they go wrong. Taken in turns, so that what else happens on
/// the machine meets all alike.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// What it belongs to.
    pub scenario: ScenarioName,
    /// Wrong from the first digit.
    pub early: Vec<Duration>,
    /// Wrong in the last digits alone.
    pub late: Vec<Duration>,
    /// Wrong from the first digit again: what two equal series differ by.
    pub control: Vec<Duration>,
    /// One exchange with an early and one with a late difference.
    pub shown_by: Vec<ExchangeId>,
}
