//! `sign`: the signature headers of a body, or a whole delivery for a test, valid or wrong in the way of a cause.
//!
//! Invariant: every byte that was read is signed, including a line feed at the end.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;

use super::console::Console;
use super::headings::{OUTPUT, PAYLOAD};
use super::messages::{cannot_read, sign as messages};
use super::options::{DialectOption, SecretOptions};
use crate::api::sign;
use crate::budget::INPUT;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::input;
use crate::suite::receiver::single::{self, Signed};
use crate::webhook::signature::{SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    secret: SecretOptions,
    /// Use this value of the timestamp header [default: the current time in milliseconds]
    #[arg(long, help_heading = PAYLOAD)]
    timestamp: Option<String>,
    /// Sign the value of --timestamp even if it is not a number
    #[arg(long, requires = "timestamp", help_heading = PAYLOAD)]
    any_timestamp: bool,
    /// Print a delivery of this event's sample as JSON, instead of the headers of a file
    #[arg(long, conflicts_with_all = ["file", "any_timestamp"], help_heading = PAYLOAD)]
    event: Option<String>,
    #[command(flatten)]
    dialect: DialectOption,
    /// Print a delivery as JSON that is wrong in the way of this cause, such as accepts.stale
    #[arg(long, value_name = "CAUSE", conflicts_with = "any_timestamp", help_heading = PAYLOAD)]
    broken: Option<String>,
    /// Print the whole delivery as JSON for programs: its headers and its body
    #[arg(long, conflicts_with = "any_timestamp", help_heading = OUTPUT)]
    json: bool,
    /// Read the body from this file instead of stdin
    file: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let secret = arguments.secret.require(console)?;
    if arguments.json || arguments.event.is_some() || arguments.broken.is_some() {
        return delivery(arguments, secret, console);
    }
    if let Some(timestamp) = &arguments.timestamp {
        check_timestamp(timestamp, arguments.any_timestamp)?;
    }
    let body = input(arguments.file.as_deref())?;
    let timestamp = arguments.timestamp.clone().unwrap_or_else(|| Clock::system().now_ms().to_string());
    let signature = sign(secret.expose(), &timestamp, &body);
    console.print(&format!("{TIMESTAMP_HEADER}: {timestamp}\n{SIGNATURE_HEADER}: {signature}\n"))?;
    Ok(ExitStatus::Passed)
}

/// Prints a whole delivery.
fn delivery(arguments: &Arguments, secret: Secret, console: &mut Console) -> Result<ExitStatus, Error> {
    let now_ms = match &arguments.timestamp {
        None => Clock::system().now_ms(),
        Some(text) => text.parse().map_err(|_| Error::Usage(messages::timestamp_is_no_time(text)))?,
    };
    let signed = Signed { dialect: arguments.dialect.dialect(), secret, now_ms };
    let body = match &arguments.event {
        Some(event) => signed.sample(event).map_err(Error::Usage)?,
        None => Bytes::from(input(arguments.file.as_deref())?),
    };
    let made = match &arguments.broken {
        None => signed.valid(body),
        Some(cause) => {
            single::code(cause).and_then(|code| signed.broken(code, body)).map_err(Error::Usage)?
        }
    };
    console.print_unredacted(&single::Printed::from(&made))?;
    Ok(ExitStatus::Passed)
}

/// Errors: no header can have the value, or it is not a number and need be one.
fn check_timestamp(text: &str, any: bool) -> Result<(), Error> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match (is_number, any, text.contains(char::is_control)) {
        (true, ..) | (false, true, false) => Ok(()),
        (false, true, true) => Err(Error::Usage(messages::timestamp_is_no_value(text))),
        (false, false, _) => Err(Error::Usage(messages::timestamp_is_not_a_number(text))),
    }
}

/// Reads a body or a request from a file; from stdin for `None` and `-`.
pub(super) fn input(file: Option<&Path>) -> Result<Vec<u8>, Error> {
    read_up_to(file, INPUT)
}

/// Reads a file of at most `limit` bytes; stdin for `None` and `-`.
pub(super) fn read_up_to(file: Option<&Path>, limit: u64) -> Result<Vec<u8>, Error> {
    let (name, read) = match file.filter(|path| path.as_os_str() != "-") {
        None => ("stdin".to_owned(), input::at_most(&mut io::stdin(), limit)),
        Some(path) => (path.display().to_string(), input::file(path, limit)),
    };
    read.map_err(|why| Error::Usage(cannot_read(&name, why)))
}
