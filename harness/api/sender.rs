//! A sender to check: started by a command, at the URL of its control, or the built-in reference.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::Error;
use crate::error;
use crate::peers::sender::pooled::Pooled;
use crate::peers::sender::{ANSWER_WAIT, Sender as Reference};
use crate::random::Random;
use crate::subject::control::Control;
use crate::subject::sender::Command;
use crate::suite::requirement::Requirement;
use crate::suite::run::{self, Options, Progress, Run};
use crate::wire::client::Target;
use crate::wire::endpoint::certificates::Authority;

/// The variable that names the file of certificates a sender is to trust.
const AUTHORITY: &str = "TWENTY_CONFORM_CA";
/// Where systems keep the certificates that they trust, as OpenSSL and what follows its variable look for them.
const SYSTEM_STORES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// A sender to check: something that speaks the attachment protocol (`docs/attach-a-sender.md`).
#[derive(Debug, Clone)]
pub struct Sender(Means);

#[derive(Debug, Clone)]
enum Means {
    Command(String),
    Control(Target),
    Reference,
}

impl Sender {
    /// A command that speaks the attachment protocol on its stdin and stdout.
    ///
    /// It is split into words as a shell would, and started without one at the beginning of each check; a command that cannot
    /// be started is an error of [`check_sender`](super::Suite::check_sender). It ends with the check.
    pub fn command(command: impl Into<String>) -> Self {
        Self(Means::Command(command.into()))
    }

    /// A running sender that takes the objects of the attachment protocol by POST at this `http` or `https` URL. The operation
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
        Self(Means::Reference)
    }

    pub(crate) fn control(target: Target) -> Self {
        Self(Means::Control(target))
    }

    /// What reports call it.
    pub(super) fn name(&self) -> String {
        match &self.0 {
            Means::Command(command) => command.clone(),
            Means::Control(target) => target.url(),
            Means::Reference => "the reference sender".to_owned(),
        }
    }

    /// Runs the suite against it, and ends what was started.
    ///
    /// Errors: it cannot be started or does not answer the greeting, or the suite contradicts itself.
    pub(crate) async fn run(
        &self,
        selected: &[&'static Requirement],
        options: &Options,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Run, error::Error> {
        let wait = options.limits.timeout;
        match &self.0 {
            Means::Command(command) => {
                let https = run::need_https(selected);
                let told = if https { environment(&options.authority) } else { Vec::new() };
                let subject = Command::start(command, &told, wait)?;
                let run = run::sender(&subject, selected, options, progress).await;
                subject.stop().await;
                run
            }
            Means::Control(target) => {
                let subject = Control::at(target.clone(), wait, options.clock.clone());
                let run = run::sender(&subject, selected, options, progress).await;
                if !matches!(run, Err(error::Error::Subject(_))) {
                    subject.stop().await;
                }
                run
            }
            Means::Reference => {
                let transport = Arc::new(Pooled::new(ANSWER_WAIT).map_err(error::Error::Harness)?);
                let random = Random::from_seed(options.seed);
                let subject = Reference::new(options.dialect, options.clock.clone(), random, transport);
                run::sender(&subject, selected, options, progress).await
            }
        }
    }
}

/// What a sender that is started finds in its environment, so that it trusts the endpoints with HTTPS: the authority's
/// file under our own name, and under the names that runtimes look at by themselves. Those stand for what was trusted
/// before, too: the command may fetch its dependencies, or talk to others, before it sends anything to us.
///
/// Where the authority cannot be made nothing is set; the run says so itself.
fn environment(authority: &Authority) -> Vec<(&'static str, String)> {
    let Ok(file) = authority.file() else { return Vec::new() };
    // Node adds these to its own.
    let node = match set("NODE_EXTRA_CA_CERTS") {
        None => Some(file.to_owned()),
        Some(known) => authority.appended_to(&known, "node.pem").ok(),
    };
    // OpenSSL (Python, PHP, Ruby), Go and rustls read this one in the place of the system's.
    let system = || SYSTEM_STORES.into_iter().map(Path::new).find(|file| file.is_file()).map(Path::to_owned);
    let openssl = set("SSL_CERT_FILE").or_else(system);
    let openssl = openssl.and_then(|known| authority.appended_to(&known, "system.pem").ok());
    let all = [(AUTHORITY, Some(file.to_owned())), ("NODE_EXTRA_CA_CERTS", node), ("SSL_CERT_FILE", openssl)];
    all.into_iter().filter_map(|(name, file)| Some((name, file?.to_str()?.to_owned()))).collect()
}

/// The file that a variable names, where it is set and not empty.
fn set(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
