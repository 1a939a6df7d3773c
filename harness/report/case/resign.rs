//! Signs a saved case again: the same delivery, age and way of signing, with a new timestamp.
//!
//! Only timestamps, signatures and nonces change. A value of unknown origin is left unchanged; if that could mislead, the
//! result says so.

use std::fmt;
use std::ops::Range;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::Case;
use super::edited::edited;
use super::expression::{Expression, Values};
use crate::budget::SEARCHED;
use crate::report::messages;
use crate::suite::replay::ReplayDeliveries;
use crate::webhook::dialect::rfc3339;
use crate::webhook::recipe::Messages;
use crate::webhook::signature::{Key, NONCE_HEADER, SIGNATURE_HEADER, Secret, Signature, TIMESTAMP_HEADER};
use crate::wire::exchange::{Delivery, Headers};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// For how many characters of the secret to try keys with that character missing or in the other case.
const LONGEST_SECRET: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resigned {
    pub deliveries: ReplayDeliveries,
    pub doubt: Option<Doubt>,
}

/// Why a delivery that was signed again may differ from the saved one in more than its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Its controls have another secret, so its way of signing is unknown.
    OtherSecret,
    /// No known way of signing gives its signature.
    UnknownSignature,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherSecret => messages::other_secret(),
            Self::UnknownSignature => messages::unknown_signature(),
        })
    }
}

/// The case, signed again for this time.
pub fn resigned(case: &Case, secret: &Secret, now_ms: u64) -> Resigned {
    let key = Key::new(secret);
    let control = case.controls.first().cloned();
    let trial = case.trial.clone();
    let old_control = control.as_ref().map(Signed::of);
    let old_ms = old_control.as_ref().and_then(|control| number(&control.timestamp)).unwrap_or(case.at_ms);
    let before = control.as_ref().map(|control| valid(control, &key, now_ms));
    let new_control = before.as_ref().map(Signed::of);

    let mut new = trial.clone();
    each(&mut new.headers, TIMESTAMP_HEADER, |value| match (&old_control, &new_control) {
        (Some(old), Some(new)) if old.timestamp == value => new.timestamp.clone(),
        _ => moved(value, old_ms, now_ms),
    });
    renew_nonces(&mut new.headers, now_ms);
    let pairs = old_control.zip(new_control);
    let signing = Signing {
        known: pairs.as_ref().is_some_and(|(old, _)| key.verify(&old.timestamp, &old.body, &old.signature)),
        pairs,
        old: Signed::of(&trial),
        new: Signed::of(&new),
        other_keys: other_keys(case, secret),
        key,
        secret,
    };
    let mut unclear = false;
    each(&mut new.headers, SIGNATURE_HEADER, |value| {
        signing.renewed(value).unwrap_or_else(|| {
            unclear |= could_be_digest(value);
            value.to_vec()
        })
    });
    // Arbitrary digits need not be renewed.
    let arbitrary = ["digits", "surrounded"].iter().any(|respect| case.respect.get(respect).is_some());
    let doubt = (unclear && !arbitrary).then_some(if signing.known {
        Doubt::UnknownSignature
    } else {
        Doubt::OtherSecret
    });
    let after = case.controls.last().map(|control| valid(control, &signing.key, now_ms + 1));
    Resigned { deliveries: ReplayDeliveries { before, trial: new, after }, doubt }
}

/// A control, signed for this time.
fn valid(delivery: &Delivery, key: &Key, now_ms: u64) -> Delivery {
    let mut delivery = delivery.clone();
    let timestamp = now_ms.to_string().into_bytes();
    let signature = key.sign(&timestamp, &delivery.body).to_hex().into_bytes();
    each(&mut delivery.headers, TIMESTAMP_HEADER, |_| timestamp.clone());
    each(&mut delivery.headers, SIGNATURE_HEADER, |_| signature.clone());
    renew_nonces(&mut delivery.headers, now_ms);
    delivery
}

/// Changes the value of each header with this name.
fn each(headers: &mut Headers, name: &str, mut change: impl FnMut(&[u8]) -> Vec<u8>) {
    for (other, value) in &mut headers.0 {
        if other.eq_ignore_ascii_case(name) {
            *value = change(value).into();
        }
    }
}

