//! `verify`: the signature of each captured request, and the cause of a mismatch.
//!
//! Invariant: the signature is checked over the captured bytes, whatever else explains a mismatch.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use jiff::Timestamp;

use super::captures::{self, Purpose};
use super::console::Console;
use super::headings::PAYLOAD;
use super::messages::{self, captures as said};
use super::mismatch;
use super::options::SecretOptions;
use super::sign::input;
use crate::capture::{Body, Captured, Captures};
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::redaction::Redaction;
use crate::suite::cause::capture;
use crate::terminal::{clean, text};
use crate::webhook::signature::{FRESH_MS, Key, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use crate::wire::exchange::Headers;

/// For how many mismatches of a file the cause is searched for.
const MOST_EXPLAINED: usize = 20;

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
    /// Judge only the request with this number, from 1, of a file with several
    #[arg(long, value_name = "N", conflicts_with = "timestamp", help_heading = PAYLOAD)]
    entry: Option<usize>,
    /// Judge the age too, at this time: `now`, milliseconds, or a date such as 2026-01-02T03:04:05Z
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = PAYLOAD)]
    at: Option<At>,
    /// Read the captured request from this file instead of stdin: raw HTTP, a curl command, HAR, or the JSON of a tool or a server
    file: Option<PathBuf>,
}

/// When the age is judged, in milliseconds since the epoch.
#[derive(Debug, Clone, Copy)]
struct At(i64);

/// What is verified.
struct Signed<'a> {
    timestamp: Bytes,
    signature: Bytes,
    body: Bytes,
    /// What was recorded of it, if it is from a capture.
    captured: Option<&'a Captured>,
}

/// What a request is verified with.
struct With<'a> {
    secret: &'a Secret,
    /// The file that the secret was read from.
    secret_file: Option<&'a Path>,
    at: Option<At>,
}

/// The verdict on one request, as it is printed.
struct Told {
    passes: bool,
    text: String,
}

fn time(text: &str) -> Result<At, String> {
    let wrong = || said::not_a_time(text);
    if text == "now" {
        return i64::try_from(Clock::system().now_ms()).map(At).map_err(|_| wrong());
    }
    let number = text.parse().ok();
    let date = || text.parse().ok().map(|date: Timestamp| date.as_millisecond());
    number.or_else(date).map(At).ok_or_else(wrong)
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let secret = &arguments.secret.require(console)?;
    let secret_file = arguments.secret.path();
    let with = With { secret, secret_file: secret_file.as_deref(), at: arguments.at };
    if let (Some(timestamp), Some(signature)) = (&arguments.timestamp, &arguments.signature) {
        let body = input(arguments.file.as_deref())?.into();
        let (timestamp, signature) = (timestamp.clone().into(), signature.clone().into());
        let told = tell(&Signed { timestamp, signature, body, captured: None }, &with, true);
        console.print(&told.text)?;
        return Ok(status(told.passes));
    }
    let Captures { form, requests, notes, .. } =
        captures::captures(arguments.file.as_deref(), arguments.entry, Purpose::Verify)?;
    console.note(&said::taken_for(form.describe()));
    let of_requests = requests.iter().flat_map(|request| &request.notes);
    let mut shown: Vec<&String> = notes.iter().chain(of_requests).collect();
    shown.dedup();
    for note in shown.into_iter().take(MOST_EXPLAINED) {
        console.note(&said::note(note));
    }
    if let [request] = &*requests {
        let request = restored(request, secret);
        let signed = signed(&request).map_err(Error::Usage)?;
        let told = tell(&signed, &with, true);
        console.print(&told.text)?;
        return Ok(status(told.passes));
    }
    several(&requests, &with, console)
}

fn status(passes: bool) -> ExitStatus {
    if passes { ExitStatus::Passed } else { ExitStatus::Failed }
}

/// A verdict on each request, and how many match.
fn several(requests: &[Captured], with: &With<'_>, console: &mut Console) -> Result<ExitStatus, Error> {
    let (mut passed, mut failed) = (0, 0);
    for request in requests {
        let request = restored(request, with.secret);
        let place = said::place(request.number, request.line);
        let text = match signed(&request) {
            Ok(signed) => {
                let told = tell(&signed, with, failed < MOST_EXPLAINED);
                passed += usize::from(told.passes);
                failed += usize::from(!told.passes);
                told.text
            }
            Err(why) => said::not_judged(&why),
        };
        console.print(&(place + &text))?;
    }
    console.print(&said::summary(passed, requests.len()))?;
    Ok(match failed {
        0 if passed < requests.len() => ExitStatus::Usage,
        _ => status(failed == 0),
    })
}

