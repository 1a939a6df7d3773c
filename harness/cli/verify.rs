//! `verify`: the signature of a captured request, and the cause of a mismatch.
//!
//! Invariant: the signature is checked over the captured bytes, whatever else explains a mismatch.

use std::path::PathBuf;

use clap::Args;

use super::captured::captured_request;
use super::console::Console;
use super::headings::PAYLOAD;
use super::messages;
use super::mismatch::described;
use super::options::SecretOptions;
use super::sign::input;
use crate::api;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::suite::cause::capture::Signed;
use crate::webhook::signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::wire::codec::Captured;

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
    let (timestamp, signature, body, after, content_length) =
        match (&arguments.timestamp, &arguments.signature) {
            (Some(timestamp), Some(signature)) => {
                (timestamp.clone().into(), signature.clone().into(), given, Vec::new(), None)
            }
            _ => {
                let Captured { headers, body, after, content_length, .. } = captured_request(&given)?;
                let of = |name| {
                    let count = headers.all(name).count();
                    let value = headers.single(name).map(|value| value.to_vec());
                    value.ok_or_else(|| Error::Usage(messages::not_one_header(name, count)))
                };
                (of(TIMESTAMP_HEADER)?, of(SIGNATURE_HEADER)?, body.to_vec(), after.to_vec(), content_length)
            }
        };
    if api::verify(secret.expose(), &timestamp, &body, &signature).is_ok() {
        console.print(messages::signature_matches())?;
        return Ok(ExitStatus::Passed);
    }
    let signed =
        Signed { timestamp: &timestamp, signature: &signature, body: &body, after: &after, content_length };
    console.print(&described(&signed, &secret, arguments.secret.path().as_deref()))?;
    Ok(ExitStatus::Failed)
}
