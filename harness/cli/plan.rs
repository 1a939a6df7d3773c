//! What a run is done with, and the way from it to its report and its evidence.
//!
//! Invariant: a run that could not be begun leaves the same reports as any other, with the reason in each entry.

use super::console::Console;
use super::options::RunOptions;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::report::evidence::{Evidence, Folder, Manifest};
use crate::report::{Heading, Report};
use crate::subject::SubjectError;
use crate::suite::requirement::{Level, Requirement, Role};
use crate::suite::run::{self, Options, Run};
use crate::suite::transcript::Transcript;
use crate::webhook::signature::Secret;

/// What a run is done with, read from the options.
pub(super) struct Plan {
    pub(super) selected: Vec<&'static Requirement>,
    pub(super) options: Options,
    pub(super) level: Level,
    pub(super) fail_on: Level,
}

/// A run that could not be begun.
pub(super) struct Unbegun<'a> {
    pub(super) role: Role,
    pub(super) subject: &'a str,
    pub(super) secret: Option<Secret>,
    pub(super) why: SubjectError,
}

impl Plan {
    /// What is selected for a role.
    pub(super) fn selected_for(&self, role: Role) -> Vec<&'static Requirement> {
        self.selected.iter().copied().filter(|one| one.role() == role).collect()
    }

    /// Begins the evidence of a run, which is told of it from now on.
    pub(super) fn keep(
        &mut self,
        folder: &Folder,
        role: Role,
        subject: &str,
        secret: Option<&Secret>,
    ) -> Evidence {
        let requirements = self.selected_for(role).into_iter().map(|one| one.id).collect();
        let levels = (self.level, self.fail_on);
        let manifest = Manifest::new(role, subject, &self.options, levels, requirements);
        let evidence = folder.begin(&manifest, secret);
        self.options.keeper = Some(evidence.keeper());
        evidence
    }

    /// The report of a run, with whatever belongs to it in the evidence.
    pub(super) fn report(&self, run: &Run, subject: &str, evidence: Option<&Evidence>) -> Report {
        let heading = Heading {
            subject: subject.to_owned(),
            seed: self.options.seed,
            fail_on: self.fail_on,
            out: evidence.map(Evidence::folder),
        };
        let mut report = Report::new(run, &heading);
        if let Some(evidence) = evidence {
            evidence.finish(run, &mut report);
        }
        report
    }

    /// Writes the reports of a run that could not be begun, and gives the reason back.
    ///
    /// Errors: the reason itself, or a report that cannot be written.
    pub(super) fn publish_not_begun(
        &self,
        unbegun: Unbegun<'_>,
        run: &RunOptions,
        evidence: Option<&Evidence>,
        console: &mut Console,
    ) -> Result<ExitStatus, Error> {
        let Unbegun { role, subject, secret, why } = unbegun;
        if matches!(why, SubjectError::Usage(_)) {
            // Nothing is known of the subject, and the folder is free for the next attempt.
            evidence.into_iter().for_each(Evidence::discard);
            return Err(why.into());
        }
        let mut transcript = Transcript::new(role, self.options.dialect, self.options.limits);
        // So that it is taken out of what the subject said last.
        transcript.secret = secret;
        let report = self.report(&run::not_begun(transcript, &self.selected, &why), subject, evidence);
        let status = run.publish(&report, console)?;
        if report.lacks_evidence {
            console.complain(&why.to_string());
            return Ok(status);
        }
        Err(why.into())
    }
}
