//! The options that several commands share.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::config;
use super::console::Console;
use super::headings::{CASES, ENDPOINT, LIMITS, PAYLOAD, SECRET, SELECTION, VERDICT};
use super::known;
use super::messages;
use super::messages::SecretWord;
use super::outputs::Input;
use super::project;
use super::reports::ReportOptions;
use super::secret_file;
use super::values::{duration, up_to};
use crate::api::suite::Dialect;
use crate::budget::SMALL_FILE;
use crate::error::Error;
use crate::input;
use crate::report::last_runs::SecretOrigin;
use crate::shell;
use crate::suite::requirement::Level;
use crate::suite::shard::Shard;
use crate::webhook::dialect;
use crate::webhook::signature::Secret;

/// Which payloads a command sends or expects.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct DialectOption {
    /// Form of the payloads; by default, the one that is accepted, declared or found
    #[arg(long, value_enum, default_value = "auto", help_heading = PAYLOAD)]
    dialect: Dialect,
}

impl DialectOption {
    pub(super) fn is_auto(self) -> bool {
        self.dialect == Dialect::Auto
    }

    /// The dialect; documented under `auto`, which a run may replace.
    pub(super) fn dialect(self) -> &'static dialect::Dialect {
        self.dialect.dialect()
    }
}

/// Where an endpoint listens.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = ENDPOINT)]
pub(super) struct ListenOptions {
    /// Listen on this port; 0 picks a free one [env: PORT]
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Listen on this address
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
}

impl ListenOptions {
    pub(super) fn address(self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }

    /// The error for an address that is in use, or that this machine does not have.
    pub(super) fn refused(self, why: &io::Error) -> Error {
        Error::Usage(messages::cannot_listen(self.address(), why))
    }
}

/// Which levels can fail a run.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum GateLevel {
    /// Fail the run if a must fails
    Must,
    /// Fail the run if a must or a should fails
    Should,
}

impl GateLevel {
    pub(super) fn level(self) -> Level {
        match self {
            Self::Must => Level::Must,
            Self::Should => Level::Should,
        }
    }
}

const MOST_JOBS: usize = 64;

/// The options of every command that runs the suite.
#[derive(Debug, Args)]
pub(super) struct RunOptions {
    #[command(flatten)]
    pub(super) dialect: DialectOption,
    /// Run only what PATTERN matches: ids (VER-*), checks (sender/signing/*), groups (verification), or the patterns in @FILE;
    /// repeatable
    #[arg(long, value_name = "PATTERN", help_heading = SELECTION)]
    pub(super) run: Vec<String>,
    /// Skip what PATTERN matches; repeatable
    #[arg(long, value_name = "PATTERN", help_heading = SELECTION)]
    pub(super) skip: Vec<String>,
    /// Lowest level to run: must runs only the musts, advice runs everything
    #[arg(long, value_enum, default_value = "advice", help_heading = SELECTION)]
    pub(super) level: Level,
    /// Run one of N parts of the selection, such as 2/3, with the same --seed for all; `merge` joins their reports
    #[arg(long, value_name = "I/N", requires = "seed", help_heading = SELECTION)]
    pub(super) shard: Option<Shard>,
    /// Generate the same ids, secrets and nonces again from this seed [default: random]
    #[arg(long, value_name = "N", help_heading = CASES)]
    pub(super) seed: Option<u64>,
    /// Generate N cases of each kind, in addition to the fixed cases
    #[arg(long, value_name = "N", default_value = "64", help_heading = CASES)]
    #[arg(value_parser = clap::value_parser!(u32).range(..=100_000))]
    pub(super) cases: u32,
    /// Fail the run if a requirement of this level or above fails
    #[arg(long, value_enum, value_name = "LEVEL", default_value = "must", help_heading = VERDICT)]
    pub(super) fail_on: GateLevel,
    /// Count what PATTERN matches as inconclusive if it does not apply, and fail the run then; repeatable
    #[arg(long, value_name = "PATTERN", help_heading = VERDICT)]
    pub(super) require: Vec<String>,
    /// Do not fail the run for the failures in this list, each with its cause: a TOML file, or a name of `known show`, such as twenty-2.31; repeatable
    #[arg(long, value_name = "FILE|NAME", help_heading = VERDICT)]
    pub(super) known_failures: Vec<String>,
    /// Send up to this many cases to a receiver at the same time
    #[arg(long, value_name = "N", default_value = "4", value_parser = up_to::<MOST_JOBS>, help_heading = LIMITS)]
    pub(super) jobs: usize,
    /// Wait this long for each answer, such as 10s or 500ms
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration, help_heading = LIMITS)]
    pub(super) timeout: Duration,
    /// End the run after this long; what was not tried by then is inconclusive [default: 2m for a receiver, 3m for a sender,
    /// 10m for a Twenty]
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = LIMITS)]
    pub(super) max_time: Option<Duration>,
    /// Fail a sender whose delivery starts later than this after its event
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration, help_heading = LIMITS)]
    pub(super) deadline: Duration,
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    pub(super) reports: ReportOptions,
}

