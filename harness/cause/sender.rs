//! Which wrong way of signing gives the signature that a sender sent.
//!
//! Invariant: a cause is returned only where its recipe reproduces the header's value, byte for byte.

use super::{Cause, Code};
use crate::recipe::{Digest, KeyForm, Message, Recipe};

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
    let lattice = Recipe::lattice();
    let gives = |secret: &str, recipe: &Recipe| {
        recipe.compute(secret, timestamp, body).is_some_and(|value| value.as_bytes() == header)
    };
    if let Some(recipe) = lattice.iter().find(|recipe| gives(secret, recipe)) {
        return Cause::of_recipe(recipe);
    }
    let under_other = |recipe: &&Recipe| others.iter().any(|other| gives(other, recipe));
    let recipe = lattice
        .iter()
        .filter(|recipe| !matches!(recipe.key, KeyForm::Other | KeyForm::Empty))
        .filter(|recipe| recipe.message != Message::TimestampAlone && recipe.digest != Digest::Unkeyed)
        .find(under_other)?;
    Some(match recipe.distance() {
        0 => Cause::new(Code::KeyOtherWebhook),
        _ => Cause::detailed(Code::KeyOtherWebhook, recipe.describe()),
    })
}
