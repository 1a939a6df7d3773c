//! What a receiver must not acknowledge: deliveries that were altered, or signed in another way.
//!
//! Invariant: each is made from the twin that was sent right before it, and differs from it in one respect.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Change, Stage, with_member};
use crate::event::raw;
use crate::exchange::Delivery;
use crate::recipe::{Digest, KeyForm, Message, Recipe};
use crate::signature::{NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::subject::SubjectError;
use crate::transcript::{Respect, Scenario};

impl Stage<'_> {
    /// Sends every negative of a scenario, each between its twins.
    pub(super) async fn negatives_of(&mut self, scenario: Scenario) -> Result<(), SubjectError> {
        match scenario {
            Scenario::AlteredContent => self.changed(scenario, Respect::Content, ALTERED_CONTENT).await,
            Scenario::AlteredTimestamp => self.changed(scenario, Respect::Timestamp, ALTERED_TIMESTAMP).await,
            Scenario::WrongKey => self.forged(scenario, &WRONG_KEYS.map(Recipe::key)).await,
            Scenario::MissingHeader => {
                self.changed(scenario, Respect::Unsigned, UNSIGNED).await?;
                self.changed(scenario, Respect::Undated, UNDATED).await
            }
            Scenario::OtherMessage => {
                self.forged(scenario, &OTHER_MESSAGES.map(Recipe::message)).await?;
                self.borrowed(scenario).await
            }
            Scenario::OtherDigest => self.forged(scenario, &OTHER_DIGESTS.map(Recipe::digest)).await,
            _ => self.strict_negatives_of(scenario).await,
        }
    }

    /// Sends each change of a twin between that twin and the next.
    async fn changed(
        &mut self,
        scenario: Scenario,
        respect: Respect,
        changes: &[(&str, Change)],
    ) -> Result<(), SubjectError> {
        for (what, change) in changes {
            self.negative(scenario, respect, (*what).to_owned(), change).await?;
        }
        Ok(())
    }

    /// Sends a delivery for each recipe, but for those that say nothing under this secret (one that is not hexadecimal
    /// cannot be decoded).
    async fn forged(&mut self, scenario: Scenario, recipes: &[Recipe]) -> Result<(), SubjectError> {
        let secret = self.subject.secret().clone();
        for recipe in recipes {
            let change = |_: &Stage<'_>, delivery: &mut Delivery, timestamp: &str| {
                let value = recipe.compute(secret.expose(), timestamp.as_bytes(), &delivery.body)?;
                delivery.headers.set(SIGNATURE_HEADER, value);
                Some(())
            };
            let what = format!("a delivery signed {}", recipe.describe());
            self.negative(scenario, Respect::Signed(*recipe), what, change).await?;
        }
        Ok(())
    }

    /// Sends a delivery with timestamp and signature of another one that went before it.
    async fn borrowed(&mut self, scenario: Scenario) -> Result<(), SubjectError> {
        let other = self.send_event(&self.plain()).await?.delivery;
        let change = |_: &Stage<'_>, delivery: &mut Delivery, _: &str| {
            for name in [TIMESTAMP_HEADER, SIGNATURE_HEADER] {
                delivery.headers.set(name, other.headers.single(name)?.clone());
            }
            Some(())
        };
        let what = "a delivery with timestamp and signature of another delivery".to_owned();
        self.negative(scenario, Respect::Borrowed, what, change).await
    }

    /// Where the plain genuine delivery is refused: one delivery for each way of signing that is wrong in one or two
    /// respects.
    pub(super) async fn diagnose(&mut self) -> Result<(), SubjectError> {
        let plain = self.plain();
        let twin = self.send_event(&plain).await?.id;
        if self.transcript.acknowledged(twin) {
            return Ok(());
        }
        let secret = self.subject.secret().clone();
        let telling = |recipe: &Recipe| {
            (1..=2).contains(&recipe.distance())
                && recipe.digest != Digest::Zeros
                && !matches!(recipe.key, KeyForm::Empty | KeyForm::Other)
        };
        for recipe in Recipe::lattice().into_iter().filter(telling) {
            let (mut delivery, timestamp) = self.sign(self.render(&self.plain()));
            let Some(value) = recipe.compute(secret.expose(), timestamp.as_bytes(), &delivery.body) else {
                continue;
            };
            delivery.headers.set(SIGNATURE_HEADER, value);
            let id = self.send(delivery).await?;
            let what = format!("a delivery signed {}", recipe.describe());
            self.write(Scenario::Diagnosis, what, Respect::Signed(recipe), id, []);
            if self.transcript.acknowledged(id) {
                break;
            }
        }
        Ok(())
    }
}

const ALTERED_CONTENT: &[(&str, Change)] = &[
    ("a delivery with a value changed behind the signature", |_, delivery, _| {
        let text = std::str::from_utf8(&delivery.body).ok()?;
        // A digit of the record's createdAt, which every plain record has: the form of the body stays as it is.
        let changed = text.replacen("2025-", "2024-", 1);
        (changed != text).then(|| delivery.body = Bytes::from(changed))
    }),
    ("a delivery with a member added behind the signature", |_, delivery, _| {
        delivery.body = with_member(&delivery.body, "admin", &json!(true));
        Some(())
    }),
    ("a delivery with a member `secret` added behind the signature", |_, delivery, _| {
        delivery.body = with_member(&delivery.body, "secret", &json!("let me in"));
        Some(())
    }),
    ("a delivery with a member taken away behind the signature", |_, delivery, _| {
        let mut value: Value = serde_json::from_slice(&delivery.body).ok()?;
        let members = value.as_object_mut()?;
        let last = members.keys().next_back()?.clone();
        members.shift_remove(&last)?;
        delivery.body = Bytes::from(raw(&value).get().to_owned());
        Some(())
    }),
    ("a delivery with its last bytes cut off behind the signature", |_, delivery, _| {
        delivery.body.truncate(delivery.body.len().checked_sub(2)?);
        Some(())
    }),
];

const ALTERED_TIMESTAMP: &[(&str, Change)] = &[
    ("a delivery whose timestamp is a millisecond later than the signed one", |_, delivery, timestamp| {
        delivery.headers.set(TIMESTAMP_HEADER, (timestamp.parse::<u64>().ok()? + 1).to_string());
        Some(())
    }),
    ("a delivery whose timestamp is a minute earlier than the signed one", |_, delivery, timestamp| {
        delivery.headers.set(TIMESTAMP_HEADER, (timestamp.parse::<u64>().ok()? - 60_000).to_string());
        Some(())
    }),
    ("a delivery whose timestamp has a zero before it that was not signed", |_, delivery, timestamp| {
        delivery.headers.set(TIMESTAMP_HEADER, format!("0{timestamp}"));
        Some(())
    }),
];

const WRONG_KEYS: [KeyForm; 7] = [
    KeyForm::Other,
    KeyForm::Empty,
    KeyForm::HexDecoded,
    KeyForm::Base64Decoded,
    KeyForm::Trimmed,
    KeyForm::Uppercase,
    KeyForm::Lowercase,
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
    ("a delivery without a timestamp, signed as if it were empty", |stage, delivery, _| {
        delivery.headers.remove(TIMESTAMP_HEADER);
        delivery.headers.set(SIGNATURE_HEADER, stage.key.sign(b"", &delivery.body).to_hex());
        Some(())
    }),
    ("a delivery with an empty timestamp, signed so", |stage, delivery, _| {
        delivery.headers.set(TIMESTAMP_HEADER, "");
        delivery.headers.set(SIGNATURE_HEADER, stage.key.sign(b"", &delivery.body).to_hex());
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
