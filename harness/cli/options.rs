//! The options that several commands share, and what they are read into.
//!
//! Invariant: every option has its environment variable, and every mistake names the option and the mend.

use std::collections::hash_map::RandomState;
use std::ffi::OsStr;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::sync::watch;

use super::console::Console;
use super::environment::{Choice, first_given, text as text_of};
use super::plan::Plan;
use super::target::{self, ReportTarget};
use super::values::{duration, up_to};
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::report::evidence::Folder;
use crate::report::text::Detail;
use crate::report::{Report, json, junit, text};
use crate::suite::requirement::{Level, Role};
use crate::suite::run::Options;
use crate::suite::selection::{self, Filter};
use crate::suite::transcript::Limits;
use crate::webhook::dialect::{DOCUMENTED, Dialect, SHIPPED};
use crate::webhook::signature::Secret;
use crate::wire::endpoint::certificates::Authority;

/// The dialect of a command.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct DialectOption {
    /// The form of body
    #[arg(long, value_enum, default_value = "documented")]
    dialect: DialectName,
}

/// The dialects by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum DialectName {
    /// The body as the documentation shows it
    Documented,
    /// The body as the server that ships sends it
    Shipped,
}

impl DialectOption {
    pub(super) fn dialect(self) -> &'static Dialect {
        match self.dialect {
            DialectName::Documented => &DOCUMENTED,
            DialectName::Shipped => &SHIPPED,
        }
    }
}

/// Where an endpoint listens.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct ListenOptions {
    /// The port; 0 lets the system choose
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The address to listen at
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
}

impl ListenOptions {
    pub(super) fn address(self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }
}

/// What can gate a run.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Gate {
    /// Only failures of must
    Must,
    /// Failures of must and should
    Should,
}

impl Gate {
    pub(super) fn level(self) -> Level {
        match self {
            Self::Must => Level::Must,
            Self::Should => Level::Should,
        }
    }
}

/// How many cases can go on at the same time.
const MOST_JOBS: usize = 64;

/// The options of every command that runs the suite.
#[derive(Debug, Args)]
pub(super) struct RunOptions {
    #[command(flatten)]
    dialect: DialectOption,
    /// Run only what this pattern matches: an id (VER-1) or a check (receiver/**); @FILE reads patterns
    #[arg(long, value_name = "PATTERN")]
    run: Vec<String>,
    /// Do not run what this pattern matches
    #[arg(long, value_name = "PATTERN")]
    skip: Vec<String>,
    /// The weakest level that runs
    #[arg(long, value_enum, default_value = "advice")]
    level: Level,
    /// The weakest level whose failures fail the run
    #[arg(long, value_enum, default_value = "must")]
    fail_on: Gate,
    /// What ids, secrets and nonces are made from [default: random]
    #[arg(long)]
    seed: Option<u64>,
    /// How many cases each property generates
    #[arg(long, default_value = "64", value_parser = clap::value_parser!(u32).range(..=100_000))]
    cases: u32,
    /// How many cases go on at the same time (receivers)
    #[arg(long, default_value = "4", value_parser = up_to::<MOST_JOBS>)]
    jobs: usize,
    /// How long an answer or a reply is waited for, such as 10s or 500ms
    #[arg(long, default_value = "10s", value_parser = duration)]
    timeout: Duration,
    /// Within which a delivery must start after its event
    #[arg(long, default_value = "5s", value_parser = duration)]
    deadline: Duration,
    /// Write a report as well: text, json or junit; - is stdout, in the place of the text
    #[arg(long, value_name = "FORMAT=PATH")]
    report: Vec<ReportTarget<ReportFormat>>,
    /// Keep the run's evidence in this folder, which must be new or empty: every exchange and every trial as it comes, the
    /// reports, and a case for `replay` of each failure that one delivery shows (receivers)
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Show only what did not pass
    #[arg(short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Show long commands too
    #[arg(short, long)]
    verbose: bool,
}

/// How the secret is given.
#[derive(Debug, Args)]
pub(super) struct SecretOptions {
    /// The webhook's secret [env: TWENTY_WEBHOOK_SECRET]
    #[arg(long, conflicts_with = "secret_file")]
    secret: Option<String>,
    /// A file that holds the secret; one line feed at its end is not part of it
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

/// The secret as it was given.
enum Given {
    Secret(String),
    File(PathBuf),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ReportFormat {
    Text,
    Json,
    Junit,
}

impl SecretOptions {
    /// Whether it stands on the command line.
    pub(super) fn given(&self) -> bool {
        self.secret.is_some() || self.secret_file.is_some()
    }

    /// The secret, where one was given. Errors: the file cannot be read, or the secret is empty.
    pub(super) fn read(&self) -> Result<Option<Secret>, Error> {
        let secret: Choice<'_, Given> =
            ("secret", self.secret.as_deref().map(OsStr::new), |secret| Given::Secret(text_of(secret)));
        let file: Choice<'_, Given> =
            ("secret-file", self.secret_file.as_deref().map(Path::as_os_str), |file| {
                Given::File(file.into())
            });
        let secret = match first_given(&[secret, file]) {
            Some(Given::Secret(secret)) => secret,
            Some(Given::File(path)) => {
                let text = fs::read_to_string(&path).map_err(|why| {
                    Error::Usage(format!("the secret file {} cannot be read: {why}", path.display()))
                })?;
                text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(&text).to_owned()
            }
            None => return Ok(None),
        };
        if secret.is_empty() {
            return Err(Error::Usage(
                "the secret is empty; give the one that the webhook was registered with".to_owned(),
            ));
        }
        Ok(Some(Secret::new(secret)))
    }

