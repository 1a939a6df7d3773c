//! `bench endpoint`: stands as an endpoint for a load from another program, and keeps accounts of what arrives.
//!
//! Invariant: whatever arrived is in the summary, and the secret is in none of it.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokio::time::sleep;

use super::load::MOST_THREADS;
use crate::bench::accounts::arrivals::{Accounts, LEDGER_PATH, Webhooks};
use crate::bench::accounts::entry::{LedgerEntry, LedgerFault};
use crate::bench::accounts::ledger::MOST_WEBHOOKS;
use crate::bench::generate::limits;
use crate::bench::generate::plan::MOST_CONNECTIONS;
use crate::bench::measure::machine::Machine;
use crate::bench::measure::result::BenchResult;
use crate::bench::show::ledger;
use crate::cli::console::Console;
use crate::cli::options::{DialectOption, ListenOptions, SecretOptions};
use crate::cli::signals::asked_to_end;
use crate::cli::values::{duration, path, pause, up_to};
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::redaction::Redaction;
use crate::wire::endpoint::intake::{Limits, Service};

/// The longest body that can be allowed, in bytes.
const LONGEST_BODY: usize = 1 << 30;

/// Options of `bench endpoint`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    listen: ListenOptions,
    #[command(flatten)]
    secret: SecretOptions,
    /// A path that is a webhook's, with its query; any other one is answered 404 then [default: all are]
    #[arg(long, value_name = "PATH", value_parser = path)]
    path: Vec<String>,
    #[command(flatten)]
    dialect: DialectOption,
    /// How far a timestamp may be from the present; 0 for any distance, such as for requests that were signed before
    #[arg(long, default_value = "5m", value_parser = pause)]
    window: Duration,
    /// What does not fail the run: wrong deliveries where the load has some that must be refused, lost ones where it was not
    /// seen from its beginning, duplicated ones where the same requests are sent again and again
    #[arg(long, value_enum, value_name = "FAULT")]
    allow: Vec<LedgerFault>,
    /// How many connections there may be at the same time; further ones wait
    #[arg(long, default_value = "1024", value_name = "N", value_parser = up_to::<MOST_CONNECTIONS>)]
    concurrency: usize,
    /// How many threads serve [default: half of the processors]
    #[arg(long, value_name = "N", value_parser = up_to::<MOST_THREADS>)]
    threads: Option<usize>,
    /// The longest body that is taken, in bytes; a longer one is answered 413
    #[arg(long, default_value_t = Limits::default().body, value_parser = body_limit)]
    body_limit: usize,
    /// How long a request may take from its first byte to its last
    #[arg(long, default_value = "30s", value_parser = duration)]
    timeout: Duration,
    /// How long it stands [default: until it is interrupted]
    #[arg(long, value_parser = duration)]
    duration: Option<Duration>,
    /// Print JSON lines: one when it is ready, and a summary
    #[arg(long)]
    json: bool,
    /// Print the result line alone in the place of the summary
    #[arg(short, long)]
    quiet: bool,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let secret = arguments.secret.require()?;
    console.conceal(&secret);
    if arguments.path.len() > MOST_WEBHOOKS {
        return Err(Error::Usage(format!("--path has more than {MOST_WEBHOOKS} paths")));
    }
    limits::allow(arguments.concurrency).map_err(Error::Usage)?;
    let redaction = Redaction::new([&secret]);
    let webhooks = match arguments.path.is_empty() {
        true => Webhooks::Anywhere(secret.clone()),
        false => Webhooks::At(arguments.path.iter().map(|path| (path.clone(), secret.clone())).collect()),
    };
    let window = Some(arguments.window).filter(|window| !window.is_zero());
    let dialect = arguments.dialect.dialect();
    let accounts = Arc::new(Accounts::new(webhooks, dialect, Clock::system(), window, redaction));
    let address = arguments.listen.address();
    // Listened to before the address is known.
    let asked = asked_to_end();
    let service = Service::start(address, arguments.limits(), accounts.clone())
        .await
        .map_err(|why| arguments.listen.refused(&why))?;
    let url = service.url(arguments.path.first().map_or("/", String::as_str));
    console.print(&match arguments.json {
        true => format!("{}\n", json!({ "ready": { "url": url, "ledger": service.url(LEDGER_PATH) } })),
        false => format!("listening on {url} (accounts at {})\n", service.url(LEDGER_PATH)),
    })?;
    match arguments.duration {
        None => asked.await,
        Some(duration) => {
            tokio::select! {
                () = asked => {}
                () = sleep(duration) => {}
            }
        }
    }
    service.end().await;
    arguments.conclude(&accounts.entry(true), console)
}

impl Arguments {
    fn limits(&self) -> Limits {
        Limits {
            threads: self.threads.unwrap_or(Machine::this().cores / 2).max(1),
            connections: self.concurrency,
            body: self.body_limit,
            patience: self.timeout,
        }
    }

    /// Prints the summary, and gives the status.
    fn conclude(&self, entry: &LedgerEntry, console: &mut Console) -> Result<ExitStatus, Error> {
        let result = BenchResult::of_ledger(entry, &self.allow);
        let status = result.status();
        let line = ledger::result_line(entry, result);
        console.print(&if self.json {
            let summary = json!({ "result": result, "exit_status": status.code(), "ledger": entry });
            format!("{}\n", json!({ "summary": summary }))
        } else if self.quiet {
            line + "\n"
        } else {
            format!("\n{}\n{line}\n", ledger::render(entry))
        })?;
        Ok(status)
    }
}

fn body_limit(text: &str) -> Result<usize, String> {
    let limit = text.parse().ok().filter(|limit| (1..=LONGEST_BODY).contains(limit));
    limit.ok_or_else(|| format!("{text:?} is not from 1 to {LONGEST_BODY} bytes"))
}
