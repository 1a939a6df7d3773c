//! Forgeries as data: what is done to a valid delivery so that a receiver must reject it.
//!
//! The suite's cases are made from them, and so are the probes of a load, here and in other tools that read the steps.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Serialize, Serializer};

use crate::webhook::dialect::rfc3339;
use crate::webhook::manner::Manner;
use crate::webhook::recipe::{Message, Recipe};

/// A change of a valid delivery. Its name is that of the probe in reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forgery {
    pub name: Cow<'static, str>,
    pub steps: Cow<'static, [Step]>,
}

/// One step of a forgery. It changes the delivery that the steps before it left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Sets the valid signature of the timestamp and the body.
    Sign,
    /// Sets the signature that a recipe gives, if it is not the valid one.
    SignBy(Recipe),
    /// Sets the signature under this secret, if it is not the valid one.
    SignUnder(&'static str),
    /// Sets the valid signature of the timestamp and another body.
    SignOther,
    /// Changes a value in the body: the year of its first date or, without one, its last letter or digit.
    ChangeValue,
    /// Adds a member, given as its name and its JSON text, at the end of the body's object.
    AddMember(&'static str, &'static str),
    /// Cuts this many bytes off the end of the body.
    CutBody(usize),
    HalveBody,
    #[serde(serialize_with = "latin_1")]
    SetBody(&'static [u8]),
    /// Moves the body up to its first colon into the timestamp, after a colon. The signed text stays the same.
    MoveColon,
    /// Sets the timestamp of a time that is this many milliseconds later than the time of sending.
    StampLater(i64),
    /// Sets the timestamp in seconds.
    StampSeconds,
    /// Sets the timestamp as an RFC 3339 date.
    StampDate,
    SetTimestamp(&'static str),
    /// Adds this to the number in the timestamp header.
    AddToTimestamp(i64),
    /// Puts a text before the timestamp and another after it.
    SurroundTimestamp(&'static str, &'static str),
    /// Puts `e3` instead of the last three digits of the timestamp.
    StampWithExponent,
    /// Puts a space after the first four digits of the timestamp.
    SplitTimestamp,
    RemoveTimestamp,
    SetSignature(&'static str),
    /// Sets this character, this many times, as the signature.
    RepeatAsSignature(char, usize),
    SurroundSignature(&'static str, &'static str),
    /// Keeps the first characters of the signature, as many as this.
    KeepOfSignature(usize),
    /// Cuts this many characters off the end of the signature.
    CutSignature(usize),
    ChangeFirstDigit,
    ChangeLastDigit,
    RemoveSignature,
    RemoveNonce,
}

described! {
    /// Why a load does not send a delivery that a receiver must reject.
    pub enum LeftOut {
        Generated: "it is generated from a seed, and the cases that are not generated have its kind",
        Parsed: "its body is parsed and printed again, which programs do differently",
        OtherHeaders: "it has other headers than a delivery",
        BeyondAscii: "it has bytes in a header that not every HTTP client sends",
        OtherMethod: "it is no POST",
        Compared: "its answer is compared with another one",
    }
}

/// The parts of a delivery that a forgery changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    pub timestamp: Option<Vec<u8>>,
    pub signature: Option<Vec<u8>>,
    /// Whether its nonce is sent, in a dialect that has one.
    pub has_nonce: bool,
    pub body: Bytes,
}

/// How the valid delivery was made.
#[derive(Debug, Clone, Copy)]
pub struct Signing<'a> {
    pub manner: &'a Manner,
    pub secret: &'a str,
    pub sent_ms: u64,
}

impl Forgery {
    pub const fn new(name: &'static str, steps: &'static [Step]) -> Self {
        Self { name: Cow::Borrowed(name), steps: Cow::Borrowed(steps) }
    }

    /// A delivery signed by a recipe that differs from the contract in one respect.
    ///
    /// Errors: the recipe parses the body, so a load does not send it.
    pub fn signed(recipe: Recipe) -> Result<Self, LeftOut> {
        let name = match recipe.message {
            Message::Contract if recipe.digest == Recipe::CONTRACT.digest => {
                format!("{}-key", word(&recipe.key))
            }
            Message::Contract => word(&recipe.digest),
            Message::BodyAlone | Message::TimestampAlone => word(&recipe.message),
            Message::TrailingNewline => "line-feed-signed".to_owned(),
            Message::Separator("") => "no-separator".to_owned(),
            Message::Separator(_) => "other-separator".to_owned(),
            Message::DoubleStringified { .. } => "double-stringified".to_owned(),
            _ => return Err(LeftOut::Parsed),
        };
        Ok(Self { name: name.into(), steps: vec![Step::SignBy(recipe)].into() })
    }

    /// Changes a valid delivery; `None` if there is nothing to try with this secret or body.
    pub fn apply(&self, parts: &mut Parts, signing: &Signing<'_>) -> Option<()> {
        let before = parts.clone();
        self.steps.iter().try_for_each(|step| step.apply(parts, signing))?;
        (*parts != before).then_some(())
    }
}

/// The name of a variant without fields, as it is serialised.
fn word(variant: &impl Serialize) -> String {
    serde_json::to_value(variant).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

impl Step {
    fn apply(self, parts: &mut Parts, signing: &Signing<'_>) -> Option<()> {
        match self {
            Self::Sign | Self::SignBy(_) | Self::SignUnder(_) | Self::SignOther => {
                let timestamp = parts.timestamp.as_deref().unwrap_or_default();
                parts.signature = Some(self.signature(timestamp, &parts.body, signing)?.into_bytes());
            }
            Self::ChangeValue => parts.body = with_other_value(&parts.body).into(),
            Self::AddMember(name, value) => {
                let end = parts.body.iter().rposition(|&byte| byte == b'}').unwrap_or(parts.body.len());
                let member = format!(",\"{name}\":{value}}}");
                parts.body = [&parts.body[..end], member.as_bytes()].concat().into();
            }
            Self::CutBody(count) => parts.body.truncate(parts.body.len().checked_sub(count)?),
            Self::HalveBody => parts.body.truncate(parts.body.len() / 2),
            Self::SetBody(body) => parts.body = Bytes::from_static(body),
            Self::MoveColon => {
                let colon = parts.body.iter().position(|&byte| byte == b':')?;
                let moved = &parts.body[..colon];
                // A header has no line feeds, and not every HTTP client sends other characters.
                if !moved.iter().all(|byte| (b' '..=b'~').contains(byte)) {
                    return None;
                }
                parts.timestamp = Some([parts.timestamp.as_deref()?, b":", moved].concat());
                parts.body = parts.body.slice(colon + 1..);
            }
            Self::RemoveTimestamp => parts.timestamp = None,
            Self::RemoveSignature => parts.signature = None,
            Self::RemoveNonce => parts.has_nonce = false,
            Self::SetSignature(signature) => parts.signature = Some(signature.into()),
            Self::RepeatAsSignature(character, count) => {
                parts.signature = Some(character.to_string().repeat(count).into_bytes());
            }
            Self::SurroundSignature(before, after) => {
                let signature = parts.signature.as_deref()?;
                parts.signature = Some([before.as_bytes(), signature, after.as_bytes()].concat());
            }
            Self::KeepOfSignature(count) => parts.signature.as_mut()?.truncate(count),
            Self::CutSignature(count) => {
                let signature = parts.signature.as_mut()?;
                signature.truncate(signature.len().saturating_sub(count));
            }
            Self::ChangeFirstDigit | Self::ChangeLastDigit => {
                let signature = parts.signature.as_mut()?;
                // The first and the last one, where there are more or fewer than 64.
                let places = signing.manner.digits(signature.len());
                let is_first = self == Self::ChangeFirstDigit;
                let at = if is_first { places.start } else { places.end.checked_sub(1)? };
                let digit = signature.get_mut(at)?;
                *digit = if *digit == b'0' { b'1' } else { b'0' };
            }
            _ => parts.timestamp = Some(self.timestamp(parts.timestamp.as_deref()?, signing)?.into_bytes()),
        }
        Some(())
    }

    /// The signature that a step sets.
    fn signature(self, timestamp: &[u8], body: &[u8], signing: &Signing<'_>) -> Option<String> {
        let under = |secret: &str, body: &[u8]| signing.manner.signature(secret, timestamp, body);
        match self {
            Self::SignBy(recipe) => signing.manner.forged(recipe, signing.secret, timestamp, body),
            Self::SignUnder(secret) => {
                let other = (secret != signing.secret).then(|| under(secret, body));
                other.filter(|signature| *signature != under(signing.secret, body))
            }
            Self::SignOther => Some(under(signing.secret, &with_other_value(body))),
            _ => Some(under(signing.secret, body)),
        }
    }

    /// The timestamp that a step sets instead of this one.
    fn timestamp(self, timestamp: &[u8], signing: &Signing<'_>) -> Option<String> {
        let text = std::str::from_utf8(timestamp).ok()?;
        let Signing { manner, sent_ms, .. } = *signing;
        Some(match self {
            Self::StampLater(ms) => manner.stamp(sent_ms.saturating_add_signed(ms)),
            // What is in seconds already is the number itself.
            Self::StampSeconds => (sent_ms / 1000).to_string(),
            Self::StampDate => rfc3339(sent_ms),
            Self::SetTimestamp(text) => text.to_owned(),
            Self::AddToTimestamp(more) => text.parse::<u64>().ok()?.checked_add_signed(more)?.to_string(),
            Self::SurroundTimestamp(before, after) => format!("{before}{text}{after}"),
            Self::StampWithExponent => format!("{}e3", text.parse::<u64>().ok()? / 1000),
            Self::SplitTimestamp => {
                let (first, rest) = text.split_at_checked(text.len().min(4))?;
                format!("{first} {rest}")
            }
            _ => text.to_owned(),
        })
    }
}

/// The body with another value: the year of its first date or, without one, its last letter or digit.
fn with_other_value(body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    if let Some(date) = memchr::memmem::find(&body, b"2025-") {
        body[date + 3] = b'4';
    } else if let Some(at) = body.iter().rposition(u8::is_ascii_alphanumeric) {
        body[at] = if body[at] == b'0' { b'1' } else { b'0' };
    } else {
        body.push(b' ');
    }
    body
}

/// Bytes as text, a character for each byte.
fn latin_1<S: Serializer>(bytes: &&'static [u8], to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&bytes.iter().map(|&byte| char::from(byte)).collect::<String>())
}
