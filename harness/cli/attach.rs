//! The options that name the receiver under test, and how it is reached or started.
//!
//! Invariant: nothing is sent to another machine without `--allow-remote`, and wrong options are reported before anything is
//! reached, started or written.

mod kept;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Args;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::console::Console;
use super::headings::TARGET;
use super::launch::{LaunchOptions, heard};
use super::messages;
use super::options::SecretOptions;
use super::outputs::Input;
use super::trust::TrustOptions;
use super::values::duration;
use crate::api::receiver;
use crate::error::Error;
use crate::redaction::Redaction;
use crate::report::evidence::RunEvidence;
use crate::shell::word as word_of_shell;
use crate::subject::SubjectError;
use crate::subject::launch::Launch;
use crate::subject::receiver::Receiver;
use crate::webhook::signature::Secret;
use crate::wire::client::Target;

/// The pause between two attempts to reach a receiver that something else restarts.
const REACH_PACE: Duration = Duration::from_millis(50);

/// Which receiver to test.
#[derive(Debug, Args)]
#[command(next_help_heading = TARGET)]
pub(super) struct AttachOptions {
    /// Use the receiver that already runs at this URL
    #[arg(long, conflicts_with = "exec")]
    url: Option<String>,
    /// Start the receiver with this command, without a shell; its environment has PORT and TWENTY_WEBHOOK_SECRET, and
    /// `{port}` and `{secret}` are replaced, in --env too
    #[arg(long, value_name = "COMMAND")]
    exec: Option<String>,
    #[command(flatten)]
    launch: LaunchOptions,
    /// Have the command listen on this port [default: a free one]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Wait this long for the started receiver to accept connections
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    ready_timeout: Duration,
    /// Allow a receiver on another machine
    #[arg(long)]
    pub(super) allow_remote: bool,
    #[command(flatten)]
    secret: SecretOptions,
}

#[derive(Clone)]
pub(super) struct Attachment {
    pub(super) name: String,
    pub(super) secret: Secret,
    /// Whether its output is shown.
    pub(super) shows: bool,
    place: Location,
    ready: Duration,
}

enum Attached {
    Url(String),
    Exec(String),
}

#[derive(Clone)]
enum Location {
    At(Target),
    Command { launch: Launch, path: String },
}

impl AttachOptions {
    /// The URL of a receiver that already runs, if one is given.
    pub(super) fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Whether the command line or the environment names a receiver.
    pub(super) fn named(&self) -> bool {
        self.attached().is_some()
    }

    fn attached(&self) -> Option<Attached> {
        let url = self.url.clone().map(Attached::Url);
        url.or_else(|| self.exec.clone().map(Attached::Exec))
    }

    /// Errors: an option is about a receiver that is started.
    pub(super) fn refuse_start(&self) -> Result<(), Error> {
        self.launch.refused()?;
        self.port.map_or(Ok(()), |_| Err(Error::Usage(messages::needs_exec("--port"))))
    }

    /// Errors: an option is about a receiver.
    pub(super) fn refuse_receiver(&self) -> Result<(), Error> {
        self.refuse_start()?;
        if self.secret.given() {
            return Err(Error::Usage(messages::doctor::secret_with_twenty().to_owned()));
        }
        Ok(())
    }

    /// The files of the command and of the secret.
    pub(super) fn inputs(&self) -> Vec<Input> {
        let command = match self.attached() {
            Some(Attached::Exec(command)) => Input::of_command("--exec", &command),
            Some(Attached::Url(_)) | None => Vec::new(),
        };
        command.into_iter().chain(self.secret.inputs()).collect()
    }

    /// The words that attach the receiver of this name again, with its path, on a command line; `None` if a shell cannot pass them.
    /// A secret that the command line has is left out, since it is redacted.
    pub(super) fn words(&self, attachment: &Attachment, trust: &TrustOptions) -> Option<String> {
        self.words_of("receiver", attachment, trust)
    }

    /// The same for another command.
    pub(super) fn words_of(
        &self,
        command: &str,
        Attachment { name, place, .. }: &Attachment,
        trust: &TrustOptions,
    ) -> Option<String> {
        let name = word_of_shell(name.as_bytes())?;
        let mut words = match place {
            Location::At(_) => format!("{command} --url {name}"),
            Location::Command { .. } => format!("{command} --exec {name}"),
        };
        if let Location::Command { path, .. } = place
            && path != "/"
        {
            words.push_str(&format!(" --path {}", word_of_shell(path.as_bytes())?));
        }
        words.push_str(&self.launch.words()?);
        if let Some(port) = self.port {
            words.push_str(&format!(" --port {port}"));
        }
        words.push_str(&trust.words()?);
        if self.allow_remote {
            words.push_str(" --allow-remote");
        }
        words.push_str(&self.secret.words()?);
        Some(words)
    }

