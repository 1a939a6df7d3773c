//! The ways in which programs compute a signature: the right one and wrong ones. The suite sends wrong signatures to
//! receivers, looks for them in senders, and uses them in its mutants.
//!
//! Invariant: `Recipe::CONTRACT` computes what `signature` computes (a test compares them), and every other recipe differs
//! from it only in what its fields say.

mod digest;
mod key;
mod misread;

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

pub use self::digest::Digest;
pub(crate) use self::digest::mac;
pub use self::key::{KeyForm, OTHER_SECRET};
pub use self::misread::Misread;

use crate::budget::{SEARCHED, SEARCHED_BODY};
use crate::constant::{self, Constant};
use crate::webhook::dialect;
use crate::webhook::json::Json;
use crate::webhook::members::Members;
use crate::webhook::messages;
use crate::webhook::serialiser::Serialiser;

/// A body that is parsed when a recipe needs it; `None` if it is not JSON.
pub(crate) type Parsed = OnceCell<Option<Json>>;

/// How the value of a signature header is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Recipe {
    pub message: Message,
    pub key: KeyForm,
    pub digest: Digest,
}

/// What is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    /// The timestamp, a colon and the body, as documented.
    Contract,
    /// The body and nothing before it.
    BodyAlone,
    /// The timestamp and nothing after it.
    TimestampAlone,
    /// Timestamp and body with another separator.
    Separator(#[serde(deserialize_with = "constant::read")] Constant),
    /// The body stringified again, as in the documentation's sample. With `ascii`, the second pass escapes everything that is
    /// not ASCII (Python's default).
    DoubleStringified { ascii: bool },
    /// The timestamp in seconds.
    Seconds,
    /// The record alone, not the whole body.
    Part,
    /// A line feed after the body.
    TrailingNewline,
    /// The body parsed and printed again.
    Reserialised(Serialiser),
    /// The body without its member `secret`.
    SecretMember,
    /// Another text instead of the body.
    Misread(Misread),
    /// Another text instead of the body, and nothing before it.
    MisreadAlone(Misread),
}

impl Recipe {
    pub const CONTRACT: Self = Self { message: Message::Contract, key: KeyForm::Utf8, digest: Digest::Hex };

    pub const fn message(message: Message) -> Self {
        Self { message, ..Self::CONTRACT }
    }

    pub const fn key(key: KeyForm) -> Self {
        Self { key, ..Self::CONTRACT }
    }

    pub const fn digest(digest: Digest) -> Self {
        Self { digest, ..Self::CONTRACT }
    }

    /// The header's value. `None` if the recipe does not apply (a secret that is not hexadecimal cannot be decoded) or gives the
    /// same as the contract.
    pub fn compute(&self, secret: &str, timestamp: &[u8], body: &[u8]) -> Option<String> {
        self.compute_with(secret, timestamp, body, &Parsed::new())
    }

    /// The same. `parsed` keeps the parsed body for other recipes.
    pub(crate) fn compute_with(
        &self,
        secret: &str,
        timestamp: &[u8],
        body: &[u8],
        parsed: &Parsed,
    ) -> Option<String> {
        let key = self.key.bytes(secret)?;
        let message = self.message.bytes_with(timestamp, body, parsed)?;
        Some(self.digest.value(&key, &message))
    }

    /// The header's value, also where the recipe does not apply: then its key or its message is that of the contract.
    pub(crate) fn value(&self, secret: &str, timestamp: &[u8], body: &[u8]) -> String {
        let key = self.key.bytes(secret).unwrap_or_else(|| secret.as_bytes().into());
        let documented = || [timestamp, b":", body].concat().into();
        let message = self.message.bytes(timestamp, body).unwrap_or_else(documented);
        self.digest.value(&key, &message)
    }

    /// This recipe in the respects in which it differs from the contract, and `base` in the others.
    #[must_use]
    pub(crate) fn over(self, base: Self) -> Self {
        Self {
            message: if self.message == Message::Contract { base.message } else { self.message },
            key: if self.key == KeyForm::Utf8 { base.key } else { self.key },
            digest: if self.digest == Digest::Hex { base.digest } else { self.digest },
        }
    }

    /// In how many fields this differs from the contract.
    pub(crate) fn distance(&self) -> usize {
        self.message.distance()
            + usize::from(self.key != KeyForm::Utf8)
            + usize::from(self.digest != Digest::Hex)
    }

