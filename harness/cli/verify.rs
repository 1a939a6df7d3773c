//! `verify`: the signature of a captured request, and the cause of a mismatch.
//!
//! Invariant: a cause is named only where it reproduces the signature that was captured.

use std::path::PathBuf;

use clap::Args;

use super::console::Console;
use super::options::SecretOptions;
use super::sign::input;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::suite::cause::sender;
use crate::terminal::clean;
use crate::webhook::signature::{Key, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::wire::exchange::Headers;

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
    let captured = input(arguments.file.as_deref())?;
    let (timestamp, signature, body) = match (&arguments.timestamp, &arguments.signature) {
        (Some(timestamp), Some(signature)) => (timestamp.clone().into(), signature.clone().into(), captured),
        _ => {
            let (headers, body) = request(&captured)?;
            let of = |name| {
                let count = headers.all(name).count();
                let value = headers.single(name).map(|value| value.to_vec());
                value.ok_or_else(|| {
                    Error::Usage(format!("the captured request has {count} headers {name}, not one"))
                })
            };
            (of(TIMESTAMP_HEADER)?, of(SIGNATURE_HEADER)?, body)
        }
    };
    let key = Key::new(&secret);
    if key.verify(&timestamp, &body, &signature) {
        console.print("the signature matches\n")?;
        return Ok(ExitStatus::Passed);
    }
    let mut text = format!(
        "the signature does not match\n  expected  {}\n  captured  {}\n",
        key.sign(&timestamp, &body).to_hex(),
        clean(&String::from_utf8_lossy(&signature))
    );
    match sender::signature(secret.expose(), &[], &timestamp, &body, &signature) {
        Some(cause) => {
            text.push_str(&format!(
                "  cause     {cause}: {}\n  mend      {}\n",
                cause.code.text(),
                cause.code.fix()
            ));
        }
        None => text.push_str(
            "  cause     unknown: no known way of signing gives it; is the secret the right one?\n",
        ),
    }
    console.print(&text)?;
    Ok(ExitStatus::Failed)
}

/// Takes a captured request apart.
fn request(captured: &[u8]) -> Result<(Headers, Vec<u8>), Error> {
    let mut slots = [httparse::EMPTY_HEADER; 200];
    let mut parsed = httparse::Request::new(&mut slots);
    let hint = "give the whole request, or the body with --timestamp and --signature";
    let head = match parsed.parse(captured) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => {
            return Err(Error::Usage(format!(
                "the captured request has no empty line behind its headers; {hint}"
            )));
        }
        Err(why) => return Err(Error::Usage(format!("the input is no HTTP request ({why}); {hint}"))),
    };
    let mut headers = Headers::default();
    for header in parsed.headers.iter() {
        headers.add(header.name, header.value.to_vec());
    }
    if headers.all("transfer-encoding").next().is_some() {
        return Err(Error::Usage(format!(
            "the captured body is in chunks, which are not what is signed; {hint}"
        )));
    }
    let length = headers
        .single("content-length")
        .and_then(|value| std::str::from_utf8(value).ok()?.trim().parse().ok());
    let body = &captured[head..];
    let end = length.map_or(body.len(), |length: usize| length.min(body.len()));
    Ok((headers, body[..end].to_vec()))
}
