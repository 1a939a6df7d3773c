//! A request and the requests before it, with the questions that faults ask about them.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::webhook::recipe::Recipe;
use crate::webhook::serialiser::Serialiser;
use crate::webhook::signature::{Key, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use crate::wire::exchange::Delivery;

/// The reference receiver's window.
const WINDOW_MS: u64 = 300_000;
/// A default that some programs have built in.
pub(super) const DEFAULT_SECRET: &str = "your-webhook-secret";

#[derive(Default)]
pub(super) struct Memory {
    /// The body of each accepted delivery, by timestamp and signature.
    accepted: Mutex<HashMap<(Bytes, Bytes), Bytes>>,
    /// Nonces or bodies of earlier requests.
    known: Mutex<HashSet<Bytes>>,
}

pub(super) struct Incoming<'a> {
    pub(super) delivery: &'a Delivery,
    /// The event in the body; empty if there is none.
    pub(super) event: &'a str,
    pub(super) timestamp: Option<Bytes>,
    pub(super) signature: Option<Bytes>,
    /// The timestamp, if it is decimal digits.
    pub(super) number: Option<u64>,
    pub(super) now_ms: u64,
    pub(super) secret: &'a Secret,
    memory: &'a Memory,
}

impl<'a> Incoming<'a> {
    pub(super) fn new(
        delivery: &'a Delivery,
        event: &'a str,
        now_ms: u64,
        secret: &'a Secret,
        memory: &'a Memory,
    ) -> Self {
        let single = |name| delivery.headers.single(name).cloned();
        let timestamp = single(TIMESTAMP_HEADER);
        let digits = timestamp.as_deref().filter(|text| text.iter().all(u8::is_ascii_digit));
        let number = digits.and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
        let signature = single(SIGNATURE_HEADER);
        Self { delivery, event, timestamp, signature, number, now_ms, secret, memory }
    }