    /// The recipes of receivers that misread the body or the configuration, alone and together with a missing timestamp. They are
    /// apart from the lattice because their combinations would be too many.
    pub fn misreadings() -> Vec<Self> {
        let keys = KeyForm::ALL.iter().copied().filter(|key| key.is_configuration());
        let keys: Vec<KeyForm> = keys.collect();
        let mut all: Vec<Self> =
            Misread::ALL.iter().map(|&misread| Self::message(Message::Misread(misread))).collect();
        all.extend(keys.iter().map(|&key| Self::key(key)));
        all.extend(
            Misread::ALL
                .iter()
                .filter(|&&misread| misread != Misread::Empty)
                .map(|&misread| Self::message(Message::MisreadAlone(misread))),
        );
        for &key in &keys {
            all.push(Self { key, ..Self::message(Message::BodyAlone) });
            all.extend([Digest::Prefixed, Digest::Base64].map(|digest| Self { digest, ..Self::key(key) }));
        }
        all
    }

    /// Every recipe, ordered by how many fields differ from the contract.
    pub fn lattice() -> Vec<Self> {
        let mut all: Vec<Self> = Message::ALL
            .iter()
            .flat_map(|&message| KeyForm::ALL.iter().map(move |&key| (message, key)))
            .filter(|(_, key)| !key.is_configuration())
            .flat_map(|(message, key)| Digest::ALL.iter().map(move |&digest| Self { message, key, digest }))
            .collect();
        all.sort_by_key(Self::distance);
        all
    }

    /// The recipe in words, as the end of "signed …".
    pub fn describe(&self) -> String {
        let mut words = Vec::new();
        if self.message != Message::Contract {
            words.push(self.message.words());
        }
        if self.key != KeyForm::Utf8 {
            words.push(self.key.describe().into());
        }
        if self.digest != Digest::Hex {
            words.push(self.digest.describe().into());
        }
        if words.is_empty() { messages::as_documented().to_owned() } else { words.join(", ") }
    }
}

impl Message {
    pub(crate) const ALL: &[Self] = &[
        Self::Contract,
        Self::BodyAlone,
        Self::TimestampAlone,
        Self::Separator("."),
        Self::Separator(""),
        Self::Separator("\n"),
        Self::DoubleStringified { ascii: false },
        Self::DoubleStringified { ascii: true },
        Self::Seconds,
        Self::Part,
        Self::TrailingNewline,
        Self::Reserialised(Serialiser::Javascript),
        Self::Reserialised(Serialiser::PythonDefault),
        Self::Reserialised(Serialiser::PythonCompact),
        Self::Reserialised(Serialiser::PythonUnescaped),
        Self::Reserialised(Serialiser::Go),
        Self::Reserialised(Serialiser::Php),
        Self::Reserialised(Serialiser::Sorted),
        Self::Reserialised(Serialiser::Pretty),
        Self::SecretMember,
    ];

    /// In how many respects it differs from the contract.
    fn distance(self) -> usize {
        match self {
            Self::Contract => 0,
            Self::MisreadAlone(_) => 2,
            _ => 1,
        }
    }

