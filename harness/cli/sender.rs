//! `sender`: tests a sender, or judges recorded deliveries.
//!
//! Invariant: a started sender is always stopped, and what was made in a CRM is removed.

mod twenty;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use super::console::{Console, ProgressLine};
use super::headings::TARGET;
use super::launch::{LaunchOptions, heard};
use super::messages;
use super::options::{RunOptions, SecretOptions};
use super::outputs::Input;
use super::plan::{NotStarted, RunPlan};
use super::trust::TrustOptions;
use super::twenty::{TwentyOptions, refuse};
use crate::api::sender::Sender;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::input;
use crate::redaction::Redaction;
use crate::report::evidence::RunEvidence;
use crate::shell::word as word_of_shell;
use crate::subject::heard::Listener;
use crate::suite::requirement::Role;
use crate::suite::run::{self, Run};
use crate::suite::traffic::{Traffic, reading};
use crate::webhook::signature::Secret;

/// The usual rate limit of Twenty's API.
const CALLS_PER_MINUTE: u32 = 100;

#[derive(Debug, Args)]
#[command(next_help_heading = TARGET)]
pub(super) struct Arguments {
    /// Start the sender with this command, without a shell; it reads requests as JSON lines on stdin and replies on stdout
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["control", "transcript", "twenty"])]
    exec: Option<String>,
    #[command(flatten)]
    launch: LaunchOptions,
    /// Control the sender that already runs at this URL by POST, with the same protocol
    #[arg(long, value_name = "URL", conflicts_with_all = ["transcript", "twenty"])]
    control: Option<String>,
    /// Drive the Twenty at this URL by its REST API; what the run makes there has a mark and is removed at its end
    #[arg(long, value_name = "URL", conflicts_with = "transcript")]
    twenty: Option<String>,
    #[command(flatten)]
    access: TwentyOptions,
    /// With --twenty, make at most N calls of its API per minute
    #[arg(long, value_name = "N", requires = "twenty", default_value_t = CALLS_PER_MINUTE)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    calls_per_minute: u32,
    /// With --twenty, list every call that a run makes, and make none
    #[arg(long, requires = "twenty")]
    dry_run: bool,
    /// With --twenty, remove what earlier runs left there, and do nothing else
    #[arg(long, requires = "twenty")]
    cleanup: bool,
    /// Judge recorded deliveries: JSON lines written by `listen` or --out, or HAR; use - for stdin
    #[arg(long, value_name = "FILE")]
    transcript: Option<PathBuf>,
    /// Allow a sender on another machine
    #[arg(long)]
    allow_remote: bool,
    #[command(flatten)]
    secret: SecretOptions,
    #[command(flatten)]
    trust: TrustOptions,
    #[command(flatten)]
    run: RunOptions,
}

enum AttachedSender {
    Exec(String),
    Control(String),
    Transcript(PathBuf),
}

impl AttachedSender {
    /// The words that attach it again on a command line; `None` if a shell cannot pass them.
    fn words(&self, arguments: &Arguments) -> Option<String> {
        let mut words = String::from("sender");
        match self {
            Self::Exec(command) => words.push_str(&format!(" --exec {}", word_of_shell(command.as_bytes())?)),
            Self::Control(url) => {
                words.push_str(&format!(" --control {}", word_of_shell(url.as_bytes())?));
                words.push_str(&arguments.trust.words()?);
            }
            Self::Transcript(file) => {
                words.push_str(&format!(" --transcript {}", word_of_shell(file.to_str()?.as_bytes())?));
                words.push_str(&arguments.secret.words()?);
            }
        }
        words.push_str(&arguments.launch.words()?);
        if arguments.allow_remote {
            words.push_str(" --allow-remote");
        }
        Some(words)
    }

    fn name(&self) -> String {
        match self {
            Self::Exec(command) => command.clone(),
            Self::Control(url) => url.clone(),
            Self::Transcript(file) => file.display().to_string(),
        }
    }
}

impl Arguments {
    fn attached(&self) -> Result<AttachedSender, Error> {
        let exec = self.exec.clone().map(AttachedSender::Exec);
        let control = self.control.clone().map(AttachedSender::Control);
        let transcript = self.transcript.clone().map(AttachedSender::Transcript);
        exec.or(control).or(transcript).ok_or_else(|| Error::Usage(messages::no_sender().to_owned()))
    }

    /// Errors: an option is about a Twenty.
    fn refuse_crm(&self) -> Result<(), Error> {
        self.access.refused()?;
        let rate = (self.calls_per_minute != CALLS_PER_MINUTE).then_some("--calls-per-minute");
        let dry_run = || self.dry_run.then_some("--dry-run");
        refuse(rate.or_else(dry_run).or_else(|| self.cleanup.then_some("--cleanup")))
    }