    /// The secret for the built-in receiver, if one is given.
    pub(super) fn given_secret(&self, console: &mut Console) -> Result<Option<Secret>, Error> {
        self.secret.read(console)
    }

    /// The receiver to test. A started one has the path that is given, or else the usual one, and `made` makes its secret if none
    /// is given.
    ///
    /// Errors: no receiver is named, its URL or path is malformed, a path is given in addition to a URL, it is not allowed, or its
    /// secret is missing.
    pub(super) fn attachment(
        &self,
        (path, usual_path): (Option<&str>, &str),
        made: impl FnOnce() -> Secret,
        trust: &TrustOptions,
        console: &mut Console,
    ) -> Result<Attachment, Error> {
        let (name, secret, place) = match self.attached() {
            Some(Attached::Url(_)) if path.is_some() => {
                return Err(Error::Usage(messages::path_with_url().to_owned()));
            }
            Some(Attached::Url(url)) => {
                self.refuse_start()?;
                let target = trust.target(&url, console)?;
                target.check_allowed(self.allow_remote).map_err(Error::Usage)?;
                self.secret.note_odd_word(console);
                (url, self.secret.require(console)?, Location::At(target))
            }
            Some(Attached::Exec(_)) if trust.given() => {
                return Err(Error::Usage(messages::trust_without_url().to_owned()));
            }
            Some(Attached::Exec(command)) => {
                let path = path.unwrap_or(usual_path);
                check_path(path)?;
                let launch = self.launch.launch(&command)?.on_port(self.port);
                let secret = self.secret.read(console)?.unwrap_or_else(made);
                (command, secret, Location::Command { launch, path: path.to_owned() })
            }
            None => {
                return Err(Error::Usage(messages::no_receiver().to_owned()));
            }
        };
        console.redact(&secret);
        let (shows, ready) = (self.launch.show_output, self.ready_timeout);
        Ok(Attachment { name, secret, shows, place, ready }.heard_by(None))
    }
}

/// Errors: the path of a started receiver is malformed.
pub(super) fn check_path(text: &str) -> Result<(), Error> {
    receiver::check_path(text).map_err(|why: String| Error::Usage(messages::wrong_path(&why)))
}

impl Attachment {
    /// The same, of which the evidence has the output too, if there is any.
    pub(super) fn heard_by(&self, evidence: Option<&RunEvidence>) -> Self {
        let shown = self.shows.then(|| Arc::new(Mutex::new(Redaction::new([&self.secret]))));
        let place = match self.place.clone() {
            Location::Command { launch, path } => {
                Location::Command { launch: launch.heard_by(heard(evidence, shown)), path }
            }
            at @ Location::At(_) => at,
        };
        Self { place, ..self.clone() }
    }

    /// The target of a receiver that already runs.
    pub(super) fn target(&self) -> Option<&Target> {
        match &self.place {
            Location::At(target) => Some(target),
            Location::Command { .. } => None,
        }
    }

    /// Reaches or starts the receiver; `None` if that was interrupted. With `retry`, a receiver that already runs gets as
    /// much time as a started one, since something else may be restarting it.
    ///
    /// Errors: it cannot be reached or started.
    pub(super) async fn reach(
        &self,
        interrupted: &watch::Receiver<bool>,
        retry: bool,
    ) -> Result<Option<Receiver>, SubjectError> {
        self.reach_within(self.ready, interrupted, retry).await
    }

    /// The same within at most this time.
    pub(super) async fn reach_within(
        &self,
        most: Duration,
        interrupted: &watch::Receiver<bool>,
        retry: bool,
    ) -> Result<Option<Receiver>, SubjectError> {
        let (mut interrupted, ready) = (interrupted.clone(), self.ready.min(most));
        let reached = async {
            match &self.place {
                Location::At(target) => {
                    let deadline = Instant::now() + ready;
                    loop {
                        let reached = Receiver::at(target.clone(), self.secret.clone()).await;
                        if reached.is_ok() || !retry || Instant::now() >= deadline {
                            return reached;
                        }
                        sleep(REACH_PACE).await;
                    }
                }
                Location::Command { launch, path } => {
                    Receiver::start(launch, path, self.secret.clone(), ready).await
                }
            }
        };
        tokio::select! {
            reached = reached => reached.map(Some),
            Ok(_) = interrupted.wait_for(|on| *on) => Ok(None),
        }
    }
}
