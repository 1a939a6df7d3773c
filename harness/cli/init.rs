//! `init`: writes a commented configuration file, and a file for CI, from a few answers.
//!
//! Invariant: nothing is written before every answer is known, no file that exists is replaced without `--force`, and no file has
//! a secret.

mod answers;
mod ask;
mod ci;
mod detect;
mod text;
mod write;

use std::io::{self, IsTerminal as _};
use std::path::Path;

use clap::{Args, ValueEnum};

use super::config;
use super::console::Console;
use super::headings::{OUTPUT, PAYLOAD, TARGET, VERDICT};
use super::messages::init as messages;
use super::options::GateLevel;
use super::signals::asked_to_end;
use crate::api::suite::Dialect;
use crate::error::Error;
use crate::exit::ExitStatus;
use answers::{Answers, Attached};
use ask::Asker;
use detect::Found;
use write::NewFile;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What to check [default: receiver]
    #[arg(value_enum)]
    role: Option<RoleName>,
    /// Start what is checked with this command in each run [default: what the files of this folder suggest]
    #[arg(long, value_name = "COMMAND", help_heading = TARGET, conflicts_with_all = ["url", "control"])]
    exec: Option<String>,
    /// Check the receiver that already runs at this URL
    #[arg(long, help_heading = TARGET, conflicts_with = "control")]
    url: Option<String>,
    /// Check the sender that is controlled at this URL
    #[arg(long, value_name = "URL", help_heading = TARGET)]
    control: Option<String>,
    /// Send deliveries to this path of the started receiver [default: /]
    #[arg(long, help_heading = TARGET)]
    path: Option<String>,
    /// Allow a program on another machine
    #[arg(long, help_heading = TARGET)]
    allow_remote: bool,
    /// Form of the payloads [default: auto]
    #[arg(long, value_enum, help_heading = PAYLOAD)]
    dialect: Option<Dialect>,
    /// Fail a run if a requirement of this level or above fails [default: must]
    #[arg(long, value_enum, value_name = "LEVEL", help_heading = VERDICT)]
    fail_on: Option<GateLevel>,
    /// Keep known failures in this file, which is created if missing
    #[arg(long, value_name = "FILE", help_heading = VERDICT)]
    known_failures: Option<String>,
    /// Write a file for the CI of this service too
    #[arg(long, value_enum, value_name = "SERVICE", help_heading = OUTPUT)]
    ci: Option<Service>,
    /// In CI, start what runs at --url or --control with this command, in the background
    #[arg(long, value_name = "COMMAND", help_heading = OUTPUT)]
    ci_start: Option<String>,
    /// Ask nothing on a terminal, and use the defaults
    #[arg(long, short, help_heading = OUTPUT)]
    yes: bool,
    /// Replace files that exist
    #[arg(long, help_heading = OUTPUT)]
    force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RoleName {
    /// A program that receives webhooks
    Receiver,
    /// A program that sends webhooks
    Sender,
}

/// Where CI runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Service {
    /// A workflow in .github/workflows
    Github,
    /// A job in .gitlab-ci.yml, or in a file to include there
    Gitlab,
}

impl RoleName {
    fn as_str(self) -> &'static str {
        match self {
            Self::Receiver => "receiver",
            Self::Sender => "sender",
        }
    }
}

/// Whether a name is that of a list in the program, such as `twenty-2.31`.
fn is_built_in(known: &str) -> bool {
    known
        .strip_prefix("twenty-")
        .is_some_and(|version| version.starts_with(|first: char| first.is_ascii_digit()))
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let folder = Path::new("");
    let config = folder.join(config::FILE);
    if !arguments.force {
        write::refuse_existing(&config)?;
    }
    let found = Found::of(Path::new("."));
    let asks = io::stdin().is_terminal() && !arguments.yes;
    let interrupted = asked_to_end();
    let mut asker = Asker::new(asks, console);
    let answers = tokio::select! {
        answers = Answers::of(&arguments, &found, &mut asker) => answers?,
        () = interrupted => {
            console.note(messages::interrupted());
            return Ok(ExitStatus::Interrupted);
        }
    };
    let mut files = vec![NewFile::new(config, text::configuration(&answers))];
    if let Some(known) = &answers.known_failures
        && !is_built_in(known)
        && std::fs::symlink_metadata(known).is_err()
    {
        files.push(NewFile::new(known.into(), messages::known_failures(answers.role.as_str())));
    }
    let ci = answers.ci.as_ref().map(|ci| ci::file(ci, &answers, folder));
    let note = ci.as_ref().and_then(|(_, note)| note.clone());
    files.extend(ci.map(|(file, _)| file));
    write::all(&files, arguments.force)?;
    let mut said: String = files.iter().map(|file| messages::wrote(&file.path)).collect();
    note.into_iter().for_each(|note| said.push_str(&note));
    if matches!(answers.attached, Attached::Url(_)) {
        said.push_str(messages::secret_first());
    }
    said.push_str(&messages::next(answers.role.as_str()));
    console.print(&said)?;
    Ok(ExitStatus::Passed)
}
