//! `send`: one signed delivery, without a Twenty account: a sample, a record from a file, or a captured request.
//!
//! Invariant: a record and a captured body are sent as the bytes in the file.

mod resend;

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
use crate::wire::client::{Client, Target};
use crate::wire::exchange::{Delivery, Headers, Outcome, Transfer, acknowledges};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Send the delivery to this URL; a captured request that has a URL on this machine is sent there by default
    #[arg(long, required_unless_present = "file", help_heading = TARGET)]
    url: Option<String>,
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
    /// Send this captured request instead, with its headers and its body as they are; use - for stdin
    #[arg(conflicts_with_all = ["event", "data", "dialect"])]
    file: Option<PathBuf>,
    /// Give the captured request a present timestamp and a new signature; its body stays as it is
    #[arg(long, requires = "file", help_heading = PAYLOAD)]
    resign: bool,
    /// Send this request of the file, counted from 1 [default: the first]
    #[arg(long, value_name = "N", requires = "file", help_heading = PAYLOAD)]
    entry: Option<NonZeroUsize>,
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

/// What is sent, and its name in the line that tells the answer.
struct Sending {
    target: Target,
    name: String,
    delivery: Delivery,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let clock = Clock::system();
    let sending = match &arguments.file {
        Some(file) => resend::captured(file, &arguments, &clock, console)?,
        None => sample(&arguments, &clock, console)?,
    };
    let Sending { target, name, mut delivery } = sending;
    delivery.transfer = match arguments.chunks.map(NonZeroUsize::get) {
        Some(length) => Transfer::Chunks(vec![length; delivery.body.len() / length]),
        None if arguments.expect => Transfer::Expecting,
        None => Transfer::Whole,
    };
    let exchange = Client::new(arguments.timeout, clock).send(&target, &delivery).await;
    let took = exchange.took.as_secs_f64() * 1000.0;
    console.print(&messages::sent(&name, &target.url(), &exchange.outcome, took))?;
    Ok(match exchange.outcome {
        Outcome::Answered(response) => {
            let body = text(&response.body);
            if !body.trim_end().is_empty() {
                console.print(&(lines(body.trim_end(), "") + "\n"))?;
            }
            if acknowledges(response.status) { ExitStatus::Passed } else { ExitStatus::Failed }
        }
        _ => ExitStatus::Incomplete,
    })
}

/// A signed delivery of a sample or of a record from a file.
fn sample(arguments: &Arguments, clock: &Clock, console: &mut Console) -> Result<Sending, Error> {
    let target = allowed(arguments.url.as_deref().unwrap_or_default(), arguments, console)?;
    let (dialect, key) = (arguments.dialect.dialect(), Key::new(&arguments.secret.require(console)?));
    let event = event(arguments)?;
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
    let headers = Headers::in_dialect(dialect, Some(&key), clock.now_ms(), nonce, &body);
    let delivery = Delivery::new("POST", target.path.clone(), headers, body);
    Ok(Sending { target, name: event.name.to_string(), delivery })
}

/// The target of a URL. Errors: it is on another machine, and that is not allowed.
fn allowed(url: &str, arguments: &Arguments, console: &mut Console) -> Result<Target, Error> {
    let target = arguments.trust.target(url, console)?;
    target.check_allowed(arguments.allow_remote).map_err(Error::Usage)?;
    Ok(target)
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
