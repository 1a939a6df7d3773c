//! `bench`: the speed of an implementation under signed load, and whether it still behaves correctly.

mod baseline;
mod compare;
mod distributed;
mod endpoint;
mod export;
mod import;
mod load;
mod messages;
mod output;
mod pair;
mod receiver;
mod sender;
mod trend;

use clap::{Args, Subcommand};

use super::console::Console;
use super::messages::help;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::redaction::Redaction;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Load a receiver with signed deliveries and judge every answer
    #[command(after_long_help = help::with_bench_statuses(help::BENCH_RECEIVER))]
    Receiver(Box<receiver::Arguments>),
    /// Compare benchmark reports and name figures that got worse beyond the noise
    #[command(after_long_help = help::with_bench_statuses(help::BENCH_COMPARE))]
    Compare(Box<compare::Arguments>),
    /// Find the runs since which the figures of saved reports are better or worse
    #[command(after_long_help = help::with_bench_statuses(help::BENCH_TREND))]
    Trend(trend::Arguments),
    /// Compare two receivers on this machine in alternating loads, after comparing the first with itself
    #[command(after_long_help = help::with_bench_statuses(help::BENCH_PAIR))]
    Pair(Box<pair::Arguments>),
    /// Make a sender emit events, and count late, wrong, lost and duplicated deliveries
    #[command(after_long_help = help::with_bench_statuses(help::BENCH_SENDER))]
    Sender(Box<sender::Arguments>),
    /// Verify every delivery of any load, and count wrong, lost and duplicated ones
    #[command(after_long_help = help::with_bench_statuses(help::BENCH_ENDPOINT))]
    Endpoint(Box<endpoint::Arguments>),
    /// Load a receiver from several locust workers on this machine
    #[command(after_long_help = help::with_bench_statuses(help::BENCH_DISTRIBUTED))]
    Distributed(Box<distributed::Arguments>),
    /// Write a load for locust or wrk
    #[command(after_long_help = help::BENCH_EXPORT)]
    Export(export::Arguments),
    /// Convert the results of locust to a benchmark report
    #[command(after_long_help = help::with_bench_statuses(help::BENCH_IMPORT))]
    Import(import::Arguments),
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    match arguments.what {
        What::Receiver(arguments) => receiver::run(*arguments, console).await,
        What::Compare(arguments) => compare::run(&arguments, console),
        What::Trend(arguments) => trend::run(&arguments, console),
        What::Pair(arguments) => pair::run(*arguments, console).await,
        What::Sender(arguments) => sender::run(*arguments, console).await,
        What::Endpoint(arguments) => endpoint::run(*arguments, console).await,
        What::Distributed(arguments) => distributed::run(*arguments, console).await,
        What::Export(arguments) => export::run(arguments, console),
        What::Import(arguments) => import::run(arguments, console),
    }
}

/// The arguments of this process, without the secret.
fn command_line(redaction: &Redaction) -> Vec<String> {
    let mut hidden = false;
    let shown = std::env::args_os().skip(1).map(|argument| {
        let argument = argument.to_string_lossy().into_owned();
        let hide = std::mem::replace(&mut hidden, argument == "--secret");
        match argument.strip_prefix("--secret=") {
            _ if hide => "[redacted]".to_owned(),
            Some(_) => "--secret=[redacted]".to_owned(),
            None => redaction.text(&argument),
        }
    });
    shown.collect()
}
