//! The options of a run, and the run.

use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use tokio::sync::watch;

use super::error::Error;
use super::receiver::Receiver;
use super::report::Report;
use super::sender::Sender;
use crate::clock::Clock;
use crate::error;
use crate::report::{self, Heading};
use crate::suite::max_time::MaxTime;
use crate::suite::requirement::{Level, Requirement, Role};
use crate::suite::run::{self, Options, Run};
use crate::suite::selection::{self, Filter};
use crate::suite::transcript::Limits;
use crate::webhook::dialect::{self, DOCUMENTED, SHIPPED};
use crate::wire::endpoint::certificates::Authority;
use crate::wire::endpoint::scripted::Place;

/// The form of the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Dialect {
    /// The dialect that the receiver accepts, the sender declares or the traffic has; documented where it is not known
    Auto,
    /// The payloads of Twenty's documentation: `event`, `data`, `timestamp`
    Documented,
    /// The payloads that Twenty's server sends: `eventName`, `record` and others
    Shipped,
}

impl Dialect {
    pub(crate) fn dialect(self) -> &'static dialect::Dialect {
        match self {
            Self::Auto | Self::Documented => &DOCUMENTED,
            Self::Shipped => &SHIPPED,
        }
    }
}

impl Receiver {
    /// Checks the requirements of the level `must`, in a few seconds. [`Suite::check_receiver`] has options.
    ///
    /// # Errors
    ///
    /// Those of [`Suite::check_receiver`].
    pub async fn check(&self) -> Result<Report, Error> {
        Suite::new().level(Level::Must).check_receiver(self).await
    }
}

/// What a run checks, and how. The defaults are those of the command line, with the documented dialect and seed 0.
///
/// The checks need a Tokio runtime with I/O and time. Their futures are not `Send`: await them in `#[tokio::main]` or
/// `#[tokio::test]` instead of passing them to `tokio::spawn`. To stop a check early, drop its future.
#[derive(Debug, Clone)]
pub struct Suite {
    pub(crate) options: Options,
    /// The time of a run, if it is not the usual one.
    max_time: Option<Duration>,
    filter: Filter,
    /// Patterns of requirements that must apply.
    required: Vec<String>,
    fail_on: Level,
}

impl Default for Suite {
    fn default() -> Self {
        Self::new()
    }
}

impl Suite {
    /// Checks every requirement, with the defaults.
    pub fn new() -> Self {
        let clock = Clock::system();
        let options = Options {
            dialect: &DOCUMENTED,
            auto: false,
            limits: Limits::default(),
            max_time: MaxTime::new(MaxTime::usual(Role::Receiver)),
            seed: 0,
            cases: 64,
            jobs: 4,
            authority: Arc::new(Authority::new(clock.clone())),
            rehearses: false,
            clock,
            interrupted: watch::channel(false).1,
            keeper: None,
            requests: Arc::default(),
            place: Place::default(),
            hidden: None,
        };
        Self {
            options,
            max_time: None,
            filter: Filter::default(),
            required: Vec::new(),
            fail_on: Level::Must,
        }
    }

