//! The plan of a run, read from the options, and its way to a report and evidence.
//!
//! Invariant: a run that could not start writes the same reports as any other, with the reason in each entry. The text report has it once.

use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;

use jiff::civil::Date;

use super::console::Console;
use super::known;
use super::launch::Hidden;
use super::messages;
use super::options::{RunOptions, random_seed};
use super::progress;
use super::reports::ReportOptions;
use super::signals::interruption;
use crate::api::suite::Suite;
use crate::budget::SMALL_FILE;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::input;
use crate::report::evidence::{Folder, Manifest, RunEvidence};
use crate::report::{Heading, Place, Report};
use crate::subject::SubjectError;
use crate::suite::known::{Entry, day};
use crate::suite::max_time::MaxTime;
use crate::suite::requirement::{Level, Requirement, Role};
use crate::suite::run::{self, Options, Run};
use crate::suite::selection::{self, Filter};
use crate::suite::shard::Shard;
use crate::suite::transcript::{Chosen, Keeper, Kept, Limits, Transcript};
use crate::webhook::signature::Secret;

/// What to run, and how.
pub(super) struct RunPlan {
    /// What is judged: of a shard, only its part.
    pub(super) selected: Vec<&'static Requirement>,
    /// The shard, and what all shards have.
    shard: Option<(Shard, Vec<&'static Requirement>)>,
    pub(super) options: Options,
    pub(super) level: Level,
    pub(super) fail_on: Level,
    /// The requirements that must apply.
    required: Vec<&'static Requirement>,
    /// The entries of the lists of known failures.
    known: Vec<Entry>,
    /// The words that attach the subject on a command line.
    pub(super) attached: Option<String>,
    /// The place of failures in the project, and the configuration file.
    source: Option<Place>,
    configuration: Option<String>,
}

pub(super) struct NotStarted<'a> {
    pub(super) role: Role,
    pub(super) subject: &'a str,
    pub(super) secret: Option<Secret>,
    pub(super) why: SubjectError,
}

impl RunPlan {
    /// Reads the options for a run on these roles.
    ///
    /// Errors: a pattern matches nothing, or a pattern file cannot be read.
    pub(super) fn of(run: &RunOptions, roles: &[Role]) -> Result<Self, Error> {
        let filter = Filter { level: run.level, run: patterns(&run.run)?, skip: patterns(&run.skip)? };
        if filter.run.is_empty() && !run.run.is_empty() {
            return Err(Error::Usage(messages::no_patterns(&run.run)));
        }
        let selected = selection::select(roles, &filter).map_err(Error::Usage)?;
        let shard = run.shard.map(|shard| (shard, selected.clone()));
        let selected = shard.as_ref().map_or(selected, |(shard, whole)| shard.part(whole));
        let required = selection::matched(roles, &patterns(&run.require)?).map_err(Error::Usage)?;
        let known = known::read(&run.known_failures)?;
        let limits = Limits { timeout: run.timeout, deadline: run.deadline, ..Limits::default() };
        let usual = || roles.iter().map(|&role| MaxTime::usual(role)).sum();
        let options = Options {
            dialect: run.dialect.dialect(),
            auto: run.dialect.is_auto(),
            limits,
            max_time: MaxTime::new(run.max_time.unwrap_or_else(usual)),
            seed: run.seed.unwrap_or_else(random_seed),
            cases: run.cases,
            jobs: run.jobs,
            interrupted: interruption(),
            requests: progress::requests(),
            ..Suite::new().options
        };
        let (level, fail_on) = (run.level, run.fail_on.level());
        let (source, configuration) = (run.reports.source()?, run.configuration());
        let attached = None;
        Ok(Self {
            selected,
            shard,
            options,
            level,
            fail_on,
            required,
            known,
            attached,
            source,
            configuration,
        })
    }

