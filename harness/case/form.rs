//! Deliveries and outcomes as JSON: what stands in a saved case, and in each line of a run's exchanges.
//!
//! Invariant: exact bytes. What is UTF-8 stands as text, what is not as base64, and both come back as the bytes that they were.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::exchange::{Delivery, Exchange, Headers, Outcome, Response, Transfer};

/// Bytes: a text, or `{"base64": …}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Octets(pub Bytes);

/// A delivery.
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
    /// How it goes over the wire.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeForm {
    /// With an answer.
    Answered {
        /// The status.
        status: u16,
        /// Names and values in their order.
        headers: Vec<(String, Octets)>,
        /// The beginning of the body, as much as is kept.
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
    /// By the client, as it was meant to.
    Abandoned,
}

/// An exchange, as a line of `exchanges.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExchangeForm {
    /// The number by which reports name it.
    pub number: usize,
    /// When it was begun, or had arrived, in milliseconds since the epoch.
    pub at_ms: u64,
    /// How long the answer took, in microseconds.
    pub took_us: u64,
    /// What was sent.
    pub delivery: DeliveryForm,
    /// What came of it.
    pub outcome: OutcomeForm,
}

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Coded {
            base64: String,
        }
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Coded { base64: STANDARD.encode(&self.0) }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Octets;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or an object with the member `base64`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Octets, E> {
                Ok(Octets(Bytes::copy_from_slice(text.as_bytes())))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Octets, E> {
                Ok(Octets(text.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Octets, A::Error> {
                let Some((name, coded)) = map.next_entry::<String, String>()? else {
                    return Err(de::Error::missing_field("base64"));
                };
                if name != "base64" || map.next_key::<String>()?.is_some() {
                    return Err(de::Error::custom("bytes have the one member `base64`"));
                }
                let bytes = STANDARD.decode(coded);
                Ok(Octets(bytes.map_err(|why| de::Error::custom(format!("no base64: {why}")))?.into()))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl From<&Delivery> for DeliveryForm {
    fn from(delivery: &Delivery) -> Self {
        Self {
            method: delivery.method.clone(),
            target: delivery.target.clone(),
            headers: headers(&delivery.headers),
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
            headers: Headers(
                form.headers.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect(),
            ),
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
            Outcome::Answered(Response { status, headers: fields, body }) => {
                Self::Answered { status: *status, headers: headers(fields), body: Octets(body.clone()) }
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

impl From<&Exchange> for ExchangeForm {
    fn from(exchange: &Exchange) -> Self {
        Self {
            number: exchange.id.0,
            at_ms: exchange.at_ms,
            took_us: u64::try_from(exchange.took.as_micros()).unwrap_or(u64::MAX),
            delivery: (&exchange.delivery).into(),
            outcome: (&exchange.outcome).into(),
        }
    }
}

impl DeliveryForm {
    /// Whether it can be sent at all: a delivery that was edited by hand must not become two requests. Errors: what of it
    /// cannot be.
    pub(super) fn check(&self) -> Result<(), String> {
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

fn headers(headers: &Headers) -> Vec<(String, Octets)> {
    headers.0.iter().map(|(name, value)| (name.clone(), Octets(value.clone()))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_as_they_were() {
        for bytes in [&b""[..], b"text", "日本\u{0}\n\"".as_bytes(), b"\xff\x00", b"{\"base64\":\"\"}"] {
            let octets = Octets(Bytes::copy_from_slice(bytes));
            let text = serde_json::to_string(&octets).unwrap();
            assert_eq!(serde_json::from_str::<Octets>(&text).unwrap(), octets, "{text}");
        }
        assert_eq!(
            serde_json::to_string(&Octets(Bytes::from_static(b"\xff"))).unwrap(),
            r#"{"base64":"/w=="}"#
        );
    }

    #[test]
    fn what_are_no_bytes_is_refused() {
        for (text, words) in [
            ("7", "a text, or an object"),
            ("{}", "base64"),
            (r#"{"hex":"ff"}"#, "base64"),
            (r#"{"base64":"ÿ"}"#, "no base64"),
            (r#"{"base64":"","more":""}"#, "the one member"),
        ] {
            let why = serde_json::from_str::<Octets>(text).unwrap_err().to_string();
            assert!(why.contains(words), "{text}: {why}");
        }
    }
}
