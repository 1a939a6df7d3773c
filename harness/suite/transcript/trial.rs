//! What was tried on a receiver.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Respect, ScenarioName};
use crate::constant::{self, Constant};
use crate::wire::exchange::{ExchangeId, acknowledges};

/// One delivery tried on a receiver.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub scenario: ScenarioName,
    /// What was generated.
    #[serde(deserialize_with = "constant::read")]
    pub property: Constant,
    /// How many cases were tried.
    pub cases: usize,
    /// How many of them were answered as expected.
    pub as_expected: usize,
    /// How many of them are inconclusive because a control was rejected.
    pub uncontrolled: usize,
}

/// How long a receiver took to reject signatures, by the position of their wrong digits. The three series are interleaved, so
/// noise on the machine affects all of them equally.
#[derive(Debug, Clone, Serialize, Deserialize)]
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

/// One generated case that was tried, whether it deviated or not. Only a keeper has them all.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GeneratedCase {
    pub scenario: ScenarioName,
    /// What was generated.
    #[serde(deserialize_with = "constant::read")]
    pub property: Constant,
    pub what: String,
    pub respect: Respect,
    /// Whether it must be rejected.
    pub forged: bool,
    pub exchange: ExchangeId,
    pub controls: Vec<ExchangeId>,
    /// How its result differed from the expected one, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviation: Option<Deviation>,
}

/// How the result of a generated case differs from the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deviation {
    /// It is rejected or not answered, although its control is accepted.
    Rejected,
    Accepted,
    /// It is rejected with a status other than 4xx, or not answered.
    Broken,
    /// A control is rejected, so the result is inconclusive.
    Uncontrolled,
}

impl Deviation {
    /// The deviation of a case that must be rejected (`forged`) or accepted. `status` and `controls` are the answers to it and to its
    /// controls, and `died` says whether the receiver ended at it.
    pub(crate) fn of(
        forged: bool,
        status: Option<u16>,
        mut controls: impl Iterator<Item = Option<u16>>,
        died: bool,
    ) -> Option<Self> {
        let accepted = |status: Option<u16>| status.is_some_and(acknowledges);
        let controlled = controls.all(accepted);
        match forged {
            false if accepted(status) => None,
            false if controlled => Some(Self::Rejected),
            true if accepted(status) => Some(Self::Accepted),
            _ if !controlled => Some(Self::Uncontrolled),
            true if !status.is_some_and(|status| (400..500).contains(&status)) => Some(Self::Broken),
            true if died => Some(Self::Broken),
            _ => None,
        }
    }
}
