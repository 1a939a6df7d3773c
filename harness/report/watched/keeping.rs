//! What `listen --out` keeps: `deliveries.jsonl` with a line per delivery, each request as a file for `verify`, and
//! `verdicts.jsonl` with the verdict on each.
//!
//! Invariant: nothing is overwritten, no secret is written, and no file ends with half a line, unless the process was killed while
//! it wrote. A delivery counts as stored once the system has its line and its file: they outlive the process, but may be lost if
//! the machine loses power.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

use serde::Serialize;

use super::DeliveryEntry;
use crate::error::Error;
use crate::redaction::Redaction;
use crate::report::evidence::Folder;
use crate::report::messages;
use crate::suite::traffic::listening::Store;
use crate::terminal;
use crate::wire::exchange::{Delivery, Exchange};

const DELIVERIES: &str = "deliveries.jsonl";
const VERDICTS: &str = "verdicts.jsonl";
/// How many bytes of lines are collected before they are written.
const TOGETHER: usize = 1024 * 1024;
/// How often a file is tried to be created if the process has too many open files, and the pause between.
const TRIES: usize = 50;
const PAUSE: Duration = Duration::from_millis(10);

/// How many deliveries are stored, and how many could not be.
#[derive(Debug, Default)]
pub struct KeptCounts {
    stored: AtomicU64,
    failed: AtomicU64,
}

impl KeptCounts {
    pub fn stored(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

/// Stores deliveries in a folder.
pub struct Keeping {
    folder: PathBuf,
    lines: Lines,
    redaction: Redaction,
    counts: Arc<KeptCounts>,
}

/// Keeps the verdicts on deliveries in the same folder.
pub struct Verdicts {
    lines: Lines,
    buffer: Vec<u8>,
    buffered: u64,
    lost: u64,
    failure: Option<String>,
}

#[derive(Serialize)]
struct DeliveryLine<'a> {
    #[serde(flatten)]
    exchange: &'a Exchange,
    /// Whether the secret was redacted from it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    redacted: bool,
}

#[derive(Serialize)]
struct VerdictLine<'a> {
    number: usize,
    #[serde(flatten)]
    judged: &'a DeliveryEntry,
}

/// Creates the folder, or uses an empty one, for deliveries and their verdicts. Errors: it cannot be created, or it is not empty.
pub fn claim(folder: &Path, redaction: Redaction) -> Result<(Keeping, Verdicts), Error> {
    Folder::claim(folder)?;
    let lines = |name| {
        let path = folder.join(name);
        Lines::create(&path).map_err(|why| Error::Usage(messages::not_written(&path, &why)))
    };
    let (deliveries, verdicts) = (lines(DELIVERIES)?, lines(VERDICTS)?);
    let counts = Arc::default();
    let keeping = Keeping { folder: folder.to_owned(), lines: deliveries, redaction, counts };
    Ok((keeping, Verdicts { lines: verdicts, buffer: Vec::new(), buffered: 0, lost: 0, failure: None }))
}

impl Keeping {
    pub fn counts(&self) -> Arc<KeptCounts> {
        self.counts.clone()
    }

    /// Writes a request's file and adds its line to those that are written next.
    fn prepare(&self, exchange: &Exchange, lines: &mut Vec<u8>) -> Result<(), String> {
        let (exchange, redacted) = self.redaction.exchange(exchange);
        let exchange = &exchange;
        let path = self.path(exchange);
        let written = create(&path).and_then(|mut file| file.write_all(&raw(&exchange.delivery)));
        let line = written.and_then(|()| {
            let line = serde_json::to_string(&DeliveryLine { exchange, redacted })?;
            lines.extend_from_slice(terminal::json(line + "\n").as_bytes());
            Ok(())
        });
        line.map_err(|why| self.failed(exchange, &path, &why))
    }

    /// Removes what was written of a delivery, and says why it is not stored.
    fn failed(&self, exchange: &Exchange, path: &Path, why: &io::Error) -> String {
        // An empty file may be left.
        let _ = fs::remove_file(self.path(exchange));
        messages::not_written(path, why)
    }

    fn path(&self, exchange: &Exchange) -> PathBuf {
        self.folder.join(format!("{}.http", exchange.id.0))
    }

