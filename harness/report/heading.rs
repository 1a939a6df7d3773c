//! What a report says in addition to the findings: about whom, with which options.

use std::path::PathBuf;

use super::{CheckEntry, Tool, VerdictName};
use crate::redaction::Redaction;
use crate::suite::requirement::Level;
use crate::suite::requirements;
use crate::suite::run::Run;
use crate::suite::transcript::Transcript;
use crate::webhook::dialect::DOCUMENTED;

/// What a report says in addition to the findings.
#[derive(Debug, Clone)]
pub struct Heading {
    pub subject: String,
    pub seed: u64,
    /// The words that attach the subject on a command line, if there are any, such as `receiver --exec 'node server.mjs'`.
    pub attached: Option<String>,
    /// The lowest level whose failures fail the run.
    pub fail_on: Level,
    /// The requirements that must apply.
    pub required: Vec<&'static str>,
    /// The folder of the run's evidence, if any.
    pub out: Option<PathBuf>,
}

impl Heading {
    /// The requirements on the run's role that must apply, but were not selected.
    pub(super) fn left_out(&self, run: &Run) -> Vec<&'static str> {
        let of_role = |id: &str| requirements::of(run.transcript.role).any(|one| one.id == id);
        let is_judged = |id: &str| run.findings.iter().any(|finding| finding.requirement.id == id);
        self.required.iter().copied().filter(|id| of_role(id) && !is_judged(id)).collect()
    }

    /// The command that runs a failed check again.
    pub(super) fn rerun(
        &self,
        check: &CheckEntry,
        transcript: &Transcript,
        redact: &Redaction,
    ) -> Option<String> {
        let attached = self.attached.as_ref().filter(|_| check.verdict == VerdictName::Fail)?;
        let dialect = transcript.dialect.name;
        let dialect =
            // Where nothing names it, `auto` finds the same one again.
            if dialect == DOCUMENTED.name && transcript.chosen.is_some() { String::new() } else { format!(" --dialect {dialect}") };
        let [id] = &check.requirements;
        let command = format!("{} {attached}{dialect} --seed {} --run {id}", Tool::THIS.name, self.seed);
        Some(redact.text(&command))
    }
}
