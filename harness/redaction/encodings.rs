//! How a secret may be spelled in what a program writes: as it is, escaped in JSON, in base64, in hexadecimal, escaped for a
//! URL.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use memchr::memmem;
use serde_json::Value;

use crate::webhook::recipe::escape_non_ascii;
use crate::webhook::signature::Secret;
use crate::wire::exchange::Delivery;

/// The shortest secret that is looked for: a shorter one stands in any text by chance.
pub(crate) const SHORTEST: usize = 4;

/// The encodings of a secret, no two alike, each with what a redaction puts in its place. None of a secret that is too short
/// to be looked for.
pub(crate) fn encodings(secret: &Secret) -> Vec<(String, &'static str)> {
    let secret = secret.expose();
    if secret.len() < SHORTEST {
        return Vec::new();
    }
    let quoted = Value::from(secret).to_string();
    let ascii = escape_non_ascii(&quoted);
    let unquoted = |text: &str| text[1..text.len() - 1].to_owned();
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let every = [
        (secret.to_owned(), "[redacted]"),
        (unquoted(&quoted), "[redacted:json]"),
        (unquoted(&ascii), "[redacted:json-ascii]"),
        (STANDARD.encode(secret), "[redacted:base64]"),
        (STANDARD_NO_PAD.encode(secret), "[redacted:base64-unpadded]"),
        (URL_SAFE.encode(secret), "[redacted:base64url]"),
        (URL_SAFE_NO_PAD.encode(secret), "[redacted:base64url-unpadded]"),
        (const_hex::encode(secret), "[redacted:hex]"),
        (const_hex::encode_upper(secret), "[redacted:HEX]"),
        (form.replace('+', "%20"), "[redacted:url]"),
        (form, "[redacted:form]"),
        // White space at the ends of a header's value is no part of it.
        (secret.trim().to_owned(), "[redacted:trimmed]"),
    ];
    let mut encodings: Vec<(String, &str)> = Vec::with_capacity(every.len());
    for (spelled, placeholder) in every {
        // Spelled alike, the first name holds.
        if spelled.len() >= SHORTEST && !encodings.iter().any(|(known, _)| *known == spelled) {
            encodings.push((spelled, placeholder));
        }
    }
    encodings
}

/// The first of many texts in which a secret stands in any of its encodings, counted from 0.
pub(crate) fn first_with<'a>(secret: &Secret, texts: impl IntoIterator<Item = &'a [u8]>) -> Option<usize> {
    let encodings = encodings(secret);
    texts.into_iter().position(|text| holds(text, &encodings))
}

/// Where a secret stands in a request, as a noun phrase; `None` where it does not.
pub(crate) fn place_of(secret: &Secret, delivery: &Delivery) -> Option<String> {
    let encodings = encodings(secret);
    let holds = |bytes: &[u8]| holds(bytes, &encodings);
    if holds(&delivery.body) {
        return Some("the body".to_owned());
    }
    if holds(delivery.target.as_bytes()) {
        return Some("the request's path or query".to_owned());
    }
    let header = delivery.headers.0.iter().find(|(_, value)| holds(value));
    header.map(|(name, _)| format!("the header {name}"))
}

fn holds(bytes: &[u8], encodings: &[(String, &str)]) -> bool {
    encodings.iter().any(|(spelled, _)| memmem::find(bytes, spelled.as_bytes()).is_some())
}
