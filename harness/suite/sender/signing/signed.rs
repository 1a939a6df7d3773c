//! What the checks on signatures share: the headers' values, the webhook's key, and the cause of a mismatch.
//!
//! Invariant: the bytes that arrived are verified, with the secret that the webhook was registered with.

use crate::suite::cause::{Cause, sender};
use crate::suite::requirement::Verdict;
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::messages;
use crate::terminal::quoted;
use crate::webhook::signature::{Key, Secret};

/// The value of a header. Inconclusive if it is missing or repeated: SIG-1 and SIG-2 judge that.
pub(super) fn single<'a>(arrived: &Arrived<'a>, name: &str) -> Result<&'a [u8], Verdict> {
    let value = arrived.exchange.delivery.headers.single(name);
    value.map(|value| &**value).ok_or_else(|| Verdict::Inconclusive(messages::missing_or_repeated(name)))
}

/// A header's value in quotes.
pub(super) fn shown(value: &[u8]) -> String {
    quoted(value)
}

/// The key of the delivery's webhook. Only webhooks for unsigned deliveries have none.
pub(super) fn key_of(arrived: &Arrived<'_>) -> Result<Key, Verdict> {
    let secret = arrived.webhook.secret.as_ref();
    secret.map(Key::new).ok_or_else(|| Verdict::Inconclusive(messages::no_secret().to_owned()))
}

/// Whether the delivery is signed correctly with the secret of another webhook.
pub(super) fn is_of_another_webhook(
    arrived: &Arrived<'_>,
    timestamp: &[u8],
    body: &[u8],
    signature: &[u8],
) -> bool {
    let own = arrived.webhook.secret.as_ref();
    let others = arrived.transcript.webhooks.iter().filter_map(|other| other.secret.as_ref());
    others.filter(|other| Some(*other) != own).any(|other| Key::new(other).verify(timestamp, body, signature))
}

/// The wrong way of signing that reproduces this delivery's signature.
pub(super) fn mismatch(
    arrived: &Arrived<'_>,
    timestamp: &[u8],
    body: &[u8],
    signature: &[u8],
) -> Option<Cause> {
    let secret = arrived.webhook.secret.as_ref().map_or("", Secret::expose);
    let others = arrived.transcript.webhooks.iter().filter_map(|other| other.secret.as_ref());
    let others: Vec<&str> = others.map(Secret::expose).filter(|other| *other != secret).collect();
    let found = sender::signature(secret, &others, timestamp, body, signature);
    // In recorded traffic it is not known what the sender was given.
    found.or_else(|| {
        let record = arrived.emission?.event.record.get();
        sender::changed_after_signing(secret, timestamp, body, signature, record)
    })
}
