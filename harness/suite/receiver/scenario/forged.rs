//! What a receiver must not acknowledge: deliveries that were altered, or signed in another way.
//!
//! Invariant: each is made from the twin that was sent right before it, and differs from it in one respect.

use bytes::Bytes;
use serde_json::{Value, json};

use super::case::{Case, Change};
use super::maker::with_member;
use crate::suite::transcript::{Respect, ScenarioName};
use crate::webhook::event::raw;
use crate::webhook::recipe::{Digest, KeyForm, Message, Recipe};
use crate::webhook::signature::{Key, NONCE_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};

/// The fixed cases of a scenario.
pub(crate) fn cases(scenario: ScenarioName) -> Vec<Case<'static>> {
    match scenario.0 {
        "altered-content" => ALTERED_CONTENT.iter().map(altered).collect(),
        "altered-timestamp" => ALTERED_TIMESTAMP.iter().map(altered).collect(),
        "wrong-key" => {
            WRONG_KEYS.map(Recipe::key).map(signed).into_iter().chain(DEFAULT_SECRETS.map(default)).collect()
        }
        "missing-header" => {
            changed(Respect::Unsigned, UNSIGNED).chain(changed(Respect::Undated, UNDATED)).collect()
        }
        "other-message" => {
            let mut cases: Vec<_> = OTHER_MESSAGES.map(Recipe::message).map(signed).into();
            cases.push(borrowed());
            cases
        }
        "other-digest" => OTHER_DIGESTS
            .map(Recipe::digest)
            .map(signed)
            .into_iter()
            .chain([0, 63].map(other_digit))
            .collect(),
        _ => Vec::new(),
    }
}

fn changed(
    respect: Respect,
    changes: &'static [(&'static str, Change)],
) -> impl Iterator<Item = Case<'static>> {
    changes.iter().map(move |(what, change)| Case::forged(*what, respect, change))
}

fn altered(&(what, respect, change): &(&'static str, Respect, Change)) -> Case<'static> {
    Case::forged(what, respect, change)
}

/// A delivery signed by a recipe; none where that says nothing under this secret (one that is not hexadecimal cannot be
/// decoded).
fn signed(recipe: Recipe) -> Case<'static> {
    let what = format!("a delivery signed {}", recipe.describe());
    Case::forged(what, Respect::Signed(recipe), move |maker, delivery, timestamp| {
        let value = recipe.compute(maker.secret.expose(), timestamp.as_bytes(), &delivery.body)?;
        delivery.headers.set(SIGNATURE_HEADER, value);
        Some(())
    })
}

/// A delivery with one digit of its signature changed.
fn other_digit(at: usize) -> Case<'static> {
    let what = format!("a delivery with digit {} of its signature changed", at + 1);
    Case::forged(what, Respect::Digits("one digit"), move |_, delivery, _| {
        let mut digits = delivery.headers.single(SIGNATURE_HEADER)?.to_vec();
        let digit = digits.get_mut(at)?;
        *digit = if *digit == b'0' { b'1' } else { b'0' };
        delivery.headers.set(SIGNATURE_HEADER, digits);
        Some(())
    })
}

/// A delivery signed under a secret that programs fall back to; none where that is the secret.
fn default(secret: &'static str) -> Case<'static> {
    let what = format!("a delivery signed under the default secret {secret:?}");
    Case::forged(what, Respect::DefaultSecret(secret), move |maker, delivery, timestamp| {
        if maker.secret.expose() == secret {
            return None;
        }
        let signature = Key::new(&Secret::new(secret)).sign(timestamp.as_bytes(), &delivery.body);
        delivery.headers.set(SIGNATURE_HEADER, signature.to_hex());
        Some(())
    })
}

/// A delivery with timestamp and signature of another one.
fn borrowed() -> Case<'static> {
    let what = "a delivery with timestamp and signature of another delivery";
    Case::behind(what, Respect::Borrowed, |maker, control| {
        let mut delivery = maker.deliver(&maker.plain());
        for name in [TIMESTAMP_HEADER, SIGNATURE_HEADER] {
            delivery.headers.set(name, control.delivery.headers.single(name)?.clone());
        }
        Some(delivery)
    })
    .refused()
}

