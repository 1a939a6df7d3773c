//! `bench export`: a load for another tool.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::messages;
use crate::bench::generate::corpus::Corpus;
use crate::bench::tools::export::{ExportContent, MOST_DELIVERIES, Presigning, locust, write, wrk};
use crate::cli::console::Console;
use crate::cli::headings::{LOAD, PAYLOAD, TARGET};
use crate::cli::options::{DialectOption, SecretOptions, random_seed};
use crate::cli::values::duration;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::wire::client::Target;

/// Where most receivers in the examples listen.
const USUAL_URL: &str = "http://127.0.0.1:3000/";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Write files for this tool
    #[arg(value_enum)]
    tool: Name,
    /// Write the files into this folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Send deliveries to this URL [default: http://127.0.0.1:3000/ for wrk, the --host of locust]
    #[arg(long, help_heading = TARGET)]
    url: Option<String>,
    #[command(flatten)]
    secret: SecretOptions,
    #[command(flatten)]
    dialect: DialectOption,
    /// Send these bodies instead of samples: a JSON file, a file of JSON lines, or a folder of such files
    #[arg(long, value_name = "FILE|DIR", help_heading = PAYLOAD)]
    corpus: Option<PathBuf>,
    /// Sign N deliveries (wrk)
    #[arg(long, value_name = "N", default_value_t = 1000, help_heading = LOAD)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_DELIVERIES)))]
    count: u32,
    /// Maximum age of a timestamp that the receiver accepts (wrk)
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration, help_heading = LOAD)]
    good_for: Duration,
    /// Generate the same ids and nonces again from this seed (wrk) [default: random]
    #[arg(long, value_name = "N", help_heading = LOAD)]
    seed: Option<u64>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Name {
    /// A locustfile that signs each delivery when it sends it
    Locust,
    /// A script with deliveries that are signed now
    Wrk,
}

pub(super) fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    // Bodies contain a URL even if none is given.
    let given = arguments.url.as_deref();
    let target =
        Target::parse(given.unwrap_or(USUAL_URL)).map_err(|why| Error::Usage(messages::wrong_url(why)))?;
    let (dialect, now_ms) = (arguments.dialect.dialect(), Clock::system().now_ms());
    let own = arguments.corpus.as_deref().map(Corpus::read).transpose().map_err(Error::Usage)?;
    let corpus = own.unwrap_or_else(|| Corpus::samples(dialect, &target.url(), now_ms));
    let unknown = matches!(arguments.tool, Name::Locust) && given.is_none();
    let url = if unknown { String::new() } else { target.url() };
    let content = ExportContent { dialect, corpus: &corpus, url: &url, now_ms };
    let files = match arguments.tool {
        Name::Locust => locust(&content).map_err(Error::Harness)?,
        Name::Wrk => {
            let secret = arguments.secret.require(console)?;
            let signing = Presigning {
                secret: &secret,
                count: arguments.count,
                good_for: arguments.good_for,
                seed: arguments.seed.unwrap_or_else(random_seed),
            };
            wrk(&content, &signing).map_err(Error::Usage)?
        }
    };
    let paths = write(&arguments.folder, &files)?;
    let lines: String = paths.iter().map(|path| format!("{}\n", path.display())).collect();
    console.print(&lines)?;
    Ok(ExitStatus::Passed)
}
