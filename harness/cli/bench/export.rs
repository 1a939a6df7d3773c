//! `bench export`: a load for another tool.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::bench::generate::corpus::Corpus;
use crate::bench::tools::export::{ExportContent, MOST_DELIVERIES, Presigning, locust, write, wrk};
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
    /// How many deliveries are signed now (wrk)
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_DELIVERIES)))]
    count: u32,
    /// How long the receiver takes them: its window for timestamps (wrk)
    #[arg(long, default_value = "5m", value_parser = duration)]
    good_for: Duration,
    /// What ids and nonces are made from (wrk) [default: random]
    #[arg(long)]
    seed: Option<u64>,
    #[command(flatten)]
    secret: SecretOptions,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Name {
    /// Signs at send time, from one process or many machines
    Locust,
    /// A script and pre-signed deliveries
    Wrk,
}

pub(super) fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    // What stands in bodies where no URL is given.
    let given = arguments.url.as_deref();
    let target =
        Target::parse(given.unwrap_or(USUAL_URL)).map_err(|why| Error::Usage(format!("--url: {why}")))?;
    let (dialect, now_ms) = (arguments.dialect.dialect(), Clock::system().now_ms());
    let own = arguments.corpus.as_deref().map(Corpus::read).transpose().map_err(Error::Usage)?;
    let corpus = own.unwrap_or_else(|| Corpus::samples(dialect, &target.url(), now_ms));
    let unknown = matches!(arguments.tool, Name::Locust) && given.is_none();
    let url = if unknown { String::new() } else { target.url() };
    let content = ExportContent { dialect, corpus: &corpus, url: &url, now_ms };
    let files = match arguments.tool {
        Name::Locust => locust(&content).map_err(Error::Harness)?,
        Name::Wrk => {
            let secret = arguments.secret.require()?;
            console.conceal(&secret);
            let signing = Presigning {
                secret: &secret,
                count: arguments.count,
                good_for: arguments.good_for,
                seed: arguments.seed.unwrap_or_else(random_seed),
            };
            wrk(&content, &signing).map_err(Error::Usage)?
        }
    };
    let paths = write(&arguments.folder, &files).map_err(Error::Usage)?;
    let lines: String = paths.iter().map(|path| format!("{}\n", path.display())).collect();
    console.print(&lines)?;
    Ok(ExitStatus::Passed)
}
