//! What went over the wire: a delivery, its outcome, and the time.
//!
//! Invariant: what a subject does is an [`Outcome`], never an `Err`.

mod form;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::budget::PARSED_VALUES;
use crate::webhook::dialect::{self, Dialect, Header, Members};
use crate::webhook::json::has_at_most;
use crate::webhook::signature::{Key, NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::wire::messages;

/// How many bytes of a body are kept: far more than any record of the suite needs. A parsed body can take fifty times the
/// memory of its text, so this bounds the cost of judging it.
pub const LONGEST_BODY: usize = 1024 * 1024;

/// How the names of Twenty's headers begin.
const OWN_HEADERS: &str = "X-Twenty-";

/// One request that carries an event, as exact bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The request method, `POST` for a valid delivery.
    pub method: String,
    /// Path and query, exactly as in the request line.
    pub target: String,
    /// Names and values in the order and case of the wire. `Host`, `Content-Length` and `Transfer-Encoding` belong to the
    /// connection; the client adds them.
    pub headers: Headers,
    /// The body without any transfer coding.
    #[serde(with = "form::octets")]
    pub body: Bytes,
    /// How the body is or was transferred.
    #[serde(default)]
    pub transfer: Transfer,
}

/// How a body is transferred.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transfer {
    /// With its length, all at once.
    #[default]
    Whole,
    /// With its length, in segments that begin at these offsets.
    Segments(#[serde(deserialize_with = "form::pieces::deserialize")] Vec<usize>),
    /// In chunks of these lengths, without its length.
    Chunks(#[serde(deserialize_with = "form::pieces::deserialize")] Vec<usize>),
    /// With its length and `Expect: 100-continue`. The body follows once the peer asks for it, or after a second without an
    /// answer. A final answer before that means that the body is not sent.
    Expecting,
    /// With its length, but only the first N bytes are sent. Then the connection is closed without waiting for an answer.
    Broken(usize),
    /// Cut off in another way.
    Aborted(Abort),
}

/// How a request is cut off, other than by closing the connection inside a body with its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Abort {
    /// The connection is closed inside the headers.
    InHead,
    /// The connection is closed inside the first chunk of the body.
    InChunk,
    /// The connection is reset after the first N bytes of a body with its length.
    Reset(usize),
}

/// Which certificates are trusted of an `https` peer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    #[default]
    System,
    /// The certificates in this PEM file, and those that they have signed.
    File(PathBuf),
    /// Any certificate: it is not checked.
    Any,
}

/// The answer to a delivery.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    pub status: u16,
    /// Names and values as received.
    #[serde(default)]
    pub headers: Headers,
    /// The first 32 KiB of the body.
    #[serde(default, with = "form::octets")]
    pub body: Bytes,
    /// How many bytes of its headers and its body were received but not kept.
    #[serde(default, skip_serializing_if = "form::is_zero")]
    pub cut: u64,
}

/// Headers in the order of the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, Bytes)>);

/// How an exchange ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A complete response head arrived.
    Answered(Response),
    /// No complete response head arrived in time.
    TimedOut,
    Refused,
    Reset,
    ClosedEarly,
    /// The answer was not valid HTTP, or the connection failed in a way without a variant of its own. The text says which.
    Malformed(String),
    /// The certificate or the TLS handshake failed: why, and the usual fix if there is one.
    Tls(String),
    /// The client closed the connection before an answer, as [`Transfer::Broken`] and [`Transfer::Aborted`] ask for.
    Abandoned,
}

/// The number of an exchange in its transcript, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExchangeId(pub usize);

/// A delivery and its outcome. In a file it is one line of JSON, written by `listen --out` and as evidence of a run, and read
/// by `sender --transcript`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    #[serde(rename = "number", default)]
    pub id: ExchangeId,
    /// When the request began (receiver role) or was complete (sender role), in milliseconds since the epoch.
    pub at_ms: u64,
    /// From the first byte sent to the head of the answer.
    #[serde(rename = "took_us", default, with = "form::microseconds")]
    pub took: Duration,
    pub delivery: Delivery,
    #[serde(default = "form::not_recorded")]
    pub outcome: Outcome,
}

