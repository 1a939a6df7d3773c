//! A receiver to check: at a URL, started by a command, or the built-in reference.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::error::Error;
use crate::clock::Clock;
use crate::error;
use crate::peers::receiver::{Receiver as Reference, Settings};
use crate::subject::observations::{Observations, Source};
use crate::subject::receiver::Receiver as Subject;
use crate::webhook::signature::Secret;
use crate::wire::client::Target;
use crate::wire::endpoint::http;

/// How long a started receiver may take until its port accepts connections, as the command line's `--ready-timeout`.
const READY: Duration = Duration::from_secs(30);

/// A receiver to check.
#[derive(Debug)]
pub struct Receiver {
    pub(super) subject: Subject,
    /// What reports call it.
    pub(super) name: String,
}

impl Receiver {
    /// A receiver that is running, at an `http` or `https` URL, and the secret that it verifies with.
    ///
    /// Deliveries go to whatever host the URL names; unlike the command line, this asks for no `--allow-remote`. For `https`,
    /// the system has to trust the certificate.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a malformed URL or an empty secret; [`Error::Subject`] where nothing accepts a connection there
    /// within 5 seconds.
    pub async fn at(url: &str, secret: &str) -> Result<Self, Error> {
        let target = Target::parse(url).map_err(Error::Usage)?;
        let subject = Subject::at(target, checked(secret)?).await?;
        Ok(Self { subject, name: url.to_owned() })
    }

    /// Starts a receiver, and waits up to 30 seconds until its port accepts connections.
    ///
    /// The command is split into words as a shell would, and started without one. It gets the port to listen on as `PORT` and
    /// the secret as `TWENTY_WEBHOOK_SECRET` in its environment. Deliveries go to `path`, such as `/hooks/twenty`. If it exits
    /// during a check, the report says so and it is started again. It ends, with everything that it started, when this value
    /// is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a command that does not exist, a path without a leading slash, or an empty secret;
    /// [`Error::Subject`] where it exits or its port does not accept in time, with the end of its stderr.
    pub async fn start(command: &str, path: &str, secret: &str) -> Result<Self, Error> {
        check_path(path).map_err(|why| Error::Usage(format!("the path {why}")))?;
        let subject = Subject::start(command, path, checked(secret)?, READY).await?;
        Ok(Self { subject, name: command.to_owned() })
    }

    /// The built-in reference receiver, which conforms, on a free port of 127.0.0.1. It serves until it is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for an empty secret; [`Error::Harness`] where no port is free.
    pub async fn reference(secret: &str) -> Result<Self, Error> {
        let subject = reference(checked(secret)?, Clock::system()).await?;
        Ok(Self { subject, name: "the reference receiver".to_owned() })
    }

    /// With the receiver's stdout as the report of what it processes: one line of JSON for each delivery,
    /// `{"observed":{"event":"person.created","id":"abc12345"}}`. Without it, the requirements PRC-1 to PRC-3 do not apply.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a receiver that was not started with [`start`](Self::start).
    pub fn observed_on_stdout(self) -> Result<Self, Error> {
        Ok(Self { subject: Subject::observed_on_stdout(self.subject)?, ..self })
    }

    /// With a URL that answers a GET with all that the receiver has processed, as a JSON array of the same objects.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a malformed URL.
    pub fn observed_at(self, url: &str) -> Result<Self, Error> {
        let source = Source::Polled(Target::parse(url).map_err(Error::Usage)?);
        Ok(Self { subject: self.subject.observed_by(source), ..self })
    }

    /// The URL that deliveries go to.
    pub fn url(&self) -> String {
        self.subject.target().url()
    }

    /// Ends a started receiver: asks it first, and kills it after two seconds. Dropping it kills it at once.
    pub async fn stop(self) {
        self.subject.stop().await;
    }
}

/// The reference receiver in this process, which says what it processes. Errors: no port is free.
pub(crate) async fn reference(secret: Secret, clock: Clock) -> Result<Subject, error::Error> {
    let observations = Observations::default();
    let told = observations.clone();
    let observer = Arc::new(move |observed| told.add(observed));
    let receiver = Reference::new(Settings::new(secret.clone()), clock, observer);
    let server = http::serve(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::new(receiver)).await;
    let server = server.map_err(|why| error::Error::Harness(format!("no port can be listened on: {why}")))?;
    Ok(Subject::here(server, "/", secret).observed_by(Source::Pushed(observations)))
}

/// Errors: a receiver that is started cannot have that path; a sentence without its subject.
pub(crate) fn check_path(path: &str) -> Result<(), String> {
    if path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
        return Ok(());
    }
    Err(format!(
        "{path:?} must begin with a slash and hold only characters that a request line can (escape the others, such as %20 for \
         a space)"
    ))
}

fn checked(secret: &str) -> Result<Secret, Error> {
    if secret.is_empty() {
        return Err(Error::Usage("the secret is empty".to_owned()));
    }
    Ok(Secret::new(secret))
}
