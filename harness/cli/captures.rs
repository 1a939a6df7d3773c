//! Reads captures for commands: a file or stdin, with the files that a command in it names.
//!
//! Invariant: bounded, whatever the file is.

use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;

use super::messages::captures as messages;
use crate::budget::{CAPTURES, HAR, INPUT};
use crate::capture::{
    self, Body, Captured, Captures, Form, HarEntry, NotTaken, Piece, Source, begins_like_har, read_har,
};
use crate::error::Error;
use crate::input::{self, Unread};
use crate::suite::cause::Cause;
use crate::suite::cause::capture::{Signed, evident};

/// What captures are read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Verify,
    Send,
}

/// The requests of a file, or of stdin for `None` and `-`: those with a header of Twenty, or the one with this number.
///
/// Errors: it cannot be read, is in no known form, has no such request, or names a file that cannot be read.
pub(super) fn captures(
    file: Option<&Path>,
    number: Option<usize>,
    purpose: Purpose,
) -> Result<Captures, Error> {
    let file = file.filter(|path| path.as_os_str() != "-");
    let name = file.map_or_else(|| "stdin".to_owned(), |path| path.display().to_string());
    let mut captures = match file {
        Some(path) => read(input::open(path), &name, (number, purpose)),
        None => read(Ok(io::stdin().lock()), &name, (number, purpose)),
    }?;
    let folder = file.and_then(Path::parent).unwrap_or_else(|| Path::new(""));
    for request in &mut captures.requests {
        if let Body::Files(pieces) = &request.body {
            let sent = sent(pieces, folder, captures.form)?;
            request.body = Body::Bytes(sent);
        }
    }
    Ok(captures)
}

fn read(
    opened: Result<impl Read, Unread>,
    name: &str,
    (number, purpose): (Option<usize>, Purpose),
) -> Result<Captures, Error> {
    let cannot = |why: &dyn std::fmt::Display| Error::Usage(super::messages::cannot_read(name, why));
    let reader = opened.map_err(|why| cannot(&why))?;
    let mut source = Source::new(reader, HAR).map_err(|why| cannot(&why))?;
    if begins_like_har(source.next()) {
        return of_har(source, name, (number, purpose));
    }
    let bytes = input::at_most(&mut source, INPUT).map_err(|why| match why {
        Unread::TooLong { .. } => Error::Usage(messages::too_long(name, &why)),
        other => cannot(&other),
    })?;
    let captures = capture::read(&bytes).map_err(|why| not_taken(name, &why, purpose))?;
    selected(captures, name, number)
}

/// Reads a HAR file of any usual length, of which only the wanted requests are kept.
fn of_har(
    source: Source<impl Read>,
    name: &str,
    (number, purpose): (Option<usize>, Purpose),
) -> Result<Captures, Error> {
    let mut requests: Vec<Captured> = Vec::new();
    let mut kept = 0;
    let mut take = |entry: HarEntry| {
        let request = entry.request;
        if number.map_or_else(|| request.is_signed(), |number| number == request.number) {
            kept += request.size();
            if kept > CAPTURES {
                return Err(messages::too_many(requests.len(), CAPTURES >> 20));
            }
            requests.push(request);
        }
        Ok(())
    };
    let count = read_har(source, &mut take)
        .map_err(|why| not_taken(name, &NotTaken { why, nearest: Some(Form::Har) }, purpose))?;
    if requests.is_empty() {
        return Err(Error::Usage(number.map_or_else(
            || messages::none_is_signed(name, count),
            |number| messages::no_such_request(name, number, count),
        )));
    }
    let mut notes = Vec::new();
    if number.is_none() && requests.len() < count {
        notes.push(messages::left_out(count - requests.len(), count));
    }
    Ok(Captures { form: Form::Har, requests, count, notes })
}

fn not_taken(name: &str, why: &NotTaken, purpose: Purpose) -> Error {
    let forms: Vec<&str> = Form::ALL.iter().map(|form| form.describe()).collect();
    Error::Usage(
        messages::not_taken(name, &why.why, why.nearest.map(Form::describe), &forms)
            + if purpose == Purpose::Verify { messages::or_the_body_alone() } else { "" },
    )
}

/// The requests that were asked for.
fn selected(mut captures: Captures, name: &str, number: Option<usize>) -> Result<Captures, Error> {
    let count = captures.requests.len();
    if let Some(number) = number {
        captures.requests.retain(|request| request.number == number);
        if captures.requests.is_empty() {
            return Err(Error::Usage(messages::no_such_request(name, number, count)));
        }
    } else if count > 1 {
        captures.requests.retain(Captured::is_signed);
        let left = captures.requests.len();
        if left == 0 {
            return Err(Error::Usage(messages::none_is_signed(name, count)));
        }
        if left < count {
            captures.notes.push(messages::left_out(count - left, count));
        }
    }
    Ok(captures)
}

/// What the capture itself shows to be wrong with its body.
pub(super) fn fault(request: &Captured, body: &Bytes) -> Option<Cause> {
    let content_length = request.content_length();
    let (body, after) = request.at_declared_length(body);
    evident(&Signed { timestamp: b"", signature: b"", body, after, content_length })
}

/// What a command sends, with its files. A relative name is looked for next to the capture.
fn sent(pieces: &[Piece], folder: &Path, form: Form) -> Result<Bytes, Error> {
    let mut parts = Vec::new();
    for piece in pieces {
        parts.push(match piece {
            Piece::Text(text) => text.to_vec(),
            Piece::File { name, binary } => {
                let path = folder.join(name);
                let read = input::file(&path, INPUT);
                let mut bytes = read.map_err(|why| {
                    let is_absent = !path.exists();
                    Error::Usage(messages::file_of_a_command(&path, form.describe(), why, is_absent))
                })?;
                if !binary {
                    bytes.retain(|byte| !matches!(byte, b'\r' | b'\n' | b'\0'));
                }
                bytes
            }
        });
    }
    Ok(parts.join(&b'&').into())
}