    /// Writes lines together or, if that fails, one by one: those that fit are stored.
    fn write(&mut self, text: &[u8], prepared: &mut Vec<Prepared<'_>>, results: &mut [Result<(), String>]) {
        let together = self.lines.append(text).is_ok();
        let mut begin = 0;
        for Prepared { exchange, at, end } in prepared.drain(..) {
            if !together && let Err(why) = self.lines.append(&text[begin..end]) {
                results[at] = Err(self.failed(exchange, &self.folder.join(DELIVERIES), &why));
            }
            begin = end;
        }
    }
}

/// A delivery whose file is written, and where its line ends.
struct Prepared<'a> {
    exchange: &'a Exchange,
    at: usize,
    end: usize,
}

impl Store for Keeping {
    fn store(&mut self, group: &[&Exchange]) -> Vec<Result<(), String>> {
        let mut results = vec![Ok(()); group.len()];
        let (mut text, mut prepared) = (Vec::new(), Vec::new());
        for (at, exchange) in group.iter().enumerate() {
            match self.prepare(exchange, &mut text) {
                Ok(()) => prepared.push(Prepared { exchange, at, end: text.len() }),
                Err(why) => results[at] = Err(why),
            }
            if text.len() > TOGETHER {
                self.write(&text, &mut prepared, &mut results);
                text = Vec::new();
            }
        }
        self.write(&text, &mut prepared, &mut results);
        let stored = results.iter().filter(|result| result.is_ok()).count();
        self.counts.stored.fetch_add(stored as u64, Ordering::Relaxed);
        self.counts.failed.fetch_add((results.len() - stored) as u64, Ordering::Relaxed);
        results
    }
}

impl Verdicts {
    /// Keeps the verdict on a delivery.
    pub fn keep(&mut self, number: usize, judged: &DeliveryEntry) {
        // The suite's own data always serialises.
        let line = serde_json::to_string(&VerdictLine { number, judged }).unwrap_or_default();
        self.buffer.extend_from_slice(terminal::json(line + "\n").as_bytes());
        self.buffered += 1;
        if self.buffer.len() > TOGETHER {
            self.flush();
        }
    }

    /// Writes the verdicts to their file. If they cannot be written, it tries again with the next ones. If those are too many, they
    /// are lost: they are still printed, and can be judged again.
    pub fn flush(&mut self) {
        if let Err(why) = self.lines.append(&self.buffer) {
            self.failure.get_or_insert_with(|| messages::not_written(&self.lines.path, &why));
            if self.buffer.len() <= TOGETHER {
                return;
            }
            self.lost += self.buffered;
        }
        (self.buffer, self.buffered) = (Vec::new(), 0);
    }

    /// How many verdicts could not be written, and the first reason.
    pub fn lost(&self) -> Option<(u64, &str)> {
        let lost = self.lost + self.buffered;
        self.failure.as_deref().filter(|_| lost > 0).map(|why| (lost, why))
    }
}

/// A file of whole lines.
struct Lines {
    path: PathBuf,
    file: File,
    /// The length of the whole lines.
    length: u64,
    /// Whether half a line follows them, which could not be removed.
    is_torn: bool,
}

impl Lines {
    fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create_new(true).open(path)?;
        Ok(Self { path: path.to_owned(), file, length: 0, is_torn: false })
    }

    /// Writes whole lines. Errors: they cannot be written; then none of them stays.
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.is_torn {
            self.file.set_len(self.length)?;
            self.is_torn = false;
        }
        if let Err(why) = self.file.write_all(lines) {
            self.is_torn = self.file.set_len(self.length).is_err();
            return Err(why);
        }
        self.length += lines.len() as u64;
        Ok(())
    }
}

/// Creates a file. If the process has too many open files, it waits for connections to close.
fn create(path: &Path) -> io::Result<File> {
    let mut tries = 1;
    loop {
        match File::create_new(path) {
            Err(why) if tries < TRIES && is_out_of_files(&why) => tries += 1,
            created => return created,
        }
        sleep(PAUSE);
    }
}

/// Whether the process or the system has too many open files.
fn is_out_of_files(why: &io::Error) -> bool {
    // ENFILE and EMFILE, which have the same numbers on all Unix systems.
    cfg!(unix) && matches!(why.raw_os_error(), Some(23 | 24))
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
