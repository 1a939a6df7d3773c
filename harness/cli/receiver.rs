//! `receiver`: tests a receiver, once or after each change of its files.
//!
//! Invariant: a started receiver is always stopped, and all runs of a watch have the same seed.

use std::path::PathBuf;

use clap::Args;

use super::attach::{AttachOptions, Attachment};
use super::console::{Console, ProgressLine};
use super::headings::{REPORTS, TARGET};
use super::last_run;
use super::messages;
use super::messages::doctor as said;
use super::options::RunOptions;
use super::outputs::Input;
use super::plan::{NotStarted, RunPlan};
use super::trust::TrustOptions;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::random::Random;
use crate::report::FindingEntry;
use crate::report::evidence::{Folder, RunEvidence};
use crate::shell::word;
use crate::subject::SubjectError;
use crate::subject::observations::Source;
use crate::subject::receiver::Receiver;
use crate::subject::watch::SourceWatch;
use crate::suite::requirement::Role;
use crate::suite::run;
use crate::webhook::dialect::rfc3339;
use crate::webhook::signature::Secret;
use crate::wire::client::Target;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    attach: AttachOptions,
    /// Send deliveries to this path of the started receiver [default: /]
    #[arg(long, help_heading = TARGET)]
    path: Option<String>,
    /// Check what the receiver processed: it prints a JSON line for each delivery, or a GET of URL returns a JSON array
    #[arg(long, value_name = "stdout|URL", help_heading = TARGET)]
    observe: Option<String>,
    /// Run again, with the same seed, after each change under PATH, until Ctrl-C; repeatable
    #[arg(long, value_name = "PATH", help_heading = TARGET)]
    watch: Vec<PathBuf>,
    #[command(flatten)]
    trust: TrustOptions,
    #[command(flatten)]
    run: RunOptions,
    /// Do not keep the failures for a later `replay`
    #[arg(long, help_heading = REPORTS)]
    no_cache: bool,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let mut plan = RunPlan::of(&arguments.run, &[Role::Receiver])?;
    let seed = plan.options.seed;
    let made = || Secret::new(Random::secret_of(seed));
    let path = (arguments.path.as_deref(), "/");
    let attachment = arguments.attach.attachment(path, made, &arguments.trust, console)?;
    plan.attached = arguments.words(&attachment);
    let source = match arguments.observe.as_deref() {
        Some(observe) => observed_at(observe, &arguments, console)?,
        None => None,
    };
    let run = Once { arguments: &arguments, attachment: &attachment, source };
    if arguments.watch.is_empty() {
        let folder = arguments.run.reports.claim(&arguments.inputs())?;
        return run.run(&mut plan, folder.as_ref(), false, &mut || {}, console).await;
    }
    let mut watch = SourceWatch::new(&arguments.watch, arguments.run.reports.written())?;
    let folder = arguments.run.reports.claim(&arguments.inputs())?;
    let mut again = false;
    loop {
        watch.begin();
        let mut note = None;
        let ended = run.run(&mut plan, folder.as_ref(), again, &mut || note = watch.end(), console).await;
        note.into_iter().for_each(|note| console.note(&note));
        let status = match ended {
            Ok(ExitStatus::Interrupted) => return Ok(ExitStatus::Interrupted),
            Ok(status) => status,
            Err(why) if !again && why.exit_status() == ExitStatus::Usage => return Err(why),
            // The next change may fix it.
            Err(why) => {
                console.error(&why.to_string());
                why.exit_status()
            }
        };
        again = true;
        let mut interrupted = plan.options.interrupted.clone();
        tokio::select! {
            change = watch.changed() => {
                console.note(&messages::running_again(&rfc3339(plan.options.clock.now_ms()), &change));
            }
            Ok(_) = interrupted.wait_for(|on| *on) => return Ok(status),
        }
    }
}

impl Arguments {
    /// The words that attach the receiver again on a command line; `None` if a shell cannot pass them.
    fn words(&self, attachment: &Attachment) -> Option<String> {
        let mut words = self.attach.words(attachment, &self.trust)?;
        if let Some(observe) = &self.observe {
            words.push_str(&format!(" --observe {}", word(observe.as_bytes())?));
        }
        Some(words)
    }

    /// The files that a run reads.
    fn inputs(&self) -> Vec<Input> {
        let watched = self.watch.iter().map(|path| Input::of("--watch", path)).collect();
        [self.attach.inputs(), watched, self.trust.inputs(), self.run.inputs()].concat()
    }
}

