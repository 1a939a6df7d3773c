//! `serve`: the reference receiver and sender as programs, to be attached like any other.
//!
//! Invariant: stdout carries only what a suite reads: observations and replies.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;
use tokio::io::{BufReader, stdin};

use super::console::{Console, print_line};
use super::environment::variable;
use super::headings::LIMITS;
use super::messages::{self, help};
use super::options::{ListenOptions, SecretOptions, random_seed};
use super::signals::asked_to_end;
use super::values::duration;
use crate::budget::INPUT_LINE;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::peers::receiver::{Receiver, Settings};
use crate::peers::sender::pooled::Pooled;
use crate::peers::sender::{ANSWER_WAIT, Sender};
use crate::random::Random;
use crate::subject::lines::{LineEnd, bounded_line};
use crate::subject::protocol::{Op, Reply};
use crate::subject::sender::Sender as _;
use crate::suite::transcript::Observed;
use crate::webhook::dialect::Dialect;
use crate::wire::endpoint::http;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    peer: Peer,
}

#[derive(Debug, Subcommand)]
enum Peer {
    /// Run the reference receiver, which prints a line for each delivery that it processes
    #[command(after_long_help = help::SERVE_RECEIVER)]
    Receiver(ReceiverArguments),
    /// Run the reference sender, which reads requests as JSON lines on stdin and replies on stdout
    #[command(after_long_help = help::SERVE_SENDER)]
    Sender,
}

#[derive(Debug, Args)]
struct ReceiverArguments {
    #[command(flatten)]
    listen: ListenOptions,
    #[command(flatten)]
    secret: SecretOptions,
    /// Accept timestamps up to this far from the current time
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration, help_heading = LIMITS)]
    window: Duration,
    /// Reject bodies longer than this
    #[arg(long, value_name = "BYTES", default_value_t = 5 * 1024 * 1024, help_heading = LIMITS)]
    body_limit: usize,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    match arguments.peer {
        Peer::Receiver(arguments) => receiver(arguments, console).await,
        Peer::Sender => sender(console).await,
    }
}

async fn receiver(arguments: ReceiverArguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let secret = arguments.secret.require(console)?;
    let settings =
        Settings { window: arguments.window, body_limit: arguments.body_limit, ..Settings::new(secret) };
    let receiver = Receiver::new(settings, Clock::system(), Arc::new(observe));
    let address = arguments.listen.address();
    let mut server =
        http::serve(address, Arc::new(receiver)).await.map_err(|why| arguments.listen.refused(&why))?;
    let asked = asked_to_end();
    console.note(&messages::listening_on(&server.url("/")));
    tokio::select! {
        () = server.ended() => Err(Error::Harness(messages::server_stopped().to_owned())),
        () = asked => Ok(ExitStatus::Passed),
    }
}

fn observe(observed: Observed) {
    print_line(&json!({ "observed": observed }));
}

async fn sender(console: &mut Console) -> Result<ExitStatus, Error> {
    let transport = Arc::new(Pooled::new(ANSWER_WAIT).map_err(Error::Harness)?);
    let new = |dialect: &'static Dialect| {
        Sender::new(dialect, Clock::system(), Random::from_seed(random_seed()), transport.clone())
    };
    let authority = || variable("ca").map(PathBuf::from);
    let mut sender: Option<Sender> = None;
    let (mut input, mut line) = (BufReader::new(stdin()), Vec::new());
    loop {
        match bounded_line(&mut input, &mut line, INPUT_LINE).await {
            LineEnd::Whole => {}
            LineEnd::End => break,
            LineEnd::TooLong => return Err(Error::Usage(messages::line_too_long(INPUT_LINE))),
        }
        let (id, op) = Op::decode(&String::from_utf8_lossy(&line));
        let ends = matches!(op, Ok(Op::Shutdown));
        let reply = match op {
            Err(refusal) => refusal,
            Ok(mut op) => {
                if let Op::Hello { dialect, ca } = &mut op
                    && let Some(dialect) = Dialect::named(dialect)
                {
                    sender = Some(new(dialect));
                    *ca = ca.take().or_else(authority);
                }
                match &sender {
                    Some(sender) => sender.call(op).await?,
                    None => Reply::Error(messages::hello_comes_first().to_owned()),
                }
            }
        };
        console.print(&(reply.encode(&id) + "\n"))?;
        if ends {
            break;
        }
    }
    Ok(ExitStatus::Passed)
}
