//! `bench export`: a load for another tool.
//!
//! Invariant: the secret is asked for where it is needed alone, and never written.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::bench::generate::corpus::Corpus;
use crate::bench::tools::export::{Content, MOST_DELIVERIES, Signing, Tool, locust, write};
use crate::cli::console::Console;
use crate::cli::options::{DialectOption, SecretOptions, random_seed};
use crate::cli::values::duration;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::wire::client::Target;

/// Where a started receiver of most examples listens.
const USUAL_URL: &str = "http://127.0.0.1:3000/";

/// Options of `bench export`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The tool
    #[arg(value_enum)]
    tool: Name,
    /// The folder that the files go into
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Where the deliveries will go [default: http://127.0.0.1:3000/, for locust what --host says]
    #[arg(long)]
    url: Option<String>,
    #[command(flatten)]
    dialect: DialectOption,
    /// The bodies, in the place of the sample events: a file or a folder of files, each with one JSON text or one on each line
    #[arg(long, value_name = "FILE|DIR")]
    corpus: Option<PathBuf>,
    /// How many deliveries are signed now (wrk, vegeta, k6)
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_DELIVERIES)))]
    count: u32,
    /// How long the receiver takes them: its window for timestamps (wrk, vegeta, k6)
    #[arg(long, default_value = "5m", value_parser = duration)]
    good_for: Duration,
    /// What ids and nonces are made from (wrk, vegeta, k6) [default: random]
    #[arg(long)]
    seed: Option<u64>,
    #[command(flatten)]
    secret: SecretOptions,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Name {
    /// Signs at send time, from one process or many machines
    Locust,
    /// A script and pre-signed deliveries (tested)
    Wrk,
    /// Pre-signed targets (not tested)
    Vegeta,
    /// A script and pre-signed deliveries (not tested)
    K6,
}

impl Name {
    /// The tool, where its deliveries are signed in advance.
    fn presigned(self) -> Option<Tool> {
        match self {
            Self::Locust => None,
            Self::Wrk => Some(Tool::Wrk),
            Self::Vegeta => Some(Tool::Vegeta),
            Self::K6 => Some(Tool::K6),
        }
    }
}

pub(super) fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let tool = arguments.tool.presigned();
    // What stands in bodies where nobody has said where they will go.
    let given = arguments.url.as_deref();
    let target =
        Target::parse(given.unwrap_or(USUAL_URL)).map_err(|why| Error::Usage(format!("--url: {why}")))?;
    let (dialect, now_ms) = (arguments.dialect.dialect(), Clock::system().now_ms());
    let own = arguments.corpus.as_deref().map(Corpus::read).transpose().map_err(Error::Usage)?;
    let corpus = own.unwrap_or_else(|| Corpus::samples(dialect, &target.url(), now_ms));
    let url = if tool.is_some() || given.is_some() { target.url() } else { String::new() };
    let content = Content { dialect, corpus: &corpus, url: &url, now_ms };
    let files = match tool {
        None => locust(&content).map_err(Error::Harness)?,
        Some(tool) => {
            let secret = arguments.secret.require()?;
            console.conceal(&secret);
            let signing = Signing {
                secret: &secret,
                count: arguments.count,
                good_for: arguments.good_for,
                seed: arguments.seed.unwrap_or_else(random_seed),
            };
            tool.export(&content, &signing).map_err(Error::Usage)?
        }
    };
    let paths = write(&arguments.folder, &files).map_err(Error::Usage)?;
    let lines: String = paths.iter().map(|path| format!("{}\n", path.display())).collect();
    console.print(&lines)?;
    Ok(ExitStatus::Passed)
}
