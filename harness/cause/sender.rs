//! Which wrong way of signing gives the signature that a sender sent.
//!
//! Invariant: a cause is returned only where what it says reproduces the header's value, byte for byte; and the search is
//! bounded, however long the body and however many the webhooks.

use super::spelling;
use super::{Cause, Code};
use crate::dialect::Members;
use crate::recipe::{Digest, KeyForm, Message, Recipe};
use crate::signature::{Key, Secret, Signature};

/// How far, in milliseconds, another timestamp than the header's is looked for: between two readings of a clock, or between
/// two attempts.
const NEAR_MS: u64 = 5_000;
/// About how many bytes are hashed in the search for a timestamp, and for another webhook's secret.
const HASHED: usize = 8 * 1024 * 1024;

/// Searches the known ways of signing for the one that gives `header`: under the webhook's own secret and under the others
/// that are known; over the request as it came, under another timestamp, and over the body in another spelling. Those that
/// differ from the contract in fewer respects are tried first.
///
/// `None` where the signature is right, or where nothing known gives it.
pub fn signature(
    secret: &str,
    others: &[&str],
    timestamp: &[u8],
    body: &[u8],
    header: &[u8],
) -> Option<Cause> {
    let search = Search::new(timestamp, body, header);
    if let Some(recipe) = search.recipe(secret, |_| true) {
        return Cause::of_recipe(&recipe);
    }
    let affordable = HASHED / (body.len() + 256);
    let others = &others[..others.len().min(affordable)];
    if others.iter().any(|other| {
        Recipe::GENUINE.compute(other, timestamp, body).is_some_and(|value| value.as_bytes() == header)
    }) {
        return Some(Cause::new(Code::KeyOtherWebhook));
    }
    if let Some(what) = other_timestamp(secret, timestamp, body, header, affordable) {
        return Some(Cause::detailed(Code::MessageTimestampDiffers, what));
    }
    for spelling in spelling::ALL {
        let Some(spelled) = spelling.of(body).filter(|spelled| spelled != body) else { continue };
        if let Some(recipe) = Search::new(timestamp, &spelled, header).recipe(secret, |_| true) {
            let detail = match recipe.distance() {
                0 => spelling.name.to_owned(),
                _ => format!("{}, {}", spelling.name, recipe.describe()),
            };
            return Some(Cause::detailed(Code::MessageReserialised, detail));
        }
    }
    // What is made without a secret, or with none of the webhooks', says nothing about theirs.
    let tells = |recipe: &Recipe| {
        !matches!(recipe.key, KeyForm::Other | KeyForm::Empty)
            && recipe.message != Message::TimestampAlone
            && recipe.digest != Digest::Unkeyed
    };
    let recipe = others.iter().take(affordable / 100).find_map(|other| search.recipe(other, tells))?;
    Some(Cause::detailed(Code::KeyOtherWebhook, recipe.describe()))
}

/// A request's parts, and the signature that they are to give.
struct Search<'a> {
    header: &'a [u8],
    messages: Vec<(Message, Vec<u8>)>,
    digests: Vec<Digest>,
}

impl<'a> Search<'a> {
    fn new(timestamp: &[u8], body: &[u8], header: &'a [u8]) -> Self {
        let bytes = |&message: &Message| Some((message, message.bytes(timestamp, body)?.into_owned()));
        let messages = Message::ALL.iter().filter_map(bytes).collect();
        // What the header looks like rules most of them out before anything is hashed.
        let digests = Digest::ALL.iter().copied().filter(|digest| digest.fits(header)).collect();
        Self { header, messages, digests }
    }

    /// The recipe that gives the signature under a secret, the one that differs least from the contract.
    fn recipe(&self, secret: &str, tells: impl Fn(&Recipe) -> bool) -> Option<Recipe> {
        let keys: Vec<_> = KeyForm::ALL.iter().filter_map(|&key| Some((key, key.bytes(secret)?))).collect();
        let mut found: Option<Recipe> = None;
        for (message, bytes) in &self.messages {
            for (key, key_bytes) in &keys {
                for &digest in &self.digests {
                    let recipe = Recipe { message: *message, key: *key, digest };
                    let better = found.is_none_or(|found| recipe.distance() < found.distance());
                    if better && tells(&recipe) && digest.value(key_bytes, bytes).as_bytes() == self.header {
                        found = Some(recipe);
                    }
                }
            }
        }
        found
    }
}

/// Which other timestamp than the header's was signed, if one can be found.
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
    if let Ok(members) = Members::parse(body) {
        for member in ["timestamp", "eventDate"] {
            let Some(text) = members.text(member) else { continue };
            let ms = text.parse::<jiff::Timestamp>().ok().map(|time| time.as_millisecond().to_string());
            if verifies(&text) || ms.is_some_and(|ms| verifies(&ms)) {
                return Some(format!("the body's `{member}`"));
            }
        }
    }
    let ms: u64 = std::str::from_utf8(timestamp).ok()?.parse().ok()?;
    let near = NEAR_MS.min(most as u64 / 2);
    // The nearest first.
    let (off, later) = (1..=near).flat_map(|off| [(off, true), (off, false)]).find(|&(off, later)| {
        let other = if later { ms.checked_add(off) } else { ms.checked_sub(off) };
        other.is_some_and(|other| verifies(&other.to_string()))
    })?;
    let how = match (off, later) {
        (..=50, _) => "a few milliseconds apart",
        (_, true) => "of a later time",
        (_, false) => "of an earlier time",
    };
    Some(how.to_owned())
}
