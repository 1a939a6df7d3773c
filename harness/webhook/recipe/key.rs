//! What is made of the secret before it keys a signature.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The secret that [`KeyForm::Other`] stands for.
pub const OTHER_SECRET: &str = "another-secret-than-the-one-agreed-on";

described! {
    /// What is made of the secret before it keys the HMAC.
    pub enum KeyForm {
        /// Its UTF-8 bytes: the contract.
        Utf8: "under the secret",
        HexDecoded: "under the secret decoded from hexadecimal",
        Base64Decoded: "under the secret decoded from base64",
        Trimmed: "under the secret with the white space at its ends cut off",
        Uppercase: "under the secret in upper case",
        Lowercase: "under the secret in lower case",
        /// As a file has one that was read whole.
        TrailingNewline: "under the secret with a line feed behind it",
        Empty: "under the empty key",
        Other: "under another secret",
    }
}

impl KeyForm {
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
}

fn own(text: String) -> Cow<'static, [u8]> {
    Cow::Owned(text.into_bytes())
}