/// What a single run needs in addition to its plan.
struct Once<'a> {
    arguments: &'a Arguments,
    attachment: &'a Attachment,
    /// The URL that lists what was processed.
    source: Option<Target>,
}

impl Once<'_> {
    async fn run(
        &self,
        plan: &mut RunPlan,
        folder: Option<&Folder>,
        again: bool,
        ended: &mut (dyn FnMut() + Send),
        console: &mut Console,
    ) -> Result<ExitStatus, Error> {
        let Attachment { name, secret, .. } = self.attachment;
        let reports = &self.arguments.run.reports;
        let evidence = folder.map(|folder| plan.keep(folder, Role::Receiver, name, Some(secret)));
        plan.options.max_time = plan.options.max_time.again();
        let options = &plan.options;
        let attachment = self.attachment.heard_by(evidence.as_ref());
        let mut subject = match self.reach(&attachment, plan, again).await {
            Ok(Some(reached)) => reached,
            Ok(None) => {
                evidence.iter().for_each(RunEvidence::discard);
                console.error(&messages::interrupted_before_ready("tested"));
                return Ok(ExitStatus::Interrupted);
            }
            Err(why) => {
                ended();
                let secret = Some(secret.clone());
                let not_started = NotStarted { role: Role::Receiver, subject: name, secret, why };
                let status = plan.publish_not_started(not_started, reports, evidence.as_ref(), console)?;
                self.point_to_doctor(self.attachment.target().is_some(), console);
                return Ok(status);
            }
        };
        let began_at_ms = options.clock.now_ms();
        let progress = ProgressLine::new("receiver", reports.is_quiet() || attachment.shows);
        let ran = run::receiver(&mut subject, &plan.played(), options, &|at| progress.show(at)).await;
        subject.stop().await;
        // Before the report is published: later changes do not belong to this run.
        ended();
        let mut ran = match ran {
            Err(Error::Subject(why)) => {
                let secret = Some(secret.clone());
                let not_started = NotStarted { role: Role::Receiver, subject: name, secret, why };
                return plan.publish_not_started(not_started, reports, evidence.as_ref(), console);
            }
            ran => ran?,
        };
        plan.narrow(&mut ran);
        if !self.arguments.no_cache {
            let kept = self.arguments.attach.kept(&self.arguments.trust);
            last_run::keep(&ran, plan, (kept, began_at_ms), console);
        }
        let report = plan.report(&ran, name, evidence.as_ref());
        let status = reports.publish(&report, console)?;
        self.point_to_doctor(report.findings.iter().any(is_of_surroundings), console);
        Ok(status)
    }

    /// Names the command that examines the surroundings, if they may explain what was found.
    fn point_to_doctor(&self, explains: bool, console: &mut Console) {
        let Arguments { attach, trust, run, .. } = self.arguments;
        if !explains || run.reports.is_quiet() {
            return;
        }
        if let Some(words) = attach.words_of("doctor", self.attachment, trust) {
            console.note(&said::examine_surroundings(&words));
        }
    }

    /// Reaches the receiver, and its observations if they are asked for.
    async fn reach(
        &self,
        attachment: &Attachment,
        plan: &RunPlan,
        retry: bool,
    ) -> Result<Option<Receiver>, SubjectError> {
        let (interrupted, most) = (&plan.options.interrupted, plan.options.max_time.whole());
        let Some(reached) = attachment.reach_within(most, interrupted, retry).await? else {
            return Ok(None);
        };
        match (&self.source, &self.arguments.observe) {
            (Some(target), _) => Ok(Some(reached.observed_by(Source::Polled(target.clone())))),
            (None, Some(_)) => reached.observed_on_stdout().map(Some),
            (None, None) => Ok(Some(reached)),
        }
    }
}

/// Whether a finding may be about what surrounds the receiver.
fn is_of_surroundings(finding: &FindingEntry) -> bool {
    finding
        .cause
        .as_deref()
        .is_some_and(|code| ["route.", "clock."].iter().any(|family| code.starts_with(family)))
}

/// The URL that lists what was processed; `None` for stdout.
fn observed_at(observe: &str, arguments: &Arguments, console: &mut Console) -> Result<Option<Target>, Error> {
    if observe == "stdout" {
        return Ok(None);
    }
    let target = arguments.trust.target(observe, console)?;
    target.check_allowed(arguments.attach.allow_remote).map_err(Error::Usage)?;
    Ok(Some(target))
}
