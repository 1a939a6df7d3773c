//! The encodings in which a program may write a secret: unchanged, escaped in JSON, in base64, in hexadecimal, or escaped for a
//! URL.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use memchr::memmem;
use serde_json::Value;

use crate::webhook::recipe::escape_non_ascii;
use crate::webhook::signature::Secret;
use crate::wire::exchange::Delivery;

/// The shortest secret to search for: a shorter one occurs in any text by chance.
pub(crate) const SHORTEST: usize = 4;

/// The distinct encodings of a secret, each with its placeholder; empty if the secret is too short to search for.
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
        // White space around a header's value is not part of it.
        (secret.trim().to_owned(), "[redacted:trimmed]"),
    ];
    let mut encodings: Vec<(String, &str)> = Vec::with_capacity(every.len());
    for (encoded, placeholder) in every {
        // Of equal encodings, the first placeholder is used.
        if encoded.len() >= SHORTEST && !encodings.iter().any(|(known, _)| *known == encoded) {
            encodings.push((encoded, placeholder));
        }
    }
    encodings
}

/// The index of the first text that contains a secret in any encoding.
pub(crate) fn first_with<'a>(secret: &Secret, texts: impl IntoIterator<Item = &'a [u8]>) -> Option<usize> {
    let encodings = encodings(secret);
    texts.into_iter().position(|text| contains(text, &encodings))
}

/// Where a request contains a secret, as a noun phrase; `None` if it does not.
pub(crate) fn place_of(secret: &Secret, delivery: &Delivery) -> Option<String> {
    let encodings = encodings(secret);
    let has_secret = |bytes: &[u8]| contains(bytes, &encodings);
    if has_secret(&delivery.body) {
        return Some("the body".to_owned());
    }
    if has_secret(delivery.target.as_bytes()) {
        return Some("the URL".to_owned());
    }
    let header = delivery.headers.0.iter().find(|(_, value)| has_secret(value));
    header.map(|(name, _)| format!("the header {name}"))
}

fn contains(bytes: &[u8], encodings: &[(String, &str)]) -> bool {
    encodings.iter().any(|(encoded, _)| memmem::find(bytes, encoded.as_bytes()).is_some())
}
