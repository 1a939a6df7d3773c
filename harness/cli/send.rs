//! `send`: one signed delivery, without a Twenty account.
//!
//! Invariant: the record is sent as the bytes in the file.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::value::RawValue;

use super::console::Console;
use super::headings::{LIMITS, PAYLOAD, TARGET};
use super::messages;
use super::options::{DialectOption, SecretOptions, random_seed};
use super::sign::input;
use super::trust::TrustOptions;
use super::values::duration;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::random::Random;
use crate::terminal::{lines, text};
use crate::webhook::dialect::Context;
use crate::webhook::event::{Event, EventName};
use crate::webhook::signature::Key;
use crate::wire::client::Client;
use crate::wire::exchange::{Delivery, Headers, Outcome, Transfer};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Send the delivery to this URL
    #[arg(long, help_heading = TARGET)]
    url: String,
    /// Allow a URL on another machine
    #[arg(long, help_heading = TARGET)]
    allow_remote: bool,
    #[command(flatten)]
    secret: SecretOptions,
    #[command(flatten)]
    trust: TrustOptions,
    /// Send this event
    #[arg(long, default_value = "person.created", help_heading = PAYLOAD)]
    event: String,
    /// Read the record from a JSON file; use - for stdin [default: a sample of the event]
    #[arg(long, value_name = "FILE", help_heading = PAYLOAD)]
    data: Option<PathBuf>,
    #[command(flatten)]
    dialect: DialectOption,
    /// Send the body in chunks of this size, without a content length
    #[arg(long, value_name = "BYTES", conflicts_with = "expect", help_heading = PAYLOAD)]
    chunks: Option<NonZeroUsize>,
    /// Wait for 100 Continue, or for one second, before the body is sent
    #[arg(long, help_heading = PAYLOAD)]
    expect: bool,
    /// Wait this long for the answer
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration, help_heading = LIMITS)]
    timeout: Duration,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let target = arguments.trust.target(&arguments.url, console)?;
    target.check_allowed(arguments.allow_remote).map_err(Error::Usage)?;
    let (dialect, clock, key) =
        (arguments.dialect.dialect(), Clock::system(), Key::new(&arguments.secret.require(console)?));
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
    console.print(&messages::sent(&event.name.to_string(), &target.url(), &exchange.outcome, took))?;
    Ok(match exchange.outcome {
        Outcome::Answered(response) => {
            let body = text(&response.body);
            if !body.trim_end().is_empty() {
                console.print(&(lines(body.trim_end(), "") + "\n"))?;
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
        return sample.ok_or_else(|| Error::Usage(messages::no_sample(name)));
    };
    let text =
        String::from_utf8(input(Some(path))?).map_err(|why| Error::Usage(messages::not_utf8(path, why)))?;
    let record = RawValue::from_string(text.trim().to_owned())
        .map_err(|why| Error::Usage(messages::not_json(path, why)))?;
    let updated_fields = sample.and_then(|sample| sample.updated_fields);
    Ok(Event { name: EventName::new(name.clone()), record, updated_fields })
}
