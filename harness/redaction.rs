//! Redacts secrets from everything that is shown or kept, and restores them when kept data is used again.
//!
//! Redacted data does not contain a secret in any common encoding: unchanged, escaped in JSON, in base64, in hexadecimal, or
//! escaped for a URL. Data without a secret is unchanged. Each encoding has its own placeholder, so restoring is exact to the
//! byte.

pub mod encodings;

use std::cmp::Reverse;

use bytes::Bytes;
use memchr::memmem::Finder;
use serde::Serialize;
use serde_json::Value;

use crate::redaction::encodings::encodings;
use crate::webhook::signature::Secret;
use crate::wire::exchange::{Delivery, Exchange, Headers, Outcome, Response};

#[derive(Debug, Clone, Default)]
pub struct Redaction {
    /// The secrets' encodings, longest first: one may contain another.
    encodings: Vec<Encoding>,
}

/// Finds an encoded secret; the placeholder replaces it.
#[derive(Debug, Clone)]
struct Encoding {
    finder: Finder<'static>,
    placeholder: &'static str,
}

impl Redaction {
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut redaction = Self::default();
        secrets.into_iter().for_each(|secret| redaction.add(secret));
        redaction
    }

    pub(crate) fn add(&mut self, secret: &Secret) {
        for (encoded, placeholder) in encodings(secret) {
            // Two secrets may have an encoding in common: the first placeholder is used.
            if !self.encodings.iter().any(|known| known.finder.needle() == encoded.as_bytes()) {
                let finder = Finder::new(&encoded).into_owned();
                self.encodings.push(Encoding { finder, placeholder });
            }
        }
        self.encodings.sort_by_key(|encoding| Reverse(encoding.finder.needle().len()));
    }

    pub(crate) fn text(&self, text: &str) -> String {
        match self.cleaned(text.as_bytes()) {
            None => text.to_owned(),
            // Text stays text when a part is replaced by text.
            Some(cleaned) => String::from_utf8_lossy(&cleaned).into_owned(),
        }
    }

    /// A value as JSON, with its strings redacted.
    pub(crate) fn serialised(&self, value: &impl Serialize) -> Value {
        fn clean(redaction: &Redaction, value: Value) -> Value {
            match value {
                Value::String(text) => redaction.text(&text).into(),
                Value::Array(values) => values.into_iter().map(|value| clean(redaction, value)).collect(),
                Value::Object(members) => {
                    members.into_iter().map(|(name, value)| (name, clean(redaction, value))).collect()
                }
                other => other,
            }
        }
        // The suite's own data always serialises.
        clean(self, serde_json::to_value(value).unwrap_or_default())
    }

    /// The bytes without the secrets. They need not be text.
    pub(crate) fn bytes(&self, bytes: &Bytes) -> Bytes {
        self.cleaned(bytes).map_or_else(|| bytes.clone(), Bytes::from)
    }

    /// Whether the bytes contain a secret.
    pub(crate) fn finds(&self, bytes: &[u8]) -> bool {
        self.encodings.iter().any(|encoding| encoding.finder.find(bytes).is_some())
    }

    /// The delivery without the secrets. Redact before quoting, which changes the text.
    pub fn delivery(&self, delivery: &Delivery) -> Delivery {
        changed(delivery, |bytes| self.cleaned(bytes))
    }

    /// The redacted delivery; `None` if it has no secret.
    pub(crate) fn clean(&self, delivery: &Delivery) -> Option<Delivery> {
        Some(self.delivery(delivery)).filter(|clean| clean != delivery)
    }

    /// The exchange without the secrets, and whether its delivery had one.
    pub(crate) fn exchange(&self, exchange: &Exchange) -> (Exchange, bool) {
        let outcome = match &exchange.outcome {
            Outcome::Answered(response) => Outcome::Answered(Response {
                status: response.status,
                headers: headers(&response.headers, |bytes| self.cleaned(bytes)),
                body: self.bytes(&response.body),
                cut: response.cut,
            }),
            Outcome::Malformed(why) => Outcome::Malformed(self.text(why)),
            other => other.clone(),
        };
        let clean = self.clean(&exchange.delivery);
        let had_secret = clean.is_some();
        let delivery = clean.unwrap_or_else(|| exchange.delivery.clone());
        (Exchange { delivery, outcome, ..exchange.clone() }, had_secret)
    }

    /// The delivery with the secret restored. If there are several secrets, the one that was added first.
    pub(crate) fn restored(&self, delivery: &Delivery) -> Delivery {
        let mut known: Vec<(Finder<'_>, &[u8])> = Vec::new();
        for Encoding { finder, placeholder } in &self.encodings {
            if !known.iter().any(|(other, _)| other.needle() == placeholder.as_bytes()) {
                known.push((Finder::new(placeholder), finder.needle()));
            }
        }
        changed(delivery, |bytes| {
            known.iter().fold(None, |restored: Option<Vec<u8>>, (placeholder, encoded)| {
                let bytes = restored.as_deref().unwrap_or(bytes);
                replaced(bytes, placeholder, encoded).or(restored)
            })
        })
    }

    /// `None` if there is no secret in it.
    fn cleaned(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.encodings.iter().fold(None, |cleaned: Option<Vec<u8>>, Encoding { finder, placeholder }| {
            let bytes = cleaned.as_deref().unwrap_or(bytes);
            replaced(bytes, finder, placeholder.as_bytes()).or(cleaned)
        })
    }
}

