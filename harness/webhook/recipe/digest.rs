//! How the value of the signature header is computed from the key and the signed text.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

described! {
    /// The form of the signature, as the end of "signed …".
    pub enum Digest {
        /// 64 digits of HMAC-SHA256, as documented.
        Hex: "as lowercase hexadecimal digits",
        Uppercase: "with uppercase digits",
        Base64: "in base64",
        Base64Url: "in base64 for URLs",
        Prefixed: "with `sha256=` before the digits",
        Truncated: "truncated to 32 digits",
        Sha1: "with HMAC-SHA1",
        Sha512: "with HMAC-SHA512",
        Unkeyed: "with plain SHA-256, without a key",
        /// Go's `h.Sum(text)` after `h.Write(text)`: it appends the digest to its argument.
        Appended: "with the digest appended to the signed text",
        /// The same without `h.Write(text)`.
        AppendedUnwritten: "with the digest of nothing appended to the signed text",
        Zeros: "with 64 zeros",
    }
}

impl Digest {
    pub(super) fn value(self, key: &[u8], message: &[u8]) -> String {
        let sha256 = || mac::<Hmac<Sha256>>(key, message);
        match self {
            Self::Hex => const_hex::encode(sha256()),
            Self::Uppercase => const_hex::encode_upper(sha256()),
            Self::Base64 => STANDARD.encode(sha256()),
            Self::Base64Url => URL_SAFE_NO_PAD.encode(sha256()),
            Self::Prefixed => format!("sha256={}", const_hex::encode(sha256())),
            Self::Truncated => const_hex::encode(&sha256()[..16]),
            Self::Sha1 => const_hex::encode(mac::<Hmac<Sha1>>(key, message)),
            Self::Sha512 => const_hex::encode(mac::<Hmac<Sha512>>(key, message)),
            Self::Unkeyed => const_hex::encode(Sha256::digest(message)),
            Self::Appended => const_hex::encode(message) + &const_hex::encode(sha256()),
            Self::AppendedUnwritten => {
                const_hex::encode(message) + &const_hex::encode(mac::<Hmac<Sha256>>(key, b""))
            }
            Self::Zeros => "0".repeat(64),
        }
    }

    /// Where the digits are in a value of this length. Those of base64 end before the padding and the digits with unused bits.
    pub(crate) fn digits(self, length: usize) -> std::ops::Range<usize> {
        match self {
            Self::Prefixed => "sha256=".len().min(length)..length,
            Self::Base64 | Self::Base64Url => 0..length.min(40),
            _ => 0..length,
        }
    }

    pub(super) fn is_keyed(self) -> bool {
        !matches!(self, Self::Unkeyed | Self::Zeros)
    }

    /// Whether a value could be this digest, by its length and characters.
    pub(crate) fn looks_like(self, value: &[u8]) -> bool {
        let digits = |length| {
            value.len() == length && value.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        match self {
            Self::Hex | Self::Unkeyed => digits(64),
            Self::Uppercase => value.len() == 64 && !value.iter().any(u8::is_ascii_lowercase),
            Self::Base64 => value.len() == 44 && value.ends_with(b"="),
            Self::Base64Url => value.len() == 43,
            Self::Prefixed => value.len() == 71 && value.starts_with(b"sha256="),
            Self::Truncated => digits(32),
            Self::Sha1 => digits(40),
            Self::Sha512 => digits(128),
            Self::Appended | Self::AppendedUnwritten => value.len() > 64 && digits(value.len()),
            Self::Zeros => value.len() == 64 && value.iter().all(|&byte| byte == b'0'),
        }
    }
}

/// The HMAC of a message under a key.
pub(crate) fn mac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = <M as KeyInit>::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC accepts any key"));
    mac.chain_update(message).finalize().into_bytes().to_vec()
}
