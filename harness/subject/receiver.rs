//! A receiver under test: one that runs already, one started from a command, or the reference receiver in this process.
//!
//! Invariant: if a receiver that was started here ends by itself, its end is recorded. It is restarted on the same port before
//! the next trial.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::launch::{Launch, fill};
use super::observations::{Observing, Source};
use super::port::{free_port, is_taken};
use super::process::{Process, ProcessEnd};
use super::{StartFailure, SubjectError, messages};
use crate::webhook::signature::Secret;
use crate::wire::client::{Connection, Target};
use crate::wire::endpoint::Server;
use crate::wire::exchange::Outcome;

/// The pause between two attempts to connect to a starting receiver.
const READY_PACE: Duration = Duration::from_millis(10);
/// The time limit for one connection attempt.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// How long a process may take to end after its connection broke.
const DEATH_WAIT: Duration = Duration::from_millis(300);
/// The same if it still listens, once it has survived several broken connections.
const SHORT_WAIT: Duration = Duration::from_millis(10);
/// After this many broken connections that a process survived, the wait is short if it still listens.
const FEW: usize = 3;
/// After this many, it is short even if the process no longer listens: it may have closed its socket and live on.
const MANY: usize = 12;

/// How long a program has to write why it answers 5xx. Most write it before they answer.
const SPEECH_WAIT: Duration = Duration::from_millis(20);
const SPEECH_POLL: Duration = Duration::from_millis(2);

#[derive(Debug)]
pub struct Receiver {
    target: Target,
    secret: Secret,
    running: Running,
    observes: Option<Source>,
    /// How many broken connections its process survived.
    survived: usize,
}

#[derive(Debug)]
enum Running {
    Elsewhere,
    Here(#[expect(dead_code, reason = "dropping it stops the server")] Server),
    Command {
        launch: Launch,
        port: u16,
        ready: Duration,
        process: Box<Process>,
        said: Observing,
        /// When it last began to listen.
        since: Instant,
    },
}

impl Receiver {
    /// A receiver that runs already.
    ///
    /// Errors: [`SubjectError::NotStarted`] if its address does not accept connections, or TLS fails.
    pub(crate) async fn at(target: Target, secret: Secret) -> Result<Self, SubjectError> {
        let url = target.url();
        let opened = timeout(CONNECT_WAIT, Connection::open(&target)).await;
        let (why, fixes) = match opened {
            Ok(Ok(_)) => return Ok(Self::new(target, secret, Running::Elsewhere)),
            // It says what to do.
            Ok(Err(why @ Outcome::Tls(_))) => (why.to_string(), Vec::new()),
            // A host that does not resolve, a network that is unreachable.
            Ok(Err(why @ Outcome::Malformed(_))) => (why.to_string(), vec![messages::check_the_host()]),
            Ok(Err(why)) => (why.to_string(), vec![messages::start_it_first(&target.address())]),
            Err(_) => {
                let why = messages::no_connection_within(CONNECT_WAIT.as_secs());
                (why, vec![messages::start_it_first(&target.address())])
            }
        };
        let fault = messages::receiver_unreachable(&url, why);
        Err(SubjectError::NotStarted(Box::new(StartFailure { fault, fixes, ..StartFailure::default() })))
    }

    /// The reference receiver, in this process.
    pub fn here(server: Server, path: &str, secret: Secret) -> Self {
        let address = server.address();
        let target = Target::http(address.ip().to_string(), address.port(), path);
        Self::new(target, secret, Running::Here(server))
    }

    fn new(target: Target, secret: Secret, running: Running) -> Self {
        Self { target, secret, running, observes: None, survived: 0 }
    }

    /// Starts a command with its port, or a free one, and waits until it accepts connections there.
    ///
    /// Errors: [`SubjectError::Usage`] if the command cannot be split or its port is taken, [`SubjectError::NotStarted`] if there is no such
    /// command, or if it ended or never accepted a connection.
    pub(crate) async fn start(
        launch: &Launch,
        path: &str,
        secret: Secret,
        ready: Duration,
    ) -> Result<Self, SubjectError> {
        let said = Observing::default();
        let port = chosen_port(launch)?;
        let (process, host) = started(launch, port, &secret, ready, &said).await?;
        let target = Target::http(host, port, path);
        let (launch, process, since) = (launch.clone(), Box::new(process), Instant::now());
        Ok(Self::new(target, secret, Running::Command { launch, port, ready, process, said, since }))
    }

    /// Adds the source of its observations.
    #[must_use]
    pub fn observed_by(self, source: Source) -> Self {
        Self { observes: Some(source), ..self }
    }

