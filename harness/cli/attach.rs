//! The options that say which receiver is meant, and the way to it.
//!
//! Invariant: nothing is sent to an address that is not this machine's, unless that was asked for; and whatever is wrong with
//! the options is said before anything is reached, started or written.

use std::ffi::OsStr;
use std::time::Duration;

use clap::Args;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::console::Console;
use super::environment::{Choice, first_given, text};
use super::options::SecretOptions;
use super::trust::TrustOptions;
use super::values::duration;
use crate::api::receiver;
use crate::error::Error;
use crate::subject::SubjectError;
use crate::subject::receiver::Receiver;
use crate::webhook::signature::Secret;
use crate::wire::client::Target;

/// How often a receiver that is started again by somebody else is tried.
const REACH_PACE: Duration = Duration::from_millis(50);

/// Which receiver.
#[derive(Debug, Args)]
pub(super) struct AttachOptions {
    /// The URL of a receiver that runs already
    #[arg(long, conflicts_with = "exec")]
    url: Option<String>,
    /// A command that starts a receiver; it gets PORT and TWENTY_WEBHOOK_SECRET, and no shell
    #[arg(long, value_name = "COMMAND")]
    exec: Option<String>,
    /// How long the command may take until its port accepts
    #[arg(long, default_value = "30s", value_parser = duration)]
    ready_timeout: Duration,
    /// Send to an address that is not this machine's
    #[arg(long)]
    pub(super) allow_remote: bool,
    #[command(flatten)]
    secret: SecretOptions,
}

/// A receiver that can be reached.
pub(super) struct Attachment {
    /// What reports call it.
    pub(super) name: String,
    pub(super) secret: Secret,
    place: Location,
    ready: Duration,
}

/// How a receiver is named.
enum Means {
    Url(String),
    Exec(String),
}

enum Location {
    At(Target),
    Command { path: String },
}

impl AttachOptions {
    /// Whether any receiver is named, on the command line or in the environment.
    pub(super) fn named(&self) -> bool {
        self.means().is_some()
    }

    fn means(&self) -> Option<Means> {
        let url: Choice<'_, Means> =
            ("url", self.url.as_deref().map(OsStr::new), |url| Means::Url(text(url)));
        let exec: Choice<'_, Means> =
            ("exec", self.exec.as_deref().map(OsStr::new), |command| Means::Exec(text(command)));
        first_given(&[url, exec])
    }

    /// The secret, where one is given, for the built-in receiver.
    pub(super) fn given_secret(&self) -> Result<Option<Secret>, Error> {
        self.secret.read()
    }

    /// The receiver that is meant. `path` is for one that is started, and `made` its secret where none is given.
    ///
    /// Errors: none is named, its URL or path is malformed, it is not allowed, or there is no secret for it.
    pub(super) fn attachment(
        &self,
        path: &str,
        made: impl FnOnce() -> Secret,
        trust: &TrustOptions,
        console: &mut Console,
    ) -> Result<Attachment, Error> {
        let (name, secret, place) = match self.means() {
            Some(Means::Url(url)) => {
                let target = trust.target(&url, console)?;
                target.check_allowed(self.allow_remote).map_err(Error::Usage)?;
                (url, self.secret.require()?, Location::At(target))
            }
            Some(Means::Exec(_)) if trust.given() => {
                return Err(Error::Usage(
                    "--ca and --insecure are for a receiver behind https, given with --url; what --exec starts is spoken \
                     to over plain http"
                        .to_owned(),
                ));
            }
            Some(Means::Exec(command)) => {
                check_path(path)?;
                let secret = self.secret.read()?.unwrap_or_else(made);
                (command, secret, Location::Command { path: path.to_owned() })
            }
            None => {
                return Err(Error::Usage(
                    "give --url URL for a receiver that runs already, or --exec 'COMMAND' for one to start"
                        .to_owned(),
                ));
            }
        };
        console.conceal(&secret);
        Ok(Attachment { name, secret, place, ready: self.ready_timeout })
    }
}

/// Errors: a receiver that is started cannot have that path.
pub(super) fn check_path(path: &str) -> Result<(), Error> {
    receiver::check_path(path).map_err(|why| Error::Usage(format!("--path {why}")))
}

impl Attachment {
    /// Where it is, where it runs already.
    pub(super) fn target(&self) -> Option<&Target> {
        match &self.place {
            Location::At(target) => Some(target),
            Location::Command { .. } => None,
        }
    }

    /// Reaches it, or starts it; `None` where that was interrupted. With patience one that runs already may take as long to
    /// listen as one that is started: it is being started again by somebody else.
    ///
    /// Errors: it cannot be reached or started.
    pub(super) async fn reach(
        &self,
        interrupted: &watch::Receiver<bool>,
        patient: bool,
    ) -> Result<Option<Receiver>, SubjectError> {
        let mut interrupted = interrupted.clone();
        let reached = async {
            match &self.place {
                Location::At(target) => {
                    let deadline = Instant::now() + self.ready;
                    loop {
                        let reached = Receiver::at(target.clone(), self.secret.clone()).await;
                        if reached.is_ok() || !patient || Instant::now() >= deadline {
                            return reached;
                        }
                        sleep(REACH_PACE).await;
                    }
                }
                Location::Command { path } => {
                    Receiver::start(&self.name, path, self.secret.clone(), self.ready).await
                }
            }
        };
        tokio::select! {
            reached = reached => reached.map(Some),
            Ok(_) = interrupted.wait_for(|on| *on) => Ok(None),
        }
    }
}
