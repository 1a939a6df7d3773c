//! Finds the wrong way of signing that gives a sender's signature.
//!
//! Invariant: a cause is returned only if it reproduces the header's value byte for byte. The search is bounded, whatever the
//! body's length and the number of webhooks.

mod messages;
mod texts;

use super::{Cause, Code};
use crate::budget::{PARSED_VALUES, SEARCHED_BODY};
use crate::webhook::dialect::Members;
use crate::webhook::json::has_at_most;
use crate::webhook::recipe::{Digest, KeyForm, Message, Messages, Recipe};
use crate::webhook::signature::{Key, Secret, Signature};

/// How many milliseconds the search for another timestamp goes from the header's: enough for two readings of a clock, or two
/// attempts.
const NEAR_MS: u64 = 5_000;
/// About how many bytes to hash in the search for a timestamp, and for another webhook's secret.
const HASHED: usize = 8 * 1024 * 1024;

/// Searches the known ways of signing for one that gives `header`. It tries the webhook's own secret and the other known ones,
/// with the unchanged request, with another timestamp, and with the reformatted body. Ways with fewer differences from the
/// contract come first.
///
/// `None` if the signature is right, or if no known way gives it.
pub fn signature(
    secret: &str,
    others: &[&str],
    timestamp: &[u8],
    body: &[u8],
    header: &[u8],
) -> Option<Cause> {
    let messages = Messages::of(timestamp, body);
    let mut found = messages.recipes(secret, header, |_| true);
    if let Some(recipe) = found.next() {
        return of_recipes(recipe, found);
    }
    drop(found);
    if let Some(recipe) = misreading(secret, timestamp, body, header) {
        return Cause::of_recipe(&recipe);
    }
    let affordable = HASHED / (body.len() + 256);
    let others = &others[..others.len().min(affordable)];
    if others.iter().any(|other| {
        Recipe::CONTRACT.compute(other, timestamp, body).is_some_and(|value| value.as_bytes() == header)
    }) {
        return Some(Cause::new(Code::KeyOtherWebhook));
    }
    if let Some(what) = other_timestamp(secret, timestamp, body, header, affordable) {
        return Some(Cause::detailed(Code::MessageTimestampDiffers, what));
    }
    if let Some(cause) = other_text(secret, timestamp, body, header) {
        return Some(cause);
    }
    // A signature made without a secret, or with an unknown one, says nothing about the other webhooks.
    let is_specific = |recipe: &Recipe| {
        !matches!(recipe.key, KeyForm::Other | KeyForm::Empty)
            && recipe.message != Message::TimestampAlone
            && recipe.digest != Digest::Unkeyed
    };
    let under_other = others.iter().take(affordable / 100);
    let under_other = under_other.flat_map(|other| messages.recipes(other, header, is_specific));
    let recipe = under_other.min_by_key(Recipe::distance)?;
    Some(Cause::detailed(Code::KeyOtherWebhook, recipe.describe()))
}

/// Searches for a change that a sender made to text beyond ASCII after it had signed the body. `record` is the JSON text of the
/// record that the sender was given.
pub fn changed_after_signing(
    secret: &str,
    timestamp: &[u8],
    body: &[u8],
    header: &[u8],
    record: &str,
) -> Option<Cause> {
    Signature::parse(header).filter(|_| body.len() <= SEARCHED_BODY)?;
    let key = Key::new(&Secret::new(secret));
    texts::changed_after_signing(body, record, &|text| key.verify(timestamp, text, header))
}

/// The text in the place of the body, or the form of the secret in a configuration file, that gives this signature.
fn misreading(secret: &str, timestamp: &[u8], body: &[u8], header: &[u8]) -> Option<Recipe> {
    Signature::parse(header).filter(|_| body.len() <= SEARCHED_BODY)?;
    let gives = |recipe: &Recipe| {
        recipe.compute(secret, timestamp, body).is_some_and(|value| value.as_bytes() == header)
    };
    Recipe::misreadings().into_iter().find(gives)
}

/// The cause, if another spelling of the body was signed, or one with fewer members.
fn other_text(secret: &str, timestamp: &[u8], body: &[u8], header: &[u8]) -> Option<Cause> {
    Signature::parse(header).filter(|_| body.len() <= SEARCHED_BODY)?;
    let key = Key::new(&Secret::new(secret));
    texts::other_text(body, &|text| key.verify(timestamp, text, header))
}

/// The timestamp that was signed instead of the header's, if it can be found. The body's time is tried last: if the body was
/// made in the millisecond of signing, that time is also the nearest to the header's.
fn other_timestamp(
    secret: &str,
    timestamp: &[u8],
    body: &[u8],
    header: &[u8],
    most: usize,
) -> Option<String> {
    Signature::parse(header)?;
    let key = Key::new(&Secret::new(secret));
    let verifies = |timestamp: &str| key.verify(timestamp.as_bytes(), body, header);
    let near = |sent: u64| {
        let most = NEAR_MS.min(most as u64 / 2);
        // The nearest first.
        let mut offsets = (1..=most).flat_map(|off| [(off, true), (off, false)]);
        offsets.find(|&(off, later)| {
            let other = if later { sent.checked_add(off) } else { sent.checked_sub(off) };
            other.is_some_and(|other| verifies(&other.to_string()))
        })
    };
    let sent = std::str::from_utf8(timestamp).ok().and_then(|text| text.parse().ok());
    if let Some((off, later)) = sent.and_then(near) {
        let how = match (off, later) {
            (..=50, _) => messages::milliseconds_apart(),
            (_, true) => messages::later_time(),
            (_, false) => messages::earlier_time(),
        };
        return Some(how.to_owned());
    }
    let members = Some(body).filter(|body| has_at_most(body, PARSED_VALUES));
    let members = Members::parse(members?).ok()?;
    ["timestamp", "eventDate"].into_iter().find_map(|member| {
        let text = members.text(member)?;
        let ms = text.parse::<jiff::Timestamp>().ok().map(|time| time.as_millisecond().to_string());
        let is_signed = verifies(&text) || ms.is_some_and(|ms| verifies(&ms));
        is_signed.then(|| messages::body_member(member))
    })
}

/// The cause for the first of several recipes. If several serialisers print this body in the same way, it names all of them.
fn of_recipes(first: Recipe, others: impl Iterator<Item = Recipe>) -> Option<Cause> {
    let Recipe { message: Message::Reserialised(serialiser), .. } = first else {
        return Cause::of_recipe(&first);
    };
    let alike = others.filter_map(|recipe| match recipe.message {
        Message::Reserialised(other) if Recipe { message: first.message, ..recipe } == first => {
            Some(other.name())
        }
        _ => None,
    });
    let names: Vec<&str> = std::iter::once(serialiser.name()).chain(alike).collect();
    match first.distance() {
        1 => Some(Cause::detailed(Code::MessageReserialised, names.join(" or "))),
        _ => Cause::of_recipe(&first),
    }
}
