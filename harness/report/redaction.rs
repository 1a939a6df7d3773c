//! Takes secrets out of whatever is shown or kept.
//!
//! Invariant: what comes out holds a secret in none of the spellings that programs give it: as it is, escaped in JSON, in
//! base64, in hexadecimal, or escaped for a URL. What holds none comes out byte for byte.

use std::cmp::Reverse;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use memchr::memmem::Finder;
use serde::Serialize;
use serde_json::Value;

use crate::exchange::{Delivery, Exchange, Headers, Outcome, Response};
use crate::recipe::escape_non_ascii;
use crate::signature::Secret;
use crate::transcript::Transcript;

/// The shortest secret that is looked for: a shorter one stands in any text by chance.
const SHORTEST: usize = 4;

/// Takes secrets out of what is shown.
#[derive(Clone, Default)]
pub struct Redaction {
    /// What finds each of the secrets' spellings, the longest first: one may hold another.
    spellings: Vec<Finder<'static>>,
}

impl Redaction {
    /// What stands in the place of a secret.
    pub const PLACEHOLDER: &str = "[redacted]";

    /// Takes out every secret of a run.
    pub fn of(transcript: &Transcript) -> Self {
        let own = transcript.webhooks.iter().filter_map(|webhook| webhook.secret.as_ref());
        let mut redaction = Self::default();
        own.chain(&transcript.secret).for_each(|secret| redaction.add(secret));
        redaction
    }

    /// Takes out a secret more.
    pub fn add(&mut self, secret: &Secret) {
        let secret = secret.expose();
        if secret.len() < SHORTEST {
            return;
        }
        let quoted = Value::from(secret).to_string();
        let ascii = escape_non_ascii(&quoted);
        let unquoted = |text: &str| text[1..text.len() - 1].to_owned();
        let percent: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let spelled = [
            secret.to_owned(),
            unquoted(&quoted),
            unquoted(&ascii),
            STANDARD_NO_PAD.encode(secret),
            URL_SAFE_NO_PAD.encode(secret),
            const_hex::encode(secret),
            const_hex::encode_upper(secret),
            percent.replace('+', "%20"),
            percent,
        ];
        self.spellings.extend(spelled.iter().map(|spelling| Finder::new(spelling).into_owned()));
        let order = |finder: &Finder<'_>| (Reverse(finder.needle().len()), finder.needle().to_vec());
        self.spellings.sort_by_cached_key(order);
        self.spellings.dedup_by(|one, other| one.needle() == other.needle());
    }

    /// The text without the secrets.
    pub fn text(&self, text: &str) -> String {
        match self.cleaned(text.as_bytes()) {
            None => text.to_owned(),
            // One text put in the place of another leaves a text.
            Some(cleaned) => String::from_utf8_lossy(&cleaned).into_owned(),
        }
    }

    /// A value as JSON, without the secrets in its texts.
    pub fn serialised(&self, value: &impl Serialize) -> Value {
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
        // What cannot be written as JSON is no data of ours.
        clean(self, serde_json::to_value(value).unwrap_or_default())
    }

    /// The bytes without the secrets; they need not be text.
    pub fn bytes(&self, bytes: &Bytes) -> Bytes {
        self.cleaned(bytes).map_or_else(|| bytes.clone(), Bytes::from)
    }

    /// `None` where there is no secret in it.
    fn cleaned(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.spellings.iter().fold(None, |cleaned, spelling| {
            let bytes = cleaned.as_deref().unwrap_or(bytes);
            replaced(bytes, spelling, Self::PLACEHOLDER.as_bytes()).or(cleaned)
        })
    }

    /// The delivery without the secrets, before it is quoted: quoting changes the text that is looked for.
    pub fn delivery(&self, delivery: &Delivery) -> Delivery {
        Delivery {
            method: delivery.method.clone(),
            target: self.text(&delivery.target),
            headers: self.headers(&delivery.headers),
            body: self.bytes(&delivery.body),
            transfer: delivery.transfer.clone(),
        }
    }

    /// The exchange without the secrets.
    pub fn exchange(&self, exchange: &Exchange) -> Exchange {
        let outcome = match &exchange.outcome {
            Outcome::Answered(response) => Outcome::Answered(Response {
                status: response.status,
                headers: self.headers(&response.headers),
                body: self.bytes(&response.body),
            }),
            Outcome::Malformed(why) => Outcome::Malformed(self.text(why)),
            other => other.clone(),
        };
        Exchange { delivery: self.delivery(&exchange.delivery), outcome, ..exchange.clone() }
    }

    fn headers(&self, headers: &Headers) -> Headers {
        Headers(headers.0.iter().map(|(name, value)| (self.text(name), self.bytes(value))).collect())
    }
}

/// The bytes with something new in the place of all that is found; `None` where nothing is.
pub(crate) fn replaced(bytes: &[u8], old: &Finder<'_>, new: &[u8]) -> Option<Vec<u8>> {
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
mod tests {
    use bytes::Bytes;

    use super::Redaction;
    use crate::signature::Secret;

    fn redaction(secret: &str) -> Redaction {
        let mut redaction = Redaction::default();
        redaction.add(&Secret::new(secret));
        redaction
    }

    #[test]
    fn takes_out_every_spelling() {
        let redaction = redaction("ключ \"7\"");
        for spelled in [
            "ключ \"7\"",
            r#"ключ \"7\""#,
            r#"\u043a\u043b\u044e\u0447 \"7\""#,
            "0LrQu9GO0YcgIjci",
            "d0bad0bbd18ed18720223722",
            "%D0%BA%D0%BB%D1%8E%D1%87%20%227%22",
            "%D0%BA%D0%BB%D1%8E%D1%87+%227%22",
        ] {
            assert_eq!(redaction.text(&format!("<{spelled}>")), "<[redacted]>", "{spelled}");
        }
    }

    #[test]
    fn leaves_every_other_byte_as_it_is() {
        let redaction = redaction("s3cr3t");
        let of = |bytes: &'static [u8]| redaction.bytes(&Bytes::from_static(bytes));
        assert_eq!(of(b"\xff\x00s3cr3ts3cr3t\xe6"), &b"\xff\x00[redacted][redacted]\xe6"[..]);
        assert_eq!(of(b"\xff\x00s3cr3"), &b"\xff\x00s3cr3"[..]);
        assert_eq!(self::redaction("abc").text("abc"), "abc", "too short to be looked for");
    }

    #[test]
    fn a_secret_within_another_hides_neither() {
        let mut redaction = redaction("s3cr3t");
        redaction.add(&Secret::new("s3cr3t-longer"));
        assert_eq!(redaction.text("s3cr3t-longer s3cr3t"), "[redacted] [redacted]");
    }
}
