//! What was tried on a receiver.

use std::time::Duration;

use super::{Respect, ScenarioName};
use crate::wire::exchange::ExchangeId;

/// One delivery tried on a receiver.
#[derive(Debug, Clone)]
pub struct Trial {
    pub scenario: ScenarioName,
    /// What was sent, as a noun phrase: "a delivery signed over the body alone".
    pub what: String,
    /// How it differs from its controls.
    pub respect: Respect,
    /// Whether it was generated. Only generated cases that deviate are recorded as trials.
    pub generated: bool,
    pub exchange: ExchangeId,
    /// The controls: the valid delivery before it, and for negatives also the one after it.
    pub controls: Vec<ExchangeId>,
}

/// How many generated cases one property had, in addition to those recorded as trials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    pub scenario: ScenarioName,
    /// What was generated.
    pub property: &'static str,
    /// How many cases were tried.
    pub cases: usize,
    /// How many of them were answered as expected.
    pub as_expected: usize,
    /// How many of them are inconclusive because a control was rejected.
    pub uncontrolled: usize,
}

/// How long a receiver took to reject signatures, by the position of their wrong digits. The three series are interleaved, so
/// noise on the machine affects all of them equally.
#[derive(Debug, Clone)]
pub struct Comparison {
    pub scenario: ScenarioName,
    /// Wrong from the first digit.
    pub early: Vec<Duration>,
    /// Wrong in the last digits alone.
    pub late: Vec<Duration>,
    /// Wrong from the first digit again: how much two equal series differ.
    pub control: Vec<Duration>,
    /// One exchange with an early and one with a late difference.
    pub shown_by: Vec<ExchangeId>,
}
