//! The result of a benchmark, a comparison or a pair, and its exit status.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::bench::accounts::entry::{LedgerEntry, LedgerFault};
use crate::exit::ExitStatus;

/// The result of a benchmark. In JSON it is the word of [`BenchResult::describe`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BenchResult {
    Pass,
    /// A probe was accepted, or there were more errors than are allowed.
    Fail,
    /// A bound is not met, or a regression is confirmed.
    Slow,
    /// A regression can be neither confirmed nor excluded.
    Inconclusive,
    /// The load ended early, or measured nothing.
    Incomplete,
    Interrupted,
    /// The harness failed, or a subject broke the attachment protocol.
    Error,
}

impl BenchResult {
    /// The result of an exit status. Inconclusive and incomplete have the same status, which gives incomplete.
    pub fn of(status: ExitStatus) -> Self {
        match status {
            ExitStatus::Passed => Self::Pass,
            ExitStatus::Failed | ExitStatus::KnownFailures => Self::Fail,
            ExitStatus::Slower => Self::Slow,
            ExitStatus::Interrupted => Self::Interrupted,
            ExitStatus::Harness => Self::Error,
            ExitStatus::Incomplete | ExitStatus::Usage | ExitStatus::NothingSelected => Self::Incomplete,
        }
    }

    pub fn of_ledger(ledger: &LedgerEntry, allowed: &[LedgerFault]) -> Self {
        if !ledger.faults(allowed).is_empty() {
            Self::Fail
        } else if ledger.verified == 0 {
            Self::Incomplete
        } else {
            Self::Pass
        }
    }

    pub fn status(self) -> ExitStatus {
        match self {
            Self::Pass => ExitStatus::Passed,
            Self::Fail => ExitStatus::Failed,
            Self::Slow => ExitStatus::Slower,
            Self::Inconclusive | Self::Incomplete => ExitStatus::Incomplete,
            Self::Interrupted => ExitStatus::Interrupted,
            Self::Error => ExitStatus::Harness,
        }
    }

    pub fn describe(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Slow => "slow",
            Self::Inconclusive => "inconclusive",
            Self::Incomplete => "incomplete",
            Self::Interrupted => "interrupted",
            Self::Error => "error",
        }
    }

    /// Whether the load ran to its end, so that its figures are meaningful.
    pub fn is_whole(self) -> bool {
        matches!(self, Self::Pass | Self::Slow)
    }

    /// The worse of two results, in the order of their exit statuses.
    #[must_use]
    pub fn or_worse(self, other: Self) -> Self {
        if other.status() < self.status() { other } else { self }
    }
}

impl fmt::Display for BenchResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.describe())
    }
}
