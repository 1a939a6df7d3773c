//! A receiver that wants deliveries in another manner than the contract's: what is made in that manner is passed on as the contract
//! has it, with everything else that is wrong with it.
//!
//! So a receiver can have any other fault besides this one.

use bytes::Bytes;

use crate::webhook::dialect::Dialect;
use crate::webhook::manner::{Manner, Unit};
use crate::webhook::recipe::{Digest, Parsed, Recipe};
use crate::webhook::signature::{SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use crate::wire::exchange::Delivery;

/// The signatures of longer bodies are not searched for wrong recipes.
const MOST_SEARCHED: usize = 64 * 1024;

/// The delivery as the contract has it; `None` if the receiver rejects it for its form.
pub(super) fn translated(manner: &Manner, delivery: &Delivery, secret: &Secret) -> Option<Delivery> {
    let shown = Dialect::of_body(&delivery.body);
    if let (Some(wanted), Some(shown)) = (manner.dialect, shown)
        && wanted != shown.name
    {
        return None;
    }
    let own = secret.expose();
    let wanted = manner.secret.unwrap_or(own);
    let mut translated = delivery.clone();
    let take = |name: &str| -> Vec<Bytes> { delivery.headers.all(name).cloned().collect() };
    let (signatures, timestamps) = (take(manner.signature_name), take(manner.timestamp_name));
    for name in [SIGNATURE_HEADER, TIMESTAMP_HEADER] {
        translated.headers.remove(name);
    }
    let given = timestamps.first().cloned().unwrap_or_default();
    let contract = timestamp(manner, &given);
    for timestamp in &timestamps {
        let own = if *timestamp == given { contract.clone() } else { timestamp.clone() };
        translated.headers.add(TIMESTAMP_HEADER, own);
    }
    for signature in &signatures {
        let own = signature_of(manner, signature, &delivery.body, (&given, wanted), (&contract, own));
        translated.headers.add(SIGNATURE_HEADER, own);
    }
    Some(translated)
}

/// A timestamp in milliseconds of the right clock. What is no number stays as it is.
fn timestamp(manner: &Manner, given: &Bytes) -> Bytes {
    let digits = given.iter().all(u8::is_ascii_digit) && !given.starts_with(b"0");
    let number = std::str::from_utf8(given).ok().filter(|_| digits).and_then(|text| text.parse::<u64>().ok());
    let Some(number) = number else { return given.clone() };
    let ms = if manner.unit == Unit::Seconds { number.saturating_mul(1000) } else { number };
    ms.saturating_add_signed(-manner.offset_ms).to_string().into()
}

/// The signature header's value with the valid one in it, or the wrong one of a recipe, exchanged for that of the contract.
fn signature_of(
    manner: &Manner,
    given: &Bytes,
    body: &[u8],
    (timestamp, secret): (&[u8], &str),
    (contract_timestamp, contract_secret): (&[u8], &str),
) -> Bytes {
    let wanted = manner.signature(secret, timestamp, body);
    let right = Recipe::CONTRACT.value(contract_secret, contract_timestamp, body);
    if wanted == right {
        return given.clone();
    }
    if let Some(exchanged) = exchanged(given, &wanted, &right) {
        return exchanged;
    }
    // What the contract has is wrong here.
    for right in [&right, &right.to_ascii_uppercase()] {
        if let Some(exchanged) = exchanged(given, right, &"0".repeat(64)) {
            return exchanged;
        }
    }
    // The contract allows uppercase digits, so they would be right.
    let is_wrong = |recipe: &Recipe| recipe.distance() == 1 && recipe.digest != Digest::Uppercase;
    let recipes = Recipe::lattice().into_iter().filter(is_wrong);
    let parsed = Parsed::new();
    // Of long bodies only valid deliveries are sent.
    for recipe in recipes.take_while(|_| body.len() <= MOST_SEARCHED) {
        let of = |recipe: Recipe, secret: &str, timestamp: &[u8]| {
            let is_possible = recipe.digest.looks_like(given);
            is_possible.then(|| recipe.compute_with(secret, timestamp, body, &parsed)).flatten()
        };
        let value = of(recipe.over(manner.recipe), secret, timestamp);
        if value.is_some_and(|value| value.as_bytes() == &**given) {
            let own = recipe.compute_with(contract_secret, contract_timestamp, body, &parsed);
            return own.map_or_else(|| given.clone(), Bytes::from);
        }
        let own = of(recipe, contract_secret, contract_timestamp);
        if own.is_some_and(|own| own.as_bytes() == &**given) {
            return "0".repeat(64).into();
        }
    }
    given.clone()
}

/// Puts `new` instead of `old`, if the text has it.
fn exchanged(text: &[u8], old: &str, new: &str) -> Option<Bytes> {
    let at = text.windows(old.len()).position(|window| window == old.as_bytes())?;
    Some([&text[..at], new.as_bytes(), &text[at + old.len()..]].concat().into())
}
