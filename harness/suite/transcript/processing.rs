//! What was sent to see which deliveries a receiver processes.
//!
//! Each trial has its own record id, so everything observed about that record belongs to the trial.

use serde::{Deserialize, Serialize};

use super::ScenarioName;
use crate::subject::observed::Observed;
use crate::wire::exchange::ExchangeId;

/// Something that a receiver must process a certain number of times.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProcessingTrial {
    pub scenario: ScenarioName,
    /// What was sent, as a noun phrase.
    pub what: String,
    pub observed: Observed,
    pub kind: ProcessingKind,
    /// The exchanges, in the order of sending.
    pub exchanges: Vec<ExchangeId>,
}

/// What a trial shows, and so how often the receiver must process it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessingKind {
    /// A valid delivery: once.
    Valid,
    /// A forged delivery that was rejected: never.
    Forged,
    /// The same delivery twice, byte for byte: once.
    Same,
    /// The same body twice, signed again with another nonce: once.
    SignedAnew,
    /// Two events of the same kind and record, with other content: twice.
    SameRecord,
    /// A forged copy of a delivery, then the delivery itself: once.
    AfterForged,
    /// A valid delivery in the other dialect: once.
    OtherDialect,
}

impl ProcessingKind {
    /// How often the receiver must process it.
    pub fn times(self) -> usize {
        match self {
            Self::Forged => 0,
            Self::SameRecord => 2,
            Self::Valid | Self::Same | Self::SignedAnew | Self::AfterForged | Self::OtherDialect => 1,
        }
    }
}
