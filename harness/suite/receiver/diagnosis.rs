//! Finds which other way of signing a receiver expects, if it rejects a plain valid delivery.
//!
//! Invariant: when a way is accepted, the search ends only after trying every way that is equally near to the contract. If two
//! are accepted, both are named.

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests;

use futures_util::FutureExt as _;
use serde_json::json;

use super::key::DEFAULT_SECRETS;
use super::maker::{PLAIN_EVENT, ascii_only, with_member, with_raw_member};
use super::messages;
use super::stage::ReceiverStage;
use crate::subject::SubjectError;
use crate::suite::scenario::{Play, Scenario, Turn};
use crate::suite::transcript::{Age, Respect, ScenarioName, TimestampForm, Trial, shifted};
use crate::webhook::dialect::{self, rfc3339};
use crate::webhook::recipe::{Digest, KeyForm, Message, Misread, Recipe};
use crate::webhook::serialiser::Serialiser;
use crate::webhook::signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::wire::exchange::Delivery;

/// How many minutes are tried one by one around a timestamp that is accepted.
const BY_MINUTES: i32 = 20;

/// Other names that receivers use for the signature header.
const SIGNATURE_NAMES: &[&str] = &[
    "X-Twenty-Signature",
    "X-Webhook-Signature",
    "X-Signature",
    "X-Hub-Signature-256",
    "X-Hub-Signature",
    "X-Signature-256",
    "X-Twenty-Hmac-Sha256",
    "X-Twenty-Webhook-Hmac",
    "Twenty-Signature",
    "Webhook-Signature",
    "Signature",
];

/// Other names that receivers use for the timestamp header.
pub(super) const TIMESTAMP_NAMES: &[&str] = &[
    "X-Twenty-Timestamp",
    "X-Webhook-Timestamp",
    "X-Timestamp",
    "X-Request-Timestamp",
    "Twenty-Timestamp",
    "Webhook-Timestamp",
    "Timestamp",
];

/// Every known way of signing, tried if the plain valid delivery is rejected.
pub(super) const DIAGNOSIS: Scenario = Scenario {
    name: ScenarioName("diagnosis"),
    sends: "if valid deliveries are rejected, deliveries signed in every known wrong way, to find the one \
            that the receiver expects",
    needs: None,
    turn: Turn::Diagnosis,
    play: Play::Receiver(|stage| stage.diagnose().boxed_local()),
};

