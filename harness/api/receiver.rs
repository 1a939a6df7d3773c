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
/// The path of deliveries if none is given.
const ROOT: &str = "/";

/// A receiver to check: where it is, and the secret that it verifies with.
///
/// Nothing is started or connected before the check; what is wrong with the arguments is an error of the check, too.
///
/// ```
/// use twenty_conform::Receiver;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), twenty_conform::Error> {
/// // Yours: Receiver::at("http://127.0.0.1:3000/webhooks/twenty").secret("s3cr3t")
/// let report = Receiver::reference().secret("s3cr3t").check().await?;
/// report.assert_conforms();
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Receiver {
    attached: Attached,
    secret: String,
    path: String,
    observed: Option<Observed>,
}

#[derive(Debug, Clone)]
enum Attached {
    Url(String),
    Command(String),
    Reference,
}

#[derive(Debug, Clone)]
enum Observed {
    Stdout,
    Url(String),
}

impl Receiver {
    /// A running receiver at an `http` or `https` URL.
    ///
    /// Deliveries go to any host that the URL names; the command line would ask for `--allow-remote`. With `https`, the system
    /// must trust the certificate. The check returns [`Error::Usage`] for a malformed URL, and [`Error::Subject`] if nothing accepts
    /// a connection there within 5 seconds.
    pub fn at(url: &str) -> Self {
        Self::new(Attached::Url(url.to_owned()))
    }

    /// A command that starts a receiver. Each check starts it, waits up to 30 seconds until its port accepts connections, and ends
    /// it with everything that it started.
    ///
    /// The command is split into words like in a shell, but no shell runs it. Its environment has the port to listen on as `PORT`
    /// and the secret as `TWENTY_WEBHOOK_SECRET`. If it exits during a check, the report says so and it is started again.
    ///
    /// The check returns [`Error::Usage`] for a command with unbalanced quotes, and [`Error::Subject`] if it cannot be started,
    /// exits, or its port does not accept connections in time. The error quotes the end of its output.
    pub fn command(command: &str) -> Self {
        Self::new(Attached::Command(command.to_owned()))
    }

    /// The built-in reference receiver, which conforms, on a free port of 127.0.0.1.
    pub fn reference() -> Self {
        Self::new(Attached::Reference)
    }

    fn new(attached: Attached) -> Self {
        Self { attached, secret: String::new(), path: ROOT.to_owned(), observed: None }
    }

    /// Sets the secret that it verifies with. The check returns [`Error::Usage`] without one.
    #[must_use]
    pub fn secret(self, secret: &str) -> Self {
        Self { secret: secret.to_owned(), ..self }
    }

    /// Sets the path to which deliveries to a receiver go that a command starts, such as `/hooks/twenty`; the default is `/`. The
    /// check returns [`Error::Usage`] for a path without a leading slash, and for a receiver that no command starts: a URL has its
    /// path in it.
    #[must_use]
    pub fn path(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    /// Reads from the receiver's stdout which deliveries it processes: one line of JSON per delivery,
    /// `{"observed":{"event":"person.created","id":"abc12345"}}`. Without observations, the requirements PRC-1 to PRC-3 do not
    /// apply. The check returns [`Error::Usage`] for a receiver that no command starts.
    #[must_use]
    pub fn observed_on_stdout(self) -> Self {
        Self { observed: Some(Observed::Stdout), ..self }
    }

    /// Asks a URL which deliveries the receiver has processed. It answers a GET with a JSON array of the same objects. The check
    /// returns [`Error::Usage`] for a malformed URL.
    #[must_use]
    pub fn observed_at(self, url: &str) -> Self {
        Self { observed: Some(Observed::Url(url.to_owned())), ..self }
    }

    /// Its name in reports.
    pub(super) fn name(&self) -> String {
        match &self.attached {
            Attached::Url(url) => url.clone(),
            Attached::Command(command) => command.clone(),
            Attached::Reference => messages::the_reference_receiver().to_owned(),
        }
    }

    /// Starts it, or connects to it.
    pub(super) async fn attach(&self) -> Result<Subject, Error> {
        if self.secret.is_empty() {
            return Err(Error::Usage(messages::no_secret()));
        }
        if self.path != ROOT && !matches!(self.attached, Attached::Command(_)) {
            return Err(Error::Usage(messages::path_without_command()));
        }
        let secret = Secret::new(&self.secret);
        let subject = match &self.attached {
            Attached::Url(url) => Subject::at(Target::parse(url).map_err(Error::Usage)?, secret).await?,
            Attached::Command(command) => {
                check_path(&self.path).map_err(|why| Error::Usage(messages::unusable_path(&why)))?;
                Subject::start(&Launch::of(command), &self.path, secret, READY).await?
            }
            Attached::Reference => reference(secret, Clock::system()).await?,
        };
        Ok(match &self.observed {
            None => subject,
            Some(Observed::Stdout) => subject.observed_on_stdout()?,
            Some(Observed::Url(url)) => {
                let source = Source::Polled(Target::parse(url).map_err(Error::Usage)?);
                subject.observed_by(source)
            }
        })
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
