//! Signing and verifying, and nothing else: the text that is signed, the key, the hexadecimal digest.
//!
//! Invariant: it imports nothing from this crate, does no I/O, and never sees a parsed body: bytes are signed.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The header that carries the signature (documentation, "Webhook validation").
pub const SIGNATURE_HEADER: &str = "X-Twenty-Webhook-Signature";
/// The header that carries the time of sending, as decimal milliseconds (documentation, "Webhook validation").
pub const TIMESTAMP_HEADER: &str = "X-Twenty-Webhook-Timestamp";
/// How far a timestamp may be from the present, in milliseconds, for receivers that check it (contract, section 1).
pub const FRESH_MS: u64 = 5 * 60 * 1000;
/// The header that carries 32 hexadecimal digits, new for each request (dialect `shipped` only).
pub const NONCE_HEADER: &str = "X-Twenty-Webhook-Nonce";

/// The separator of timestamp and body in the signed text.
const SEPARATOR: &[u8] = b":";

/// A webhook's secret. It never prints: `Debug` and `Display` are redacted, so no report can leak it by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret as text; its UTF-8 bytes are the key.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself. Call this only to use the secret, never to show it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// An HMAC-SHA256 state: keyed once for a secret, cloned for each signature.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl Key {
    /// The key of a secret: its UTF-8 bytes as they are, never decoded, trimmed or folded.
    pub fn new(secret: &Secret) -> Self {
        // HMAC accepts a key of any length (RFC 2104).
        Self(
            Hmac::new_from_slice(secret.0.as_bytes())
                .unwrap_or_else(|_| unreachable!("HMAC accepts any key")),
        )
    }

    /// Signs `timestamp`, a colon and `body`.
    pub fn sign(&self, timestamp: &[u8], body: &[u8]) -> Signature {
        let mut mac = self.0.clone();
        mac.update(timestamp);
        mac.update(SEPARATOR);
        mac.update(body);
        Signature(mac.finalize().into_bytes().into())
    }

    /// Whether `header` is the signature of `timestamp` and `body`: 64 hexadecimal digits of either case and nothing
    /// else. The digests are compared in constant time.
    pub fn verify(&self, timestamp: &[u8], body: &[u8], header: &[u8]) -> bool {
        Signature::parse(header).is_some_and(|given| given.0.ct_eq(&self.sign(timestamp, body).0).into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([redacted])")
    }
}

/// The 32 bytes of an HMAC-SHA256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 32]);

impl Signature {
    /// Parses exactly 64 hexadecimal digits, of either case. Anything else is not a signature.
    pub fn parse(text: &[u8]) -> Option<Self> {
        // The decoder skips a leading `0x`, which the contract forbids; the length check rules it out.
        let mut bytes = [0; 32];
        (text.len() == 64 && const_hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(Self(bytes))
    }

    /// Writes the header's value in place, for a request in a buffer.
    pub fn write_hex(&self, digits: &mut [u8; 64]) {
        // 32 bytes give 64 digits, so this cannot fail.
        let _ = const_hex::encode_to_slice(self.0, digits);
    }

    /// The header's value: 64 lowercase hexadecimal digits.
    pub fn to_hex(&self) -> String {
        const_hex::encode(self.0)
    }
}
