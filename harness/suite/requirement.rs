//! What a requirement is: one sentence of the contract, whom it binds, how it is judged, and what proves that.

use std::fmt;

use serde::Serialize;

use crate::peers::fault::Faults;
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Capability, Transcript};

pub use crate::suite::transcript::Role;
pub use crate::suite::verdict::{Actual, Evidence, Expected, Verdict};

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

/// How strongly a requirement binds, from the strongest to the weakest: `Must < Should < Advice`.
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
