//! What went over the wire: a delivery, its outcome, and when.
//!
//! Invariant: what a subject does is an [`Outcome`], never an `Err`.

mod form;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::webhook::signature::{Key, NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};

/// How many bytes of a body are kept: many times what any record of ours takes. A parsed body may be fifty times as large
/// as its text, so what is kept bounds what judging it costs.
pub const LONGEST_BODY: usize = 1024 * 1024;

/// One request that carries an event, as exact bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The request method, `POST` for a valid delivery.
    pub method: String,
    /// Path and query, as they stand in the request line.
    pub target: String,
    /// Names and values in the order and the spelling of the wire. `Host`, `Content-Length` and
    /// `Transfer-Encoding` belong to the connection and are added by the client.
    pub headers: Headers,
    /// The body, after any transfer coding was taken off.
    #[serde(with = "form::octets")]
    pub body: Bytes,
    /// How the body goes, or came, over the wire.
    #[serde(default)]
    pub transfer: Transfer,
}

/// How a body goes over the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transfer {
    /// With its length, all at once.
    #[default]
    Whole,
    /// With its length, in segments that begin at these places of the body.
    Segments(Vec<usize>),
    /// In chunks of these lengths, without its length.
    Chunks(Vec<usize>),
    /// With its length, after a head that has `Expect: 100-continue`: once the peer says so, or has said nothing for a
    /// second, and not at all where it gives its final answer before.
    Expecting,
    /// With its length, of which only so many bytes are sent: the connection is closed then, without waiting for an
    /// answer.
    Broken(usize),
}

/// Whose certificates an `https` peer may show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Trust {
    #[default]
    System,
    /// Those in this PEM file, and those that they have signed.
    File(PathBuf),
    /// Anybody's: the certificate is not looked at.
    Anybody,
}

/// What came back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    pub status: u16,
    /// Names and values as they came.
    #[serde(default)]
    pub headers: Headers,
    /// The first 32 KiB of the body.
    #[serde(default, with = "form::octets")]
    pub body: Bytes,
}

/// Headers in the order of the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, Bytes)>);

/// How an exchange ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A whole response head came.
    Answered(Response),
    /// Nothing, or not the whole of the head, came within the wait.
    TimedOut,
    Refused,
    Reset,
    ClosedEarly,
    /// What came was no HTTP: the parser's words.
    Malformed(String),
    /// The peer's certificate or the TLS handshake failed: why, and the usual fix where there is one.
    Tls(String),
    /// The client closed the connection before an answer came, as [`Transfer::Broken`] means it to.
    Abandoned,
}

/// The number of an exchange in its transcript, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExchangeId(pub usize);

/// A delivery and its outcome. In a file it is a line of JSON: what `listen --out` and a run's evidence keep, and what
/// `sender --transcript` reads.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exchange {
    #[serde(rename = "number", default)]
    pub id: ExchangeId,
    /// When the request was begun (receiver role) or had arrived (sender role), in milliseconds since the epoch.
    pub at_ms: u64,
    /// From the first byte sent to the head of the answer.
    #[serde(rename = "took_us", default, with = "form::microseconds")]
    pub took: Duration,
    pub delivery: Delivery,
    #[serde(default = "form::not_recorded")]
    pub outcome: Outcome,
}

impl Delivery {
    /// A delivery whose body goes all at once.
    pub(crate) fn new(method: &str, target: impl Into<String>, headers: Headers, body: Bytes) -> Self {
        Self { method: method.to_owned(), target: target.into(), headers, body, transfer: Transfer::Whole }
    }
}

impl Headers {
    /// The headers of a delivery that is sent at `now_ms`: without a key no signature, timestamp or nonce.
    pub fn of_delivery(key: Option<&Key>, now_ms: u64, nonce: Option<String>, body: &[u8]) -> Self {
        let mut headers = Self::default();
        headers.add("Content-Type", "application/json");
        if let Some(key) = key {
            let timestamp = now_ms.to_string();
            headers.add(SIGNATURE_HEADER, key.sign(timestamp.as_bytes(), body).to_hex());
            headers.add(TIMESTAMP_HEADER, timestamp);
            if let Some(nonce) = nonce {
                headers.add(NONCE_HEADER, nonce);
            }
        }
        headers
    }

    /// Adds a header after the others.
    pub fn add(&mut self, name: impl Into<String>, value: impl Into<Bytes>) {
        self.0.push((name.into(), value.into()));
    }

    /// Takes away every header of that name, in any case.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    }

    /// Puts one header in the place of all of that name.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Bytes>) {
        let name = name.into();
        self.remove(&name);
        self.add(name, value);
    }

    /// Every value under that name, in any case.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Bytes> {
        self.0.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The value under that name, where it stands exactly once.
    pub fn single(&self, name: &str) -> Option<&Bytes> {
        let mut values = self.0.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let first = values.next().map(|(_, value)| value);
        first.filter(|_| values.next().is_none())
    }
}

impl Response {
    /// An answer with a plain text body.
    pub fn text(status: u16, body: impl Into<Bytes>) -> Self {
        let mut headers = Headers::default();
        headers.add("Content-Type", "text/plain; charset=utf-8");
        Self { status, headers, body: body.into() }
    }
}

impl Outcome {
    /// Whether this acknowledges a delivery: an answer with a status from 200 to 299 (documentation, "2xx").
    pub(crate) fn acknowledges(&self) -> bool {
        self.status().is_some_and(|status| (200..300).contains(&status))
    }

    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answered(response) => Some(response.status),
            _ => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(response) => write!(f, "{}", response.status),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Refused => f.write_str("connection refused"),
            Self::Reset => f.write_str("connection reset"),
            Self::ClosedEarly => f.write_str("connection closed without an answer"),
            Self::Malformed(why) => write!(f, "no HTTP answer ({why})"),
            Self::Tls(why) => write!(f, "no TLS connection: {why}"),
            Self::Abandoned => f.write_str("closed by the client, as meant"),
        }
    }
}

impl fmt::Display for ExchangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}
