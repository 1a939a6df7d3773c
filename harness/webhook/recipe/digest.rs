//! What is made of the signed text under the key: the value of the signature header.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

/// What is made of the message under the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Digest {
    /// 64 lowercase hexadecimal digits of HMAC-SHA256: the contract.
    Hex,
    /// The same in upper case.
    Uppercase,
    /// The same bytes as base64.
    Base64,
    /// The same bytes as base64 for URLs, without padding.
    Base64Url,
    /// `sha256=` before the digits.
    Prefixed,
    /// The first 32 digits.
    Truncated,
    Sha1,
    Sha512,
    Unkeyed,
    Zeros,
}

impl Digest {
    pub const ALL: &[Self] = &[
        Self::Hex,
        Self::Uppercase,
        Self::Base64,
        Self::Base64Url,
        Self::Prefixed,
        Self::Truncated,
        Self::Sha1,
        Self::Sha512,
        Self::Unkeyed,
        Self::Zeros,
    ];

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
            Self::Zeros => "0".repeat(64),
        }
    }

    pub(super) fn is_keyed(self) -> bool {
        !matches!(self, Self::Unkeyed | Self::Zeros)
    }

    /// Whether its value can be this one, as far as length and characters tell.
    pub(super) fn looks_like(self, value: &[u8]) -> bool {
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
            Self::Zeros => value.len() == 64 && value.iter().all(|&byte| byte == b'0'),
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Hex => "as lowercase hexadecimal digits",
            Self::Uppercase => "with uppercase digits",
            Self::Base64 => "in base64",
            Self::Base64Url => "in base64 for URLs",
            Self::Prefixed => "with `sha256=` before the digits",
            Self::Truncated => "cut to 32 digits",
            Self::Sha1 => "with HMAC-SHA1",
            Self::Sha512 => "with HMAC-SHA512",
            Self::Unkeyed => "with plain SHA-256, without a key",
            Self::Zeros => "with 64 zeros",
        }
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = <M as KeyInit>::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes any key"));
    mac.chain_update(message).finalize().into_bytes().to_vec()
}
