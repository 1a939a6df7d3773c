//! A verdict as every report names it.
//!
//! Invariant: the word of a verdict is computed here, and in no format.

use serde::Serialize;

use crate::suite::requirement::Verdict;
use crate::suite::run::Judgement;

/// A verdict without its evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictName {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// What was seen does not tell.
    #[serde(rename = "untestable")] // until twenty-conform-report/2
    Inconclusive,
    /// It does not bind this subject.
    NotApplicable,
    /// The harness or the attachment broke down.
    Error,
}

impl VerdictName {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pass, Self::Fail, Self::Inconclusive, Self::NotApplicable, Self::Error];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "untestable",
            Self::NotApplicable => "not-applicable",
            Self::Error => "error",
        }
    }
}

impl From<&Judgement> for VerdictName {
    fn from(judgement: &Judgement) -> Self {
        match judgement {
            Judgement::Judged(Verdict::Pass) => Self::Pass,
            Judgement::Judged(Verdict::Fail(_)) => Self::Fail,
            Judgement::Judged(Verdict::Inconclusive(_)) => Self::Inconclusive,
            Judgement::Judged(Verdict::NotApplicable(_)) => Self::NotApplicable,
            Judgement::Error(_) => Self::Error,
        }
    }
}