    /// Sets the form of the payload; the default is [`Dialect::Documented`].
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.options.dialect = dialect.dialect();
        self.options.auto = dialect == Dialect::Auto;
        self
    }

    /// Sets the seed of ids, nonces, generated cases and the secrets for a sender; the default is 0. The same seed makes the same
    /// cases.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.options.seed = seed;
        self
    }

    /// Sets how many cases each property generates; the default is 64.
    #[must_use]
    pub fn cases(mut self, cases: u32) -> Self {
        self.options.cases = cases;
        self
    }

    /// Sets how many cases a receiver gets at the same time; the default is 4, and 0 counts as 1.
    #[must_use]
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.options.jobs = jobs;
        self
    }

    /// Sets how long to wait for an answer of a receiver or a reply of a sender; the default is 10 seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.limits.timeout = timeout;
        self
    }

    /// Sets how long a check may take; the default is 2 minutes for a receiver and 3 for a sender. What was not tried by then is
    /// inconclusive.
    #[must_use]
    pub fn max_time(mut self, max_time: Duration) -> Self {
        self.max_time = Some(max_time);
        self
    }

    /// Sets how soon after its event a sender must start a delivery (requirement DLV-6); the default is 5 seconds.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.options.limits.deadline = deadline;
        self
    }

    /// Checks only requirements that match this pattern, or another one given with `only`: an id (`VER-1`, `VER-*`) or a check
    /// (`receiver/verification/**`), in any case, or the name of a group alone (`verification`). `*` does not match slashes; `**`
    /// does.
    #[must_use]
    pub fn only(mut self, pattern: impl Into<String>) -> Self {
        self.filter.run.push(pattern.into());
        self
    }

    /// Skips requirements that match this pattern, even if [`only`](Self::only) selects them.
    #[must_use]
    pub fn skip(mut self, pattern: impl Into<String>) -> Self {
        self.filter.skip.push(pattern.into());
        self
    }

    /// Makes requirements that match this pattern inconclusive if they do not apply, at every level, so that a capability that is
    /// dropped is noticed.
    #[must_use]
    pub fn require(mut self, pattern: impl Into<String>) -> Self {
        self.required.push(pattern.into());
        self
    }

    /// Sets the lowest level to check; the default is [`Level::Advice`], which is everything.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.filter.level = level;
        self
    }

    /// Sets the lowest level whose failures fail the run; the default is [`Level::Must`].
    #[must_use]
    pub fn fail_on(mut self, level: Level) -> Self {
        self.fail_on = level;
        self
    }

    /// Checks a receiver. If it is a command, it is started first and ended afterwards.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a pattern that matches no requirement for receivers, a receiver without a secret, or another argument
    /// that is wrong.
    ///
    /// [`Error::Subject`] for a receiver that cannot be started or reached; [`Error::Harness`] if the suite itself fails.
    ///
    /// ```
    /// use twenty_conform::{Level, Receiver, RunResult, Suite};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), twenty_conform::Error> {
    /// let receiver = Receiver::reference().secret("s3cr3t");
    /// let suite = Suite::new().only("receiver/verification/**").level(Level::Must).cases(4);
    /// let report = suite.check_receiver(&receiver).await?;
    /// assert_eq!(report.result(), RunResult::Pass, "{}", report.text());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn check_receiver(&self, receiver: &Receiver) -> Result<Report, Error> {
        let selected = self.selected(Role::Receiver)?;
        let mut subject = receiver.attach().await?;
        let options = self.options_for(Role::Receiver);
        let run = run::receiver(&mut subject, &selected, &options, &|_| {}).await?;
        subject.stop().await;
        Ok(self.report(&run, &receiver.name()))
    }

    /// Checks a sender. If it is a command, it is started first and ended afterwards.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a pattern that matches no requirement for senders, or a command that does not exist.
    ///
    /// [`Error::Subject`] for a sender that cannot be reached or does not answer the first request.
    ///
    /// [`Error::Harness`] if the suite itself fails.
    ///
    /// ```
    /// use twenty_conform::{RunResult, Sender, Suite};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), twenty_conform::Error> {
    /// let report = Suite::new().only("SIG-4").cases(4).check_sender(&Sender::reference()).await?;
    /// assert_eq!(report.result(), RunResult::Pass, "{}", report.text());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn check_sender(&self, sender: &Sender) -> Result<Report, Error> {
        let selected = self.selected(Role::Sender)?;
        let run = sender.run(&selected, &self.options_for(Role::Sender), &|_| {}).await?;
        Ok(self.report(&run, &sender.name()))
    }

    /// The options of a check that begins now.
    fn options_for(&self, role: Role) -> Options {
        let max_time = MaxTime::new(self.max_time.unwrap_or_else(|| MaxTime::usual(role)));
        Options { max_time, ..self.options.clone() }
    }

    fn selected(&self, role: Role) -> Result<Vec<&'static Requirement>, error::Error> {
        self.required_of(role)?;
        selection::select(&[role], &self.filter).map_err(error::Error::Usage)
    }

    fn required_of(&self, role: Role) -> Result<Vec<&'static Requirement>, error::Error> {
        selection::matched(&[role], &self.required).map_err(error::Error::Usage)
    }

    fn report(&self, run: &Run, subject: &str) -> Report {
        // A pattern without a match is an error before the run.
        let required = self.required_of(run.transcript.role).unwrap_or_default();
        let heading = Heading {
            subject: subject.to_owned(),
            seed: self.options.seed,
            fail_on: self.fail_on,
            attached: None,
            required: required.iter().map(|one| one.id).collect(),
            out: None,
        };
        Report(report::Report::new(run, &heading))
    }
}
