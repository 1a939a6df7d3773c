//! The parts of an exchange's JSON form that are not derived.
//!
//! ```json
//! {"number":1,"at_ms":1735066639761,"took_us":812,
//!  "delivery":{"method":"POST","target":"/hook","headers":[["Host","h"],["X-Odd",{"base64":"/w=="}]],"body":"{}","transfer":"whole"},
//!  "outcome":{"answered":{"status":200,"headers":[],"body":""}}}
//! ```
//!
//! Invariant: bytes survive a round trip. UTF-8 is written as a string, anything else as base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::{Delivery, Headers, Outcome};
use crate::wire::codec::is_token;
use crate::wire::messages;

/// Bytes as they are written: a string, or `{"base64": …}`.
#[derive(serde::Serialize)]
#[serde(untagged)]
enum Written<'a> {
    Text(&'a str),
    Coded { base64: String },
}

impl<'a> From<&'a Bytes> for Written<'a> {
    fn from(bytes: &'a Bytes) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(_) => Self::Coded { base64: STANDARD.encode(bytes) },
        }
    }
}

#[derive(serde::Deserialize)]
#[serde(untagged, expecting = "bytes must be a string, or an object with one member `base64`")]
enum Read {
    Text(String),
    Coded { base64: Base64 },
}

#[derive(serde::Deserialize)]
#[serde(try_from = "String")]
struct Base64(Vec<u8>);

impl TryFrom<String> for Base64 {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        STANDARD.decode(text).map(Self).map_err(messages::invalid_base64)
    }
}

impl From<Read> for Bytes {
    fn from(read: Read) -> Self {
        match read {
            Read::Text(text) => text.into(),
            Read::Coded { base64 } => base64.0.into(),
        }
    }
}

pub(super) mod octets {
    use super::{Bytes, Deserialize, Deserializer, Read, Serialize, Serializer, Written};

    pub(in super::super) fn serialize<S: Serializer>(bytes: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        Written::from(bytes).serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        Read::deserialize(from).map(Bytes::from)
    }
}

pub(super) mod microseconds {
    use std::time::Duration;

    use super::{Deserialize, Deserializer, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_micros)
    }
}

pub(super) fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// An exchange without a recorded outcome had no answer.
pub(super) fn not_recorded() -> Outcome {
    Outcome::ClosedEarly
}

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(|(name, value)| (name, Written::from(value))))
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let read = Vec::<(String, Read)>::deserialize(from)?;
        Ok(Self(read.into_iter().map(|(name, value)| (name, value.into())).collect()))
    }
}

impl Delivery {
    /// Checks that it can be sent. A delivery that was edited by hand must not become two requests.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !is_token(self.method.as_bytes()) {
            return Err(messages::not_a_method(&self.method));
        }
        if !self.target.starts_with('/') || !self.target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(messages::not_a_path(&self.target));
        }
        for (name, value) in &self.headers.0 {
            if !is_token(name.as_bytes()) {
                return Err(messages::not_a_header_name(name));
            }
            if value.iter().any(|byte| [b'\r', b'\n', 0].contains(byte)) {
                return Err(messages::line_break_in_header(name));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use crate::wire::exchange::{Exchange, Headers, Outcome, Transfer};

    #[test]
    fn bytes_survive_a_round_trip() {
        for bytes in [&b""[..], b"text", "日本\u{0}\n\"".as_bytes(), b"\xff\x00", b"{\"base64\":\"\"}"] {
            let headers = Headers(vec![("X".to_owned(), Bytes::copy_from_slice(bytes))]);
            let text = serde_json::to_string(&headers).unwrap();
            assert_eq!(serde_json::from_str::<Headers>(&text).unwrap(), headers, "{text}");
        }
        for text in ["7", "{}", r#"{"hex":"ff"}"#, r#"{"base64":"ÿ"}"#] {
            assert!(serde_json::from_str::<Headers>(&format!(r#"[["X",{text}]]"#)).is_err(), "{text}");
        }
    }

    /// Lines written by earlier versions: each is read, and written again byte for byte.
    #[test]
    fn reads_and_rewrites_lines_of_earlier_versions() {
        let line = |transfer: &str, outcome: &str| {
            format!(
                r#"{{"number":7,"at_ms":1735066639761,"took_us":812,"delivery":{{"method":"POST","target":"/p?q","headers":[["Host","h"],["X-Odd",{{"base64":"/w=="}}]],"body":"{{\"a\":1}}","transfer":{transfer}}},"outcome":{outcome}}}"#
            )
        };
        let answered = r#"{"answered":{"status":200,"headers":[["A","b"]],"body":{"base64":"/w=="}}}"#;
        let transfers =
            [r#""whole""#, r#"{"segments":[1,2]}"#, r#"{"chunks":[3]}"#, r#""expecting""#, r#"{"broken":4}"#];
        let outcomes = [
            answered,
            r#"{"answered":{"status":200,"headers":[],"body":"","cut":7}}"#,
            r#""timed-out""#,
            r#""refused""#,
            r#""reset""#,
            r#""closed-early""#,
            r#"{"malformed":"no"}"#,
            r#"{"tls":"no"}"#,
            r#""abandoned""#,
        ];
        let lines = transfers.iter().map(|transfer| line(transfer, answered));
        for line in lines.chain(outcomes.iter().map(|outcome| line(r#""whole""#, outcome))) {
            let exchange: Exchange = serde_json::from_str(&line).unwrap();
            assert_eq!(serde_json::to_string(&exchange).unwrap(), line);
        }
        let least =
            r#"{"at_ms":1,"delivery":{"method":"POST","target":"/","headers":[],"body":""},"redacted":true}"#;
        let exchange: Exchange = serde_json::from_str(least).unwrap();
        assert_eq!((exchange.id.0, exchange.took), (0, Duration::ZERO));
        assert_eq!((exchange.outcome, exchange.delivery.transfer), (Outcome::ClosedEarly, Transfer::Whole));
    }
}
