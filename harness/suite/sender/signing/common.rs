//! What the deliveries have in common whose signature does not match, while that of others does.
//!
//! Invariant: nothing is said that a single delivery contradicts.

use super::signed::{key_of, single};
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::events::{EVERY_EVENT, SEVERAL_WEBHOOKS};
use crate::suite::transcript::Transcript;
use crate::webhook::signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

/// Something that a body has or has not, and its name.
type Feature = (&'static str, fn(&[u8]) -> bool);

/// What bodies may have that programs print differently.
const FEATURES: &[Feature] = &[
    ("text beyond ASCII", |body| !body.is_ascii() || has_escapes_beyond_ascii(body)),
    ("<, > or &", |body| body.iter().any(|byte| b"<>&".contains(byte))),
    ("<, >, &, = or '", |body| body.iter().any(|byte| b"<>&='".contains(byte))),
    ("a slash", |body| body.contains(&b'/')),
    ("null", |body| memchr::memmem::find(body, b"null").is_some()),
];

fn has_escapes_beyond_ascii(body: &[u8]) -> bool {
    let escape = |at: usize| body.get(at..at + 6).filter(|escape| !escape.starts_with(b"\\u00"));
    memchr::memmem::find_iter(body, b"\\u").any(|at| escape(at).is_some())
}

/// What all fixed deliveries with a wrong signature have, and none with a right one.
pub(super) fn in_common(t: &Transcript) -> Option<&'static str> {
    let judged = [EVERY_EVENT.name, SEVERAL_WEBHOOKS.name].into_iter().flat_map(|scenario| {
        t.arrivals_in(scenario).filter_map(|(webhook, arrival)| verified(&Arrived::of(t, webhook, arrival)))
    });
    of_bodies(&judged.collect::<Vec<_>>())
}

/// A delivery's body, and whether its signature is right.
fn verified<'a>(arrived: &Arrived<'a>) -> Option<(&'a [u8], bool)> {
    let (signature, timestamp) =
        (single(arrived, SIGNATURE_HEADER).ok()?, single(arrived, TIMESTAMP_HEADER).ok()?);
    let body = arrived.whole_body().ok()?;
    Some((body, key_of(arrived).ok()?.verify(timestamp, body, signature)))
}

fn of_bodies(judged: &[(&[u8], bool)]) -> Option<&'static str> {
    let (right, wrong): (Vec<_>, Vec<_>) = judged.iter().partition(|(_, is_right)| *is_right);
    if right.is_empty() || wrong.is_empty() {
        return None;
    }
    let tells_apart = |(_, has): &&Feature| {
        wrong.iter().all(|(body, _)| has(body)) && !right.iter().any(|(body, _)| has(body))
    };
    FEATURES.iter().find(tells_apart).map(|(name, _)| *name)
}

/// The message with what the deliveries have in common, if anything.
pub(super) fn with_common(t: &Transcript, message: &str) -> String {
    match in_common(t) {
        Some(what) => messages::only_deliveries_with(message, what),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_tells_all_apart_is_named() {
        let of = |judged: &[(&str, bool)]| {
            of_bodies(&judged.iter().map(|(body, right)| (body.as_bytes(), *right)).collect::<Vec<_>>())
        };
        assert_eq!(of(&[("a", true), ("é", false)]), Some("text beyond ASCII"));
        assert_eq!(of(&[("a \\u0026", true), ("\\u0142", false)]), Some("text beyond ASCII"));
        assert_eq!(of(&[("a", true), ("<", false), ("b & c", false)]), Some("<, > or &"));
        assert_eq!(of(&[("a", true), ("<", false), ("it's", false)]), Some("<, >, &, = or '"));
        assert_eq!(of(&[("a", true), ("b/c", false)]), Some("a slash"));
        assert_eq!(of(&[("a", true), ("null", false)]), Some("null"));
        // One delivery contradicts it.
        assert_eq!(of(&[("ü", true), ("é", false)]), None);
        assert_eq!(of(&[("a", true), ("é", false), ("b", false)]), None);
        // All are wrong, or all are right.
        assert_eq!(of(&[("é", false)]), None);
        assert_eq!(of(&[("é", true)]), None);
    }
}
