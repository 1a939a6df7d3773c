//! The sender to check: started by a command, at the URL of its control, a CRM through its API, or the built-in reference.

pub(crate) mod twenty;

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::error::Error;
use crate::error;
use crate::peers::sender::pooled::Pooled;
use crate::peers::sender::{ANSWER_WAIT, Sender as Reference};
use crate::random::Random;
use crate::subject::control::Control;
use crate::subject::launch::Launch;
use crate::subject::sender::Command;
use crate::suite::requirement::Requirement;
use crate::suite::run::{self, Options, Progress, Run};
use crate::wire::client::Target;
use crate::wire::endpoint::certificates::Authority;

/// The environment variable with the file of certificates that a sender must trust.
const AUTHORITY: &str = "TWENTY_CONFORM_CA";
/// Where systems keep their trusted certificates, in the order in which OpenSSL looks for them.
const SYSTEM_STORES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// A sender to check. It speaks the attachment protocol (`docs/attach-a-sender.md`).
#[derive(Debug, Clone)]
pub struct Sender(Attachment);

#[derive(Debug, Clone)]
enum Attachment {
    Command(Launch),
    Control(Target),
    Reference { answer_wait: Duration },
}

impl Sender {
    /// A command that speaks the attachment protocol on its stdin and stdout.
    ///
    /// The command is split into words like in a shell, but no shell runs it. It is started at the beginning of each check and
    /// ended with it. If it cannot be started, [`check_sender`](super::Suite::check_sender) returns an error.
    pub fn command(command: impl Into<String>) -> Self {
        Self::launched(Launch::of(command))
    }

    /// The same with what it is started with.
    pub(crate) fn launched(launch: Launch) -> Self {
        Self(Attachment::Command(launch))
    }

    /// A running sender that accepts the requests of the attachment protocol by POST at this `http` or `https` URL. The operation
    /// `shutdown` ends each check.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a malformed URL.
    pub fn at(url: &str) -> Result<Self, Error> {
        Target::parse(url).map(Self::control).map_err(Error::Usage)
    }

    /// The built-in reference sender, which conforms, in this process.
    pub fn reference() -> Self {
        Self::reference_that_waits(ANSWER_WAIT)
    }

    /// The same, with another time for which it waits for an answer.
    pub(crate) fn reference_that_waits(answer_wait: Duration) -> Self {
        Self(Attachment::Reference { answer_wait })
    }

    pub(crate) fn control(target: Target) -> Self {
        Self(Attachment::Control(target))
    }

    /// Its name in reports.
    pub(super) fn name(&self) -> String {
        match &self.0 {
            Attachment::Command(launch) => launch.command().to_owned(),
            Attachment::Control(target) => target.url(),
            Attachment::Reference { .. } => "the reference sender".to_owned(),
        }
    }

    /// Runs the suite against it, and ends what was started.
    ///
    /// Errors: it cannot be started or does not answer `hello`, or the suite's own test vectors fail.
    pub(crate) async fn run(
        &self,
        selected: &[&'static Requirement],
        options: &Options,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Run, error::Error> {
        let wait = options.limits.timeout;
        match &self.0 {
            Attachment::Command(launch) => {
                let https = run::need_https(selected);
                let variables = if https { environment(&options.authority) } else { Vec::new() };
                let subject = Command::start(launch, &variables, wait)?;
                let run = run::sender(&subject, selected, options, progress).await;
                subject.stop().await;
                run
            }
            Attachment::Control(target) => {
                let subject = Control::at(target.clone(), wait, options.clock.clone());
                let run = run::sender(&subject, selected, options, progress).await;
                if !matches!(run, Err(error::Error::Subject(_))) {
                    subject.stop().await;
                }
                run
            }
            Attachment::Reference { answer_wait } => {
                let transport = Arc::new(Pooled::new(*answer_wait).map_err(error::Error::Harness)?);
                let random = Random::from_seed(options.seed);
                let subject = Reference::new(options.dialect, options.clock.clone(), random, transport);
                run::sender(&subject, selected, options, progress).await
            }
        }
    }
}

/// The environment variables with which a started sender trusts the HTTPS endpoints. One has the suite's own name, the others
/// have the names that runtimes read. The files of the latter also contain what was trusted before, since the command may fetch
/// dependencies or talk to other hosts.
///
/// If the authority cannot be created nothing is set, and the run reports it.
fn environment(authority: &Authority) -> Vec<(&'static str, String)> {
    let Ok(file) = authority.file() else { return Vec::new() };
    // Node adds these to its own certificates.
    let node = match set("NODE_EXTRA_CA_CERTS") {
        None => Some(file.to_owned()),
        Some(known) => authority.appended_to(&known, "node.pem").ok(),
    };
    // OpenSSL (Python, PHP, Ruby), Go and rustls read this file instead of the system's.
    let system = || SYSTEM_STORES.into_iter().map(Path::new).find(|file| file.is_file()).map(Path::to_owned);
    let openssl = set("SSL_CERT_FILE").or_else(system);
    let openssl = openssl.and_then(|known| authority.appended_to(&known, "system.pem").ok());
    let all = [(AUTHORITY, Some(file.to_owned())), ("NODE_EXTRA_CA_CERTS", node), ("SSL_CERT_FILE", openssl)];
    all.into_iter().filter_map(|(name, file)| Some((name, file?.to_str()?.to_owned()))).collect()
}

/// The file that an environment variable names, if it is set and not empty.
fn set(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
