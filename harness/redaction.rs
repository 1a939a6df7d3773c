//! Redacts secrets from everything that is shown or kept, and restores them when kept data is used again.
//!
//! Redacted data does not contain a secret in any common encoding, nor eight consecutive bytes of one: a program may have written
//! a part, and what is kept may have been cut off anywhere. Next to `…`, which marks where the suite cut, four bytes are enough.
//! Data without a secret is unchanged. A placeholder names the encoding and the part, so restoring is exact to the byte.

pub mod encodings;
mod fragments;
mod json;

use std::borrow::Cow;

use bytes::Bytes;
use memchr::memmem;
use serde::Serialize;
use serde_json::Value;

use crate::redaction::encodings::encodings;
use crate::redaction::fragments::{Found, Fragments};
use crate::webhook::signature::Secret;
use crate::wire::exchange::{Delivery, Exchange, Headers, Outcome, Response};

/// How each placeholder begins. `[redacted:base64]` is a whole secret, `[redacted:part:base64:4-20]` a part, and `[redacted:3:base64]`
/// the third of several secrets.
const BEGIN: &str = "[redacted";
const PART: &str = ":part";
/// What the placeholders of an API's key name.
const KEY: &str = "api-key";
/// The longest placeholder.
const LONGEST: usize = 80;

#[derive(Debug, Clone, Default)]
pub struct Redaction {
    fragments: Fragments,
    /// How many secrets were added by number.
    numbered: usize,
}

