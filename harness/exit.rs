//! The documented exit statuses.
//!
//! If several apply, the first in the order of the variants counts.

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    /// 4: nothing was selected to run.
    NothingSelected,
    /// 0: every gated requirement ran and passed.
    Passed,
}

impl ExitStatus {
    pub fn code(self) -> u8 {
        match self {
            Self::Interrupted => 130,
            Self::Harness => 70,
            Self::Usage => 2,
            Self::Failed => 1,
            Self::Slower => 6,
            Self::Incomplete => 3,
            Self::NothingSelected => 4,
            Self::Passed => 0,
        }
    }
}
