//! The encodings in which a program may write a secret: unchanged, escaped in JSON, in HTML, for a URL or in a quoted string, in
//! base64 or in hexadecimal, in one case.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use memchr::memmem::Finder;
use serde_json::Value;

use crate::webhook::recipe::escape_non_ascii;
use crate::webhook::signature::Secret;
use crate::wire::exchange::Delivery;

/// The shortest secret to search for: a shorter one occurs in any text by chance.
pub(crate) const SHORTEST: usize = 4;

/// The distinct encodings of a secret, each with its name; empty if the secret is too short to search for.
pub(crate) fn encodings(secret: &Secret) -> Vec<(String, &'static str)> {
    let secret = secret.expose();
    if secret.len() < SHORTEST {
        return Vec::new();
    }
    let json = in_json(secret);
    let ascii = escape_non_ascii(&json);
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let component = percent(secret, b"-_.!~*'()");
    let path = percent(secret, b"-_.~/");
    let every = [
        (secret.to_owned(), ""),
        (json.clone(), "json"),
        (ascii.clone(), "json-ascii"),
        (STANDARD.encode(secret), "base64"),
        (STANDARD_NO_PAD.encode(secret), "base64-unpadded"),
        (URL_SAFE.encode(secret), "base64url"),
        (URL_SAFE_NO_PAD.encode(secret), "base64url-unpadded"),
        (const_hex::encode(secret), "hex"),
        (const_hex::encode_upper(secret), "HEX"),
        (form.replace('+', "%20"), "url"),
        (form.clone(), "form"),
        // White space around a header's value is not part of it.
        (secret.trim().to_owned(), "trimmed"),
        // Some programs change the case of header names.
        (secret.to_lowercase(), "lower"),
        (secret.to_uppercase(), "upper"),
        // In the middle of longer text in base64, such as a user and a password.
        (inside(&STANDARD_NO_PAD, secret, 1), "base64-1"),
        (inside(&STANDARD_NO_PAD, secret, 2), "base64-2"),
        (inside(&URL_SAFE_NO_PAD, secret, 1), "base64url-1"),
        (inside(&URL_SAFE_NO_PAD, secret, 2), "base64url-2"),
        (lower_digits(&form.replace('+', "%20")), "url-lower"),
        (lower_digits(&form), "form-lower"),
        (lower_digits(&component), "component-lower"),
        (component, "component"),
        (lower_digits(&path), "path-lower"),
        (path, "path"),
        // PHP escapes slashes, Go escapes what is special in HTML.
        (json.replace('/', r"\/"), "json-slashes"),
        (ascii.replace('/', r"\/"), "json-ascii-slashes"),
        (json.replace('<', r"\u003c").replace('>', r"\u003e").replace('&', r"\u0026"), "json-html"),
        (in_json(&json), "json-json"),
        (in_json(&ascii), "json-json-ascii"),
        (quoted(secret), "quoted"),
        (quoted(&json), "quoted-json"),
        (quoted(&ascii), "quoted-json-ascii"),
        (bytes_literal(secret), "bytes"),
        (in_html(secret, "&quot;", "&#39;"), "html"),
        (in_html(secret, "&quot;", "&#x27;"), "html-hex"),
        (in_html(secret, "&#34;", "&#39;"), "html-decimal"),
        (in_html(secret, "\"", "'"), "html-text"),
        // As Node and Python print bytes.
        (each_byte(secret, " ", |byte| format!("{byte:02x}")), "hex-spaced"),
        (each_byte(secret, ":", |byte| format!("{byte:02x}")), "hex-colons"),
        (each_byte(secret, ",", |byte| byte.to_string()), "numbers"),
        (each_byte(secret, ", ", |byte| byte.to_string()), "numbers-spaced"),
        (each_byte(secret, "", |byte| format!("%{byte:02X}")), "percent"),
        (each_byte(secret, "", |byte| format!("%{byte:02x}")), "percent-lower"),
    ];
    let mut encodings: Vec<(String, &str)> = Vec::with_capacity(every.len());
    for (encoded, name) in every {
        // Of equal encodings, the first name is used.
        if encoded.len() >= SHORTEST && !encodings.iter().any(|(known, _)| *known == encoded) {
            encodings.push((encoded, name));
        }
    }
    encodings
}

