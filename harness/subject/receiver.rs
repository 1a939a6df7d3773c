//! A receiver under test: one that runs already, one that is started from a command, or the reference receiver in this process.
//!
//! Invariant: a receiver that was started here and ended by itself is started again on the same port before the next
//! trial, and its end is recorded.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use super::SubjectError;
use super::observations::{Observations, Source};
use super::process::Process;
use crate::webhook::signature::Secret;
use crate::wire::client::{Connection, Target};
use crate::wire::endpoint::Server;
use crate::wire::exchange::Outcome;

/// How often a port is tried while it is waited for.
const READY_PACE: Duration = Duration::from_millis(10);
/// How long one attempt to connect may take.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// How long a process may take to be gone once its connection broke.
const DEATH_WAIT: Duration = Duration::from_millis(300);

#[derive(Debug)]
pub struct Receiver {
    target: Target,
    secret: Secret,
    running: Running,
    observes: Option<Source>,
}

#[derive(Debug)]
enum Running {
    Elsewhere,
    Here(#[expect(dead_code, reason = "held so that it goes on serving")] Server),
    Command { command: String, port: u16, ready: Duration, process: Box<Process>, said: Observations },
}

impl Receiver {
    /// One that runs already.
    ///
    /// Errors: [`SubjectError::Unreachable`] where nothing accepts at its address, or no TLS connection comes about there.
    pub(crate) async fn at(target: Target, secret: Secret) -> Result<Self, SubjectError> {
        let failed = match timeout(CONNECT_WAIT, Connection::open(&target)).await {
            Ok(Ok(_)) => return Ok(Self { target, secret, running: Running::Elsewhere, observes: None }),
            // Neither HTTP nor TLS: a name that is not found, a network that is not reached.
            Ok(Err(Outcome::Malformed(why))) => why,
            Ok(Err(why)) => why.to_string(),
            Err(_) => format!("no answer within {} s", CONNECT_WAIT.as_secs()),
        };
        Err(SubjectError::Unreachable(format!(
            "the receiver cannot be reached: connecting to {} for {} failed: {failed}",
            target.address(),
            target.url()
        )))
    }

    /// The reference receiver, in this process.
    pub fn here(server: Server, path: &str, secret: Secret) -> Self {
        let address = server.address();
        let target = Target::http(address.ip().to_string(), address.port(), path);
        Self { target, secret, running: Running::Here(server), observes: None }
    }

    /// Starts a command on a free port and waits until it accepts there.
    ///
    /// Errors: [`SubjectError::Usage`] where there is no such command, [`SubjectError::Unreachable`] where it ended or
    /// its port never accepted.
    pub(crate) async fn start(
        command: &str,
        path: &str,
        secret: Secret,
        ready: Duration,
    ) -> Result<Self, SubjectError> {
        let said = Observations::default();
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let port = free.and_then(|listener| listener.local_addr()).map(|address| address.port());
        let port = port.map_err(|why| SubjectError::Unreachable(format!("no port is free: {why}")))?;
        let (process, host) = launch(command, port, &secret, ready, &said).await?;
        let target = Target::http(host, port, path);
        let process = Box::new(process);
        Ok(Self {
            target,
            secret,
            running: Running::Command { command: command.to_owned(), port, ready, process, said },
            observes: None,
        })
    }

    /// With a source that says what it takes in.
    #[must_use]
    pub fn observed_by(self, source: Source) -> Self {
        Self { observes: Some(source), ..self }
    }

    /// With its own stdout as that source (interface, section 3: `--observe stdout`).
    ///
    /// Errors: [`SubjectError::Usage`] where it was not started here.
    pub(crate) fn observed_on_stdout(mut self) -> Result<Self, SubjectError> {
        let Running::Command { said, .. } = &self.running else {
            return Err(SubjectError::Usage(
                "--observe stdout needs a receiver that is started with --exec; give --observe URL otherwise"
                    .to_owned(),
            ));
        };
        self.observes = Some(Source::Told(said.clone()));
        Ok(self)
    }

    /// What says what it takes in, where there is such a thing.
    pub(crate) fn observes(&self) -> Option<&Source> {
        self.observes.as_ref()
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// How its process ended, where it was started here and did.
    pub(crate) async fn ended(&mut self) -> Option<String> {
        match &mut self.running {
            Running::Command { process, .. } => process.ended().await.map(|end| end.text),
            Running::Elsewhere | Running::Here(_) => None,
        }
    }

    /// The same, after its connections broke: a process takes a moment to be gone.
    pub(crate) async fn ends(&mut self) -> Option<String> {
        match &mut self.running {
            Running::Command { process, .. } => process.ends_within(DEATH_WAIT).await.map(|end| end.text),
            Running::Elsewhere | Running::Here(_) => None,
        }
    }

    /// After a connection broke: whether its process ended, and how. It is started again then.
    ///
    /// Errors: it cannot be started again.
    pub(crate) async fn revive(&mut self) -> Result<Option<String>, SubjectError> {
        let Running::Command { command, port, ready, process, said } = &mut self.running else {
            return Ok(None);
        };
        let Some(how) = process.ends_within(DEATH_WAIT).await else { return Ok(None) };
        let again = launch(command, *port, &self.secret, *ready, said).await;
        let (again, _) =
            again.map_err(|why| SubjectError::Unreachable(format!("{how}; started again, {why}")))?;
        **process = again;
        Ok(Some(how.text))
    }

    pub(crate) async fn stop(mut self) {
        if let Running::Command { process, .. } = &mut self.running {
            process.stop().await;
        }
    }
}

/// Starts the command and waits until its port accepts, on either loopback address. Returns the one that does.
async fn launch(
    command: &str,
    port: u16,
    secret: &Secret,
    ready: Duration,
    said: &Observations,
) -> Result<(Process, String), SubjectError> {
    let environment = [("PORT", port.to_string()), ("TWENTY_WEBHOOK_SECRET", secret.expose().to_owned())];
    let mut process = Process::start(command, &environment, false)?;
    if let (_, Some(stdout)) = process.pipes() {
        // Read to its end even where nothing is observed, so that a talkative receiver never waits for room in the pipe.
        tokio::spawn(said.clone().read(stdout));
    }
    let deadline = Instant::now() + ready;
    loop {
        for host in ["127.0.0.1", "::1"] {
            if TcpStream::connect((host, port)).await.is_ok() {
                return Ok((process, host.to_owned()));
            }
        }
        if let Some(how) = process.ended().await {
            return Err(SubjectError::Unreachable(format!("the receiver did not start: {how}")));
        }
        if Instant::now() >= deadline {
            let words = process.last_words();
            process.stop().await;
            return Err(SubjectError::Unreachable(format!(
                "the receiver did not become ready: `{command}` was given PORT={port}, and nothing accepted at \
                 127.0.0.1:{port} or [::1]:{port} within {} s{words}",
                ready.as_secs_f64()
            )));
        }
        sleep(READY_PACE).await;
    }
}
