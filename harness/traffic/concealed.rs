//! Takes the webhook's secret out of traffic that is kept, and puts it back where the traffic is judged again.
//!
//! Invariant: what is put back is byte for byte what was taken out; each spelling has a placeholder of its own.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::Bytes;

use crate::exchange::{Delivery, Headers};
use crate::signature::Secret;

/// The shortest secret that is looked for: a shorter one stands in any text by chance.
const SHORTEST: usize = 4;

/// The spellings of a secret, each with what stands in its place.
#[derive(Debug, Clone, Default)]
pub struct Concealed(Vec<(String, &'static str)>);

impl Concealed {
    /// Knows a secret, where there is one.
    pub fn new(secret: Option<&Secret>) -> Self {
        let Some(secret) = secret.map(Secret::expose).filter(|secret| secret.len() >= SHORTEST) else {
            return Self::default();
        };
        let quoted = serde_json::Value::from(secret).to_string();
        let spellings = [
            (STANDARD.encode(secret), "[redacted:base64]"),
            (STANDARD_NO_PAD.encode(secret), "[redacted:base64-unpadded]"),
            (const_hex::encode(secret), "[redacted:hex]"),
            (const_hex::encode_upper(secret), "[redacted:HEX]"),
            (quoted[1..quoted.len() - 1].to_owned(), "[redacted:json]"),
            (secret.to_owned(), "[redacted]"),
        ];
        let mut known: Vec<(String, &'static str)> = Vec::new();
        for (spelling, placeholder) in spellings.into_iter().rev() {
            if !known.iter().any(|(other, _)| *other == spelling) {
                known.push((spelling, placeholder));
            }
        }
        // A spelling within a longer one must not take that one apart.
        known.sort_by_key(|(spelling, _)| std::cmp::Reverse(spelling.len()));
        Self(known)
    }

    /// The text without the secret.
    pub fn text(&self, text: &str) -> String {
        let held = self.0.iter().filter(|(spelling, _)| text.contains(spelling.as_str()));
        held.fold(text.to_owned(), |text, (spelling, placeholder)| text.replace(spelling, placeholder))
    }

    /// The delivery without the secret, where that stands in it.
    pub fn delivery(&self, delivery: &Delivery) -> Option<Delivery> {
        let clean = self.replaced(delivery, |(spelling, placeholder)| (spelling.as_str(), placeholder));
        (clean != *delivery).then_some(clean)
    }

    /// The delivery with the secret in its places again.
    pub fn restored(&self, delivery: &Delivery) -> Delivery {
        self.replaced(delivery, |(spelling, placeholder)| (placeholder, spelling.as_str()))
    }

    fn replaced<'a>(
        &'a self,
        delivery: &Delivery,
        pair: impl Fn(&'a (String, &'static str)) -> (&'a str, &'a str),
    ) -> Delivery {
        let text = |text: &String| {
            self.0.iter().map(&pair).fold(text.clone(), |text, (old, new)| text.replace(old, new))
        };
        let bytes = |bytes: &Bytes| {
            self.0.iter().map(&pair).fold(bytes.clone(), |bytes, (old, new)| replaced(bytes, old, new))
        };
        let headers = delivery.headers.0.iter().map(|(name, value)| (name.clone(), bytes(value)));
        Delivery {
            method: delivery.method.clone(),
            target: text(&delivery.target),
            headers: Headers(headers.collect()),
            body: bytes(&delivery.body),
            transfer: delivery.transfer.clone(),
        }
    }
}

fn replaced(bytes: Bytes, old: &str, new: &str) -> Bytes {
    let (old, mut rest) = (old.as_bytes(), &bytes[..]);
    let Some(&first) = old.first() else { return bytes };
    let mut result = Vec::new();
    let mut from = 0;
    while let Some(at) = rest[from..].iter().position(|&byte| byte == first).map(|at| from + at) {
        if rest[at..].starts_with(old) {
            result.extend_from_slice(&rest[..at]);
            result.extend_from_slice(new.as_bytes());
            (rest, from) = (&rest[at + old.len()..], 0);
        } else {
            from = at + 1;
        }
    }
    if rest.len() == bytes.len() {
        return bytes;
    }
    result.extend_from_slice(rest);
    result.into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use bytes::Bytes;

    use super::Concealed;
    use crate::exchange::{Delivery, Headers, Transfer};
    use crate::signature::Secret;

    #[test]
    fn what_is_taken_out_comes_back() {
        let concealed = Concealed::new(Some(&Secret::new("s3cr3t\"x")));
        let body = b"\xff s3cr3t\"x s3cr3t\\\"x 733363723374\x2278 7333637233742278 czNjcjN0Ing= czNjcjN0Ing";
        let delivery = Delivery {
            method: "POST".to_owned(),
            target: "/?s=7333637233742278".to_owned(),
            headers: Headers(vec![("X-S".to_owned(), Bytes::from_static(b"s3cr3t\"x"))]),
            body: Bytes::from_static(body),
            transfer: Transfer::Whole,
        };
        let clean = concealed.delivery(&delivery).unwrap();
        let shown = format!("{clean:?}");
        for spelling in ["s3cr3t", "7333637233742278", "czNjcjN0Ing"] {
            assert!(!shown.contains(spelling), "{shown}");
        }
        assert_eq!(concealed.restored(&clean), delivery);
        assert!(
            concealed
                .delivery(&Delivery {
                    body: Bytes::new(),
                    target: "/".to_owned(),
                    headers: Headers::default(),
                    ..delivery
                })
                .is_none()
        );
    }

    #[test]
    fn without_a_secret_nothing_is_touched() {
        assert_eq!(Concealed::new(None).text("s3cr3t"), "s3cr3t");
        assert_eq!(Concealed::new(Some(&Secret::new("abc"))).text("abc"), "abc");
    }
}
