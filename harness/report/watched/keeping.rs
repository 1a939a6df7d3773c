//! What `listen --out` keeps: a line per delivery, and each request as a file for `verify`.
//!
//! Nothing is overwritten, and no secret is written.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::DeliveryEntry;
use crate::error::Error;
use crate::redaction::Redaction;
use crate::report::evidence::Folder;
use crate::report::messages;
use crate::wire::exchange::{Delivery, Exchange};

const LINES: &str = "deliveries.jsonl";

/// A folder that deliveries are kept in.
pub struct Keeping {
    folder: PathBuf,
    lines: BufWriter<File>,
    stored: u64,
}

#[derive(Serialize)]
struct DeliveryLine<'a> {
    #[serde(flatten)]
    exchange: &'a Exchange,
    /// Whether the secret was redacted from it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    redacted: bool,
    #[serde(flatten)]
    judged: &'a DeliveryEntry,
}

impl Keeping {
    /// Creates the folder, or uses an empty one. Errors: it cannot be created, or it is not empty.
    pub fn claim(folder: &Path) -> Result<Self, Error> {
        Folder::claim(folder)?;
        let path = folder.join(LINES);
        let lines =
            File::create_new(&path).map_err(|why| Error::Usage(messages::not_written(&path, &why)))?;
        Ok(Self { folder: folder.to_owned(), lines: BufWriter::new(lines), stored: 0 })
    }

    pub fn stored(&self) -> u64 {
        self.stored
    }

    /// Keeps a delivery. Errors: it cannot be written.
    pub fn keep(
        &mut self,
        exchange: &Exchange,
        judged: &DeliveryEntry,
        redaction: &Redaction,
    ) -> Result<(), Error> {
        let (exchange, redacted) = redaction.exchange(exchange);
        let path = self.folder.join(format!("{}.http", exchange.id.0));
        let written = File::create_new(&path).and_then(|mut file| file.write_all(&raw(&exchange.delivery)));
        written.map_err(|source| Error::Report { path, source })?;
        let line = DeliveryLine { exchange: &exchange, redacted, judged };
        let line = serde_json::to_writer(&mut self.lines, &line);
        let line = line.map_err(io::Error::from).and_then(|()| self.lines.write_all(b"\n"));
        line.map_err(|source| self.failed(source))?;
        self.stored += 1;
        Ok(())
    }

    /// Flushes the lines to their file. Errors: it cannot be written.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.lines.flush().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Report { path: self.folder.join(LINES), source }
    }
}

/// The request as bytes. The body is stored decoded, so a chunked one gets a `Content-Length` header instead.
fn raw(delivery: &Delivery) -> Vec<u8> {
    let mut raw = format!("{} {} HTTP/1.1\r\n", delivery.method, delivery.target).into_bytes();
    for (name, value) in &delivery.headers.0 {
        if name.eq_ignore_ascii_case("transfer-encoding") {
            raw.extend_from_slice(format!("Content-Length: {}\r\n", delivery.body.len()).as_bytes());
        } else {
            for part in [name.as_bytes(), b": ", value, b"\r\n"] {
                raw.extend_from_slice(part);
            }
        }
    }
    raw.extend_from_slice(b"\r\n");
    raw.extend_from_slice(&delivery.body);
    raw
}
