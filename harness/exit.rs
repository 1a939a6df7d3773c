//! The documented exit statuses.
//!
//! If several apply, the first in the order of the variants counts.

use serde::{Deserialize, Serialize};

/// How a command ends. In reports it is a number.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum ExitStatus {
    /// 130: interrupted; an incomplete report was written.
    Interrupted,
    /// 70: the suite itself failed, a subject violated the attachment protocol, or a report could not be written.
    Harness,
    /// 2: wrong usage or configuration, including a pattern that matches nothing and a command that cannot be split into words.
    Usage,
    /// 1: a gated requirement failed, or the subject's process ended during the run.
    Failed,
    /// 6: slower than a limit allows, or confirmed to be slower than the base.
    Slower,
    /// 3: nothing failed, but a gated requirement was inconclusive, the subject could not be reached or started, or a comparison
    /// was inconclusive.
    Incomplete,
    /// 5: only known failures are wrong: one passes now, has expired, or fails for another cause.
    KnownFailures,
    /// 4: nothing was selected to run.
    NothingSelected,
    /// 0: every gated requirement ran and passed.
    Passed,
}

impl ExitStatus {
    const ALL: [Self; 9] = [
        Self::Interrupted,
        Self::Harness,
        Self::Usage,
        Self::Failed,
        Self::Slower,
        Self::Incomplete,
        Self::KnownFailures,
        Self::NothingSelected,
        Self::Passed,
    ];

    pub fn code(self) -> u8 {
        match self {
            Self::Interrupted => 130,
            Self::Harness => 70,
            Self::Usage => 2,
            Self::Failed => 1,
            Self::Slower => 6,
            Self::Incomplete => 3,
            Self::KnownFailures => 5,
            Self::NothingSelected => 4,
            Self::Passed => 0,
        }
    }
}

impl From<ExitStatus> for u8 {
    fn from(status: ExitStatus) -> Self {
        status.code()
    }
}

impl TryFrom<u8> for ExitStatus {
    type Error = UnknownStatus;

    fn try_from(code: u8) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.code() == code).ok_or(UnknownStatus(code))
    }
}

/// A number that is no exit status of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown exit status {0}")]
pub struct UnknownStatus(u8);