fn in_json(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Each byte as text, with a separator.
fn each_byte(text: &str, separator: &str, shown: impl Fn(u8) -> String) -> String {
    text.bytes().map(shown).collect::<Vec<_>>().join(separator)
}

/// As the suite and Rust programs quote it.
fn quoted(text: &str) -> String {
    text.chars().flat_map(char::escape_debug).collect()
}

/// As Python quotes bytes.
fn bytes_literal(text: &str) -> String {
    text.bytes().flat_map(std::ascii::escape_default).map(char::from).collect()
}

fn in_html(text: &str, double: &str, single: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.replace('"', double).replace('\'', single)
}

/// Escaped for a URL, except for letters, digits and `kept`.
fn percent(text: &str, kept: &[u8]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// The same escapes with lower-case digits.
fn lower_digits(escaped: &str) -> String {
    let mut digits = 0_u8;
    let lowered = escaped.chars().map(|character| {
        let is_digit = digits > 0;
        digits = if character == '%' { 2 } else { digits.saturating_sub(1) };
        if is_digit { character.to_ascii_lowercase() } else { character }
    });
    lowered.collect()
}

/// The digits that only the secret decides if it begins `before` bytes after a group of three.
fn inside(engine: &GeneralPurpose, secret: &str, before: usize) -> String {
    let shifted = [&[0; 2][..before], secret.as_bytes()].concat();
    let encoded = engine.encode(&shifted);
    let end = encoded.len() - usize::from(shifted.len() % 3 > 0);
    encoded.get(before + 1..end).unwrap_or_default().to_owned()
}

/// Whether a text contains a secret in any encoding.
pub(crate) fn is_in(secret: &Secret, text: &[u8]) -> bool {
    contains(text, &finders(secret))
}

/// Where a request contains a secret, as a noun phrase; `None` if it does not.
pub(crate) fn place_of(secret: &Secret, delivery: &Delivery) -> Option<String> {
    let finders = finders(secret);
    let has_secret = |bytes: &[u8]| contains(bytes, &finders);
    // One search of the whole head is faster than many of its parts.
    let head = [delivery.method.as_bytes(), delivery.target.as_bytes()].into_iter();
    let head: Vec<&[u8]> =
        head.chain(delivery.headers.0.iter().flat_map(|(name, value)| [name.as_bytes(), value])).collect();
    let head = head.join(&b'\n');
    // Programs change the case of header names.
    let names =
        delivery.headers.0.iter().map(|(name, _)| name.to_ascii_lowercase()).collect::<Vec<_>>().join("\n");
    if !has_secret(&head) && !has_secret(names.as_bytes()) && !has_secret(&delivery.body) {
        return None;
    }
    if has_secret(&delivery.body) {
        return Some("the body".to_owned());
    }
    if has_secret(delivery.target.as_bytes()) {
        return Some("the URL".to_owned());
    }
    if has_secret(delivery.method.as_bytes()) {
        return Some("the method".to_owned());
    }
    let is_in_name =
        |name: &str| has_secret(name.as_bytes()) || has_secret(name.to_ascii_lowercase().as_bytes());
    if delivery.headers.0.iter().any(|(name, _)| is_in_name(name)) {
        return Some("a header name".to_owned());
    }
    let header = delivery.headers.0.iter().find(|(_, value)| has_secret(value));
    header.map(|(name, _)| format!("the header {name}"))
}

fn contains(bytes: &[u8], finders: &[Finder<'_>]) -> bool {
    finders.iter().any(|finder| finder.find(bytes).is_some())
}

/// For how many secrets the searches are kept: a sender's run has a few webhooks, each with a secret of its own.
const KEPT: usize = 8;

thread_local! {
    /// The searches for the latest secrets, the last one used first. To make them takes longer than to search a delivery.
    static LATEST: RefCell<VecDeque<(Secret, Finders)>> = const { RefCell::new(VecDeque::new()) };
}

type Finders = Rc<[Finder<'static>]>;

/// A search for each encoding of a secret.
fn finders(secret: &Secret) -> Finders {
    LATEST.with_borrow_mut(|latest| {
        let known = latest.iter().position(|(known, _)| known == secret);
        let (known, finders) = known.and_then(|place| latest.remove(place)).unwrap_or_else(|| {
            let of = |(encoded, _): &(String, &str)| Finder::new(encoded.as_bytes()).into_owned();
            (secret.clone(), encodings(secret).iter().map(of).collect())
        });
        latest.truncate(KEPT - 1);
        latest.push_front((known, finders.clone()));
        finders
    })
}
