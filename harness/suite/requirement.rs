//! What a requirement is, and what judging it yields.
//!
//! Invariant: a verdict is data. A failure carries what was expected, what happened, and the exchanges that show it.

use std::fmt;

use serde::Serialize;

use crate::peers::fault::Faults;
use crate::suite::cause::Cause;
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Capability, Transcript};
use crate::wire::exchange::ExchangeId;

pub use crate::suite::transcript::Role;

/// One sentence of the contract, its oracle, and the proof that the oracle bites.
pub struct Requirement {
    /// The contract's id, never reused or renumbered: `VER-1`.
    pub id: &'static str,
    /// What a one-line report shows: `rejects altered content`.
    pub title: &'static str,
    /// Whom it binds.
    pub binds: Binds,
    /// How strongly it binds.
    pub level: Level,
    /// The stable name of its check: `receiver/verification/altered-content`.
    pub check_id: &'static str,
    /// The contract's sentence.
    pub text: &'static str,
    /// Where the contract has it from: the documentation, the server that ships, a standard, the field.
    pub source: &'static str,
    /// Why it matters and how failures usually come about, for `explain`.
    pub why: &'static str,
    /// What is done to the subject to find out. The first is the one whose breakdown speaks against the requirement.
    pub scenarios: &'static [&'static Scenario],
    /// What a sender must have declared for it to apply.
    pub needs: Option<Capability>,
    /// The oracle: a pure function of what happened.
    pub check: fn(&Requirement, &Transcript) -> Verdict,
    /// Faults that this requirement's check must find. A mutant fails exactly the requirements that name its fault.
    pub counterexamples: Faults,
}

/// Whom a requirement binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binds {
    /// Receivers.
    Receiver,
    /// Senders, and what recorded traffic shows of it.
    Sender(Recorded),
}

/// Whether recorded deliveries show a requirement on senders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// A delivery shows it by itself.
    Shows,
    /// It does where the webhook's secret is known.
    ShowsWithSecret,
    /// They cannot: why.
    Cannot(&'static str),
}

impl Requirement {
    /// The role that it binds.
    pub fn role(&self) -> Role {
        match self.binds {
            Binds::Receiver => Role::Receiver,
            Binds::Sender(_) => Role::Sender,
        }
    }
}

impl fmt::Debug for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

/// How strongly a requirement binds; the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The documentation states it, or it cannot be otherwise under the standards.
    Must,
    /// The documentation recommends it, or the server or the standards imply it.
    Should,
    /// Good practice.
    Advice,
}

/// What judging a requirement yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds in everything that was seen.
    Pass,
    /// It does not hold.
    Fail(Box<Evidence>),
    /// What was seen does not tell: a twin was refused, a prerequisite was missing.
    Inconclusive(String),
    /// It does not bind this subject: a dialect or a capability that it does not have.
    NotApplicable(String),
}

impl Verdict {
    /// This one, or where it is no failure the failure that is found elsewhere, if one is.
    pub(crate) fn or_fail(self, find: impl FnOnce() -> Option<Self>) -> Self {
        if matches!(self, Self::Fail(_)) { self } else { find().unwrap_or(self) }
    }
}

/// What shows that a requirement does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// What the contract has there.
    pub expected: Expected,
    /// What happened there.
    pub actual: Actual,
    /// The whole finding in a sentence that begins in lower case.
    pub message: String,
    /// The exchanges that show it.
    pub exchanges: Vec<ExchangeId>,
    /// Why it came about, where that can be told.
    pub cause: Option<Cause>,
    /// The generated event that shows it, as an index into the transcript's emissions.
    pub emission: Option<usize>,
}

/// What the contract has at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Expected(pub String);

/// What happened at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Actual(pub String);

impl Evidence {
    /// Evidence with no exchange and no cause yet.
    pub fn new(expected: impl Into<String>, actual: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            expected: Expected(expected.into()),
            actual: Actual(actual.into()),
            message: message.into(),
            exchanges: Vec::new(),
            cause: None,
            emission: None,
        }
    }

    /// With the exchanges that show it.
    #[must_use]
    pub fn shown_by(mut self, exchanges: impl IntoIterator<Item = ExchangeId>) -> Self {
        self.exchanges.extend(exchanges);
        self
    }

    /// With its cause, where there is one.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Option<Cause>>) -> Self {
        self.cause = cause.into();
        self
    }

    /// As a failure.
    pub fn fail(self) -> Verdict {
        Verdict::Fail(Box::new(self))
    }
}

impl Level {
    /// All levels, the strongest first.
    pub const ALL: [Self; 3] = [Self::Must, Self::Should, Self::Advice];

    /// The word on the command line and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::Advice => "advice",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
