//! `sign`: the signature headers of a body.
//!
//! Invariant: the body is signed as the bytes that were read, a line feed at their end included.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::Args;

use super::console::Console;
use super::options::SecretOptions;
use crate::api::sign;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::webhook::signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

/// Options of `sign`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    secret: SecretOptions,
    /// The timestamp header's value [default: the present in milliseconds]
    #[arg(long)]
    timestamp: Option<String>,
    /// The body; stdin where no file is given
    file: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let secret = arguments.secret.require()?;
    let body = input(arguments.file.as_deref())?;
    let timestamp = arguments.timestamp.clone().unwrap_or_else(|| Clock::system().now_ms().to_string());
    let signature = sign(secret.expose(), &timestamp, &body);
    console.print(&format!("{TIMESTAMP_HEADER}: {timestamp}\n{SIGNATURE_HEADER}: {signature}\n"))?;
    Ok(ExitStatus::Passed)
}

/// The longest input that is read, in bytes.
const LONGEST_INPUT: u64 = 64 * 1024 * 1024;

/// Reads a file, or stdin for none or `-`.
pub(super) fn input(file: Option<&Path>) -> Result<Vec<u8>, Error> {
    let (name, reader): (_, Box<dyn Read>) = match file.filter(|path| path.as_os_str() != "-") {
        None => ("stdin".to_owned(), Box::new(io::stdin())),
        Some(path) => {
            let failed = |why| Error::Usage(format!("{} cannot be read: {why}", path.display()));
            (path.display().to_string(), Box::new(fs::File::open(path).map_err(failed)?))
        }
    };
    let mut bytes = Vec::new();
    let read = reader.take(LONGEST_INPUT + 1).read_to_end(&mut bytes);
    read.map_err(|why| Error::Usage(format!("{name} cannot be read: {why}")))?;
    if bytes.len() as u64 > LONGEST_INPUT {
        return Err(Error::Usage(format!("{name} has more than {LONGEST_INPUT} bytes")));
    }
    Ok(bytes)
}
