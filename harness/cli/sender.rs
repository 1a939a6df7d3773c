//! `sender`: checks a sender, or traffic of one that was recorded.
//!
//! Invariant: a sender that was started is ended whatever came of the run.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::BoolishValueParser;

use super::console::{Console, ProgressLine};
use super::options::{RunOptions, SecretOptions};
use super::plan::{Plan, Unbegun};
use super::sign::input;
use super::trust::TrustOptions;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::requirement::Role;
use crate::subject::control::Control;
use crate::subject::sender::Command;
use crate::suite::{self, Run};
use crate::traffic::concealed::Concealed;
use crate::traffic::{Traffic, reading};

/// Options of `sender`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    // The environment is read by hand: what stands on the command line wins over it, and does not clash with it.
    /// A command that speaks the attachment protocol on its stdin and stdout; no shell
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["control", "transcript"])]
    exec: Option<String>,
    /// The URL of a sender that takes the same objects by POST
    #[arg(long, value_name = "URL", conflicts_with = "transcript")]
    control: Option<String>,
    /// Recorded deliveries to judge without a sender: JSON lines of listen or of a run, or HAR; - for stdin
    #[arg(long, value_name = "FILE")]
    transcript: Option<PathBuf>,
    /// Talk to a sender at an address that is not this machine's
    #[arg(long, env = "TWENTY_CONFORM_ALLOW_REMOTE", value_parser = BoolishValueParser::new(), hide_env = true)]
    allow_remote: bool,
    #[command(flatten)]
    trust: TrustOptions,
    #[command(flatten)]
    secret: SecretOptions,
    #[command(flatten)]
    run: RunOptions,
}

/// How the sender is attached.
enum Attached {
    Exec(String),
    Control(String),
    Transcript(PathBuf),
}

impl Attached {
    /// What reports call it.
    fn name(&self) -> String {
        match self {
            Self::Exec(command) => command.clone(),
            Self::Control(url) => url.clone(),
            Self::Transcript(file) => file.display().to_string(),
        }
    }
}

impl Arguments {
    fn attached(&self) -> Result<Attached, Error> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let choose = |exec: Option<String>, control: Option<String>, transcript: Option<PathBuf>| {
            let exec = exec.map(Attached::Exec);
            exec.or(control.map(Attached::Control)).or(transcript.map(Attached::Transcript))
        };
        let given = choose(self.exec.clone(), self.control.clone(), self.transcript.clone());
        let set = || {
            let transcript = variable("TWENTY_CONFORM_TRANSCRIPT").map(PathBuf::from);
            choose(variable("TWENTY_CONFORM_EXEC"), variable("TWENTY_CONFORM_CONTROL"), transcript)
        };
        given.or_else(set).ok_or_else(|| {
            Error::Usage(
                "give --exec 'COMMAND' for a sender to start, --control URL for one that runs, or --transcript FILE for \
                 recorded deliveries"
                    .to_owned(),
            )
        })
    }
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let mut plan = arguments.run.plan(&[Role::Sender])?;
    let wait = plan.options.limits.timeout;
    let attached = arguments.attached()?;
    if !matches!(attached, Attached::Control(_)) && arguments.trust.given() {
        return Err(Error::Usage("--ca and --insecure are for --control with an https URL".to_owned()));
    }
    if !matches!(attached, Attached::Transcript(_)) && arguments.secret.given() {
        return Err(Error::Usage(
            "--secret and --secret-file are for --transcript; a sender that is driven is given secrets of the run's own"
                .to_owned(),
        ));
    }
    let folder = arguments.run.folder()?;
    let evidence = folder.map(|folder| plan.keep(&folder, Role::Sender, &attached.name(), None));
    let progress = ProgressLine::new("sender", arguments.run.quiet);
    let show = |at| progress.show(at);
    let (run, subject) = match attached {
        Attached::Exec(command) => {
            let subject = Command::start(&command, wait)?;
            let run = suite::sender(&subject, &plan.selected, &plan.options, &show).await;
            subject.stop().await;
            (run, command)
        }
        Attached::Control(url) => {
            let target = arguments.trust.target(&url, console)?;
            target.check_allowed(arguments.allow_remote).map_err(Error::Usage)?;
            let subject = Control::at(target, wait, plan.options.clock.clone());
            let run = suite::sender(&subject, &plan.selected, &plan.options, &show).await;
            if !matches!(run, Err(Error::Subject(_))) {
                subject.stop().await;
            }
            (run, url)
        }
        Attached::Transcript(file) => {
            (recorded(&file, &arguments, &plan, console), file.display().to_string())
        }
    };
    let run = match run {
        Err(Error::Subject(why)) => {
            let unbegun = Unbegun { role: Role::Sender, subject: &subject, secret: None, why };
            return plan.publish_not_begun(unbegun, &arguments.run, evidence.as_ref(), console);
        }
        run => run?,
    };
    let report = plan.report(&run, &subject, evidence.as_ref());
    arguments.run.publish(&report, console)
}

/// Judges a file. Errors: it cannot be read, or is none of the formats: which line.
fn recorded(file: &Path, arguments: &Arguments, plan: &Plan, console: &mut Console) -> Result<Run, Error> {
    suite::check_oracles()?;
    let secret = arguments.secret.read()?;
    secret.iter().for_each(|secret| console.conceal(secret));
    let began = std::time::Instant::now();
    let recording = reading::read(&input(Some(file))?, &Concealed::new(secret.as_ref()))
        .map_err(|why| Error::Usage(format!("{}: {why}", file.display())))?;
    recording.remarks.iter().for_each(|remark| console.tell(&format!("note: {remark}")));
    let traffic = Traffic { dialect: plan.options.dialect, limits: plan.options.limits, secret };
    let transcript = traffic.transcript(recording.exchanges);
    let findings = traffic.judge(&transcript, &plan.selected);
    Ok(Run { transcript, findings, duration: began.elapsed(), interrupted: false })
}