    /// The secret. Errors: none was given.
    pub(super) fn require(&self) -> Result<Secret, Error> {
        let hint = "the secret is needed: give --secret, --secret-file, or TWENTY_WEBHOOK_SECRET";
        self.read()?.ok_or_else(|| Error::Usage(hint.to_owned()))
    }
}

impl RunOptions {
    /// Reads the options for a run on these roles.
    ///
    /// Errors: a pattern that matches nothing, a pattern file that cannot be read.
    pub(super) fn plan(&self, roles: &[Role]) -> Result<Plan, Error> {
        let filter = Filter { level: self.level, run: patterns(&self.run)?, skip: patterns(&self.skip)? };
        let selected = selection::select(roles, &filter).map_err(Error::Usage)?;
        let limits = Limits { timeout: self.timeout, deadline: self.deadline, ..Limits::default() };
        let clock = Clock::system();
        let options = Options {
            dialect: self.dialect.dialect(),
            limits,
            seed: self.seed.unwrap_or_else(random_seed),
            cases: self.cases,
            jobs: self.jobs,
            authority: Arc::new(Authority::new(clock.clone())),
            clock,
            interrupted: interruption(),
            keeper: None,
        };
        Ok(Plan { selected, options, level: self.level, fail_on: self.fail_on.level() })
    }

    /// The folder of the run's evidence, where one was asked for.
    ///
    /// Errors: it cannot be made, or there is something in it.
    pub(super) fn folder(&self) -> Result<Option<Folder>, Error> {
        self.out.as_deref().map(Folder::claim).transpose()
    }

    /// The files and folders that a run writes.
    pub(super) fn written(&self) -> impl Iterator<Item = &Path> {
        self.report.iter().map(ReportTarget::path).chain(self.out.as_deref())
    }

    /// Writes the reports and gives the status.
    ///
    /// Errors: a report that cannot be written; the others are written all the same.
    pub(super) fn publish(&self, report: &Report, console: &mut Console) -> Result<ExitStatus, Error> {
        let detail = match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (_, true) => Detail::Verbose,
            _ => Detail::Normal,
        };
        let render = |format| {
            Ok(match format {
                ReportFormat::Text => anstream::adapter::strip_str(&text::render(report, detail)).to_string(),
                ReportFormat::Json => json::render(report),
                ReportFormat::Junit => junit::render(report),
            })
        };
        let failed = target::write(&self.report, render, || Ok(text::render(report, detail)), console)?;
        if report.lacks_evidence {
            console.complain("the evidence is incomplete; the report's notes say what could not be written");
        }
        if report.exit == ExitStatus::NothingSelected {
            console.complain("nothing was selected to run");
        }
        target::settle(failed, report.exit, console)
    }
}

/// Replaces each `@FILE` by the patterns in it, one on a line; empty lines and those that begin with `#` are passed over.
fn patterns(given: &[String]) -> Result<Vec<String>, Error> {
    let mut patterns = Vec::new();
    for pattern in given {
        let Some(path) = pattern.strip_prefix('@') else {
            patterns.push(pattern.clone());
            continue;
        };
        let text = fs::read_to_string(path)
            .map_err(|why| Error::Usage(format!("the pattern file {path:?} cannot be read: {why}")))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        patterns.extend(lines.map(str::to_owned));
    }
    Ok(patterns)
}

/// A seed that nobody chose: 32 bits, so that it is easily typed.
pub(super) fn random_seed() -> u64 {
    RandomState::new().build_hasher().finish() >> 32
}

/// Becomes true at Ctrl-C, and where the process is asked to end.
pub(super) fn interruption() -> watch::Receiver<bool> {
    let (pressed, receiver) = watch::channel(false);
    let asked = asked_to_end();
    tokio::spawn(async move {
        asked.await;
        // Nobody listens any more where the run is over.
        let _ = pressed.send(true);
        // Kept, so that the channel stays open.
        pressed.closed().await;
    });
    receiver
}

/// Ends with the signal. It is listened to from the call on, before a subject is started that would be left behind.
#[cfg(unix)]
pub(super) fn asked_to_end() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    // Whoever starts it so that it outlives the terminal (nohup) means that.
    let hangup = if hangs_up() { signal(SignalKind::hangup()).ok() } else { None };
    async {
        let (Ok(mut interrupt), Ok(mut terminate)) = signals else { return std::future::pending().await };
        let hung_up = async {
            match hangup {
                Some(mut hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hung_up => {}
        }
    }
}

/// Whether this process ends where its terminal goes away, as far as that can be told.
#[cfg(unix)]
fn hangs_up() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // A bit for each signal; the first is that one.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask & 1 == 0)
}

#[cfg(not(unix))]
pub(super) async fn asked_to_end() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
