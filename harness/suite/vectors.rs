//! Test vectors: the suite's own cases as data, for programs in any language that check their verification without a server.
//!
//! Invariant: the vectors are the same in every run and on every machine, and an id never changes its meaning.

use std::borrow::Cow;
use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::messages;
use super::receiver::case::Case;
use super::receiver::maker::Maker;
use super::requirement::{Requirement, Role};
use super::{requirements, under_load};
use crate::clock::Clock;
use crate::random::Random;
use crate::webhook::dialect::{self, Dialect};
use crate::webhook::signature::{Key, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use crate::webhook::vectors;
use crate::wire::exchange::{Delivery, Transfer};

pub const FORMAT: &str = "twenty-conform-vectors/1";

/// When each delivery arrives.
const NOW_MS: u64 = 1_735_066_639_761;
/// A case takes the first one with which there is something to try: hexadecimal digits that are base64 too, in both cases of
/// letters; and one that is not trimmed.
const SECRETS: [&str; 2] = ["Aa6b2D9c41f0Ee73b85c0D1a2F3b4C5d", " s3cr3t-with-a-space-at-both-ends "];
/// How long the text of the large body is.
const LARGE: usize = 1024 * 1024;
/// The longest body that stands in the file.
const LONGEST: usize = 32 * 1024;

/// What is exported with the vectors, by the names of the files.
pub const FILES: [(&str, &str); 5] = [
    ("README.md", include_str!("vectors/README.md")),
    ("check.mjs", include_str!("vectors/check.mjs")),
    ("check.py", include_str!("vectors/check.py")),
    ("check_test.go", include_str!("vectors/check_test.go")),
    ("vectors.schema.json", include_str!("vectors/vectors.schema.json")),
];

/// All vectors, as the file that is exported.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TestVectors {
    /// `twenty-conform-vectors/1`. Members are only added within a version.
    pub format: String,
    /// The version of the program that wrote the file.
    pub version: String,
    pub vectors: Vec<TestVector>,
}

/// One delivery, or one signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TestVector {
    /// It never changes its meaning.
    pub id: String,
    /// Whether a receiver must accept the delivery. It is missing if the vector is about the signature alone: its body or its
    /// timestamp is not one of a delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept: Option<bool>,
    /// The requirement of the contract that says so, such as `VER-5`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requirement: Option<String>,
    /// The level of that requirement: `must`, `should` or `advice`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// The form of the body: `documented` or `shipped`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialect: Option<String>,
    /// What it is, and why it is tried.
    pub notes: String,
    /// The time at the receiver, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now_ms: Option<u64>,
    pub secret: String,
    /// Names and values, in the order of the wire.
    pub headers: Vec<(String, String)>,
    pub body: TestBytes,
    /// The bytes that a valid signature covers: the value of the timestamp header, a colon and the body. It is missing without that
    /// header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed: Option<TestBytes>,
    /// The valid signature of these bytes under the secret, in lowercase hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// Bytes: as text if they are UTF-8, or by how they are made if they are many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TestBytes {
    Text(String),
    /// With padding.
    Base64(String),
    /// `before`, then `repeat` this many `times`, then `after`.
    Generated {
        before: String,
        repeat: String,
        times: usize,
        after: String,
    },
}

impl TestBytes {
    /// A short text or base64.
    pub fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(STANDARD.encode(bytes)),
        }
    }

    /// The bytes; `None` for base64 that is none.
    pub fn bytes(&self) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text.as_bytes())),
            Self::Base64(text) => STANDARD.decode(text).ok().map(Cow::Owned),
            Self::Generated { before, repeat, times, after } => {
                Some(Cow::Owned(format!("{before}{}{after}", repeat.repeat(*times)).into_bytes()))
            }
        }
    }

    /// The same after a timestamp and a colon.
    fn after(&self, timestamp: &str) -> Self {
        let stamp = format!("{timestamp}:");
        match self {
            Self::Generated { before, repeat, times, after } => Self::Generated {
                before: stamp + before,
                repeat: repeat.clone(),
                times: *times,
                after: after.clone(),
            },
            other => Self::of(&[stamp.as_bytes(), &other.bytes().unwrap_or_default()].concat()),
        }
    }
}

impl TestVector {
    /// One that is about the signature alone, with what a valid signature covers, and its value, by the timestamp header.
    fn new(id: String, notes: String, secret: &str, headers: Vec<(String, String)>, body: TestBytes) -> Self {
        let timestamp = headers.iter().find(|(name, _)| name == TIMESTAMP_HEADER).map(|(_, value)| value);
        let sign = |timestamp: &String| {
            let key = Key::new(&Secret::new(secret));
            key.sign(timestamp.as_bytes(), &body.bytes().unwrap_or_default()).to_hex()
        };
        Self {
            accept: None,
            requirement: None,
            level: None,
            dialect: None,
            now_ms: None,
            signed: timestamp.map(|timestamp| body.after(timestamp)),
            signature: timestamp.map(sign),
            id,
            notes,
            secret: secret.to_owned(),
            headers,
            body,
        }
    }

    /// The same as a delivery that a requirement decides on.
    fn decided(self, accept: bool, requirement: &Requirement, dialect: &Dialect) -> Self {
        Self {
            accept: Some(accept),
            requirement: Some(requirement.id.to_owned()),
            level: Some(requirement.level.as_str().to_owned()),
            dialect: Some(dialect.name.to_owned()),
            now_ms: Some(NOW_MS),
            ..self
        }
    }
}