/// Replaces nonces: equal ones stay equal, different ones different. Other values stay.
fn renew_nonces(headers: &mut Headers, now_ms: u64) {
    each(headers, NONCE_HEADER, |value| {
        if value.len() != 32 || !value.iter().all(u8::is_ascii_hexdigit) {
            return value.to_vec();
        }
        let digest = Sha256::new().chain_update(value).chain_update(now_ms.to_le_bytes()).finalize();
        const_hex::encode(&digest[..16]).into_bytes()
    });
}

/// The timestamp moved to now, with the same age and form. A value without a time stays.
fn moved(value: &[u8], old_ms: u64, now_ms: u64) -> Vec<u8> {
    if !value.is_empty() && value.iter().all(u8::is_ascii_digit) {
        return shifted(value, old_ms, now_ms).unwrap_or_else(|| value.to_vec());
    }
    if let Some(ms) = std::str::from_utf8(value).ok().and_then(read_rfc3339) {
        let ms = i128::from(now_ms) + i128::from(ms) - i128::from(old_ms);
        return u64::try_from(ms).map_or_else(|_| value.to_vec(), |ms| rfc3339(ms).into_bytes());
    }
    // Digits with something between them.
    let places: Vec<usize> = (0..value.len()).filter(|&at| value[at].is_ascii_digit()).collect();
    let digits: Vec<u8> = places.iter().map(|&at| value[at]).collect();
    if let Some(new) = shifted_near(&digits, old_ms, now_ms).filter(|new| new.len() == digits.len()) {
        let mut moved = value.to_vec();
        places.into_iter().zip(new).for_each(|(at, digit)| moved[at] = digit);
        return moved;
    }
    // Digits with something before or after them.
    let run = runs(value).find_map(|run| Some((run.clone(), shifted_near(&value[run], old_ms, now_ms)?)));
    match run {
        Some((run, new)) => [&value[..run.start], &new, &value[run.end..]].concat(),
        None => value.to_vec(),
    }
}

/// Digits, moved by the time that has passed. Leading zeros stay.
fn shifted(digits: &[u8], old_ms: u64, now_ms: u64) -> Option<Vec<u8>> {
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    let old = number(&digits[zeros..])?;
    let by = if is_seconds(old, old_ms) {
        i128::from(now_ms / 1000) - i128::from(old_ms / 1000)
    } else {
        i128::from(now_ms) - i128::from(old_ms)
    };
    let new = u64::try_from(i128::from(old) + by).ok()?;
    Some([&digits[..zeros], new.to_string().as_bytes()].concat())
}

/// The same if they are a time within a day of the old one.
fn shifted_near(digits: &[u8], old_ms: u64, now_ms: u64) -> Option<Vec<u8>> {
    let old = number(digits)?;
    let old = if is_seconds(old, old_ms) { old.saturating_mul(1000) } else { old };
    (old.abs_diff(old_ms) <= DAY_MS).then(|| shifted(digits, old_ms, now_ms)).flatten()
}

/// Whether a number is a time in seconds near one in milliseconds.
fn is_seconds(number: u64, ms: u64) -> bool {
    number.saturating_mul(1000).abs_diff(ms) <= 2 * DAY_MS
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?
        .parse()
        .ok()
}

/// The ranges of adjacent digits.
fn runs(value: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + value[from..].iter().position(u8::is_ascii_digit)?;
        let length = value[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        from = start + length;
        Some(start..from)
    })
}

/// The time of a text in the suite's own date format.
pub(super) fn read_rfc3339(text: &str) -> Option<u64> {
    let ms = u64::try_from(text.parse::<Timestamp>().ok()?.as_millisecond()).ok()?;
    (rfc3339(ms) == text).then_some(ms)
}

/// The default secret that a case says it is signed with.
pub(super) fn default_secret(case: &Case) -> Option<&str> {
    // The key, or the key and how it signs.
    let named = case.respect.get("default-secret")?;
    named.as_str().or_else(|| named.get(0)?.as_str())
}

