//! The options that say how `--exec` starts a program.
//!
//! Invariant: they are refused without `--exec`, and a wrong one is reported before anything is started.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;

use super::console::print_output;
use super::headings::TARGET;
use super::messages;
use crate::clock::Clock;
use crate::error::Error;
use crate::redaction::Redaction;
use crate::report::evidence::RunEvidence;
use crate::shell::word;
use crate::subject::heard::Listener;
use crate::subject::launch::Launch;
use crate::terminal::text;

/// How a command is started.
#[derive(Debug, Args)]
#[command(next_help_heading = TARGET)]
pub(super) struct LaunchOptions {
    /// Start the command with this variable too; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub(super) env: Vec<(String, String)>,
    /// Start the command in this folder [default: the current one]
    #[arg(long, value_name = "DIR")]
    pub(super) cwd: Option<PathBuf>,
    /// Show on stderr what the command writes; with --out it is in `subject.log` in any case
    #[arg(long)]
    pub(super) show_output: bool,
}

impl LaunchOptions {
    /// The first of them that the command line has.
    pub(super) fn given(&self) -> Option<&'static str> {
        let env = (!self.env.is_empty()).then_some("--env");
        let cwd = || self.cwd.as_ref().map(|_| "--cwd");
        env.or_else(cwd).or_else(|| self.show_output.then_some("--show-output"))
    }

    /// The options as words of a command line, each after a blank; `None` if a shell cannot pass them.
    pub(super) fn words(&self) -> Option<String> {
        let mut words = String::new();
        for (name, value) in &self.env {
            words.push_str(&format!(" --env {}", word(format!("{name}={value}").as_bytes())?));
        }
        if let Some(folder) = &self.cwd {
            words.push_str(&format!(" --cwd {}", word(folder.to_str()?.as_bytes())?));
        }
        Some(words)
    }

    /// Refuses them without a command to start. Errors: one of them is given.
    pub(super) fn refused(&self) -> Result<(), Error> {
        self.given().map_or(Ok(()), |option| Err(Error::Usage(messages::needs_exec(option))))
    }

    /// How this command is started. Errors: the folder is none.
    pub(super) fn launch(&self, command: &str) -> Result<Launch, Error> {
        if let Some(folder) = self.cwd.as_ref().filter(|folder| !folder.is_dir()) {
            return Err(Error::Usage(messages::not_a_folder("--cwd", folder)));
        }
        Ok(Launch::of(command).with_environment(&self.env).in_folder(self.cwd.as_deref()))
    }
}

/// The secrets that are not shown, of which a run may make more.
pub(super) type Hidden = Arc<Mutex<Redaction>>;

/// What hears a program: the evidence, if there is any, and the reader of stderr, if the output is shown.
pub(super) fn heard(evidence: Option<&RunEvidence>, shown: Option<Hidden>) -> Option<Listener> {
    if evidence.is_none() && shown.is_none() {
        return None;
    }
    let (evidence, clock) = (evidence.cloned(), Clock::system());
    Some(Listener::new(move |stream, line| {
        if let Some(evidence) = &evidence {
            evidence.hear(stream, line, clock.now_ms());
        }
        if let Some(hidden) = &shown {
            let line = text(line);
            let line = hidden.lock().unwrap_or_else(PoisonError::into_inner).text(&line);
            print_output(stream, &line);
        }
    }))
}

/// Reads `NAME=VALUE`.
fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !text.contains('\0') => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err(messages::not_an_assignment().to_owned()),
    }
}
