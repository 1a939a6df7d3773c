//! The exported vectors are many, right, and as their schema says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use schemars::generate::SchemaSettings;

use super::{FILES, FORMAT, TestVectors, all, faults};
use crate::webhook::signature::{Key, Secret};

const SCHEMA: &str = "harness/suite/vectors/vectors.schema.json";

#[test]
fn vectors_are_many_and_their_signatures_are_right() {
    let vectors = all().unwrap().vectors;
    assert!(vectors.len() >= 200, "{}", vectors.len());
    let mut of_requirement: BTreeMap<&str, usize> = BTreeMap::new();
    for vector in &vectors {
        *of_requirement.entry(vector.requirement.as_deref().unwrap_or_default()).or_default() += 1;
        let Some(signed) = &vector.signed else { continue };
        let signed = signed.bytes().unwrap();
        let colon = signed.iter().position(|&byte| byte == b':').unwrap();
        let header = vector.headers.iter().find(|(name, _)| name.ends_with("Timestamp")).unwrap().1.clone();
        let (timestamp, body) = (&signed[..header.len()], &signed[header.len() + 1..]);
        assert!(colon <= header.len() && *timestamp == *header.as_bytes(), "{}", vector.id);
        assert_eq!(body, &*vector.body.bytes().unwrap(), "{}", vector.id);
        let value = Key::new(&Secret::new(vector.secret.clone())).sign(timestamp, body).to_hex();
        assert_eq!(vector.signature.as_deref(), Some(&*value), "{}", vector.id);
        let sent = vector.headers.iter().find(|(name, _)| name.ends_with("Signature"));
        if vector.accept == Some(true) {
            assert!(sent.is_some_and(|(_, sent)| sent.eq_ignore_ascii_case(&value)), "{}", vector.id);
        }
    }
    for id in ["VER-1", "VER-2", "VER-3", "VER-4", "VER-5", "VER-6", "VER-7", "VER-10", "VER-16"] {
        assert!(of_requirement.get(id).is_some_and(|&count| count >= 4), "{id}: {of_requirement:?}");
    }
    let secrets: BTreeSet<&str> = vectors.iter().map(|vector| vector.secret.as_str()).collect();
    assert!(secrets.iter().any(|secret| !secret.is_ascii()), "{secrets:?}");
}

#[test]
fn changes_of_exported_vectors_are_named() {
    let text = serde_json::to_string(&all().unwrap()).unwrap();
    let mut read: TestVectors = serde_json::from_str(&text).unwrap();
    assert_eq!(faults(&read).unwrap(), [""; 0]);
    let changed = read.vectors[3].id.clone();
    read.vectors[3].secret.push('x');
    let missing = read.vectors.remove(0).id;
    let found = faults(&read).unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains(&changed) && found[1].contains(&missing), "{found:?}");
}

#[test]
fn committed_schema_is_that_of_the_types() {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<TestVectors>().to_value();
    schema["title"] = FORMAT.into();
    schema["properties"]["format"]["const"] = FORMAT.into();
    let schema = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    let (_, committed) = FILES.iter().find(|(name, _)| name.ends_with(".schema.json")).unwrap();
    if *committed != schema {
        let made = std::env::temp_dir().join("twenty-conform-vectors.schema.json");
        std::fs::write(&made, &schema).unwrap();
        let file = Path::new(SCHEMA).display();
        panic!("{file} is not that of the types; rewrite it with\n    cp {} {file}", made.display());
    }
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&serde_json::to_value(all().unwrap()).unwrap())
        .map(|one| one.to_string())
        .collect();
    assert_eq!(errors, [""; 0]);
}