    /// The files that the run reads.
    fn inputs(&self, attached: &AttachedSender) -> Vec<Input> {
        let of_sender = match attached {
            AttachedSender::Exec(command) => Input::of_command("--exec", command),
            AttachedSender::Control(_) => Vec::new(),
            AttachedSender::Transcript(file) => vec![Input::of("--transcript", file)],
        };
        [of_sender, self.secret.inputs(), self.trust.inputs(), self.run.inputs()].concat()
    }
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let mut plan = RunPlan::of(&arguments.run, &[Role::Sender])?;
    if let Some(url) = &arguments.twenty {
        return twenty::run(&arguments, url, plan, console).await;
    }
    arguments.refuse_crm()?;
    let attached = arguments.attached()?;
    if !matches!(attached, AttachedSender::Control(_)) && arguments.trust.given() {
        return Err(Error::Usage(messages::trust_without_control().to_owned()));
    }
    if !matches!(attached, AttachedSender::Transcript(_)) && arguments.secret.given() {
        return Err(Error::Usage(messages::secret_without_transcript().to_owned()));
    }
    if !matches!(attached, AttachedSender::Exec(_)) {
        arguments.launch.refused()?;
    }
    let subject = attached.name();
    // A live sender gets secrets that the run makes.
    let secret = match attached {
        AttachedSender::Transcript(_) => arguments.secret.read(console)?,
        AttachedSender::Exec(_) | AttachedSender::Control(_) => None,
    };
    let folder = arguments.run.reports.claim(&arguments.inputs(&attached))?;
    let evidence = folder.map(|folder| plan.keep(&folder, Role::Sender, &subject, secret.as_ref()));
    plan.attached = attached.words(&arguments);
    let listener = heard(evidence.as_ref(), arguments.launch.show_output.then(|| plan.hidden()));
    let run = match attached.run(&arguments, &plan, (secret, listener), console).await {
        Err(Error::Subject(why)) => {
            let not_started = NotStarted { role: Role::Sender, subject: &subject, secret: None, why };
            return plan.publish_not_started(not_started, &arguments.run.reports, evidence.as_ref(), console);
        }
        Err(why) => {
            evidence.iter().for_each(RunEvidence::discard);
            return Err(why);
        }
        Ok(run) => run,
    };
    let report = plan.report(&run, &subject, evidence.as_ref());
    arguments.run.reports.publish(&report, console)
}

impl AttachedSender {
    /// Runs the checks on the sender, or judges the recording.
    async fn run(
        self,
        arguments: &Arguments,
        plan: &RunPlan,
        (secret, listener): (Option<Secret>, Option<Listener>),
        console: &mut Console,
    ) -> Result<Run, Error> {
        let hides = arguments.run.reports.is_quiet() || arguments.launch.show_output;
        let progress = ProgressLine::new("sender", hides);
        let sender = match self {
            Self::Exec(command) => Sender::launched(arguments.launch.launch(&command)?.heard_by(listener)),
            Self::Control(url) => {
                let target = arguments.trust.target(&url, console)?;
                target.check_allowed(arguments.allow_remote).map_err(Error::Usage)?;
                Sender::control(target)
            }
            Self::Transcript(file) => return recorded(&file, secret, plan),
        };
        sender.run(&plan.selected, &plan.options, &|at| progress.show(at)).await
    }
}

/// A file, or stdin for `-`. Errors: it cannot be opened.
fn open(file: &Path) -> Result<Box<dyn Read>, Error> {
    if file.as_os_str() == "-" {
        return Ok(Box::new(io::stdin()));
    }
    let opened = input::open(file).map_err(|why| Error::Usage(messages::cannot_read(file.display(), why)))?;
    Ok(Box::new(opened))
}

/// Judges a file. Errors: it cannot be read, or a line is malformed.
fn recorded(file: &Path, secret: Option<Secret>, plan: &RunPlan) -> Result<Run, Error> {
    run::check_vectors()?;
    let began = std::time::Instant::now();
    let name = file.display().to_string();
    let recording = reading::read(open(file)?, &name, &Redaction::new(secret.as_ref()))
        .map_err(|why| Error::Usage(messages::wrong_transcript(file, why)))?;
    let traffic = Traffic {
        dialect: plan.options.dialect,
        auto: plan.options.auto,
        limits: plan.options.limits,
        secret,
    };
    Ok(traffic.run(recording, &plan.selected, plan.options.keeper.as_ref(), began))
}
