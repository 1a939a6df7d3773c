//! The command line: its grammar, what all commands share, and the way from a command to its exit status.
//!
//! Invariant: only this module and its commands print. They and the public API alone read the environment, the clock and
//! randomness, at start, and hand on what they read.

mod attach;
mod bench;
mod config;
mod console;
mod demo;
mod environment;
mod explain;
mod list;
mod listen;
mod options;
mod plan;
mod receiver;
mod replay;
mod reports;
mod send;
mod sender;
mod serve;
mod sign;
mod signals;
mod target;
mod trust;
mod values;
mod verify;

use std::ffi::OsString;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::error::Error;
use crate::exit::ExitStatus;
use console::{ColorChoice, Console};

/// Conformance suite for Twenty CRM's webhooks: does a sender or a receiver conform, and if not, why exactly?
#[derive(Debug, Parser)]
#[command(name = "twenty-conform", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// When to colour the output; NO_COLOR and CLICOLOR_FORCE hold
    #[arg(long, global = true, value_enum, default_value = "auto")]
    color: ColorChoice,
}

const AFTER_HELP: &str = "\
Exit status: 0 conforms; 1 does not; 2 usage; 3 incomplete (inconclusive, unreachable, not started, not to be told); 4 nothing selected;
6 slower than a bound allows; 70 harness fault or unwritable report; 130 interrupted.
Every option has an environment variable, TWENTY_CONFORM_ and its name; the secret's is TWENTY_WEBHOOK_SECRET.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole suite, both roles, on the built-in reference sender and receiver
    Demo(demo::Arguments),
    /// Check a receiver, by its URL or by a command that starts it
    Receiver(receiver::Arguments),
    /// Check a sender, by a command or a URL that speaks the attachment protocol, or by recorded traffic
    Sender(sender::Arguments),
    /// Stand as an endpoint for any sender, and judge each delivery as it comes
    Listen(listen::Arguments),
    /// Measure how fast a receiver or a sender is under signed load, and whether it stays right meanwhile, and whether it got slower
    Bench(bench::Arguments),
    /// Send a saved failure again, and say whether it is still there
    Replay(replay::Arguments),
    /// Run a reference peer
    Serve(serve::Arguments),
    /// Send one signed delivery
    Send(send::Arguments),
    /// Compute the signature headers of a body
    Sign(sign::Arguments),
    /// Check the signature of a captured request, and name the cause of a mismatch
    Verify(verify::Arguments),
    /// List every requirement and its check
    List(list::Arguments),
    /// Explain a requirement, a check or a cause
    Explain(explain::Arguments),
}

/// Parses the command line. Errors: it asks for help, or is wrong; what there is to say has been printed.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Arguments, ExitStatus> {
    let command = environment::with_variables(Arguments::command());
    let matches = command.try_get_matches_from(arguments);
    matches.and_then(|matches| Arguments::from_arg_matches(&matches)).map_err(|why| {
        // If even this cannot be printed, the status still tells.
        let _ = why.print();
        if why.use_stderr() { ExitStatus::Usage } else { ExitStatus::Passed }
    })
}

/// Runs a command. What goes wrong is printed on stderr and is in the status.
pub fn run(arguments: Arguments) -> ExitStatus {
    let mut console = Console::new(arguments.color);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => {
            let result = runtime.block_on(dispatch(arguments.command, &mut console));
            // A read of stdin that is still going on must not hold the process up.
            runtime.shutdown_background();
            result
        }
        Err(why) => Err(Error::Harness(format!("the run time cannot be started: {why}"))),
    };
    result.unwrap_or_else(|error| {
        console.complain(&error.to_string());
        error.exit_status()
    })
}

async fn dispatch(command: Command, console: &mut Console) -> Result<ExitStatus, Error> {
    match command {
        Command::Demo(arguments) => demo::run(arguments, console).await,
        Command::Receiver(arguments) => receiver::run(arguments, console).await,
        Command::Sender(arguments) => sender::run(arguments, console).await,
        Command::Listen(arguments) => listen::run(arguments, console).await,
        Command::Bench(arguments) => bench::run(arguments, console).await,
        Command::Replay(arguments) => replay::run(arguments, console).await,
        Command::Serve(arguments) => serve::run(arguments, console).await,
        Command::Send(arguments) => send::run(arguments, console).await,
        Command::Sign(arguments) => sign::run(&arguments, console),
        Command::Verify(arguments) => verify::run(&arguments, console),
        Command::List(arguments) => list::run(&arguments, console),
        Command::Explain(arguments) => explain::run(&arguments, console),
    }
}
