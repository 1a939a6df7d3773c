//! What is tried on a receiver, and what it says that it processed.

use std::time::Duration;

use super::{Respect, ScenarioName};
use crate::wire::exchange::ExchangeId;

/// One thing tried on a receiver.
#[derive(Debug, Clone)]
pub struct Trial {
    /// What it belongs to.
    pub scenario: ScenarioName,
    /// What was sent, as a noun phrase: "a delivery signed over the body alone".
    pub what: String,
    /// In which respect it differs from its controls.
    pub respect: Respect,
    /// Whether it was generated: of generated cases only those that tell something are trials.
    pub generated: bool,
    /// What came of it.
    pub exchange: ExchangeId,
    /// Plain valid deliveries: the one before it, and for negatives also the one behind it.
    pub controls: Vec<ExchangeId>,
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
    /// How many of them tell nothing, since a control was not acknowledged.
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
