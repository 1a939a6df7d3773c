//! The parts of an exchange's JSON form that are not derived.
//!
//! ```json
//! {"number":1,"at_ms":1735066639761,"took_us":812,
//!  "delivery":{"method":"POST","target":"/hook","headers":[["Host","h"],["X-Odd",{"base64":"/w=="}]],"body":"{}","transfer":"whole"},
//!  "outcome":{"answered":{"status":200,"headers":[],"body":""}}}
//! ```
//!
//! Invariant: bytes survive a round trip. UTF-8 is written as a string, anything else as base64.

use std::fmt;
use std::marker::PhantomData;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

use super::{Delivery, Headers, Outcome};
use crate::budget::{SAVED_HEADERS, SAVED_PIECES};
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

/// Bytes as they are read. Anything else is rejected without being kept.
struct Read(Bytes);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct TextOrCoded;

        impl<'de> Visitor<'de> for TextOrCoded {
            type Value = Read;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(messages::bytes_in_json())
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Read, E> {
                Ok(Read(Bytes::copy_from_slice(text.as_bytes())))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Read, E> {
                Ok(Read(text.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Read, A::Error> {
                let unexpected = || de::Error::invalid_type(Unexpected::Map, &TextOrCoded);
                let Some("base64") = members.next_key::<String>()?.as_deref() else {
                    return Err(unexpected());
                };
                let text: String = members.next_value()?;
                if members.next_key::<IgnoredAny>()?.is_some() {
                    return Err(unexpected());
                }
                let bytes =
                    STANDARD.decode(text).map_err(|why| de::Error::custom(messages::invalid_base64(why)))?;
                Ok(Read(bytes.into()))
            }
        }

        from.deserialize_any(TextOrCoded)
    }
}

/// Reads at most `most` elements of an array; more are an error.
struct AtMost<T> {
    most: usize,
    what: &'static str,
    elements: PhantomData<T>,
}

impl<T> AtMost<T> {
    fn of(most: usize, what: &'static str) -> Self {
        Self { most, what, elements: PhantomData }
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for AtMost<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = list.next_element()? {
            if all.len() == self.most {
                return Err(de::Error::custom(messages::too_many_elements(self.what, self.most)));
            }
            all.push(one);
        }
        Ok(all)
    }
}

/// The lengths or places of the pieces of a body.
pub(super) mod pieces {
    use super::{AtMost, Deserializer, SAVED_PIECES};

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<usize>, D::Error> {
        from.deserialize_seq(AtMost::of(SAVED_PIECES, "pieces"))
    }
}

pub(super) mod octets {
    use super::{Bytes, Deserialize, Deserializer, Read, Serialize, Serializer, Written};

    pub(in super::super) fn serialize<S: Serializer>(bytes: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        Written::from(bytes).serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        Read::deserialize(from).map(|Read(bytes)| bytes)
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
        let read = from.deserialize_seq(AtMost::<(String, Read)>::of(SAVED_HEADERS, "headers"))?;
        Ok(Self(read.into_iter().map(|(name, Read(value))| (name, value)).collect()))
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
