//! How the values of a delivery are made: byte strings from the time, the secret, and what is fixed. A written test computes them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::Hmac;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use crate::webhook::dialect::rfc3339;
use crate::webhook::recipe::mac;

/// An expression whose value is a byte string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    Fixed(Vec<u8>),
    /// This byte, this many times.
    Repeated(u8, usize),
    Secret,
    /// The body of a delivery.
    Body(Which),
    /// The text of its timestamp header.
    Timestamp(Which),
    /// The nonce of this number, which is new in each run of the test.
    Nonce(usize),
    /// The present plus this many milliseconds.
    Time(i64, Unit),
    Join(Vec<Self>),
    Lower(Box<Self>),
    Upper(Box<Self>),
    FromHex(Box<Self>),
    FromBase64(Box<Self>),
    /// The HMAC of a text under a key.
    Mac(Algorithm, Box<Self>, Box<Self>),
    /// The SHA-256 of a text.
    Digest(Box<Self>),
    Hex(Box<Self>),
    Base64(Box<Self>),
    /// In the alphabet of URLs, without padding.
    Base64Url(Box<Self>),
    /// The bytes from here to there.
    Part(Box<Self>, usize, usize),
    /// Each hexadecimal digit moved on by this many, with 0 after f.
    Moved(Box<Self>, u8),
}

/// The two deliveries of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// The valid one before.
    Control,
    Trial,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Milliseconds,
    Seconds,
    /// A date such as `2025-01-31T12:00:00.000Z`.
    Date,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Sha256,
    Sha1,
    Sha512,
}

/// What an expression is computed from.
pub(super) struct Values<'a> {
    pub(super) now_ms: u64,
    pub(super) secret: &'a str,
    /// The body and the timestamp of the control, and those of the trial.
    pub(super) control: (&'a [u8], &'a [u8]),
    pub(super) trial: (&'a [u8], &'a [u8]),
}

impl Values<'_> {
    /// For expressions of nothing but fixed bytes.
    pub(super) const NONE: Self = Self { now_ms: 0, secret: "", control: (&[], &[]), trial: (&[], &[]) };
}

impl Expression {
    /// The value; `None` for what is not decodable, and for a nonce.
    pub(super) fn value(&self, values: &Values<'_>) -> Option<Vec<u8>> {
        let of = |inner: &Self| inner.value(values);
        let delivery = |which: &Which| match which {
            Which::Control => values.control,
            Which::Trial => values.trial,
        };
        Some(match self {
            Self::Fixed(bytes) => bytes.clone(),
            Self::Repeated(byte, times) => vec![*byte; *times],
            Self::Secret => values.secret.as_bytes().to_vec(),
            Self::Body(which) => delivery(which).0.to_vec(),
            Self::Timestamp(which) => delivery(which).1.to_vec(),
            Self::Nonce(_) => return None,
            Self::Time(offset_ms, unit) => {
                unit.text(values.now_ms.checked_add_signed(*offset_ms)?).into_bytes()
            }
            Self::Join(parts) => parts.iter().map(of).collect::<Option<Vec<_>>>()?.concat(),
            Self::Lower(text) => of(text)?.to_ascii_lowercase(),
            Self::Upper(text) => of(text)?.to_ascii_uppercase(),
            Self::FromHex(text) => const_hex::decode(of(text)?).ok()?,
            Self::FromBase64(text) => STANDARD.decode(of(text)?).ok()?,
            Self::Mac(algorithm, key, text) => algorithm.mac(&of(key)?, &of(text)?),
            Self::Digest(text) => Sha256::digest(of(text)?).to_vec(),
            Self::Hex(bytes) => const_hex::encode(of(bytes)?).into_bytes(),
            Self::Base64(bytes) => STANDARD.encode(of(bytes)?).into_bytes(),
            Self::Base64Url(bytes) => URL_SAFE_NO_PAD.encode(of(bytes)?).into_bytes(),
            Self::Part(text, from, to) => of(text)?.get(*from..*to)?.to_vec(),
            Self::Moved(text, by) => of(text)?.into_iter().map(|digit| moved(digit, *by)).collect(),
        })
    }

