//! What people recorded, as requests: raw HTTP, commands, HAR, and the JSON of tools and servers.
//!
//! [`read`] takes bytes and says which [`Form`] they are in. A body that was not recorded as bytes is told apart from one that was.
//!
//! Invariant: no I/O, and no panic whatever the bytes are. A file that a command names is left to who calls ([`Body::Files`]).

mod cmd;
mod curl;
mod encoding;
mod fetch;
mod har;
mod headers;
mod http;
mod json;
mod messages;
mod nearest;
mod powershell;
mod shell;
mod source;
mod verbose;

use bytes::Bytes;

use crate::budget::CAPTURES;
use crate::wire::coding;
use crate::wire::exchange::{Delivery, Headers};

pub use har::{Entry as HarEntry, Take as TakeEntry, begins as begins_like_har, read as read_har};
pub use source::Source;

described! {
    /// The form that something was recorded in.
    pub enum Form {
        RawHttp: "raw HTTP",
        Curl: "a curl command (bash)",
        CurlCmd: "a curl command (cmd)",
        CurlPowerShell: "a curl command (PowerShell)",
        PowerShell: "Invoke-WebRequest of PowerShell",
        Fetch: "fetch of JavaScript",
        CurlVerbose: "what curl -v or --trace prints",
        Har: "HAR",
        HarEntry: "an entry of HAR",
        Ngrok: "the JSON of ngrok",
        WebhookSite: "the JSON of webhook.site",
        Postman: "the JSON of Postman",
        Insomnia: "the JSON of Insomnia",
        RequestBin: "the JSON of RequestBin or Pipedream",
        Lambda: "an AWS Lambda event",
        Deliveries: "lines of deliveries.jsonl",
        Log: "JSON with headers and a body",
    }
}

/// What a file has, in the order of the file.
#[derive(Debug, Clone)]
pub struct Captures {
    pub form: Form,
    /// At least one.
    pub requests: Vec<Captured>,
    /// How many requests the file has. Not all of them may have been asked for.
    pub count: usize,
    /// What was changed or left out to read the file.
    pub notes: Vec<String>,
}

/// One recorded request.
#[derive(Debug, Clone)]
pub struct Captured {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The whole URL, if it was recorded.
    pub url: Option<String>,
    pub headers: Headers,
    pub body: Body,
    /// Its place among the requests of the file, from 1.
    pub number: usize,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// Whether the suite replaced the secret in it.
    pub redacted: bool,
    /// What was changed to read it.
    pub notes: Vec<String>,
}

/// What was recorded of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Its bytes, without a transfer coding.
    Bytes(Bytes),
    /// A parsed value, written again as `JSON.stringify` does.
    Parsed(Bytes),
    /// What a command sends, joined with `&`.
    Files(Vec<Piece>),
    /// Nothing: why.
    NotRecorded(String),
}

/// A part of what a command sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Text(Bytes),
    /// The content of this file. Without `binary`, line ends are removed from it.
    File {
        name: String,
        binary: bool,
    },
}

/// Why bytes are no capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTaken {
    /// What is wrong, with its line.
    pub why: String,
    /// The form that it is most like.
    pub nearest: Option<Form>,
}

/// What is wrong at a line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    line: usize,
    why: String,
}

/// Reads requests in any known form.
///
/// Errors: there is no request in it, or it is in another form. The nearest form is named.
pub fn read(given: &[u8]) -> Result<Captures, NotTaken> {
    let mut notes = Vec::new();
    let decoded = encoding::decode(given, &mut notes);
    let bytes = &*decoded;
    if bytes.trim_ascii().is_empty() {
        return Err(NotTaken { why: messages::empty().to_owned(), nearest: None });
    }
    let form = nearest::begins_like(bytes);
    let read = match form {
        Form::Curl => shell::bash(bytes).and_then(curl::requests),
        Form::CurlCmd => cmd::commands(bytes).and_then(curl::requests),
        Form::CurlPowerShell | Form::PowerShell => powershell::requests(bytes),
        Form::Fetch => fetch::requests(bytes),
        Form::CurlVerbose => verbose::requests(bytes),
        Form::RawHttp => http::requests(bytes),
        _ => {
            let read = json::read(bytes, notes.clone());
            return read.or_else(|why| json::read_log(bytes, &notes).ok_or(why));
        }
    };
    match read {
        Ok(requests) if requests.is_empty() => Err(nearest::not_taken(bytes, form, None)),
        Ok(mut requests) => {
            number(&mut requests);
            Ok(Captures { form, count: requests.len(), requests, notes })
        }
        Err(fault) => {
            let of_log = if form == Form::RawHttp { json::read_log(bytes, &notes) } else { None };
            of_log.ok_or_else(|| nearest::not_taken(bytes, form, Some(&fault)))
        }
    }
}