    /// The bytes that are signed; `None` if this message does not apply.
    pub(crate) fn bytes<'a>(&self, timestamp: &'a [u8], body: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        self.bytes_with(timestamp, body, &Parsed::new())
    }

    /// The same. `parsed` keeps the parsed body for other messages of the same request.
    fn bytes_with<'a>(&self, timestamp: &'a [u8], body: &'a [u8], parsed: &Parsed) -> Option<Cow<'a, [u8]>> {
        let around = |separator: &str, body: &[u8]| [timestamp, separator.as_bytes(), body].concat().into();
        Some(match self {
            Self::Contract => around(":", body),
            Self::BodyAlone => body.into(),
            Self::TimestampAlone => timestamp.into(),
            Self::Separator(separator) => around(separator, body),
            Self::DoubleStringified { ascii } => {
                let once = std::str::from_utf8(body).ok()?;
                let twice = serde_json::Value::from(once).to_string();
                around(":", if *ascii { escape_non_ascii(&twice) } else { twice }.as_bytes())
            }
            Self::Seconds => {
                let seconds = timestamp.len().checked_sub(3).filter(|&len| len > 0)?;
                [&timestamp[..seconds], b":", body].concat().into()
            }
            Self::Part => {
                let members = Members::parse(body).ok()?;
                let record = dialect::ALL.iter().find_map(|dialect| members.get(dialect.record_member))?;
                around(":", record.get().as_bytes())
            }
            Self::TrailingNewline => around(":", &[body, b"\n"].concat()),
            Self::Reserialised(serialiser) => {
                let json = parsed.get_or_init(|| Json::parse(body).ok()).as_ref()?;
                around(":", &serialiser.print(json).filter(|printed| printed != body)?)
            }
            Self::SecretMember => around(":", &Json::without(body, "secret")?),
            Self::Misread(misread) => around(":", &misread.of(body).filter(|text| text != body)?),
            Self::MisreadAlone(misread) => misread.of(body).filter(|text| text != body)?.into(),
        })
    }

    fn words(&self) -> Cow<'static, str> {
        match self {
            Self::Contract => messages::over_contract().into(),
            Self::BodyAlone => messages::over_body_alone().into(),
            Self::TimestampAlone => messages::over_timestamp_alone().into(),
            Self::Separator(separator) => messages::with_separator(separator).into(),
            Self::DoubleStringified { ascii } => messages::over_body_stringified_twice(*ascii).into(),
            Self::Seconds => messages::with_seconds().into(),
            Self::Part => messages::over_record().into(),
            Self::TrailingNewline => messages::with_line_feed().into(),
            Self::Reserialised(serialiser) => messages::over_reserialised(serialiser.describe()).into(),
            Self::SecretMember => messages::without_secret_member().into(),
            Self::Misread(misread) => misread.describe().into(),
            Self::MisreadAlone(misread) => messages::and_nothing_before(misread.describe()).into(),
        }
    }
}

/// All messages of one request, computed once for a search through all recipes. Of a body that is too long to be parsed again and
/// again, only the messages that have it unchanged.
pub struct Messages<'a>(Vec<(Message, Cow<'a, [u8]>)>);

impl<'a> Messages<'a> {
    pub fn of(timestamp: &'a [u8], body: &'a [u8]) -> Self {
        let parsed = Parsed::new();
        let made = |&message: &Message| Some((message, message.bytes_with(timestamp, body, &parsed)?));
        let is_short = body.len() <= SEARCHED_BODY;
        let tried = Message::ALL.iter().filter(|&message| {
            is_short || matches!(message, Message::Contract | Message::BodyAlone | Message::TimestampAlone)
        });
        Self(tried.filter_map(made).collect())
    }

    /// The recipes that give `header` with `secret`, in the order of [`Recipe::lattice`]. Only recipes for which `asked`
    /// returns true are tried. A digest without a key is tried only once. The search ends early if it takes too many bytes.
    pub fn recipes<'s>(
        &'s self,
        secret: &'s str,
        header: &'s [u8],
        asked: impl Fn(&Recipe) -> bool + 's,
    ) -> impl Iterator<Item = Recipe> + 's {
        static LATTICE: LazyLock<Vec<Recipe>> = LazyLock::new(Recipe::lattice);
        let made = |&key: &KeyForm| Some((key, key.bytes(secret)?));
        let keys: Vec<_> = KeyForm::ALL.iter().filter_map(made).collect();
        // The form of the header rules out most digests before anything is hashed.
        let fits = Digest::ALL.iter().copied().filter(|digest| digest.looks_like(header));
        let digests: Vec<Digest> = fits.collect();
        let left = Cell::new(SEARCHED);
        LATTICE.iter().copied().filter(move |recipe| {
            let gives = || {
                let (_, message) = self.0.iter().find(|(message, _)| *message == recipe.message)?;
                let (_, key) = keys.iter().find(|(key, _)| *key == recipe.key)?;
                left.set(left.get().checked_sub(message.len())?);
                Some(recipe.digest.value(key, message).as_bytes() == header)
            };
            digests.contains(&recipe.digest)
                && (recipe.digest.is_keyed() || recipe.key == KeyForm::Utf8)
                && asked(recipe)
                && gives() == Some(true)
        })
    }
}

/// JSON text with everything beyond ASCII as `\u` escapes, surrogate pairs included.
pub(crate) fn escape_non_ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut units = [0; 2];
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}