/// The delivery with its target, header values and body changed; `None` leaves a part unchanged.
fn changed(delivery: &Delivery, change: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Delivery {
    let target = change(delivery.target.as_bytes());
    Delivery {
        method: delivery.method.clone(),
        target: target
            .map_or_else(|| delivery.target.clone(), |target| String::from_utf8_lossy(&target).into_owned()),
        headers: headers(&delivery.headers, &change),
        body: change(&delivery.body).map_or_else(|| delivery.body.clone(), Bytes::from),
        transfer: delivery.transfer.clone(),
    }
}

fn headers(headers: &Headers, change: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Headers {
    let changed = |value: &Bytes| change(value).map_or_else(|| value.clone(), Bytes::from);
    Headers(headers.0.iter().map(|(name, value)| (name.clone(), changed(value))).collect())
}

/// The bytes with every occurrence replaced; `None` if there is none.
fn replaced(bytes: &[u8], old: &Finder<'_>, new: &[u8]) -> Option<Vec<u8>> {
    let mut found = old.find_iter(bytes).peekable();
    found.peek()?;
    let mut result = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for at in found {
        result.extend_from_slice(&bytes[from..at]);
        result.extend_from_slice(new);
        from = at + old.needle().len();
    }
    result.extend_from_slice(&bytes[from..]);
    Some(result)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use bytes::Bytes;

    use super::Redaction;
    use crate::webhook::signature::Secret;
    use crate::wire::exchange::{Delivery, Headers, Transfer};

    fn redaction(secret: &str) -> Redaction {
        Redaction::new([&Secret::new(secret)])
    }

    #[test]
    fn redacts_every_encoding() {
        let redaction = redaction("ключ \"7\"?");
        for (encoded, name) in [
            ("ключ \"7\"?", ""),
            (r#"ключ \"7\"?"#, ":json"),
            (r#"\u043a\u043b\u044e\u0447 \"7\"?"#, ":json-ascii"),
            ("0LrQu9GO0YcgIjciPw==", ":base64"),
            ("0LrQu9GO0YcgIjciPw", ":base64-unpadded"),
            ("d0bad0bbd18ed187202237223f", ":hex"),
            ("D0BAD0BBD18ED187202237223F", ":HEX"),
            ("%D0%BA%D0%BB%D1%8E%D1%87%20%227%22%3F", ":url"),
            ("%D0%BA%D0%BB%D1%8E%D1%87+%227%22%3F", ":form"),
        ] {
            assert_eq!(redaction.text(&format!("<{encoded}>")), format!("<[redacted{name}]>"), "{encoded}");
        }
    }

    #[test]
    fn leaves_every_other_byte_unchanged() {
        let redaction = redaction("s3cr3t");
        let of = |bytes: &'static [u8]| redaction.bytes(&Bytes::from_static(bytes));
        assert_eq!(of(b"\xff\x00s3cr3ts3cr3t\xe6"), &b"\xff\x00[redacted][redacted]\xe6"[..]);
        assert_eq!(of(b"\xff\x00s3cr3"), &b"\xff\x00s3cr3"[..]);
        assert_eq!(self::redaction("abc").text("abc"), "abc", "too short to search for");
        assert_eq!(Redaction::new(None).text("s3cr3t"), "s3cr3t");
    }

    #[test]
    fn redacts_a_secret_without_its_outer_white_space() {
        assert_eq!(redaction(" s3cr3t ").text("<s3cr3t>< s3cr3t >"), "<[redacted:trimmed]><[redacted]>");
        assert_eq!(redaction("  x  ").text("<x>"), "<x>");
    }

    #[test]
    fn redacts_a_secret_that_contains_another() {
        let redaction = Redaction::new([&Secret::new("s3cr3t"), &Secret::new("s3cr3t-longer")]);
        assert_eq!(redaction.text("s3cr3t-longer s3cr3t"), "[redacted] [redacted]");
    }

    #[test]
    fn restores_redacted_text() {
        let redaction = redaction("s3cr3t\"x");
        let body = b"\xff s3cr3t\"x s3cr3t\\\"x 733363723374\x2278 7333637233742278 czNjcjN0Ing= czNjcjN0Ing";
        let delivery = Delivery {
            method: "POST".to_owned(),
            target: "/?s=7333637233742278".to_owned(),
            headers: Headers(vec![("X-S".to_owned(), Bytes::from_static(b"s3cr3t\"x"))]),
            body: Bytes::from_static(body),
            transfer: Transfer::Whole,
        };
        let clean = redaction.clean(&delivery).unwrap();
        let shown = format!("{clean:?}");
        for encoded in ["s3cr3t", "7333637233742278", "czNjcjN0Ing"] {
            assert!(!shown.contains(encoded), "{shown}");
        }
        assert_eq!(redaction.restored(&clean), delivery);
        assert!(
            redaction
                .clean(&Delivery {
                    body: Bytes::new(),
                    target: "/".to_owned(),
                    headers: Headers::default(),
                    ..delivery
                })
                .is_none()
        );
    }
}