/// Requests that were read, up to a limit.
#[derive(Default)]
struct Requests {
    all: Vec<Captured>,
    /// About how many bytes they take.
    size: usize,
}

impl Requests {
    /// Errors: they take too much memory.
    fn add(&mut self, request: Captured) -> Result<(), Fault> {
        self.size += request.size();
        if self.size > CAPTURES {
            return Err(Fault::at(request.line, messages::too_many(self.all.len(), CAPTURES >> 20)));
        }
        self.all.push(request);
        Ok(())
    }
}

fn number(requests: &mut [Captured]) {
    for (at, request) in requests.iter_mut().enumerate() {
        request.number = at + 1;
    }
}

impl Captured {
    /// Where it was sent is a URL, or a path with its query.
    fn new(method: impl Into<String>, place: impl Into<String>, headers: Headers, body: Body) -> Self {
        let (method, place) = (method.into(), place.into());
        let (target, url) = match url::Url::parse(&place) {
            Ok(url) => (target(&url), Some(place)),
            Err(_) => (place, None),
        };
        Self { method, target, url, headers, body, number: 1, line: 1, redacted: false, notes: Vec::new() }
    }

    fn at(mut self, line: usize) -> Self {
        self.line = line;
        self
    }

    /// Whether it has a header of Twenty's webhooks.
    pub fn is_signed(&self) -> bool {
        let begin = "x-twenty-webhook-";
        let names = self.headers.0.iter().map(|(name, _)| name);
        names
            .into_iter()
            .any(|name| name.get(..begin.len()).is_some_and(|own| own.eq_ignore_ascii_case(begin)))
    }

    /// The length that its header names, if it has one such header with a number.
    pub fn content_length(&self) -> Option<u64> {
        std::str::from_utf8(self.headers.single("content-length")?).ok()?.trim().parse().ok()
    }

    /// The body up to its declared length, and what follows that may not belong to it.
    pub fn at_declared_length<'a>(&self, body: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let length = self.content_length().and_then(|length| usize::try_from(length).ok());
        body.split_at(length.unwrap_or(usize::MAX).min(body.len()))
    }

    /// About how many bytes it takes.
    pub fn size(&self) -> usize {
        let headers = self.headers.0.iter().map(|(name, value)| name.len() + value.len() + 96);
        let body = self.bytes().map_or(0, Bytes::len);
        // Two allocations, and what a list has in reserve.
        2 * size_of::<Self>() + self.method.len() + self.target.len() + headers.sum::<usize>() + body
    }

    /// Its bytes as far as they are known, or why they are not.
    pub fn bytes(&self) -> Result<&Bytes, String> {
        match &self.body {
            Body::Bytes(bytes) | Body::Parsed(bytes) => Ok(bytes),
            Body::Files(_) => Err(messages::body_in_a_file().to_owned()),
            Body::NotRecorded(why) => Err(why.clone()),
        }
    }

    /// The body before its content coding, if it has one that can be undone.
    pub fn decoded(&self) -> Option<Bytes> {
        let body = self.bytes().ok()?;
        coding::decoded(&self.delivery(body.clone())).map(Bytes::from)
    }

    /// The request with this body.
    pub fn delivery(&self, body: Bytes) -> Delivery {
        Delivery::new(&self.method, self.target.clone(), self.headers.clone(), body)
    }
}

impl Fault {
    fn at(line: usize, why: impl Into<String>) -> Self {
        Self { line, why: why.into() }
    }
}

/// Finds the lines of positions that mostly grow, without counting from the beginning each time.
#[derive(Debug, Clone, Copy)]
struct Ruler {
    at: usize,
    line: usize,
}

impl Ruler {
    fn new() -> Self {
        Self { at: 0, line: 1 }
    }

    /// The line, from 1, on which this byte of the text is.
    fn line(&mut self, text: &[u8], at: usize) -> usize {
        let at = at.min(text.len());
        if at < self.at {
            *self = Self::new();
        }
        self.line += memchr::memchr_iter(b'\n', &text[self.at..at]).count();
        self.at = at;
        self.line
    }
}

/// The line, from 1, on which a byte of a text is. For errors, which end the reading of a text.
fn line_of(text: &[u8], at: usize) -> usize {
    Ruler::new().line(text, at)
}

/// Path and query of a URL.
fn target(url: &url::Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}