    /// The bytes of it from here to there.
    pub(super) fn part(&self, from: usize, to: usize) -> Self {
        Self::Part(Box::new(self.clone()), from, to)
    }

    /// Fixed bytes, with the secret where it is in them.
    pub(super) fn without(bytes: &[u8], secret: &str) -> Self {
        if secret.is_empty() {
            return Self::fixed(bytes);
        }
        let mut parts = Vec::new();
        let mut from = 0;
        for at in memchr::memmem::find_iter(bytes, secret.as_bytes()) {
            parts.extend([Self::fixed(&bytes[from..at]), Self::Secret]);
            from = at + secret.len();
        }
        parts.push(Self::fixed(&bytes[from..]));
        Self::join(parts)
    }

    /// Visits this expression and all that it is made from.
    pub(super) fn visit<'a>(&'a self, see: &mut dyn FnMut(&'a Self)) {
        see(self);
        match self {
            Self::Join(parts) => parts.iter().for_each(|part| part.visit(see)),
            Self::Mac(_, key, text) => {
                key.visit(see);
                text.visit(see);
            }
            Self::Lower(inner)
            | Self::Upper(inner)
            | Self::FromHex(inner)
            | Self::FromBase64(inner)
            | Self::Digest(inner)
            | Self::Hex(inner)
            | Self::Base64(inner)
            | Self::Base64Url(inner)
            | Self::Part(inner, ..)
            | Self::Moved(inner, _) => inner.visit(see),
            Self::Fixed(_)
            | Self::Repeated(..)
            | Self::Secret
            | Self::Body(_)
            | Self::Timestamp(_)
            | Self::Nonce(_)
            | Self::Time(..) => {}
        }
    }

    /// Fixed bytes, with a long run of one byte as what it is.
    pub(super) fn fixed(bytes: &[u8]) -> Self {
        let Some((from, to)) = longest_run(bytes) else { return Self::Fixed(bytes.to_vec()) };
        let around = [Self::Fixed(bytes[..from].to_vec()), Self::Repeated(bytes[from], to - from)];
        let parts = around.into_iter().chain([Self::Fixed(bytes[to..].to_vec())]);
        Self::join(parts.collect())
    }

    /// The parts one after the other, without empty ones.
    pub(super) fn join(parts: Vec<Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::Join(inner) => inner,
            other => vec![other],
        });
        let is_empty = |part: &Self| matches!(part, Self::Fixed(bytes) if bytes.is_empty());
        let mut parts: Vec<Self> = flat.filter(|part| !is_empty(part)).collect();
        match parts.len() {
            0 => Self::Fixed(Vec::new()),
            1 => parts.remove(0),
            _ => Self::Join(parts),
        }
    }
}

impl Unit {
    pub(super) fn text(self, ms: u64) -> String {
        match self {
            Self::Milliseconds => ms.to_string(),
            Self::Seconds => (ms / 1000).to_string(),
            Self::Date => rfc3339(ms),
        }
    }
}

impl Algorithm {
    /// The name in the libraries of every language.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha1 => "sha1",
            Self::Sha512 => "sha512",
        }
    }

    fn mac(self, key: &[u8], text: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => mac::<Hmac<Sha256>>(key, text),
            Self::Sha1 => mac::<Hmac<Sha1>>(key, text),
            Self::Sha512 => mac::<Hmac<Sha512>>(key, text),
        }
    }
}

fn moved(digit: u8, by: u8) -> u8 {
    let value = char::from(digit).to_digit(16);
    let moved = value.and_then(|value| char::from_digit((value + u32::from(by)) % 16, 16));
    moved.and_then(|digit| u8::try_from(digit).ok()).unwrap_or(digit)
}

/// The shortest run of one byte that is not written out.
const LONG: usize = 512;

/// Where the longest run of one byte is, if it is long.
fn longest_run(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut longest = (0, 0);
    let mut from = 0;
    for run in bytes.chunk_by(|one, next| one == next) {
        let to = from + run.len();
        if run.len() > longest.1 - longest.0 {
            longest = (from, to);
        }
        from = to;
    }
    (longest.1 - longest.0 >= LONG).then_some(longest)
}
