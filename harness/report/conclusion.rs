//! What a run comes to: its result in a word, its exit status, and how many requirements have each verdict.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Report, RequirementEntry, VerdictName, findings, messages};
use crate::exit::ExitStatus;
use crate::suite::requirement::Level;

/// A run's result in a word. A requirement is gated if its level can fail the run.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunResult {
    /// Every gated requirement ran and passed.
    Pass,
    /// A gated requirement failed.
    Fail,
    /// Nothing gated failed, but a gated requirement is inconclusive, or nothing was selected.
    Incomplete,
    /// The run was interrupted, and the report covers what had run until then.
    Interrupted,
    /// The suite itself failed, or the sender violated the attachment protocol.
    Error,
}

impl Report {
    /// How many requirements of a level passed, and how many apply.
    pub fn passed(&self, level: Level) -> (usize, usize) {
        let of_level = || self.requirements.iter().filter(|entry| entry.level == level);
        let applicable = of_level().filter(|entry| entry.verdict != VerdictName::NotApplicable).count();
        (of_level().filter(|entry| entry.verdict == VerdictName::Pass).count(), applicable)
    }

    /// How many requirements have this verdict.
    pub fn count(&self, verdict: VerdictName) -> usize {
        self.requirements.iter().filter(|entry| entry.verdict == verdict).count()
    }

    /// The last line of a text report, for programs that search for it.
    pub fn result_line(&self) -> String {
        let levels: Vec<String> = Level::ALL
            .into_iter()
            .map(|level| {
                let (passed, of) = self.passed(level);
                format!("{level} {passed}/{of}")
            })
            .collect();
        let result = self.result.as_str();
        let (inconclusive, not_applicable) =
            (self.count(VerdictName::Inconclusive), self.count(VerdictName::NotApplicable));
        messages::result(result, &levels, inconclusive, not_applicable, self.seed)
    }

    /// Whether a requirement can fail the run: one of a gated level, or one that must apply and does not.
    pub fn is_gated(&self, entry: &RequirementEntry) -> bool {
        entry.level <= self.fail_on || self.absent.contains(&entry.id)
    }

    /// Whether such a requirement has this verdict.
    pub(super) fn gates(&self, wanted: VerdictName) -> bool {
        self.requirements.iter().any(|entry| self.is_gated(entry) && entry.verdict == wanted)
    }

    /// Whether it has nothing to do because there are fewer requirements than shards. The run as a whole has some.
    fn is_spare_shard(&self) -> bool {
        self.shard.is_some_and(|shard| shard.selected > 0)
    }

    /// Notes that an end of the program fails the run, if nothing else does.
    pub(super) fn note_end(&mut self) {
        let note = messages::ended_fails_the_run();
        self.notes.retain(|one| *one != note);
        if self.ended && self.exit == ExitStatus::Failed && !self.gates(VerdictName::Fail) {
            self.notes.push(note);
        }
    }

    pub(super) fn conclude(&mut self) {
        self.findings = findings::of(&self.checks);
        self.exit = if self.interrupted {
            ExitStatus::Interrupted
        } else if self.lacks_evidence
            || self.requirements.iter().any(|entry| entry.verdict == VerdictName::Error)
        {
            ExitStatus::Harness
        } else if self.unreached {
            ExitStatus::Incomplete
        } else if self.ended && !self.end_is_known() || self.gates(VerdictName::Fail) {
            ExitStatus::Failed
        } else if self.gates(VerdictName::Inconclusive) {
            ExitStatus::Incomplete
        } else if self.list_is_wrong() {
            ExitStatus::KnownFailures
        } else if self.requirements.is_empty() && !self.is_spare_shard() {
            ExitStatus::NothingSelected
        } else {
            ExitStatus::Passed
        };
        let active = Duration::from_millis(self.duration_ms.saturating_sub(self.waited_ms));
        self.exchanges_per_s = per_second(self.exchanges, active);
        self.result = match self.exit {
            ExitStatus::Passed => RunResult::Pass,
            ExitStatus::Failed | ExitStatus::KnownFailures => RunResult::Fail,
            ExitStatus::Harness => RunResult::Error,
            ExitStatus::Interrupted => RunResult::Interrupted,
            _ => RunResult::Incomplete,
        };
        self.counts.clear();
        for level in Level::ALL {
            let counts = self.counts.entry(level).or_default();
            counts.extend(VerdictName::ALL.map(|verdict| (verdict, 0)));
            for entry in self.requirements.iter().filter(|entry| entry.level == level) {
                *counts.entry(entry.verdict).or_default() += 1;
            }
        }
    }
}

impl RunResult {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Incomplete => "incomplete",
            Self::Interrupted => "interrupted",
            Self::Error => "error",
        }
    }
}

/// Rounded to a tenth; 0 if no time passed.
fn per_second(exchanges: usize, active: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no run has 2^53 exchanges")]
    let rate = exchanges as f64 / active.as_secs_f64();
    if active.is_zero() { 0.0 } else { (rate * 10.0).round() / 10.0 }
}