const ALTERED_CONTENT: &[(&str, Respect, Change)] = &[
    ("a delivery with a value changed behind the signature", Respect::Content("values"), |_, delivery, _| {
        let text = std::str::from_utf8(&delivery.body).ok()?;
        // A digit of the record's createdAt, which every plain record has: the form of the body stays as it is.
        let changed = text.replacen("2025-", "2024-", 1);
        (changed != text).then(|| delivery.body = Bytes::from(changed))
    }),
    (
        "a delivery with a member added behind the signature",
        Respect::Content("added members"),
        |_, delivery, _| {
            delivery.body = with_member(&delivery.body, "admin", &json!(true));
            Some(())
        },
    ),
    (
        "a delivery with a member `secret` added behind the signature",
        Respect::SecretMember,
        |_, delivery, _| {
            delivery.body = with_member(&delivery.body, "secret", &json!("let me in"));
            Some(())
        },
    ),
    (
        "a delivery with a member taken away behind the signature",
        Respect::Content("missing members"),
        |_, delivery, _| {
            let mut value: Value = serde_json::from_slice(&delivery.body).ok()?;
            let members = value.as_object_mut()?;
            let last = members.keys().next_back()?.clone();
            members.shift_remove(&last)?;
            delivery.body = Bytes::from(raw(&value).get().to_owned());
            Some(())
        },
    ),
    (
        "a delivery with its last bytes cut off behind the signature",
        Respect::Content("the end"),
        |_, delivery, _| {
            delivery.body.truncate(delivery.body.len().checked_sub(2)?);
            Some(())
        },
    ),
];

const ALTERED_TIMESTAMP: &[(&str, Respect, Change)] = &[
    (
        "a delivery whose timestamp is a millisecond later than the signed one",
        Respect::Timestamp("later"),
        |_, delivery, timestamp| {
            delivery.headers.set(TIMESTAMP_HEADER, (timestamp.parse::<u64>().ok()? + 1).to_string());
            Some(())
        },
    ),
    (
        "a delivery whose timestamp is a minute earlier than the signed one",
        Respect::Timestamp("earlier"),
        |_, delivery, timestamp| {
            delivery.headers.set(TIMESTAMP_HEADER, (timestamp.parse::<u64>().ok()? - 60_000).to_string());
            Some(())
        },
    ),
    (
        "a delivery whose timestamp has a zero before it that was not signed",
        Respect::Timestamp("zeros"),
        |_, delivery, timestamp| {
            delivery.headers.set(TIMESTAMP_HEADER, format!("0{timestamp}"));
            Some(())
        },
    ),
];

const WRONG_KEYS: [KeyForm; 8] = [
    KeyForm::TrailingNewline,
    KeyForm::Other,
    KeyForm::Empty,
    KeyForm::HexDecoded,
    KeyForm::Base64Decoded,
    KeyForm::Trimmed,
    KeyForm::Uppercase,
    KeyForm::Lowercase,
];

/// What programs use where no secret is configured. The last two are what a missing variable becomes as text.
pub(crate) const DEFAULT_SECRETS: [&str; 12] = [
    "secret",
    "changeme",
    "change-me",
    "test",
    "test-secret",
    "dev-secret",
    "default-secret",
    "webhook-secret",
    "your-webhook-secret",
    "your_webhook_secret",
    "undefined",
    "None",
];

const UNSIGNED: &[(&str, Change)] = &[
    ("a delivery without a signature", |_, delivery, _| {
        delivery.headers.remove(SIGNATURE_HEADER);
        Some(())
    }),
    ("a delivery with an empty signature", |_, delivery, _| {
        delivery.headers.set(SIGNATURE_HEADER, "");
        Some(())
    }),
    ("a delivery with neither signature nor timestamp", |_, delivery, _| {
        for name in [SIGNATURE_HEADER, TIMESTAMP_HEADER, NONCE_HEADER] {
            delivery.headers.remove(name);
        }
        Some(())
    }),
];

const UNDATED: &[(&str, Change)] = &[
    ("a delivery without a timestamp", |_, delivery, _| {
        delivery.headers.remove(TIMESTAMP_HEADER);
        Some(())
    }),
    ("a delivery without a timestamp, signed as if it were empty", |maker, delivery, _| {
        delivery.headers.remove(TIMESTAMP_HEADER);
        delivery.headers.set(SIGNATURE_HEADER, maker.key.sign(b"", &delivery.body).to_hex());
        Some(())
    }),
    ("a delivery with an empty timestamp, signed so", |maker, delivery, _| {
        delivery.headers.set(TIMESTAMP_HEADER, "");
        delivery.headers.set(SIGNATURE_HEADER, maker.key.sign(b"", &delivery.body).to_hex());
        Some(())
    }),
];

const OTHER_MESSAGES: [Message; 6] = [
    Message::BodyAlone,
    Message::TimestampAlone,
    Message::Separator("."),
    Message::Separator(""),
    Message::DoubleStringified { ascii: false },
    Message::Part,
];

const OTHER_DIGESTS: [Digest; 6] =
    [Digest::Sha1, Digest::Sha512, Digest::Unkeyed, Digest::Base64, Digest::Truncated, Digest::Zeros];
