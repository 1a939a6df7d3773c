//! What each verdict means for the exit status, for formats whose readers know only passes, failures and skips.
//!
//! Invariant: a report has a case that fails or is open exactly if its exit status is not 0. Where no requirement says why, the run
//! itself is such a case.

use super::messages::formats as messages;
use super::{CheckEntry, Report, RequirementEntry, VerdictName};
use crate::exit::ExitStatus;

/// What a verdict means for the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Passes,
    /// It failed, and that fails the run.
    Fails,
    /// It could not be judged, and that fails the run.
    Open,
    /// It did not pass, which fails no run of this gate.
    Excused,
    NotApplicable,
}

/// A requirement as one case of a test report.
pub(super) struct Case<'a> {
    pub(super) requirement: &'a RequirementEntry,
    pub(super) check: &'a CheckEntry,
    pub(super) standing: Standing,
}

impl Case<'_> {
    /// `VER-1 rejects altered content`.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.requirement.id, self.requirement.title)
    }

    /// Why it did not pass, in one line. For one that fails no run, with the reason of that.
    pub(super) fn reason(&self) -> String {
        if self.check.known.is_some() {
            return self.check.known_sentence();
        }
        let found = self.check.first_line();
        match self.standing {
            Standing::Excused => messages::excused(self.requirement.level, self.requirement.verdict, found),
            _ => found.to_owned(),
        }
    }
}

impl Report {
    fn standing(&self, requirement: &RequirementEntry, check: &CheckEntry) -> Standing {
        match requirement.verdict {
            VerdictName::Pass => Standing::Passes,
            VerdictName::NotApplicable => Standing::NotApplicable,
            // A fault of the suite ends every run with 70.
            VerdictName::Error => Standing::Open,
            VerdictName::Fail if self.is_gated(requirement) => Standing::Fails,
            VerdictName::Inconclusive if self.is_gated(requirement) => Standing::Open,
            // An entry of the list of known failures that has to be changed gives a status of its own.
            VerdictName::KnownFailure | VerdictName::UnexpectedPass | VerdictName::Drift => {
                if check.is_wrongly_known() { Standing::Fails } else { Standing::Excused }
            }
            VerdictName::Fail | VerdictName::Inconclusive => Standing::Excused,
        }
    }

    /// Its requirements as cases.
    pub(super) fn cases(&self) -> impl Iterator<Item = Case<'_>> {
        let entries = self.requirements.iter().zip(&self.checks);
        entries.map(|(requirement, check)| Case {
            requirement,
            check,
            standing: self.standing(requirement, check),
        })
    }

    /// Why the run does not pass although no requirement says so, and whether it fails for that or is open.
    pub(super) fn beyond_cases(&self) -> Option<(Standing, &'static str)> {
        let is_said = self.cases().any(|case| matches!(case.standing, Standing::Fails | Standing::Open));
        if self.exit == ExitStatus::Passed || is_said {
            return None;
        }
        Some(match self.exit {
            ExitStatus::Failed => (Standing::Fails, messages::run_ended()),
            ExitStatus::Interrupted => (Standing::Open, messages::run_interrupted()),
            ExitStatus::NothingSelected => (Standing::Open, messages::run_selected_nothing()),
            ExitStatus::Harness => (Standing::Open, messages::run_lacks_evidence()),
            _ => (Standing::Open, messages::run_incomplete()),
        })
    }
}
