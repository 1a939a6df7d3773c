//! `send`: one signed delivery, without an account.
//!
//! Invariant: the data goes out as the bytes that the file holds.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::value::RawValue;

use super::console::Console;
use super::options::{DialectOption, SecretOptions, random_seed};
use super::sign::input;
use super::trust::TrustOptions;
use super::values::duration;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::random::Random;
use crate::terminal::lines;
use crate::webhook::dialect::Context;
use crate::webhook::event::{Event, EventName};
use crate::webhook::signature::Key;
use crate::wire::client::Client;
use crate::wire::exchange::{Delivery, Headers, Outcome, Transfer};

/// Options of `send`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where to
    #[arg(long)]
    url: String,
    #[command(flatten)]
    secret: SecretOptions,
    /// The event's name
    #[arg(long, default_value = "person.created")]
    event: String,
    /// A file that holds the record as JSON, - for stdin [default: the event's sample]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    #[command(flatten)]
    dialect: DialectOption,
    /// How long an answer is waited for
    #[arg(long, default_value = "10s", value_parser = duration)]
    timeout: Duration,
    /// Send to an address that is not this machine's
    #[arg(long)]
    allow_remote: bool,
    #[command(flatten)]
    trust: TrustOptions,
    /// Send the body in chunks of so many bytes, without its length
    #[arg(long, value_name = "BYTES", conflicts_with = "expect")]
    chunks: Option<NonZeroUsize>,
    /// Send the body only once the receiver has answered 100 Continue, or nothing for a second
    #[arg(long)]
    expect: bool,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let target = arguments.trust.target(&arguments.url, console)?;
    target.check_allowed(arguments.allow_remote).map_err(Error::Usage)?;
    let (dialect, clock, key) =
        (arguments.dialect.dialect(), Clock::system(), Key::new(&arguments.secret.require()?));
    let event = event(&arguments)?;
    let random = Random::from_seed(random_seed());
    let body = dialect.render(
        &event,
        &Context {
            target_url: &target.url(),
            webhook_id: &random.uuid(),
            workspace_id: &random.uuid(),
            occurred_at_ms: clock.now_ms(),
        },
    );
    let nonce = dialect.nonce.then(|| random.nonce());
    let headers = Headers::of_delivery(Some(&key), clock.now_ms(), nonce, &body);
    let delivery = Delivery {
        method: "POST".to_owned(),
        target: target.path.clone(),
        headers,
        transfer: match arguments.chunks.map(NonZeroUsize::get) {
            Some(length) => Transfer::Chunks(vec![length; body.len() / length]),
            None if arguments.expect => Transfer::Expecting,
            None => Transfer::Whole,
        },
        body,
    };
    let exchange = Client::new(arguments.timeout, clock).send(&target, &delivery).await;
    let took = exchange.took.as_secs_f64() * 1000.0;
    console.print(&format!("{} to {}: {} in {took:.1} ms\n", event.name, target.url(), exchange.outcome))?;
    Ok(match exchange.outcome {
        Outcome::Answered(response) => {
            let body = String::from_utf8_lossy(&response.body).trim_end().to_owned();
            if !body.is_empty() {
                console.print(&(lines(&body, "") + "\n"))?;
            }
            if (200..300).contains(&response.status) { ExitStatus::Passed } else { ExitStatus::Failed }
        }
        _ => ExitStatus::Incomplete,
    })
}

fn event(arguments: &Arguments) -> Result<Event, Error> {
    let (name, dialect) = (&arguments.event, arguments.dialect.dialect());
    let sample = dialect.sample(name);
    let Some(path) = &arguments.data else {
        return sample.ok_or_else(|| {
            Error::Usage(format!("there is no sample of {name}; give its record with --data FILE"))
        });
    };
    let text = String::from_utf8(input(Some(path))?)
        .map_err(|why| Error::Usage(format!("{} is not UTF-8: {why}", path.display())))?;
    let record = RawValue::from_string(text.trim().to_owned())
        .map_err(|why| Error::Usage(format!("{} is not JSON: {why}", path.display())))?;
    let updated_fields = sample.and_then(|sample| sample.updated_fields);
    Ok(Event { name: EventName::new(name.clone()), record, updated_fields })
}
