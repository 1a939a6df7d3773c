//! An exchange as a line of JSON: what `listen --out` and a run's evidence keep, and what `sender --transcript` reads. A saved
//! case holds deliveries in the same form.
//!
//! Invariant: exact bytes. What is UTF-8 stands as text, what is not as base64, and both come back as they were.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::wire::exchange::{Delivery, Exchange, ExchangeId, Headers, Outcome, Response, Transfer};

/// A line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExchangeForm {
    /// Its number, from 1.
    #[serde(default)]
    pub number: usize,
    /// When the request had arrived, in milliseconds since the epoch.
    pub at_ms: u64,
    /// How long the answer took, in microseconds.
    #[serde(default)]
    pub took_us: u64,
    /// The request.
    pub delivery: DeliveryForm,
    /// What it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeForm>,
    /// Whether the secret stood in it, and was taken out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryForm {
    /// The request method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names and values in their order.
    pub headers: Vec<(String, Octets)>,
    /// The body.
    pub body: Octets,
    /// How it goes, or came, over the wire.
    #[serde(default)]
    pub transfer: TransferForm,
}

/// How a body goes over the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransferForm {
    /// With its length, all at once.
    #[default]
    Whole,
    /// In segments that begin at these places.
    Segments(Vec<usize>),
    /// In chunks of these lengths.
    Chunks(Vec<usize>),
    /// Behind `Expect: 100-continue`.
    Expecting,
    /// Broken off behind so many bytes.
    Broken(usize),
}

/// How an exchange ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeForm {
    /// With an answer.
    Answered {
        /// The status.
        status: u16,
        /// Names and values in their order.
        #[serde(default)]
        headers: Vec<(String, Octets)>,
        /// The body, as much as was kept.
        #[serde(default)]
        body: Octets,
    },
    /// Without one within the wait.
    TimedOut,
    /// Nobody listened.
    Refused,
    /// With a reset.
    Reset,
    /// With the end of the connection.
    ClosedEarly,
    /// With something that is no HTTP.
    Malformed(String),
    /// Without a TLS connection.
    Tls(String),
    /// Closed by whoever sent.
    Abandoned,
}

/// Bytes: a text, or `{"base64": …}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Spelled", into = "Spelled")]
pub struct Octets(pub Bytes);

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "bytes must be a text, or an object with the one member `base64`")]
enum Spelled {
    Text(String),
    Coded { base64: Base64 },
}

/// Base64 that was decoded.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Base64(Vec<u8>);

impl TryFrom<String> for Base64 {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        STANDARD.decode(text).map(Self).map_err(|why| format!("no base64: {why}"))
    }
}

impl From<Base64> for String {
    fn from(base64: Base64) -> Self {
        STANDARD.encode(base64.0)
    }
}

impl From<Spelled> for Octets {
    fn from(spelled: Spelled) -> Self {
        match spelled {
            Spelled::Text(text) => Self(text.into()),
            Spelled::Coded { base64 } => Self(base64.0.into()),
        }
    }
}

impl From<Octets> for Spelled {
    fn from(octets: Octets) -> Self {
        match std::str::from_utf8(&octets.0) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Coded { base64: Base64(octets.0.to_vec()) },
        }
    }
}

impl From<&Exchange> for ExchangeForm {
    fn from(exchange: &Exchange) -> Self {
        Self {
            number: exchange.id.0,
            at_ms: exchange.at_ms,
            took_us: u64::try_from(exchange.took.as_micros()).unwrap_or(u64::MAX),
            delivery: (&exchange.delivery).into(),
            outcome: Some((&exchange.outcome).into()),
            redacted: false,
        }
    }
}

impl From<&ExchangeForm> for Exchange {
    fn from(form: &ExchangeForm) -> Self {
        Self {
            id: ExchangeId(form.number),
            delivery: (&form.delivery).into(),
            // What nobody wrote down did not come.
            outcome: form.outcome.as_ref().map_or(Outcome::ClosedEarly, Outcome::from),
            at_ms: form.at_ms,
            took: Duration::from_micros(form.took_us),
        }
    }
}

