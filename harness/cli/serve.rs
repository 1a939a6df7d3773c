//! `serve`: the reference peers on the command line, attached like any other subject.
//!
//! Invariant: stdout carries what a suite reads (observations, replies) and nothing else.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

use super::console::Console;
use super::environment::variable;
use super::options::{ListenOptions, SecretOptions, random_seed};
use super::signals::asked_to_end;
use super::values::duration;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::peers::receiver::{Receiver, Settings};
use crate::peers::sender::pooled::Pooled;
use crate::peers::sender::{ANSWER_WAIT, Sender};
use crate::random::Random;
use crate::subject::protocol::{Op, Reply};
use crate::subject::sender::Sender as _;
use crate::suite::transcript::Observed;
use crate::webhook::dialect::Dialect;
use crate::wire::endpoint::http;

/// Options of `serve`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    peer: Peer,
}

#[derive(Debug, Subcommand)]
enum Peer {
    /// The reference receiver; it prints a line for each delivery that it takes in
    Receiver(ReceiverArguments),
    /// The reference sender; it speaks the attachment protocol on stdin and stdout
    Sender,
}

#[derive(Debug, Args)]
struct ReceiverArguments {
    #[command(flatten)]
    listen: ListenOptions,
    /// How far a delivery's timestamp may be from the present
    #[arg(long, default_value = "5m", value_parser = duration)]
    window: Duration,
    /// The longest body that is taken, in bytes
    #[arg(long, default_value_t = 5 * 1024 * 1024)]
    body_limit: usize,
    #[command(flatten)]
    secret: SecretOptions,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    match arguments.peer {
        Peer::Receiver(arguments) => receiver(arguments, console).await,
        Peer::Sender => sender(console).await,
    }
}

async fn receiver(arguments: ReceiverArguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let secret = arguments.secret.require()?;
    let settings =
        Settings { window: arguments.window, body_limit: arguments.body_limit, ..Settings::new(secret) };
    let receiver = Receiver::new(settings, Clock::system(), Arc::new(observe));
    let address = arguments.listen.address();
    let mut server = http::serve(address, Arc::new(receiver)).await.map_err(|why| {
        Error::Usage(format!("{address} cannot be listened on: {why}; choose another --port"))
    })?;
    let asked = asked_to_end();
    console.tell(&format!("listening on {}", server.url("/")));
    tokio::select! {
        () = server.ended() => Err(Error::Harness("the server ended by itself".to_owned())),
        () = asked => Ok(ExitStatus::Passed),
    }
}

fn observe(observed: Observed) {
    // Where stdout is closed, no suite observes.
    let _ = writeln!(std::io::stdout(), "{}", json!({ "observed": observed }));
}

async fn sender(console: &mut Console) -> Result<ExitStatus, Error> {
    let transport = Arc::new(Pooled::new(ANSWER_WAIT).map_err(Error::Harness)?);
    let new = |dialect: &'static Dialect| {
        Sender::new(dialect, Clock::system(), Random::from_seed(random_seed()), transport.clone())
    };
    let authority = || variable("ca").map(PathBuf::from);
    let mut sender: Option<Sender> = None;
    let mut lines = BufReader::new(stdin()).lines();
    loop {
        let line =
            lines.next_line().await.map_err(|why| Error::Usage(format!("stdin cannot be read: {why}")))?;
        let Some(line) = line else { break };
        let (id, op) = Op::decode(&line);
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
                    None => Reply::Error("say hello first, in a dialect that there is".to_owned()),
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
