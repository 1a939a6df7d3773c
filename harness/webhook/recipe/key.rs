//! What is made of the secret before it keys a signature.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The secret that [`KeyForm::Other`] stands for.
pub const OTHER_SECRET: &str = "another-secret-than-the-one-agreed-on";

/// What is made of the secret before it keys the HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyForm {
    /// Its UTF-8 bytes: the contract.
    Utf8,
    /// The bytes that its hexadecimal digits stand for.
    HexDecoded,
    /// The bytes that its base64 digits stand for.
    Base64Decoded,
    /// Without white space at its ends.
    Trimmed,
    Uppercase,
    Lowercase,
    /// With a line feed after it, as a file has one that was read whole.
    TrailingNewline,
    Empty,
    Other,
}

impl KeyForm {
    pub const ALL: &[Self] = &[
        Self::Utf8,
        Self::HexDecoded,
        Self::Base64Decoded,
        Self::Trimmed,
        Self::Uppercase,
        Self::Lowercase,
        Self::TrailingNewline,
        Self::Empty,
        Self::Other,
    ];

    /// The key, where it is another than the contract's.
    pub(super) fn bytes<'a>(&self, secret: &'a str) -> Option<Cow<'a, [u8]>> {
        let different = |form: &'a [u8]| (form != secret.as_bytes()).then_some(Cow::Borrowed(form));
        match self {
            Self::Utf8 => Some(secret.as_bytes().into()),
            Self::HexDecoded => const_hex::decode(secret).ok().filter(|key| !key.is_empty()).map(Cow::Owned),
            Self::Base64Decoded => STANDARD.decode(secret).ok().filter(|key| !key.is_empty()).map(Cow::Owned),
            Self::Trimmed => different(secret.trim().as_bytes()),
            Self::Uppercase => Some(secret.to_uppercase()).filter(|form| form != secret).map(own),
            Self::Lowercase => Some(secret.to_lowercase()).filter(|form| form != secret).map(own),
            Self::TrailingNewline => Some(Cow::Owned([secret.as_bytes(), b"\n"].concat())),
            Self::Empty => different(b""),
            Self::Other => different(OTHER_SECRET.as_bytes()),
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Utf8 => "under the secret",
            Self::HexDecoded => "under the secret decoded from hexadecimal",
            Self::Base64Decoded => "under the secret decoded from base64",
            Self::Trimmed => "under the secret with the white space at its ends cut off",
            Self::Uppercase => "under the secret in upper case",
            Self::Lowercase => "under the secret in lower case",
            Self::TrailingNewline => "under the secret with a line feed behind it",
            Self::Empty => "under the empty key",
            Self::Other => "under another secret",
        }
    }
}

fn own(text: String) -> Cow<'static, [u8]> {
    Cow::Owned(text.into_bytes())
}
