//! The exit statuses, as the interface documents them.
//!
//! Invariant: one number, the first that applies, in the order of the variants.

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitStatus {
    /// 130: interrupted; a partial report was written and says so.
    Interrupted,
    /// 70: the suite contradicts itself, a subject broke the attachment protocol, or a report could not be written.
    Harness,
    /// 2: usage or configuration; a pattern that matches nothing.
    Usage,
    /// 1: non-conformance at the gated level.
    Failed,
    /// 6: slower than a bound allows, or confirmed to be slower than what it is compared with.
    Slower,
    /// 3: nothing failed, yet something gated was inconclusive, the subject could not be reached or started, or what was measured
    /// does not tell whether it is slower.
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