impl Redaction {
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut redaction = Self::default();
        secrets.into_iter().for_each(|secret| redaction.add(secret));
        redaction
    }

    pub(crate) fn add(&mut self, secret: &Secret) {
        for (encoded, name) in encodings(secret) {
            self.fragments.add(encoded.into_bytes(), name.into());
        }
    }

    /// Adds a secret whose placeholders name its number, from the second on, so that each of several is restored as itself.
    pub(crate) fn add_numbered(&mut self, secret: &Secret) {
        self.numbered += 1;
        for (encoded, name) in encodings(secret) {
            let name = match (self.numbered, name) {
                (1, name) => Cow::Borrowed(name),
                (number, "") => Cow::Owned(number.to_string()),
                (number, name) => Cow::Owned(format!("{number}:{name}")),
            };
            self.fragments.add(encoded.into_bytes(), name);
        }
    }

    /// Adds the key of an API. Its placeholders say so, and are never restored as the secret of a webhook.
    pub(crate) fn add_key(&mut self, secret: &Secret) {
        for (encoded, name) in encodings(secret) {
            let name = if name.is_empty() { Cow::Borrowed(KEY) } else { Cow::Owned(format!("{KEY}:{name}")) };
            self.fragments.add(encoded.into_bytes(), name);
        }
    }

    pub fn text(&self, text: &str) -> String {
        match self.cleaned(text.as_bytes()) {
            None => text.to_owned(),
            // A part may begin inside a character.
            Some(cleaned) => String::from_utf8_lossy(&cleaned).into_owned(),
        }
    }

    /// A text in the format in which it is printed or written. Numbers of JSON stay as they are.
    pub(crate) fn rendered(&self, text: &str) -> String {
        self.json(text).unwrap_or_else(|| self.text(text))
    }

    /// JSON text, or lines of it, redacted; `None` if it is not JSON.
    pub(crate) fn json(&self, text: &str) -> Option<String> {
        json::redacted(self, text)
    }

    /// A value as JSON, with its strings and names redacted.
    pub(crate) fn serialised(&self, value: &impl Serialize) -> Value {
        fn clean(redaction: &Redaction, value: Value) -> Value {
            match value {
                Value::String(text) => redaction.text(&text).into(),
                Value::Array(values) => values.into_iter().map(|value| clean(redaction, value)).collect(),
                Value::Object(members) => {
                    let members = members.into_iter();
                    members.map(|(name, value)| (redaction.text(&name), clean(redaction, value))).collect()
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
                headers: headers(&response.headers, &|bytes| self.cleaned(bytes)),
                body: self.bytes(&response.body),
                cut: response.cut,
            }),
            Outcome::Malformed(why) => Outcome::Malformed(self.text(why)),
            Outcome::Tls(why) => Outcome::Tls(self.text(why)),
            other => other.clone(),
        };
        let clean = self.clean(&exchange.delivery);
        let had_secret = clean.is_some();
        let delivery = clean.unwrap_or_else(|| exchange.delivery.clone());
        (Exchange { delivery, outcome, ..exchange.clone() }, had_secret)
    }

    /// The delivery with the secret restored. If there are several secrets, the one that was added first.
    pub(crate) fn restored(&self, delivery: &Delivery) -> Delivery {
        changed(delivery, |bytes| self.put_back(bytes))
    }

    /// The text with the secret restored.
    pub(crate) fn restored_text(&self, text: &str) -> String {
        changed_text(text, &|bytes: &[u8]| self.put_back(bytes))
    }

    /// `None` if nothing was redacted in it.
    fn put_back(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut restored = Vec::new();
        let mut from = 0;
        for at in memmem::find_iter(bytes, BEGIN) {
            let Some((length, text)) = self.replaced_by(&bytes[at..]) else { continue };
            restored.extend_from_slice(&bytes[from..at]);
            restored.extend_from_slice(text);
            from = at + length;
        }
        (from > 0).then(|| {
            restored.extend_from_slice(&bytes[from..]);
            restored
        })
    }

    /// The length of the placeholder that these bytes begin with, and what it replaced.
    fn replaced_by(&self, bytes: &[u8]) -> Option<(usize, &[u8])> {
        let bytes = &bytes[..bytes.len().min(LONGEST)];
        let end = memchr::memchr(b']', bytes)?;
        let inner = std::str::from_utf8(&bytes[BEGIN.len()..end]).ok()?;
        let text = |name: &str| {
            let mut known = self.fragments.encodings.iter();
            known.find(|one| one.name == name.trim_start_matches(':')).map(|one| &*one.text)
        };
        let part = inner.strip_prefix(PART).and_then(|part| part.rsplit_once(':'));
        let replaced = match part {
            Some((name, range)) => {
                let (from, to) = range.split_once('-')?;
                text(name)?.get(from.parse().ok()?..to.parse().ok()?)?
            }
            None => text(inner)?,
        };
        Some((end + 1, replaced))
    }

    fn placeholder(&self, found: &Found) -> Cow<'static, str> {
        let Found { start, end, encoding, offset } = *found;
        let encoding = &self.fragments.encodings[encoding];
        let colon = if encoding.name.is_empty() { "" } else { ":" };
        let to = offset + end - start;
        if end - start == encoding.text.len() {
            return if colon.is_empty() {
                Cow::Borrowed("[redacted]")
            } else {
                Cow::Owned(format!("{BEGIN}:{}]", encoding.name))
            };
        }
        Cow::Owned(format!("{BEGIN}{PART}{colon}{}:{offset}-{to}]", encoding.name))
    }

    /// `None` if there is no secret in it.
    fn cleaned(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        if self.fragments.is_empty() {
            return None;
        }
        let found = self.fragments.find(bytes);
        if found.is_empty() {
            return None;
        }
        let mut cleaned = Vec::with_capacity(bytes.len());
        let mut from = 0;
        for one in &found {
            cleaned.extend_from_slice(&bytes[from..one.start]);
            cleaned.extend_from_slice(self.placeholder(one).as_bytes());
            from = one.end;
        }
        cleaned.extend_from_slice(&bytes[from..]);
        Some(cleaned)
    }
}