impl From<&Delivery> for DeliveryForm {
    fn from(delivery: &Delivery) -> Self {
        Self {
            method: delivery.method.clone(),
            target: delivery.target.clone(),
            headers: spelled(&delivery.headers),
            body: Octets(delivery.body.clone()),
            transfer: match &delivery.transfer {
                Transfer::Whole => TransferForm::Whole,
                Transfer::Segments(starts) => TransferForm::Segments(starts.clone()),
                Transfer::Chunks(lengths) => TransferForm::Chunks(lengths.clone()),
                Transfer::Expecting => TransferForm::Expecting,
                Transfer::Broken(sent) => TransferForm::Broken(*sent),
            },
        }
    }
}

impl From<&DeliveryForm> for Delivery {
    fn from(form: &DeliveryForm) -> Self {
        Self {
            method: form.method.clone(),
            target: form.target.clone(),
            headers: headers(&form.headers),
            body: form.body.0.clone(),
            transfer: match &form.transfer {
                TransferForm::Whole => Transfer::Whole,
                TransferForm::Segments(starts) => Transfer::Segments(starts.clone()),
                TransferForm::Chunks(lengths) => Transfer::Chunks(lengths.clone()),
                TransferForm::Expecting => Transfer::Expecting,
                TransferForm::Broken(sent) => Transfer::Broken(*sent),
            },
        }
    }
}

impl From<&Outcome> for OutcomeForm {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Answered(Response { status, headers, body }) => {
                Self::Answered { status: *status, headers: spelled(headers), body: Octets(body.clone()) }
            }
            Outcome::TimedOut => Self::TimedOut,
            Outcome::Refused => Self::Refused,
            Outcome::Reset => Self::Reset,
            Outcome::ClosedEarly => Self::ClosedEarly,
            Outcome::Malformed(why) => Self::Malformed(why.clone()),
            Outcome::Tls(why) => Self::Tls(why.clone()),
            Outcome::Abandoned => Self::Abandoned,
        }
    }
}

impl From<&OutcomeForm> for Outcome {
    fn from(form: &OutcomeForm) -> Self {
        match form {
            OutcomeForm::Answered { status, headers: given, body } => {
                Self::Answered(Response { status: *status, headers: headers(given), body: body.0.clone() })
            }
            OutcomeForm::TimedOut => Self::TimedOut,
            OutcomeForm::Refused => Self::Refused,
            OutcomeForm::Reset => Self::Reset,
            OutcomeForm::ClosedEarly => Self::ClosedEarly,
            OutcomeForm::Malformed(why) => Self::Malformed(why.clone()),
            OutcomeForm::Tls(why) => Self::Tls(why.clone()),
            OutcomeForm::Abandoned => Self::Abandoned,
        }
    }
}

impl DeliveryForm {
    /// Whether it can be sent at all: a delivery that was edited by hand must not become two requests. Errors: what of it
    /// cannot be.
    pub fn check(&self) -> Result<(), String> {
        if !is_token(&self.method) {
            return Err(format!("{:?} is no request method", self.method));
        }
        if !self.target.starts_with('/') || !self.target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("the target {:?} is no path", self.target));
        }
        for (name, value) in &self.headers {
            if !is_token(name) {
                return Err(format!("{name:?} is no header name"));
            }
            if value.0.iter().any(|byte| [b'\r', b'\n', 0].contains(byte)) {
                return Err(format!("the value of {name} holds a line feed or a NUL"));
            }
        }
        Ok(())
    }
}

/// Whether it is a token of RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

fn spelled(headers: &Headers) -> Vec<(String, Octets)> {
    headers.0.iter().map(|(name, value)| (name.clone(), Octets(value.clone()))).collect()
}

fn headers(spelled: &[(String, Octets)]) -> Headers {
    Headers(spelled.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use bytes::Bytes;

    use super::Octets;

    #[test]
    fn bytes_come_back_as_they_were() {
        for bytes in [&b""[..], b"text", "日本\u{0}\n\"".as_bytes(), b"\xff\x00", b"{\"base64\":\"\"}"] {
            let octets = Octets(Bytes::copy_from_slice(bytes));
            let text = serde_json::to_string(&octets).unwrap();
            assert_eq!(serde_json::from_str::<Octets>(&text).unwrap(), octets, "{text}");
        }
        for text in ["7", "{}", r#"{"hex":"ff"}"#, r#"{"base64":"ÿ"}"#] {
            assert!(serde_json::from_str::<Octets>(text).is_err(), "{text}");
        }
    }
}