impl ReceiverStage<'_> {
    async fn diagnose(&mut self) -> Result<(), SubjectError> {
        let plain = self.send(self.maker.deliver(&self.maker.plain())).await?;
        if self.transcript.acknowledged(plain) {
            return self.diagnose_text().await;
        }
        if self.try_other_dialects().await? {
            return Ok(());
        }
        let is_specific = |recipe: &Recipe| {
            recipe.digest != Digest::Zeros && !matches!(recipe.key, KeyForm::Empty | KeyForm::Other)
        };
        let lattice: Vec<Recipe> = Recipe::lattice().into_iter().filter(is_specific).collect();
        let (near, far) = ((1..=1), (2..=2));
        let misreadings = Recipe::misreadings();
        let mut found = self.try_recipes(&lattice, near.clone()).await?;
        found |= self.try_recipes(&misreadings, near).await?;
        found |= self.try_default_secrets(Recipe::CONTRACT).await?;
        found |= self.try_timestamp_forms().await?;
        found |= self.try_header_names(&[Recipe::CONTRACT]).await?;
        if !found {
            found = self.try_recipes(&lattice, far.clone()).await?;
            found |= self.try_recipes(&misreadings, far).await?;
            found |= self.try_default_secrets(Recipe::message(Message::BodyAlone)).await?;
            found |= self.try_default_secrets(Recipe::message(Message::Separator("."))).await?;
        }
        if !found {
            found = self.try_clocks().await?;
        }
        if !found {
            let (body_alone, prefixed) = (Message::BodyAlone, Digest::Prefixed);
            self.try_header_names(&[
                Recipe::message(body_alone),
                Recipe::digest(prefixed),
                Recipe::digest(Digest::Base64),
                Recipe { digest: prefixed, ..Recipe::message(body_alone) },
            ])
            .await?;
        }
        Ok(())
    }

    /// Valid deliveries in the other dialects.
    async fn try_other_dialects(&mut self) -> Result<bool, SubjectError> {
        let mut found = false;
        for other in dialect::ALL.into_iter().filter(|one| one.name != self.maker.dialect.name) {
            let Some(event) = other.sample(PLAIN_EVENT) else { continue };
            let event = event.with_id(&self.maker.random.uuid());
            let delivery = self.maker.sign(ascii_only(&self.maker.render_as(other, &event)));
            let what = format!("a valid delivery in dialect {}", other.name);
            found |= self.try_single(what, Respect::Form(other.name), delivery).await?;
        }
        Ok(found)
    }

    /// If plain deliveries are accepted but some others are not, finds whether text beyond ASCII is changed before it is hashed, or
    /// the whole body is serialised again.
    async fn diagnose_text(&mut self) -> Result<(), SubjectError> {
        let rejected =
            |trial: &Trial| trial.respect.is_valid() && !self.transcript.acknowledged(trial.exchange);
        if !self.transcript.trials.iter().any(rejected) {
            return Ok(());
        }
        let encodings = Misread::ALL.iter().copied().filter(|misread| misread.is_encoding());
        let recipes: Vec<Recipe> =
            encodings.map(|misread| Recipe::message(Message::Misread(misread))).collect();
        self.try_recipes(&recipes, 1..=1).await?;
        let is_reserialised = |recipe: &Recipe| matches!(recipe.message, Message::Reserialised(_));
        // They have been tried if the shoulds are.
        let is_tried =
            |trial: &Trial| matches!(trial.respect, Respect::Signed(recipe) if is_reserialised(&recipe));
        if !self.transcript.trials.iter().any(is_tried) {
            let reserialised: Vec<Recipe> = Recipe::lattice().into_iter().filter(is_reserialised).collect();
            self.try_recipes(&reserialised, 1..=1).await?;
        }
        Ok(())
    }

    /// Signs in every way of the lattice that differs from the contract in this many respects.
    async fn try_recipes(
        &mut self,
        lattice: &[Recipe],
        distance: std::ops::RangeInclusive<usize>,
    ) -> Result<bool, SubjectError> {
        let mut found = false;
        for recipe in lattice.iter().filter(|recipe| distance.contains(&recipe.distance())) {
            // Each serialiser prints this member differently, which distinguishes them.
            let member = format!("\"probe\":{}", Serialiser::probe());
            let mut body = if is_probed(recipe.message) {
                self.maker.render(&with_raw_member(&self.maker.plain(), &member))
            } else {
                self.maker.render(&self.maker.plain())
            };
            if recipe.message == Message::SecretMember {
                body = with_member(&body, "secret", &json!("not a part of what is signed"));
            }
            let mut control = self.maker.control(body);
            let secret = self.maker.secret.expose();
            let Some(value) = recipe.compute(secret, control.timestamp.as_bytes(), &control.delivery.body)
            else {
                continue;
            };
            control.delivery.headers.set(SIGNATURE_HEADER, value);
            let what = format!("a delivery signed {}", recipe.describe());
            found |= self.try_single(what, Respect::Signed(*recipe), control.delivery).await?;
        }
        Ok(found)
    }

    /// Signs with the secrets that programs fall back to.
    async fn try_default_secrets(&mut self, recipe: Recipe) -> Result<bool, SubjectError> {
        let mut found = false;
        for secret in DEFAULT_SECRETS {
            let mut control = self.maker.control(self.maker.render(&self.maker.plain()));
            let value = recipe.compute(secret, control.timestamp.as_bytes(), &control.delivery.body);
            let Some(value) = value else { continue };
            control.delivery.headers.set(SIGNATURE_HEADER, value);
            let respect = Respect::DefaultSecret(secret, recipe);
            let what = format!("a delivery signed with {}", respect.describe());
            found |= self.try_single(what, respect, control.delivery).await?;
        }
        Ok(found)
    }

    /// Correctly signed deliveries whose timestamp is in another unit or form.
    async fn try_timestamp_forms(&mut self) -> Result<bool, SubjectError> {
        let now_ms = self.maker.clock.now_ms();
        let mut found = false;
        for (respect, what, timestamp) in [
            (Respect::Stale(Age::Seconds), "in seconds", (now_ms / 1000).to_string()),
            (Respect::TimestampForm(TimestampForm::IsoDate), "an ISO date", rfc3339(now_ms)),
        ] {
            let mut delivery = self.maker.deliver(&self.maker.plain());
            self.maker.date(&mut delivery, timestamp.as_bytes());
            let what = format!("a correctly signed delivery whose timestamp is {what}");
            found |= self.try_single(what, respect, delivery).await?;
        }
        Ok(found)
    }

    /// Correctly signed deliveries whose timestamp is that of a clock that is off. Once one is accepted, the bounds of the receiver's
    /// window around it are found.
    async fn try_clocks(&mut self) -> Result<bool, SubjectError> {
        for minutes in shifts() {
            for direction in [1, -1] {
                if self.try_clock(minutes * direction).await? {
                    self.find_window_around(minutes, direction).await?;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// By minutes to both sides, and outwards as far as it goes.
    async fn find_window_around(&mut self, minutes: i32, direction: i32) -> Result<(), SubjectError> {
        for nearer in ((minutes - BY_MINUTES).max(1)..minutes).rev() {
            if !self.try_clock(nearer * direction).await? {
                break;
            }
        }
        for further in minutes + 1..=minutes + BY_MINUTES {
            if !self.try_clock(further * direction).await? {
                return Ok(());
            }
        }
        for further in shifts().filter(|&further| further > minutes + BY_MINUTES) {
            if !self.try_clock(further * direction).await? {
                break;
            }
        }
        Ok(())
    }

    async fn try_clock(&mut self, minutes: i32) -> Result<bool, SubjectError> {
        let shift_ms = i64::from(minutes) * 60_000;
        let sent_ms = self.maker.clock.now_ms().saturating_add_signed(shift_ms);
        let delivery = self.maker.sign_at(self.maker.render(&self.maker.plain()), sent_ms);
        let what = messages::dated(&shifted(minutes));
        self.try_single(what, Respect::Shifted(minutes), delivery).await
    }

    /// Signature and timestamp in headers with other names.
    async fn try_header_names(&mut self, recipes: &[Recipe]) -> Result<bool, SubjectError> {
        let mut found = false;
        for &recipe in recipes {
            for &name in SIGNATURE_NAMES {
                let Some((mut delivery, value)) = self.signed_by(recipe) else { continue };
                let timestamp = delivery.headers.single(TIMESTAMP_HEADER).cloned().unwrap_or_default();
                delivery.headers.remove(SIGNATURE_HEADER);
                delivery.headers.add(name, value);
                // The timestamp has every name, so only the name of the signature decides.
                TIMESTAMP_NAMES.iter().for_each(|other| delivery.headers.add(*other, timestamp.clone()));
                let what = format!("a delivery with its signature in {name}, signed {}", recipe.describe());
                found |= self.try_single(what, Respect::Header(name, recipe), delivery).await?;
            }
            for &name in TIMESTAMP_NAMES {
                let Some((mut delivery, value)) = self.signed_by(recipe) else { continue };
                let timestamp = delivery.headers.single(TIMESTAMP_HEADER).cloned().unwrap_or_default();
                delivery.headers.set(SIGNATURE_HEADER, value);
                delivery.headers.remove(TIMESTAMP_HEADER);
                delivery.headers.add(name, timestamp);
                let what = format!("a delivery with its timestamp in {name}, signed {}", recipe.describe());
                found |= self.try_single(what, Respect::Header(name, recipe), delivery).await?;
            }
        }
        Ok(found)
    }

    fn signed_by(&self, recipe: Recipe) -> Option<(Delivery, String)> {
        let control = self.maker.control(self.maker.render(&self.maker.plain()));
        let secret = self.maker.secret.expose();
        let value = recipe.compute(secret, control.timestamp.as_bytes(), &control.delivery.body)?;
        Some((control.delivery, value))
    }

    async fn try_single(
        &mut self,
        what: String,
        respect: Respect,
        delivery: Delivery,
    ) -> Result<bool, SubjectError> {
        let id = self.send_forgery(delivery).await?;
        self.record_single(DIAGNOSIS.name, what, respect, id);
        Ok(self.transcript.acknowledged(id))
    }
}

/// By how many minutes timestamps are shifted: closely at first, then as clocks with a wrong time zone are off.
fn shifts() -> impl Iterator<Item = i32> {
    let odd_zones = [345, 525, 765];
    let zones = (3..=28).map(|half_hours| half_hours * 30);
    let mut all: Vec<i32> =
        (1..=20).chain((25..=60).step_by(5)).chain(zones).chain(odd_zones).chain([24 * 60]).collect();
    all.sort_unstable();
    all.into_iter()
}

/// Whether the probe distinguishes this message from others. Texts that are no encoding of the body are tried with a plain one, which
/// every program prints alike.
fn is_probed(message: Message) -> bool {
    !matches!(message, Message::Misread(misread) | Message::MisreadAlone(misread) if !misread.is_encoding())
}