    pub(super) fn selected_for(&self, role: Role) -> Vec<&'static Requirement> {
        self.selected.iter().copied().filter(|one| one.role() == role).collect()
    }

    /// What is played on a receiver: of a shard, what its part depends on too.
    pub(super) fn played(&self) -> Vec<&'static Requirement> {
        let part = self.selected_for(Role::Receiver);
        self.shard.as_ref().map_or(part.clone(), |(_, whole)| Shard::played(&part, whole))
    }

    /// Drops what was played only because the part of a shard depends on it.
    pub(super) fn narrow(&self, run: &mut Run) {
        run.keep_only(&self.selected);
    }

    /// Starts the evidence of a run, which records everything from now on.
    pub(super) fn keep(
        &mut self,
        folder: &Folder,
        role: Role,
        subject: &str,
        secret: Option<&Secret>,
    ) -> RunEvidence {
        let of_role = |all: &[&'static Requirement]| -> Vec<_> {
            all.iter().copied().filter(|one| one.role() == role).collect()
        };
        let levels = (self.level, self.fail_on);
        let manifest = Manifest::new(role, subject, &self.options, levels, &of_role(&self.selected));
        let mut manifest = manifest.requiring(&of_role(&self.required));
        if let Some((shard, whole)) = &self.shard {
            manifest = manifest.of_shard(*shard, &of_role(whole));
        }
        let evidence = folder.begin(&manifest, secret);
        self.options.keeper = Some(evidence.keeper());
        evidence
    }

    /// The options on which findings depend, as words of a command line, if they are not the usual ones.
    fn bounds(&self) -> String {
        let (own, usual) = (&self.options, Suite::new().options);
        let time = |name: &str, own: Duration, usual: Duration| {
            if own == usual { String::new() } else { format!(" --{name} {}ms", own.as_millis()) }
        };
        let mut words = time("timeout", own.limits.timeout, usual.limits.timeout);
        words.push_str(&time("deadline", own.limits.deadline, usual.limits.deadline));
        if own.cases != usual.cases {
            words.push_str(&format!(" --cases {}", own.cases));
        }
        if own.jobs != usual.jobs {
            words.push_str(&format!(" --jobs {}", own.jobs));
        }
        words
    }

    /// The secrets of the run, which grow while it makes more.
    pub(super) fn hidden(&mut self) -> Hidden {
        let hidden = Hidden::default();
        let (added, keeper) = (hidden.clone(), self.options.keeper.take());
        self.options.keeper = Some(Keeper::new(move |kept| {
            if let Kept::Secret(secret) = kept {
                added.lock().unwrap_or_else(PoisonError::into_inner).add(secret);
            }
            if let Some(keeper) = &keeper {
                keeper.keep(kept);
            }
        }));
        hidden
    }

    /// The requirements that must apply, without those of other shards.
    fn required_here(&self) -> impl Iterator<Item = &'static Requirement> {
        let is_elsewhere = |one: &&Requirement| {
            let has = |all: &[&'static Requirement]| all.iter().any(|other| other.id == one.id);
            self.shard.as_ref().is_some_and(|(_, whole)| has(whole) && !has(&self.selected))
        };
        self.required.iter().copied().filter(move |one| !is_elsewhere(one))
    }

    /// The report of a run; it completes the evidence.
    pub(super) fn report(&self, run: &Run, subject: &str, evidence: Option<&RunEvidence>) -> Report {
        let heading = Heading {
            subject: subject.to_owned(),
            seed: self.options.seed,
            fail_on: self.fail_on,
            required: self.required_here().map(|one| one.id).collect(),
            attached: self.attached.as_ref().map(|attached| attached.clone() + &self.bounds()),
            out: evidence.map(RunEvidence::folder),
        };
        let mut report = Report::new(run, &heading);
        report.source.clone_from(&self.source);
        report.configuration.clone_from(&self.configuration);
        // Without a date nothing has expired.
        let today = day(self.options.clock.now_ms()).unwrap_or(Date::MIN);
        if !self.known.is_empty() {
            report.know(&self.known, today);
        }
        if let Some((shard, whole)) = &self.shard {
            report.mark_shard(*shard, whole.len());
        }
        if let Some(evidence) = evidence {
            evidence.finish(run, &heading, &mut report);
        }
        report
    }

    /// Writes the reports of a run that could not start.
    ///
    /// Errors: an option is wrong, or a report could not be written.
    pub(super) fn publish_not_started(
        &self,
        not_started: NotStarted<'_>,
        reports: &ReportOptions,
        evidence: Option<&RunEvidence>,
        console: &mut Console,
    ) -> Result<ExitStatus, Error> {
        let NotStarted { role, subject, secret, why } = not_started;
        if matches!(why, SubjectError::Usage(_)) {
            // Nothing was learned about the subject, so the folder stays free for the next attempt.
            evidence.into_iter().for_each(RunEvidence::discard);
            return Err(why.into());
        }
        let mut transcript = Transcript::new(role, self.options.dialect, self.options.limits);
        transcript.chosen = self.options.auto.then(Chosen::default);
        // The last output of the subject is redacted.
        transcript.secret = secret;
        let report = self.report(&run::not_started(transcript, &self.selected, &why), subject, evidence);
        let status = reports.publish(&report, console)?;
        if !reports.prints_text() {
            console.error(&why.to_string());
        }
        Ok(status)
    }
}

/// Replaces each `@FILE` with its patterns, one per line; empty lines and lines that begin with `#` are skipped.
fn patterns(given: &[String]) -> Result<Vec<String>, Error> {
    let mut patterns = Vec::new();
    for pattern in given {
        let Some(path) = pattern.strip_prefix('@') else {
            patterns.push(pattern.clone());
            continue;
        };
        let text = input::text(Path::new(path), SMALL_FILE);
        let text = text.map_err(|why| Error::Usage(messages::cannot_read(path, why)))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        patterns.extend(lines.map(str::to_owned));
    }
    Ok(patterns)
}
