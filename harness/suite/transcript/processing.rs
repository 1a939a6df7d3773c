//! What was sent to see what a receiver takes in.
//!
//! Invariant: each has a record id of its own, so that whatever is observed of it belongs to it alone.

use serde::Serialize;

use super::ScenarioName;
use crate::subject::observed::Observed;
use crate::wire::exchange::ExchangeId;

/// Something that is to be taken in a certain number of times.
#[derive(Debug, Clone)]
pub struct ProcessingTrial {
    /// What it belongs to.
    pub scenario: ScenarioName,
    /// What was sent, as a noun phrase.
    pub what: String,
    pub observed: Observed,
    /// What it shows.
    pub kind: ProcessingKind,
    /// What came of it: for several deliveries in the order of sending.
    pub exchanges: Vec<ExchangeId>,
}

/// What an trial shows, and so how often it is to be taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessingKind {
    /// A valid delivery: once.
    Valid,
    /// A forged one: not at all, where it was refused.
    Forged,
    /// The same delivery twice, byte for byte: once.
    Same,
    /// The same body twice, signed anew, with another nonce: once.
    SignedAnew,
    /// Two events of the same kind and record, with other content: twice.
    SameRecord,
    /// A forged copy of it, then itself: once.
    AfterForged,
    /// A valid delivery in the other dialect: once.
    OtherDialect,
}

impl ProcessingKind {
    /// How often it is to be taken in.
    pub fn times(self) -> usize {
        match self {
            Self::Forged => 0,
            Self::SameRecord => 2,
            Self::Valid | Self::Same | Self::SignedAnew | Self::AfterForged | Self::OtherDialect => 1,
        }
    }
}