impl Delivery {
    /// Whether it is no delivery (contract, section 3): neither a POST, nor with a header of Twenty, nor with a body that names an
    /// event. Probes and browsers send such requests.
    pub fn is_stray(&self) -> bool {
        let is_own = |(name, _): &(String, Bytes)| {
            name.get(..OWN_HEADERS.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(OWN_HEADERS))
        };
        self.method != "POST" && !self.headers.0.iter().any(is_own) && !self.names_event()
    }

    fn names_event(&self) -> bool {
        if self.body.is_empty() || !has_at_most(&self.body, PARSED_VALUES) {
            return !self.body.is_empty();
        }
        Members::parse(&self.body)
            .is_ok_and(|members| dialect::ALL.iter().any(|one| members.text(one.event_member).is_some()))
    }

    /// A delivery whose body is sent all at once.
    pub(crate) fn new(method: &str, target: impl Into<String>, headers: Headers, body: Bytes) -> Self {
        Self { method: method.to_owned(), target: target.into(), headers, body, transfer: Transfer::Whole }
    }
}

impl Headers {
    /// The headers of a delivery sent at `now_ms`. Without a key there is no signature, timestamp or nonce.
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

    /// The headers of a delivery in this dialect, in its order. Without a key there is no signature, timestamp or nonce.
    pub fn in_dialect(
        dialect: &Dialect,
        key: Option<&Key>,
        now_ms: u64,
        nonce: Option<String>,
        body: &[u8],
    ) -> Self {
        let signed = Self::of_delivery(key, now_ms, nonce, body);
        let mut headers = Self::default();
        for header in dialect.headers {
            match header {
                Header::Fixed(name, value) => headers.add(*name, *value),
                Header::Signed(name) => {
                    if let Some(value) = signed.single(name).cloned() {
                        headers.add(*name, value);
                    }
                }
            }
        }
        headers
    }

    /// Adds a header after the others.
    pub fn add(&mut self, name: impl Into<String>, value: impl Into<Bytes>) {
        self.0.push((name.into(), value.into()));
    }

    /// Removes every header of this name, in any case.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    }

    /// Replaces all headers of this name with one.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Bytes>) {
        let name = name.into();
        self.remove(&name);
        self.add(name, value);
    }

    /// Every value of this header, whatever the case of its name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Bytes> {
        self.0.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The value of this header, if it occurs exactly once.
    pub fn single(&self, name: &str) -> Option<&Bytes> {
        let mut values = self.0.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let first = values.next().map(|(_, value)| value);
        first.filter(|_| values.next().is_none())
    }
}

impl Response {
    /// Whether a rate limit answered: the request is to be sent again later.
    pub fn limits_rate(&self) -> bool {
        self.status == 429 || self.status == 503 && self.headers.all("retry-after").next().is_some()
    }

    /// How long it asks to wait before another request; `None` if it names no number of seconds.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let named = std::str::from_utf8(self.headers.single("retry-after")?).ok()?;
        named.trim().parse().ok().map(Duration::from_secs)
    }

    /// An answer with a plain text body.
    pub fn text(status: u16, body: impl Into<Bytes>) -> Self {
        let mut headers = Headers::default();
        headers.add("Content-Type", "text/plain; charset=utf-8");
        Self { status, headers, body: body.into(), cut: 0 }
    }
}

/// Whether an answer with this status acknowledges a delivery: from 200 to 299 (documentation, "2xx").
pub(crate) fn acknowledges(status: u16) -> bool {
    (200..300).contains(&status)
}

impl Outcome {
    /// Whether this acknowledges a delivery.
    pub(crate) fn acknowledges(&self) -> bool {
        self.status().is_some_and(acknowledges)
    }

    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answered(response) => Some(response.status),
            _ => None,
        }
    }

    /// The answer, if a rate limit gave it.
    pub fn rate_limit(&self) -> Option<&Response> {
        match self {
            Self::Answered(answer) if answer.limits_rate() => Some(answer),
            _ => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(response) => write!(f, "{}", response.status),
            Self::TimedOut => f.write_str(messages::timed_out()),
            Self::Refused => f.write_str(messages::connection_refused()),
            Self::Reset => f.write_str(messages::connection_reset()),
            Self::ClosedEarly => f.write_str(messages::closed_early()),
            Self::Malformed(why) => f.write_str(why),
            Self::Tls(why) => f.write_str(&messages::tls_error(why)),
            Self::Abandoned => f.write_str(messages::abandoned()),
        }
    }
}

impl fmt::Display for ExchangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}
