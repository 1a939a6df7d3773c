//! `bench endpoint`: receives the load of another program and counts what arrives.
//!
//! Invariant: every arrival is in the summary, and the secret is not.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokio::time::sleep;

use super::load::MOST_THREADS;
use super::messages;
use crate::bench::accounts::arrivals::{Accounts, LEDGER_PATH, Webhooks};
use crate::bench::accounts::entry::{LedgerEntry, LedgerFault};
use crate::bench::accounts::ledger::MOST_WEBHOOKS;
use crate::bench::generate::plan::MOST_CONNECTIONS;
use crate::bench::measure::machine::Machine;
use crate::bench::measure::result::BenchResult;
use crate::bench::show::ledger;
use crate::cli::console::Console;
use crate::cli::headings::{ENDPOINT, LIMITS, OUTPUT, VERDICT};
use crate::cli::options::{DialectOption, ListenOptions, SecretOptions};
use crate::cli::signals::asked_to_end;
use crate::cli::values::{duration, path, pause, up_to};
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::redaction::Redaction;
use crate::wire::descriptors;
use crate::wire::endpoint::intake::{Limits, Service};

/// The longest body that can be allowed, in bytes.
const LONGEST_BODY: usize = 1 << 30;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    listen: ListenOptions,
    /// Serve a webhook at this path and query, and answer 404 to every other one; repeatable [default: any path]
    #[arg(long, value_name = "PATH", value_parser = path, help_heading = ENDPOINT)]
    path: Vec<String>,
    #[command(flatten)]
    secret: SecretOptions,
    #[command(flatten)]
    dialect: DialectOption,
    /// Do not fail on this kind of delivery; repeatable
    ///
    /// Allow `wrong` if the load has deliveries that must be rejected, `lost` if its beginning was not seen, and
    /// `duplicated` if it repeats requests.
    #[arg(long, value_enum, value_name = "FAULT", help_heading = VERDICT)]
    allow: Vec<LedgerFault>,
    /// Accept timestamps up to this far from the current time; 0 accepts all
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = pause, help_heading = LIMITS)]
    window: Duration,
    /// Serve N connections at the same time; others wait
    #[arg(long, default_value = "1024", value_name = "N", value_parser = up_to::<MOST_CONNECTIONS>)]
    #[arg(help_heading = LIMITS)]
    concurrency: usize,
    /// Serve with N threads [default: half of the processors]
    #[arg(long, value_name = "N", value_parser = up_to::<MOST_THREADS>, help_heading = LIMITS)]
    threads: Option<usize>,
    /// Answer 413 to bodies longer than this
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().body, value_parser = body_limit)]
    #[arg(help_heading = LIMITS)]
    body_limit: usize,
    /// Close connections whose request takes longer than this
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration, help_heading = LIMITS)]
    timeout: Duration,
    /// Stop after this long [default: at Ctrl-C]
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = LIMITS)]
    duration: Option<Duration>,
    /// Print JSON lines: one when ready, and a summary
    #[arg(long, help_heading = OUTPUT)]
    json: bool,
    /// Print only the result line
    #[arg(short, long, help_heading = OUTPUT)]
    quiet: bool,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let secret = arguments.secret.require(console)?;
    if arguments.path.len() > MOST_WEBHOOKS {
        return Err(Error::Usage(messages::too_many_paths(MOST_WEBHOOKS)));
    }
    descriptors::allow(arguments.concurrency).map_err(Error::Usage)?;
    let redaction = Redaction::new([&secret]);
    let webhooks = match arguments.path.is_empty() {
        true => Webhooks::Anywhere(secret.clone()),
        false => Webhooks::At(arguments.path.iter().map(|path| (path.clone(), secret.clone())).collect()),
    };
    let window = Some(arguments.window).filter(|window| !window.is_zero());
    let dialect = arguments.dialect.dialect();
    let accounts = Arc::new(Accounts::new(webhooks, dialect, Clock::system(), window, redaction));
    let address = arguments.listen.address();
    // Signals are caught before the address is printed.
    let asked = asked_to_end();
    let service = Service::start(address, arguments.limits(), accounts.clone())
        .await
        .map_err(|why| arguments.listen.refused(&why))?;
    let url = service.url(arguments.path.first().map_or("/", String::as_str));
    console.print(&match arguments.json {
        true => format!("{}\n", json!({ "ready": { "url": url, "ledger": service.url(LEDGER_PATH) } })),
        false => messages::listening_on(&url, &service.url(LEDGER_PATH)),
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
            ..Limits::default()
        }
    }

    /// Prints the summary and returns the status.
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
    limit.ok_or_else(|| messages::wrong_body_limit(text, LONGEST_BODY))
}
