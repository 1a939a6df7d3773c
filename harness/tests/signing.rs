//! Properties of signatures, and the test vectors of independent programs.
//!
//! Invariant: for any bytes, only the same timestamp, body and secret verify.

use proptest::prelude::*;
use twenty_conform::suite::cause::{Code, sender};
use twenty_conform::webhook::recipe::{Digest, KeyForm, Message, Messages, Recipe};
use twenty_conform::webhook::serialiser::Serialiser;
use twenty_conform::webhook::signature::{Key, Secret, Signature};
use twenty_conform::webhook::vectors;

fn secrets() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[0-9a-fA-F]{64}", " [ -~]{1,80}\t", ".{0,200}"]
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        ".{0,100}"
            .prop_map(|text| format!("{{\"event\":\"person.created\",\"data\":{text:?}}}").into_bytes()),
    ]
}

/// The text with one bit changed.
fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = bit % (bytes.len() * 8);
    bytes[at / 8] ^= 1 << (at % 8);
    bytes
}

proptest! {
    #[test]
    fn signed_deliveries_verify(secret in secrets(), timestamp in "[0-9]{1,20}", body in bodies()) {
        let key = Key::new(&Secret::new(secret));
        let signature = key.sign(timestamp.as_bytes(), &body).to_hex();
        prop_assert!(key.verify(timestamp.as_bytes(), &body, signature.as_bytes()));
        prop_assert!(key.verify(timestamp.as_bytes(), &body, signature.to_uppercase().as_bytes()));
    }

    #[test]
    fn signature_is_64_lowercase_digits(secret in secrets(), timestamp in "[0-9]{1,20}", body in bodies()) {
        let signature = Key::new(&Secret::new(secret)).sign(timestamp.as_bytes(), &body).to_hex();
        prop_assert_eq!(signature.len(), 64);
        prop_assert!(signature.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
        prop_assert_eq!(Signature::parse(signature.as_bytes()).unwrap().to_hex(), signature);
    }

    #[test]
    fn changing_any_bit_invalidates_a_signature(
        secret in "[ -~]{1,80}",
        timestamp in "[0-9]{1,20}",
        body in proptest::collection::vec(any::<u8>(), 1..300),
        bit in any::<prop::sample::Index>(),
    ) {
        let key = Key::new(&Secret::new(secret.clone()));
        let signature = key.sign(timestamp.as_bytes(), &body).to_hex();
        let bit = bit.index(usize::MAX);
        prop_assert!(!key.verify(timestamp.as_bytes(), &flipped(&body, bit), signature.as_bytes()));
        prop_assert!(!key.verify(&flipped(timestamp.as_bytes(), bit), &body, signature.as_bytes()));
        // Changing one of the low six bits keeps a character ASCII; the other two might not.
        let other_secret = flipped(secret.as_bytes(), bit / 8 * 8 + bit % 6);
        let other = Key::new(&Secret::new(String::from_utf8(other_secret).unwrap()));
        prop_assert!(!other.verify(timestamp.as_bytes(), &body, signature.as_bytes()));
        // A changed bit may turn a digit into its other case, which is the same digit.
        let changed = flipped(signature.as_bytes(), bit);
        let same_digits = changed.to_ascii_lowercase() == signature.as_bytes();
        prop_assert_eq!(key.verify(timestamp.as_bytes(), &body, &changed), same_digits);
    }

    #[test]
    fn rejects_text_around_the_digits(timestamp in "[0-9]{13}", body in bodies(), extra in "[ -~]{1,4}") {
        let key = Key::new(&Secret::new("s3cr3t"));
        let signature = key.sign(timestamp.as_bytes(), &body).to_hex();
        for other in [
            format!("{signature}{extra}"),
            format!("{extra}{signature}"),
            format!("0x{}", &signature[2..]),
            signature[..63].to_owned(),
        ] {
            prop_assert!(!key.verify(timestamp.as_bytes(), &body, other.as_bytes()), "{}", other);
        }
    }

    /// If the timestamp has only digits, there is one way to split the signed text into timestamp and body.
    #[test]
    fn signed_text_is_unambiguous(
        first in ("[0-9]{1,20}", bodies()),
        second in ("[0-9]{1,20}", bodies()),
        moved in any::<prop::sample::Index>(),
    ) {
        let text = |(timestamp, body): &(String, Vec<u8>)| [timestamp.as_bytes(), b":", body].concat();
        prop_assert_eq!(text(&first) == text(&second), first == second);
        // Text of the body before a later colon always contains something other than a digit.
        let whole = text(&first);
        let colons: Vec<usize> = (0..whole.len()).filter(|&at| whole[at] == b':').collect();
        let at = colons[moved.index(colons.len())];
        if at != first.0.len() {
            prop_assert!(whole[..at].iter().any(|byte| !byte.is_ascii_digit()));
        }
    }

    #[test]
    fn contract_recipe_equals_the_signature(secret in secrets(), timestamp in "[0-9]{13}", body in bodies()) {
        let ours = Key::new(&Secret::new(secret.clone())).sign(timestamp.as_bytes(), &body).to_hex();
        prop_assert_eq!(Recipe::CONTRACT.compute(&secret, timestamp.as_bytes(), &body), Some(ours));
    }

    #[test]
    fn no_wrong_recipe_gives_the_valid_signature(secret in "[a-f0-9]{64}", timestamp in "[0-9]{13}", body in bodies()) {
        let valid = Recipe::CONTRACT.compute(&secret, timestamp.as_bytes(), &body);
        for recipe in Recipe::lattice().into_iter().skip(1) {
            let value = recipe.compute(&secret, timestamp.as_bytes(), &body);
            prop_assert!(value != valid, "{}", recipe.describe());
        }
    }
}

#[test]
fn signatures_agree_with_every_vector() {
    let vectors = vectors::all().unwrap();
    assert!(vectors.len() >= 20, "only {} vectors", vectors.len());
    for vector in &vectors {
        assert!(vector.signatures.len() >= 2, "{} was made by fewer than two programs", vector.name);
    }
    assert_eq!(vectors::disagreements(), Ok(Vec::new()));
}

#[test]
fn secret_is_never_printed() {
    let secret = Secret::new("do-not-print-me");
    let shown = format!("{secret} {secret:?} {:?}", Key::new(&secret));
    assert!(!shown.contains("print-me"), "{shown}");
}

/// A body with a member `secret`, whose record contains the probe.
fn probing() -> String {
    let probe = Serialiser::probe();
    format!(
        r#"{{"event":"person.created","secret":"x","data":{{"id":"a1","probe":{probe}}},"timestamp":"2025-02-10T15:30:50Z"}}"#
    )
}

#[test]
fn search_finds_every_applicable_recipe() {
    let (secret, timestamp, body) = (" 00aA11BBccDD", b"1735066639761", probing());
    let messages = Messages::of(timestamp, body.as_bytes());
    let mut applicable = 0;
    for recipe in Recipe::lattice() {
        let Some(header) = recipe.compute(secret, timestamp, body.as_bytes()) else { continue };
        applicable += 1;
        let mut found = messages.recipes(secret, header.as_bytes(), |_| true);
        // Without a key, the form of the key does not matter.
        let keyless = matches!(recipe.digest, Digest::Unkeyed | Digest::Zeros);
        let expected = if keyless { Recipe { key: KeyForm::Utf8, ..recipe } } else { recipe };
        assert!(found.any(|found| found == expected), "{} is not found", recipe.describe());
    }
    let key_forms = KeyForm::ALL.iter().filter(|key| !key.is_configuration()).count();
    // All messages with all keys but two: this secret is neither hexadecimal nor base64.
    assert_eq!(applicable, Recipe::lattice().len() / key_forms * (key_forms - 2));
}

#[test]
fn names_the_serialiser_that_was_used() {
    let timestamp = b"1735066639761";
    let cause = |body: &str, recipe: Recipe| {
        let header = recipe.compute("s3cr3t", timestamp, body.as_bytes()).unwrap();
        sender::signature("s3cr3t", &[], timestamp, body.as_bytes(), header.as_bytes()).unwrap()
    };
    for serialiser in Serialiser::ALL {
        let found = cause(&probing(), Recipe::message(Message::Reserialised(*serialiser)));
        assert_eq!(
            (found.code, found.detail.as_deref()),
            (Code::MessageReserialised, Some(serialiser.name()))
        );
    }
    // If two print the same, both are named.
    let found = cause(r#"{"b":1,"a":"x"}"#, Recipe::message(Message::Reserialised(Serialiser::Sorted)));
    assert_eq!((found.code, found.detail.as_deref()), (Code::MessageReserialised, Some("go or sorted")));
    let found = cause(&probing(), Recipe::message(Message::SecretMember));
    assert_eq!((found.code, found.detail), (Code::MessageSecretMember, None));
    // A recipe that equals the contract for this body does not apply.
    let plain = br#"{"a":1,"b":"x"}"#;
    let without_effect =
        [Serialiser::Javascript, Serialiser::Go, Serialiser::Sorted].map(Message::Reserialised);
    for message in without_effect.into_iter().chain([Message::SecretMember]) {
        assert_eq!(Recipe::message(message).compute("s3cr3t", timestamp, plain), None, "{message:?}");
    }
}
