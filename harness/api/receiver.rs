//! The receiver to check: at a URL, started by a command, or the built-in reference.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::error::Error;
use super::messages;
use crate::clock::Clock;
use crate::error;
use crate::peers::receiver::{Receiver as Reference, Settings};
use crate::subject::launch::Launch;
use crate::subject::observations::{Observing, Source};
use crate::subject::receiver::Receiver as Subject;
use crate::webhook::signature::Secret;
use crate::wire::client::Target;
use crate::wire::endpoint::http;

/// How long a started receiver may take to accept connections; the default of `--ready-timeout`.
const READY: Duration = Duration::from_secs(30);

/// A receiver to check.
#[derive(Debug)]
pub struct Receiver {
    pub(super) subject: Subject,
    /// Its name in reports.
    pub(super) name: String,
}

impl Receiver {
    /// A running receiver at an `http` or `https` URL, which verifies with this secret.
    ///
    /// Deliveries go to any host that the URL names; the command line would ask for `--allow-remote`. With `https`, the system
    /// must trust the certificate.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a malformed URL or an empty secret; [`Error::Subject`] if nothing accepts a connection there within 5
    /// seconds.
    pub async fn at(url: &str, secret: &str) -> Result<Self, Error> {
        let target = Target::parse(url).map_err(Error::Usage)?;
        let subject = Subject::at(target, non_empty(secret)?).await?;
        Ok(Self { subject, name: url.to_owned() })
    }

    /// Starts a receiver, and waits up to 30 seconds until its port accepts connections.
    ///
    /// The command is split into words like in a shell, but no shell runs it. Its environment has the port to listen on as `PORT`
    /// and the secret as `TWENTY_WEBHOOK_SECRET`. Deliveries go to `path`, such as `/hooks/twenty`. If it exits during a check,
    /// the report says so and it is started again. Dropping this value ends it, with everything that it started.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a command with unbalanced quotes, a path without a leading slash, or an empty secret.
    ///
    /// [`Error::Subject`] if it cannot be started, exits, or its port does not accept connections in time. The error quotes the end
    /// of its output.
    pub async fn start(command: &str, path: &str, secret: &str) -> Result<Self, Error> {
        check_path(path).map_err(|why| Error::Usage(messages::unusable_path(&why)))?;
        let subject = Subject::start(&Launch::of(command), path, non_empty(secret)?, READY).await?;
        Ok(Self { subject, name: command.to_owned() })
    }

    /// The built-in reference receiver, which conforms, on a free port of 127.0.0.1. It runs until it is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for an empty secret; [`Error::Harness`] if no port is free.
    pub async fn reference(secret: &str) -> Result<Self, Error> {
        let subject = reference(non_empty(secret)?, Clock::system()).await?;
        Ok(Self { subject, name: "the reference receiver".to_owned() })
    }

    /// Reads from the receiver's stdout which deliveries it processes: one line of JSON per delivery,
    /// `{"observed":{"event":"person.created","id":"abc12345"}}`. Without observations, the requirements PRC-1 to PRC-3 do not
    /// apply.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a receiver that was not started with [`start`](Self::start).
    pub fn observed_on_stdout(self) -> Result<Self, Error> {
        Ok(Self { subject: Subject::observed_on_stdout(self.subject)?, ..self })
    }

    /// Asks a URL which deliveries the receiver has processed. It answers a GET with a JSON array of the same objects.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a malformed URL.
    pub fn observed_at(self, url: &str) -> Result<Self, Error> {
        let source = Source::Polled(Target::parse(url).map_err(Error::Usage)?);
        Ok(Self { subject: self.subject.observed_by(source), ..self })
    }

    /// The URL to which deliveries go.
    pub fn url(&self) -> String {
        self.subject.target().url()
    }

    /// Ends a started receiver: asks it to stop, and kills it after two seconds. Dropping it kills it at once.
    pub async fn stop(self) {
        self.subject.stop().await;
    }
}

/// The reference receiver, in this process, with observations. Errors: no port is free.
pub(crate) async fn reference(secret: Secret, clock: Clock) -> Result<Subject, error::Error> {
    let observations = Observing::default();
    let observer = observations.clone();
    let observer = Arc::new(move |observed| observer.add(observed));
    let receiver = Reference::new(Settings::new(secret.clone()), clock, observer);
    let server = http::serve(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::new(receiver)).await;
    let server = server.map_err(|why| error::Error::Harness(messages::no_free_port(&why)))?;
    Ok(Subject::here(server, "/", secret).observed_by(Source::Pushed(observations)))
}

/// Checks the path of a started receiver. The error is a fragment whose subject the caller adds.
pub(crate) fn check_path(path: &str) -> Result<(), String> {
    if path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
        return Ok(());
    }
    Err(messages::path_needs_slash(path))
}

fn non_empty(secret: &str) -> Result<Secret, Error> {
    if secret.is_empty() {
        return Err(Error::Usage(messages::empty_secret()));
    }
    Ok(Secret::new(secret))
}