/// Keys that the delivery may be signed with, in addition to the secret and the keys of recipes.
fn other_keys(case: &Case, secret: &Secret) -> Vec<String> {
    let named = default_secret(case).map(str::to_owned);
    let secret = secret.expose();
    let characters = || secret.char_indices().take(LONGEST_SECRET);
    let without = characters()
        .map(|(at, character)| format!("{}{}", &secret[..at], &secret[at + character.len_utf8()..]));
    let other_case = characters().map(|(at, character)| {
        let other = if character.is_ascii_lowercase() {
            character.to_ascii_uppercase()
        } else {
            character.to_ascii_lowercase()
        };
        format!("{}{other}{}", &secret[..at], &secret[at + character.len_utf8()..])
    });
    let longer = (' '..='~').map(|character| format!("{secret}{character}"));
    named.into_iter().chain(without).chain(other_case).chain(longer).chain([secret.repeat(2)]).collect()
}

struct Signed {
    timestamp: Vec<u8>,
    signature: Vec<u8>,
    body: bytes::Bytes,
}

impl Signed {
    fn of(delivery: &Delivery) -> Self {
        let first = |name| delivery.headers.all(name).next().map(|value| value.to_vec()).unwrap_or_default();
        Self {
            timestamp: first(TIMESTAMP_HEADER),
            signature: first(SIGNATURE_HEADER),
            body: delivery.body.clone(),
        }
    }
}

/// The inputs of a new signature.
struct Signing<'a> {
    secret: &'a Secret,
    key: Key,
    other_keys: Vec<String>,
    /// The saved control and the new one.
    pairs: Option<(Signed, Signed)>,
    /// The saved delivery, and the new one without its signature.
    old: Signed,
    new: Signed,
    /// Whether the control was signed with this secret.
    known: bool,
}

impl Signing<'_> {
    /// The value for the new delivery that corresponds to this value of the old one.
    fn renewed(&self, value: &[u8]) -> Option<Vec<u8>> {
        if let Some((_, new)) = self.pairs.as_ref().filter(|(old, _)| old.signature == value) {
            return Some(new.signature.clone());
        }
        let inputs =
            || [(&self.old, &self.new)].into_iter().chain(self.pairs.as_ref().map(|(old, new)| (old, new)));
        let mut digits = Vec::new();
        for (old, new) in inputs() {
            let [old, new] = [old, new].map(|one| self.key.sign(&one.timestamp, &one.body));
            if Signature::parse(value) == Some(old) && value == old.to_hex().as_bytes() {
                return Some(new.to_hex().into_bytes());
            }
            digits.push((old.to_hex().into_bytes(), new.to_hex().into_bytes()));
        }
        if value.is_empty() {
            return None;
        }
        // The control's own digits first: most edits change those.
        if let Some((old, new)) = &self.pairs {
            digits.insert(0, (old.signature.clone(), new.signature.clone()));
        }
        inputs()
            .find_map(|(old, new)| self.by_recipe(value, old, new))
            .or_else(|| digits.iter().find_map(|(old, new)| again(value, old, new)))
            .or_else(|| self.by_other_key(value))
    }

    fn by_recipe(&self, value: &[u8], old: &Signed, new: &Signed) -> Option<Vec<u8>> {
        let secret = self.secret.expose();
        let recipe = Messages::of(&old.timestamp, &old.body).recipes(secret, value, |_| true).next()?;
        recipe.compute(secret, &new.timestamp, &new.body).map(String::into_bytes)
    }

    fn by_other_key(&self, value: &[u8]) -> Option<Vec<u8>> {
        Signature::parse(value)?;
        // A long body is hashed with a few keys.
        let affordable = SEARCHED / (self.old.body.len() + 256);
        self.other_keys.iter().take(affordable).find_map(|other| {
            let key = Key::new(&Secret::new(other.as_str()));
            let sign = |one: &Signed| key.sign(&one.timestamp, &one.body).to_hex().into_bytes();
            (sign(&self.old) == value).then(|| sign(&self.new))
        })
    }
}

/// The new digits with what was done to the old ones; `None` if the value is unrelated to them.
fn again(value: &[u8], old: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    if old.len() != new.len() {
        return None;
    }
    edited(value, old, &Expression::Fixed(new.to_vec()))?.value(&Values::NONE)
}

/// Whether a value looks like a digest.
fn could_be_digest(value: &[u8]) -> bool {
    let coded = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte);
    let is_varied = value.iter().any(|byte| *byte != value[0]);
    value.len() >= 32 && value.iter().all(coded) && is_varied
}
