//! Signs and verifies a single delivery.

use std::fmt;

use super::messages;
use crate::redaction::Redaction;
use crate::report::CauseEntry;
use crate::suite::cause::sender;
use crate::suite::requirement::Role;
use crate::webhook::signature::{Key, Secret};

/// The value of `X-Twenty-Webhook-Signature`: 64 lowercase hexadecimal digits.
///
/// It is the HMAC-SHA256, keyed with the secret's UTF-8 bytes, of the timestamp, a colon and the body (source: Twenty's
/// documentation, "Webhook validation").
///
/// `timestamp` is the text of the header `X-Twenty-Webhook-Timestamp`: milliseconds since the Unix epoch, in decimal.
/// `body` is the body's bytes as they are sent, never re-serialised.
///
/// ```
/// let signature = twenty_conform::sign("your-secret", "1735066639761", r#"{"event":"person.created"}"#);
/// assert_eq!(signature, "110f71afc0a39743d18099ed4cdf542b8571449f8d99562b4bc8c8919a383dab");
/// ```
pub fn sign(secret: &str, timestamp: impl AsRef<[u8]>, body: impl AsRef<[u8]>) -> String {
    Key::new(&Secret::new(secret)).sign(timestamp.as_ref(), body.as_ref()).to_hex()
}

/// Checks the signature of a delivery, in constant time.
///
/// `timestamp` and `signature` are the values of the headers `X-Twenty-Webhook-Timestamp` and `X-Twenty-Webhook-Signature`,
/// and `body` is the bytes that arrived. The signature is 64 hexadecimal digits of either case and nothing else (source:
/// Twenty's documentation, "Webhook validation").
///
/// It does not check the age of the timestamp: compare it with the clock to prevent replays.
///
/// # Errors
///
/// A [`Mismatch`], with the cause if a known fault reproduces the signature. With an empty secret nothing matches.
///
/// ```
/// let (secret, timestamp, body) = ("your-secret", "1735066639761", r#"{"event":"person.created"}"#);
/// let signature = twenty_conform::sign(secret, timestamp, body);
/// assert!(twenty_conform::verify(secret, timestamp, body, &signature).is_ok());
/// assert!(twenty_conform::verify("another secret", timestamp, body, &signature).is_err());
/// ```
pub fn verify(
    secret: &str,
    timestamp: impl AsRef<[u8]>,
    body: impl AsRef<[u8]>,
    signature: impl AsRef<[u8]>,
) -> Result<(), Mismatch> {
    let (timestamp, body, signature) = (timestamp.as_ref(), body.as_ref(), signature.as_ref());
    if secret.is_empty() {
        return Err(Mismatch { cause: None });
    }
    let key = Secret::new(secret);
    if Key::new(&key).verify(timestamp, body, signature) {
        return Ok(());
    }
    let cause = sender::signature(secret, &[], timestamp, body, signature);
    Err(Mismatch {
        cause: cause.map(|cause| Box::new(CauseEntry::new(&cause, Role::Sender, &Redaction::new([&key])))),
    })
}

/// A signature that does not match. It contains neither the secret nor the right signature, so it is safe to log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The fault that produces exactly this signature, if known. If not, the secret is probably different.
    pub cause: Option<Box<CauseEntry>>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(messages::signature_mismatch())?;
        self.cause.as_ref().map_or(Ok(()), |cause| write!(f, ": {cause}; {}", cause.fix))
    }
}

impl std::error::Error for Mismatch {}