    /// Reads its observations from its stdout (interface, section 3: `--observe stdout`).
    ///
    /// Errors: [`SubjectError::Usage`] if it was not started here.
    pub(crate) fn observed_on_stdout(mut self) -> Result<Self, SubjectError> {
        let Running::Command { said, .. } = &self.running else {
            return Err(SubjectError::Usage(messages::stdout_of_other_receiver()));
        };
        said.begin();
        self.observes = Some(Source::Pushed(said.clone()));
        Ok(self)
    }

    /// The source of its observations, if there is one.
    pub(crate) fn observes(&self) -> Option<&Source> {
        self.observes.as_ref()
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The ids of its processes that run, if it was started here and the system says them.
    pub(crate) fn processes(&self) -> Vec<i32> {
        match &self.running {
            Running::Command { process, .. } => process.processes(),
            Running::Elsewhere | Running::Here(_) => Vec::new(),
        }
    }

    /// How its process ended, if it was started here and has ended.
    pub(crate) async fn ended(&mut self) -> Option<String> {
        match &mut self.running {
            Running::Command { process, .. } => process.ended().await.map(|end| end.text),
            Running::Elsewhere | Running::Here(_) => None,
        }
    }

    /// The same, after its connection broke: waits a moment for the process to end.
    pub(crate) async fn ends(&mut self) -> Option<String> {
        if !matches!(self.running, Running::Command { .. }) {
            return None;
        }
        // The system closes the listening socket of a process that ends before its connections.
        let is_expected = self.survived < FEW || self.survived < MANY && !listens(&self.target).await;
        let wait = if is_expected { DEATH_WAIT } else { SHORT_WAIT };
        let how = self.ends_within(wait).await;
        self.survived = if how.is_some() { 0 } else { self.survived + 1 };
        how
    }

    /// The same, with another wait.
    pub(crate) async fn ends_within(&mut self, wait: Duration) -> Option<String> {
        match &mut self.running {
            Running::Command { process, .. } => process.ends_within(wait).await.map(|end| end.text),
            Running::Elsewhere | Running::Here(_) => None,
        }
    }

    /// The last lines that its process wrote, if it was started here. Waits a moment for others than these.
    pub(crate) async fn says_more(&self, known: &[String]) -> Vec<String> {
        let Running::Command { process, .. } = &self.running else { return Vec::new() };
        let began = Instant::now();
        loop {
            let said = process.last_lines();
            if said != known || began.elapsed() > SPEECH_WAIT {
                return said;
            }
            sleep(SPEECH_POLL).await;
        }
    }

    /// How long ago its process began to listen; `None` if it was not started here.
    pub(crate) fn age(&self) -> Option<Duration> {
        match &self.running {
            Running::Command { since, .. } => Some(since.elapsed()),
            Running::Elsewhere | Running::Here(_) => None,
        }
    }

    /// Whether it runs already, so that its end cannot be seen.
    pub(crate) fn is_elsewhere(&self) -> bool {
        matches!(self.running, Running::Elsewhere)
    }

    /// The error that ends a run because its process ends without a request. `how` says how.
    pub(crate) fn ended_by_itself(&self, how: &str) -> SubjectError {
        self.gone(how, messages::receiver_ended_by_itself)
    }

    /// The error that ends a benchmark because its process ended before it answered anything. `how` says how.
    pub(crate) fn ended_unanswered(&self, how: &str) -> SubjectError {
        self.gone(how, messages::receiver_ended_unanswered)
    }

    /// The error of a receiver that ended before it could be tested. `fault` makes its sentence from the status.
    fn gone(&self, how: &str, fault: fn(&str) -> String) -> SubjectError {
        match &self.running {
            Running::Command { launch, port, process, .. } => match process.end() {
                Some(end) => ended_early(launch, *port, fault(&end.status), end),
                None => SubjectError::Unreachable(how.to_owned()),
            },
            Running::Elsewhere | Running::Here(_) => SubjectError::Unreachable(how.to_owned()),
        }
    }

    /// Starts its command again after its process ended.
    ///
    /// Errors: it cannot be restarted.
    pub(crate) async fn restart(&mut self) -> Result<(), SubjectError> {
        let Running::Command { launch, port, ready, process, said, since } = &mut self.running else {
            return Ok(());
        };
        let again = started(launch, *port, &self.secret, *ready, said).await;
        let failed = |why| SubjectError::Unreachable(messages::receiver_not_restarted(why));
        let (again, _) = again.map_err(failed)?;
        **process = again;
        *since = Instant::now();
        Ok(())
    }

    /// After a connection broke: restarts its process if that ended. Returns how it ended.
    ///
    /// Errors: it cannot be restarted.
    pub(crate) async fn revive(&mut self) -> Result<Option<String>, SubjectError> {
        let Some(how) = self.ends().await else { return Ok(None) };
        self.restart().await?;
        Ok(Some(how))
    }

    pub(crate) async fn stop(mut self) {
        if let Running::Command { process, .. } = &mut self.running {
            process.stop().await;
        }
    }
}

/// Whether something listens there, even if it does not serve.
async fn listens(target: &Target) -> bool {
    let connected = TcpStream::connect((target.host.as_str(), target.port)).await;
    connected.map_or_else(|why| why.kind() != io::ErrorKind::ConnectionRefused, |_| true)
}

/// The port to listen on.
///
/// Errors: [`SubjectError::Usage`] if the port that was asked for is taken, [`SubjectError::Unreachable`] if no port is free.
fn chosen_port(launch: &Launch) -> Result<u16, SubjectError> {
    match launch.port() {
        Some(port) if is_taken(port) => Err(SubjectError::Usage(messages::port_is_taken(port))),
        Some(port) => Ok(port),
        None => free_port().map_err(|why| SubjectError::Unreachable(messages::no_free_port(why))),
    }
}

/// Starts the command with the port and the secret. Errors: those of [`Process::start`].
fn launched(launch: &Launch, port: u16, secret: &Secret) -> Result<Process, SubjectError> {
    let filled = |text: &str| fill(text, &port.to_string(), secret.expose());
    let usual = [("PORT", port.to_string()), ("TWENTY_WEBHOOK_SECRET", secret.expose().to_owned())];
    let environment = launch.environment(&usual, &filled);
    let how = (&*environment, launch.folder(), launch.listener());
    Process::launch(launch.command(), &filled, how, false)
}

/// Starts the command and waits until its port accepts connections on a loopback address. Returns that address.
async fn started(
    launch: &Launch,
    port: u16,
    secret: &Secret,
    ready: Duration,
    said: &Observing,
) -> Result<(Process, String), SubjectError> {
    let mut process = launched(launch, port, secret)?;
    if let Some(stdout) = process.output() {
        // Read to its end even if it is not needed, so that the receiver never blocks on a full pipe.
        tokio::spawn(said.clone().read(stdout));
    }
    let deadline = Instant::now() + ready;
    loop {
        for host in ["127.0.0.1", "::1"] {
            if TcpStream::connect((host, port)).await.is_ok() {
                return Ok((process, host.to_owned()));
            }
        }
        if let Some(end) = process.ended().await {
            return Err(ended_early(
                launch,
                port,
                messages::receiver_ended_at_start(port, &end.status),
                &end,
            ));
        }
        if Instant::now() >= deadline {
            let failure = never_listened(launch, port, ready, &process);
            process.stop().await;
            return Err(SubjectError::NotStarted(Box::new(failure)));
        }
        sleep(READY_PACE).await;
    }
}

/// The error of a process that ended before it could be tested.
fn ended_early(launch: &Launch, port: u16, fault: String, end: &ProcessEnd) -> SubjectError {
    let said: &[String] = end.output.as_ref().map_or(&[], |(_, lines)| lines);
    let hints = [messages::not_replaced(launch), messages::hint(said, launch)];
    let fixes = hints.into_iter().flatten().chain(messages::start_it_yourself(launch, port)).collect();
    let (command, output) = (Some(launch.command().to_owned()), end.output.clone());
    SubjectError::NotStarted(Box::new(StartFailure {
        fault,
        command,
        output: output.map(|(stream, lines)| (stream.into(), lines)),
        fixes,
    }))
}

/// Why a process that still runs cannot be tested.
fn never_listened(launch: &Launch, port: u16, ready: Duration, process: &Process) -> StartFailure {
    let others = process.listens_on();
    let (fault, fixes) = match others.as_slice() {
        [] => (messages::receiver_never_listened(port, ready.as_secs_f64()), messages::ask_for_port(launch)),
        others => (messages::receiver_listens_elsewhere(port, others), messages::name_its_port(others)),
    };
    let fixes = messages::not_replaced(launch).into_iter().chain(fixes).collect();
    StartFailure {
        fault,
        command: Some(launch.command().to_owned()),
        output: process.last_output().map(|(stream, lines)| (stream.into(), lines)),
        fixes,
    }
}
