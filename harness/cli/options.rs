//! The options that several commands share, and what they are read into.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::environment::{file, first_given, word};
use super::reports::ReportOptions;
use super::values::{duration, up_to};
use crate::api::suite::Dialect;
use crate::error::Error;
use crate::suite::requirement::Level;
use crate::webhook::dialect;
use crate::webhook::signature::Secret;

/// The dialect of a command.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct DialectOption {
    /// The form of body
    #[arg(long, value_enum, default_value = "documented")]
    dialect: Dialect,
}

impl DialectOption {
    pub(super) fn dialect(self) -> &'static dialect::Dialect {
        self.dialect.dialect()
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

    /// What to say where the address cannot be listened on.
    pub(super) fn refused(self, why: &io::Error) -> Error {
        let address = self.address();
        Error::Usage(format!("{address} cannot be listened on: {why}; choose another --host or --port"))
    }
}

/// What can gate a run.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum GateLevel {
    /// Only failures of must
    Must,
    /// Failures of must and should
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

/// How many cases can go on at the same time.
const MOST_JOBS: usize = 64;

/// The options of every command that runs the suite.
#[derive(Debug, Args)]
pub(super) struct RunOptions {
    #[command(flatten)]
    pub(super) dialect: DialectOption,
    /// Run only what this pattern matches: an id (VER-1) or a check (receiver/**); @FILE reads patterns
    #[arg(long, value_name = "PATTERN")]
    pub(super) run: Vec<String>,
    /// Do not run what this pattern matches
    #[arg(long, value_name = "PATTERN")]
    pub(super) skip: Vec<String>,
    /// The weakest level that runs
    #[arg(long, value_enum, default_value = "advice")]
    pub(super) level: Level,
    /// The weakest level whose failures fail the run
    #[arg(long, value_enum, default_value = "must")]
    pub(super) fail_on: GateLevel,
    /// What ids, secrets and nonces are made from [default: random]
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// How many cases each property generates
    #[arg(long, default_value = "64", value_parser = clap::value_parser!(u32).range(..=100_000))]
    pub(super) cases: u32,
    /// How many cases go on at the same time (receivers)
    #[arg(long, default_value = "4", value_parser = up_to::<MOST_JOBS>)]
    pub(super) jobs: usize,
    /// How long an answer or a reply is waited for, such as 10s or 500ms
    #[arg(long, default_value = "10s", value_parser = duration)]
    pub(super) timeout: Duration,
    /// Within which a delivery must start after its event
    #[arg(long, default_value = "5s", value_parser = duration)]
    pub(super) deadline: Duration,
    #[command(flatten)]
    pub(super) reports: ReportOptions,
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

enum SecretSource {
    Secret(String),
    File(PathBuf),
}

impl SecretOptions {
    /// Whether it stands on the command line.
    pub(super) fn given(&self) -> bool {
        self.secret.is_some() || self.secret_file.is_some()
    }

    /// The secret, where one was given. Errors: the file cannot be read, or the secret is empty.
    pub(super) fn read(&self) -> Result<Option<Secret>, Error> {
        let secret = word("secret", self.secret.as_ref(), SecretSource::Secret);
        let file = file("secret-file", self.secret_file.as_ref(), SecretSource::File);
        let secret = match first_given([secret, file]) {
            Some(SecretSource::Secret(secret)) => secret,
            Some(SecretSource::File(path)) => {
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

/// A random seed: 32 bits, so that it is easily typed.
pub(super) fn random_seed() -> u64 {
    RandomState::new().build_hasher().finish() >> 32
}
