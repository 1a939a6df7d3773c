//! How the key of a signature is derived from the secret.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The secret of [`KeyForm::Other`].
pub const OTHER_SECRET: &str = "another-secret-than-the-one-agreed-on";

described! {
    /// How the HMAC key is derived from the secret, as the end of "signed …".
    pub enum KeyForm {
        /// Its UTF-8 bytes, as documented.
        Utf8: "with the secret",
        HexDecoded: "with the secret decoded from hexadecimal",
        Base64Decoded: "with the secret decoded from base64",
        Trimmed: "with the secret trimmed of white space",
        Uppercase: "with the secret in upper case",
        Lowercase: "with the secret in lower case",
        /// As read from a file with a final line feed.
        TrailingNewline: "with the secret and a line feed",
        Empty: "with an empty key",
        Other: "with another secret",
    }
}

impl KeyForm {
    /// The key. `None` if it does not apply or equals the contract's key.
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
