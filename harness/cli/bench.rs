//! `bench`: how fast an implementation is under real, signed traffic, and whether it stays right meanwhile.

mod baseline;
mod compare;
mod distributed;
mod endpoint;
mod export;
mod import;
mod load;
mod output;
mod pair;
mod receiver;
mod sender;

use clap::{Args, Subcommand};

use super::console::Console;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::redaction::Redaction;

/// Options of `bench`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Put load on a receiver: every delivery is signed, every answer judged, and a share must be refused
    Receiver(Box<receiver::Arguments>),
    /// Hold reports against each other: what got worse, beyond the noise
    Compare(Box<compare::Arguments>),
    /// Start two receivers on this machine and measure them against each other, in turns, behind a control of one against itself
    Pair(Box<pair::Arguments>),
    /// Have a sender send events, and measure until they have arrived: each is verified, and lost and doubled ones are found
    Sender(Box<sender::Arguments>),
    /// Stand as an endpoint for any load: verify every delivery, keep accounts of what is wrong, lost and doubled
    Endpoint(Box<endpoint::Arguments>),
    /// The same from several processes of locust on this machine: a master and workers, whose counts must agree
    Distributed(Box<distributed::Arguments>),
    /// Write a load for another tool: a locustfile that signs at send time, or pre-signed deliveries for wrk
    Export(export::Arguments),
    /// Read locust's results into the report that every benchmark has
    Import(import::Arguments),
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    match arguments.what {
        What::Receiver(arguments) => receiver::run(*arguments, console).await,
        What::Compare(arguments) => compare::run(&arguments, console),
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