/// The request with the secret that was replaced where it was saved.
fn restored(request: &Captured, secret: &Secret) -> Captured {
    let mut request = request.clone();
    if let (true, Ok(body)) = (request.redacted, request.bytes()) {
        let delivery = Redaction::new([secret]).restored(&request.delivery(body.clone()));
        (request.headers, request.body) = (delivery.headers, Body::Bytes(delivery.body));
    }
    request
}

/// Errors: a header is missing or not the only one, or the body was not recorded.
fn signed(captured: &Captured) -> Result<Signed<'_>, String> {
    let timestamp = header(&captured.headers, TIMESTAMP_HEADER)?;
    let signature = header(&captured.headers, SIGNATURE_HEADER)?;
    let body = captured.bytes().map_err(|why| why + said::give_the_body())?.clone();
    Ok(Signed { timestamp, signature, body, captured: Some(captured) })
}

fn header(headers: &Headers, name: &str) -> Result<Bytes, String> {
    let count = headers.all(name).count();
    headers.single(name).cloned().ok_or_else(|| messages::not_one_header(name, count))
}

/// The verdict on one request. `explains` is whether the cause of a mismatch is searched for.
fn tell(signed: &Signed<'_>, with: &With<'_>, explains: bool) -> Told {
    let (age, is_fresh) = with.at.map_or((String::new(), true), |at| age(&signed.timestamp, at));
    if let Some(how) = signed.matches(&Key::new(with.secret)) {
        return Told { passes: is_fresh, text: messages::signature_matches().to_owned() + &how + &age };
    }
    if !explains {
        return Told { passes: false, text: said::differs_too().to_owned() };
    }
    let is_parsed = signed.captured.is_some_and(|one| matches!(one.body, Body::Parsed(_)));
    let otherwise = is_parsed.then(|| (said::parsed_cause().to_owned(), said::parsed_fix().to_owned()));
    let differs = mismatch::described(&signed.for_search(), with.secret, with.secret_file, otherwise);
    Told { passes: false, text: differs + &age }
}

impl Signed<'_> {
    /// How the signature matches, if it does: the body as it was recorded, or as its headers say that it was sent.
    fn matches(&self, key: &Key) -> Option<String> {
        let verify = |body: &[u8]| key.verify(&self.timestamp, body, &self.signature);
        let body = &*self.body;
        if verify(body) {
            return Some(String::new());
        }
        let captured = self.captured?;
        if captured.decoded().is_some_and(|decoded| verify(&decoded)) {
            return Some(said::matches_decoded().to_owned());
        }
        let (declared, after) = captured.at_declared_length(body);
        (!after.is_empty() && verify(declared)).then(|| said::matches_length(declared.len(), after.len()))
    }

    /// The same for the search for a cause: what is beyond the declared length may not belong to the body.
    fn for_search(&self) -> capture::Signed<'_> {
        let content_length = self.captured.and_then(Captured::content_length);
        let whole = (&*self.body, &b""[..]);
        let (body, after) = self.captured.map_or(whole, |captured| captured.at_declared_length(&self.body));
        capture::Signed {
            timestamp: &self.timestamp,
            signature: &self.signature,
            body,
            after,
            content_length,
        }
    }
}

/// What is said of the age at this time, and whether a receiver accepts it.
fn age(timestamp: &[u8], at: At) -> (String, bool) {
    let number = std::str::from_utf8(timestamp).ok().and_then(|text| text.parse::<i64>().ok());
    let Some(sent) = number else { return (said::has_no_age(&clean(&text(timestamp))), false) };
    let age = at.0.saturating_sub(sent);
    let time = time_in_words(age.unsigned_abs());
    let shown = if age < 0 { said::ahead(&time) } else { said::old(&time) };
    if age.unsigned_abs() <= FRESH_MS {
        return (said::is_fresh(&shown), true);
    }
    (said::is_stale(&shown, &time_in_words(FRESH_MS)), false)
}

/// A time in its two largest units.
fn time_in_words(ms: u64) -> String {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)];
    let first = units.iter().position(|(_, length)| ms >= *length).unwrap_or(units.len() - 1);
    let mut rest = ms;
    let mut words = Vec::new();
    for (name, length) in units.iter().skip(first).take(2) {
        if rest / length > 0 || words.is_empty() {
            words.push(format!("{} {name}", rest / length));
        }
        rest %= length;
    }
    words.join(" ")
}
