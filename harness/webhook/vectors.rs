//! Test vectors for signatures, computed by independent programs (OpenSSL, Node, Python) and stored as data.
//!
//! Invariant: a run trusts no verdict on signatures unless `signature` agrees with every vector.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;

use crate::webhook::messages;
use crate::webhook::signature::{Key, Secret};

include!(concat!(env!("OUT_DIR"), "/vectors.rs"));

/// What was signed, and the signature from each program.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    pub name: String,
    /// The purpose of this vector.
    pub why: String,
    pub secret: String,
    pub timestamp: String,
    body: Option<String>,
    body_base64: Option<String>,
    /// Signatures by the name of the program.
    pub signatures: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct File {
    vectors: Vec<Vector>,
}

impl Vector {
    pub(crate) fn body(&self) -> Bytes {
        let decoded = self.body_base64.as_ref().and_then(|text| STANDARD.decode(text).ok());
        decoded.unwrap_or_else(|| self.body.clone().unwrap_or_default().into_bytes()).into()
    }
}

/// Every vector. Errors: a file that cannot be parsed, by its name.
pub fn all() -> Result<Vec<Vector>, String> {
    let mut vectors = Vec::new();
    for (name, text) in VECTOR_FILES {
        let file: File =
            serde_json::from_str(text).map_err(|why| format!("fixtures/vectors/{name}: {why}"))?;
        vectors.extend(file.vectors);
    }
    Ok(vectors)
}

/// The disagreements of `signature` with the vectors; empty if all agree.
pub fn disagreements() -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for vector in all()? {
        let ours =
            Key::new(&Secret::new(vector.secret.clone())).sign(vector.timestamp.as_bytes(), &vector.body());
        for (program, theirs) in &vector.signatures {
            if *theirs != ours.to_hex() {
                found.push(messages::vector_disagrees(&vector.name, program, theirs, &ours.to_hex()));
            }
        }
    }
    Ok(found)
}