/// Every vector, in a fixed order.
///
/// Errors: the vectors of signatures cannot be read, with the name of their file.
pub fn all() -> Result<TestVectors, String> {
    let mut found: Vec<TestVector> = vectors::all()?.iter().map(of_signature).collect();
    found.extend(sample_of_the_documentation(&found));
    found.push(large());
    for dialect in dialect::ALL {
        for requirement in requirements::of(Role::Receiver) {
            found.extend(of_requirement(requirement, dialect));
        }
    }
    // Two requirements may share a case.
    let mut ids = BTreeSet::new();
    found.retain(|vector| ids.insert(vector.id.clone()));
    Ok(TestVectors {
        format: FORMAT.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        vectors: found,
    })
}

/// A vector of a signature, which several programs have computed.
fn of_signature(vector: &vectors::Vector) -> TestVector {
    let headers = vec![
        (TIMESTAMP_HEADER.to_owned(), vector.timestamp.clone()),
        (SIGNATURE_HEADER.to_owned(), vector.signatures.values().next().cloned().unwrap_or_default()),
    ];
    let id = format!("signature/{}", vector.name);
    TestVector::new(id, vector.why.clone(), &vector.secret, headers, TestBytes::of(&vector.body()))
}

/// The delivery of the documentation's sample with the signature that its code computes, which is wrong.
fn sample_of_the_documentation(found: &[TestVector]) -> Option<TestVector> {
    let named = |name: &str| found.iter().find(|vector| vector.id == name);
    let valid = named("signature/documentation-sample")?;
    let twice = named("signature/documentation-sample-stringified-twice")?;
    let requirement = requirements::of(Role::Receiver).find(|one| one.id == "VER-5")?;
    let sample = TestVector {
        id: "documented/VER-5/documentation-sample-as-signed-there".to_owned(),
        notes: messages::sample_of_the_documentation().to_owned(),
        headers: vec![
            valid.headers.first()?.clone(),
            (SIGNATURE_HEADER.to_owned(), twice.signature.clone()?),
        ],
        ..valid.clone()
    };
    Some(sample.decided(false, requirement, &dialect::DOCUMENTED))
}

/// A body that is too large to stand in the file.
fn large() -> TestVector {
    let body = TestBytes::Generated {
        before: "{\"event\":\"note.created\",\"data\":{\"id\":\"20202020-1c25-4d02-bf25-6aeccf7ea419\",\"body\":\"".to_owned(),
        repeat: "x".to_owned(),
        times: LARGE,
        after: "\"}}".to_owned(),
    };
    let headers = vec![(TIMESTAMP_HEADER.to_owned(), NOW_MS.to_string())];
    let notes = messages::large_body().to_owned();
    TestVector::new("signature/body-1-mib".to_owned(), notes, SECRETS[0], headers, body)
}

/// The vectors of a requirement: its fixed cases that one delivery decides.
fn of_requirement(requirement: &'static Requirement, dialect: &'static Dialect) -> Vec<TestVector> {
    let mut found = Vec::new();
    for cases in under_load::fixed_cases(requirement, &maker(dialect, SECRETS[0])) {
        // New ones for each scenario, so that its record ids do not depend on the others.
        let makers = SECRETS.map(|secret| (maker(dialect, secret), secret));
        found.extend(cases.iter().filter(|case| !case.is_compared()).filter_map(|case| {
            let by = |(maker, secret): &(Maker, &'static str)| Some((case.alone(maker)?, *secret));
            let (delivery, secret) = makers.iter().find_map(by)?;
            of_case(requirement, dialect, case, &delivery, secret)
        }));
    }
    found
}

fn maker(dialect: &'static Dialect, secret: &str) -> Maker {
    let place = ("http://127.0.0.1:3000/".to_owned(), "/".to_owned());
    Maker::new(dialect, Secret::new(secret), Clock::fixed(NOW_MS), Random::from_seed(0), place)
}

/// `None` if it is another request than a whole POST, has bytes in a header that JSON cannot hold, or a body that is too long.
fn of_case(
    requirement: &'static Requirement,
    dialect: &'static Dialect,
    case: &Case,
    delivery: &Delivery,
    secret: &str,
) -> Option<TestVector> {
    let is_long = delivery.body.len() > LONGEST;
    if delivery.method != "POST" || delivery.transfer != Transfer::Whole || is_long {
        return None;
    }
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
    let headers: Option<Vec<(String, String)>> =
        delivery.headers.0.iter().map(|(name, value)| Some((name.clone(), text(value)?))).collect();
    let name = match case.under_load() {
        Some(Ok(forgery)) => forgery.name.clone().into_owned(),
        _ => slug(case.what()),
    };
    let id = format!("{}/{}/{name}", dialect.name, requirement.id);
    let notes = messages::note_of_a_vector(case.what(), requirement.title);
    let vector = TestVector::new(id, notes, secret, headers?, TestBytes::of(&delivery.body));
    Some(vector.decided(case.under_load().is_none(), requirement, dialect))
}

/// The words of a phrase, without its article.
fn slug(what: &str) -> String {
    let words = what.split(|one: char| !one.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_ascii_lowercase).collect();
    words.strip_prefix(&["a".to_owned()]).unwrap_or(&words).join("-")
}

/// How vectors that were exported differ from those of this program; empty if they do not.
///
/// Errors: those of [`all`].
pub fn faults(read: &TestVectors) -> Result<Vec<String>, String> {
    let own = all()?;
    let mut found = Vec::new();
    for vector in &read.vectors {
        match own.vectors.iter().find(|one| one.id == vector.id) {
            None => found.push(messages::unknown_vector(&vector.id)),
            Some(same) if same != vector => found.push(messages::changed_vector(&vector.id)),
            Some(_) => {}
        }
    }
    let has = |id: &str| read.vectors.iter().any(|vector| vector.id == id);
    found.extend(own.vectors.iter().filter(|one| !has(&one.id)).map(|one| messages::missing_vector(&one.id)));
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests;
