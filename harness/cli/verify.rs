//! `verify`: the signature of a captured request, and the cause of a mismatch.
//!
//! Invariant: a cause is named only if it reproduces the captured signature.

use std::path::PathBuf;

use clap::Args;

use super::console::Console;
use super::headings::PAYLOAD;
use super::messages;
use super::options::SecretOptions;
use super::sign::input;
use crate::api;
use crate::budget::SEARCHED_BODY;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::terminal::{clean, text};
use crate::webhook::signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::wire::codec::{Captured, NotCaptured, captured};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    secret: SecretOptions,
    /// Use this value of the timestamp header; the input is then the body alone
    #[arg(long, requires = "signature", help_heading = PAYLOAD)]
    timestamp: Option<String>,
    /// Use this value of the signature header
    #[arg(long, requires = "timestamp", help_heading = PAYLOAD)]
    signature: Option<String>,
    /// Read the captured request (request line, headers, empty line, body) from this file instead of stdin
    file: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let secret = arguments.secret.require(console)?;
    let given = input(arguments.file.as_deref())?;
    let (timestamp, signature, body) = match (&arguments.timestamp, &arguments.signature) {
        (Some(timestamp), Some(signature)) => (timestamp.clone().into(), signature.clone().into(), given),
        _ => {
            let Captured { headers, body, .. } = request(&given)?;
            let of = |name| {
                let count = headers.all(name).count();
                let value = headers.single(name).map(|value| value.to_vec());
                value.ok_or_else(|| Error::Usage(messages::not_one_header(name, count)))
            };
            (of(TIMESTAMP_HEADER)?, of(SIGNATURE_HEADER)?, body.to_vec())
        }
    };
    let Err(mismatch) = api::verify(secret.expose(), &timestamp, &body, &signature) else {
        console.print(messages::signature_matches())?;
        return Ok(ExitStatus::Passed);
    };
    let expected = api::sign(secret.expose(), &timestamp, &body);
    let captured = text(&signature);
    let is_long = body.len() > SEARCHED_BODY;
    let cause = mismatch.cause.as_ref().map(|cause| (cause.to_string(), cause.fix));
    console.print(&messages::signature_differs(&expected, &clean(&captured), cause, is_long))?;
    Ok(ExitStatus::Failed)
}

fn request(bytes: &[u8]) -> Result<Captured<'_>, Error> {
    let what = match captured(bytes) {
        Ok(captured) => return Ok(captured),
        Err(NotCaptured::NoEmptyLine) => messages::no_empty_line().to_owned(),
        Err(NotCaptured::InChunks) => messages::body_is_chunked().to_owned(),
        Err(NotCaptured::NoRequest(why)) => messages::not_a_request(why),
        Err(NotCaptured::Framing(fault)) => messages::body_end_is_unclear(fault),
    };
    Err(Error::Usage(messages::give_a_request(&what)))
}
