//! Probes: invalid deliveries of the contract, mixed into a load, which a receiver must reject.
//!
//! A probe differs from a valid delivery in one respect, and names the requirement that forbids it.

use crate::bench::generate::ids::ID_LENGTH;
use crate::bench::generate::request::{HeadTemplate, Marks, RequestBuffer};
use crate::suite::receiver::{VER_1, VER_2, VER_3, VER_4, VER_5, VER_6, VER_11};
use crate::suite::requirement::Requirement;
use crate::webhook::recipe::{Digest, KeyForm, Message, Recipe};
use crate::webhook::signature::{Key, Secret};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A kind of delivery that a receiver must reject.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    pub name: &'static str,
    /// The requirement that forbids it.
    pub requirement: &'static Requirement,
    differs: Difference,
}

/// How a probe differs from a valid delivery, in the words of [`crate::suite::transcript::Respect`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Difference {
    /// The body is changed after signing: a digit of the record's id or, without an id, the last byte.
    Content,
    /// The body is cut short after signing.
    Cut,
    /// The timestamp header is not the signed one.
    Timestamp,
    /// The signature is computed in another way.
    Signed(Recipe),
    Unsigned,
    EmptySignature,
    Undated,
    /// The signature belongs to another delivery of this load.
    Borrowed,
    /// Correctly signed, with a timestamp of a day ago.
    Stale,
    /// Correctly signed, with a timestamp of a day from now.
    Future,
}

const fn probe(name: &'static str, requirement: &'static Requirement, differs: Difference) -> Probe {
    Probe { name, requirement, differs }
}

const fn signed(name: &'static str, requirement: &'static Requirement, recipe: Recipe) -> Probe {
    probe(name, requirement, Difference::Signed(recipe))
}

pub const ALL: [Probe; 22] = [
    probe("body-altered", &VER_1, Difference::Content),
    probe("body-cut", &VER_1, Difference::Cut),
    probe("timestamp-altered", &VER_2, Difference::Timestamp),
    signed("other-key", &VER_3, Recipe::key(KeyForm::Other)),
    signed("empty-key", &VER_3, Recipe::key(KeyForm::Empty)),
    probe("signature-missing", &VER_4, Difference::Unsigned),
    probe("signature-empty", &VER_4, Difference::EmptySignature),
    probe("timestamp-missing", &VER_4, Difference::Undated),
    signed("body-alone", &VER_5, Recipe::message(Message::BodyAlone)),
    signed("timestamp-alone", &VER_5, Recipe::message(Message::TimestampAlone)),
    signed("other-separator", &VER_5, Recipe::message(Message::Separator("."))),
    signed("double-stringified", &VER_5, Recipe::message(Message::DoubleStringified { ascii: false })),
    probe("other-delivery", &VER_5, Difference::Borrowed),
    signed("sha1", &VER_6, Recipe::digest(Digest::Sha1)),
    signed("sha512", &VER_6, Recipe::digest(Digest::Sha512)),
    signed("unkeyed", &VER_6, Recipe::digest(Digest::Unkeyed)),
    signed("base64", &VER_6, Recipe::digest(Digest::Base64)),
    signed("truncated", &VER_6, Recipe::digest(Digest::Truncated)),
    signed("zeros", &VER_6, Recipe::digest(Digest::Zeros)),
    // The signature includes a line feed that the body lacks: the reverse of a cut body.
    signed("line-feed-signed", &VER_5, Recipe::message(Message::TrailingNewline)),
    probe("stale", &VER_11, Difference::Stale),
    probe("future", &VER_11, Difference::Future),
];

#[derive(Debug, Clone)]
pub struct ProbeMaker {
    pub head: HeadTemplate,
    pub key: Key,
    /// The secret, for wrong recipes.
    pub secret: Secret,
}

impl ProbeMaker {
    /// Makes a probe from the `body` of a valid delivery with the record's id at `id`.
    pub fn make(
        &self,
        probe: &Probe,
        marks: &Marks,
        body: &mut Vec<u8>,
        id: Option<usize>,
        request: &mut RequestBuffer,
    ) {
        let time = match probe.differs {
            Difference::Stale => marks.now_ms.saturating_sub(DAY_MS),
            Difference::Future => marks.now_ms.saturating_add(DAY_MS),
            _ => marks.now_ms,
        };
        let timestamp = time.to_string();
        let valid = |body: &[u8]| self.key.sign(timestamp.as_bytes(), body).to_hex();
        let mut sent = timestamp.clone();
        let signature = match probe.differs {
            Difference::Content => {
                let signature = valid(body);
                alter(body, id);
                Some(signature)
            }
            Difference::Cut => {
                let signature = valid(body);
                body.pop();
                Some(signature)
            }
            Difference::Timestamp => {
                sent = (time + 1).to_string();
                Some(valid(body))
            }
            Difference::Signed(recipe) => {
                let wrong = recipe.compute(self.secret.expose(), timestamp.as_bytes(), body);
                // A recipe that does not apply to this body and secret: zeros are wrong too.
                Some(wrong.unwrap_or_else(|| "0".repeat(64)))
            }
            Difference::Borrowed => {
                let mut other = body.clone();
                alter(&mut other, id);
                Some(valid(&other))
            }
            Difference::Unsigned => None,
            Difference::EmptySignature => Some(String::new()),
            Difference::Undated | Difference::Stale | Difference::Future => Some(valid(body)),
        };
        let sent = (probe.differs != Difference::Undated).then_some(sent.as_bytes());
        let signature = signature.as_ref().map(String::as_bytes);
        self.head.compose(sent, signature, marks.nonce, body, request);
    }
}

/// Changes a body: the last digit of the record's id or, without an id, the last byte.
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