/// The delivery with its method, target, headers and body changed; `None` leaves a part unchanged.
fn changed(delivery: &Delivery, change: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Delivery {
    Delivery {
        method: changed_text(&delivery.method, &change),
        target: changed_text(&delivery.target, &change),
        headers: headers(&delivery.headers, &change),
        body: change(&delivery.body).map_or_else(|| delivery.body.clone(), Bytes::from),
        transfer: delivery.transfer.clone(),
    }
}

fn headers(headers: &Headers, change: &impl Fn(&[u8]) -> Option<Vec<u8>>) -> Headers {
    let changed = |value: &Bytes| change(value).map_or_else(|| value.clone(), Bytes::from);
    Headers(headers.0.iter().map(|(name, value)| (changed_name(name, change), changed(value))).collect())
}

/// Programs change the case of header names, so a secret is looked for without it, too.
fn changed_name(name: &str, change: &impl Fn(&[u8]) -> Option<Vec<u8>>) -> String {
    let changed = changed_text(name, change);
    match change(changed.to_ascii_lowercase().as_bytes()) {
        Some(lower) => String::from_utf8_lossy(&lower).into_owned(),
        None => changed,
    }
}

fn changed_text(text: &str, change: &impl Fn(&[u8]) -> Option<Vec<u8>>) -> String {
    match change(text.as_bytes()) {
        Some(changed) => String::from_utf8_lossy(&changed).into_owned(),
        None => text.to_owned(),
    }
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
            ("%d0%ba%d0%bb%d1%8e%d1%87+%227%22%3f", ":form-lower"),
            ("КЛЮЧ \"7\"?", ":upper"),
            ("ключ &quot;7&quot;?", ":html"),
            (r#"ключ \\\"7\\\"?"#, ":json-json"),
        ] {
            assert_eq!(redaction.text(&format!("<{encoded}>")), format!("<[redacted{name}]>"), "{encoded}");
        }
    }

    #[test]
    fn redacts_header_names_in_any_case() {
        let secret = Secret::new("aB3-dE5fG7-hI9");
        let name = "X-Ab3-De5Fg7-Hi9".to_owned();
        let headers = Headers(vec![(name, Bytes::from_static(b"1"))]);
        let (method, target, transfer) = ("POST".to_owned(), "/".to_owned(), Transfer::Whole);
        let delivery = Delivery { method, target, headers, body: Bytes::new(), transfer };
        assert_eq!(super::encodings::place_of(&secret, &delivery).as_deref(), Some("a header name"));
        let clean = Redaction::new([&secret]).delivery(&delivery);
        assert_eq!(clean.headers.0[0].0, "x-[redacted:lower]");
    }

    #[test]
    fn redacts_bytes_as_programs_print_them() {
        let redaction = redaction("key-Ω");
        for (encoded, name) in [
            ("6b 65 79 2d ce a9", "hex-spaced"),
            ("6b:65:79:2d:ce:a9", "hex-colons"),
            ("107,101,121,45,206,169", "numbers"),
            ("107, 101, 121, 45, 206, 169", "numbers-spaced"),
            ("%6B%65%79%2D%CE%A9", "percent"),
            ("%6b%65%79%2d%ce%a9", "percent-lower"),
        ] {
            assert_eq!(redaction.text(&format!("<{encoded}>")), format!("<[redacted:{name}]>"), "{encoded}");
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
    fn redacts_parts() {
        let redaction = redaction("Aa6b2D9c-41f0Ee73/b85c0D1a");
        assert_eq!(
            redaction.text("Aa6b2D9c\n-41f0Ee73/b85c0D1a"),
            "[redacted:part:0-8]\n[redacted:part:8-26]"
        );
        assert_eq!(redaction.text("<6b2D9c-41f0E>"), "<[redacted:part:2-14]>");
        assert_eq!(redaction.text("41F0EE73%2FB8"), "[redacted:part:upper:9-17]%2FB8");
        assert_eq!(redaction.text("6b2D9c- 6b2D9c-…"), "6b2D9c- 6b2D9c-…", "neither long nor at the cut");
        assert_eq!(redaction.text("Aa6b… …5c0D1a Aa6…"), "[redacted:part:0-4]… …[redacted:part:20-26] Aa6…");
        // `user:` comes before it.
        assert_eq!(
            redaction.text("dXNlcjpBYTZiMkQ5Yy00MWYwRWU3My9iODVjMEQxYQ=="),
            "dXNlcjp[redacted:base64-2]Q=="
        );
        let worded = self::redaction("receiver-secret-1");
        assert_eq!(worded.text("the receiver, receiver-sec"), "the receiver, [redacted:part:0-12]");
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
        let cut = |delivery: &Delivery| Delivery {
            method: "s3cr3t\"x".to_owned(),
            headers: Headers(vec![("s3cr3t\"x".to_owned(), Bytes::from_static(b"333637233742278"))]),
            body: delivery.body.slice(..delivery.body.len() - 3),
            ..delivery.clone()
        };
        let cut = cut(&delivery);
        let clean = redaction.clean(&cut).unwrap();
        assert!(format!("{clean:?}").contains("[redacted:part:base64:0-8]"), "{clean:?}");
        assert_eq!((&*clean.method, &*clean.headers.0[0].0), ("[redacted]", "[redacted]"));
        assert_eq!(redaction.restored(&clean), cut);
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
