//! The report of a run.

use crate::report::{
    self, CauseEntry, RunResult, VerdictName, html, json, junit, markdown, sarif, tap, text,
};
use crate::suite::requirement::Level;
use crate::terminal::plain;

/// The report of a run. It contains no secret.
#[derive(Debug, Clone)]
pub struct Report(pub(super) report::Report);

impl Report {
    /// The result in a word. [`Suite::fail_on`](super::Suite::fail_on) sets which levels fail a run.
    pub fn result(&self) -> RunResult {
        self.0.result
    }

    /// The exit status of the command line: 0 if all gated requirements passed, 1 if one failed, and 3 if one is inconclusive. It
    /// is 4 if no requirement was selected, and 70 if the harness failed.
    pub fn exit_status(&self) -> u8 {
        self.0.exit.code()
    }

    /// Panics with the findings unless the run passed, so that a test fails with what is wrong and how to fix it.
    ///
    /// # Panics
    ///
    /// If a gated requirement failed or is inconclusive.
    #[track_caller]
    pub fn assert_conforms(&self) {
        assert!(self.result() == RunResult::Pass, "{}", self.findings());
    }

    /// What did not pass, the most important first: each cause once, with the fix and the wrong fix to avoid. The form is that of
    /// `--quiet`.
    pub fn findings(&self) -> String {
        plain(&text::render(&self.0, text::Detail::Quiet, text::WIDTH))
    }

    /// The verdict on each selected requirement, in the order of the contract.
    pub fn requirements(&self) -> impl Iterator<Item = RequirementResult<'_>> {
        self.0.requirements.iter().zip(&self.0.checks).map(|(requirement, check)| RequirementResult {
            id: &requirement.id,
            title: &requirement.title,
            text: &requirement.text,
            level: requirement.level,
            verdict: requirement.verdict,
            message: check.message.as_deref(),
            cause: check.cause.as_ref(),
            repeat: check.repeat(),
        })
    }

    /// The verdict on one requirement, such as `VER-1`; `None` if it was not selected.
    pub fn requirement(&self, id: &str) -> Option<RequirementResult<'_>> {
        self.requirements().find(|one| one.id == id)
    }

    /// The text report that the command line prints, without colours.
    pub fn text(&self) -> String {
        plain(&text::render(&self.0, text::Detail::Normal, text::WIDTH))
    }

    /// The report as JSON in the format `twenty-conform-report/2`, as `--report json=FILE` writes it.
    pub fn json(&self) -> String {
        json::render(&self.0)
    }

    /// The report as JUnit XML for CI systems, as `--report junit=FILE` writes it. Its failures and errors agree with the exit
    /// status; what fails no run is skipped.
    pub fn junit(&self) -> String {
        junit::render(&self.0)
    }

    /// The report as one HTML page for a browser, as `--report html=FILE` writes it.
    pub fn html(&self) -> String {
        html::render(&self.0)
    }

    /// The report in the Test Anything Protocol, as `--report tap=FILE` writes it.
    pub fn tap(&self) -> String {
        tap::render(&self.0)
    }

    /// The report as SARIF 2.1.0, as `--report sarif=FILE` writes it, without a place in the project.
    pub fn sarif(&self) -> String {
        sarif::render(&self.0)
    }

    /// The report as Markdown, as `--report markdown=FILE` writes it.
    pub fn markdown(&self) -> String {
        markdown::render(&self.0)
    }
}

/// The verdict on one requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequirementResult<'a> {
    /// The stable id, such as `VER-1`.
    pub id: &'a str,
    /// The requirement in a few words.
    pub title: &'a str,
    /// The requirement's sentence.
    pub text: &'a str,
    /// How strict the requirement is.
    pub level: Level,
    /// Whether the requirement passed, failed, could not be judged, or does not apply.
    pub verdict: VerdictName,
    /// What was found, or why there is no verdict; `None` if it passed.
    pub message: Option<&'a str>,
    /// Why it failed, if known.
    pub cause: Option<&'a CauseEntry>,
    /// A command that repeats the failure, if a single delivery shows it: `curl` for a receiver, an `emit` request for a sender.
    pub repeat: Option<&'a str>,
}
