//! The deliveries of a load that a receiver must refuse: negatives of the contract, mixed in among the valid ones.
//!
//! Invariant: each differs from a valid delivery in what its name says, and names the requirement that forbids it.

use crate::bench::generate::ids::ID_LENGTH;
use crate::bench::generate::request::{HeadTemplate, Marks, RequestBuffer};
use crate::suite::requirement::Level;
use crate::webhook::recipe::{Digest, KeyForm, Message, Recipe};
use crate::webhook::signature::{Key, Secret};

/// A day, in milliseconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A kind of delivery that must not be acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    pub name: &'static str,
    pub requirement: &'static str,
    pub level: Level,
    what: ProbeFault,
}

/// In what it differs from a valid delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProbeFault {
    /// The body is changed after signing: one digit of the record's id, or a byte at its end where it has none.
    Altered,
    /// The body is cut short after signing.
    Cut,
    /// The timestamp header is another than the one signed.
    Timestamp,
    /// The signature comes about in another way.
    Signed(Recipe),
    NoSignature,
    EmptySignature,
    NoTimestamp,
    /// The signature of another delivery of this load.
    Other,
    /// Signed rightly, under a time that is so far off.
    Old,
    Future,
}

const fn must(name: &'static str, requirement: &'static str, what: ProbeFault) -> Probe {
    Probe { name, requirement, level: Level::Must, what }
}

const fn signed(name: &'static str, requirement: &'static str, recipe: Recipe) -> Probe {
    must(name, requirement, ProbeFault::Signed(recipe))
}

pub const ALL: [Probe; 22] = [
    must("body-altered", "VER-1", ProbeFault::Altered),
    must("body-cut", "VER-1", ProbeFault::Cut),
    must("timestamp-altered", "VER-2", ProbeFault::Timestamp),
    signed("other-key", "VER-3", Recipe::key(KeyForm::Other)),
    signed("empty-key", "VER-3", Recipe::key(KeyForm::Empty)),
    must("signature-missing", "VER-4", ProbeFault::NoSignature),
    must("signature-empty", "VER-4", ProbeFault::EmptySignature),
    must("timestamp-missing", "VER-4", ProbeFault::NoTimestamp),
    signed("body-alone", "VER-5", Recipe::message(Message::BodyAlone)),
    signed("timestamp-alone", "VER-5", Recipe::message(Message::TimestampAlone)),
    signed("other-separator", "VER-5", Recipe::message(Message::Separator("."))),
    signed("double-stringified", "VER-5", Recipe::message(Message::DoubleStringified { ascii: false })),
    must("other-delivery", "VER-5", ProbeFault::Other),
    signed("sha1", "VER-6", Recipe::digest(Digest::Sha1)),
    signed("sha512", "VER-6", Recipe::digest(Digest::Sha512)),
    signed("unkeyed", "VER-6", Recipe::digest(Digest::Unkeyed)),
    signed("base64", "VER-6", Recipe::digest(Digest::Base64)),
    signed("truncated", "VER-6", Recipe::digest(Digest::Truncated)),
    signed("zeros", "VER-6", Recipe::digest(Digest::Zeros)),
    // A body without its last byte, signed as the whole one was: the reverse of the cut body.
    signed("line-feed-signed", "VER-5", Recipe::message(Message::TrailingNewline)),
    Probe { name: "stale", requirement: "VER-11", level: Level::Should, what: ProbeFault::Old },
    Probe { name: "future", requirement: "VER-11", level: Level::Should, what: ProbeFault::Future },
];

#[derive(Debug, Clone)]
pub struct ProbeMaker {
    pub head: HeadTemplate,
    pub key: Key,
    /// The secret, for what is made of it wrongly.
    pub secret: Secret,
}

impl ProbeMaker {
    /// Makes a probe out of a valid delivery's `body`, with the record's id at `id`.
    pub fn make(
        &self,
        probe: &Probe,
        marks: &Marks,
        body: &mut Vec<u8>,
        id: Option<usize>,
        request: &mut RequestBuffer,
    ) {
        let time = match probe.what {
            ProbeFault::Old => marks.now_ms.saturating_sub(DAY_MS),
            ProbeFault::Future => marks.now_ms.saturating_add(DAY_MS),
            _ => marks.now_ms,
        };
        let timestamp = time.to_string();
        let valid = |body: &[u8]| self.key.sign(timestamp.as_bytes(), body).to_hex();
        let mut sent = timestamp.clone();
        let signature = match probe.what {
            ProbeFault::Altered => {
                let signature = valid(body);
                alter(body, id);
                Some(signature)
            }
            ProbeFault::Cut => {
                let signature = valid(body);
                body.pop();
                Some(signature)
            }
            ProbeFault::Timestamp => {
                sent = (time + 1).to_string();
                Some(valid(body))
            }
            ProbeFault::Signed(recipe) => {
                let wrong = recipe.compute(self.secret.expose(), timestamp.as_bytes(), body);
                // A recipe that cannot be followed with this body and this secret: no key at all is left.
                Some(wrong.unwrap_or_else(|| "0".repeat(64)))
            }
            ProbeFault::Other => {
                let mut other = body.clone();
                alter(&mut other, id);
                Some(valid(&other))
            }
            ProbeFault::NoSignature => None,
            ProbeFault::EmptySignature => Some(String::new()),
            ProbeFault::NoTimestamp | ProbeFault::Old | ProbeFault::Future => Some(valid(body)),
        };
        let sent = (probe.what != ProbeFault::NoTimestamp).then_some(sent.as_bytes());
        let signature = signature.as_ref().map(String::as_bytes);
        self.head.compose(sent, signature, marks.nonce, body, request);
    }
}

/// Changes a body's content: the last digit of the record's id, or its last byte where there is no id.
fn alter(body: &mut [u8], id: Option<usize>) {
    let last = id.map_or(body.len().saturating_sub(1), |id| id + ID_LENGTH - 1);
    if let Some(byte) = body.get_mut(last) {
        *byte = if id.is_none() {
            b' '
        } else if *byte == b'0' {
            b'1'
        } else {
            b'0'
        };
    }
}
