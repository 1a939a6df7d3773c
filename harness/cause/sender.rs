//! Which wrong way of signing gives the signature that a sender sent.
//!
//! Invariant: a cause is returned only where its recipe reproduces the header's value, byte for byte.

use super::{Cause, Code};
use crate::recipe::{Digest, KeyForm, Message, Messages, Recipe};

/// Searches the lattice of recipes for the one that gives `header`, under the webhook's own secret and then under the
/// others that are known; those that differ from the contract in fewer respects are tried first.
///
/// `None` where the signature is right, or where nothing known gives it.
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
    let telling = |recipe: &Recipe| {
        !matches!(recipe.key, KeyForm::Other | KeyForm::Empty)
            && recipe.message != Message::TimestampAlone
            && recipe.digest != Digest::Unkeyed
    };
    let under_other = others.iter().flat_map(|other| messages.recipes(other, header, telling));
    let recipe = under_other.min_by_key(Recipe::distance)?;
    Some(match recipe.distance() {
        0 => Cause::new(Code::KeyOtherWebhook),
        _ => Cause::detailed(Code::KeyOtherWebhook, recipe.describe()),
    })
}

/// The cause that the first of some recipes is. Where serialisers print this body alike, all of them are named.
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
