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
        DoubleQuoted: "with the secret in double quotes",
        SingleQuoted: "with the secret in single quotes",
        CarriageReturn: "with the secret and a carriage return",
        CarriageReturnLineFeed: "with the secret, a carriage return and a line feed",
        BlankBefore: "with a blank before the secret",
        BlankAfter: "with a blank after the secret",
        Named: "with TWENTY_WEBHOOK_SECRET= before the secret",
        Commented: "with the secret and ` # comment`",
        ByteOrderMark: "with a byte-order mark before the secret",
        CutAtDollar: "with the secret cut at `$`",
        CutAtHash: "with the secret cut at `#`",
    }
}

impl KeyForm {
    /// The key. `None` if it does not apply or equals the contract's key.
    pub(crate) fn bytes<'a>(&self, secret: &'a str) -> Option<Cow<'a, [u8]>> {
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
            Self::DoubleQuoted => Some(own(format!("\"{secret}\""))),
            Self::SingleQuoted => Some(own(format!("'{secret}'"))),
            Self::CarriageReturn => Some(own(format!("{secret}\r"))),
            Self::CarriageReturnLineFeed => Some(own(format!("{secret}\r\n"))),
            Self::BlankBefore => Some(own(format!(" {secret}"))),
            Self::BlankAfter => Some(own(format!("{secret} "))),
            Self::Named => Some(own(format!("TWENTY_WEBHOOK_SECRET={secret}"))),
            Self::Commented => Some(own(format!("{secret} # comment"))),
            Self::ByteOrderMark => Some(own(format!("\u{feff}{secret}"))),
            Self::CutAtDollar => cut(secret, '$'),
            Self::CutAtHash => cut(secret, '#'),
        }
    }

    /// Whether it is how a configuration file or a shell hands over the secret.
    pub fn is_configuration(self) -> bool {
        matches!(
            self,
            Self::DoubleQuoted
                | Self::SingleQuoted
                | Self::CarriageReturn
                | Self::CarriageReturnLineFeed
                | Self::BlankBefore
                | Self::BlankAfter
                | Self::Named
                | Self::Commented
                | Self::ByteOrderMark
                | Self::CutAtDollar
                | Self::CutAtHash
        )
    }
}

/// What is left of the secret before this character; `None` if that is all or nothing of it.
fn cut(secret: &str, at: char) -> Option<Cow<'_, [u8]>> {
    let (before, _) = secret.split_once(at)?;
    let before = before.trim_end();
    (!before.is_empty()).then(|| before.as_bytes().into())
}

fn own(text: String) -> Cow<'static, [u8]> {
    Cow::Owned(text.into_bytes())
}