    pub(super) fn body(&self) -> &'a Bytes {
        &self.delivery.body
    }

    pub(super) fn header(&self, name: &str) -> Option<&'a Bytes> {
        self.delivery.headers.single(name)
    }

    pub(super) fn lacks(&self, name: &str) -> bool {
        self.delivery.headers.all(name).next().is_none()
    }

    /// Whether the timestamp header has a value that is not a number.
    pub(super) fn has_odd_timestamp(&self) -> bool {
        self.number.is_none() && self.timestamp.as_ref().is_some_and(|text| !text.is_empty())
    }

    /// Whether the signature matches timestamp and body.
    pub(super) fn is_signed(&self) -> bool {
        self.is_signed_as(self.signature.as_deref(), self.body())
    }

    /// Whether this signature matches the timestamp and this body.
    pub(super) fn is_signed_as(&self, signature: Option<&[u8]>, body: &[u8]) -> bool {
        let given = self.timestamp.as_ref().zip(signature);
        given.is_some_and(|(timestamp, signature)| Key::new(self.secret).verify(timestamp, body, signature))
    }

    pub(super) fn is_signed_at_a_number(&self) -> bool {
        self.is_signed() && self.number.is_some()
    }

    pub(super) fn is_fresh(&self) -> bool {
        self.number.is_some_and(|ms| self.now_ms.abs_diff(ms) < WINDOW_MS)
    }

    /// Whether the timestamp is within the window of a clock that shows this time.
    pub(super) fn is_fresh_at(&self, now_ms: u64) -> bool {
        self.number.is_some_and(|ms| now_ms.abs_diff(ms) < WINDOW_MS)
    }

    /// Whether the timestamp would be within the window if it were seconds.
    pub(super) fn is_fresh_in_seconds(&self) -> bool {
        self.number.is_some_and(|seconds| self.now_ms.abs_diff(seconds.saturating_mul(1000)) < WINDOW_MS)
    }

    pub(super) fn is_signed_and_fresh(&self) -> bool {
        self.is_signed() && self.is_fresh()
    }

    /// Whether this signature matches timestamp and body, within the window.
    pub(super) fn is_fresh_with(&self, signature: Option<&Bytes>) -> bool {
        self.is_signed_as(signature.map(|value| &**value), self.body()) && self.is_fresh()
    }

    pub(super) fn is_signed_by(&self, recipe: Recipe) -> bool {
        let given = self.signature.as_ref().zip(self.timestamp.as_ref());
        given.is_some_and(|(signature, timestamp)| {
            let value = recipe.compute(self.secret.expose(), timestamp, self.body());
            value.is_some_and(|value| value.as_bytes() == &**signature)
        })
    }

    /// Whether the signature covers the re-serialised body, within the window.
    pub(super) fn is_signed_reprinted(&self, serialiser: Serialiser) -> bool {
        let printed = serialiser.reprint(self.body());
        let signature = self.signature.as_deref();
        printed.is_some_and(|printed| self.is_signed_as(signature, &printed)) && self.is_fresh()
    }

    /// Whether the signature covers the timestamp as parsed and printed again, within the window.
    pub(super) fn is_signed_at_reprinted_timestamp(&self) -> bool {
        let printed = self.number.map(|number| number.to_string());
        let given = printed.zip(self.signature.as_ref());
        let verifies = |(timestamp, signature): (String, &Bytes)| {
            Key::new(self.secret).verify(timestamp.as_bytes(), self.body(), signature)
        };
        given.is_some_and(verifies) && self.is_fresh()
    }

    pub(super) fn is_signed_by_default(&self) -> bool {
        let key = Key::new(&Secret::new(DEFAULT_SECRET));
        let given = self.timestamp.as_ref().zip(self.signature.as_ref());
        given.is_some_and(|(timestamp, signature)| key.verify(timestamp, self.body(), signature))
    }

    pub(super) fn expected_signature(&self) -> String {
        Key::new(self.secret).sign(self.timestamp.as_deref().unwrap_or_default(), self.body()).to_hex()
    }

    /// The number of right digits of the signature, up to the first wrong one.
    pub(super) fn right_digits(&self) -> u32 {
        let right = self.expected_signature();
        let given = self.signature.as_deref().unwrap_or_default().iter();
        let alike = given.zip(right.as_bytes()).take_while(|(one, other)| one == other).count();
        u32::try_from(alike).unwrap_or(u32::MAX)
    }

    /// The body that was accepted before with the same timestamp and signature, if `same` is true of it and this one.
    pub(super) fn accepted_before(&self, same: fn(&[u8], &[u8]) -> bool) -> Option<Bytes> {
        let old = self.memory.accepted().get(&self.credentials()?).cloned()?;
        same(&old, self.body()).then_some(old)
    }

    /// Whether this body was accepted before with the same signature.
    pub(super) fn was_accepted_with_its_signature(&self) -> bool {
        let accepted = self.memory.accepted();
        let mut accepted = accepted.iter();
        accepted.any(|((_, known), old)| Some(known) == self.signature.as_ref() && old == self.body())
    }

    pub(super) fn was_accepted(&self) -> bool {
        self.memory.accepted().values().any(|old| old == self.body())
    }

    /// The timestamp and the signature, if the request has both.
    pub(super) fn credentials(&self) -> Option<(Bytes, Bytes)> {
        self.timestamp.clone().zip(self.signature.clone())
    }

    /// Remembers a nonce or a body. Returns whether it was already known.
    pub(super) fn seen_before(&self, key: &Bytes) -> bool {
        !self.memory.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone())
    }
}

impl Memory {
    fn accepted(&self) -> MutexGuard<'_, HashMap<(Bytes, Bytes), Bytes>> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn accept(&self, credentials: Option<(Bytes, Bytes)>, body: Bytes) {
        if let Some(credentials) = credentials {
            self.accepted().insert(credentials, body);
        }
    }
}
