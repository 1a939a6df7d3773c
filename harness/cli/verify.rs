//! `verify`: the signature of a captured request, and the cause of a mismatch.
//!
//! Invariant: a cause is named only where it reproduces the signature that was captured.

use std::path::PathBuf;

use clap::Args;

use super::console::Console;
use super::options::SecretOptions;
use super::sign::input;
use crate::api;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::terminal::clean;
use crate::webhook::signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::wire::codec::{Captured, NotCaptured, captured};

/// Options of `verify`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    secret: SecretOptions,
    /// The timestamp header's value; then the input is the body alone
    #[arg(long, requires = "signature")]
    timestamp: Option<String>,
    /// The signature header's value
    #[arg(long, requires = "timestamp")]
    signature: Option<String>,
    /// The request as captured: request line, headers, an empty line, the body; stdin where no file is given
    file: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let secret = arguments.secret.require()?;
    let given = input(arguments.file.as_deref())?;
    let (timestamp, signature, body) = match (&arguments.timestamp, &arguments.signature) {
        (Some(timestamp), Some(signature)) => (timestamp.clone().into(), signature.clone().into(), given),
        _ => {
            let Captured { headers, body } = request(&given)?;
            let of = |name| {
                let count = headers.all(name).count();
                let value = headers.single(name).map(|value| value.to_vec());
                value.ok_or_else(|| {
                    Error::Usage(format!("the captured request has {count} headers {name}, not one"))
                })
            };
            (of(TIMESTAMP_HEADER)?, of(SIGNATURE_HEADER)?, body.to_vec())
        }
    };
    let Err(mismatch) = api::verify(secret.expose(), &timestamp, &body, &signature) else {
        console.print("the signature matches\n")?;
        return Ok(ExitStatus::Passed);
    };
    let mut text = format!(
        "the signature does not match\n  expected  {}\n  captured  {}\n",
        api::sign(secret.expose(), &timestamp, &body),
        clean(&String::from_utf8_lossy(&signature))
    );
    match mismatch.cause {
        Some(cause) => text.push_str(&format!("  cause     {cause}\n  fix      {}\n", cause.fix)),
        None => text.push_str(
            "  cause     unknown: no known way of signing gives it; is the secret the right one?\n",
        ),
    }
    console.print(&text)?;
    Ok(ExitStatus::Failed)
}

fn request(bytes: &[u8]) -> Result<Captured<'_>, Error> {
    let what = match captured(bytes) {
        Ok(captured) => return Ok(captured),
        Err(NotCaptured::NoEmptyLine) => {
            "the captured request has no empty line behind its headers".to_owned()
        }
        Err(NotCaptured::InChunks) => {
            "the captured body is in chunks, which are not what is signed".to_owned()
        }
        Err(NotCaptured::NoRequest(why)) => format!("the input is no HTTP request ({why})"),
        Err(NotCaptured::Framing(fault)) => format!("where the captured body ends cannot be told ({fault})"),
    };
    let hint = "give the whole request, or the body with --timestamp and --signature";
    Err(Error::Usage(format!("{what}; {hint}")))
}