/// The configuration file that was read.
#[derive(Debug, Args)]
pub(super) struct ConfigFile {
    #[arg(from_global)]
    config: Option<PathBuf>,
}

impl ConfigFile {
    /// The file; without one, the place where it would be.
    pub(super) fn input(&self) -> Input {
        Input::named(self.config.as_deref().unwrap_or_else(|| Path::new(config::FILE)))
    }
}

impl RunOptions {
    /// The configuration file that was read, as a path from the top folder of the project.
    pub(super) fn configuration(&self) -> Option<String> {
        self.config.config.as_deref().filter(|path| path.is_file()).map(project::from_top)
    }

    /// The files that every run reads.
    pub(super) fn inputs(&self) -> Vec<Input> {
        let patterns = Input::of_patterns("--run", &self.run).chain(Input::of_patterns("--skip", &self.skip));
        let patterns = patterns.chain(Input::of_patterns("--require", &self.require));
        let patterns = patterns.chain(known::inputs(&self.known_failures));
        patterns.chain([self.config.input()]).chain(self.reports.inputs()).collect()
    }
}

/// How the secret is given.
#[derive(Debug, Args)]
#[command(next_help_heading = SECRET)]
pub(super) struct SecretOptions {
    /// The secret that the webhook was registered with [env: TWENTY_WEBHOOK_SECRET]
    #[arg(long, conflicts_with = "secret_file")]
    secret: Option<String>,
    /// Read the secret from a file; a line break at its end is ignored
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

impl SecretOptions {
    /// Whether the command line has a secret.
    pub(super) fn given(&self) -> bool {
        self.secret.is_some() || self.secret_file.is_some()
    }

    /// Where the secret comes from.
    pub(super) fn origin(&self) -> SecretOrigin {
        match (&self.secret, &self.secret_file) {
            (Some(_), _) => SecretOrigin::Given,
            (None, Some(path)) => {
                SecretOrigin::File(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
            }
            (None, None) => SecretOrigin::default(),
        }
    }

    /// Reads it from this file.
    pub(super) fn use_file(&mut self, path: &Path) {
        self.secret_file = Some(path.to_owned());
    }

    /// The option that names the file of the secret, after a blank; `None` if a shell cannot pass it.
    pub(super) fn words(&self) -> Option<String> {
        match &self.secret_file {
            Some(path) => Some(format!(" --secret-file {}", shell::word(path.to_str()?.as_bytes())?)),
            None => Some(String::new()),
        }
    }

    /// The secret, if one was given. It is redacted in all later output of the console.
    ///
    /// Errors: the file cannot be read, or the secret is empty.
    pub(super) fn read(&self, console: &mut Console) -> Result<Option<Secret>, Error> {
        read_secret((self.secret.as_deref(), self.secret_file.as_deref()), SecretWord::Secret, console)
    }

    /// The file that the secret is read from; `None` if it is given as a word.
    pub(super) fn path(&self) -> Option<PathBuf> {
        self.secret_file.clone().filter(|_| self.secret.is_none())
    }

    /// Notes what is odd in a secret that is given as a word, to a program that may have another one.
    pub(super) fn note_odd_word(&self, console: &mut Console) {
        if let Some(secret) = &self.secret {
            note_oddities(None, (secret, SecretWord::Secret), console);
        }
    }

    /// The file of the secret, if one is given.
    pub(super) fn inputs(&self) -> Vec<Input> {
        self.secret_file.iter().map(|path| Input::of("--secret-file", path)).collect()
    }

    /// The secret. Errors: none was given, too.
    pub(super) fn require(&self, console: &mut Console) -> Result<Secret, Error> {
        self.read(console)?.ok_or_else(|| Error::Usage(messages::secret_is_missing().to_owned()))
    }
}

/// The secret that is given as a word or in a file. It is redacted in all later output of the console.
///
/// Errors: the file cannot be read, or the secret is empty.
pub(super) fn read_secret(
    (given, file): (Option<&str>, Option<&Path>),
    what: SecretWord,
    console: &mut Console,
) -> Result<Option<Secret>, Error> {
    let secret = match (given, file) {
        (Some(secret), _) => secret.to_owned(),
        (None, Some(path)) => {
            let text = input::text(path, SMALL_FILE)
                .map_err(|why| Error::Usage(messages::cannot_read(path.display(), why)))?;
            let secret = secret_file::secret(&text).to_owned();
            note_oddities(Some(path), (&secret, what), console);
            secret
        }
        (None, None) => return Ok(None),
    };
    if secret.is_empty() {
        return Err(Error::Usage(messages::secret_is_empty(what).to_owned()));
    }
    let secret = Secret::new(secret);
    console.redact(&secret);
    Ok(Some(secret))
}

/// Notes what is odd in a secret, which is used as it is.
fn note_oddities(file: Option<&Path>, (secret, what): (&str, SecretWord), console: &mut Console) {
    let oddities = secret_file::oddities(secret);
    if !oddities.is_empty() {
        console.note(&messages::secret_is_odd(file, &oddities, what));
    }
}

/// A random seed of 32 bits: short enough to type.
pub(super) fn random_seed() -> u64 {
    RandomState::new().build_hasher().finish() >> 32
}
