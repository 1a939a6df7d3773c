//! The signing invariants as properties, and the agreement with vectors that independent programs made.
//!
//! Invariant: whatever bytes go in, only the same timestamp, body and secret verify.

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
    fn the_form_is_64_lowercase_digits(secret in secrets(), timestamp in "[0-9]{1,20}", body in bodies()) {
        let signature = Key::new(&Secret::new(secret)).sign(timestamp.as_bytes(), &body).to_hex();
        prop_assert_eq!(signature.len(), 64);
        prop_assert!(signature.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
        prop_assert_eq!(Signature::parse(signature.as_bytes()).unwrap().to_hex(), signature);
    }

    #[test]
    fn no_bit_can_be_changed(
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
        // Six bits of a secret's character leave it ASCII; the other two would leave text behind.
        let other_secret = flipped(secret.as_bytes(), bit / 8 * 8 + bit % 6);
        let other = Key::new(&Secret::new(String::from_utf8(other_secret).unwrap()));
        prop_assert!(!other.verify(timestamp.as_bytes(), &body, signature.as_bytes()));
        // A bit of the signature may turn a digit into its other case, which is the same digit.
        let changed = flipped(signature.as_bytes(), bit);
        let same_digits = changed.to_ascii_lowercase() == signature.as_bytes();
        prop_assert_eq!(key.verify(timestamp.as_bytes(), &body, &changed), same_digits);
    }

    #[test]
    fn nothing_may_surround_the_digits(timestamp in "[0-9]{13}", body in bodies(), extra in "[ -~]{1,4}") {
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

    /// With a timestamp of digits only, timestamp and body can be told apart in the signed text in one way.
    #[test]
    fn the_signed_text_is_unambiguous(
        first in ("[0-9]{1,20}", bodies()),
        second in ("[0-9]{1,20}", bodies()),
        moved in any::<prop::sample::Index>(),
    ) {
        let text = |(timestamp, body): &(String, Vec<u8>)| [timestamp.as_bytes(), b":", body].concat();
        prop_assert_eq!(text(&first) == text(&second), first == second);
        // A piece of the body moved before the colon always brings something other than a digit with it.
        let whole = text(&first);
        let colons: Vec<usize> = (0..whole.len()).filter(|&at| whole[at] == b':').collect();
        let at = colons[moved.index(colons.len())];
        if at != first.0.len() {
            prop_assert!(whole[..at].iter().any(|byte| !byte.is_ascii_digit()));
        }
    }

    #[test]
    fn the_genuine_recipe_is_the_contract(secret in secrets(), timestamp in "[0-9]{13}", body in bodies()) {
        let ours = Key::new(&Secret::new(secret.clone())).sign(timestamp.as_bytes(), &body).to_hex();
        prop_assert_eq!(Recipe::CONTRACT.compute(&secret, timestamp.as_bytes(), &body), Some(ours));
    }

    #[test]
    fn no_wrong_recipe_gives_the_genuine_signature(secret in "[a-f0-9]{64}", timestamp in "[0-9]{13}", body in bodies()) {
        let valid = Recipe::CONTRACT.compute(&secret, timestamp.as_bytes(), &body);
        for recipe in Recipe::lattice().into_iter().skip(1) {
            let value = recipe.compute(&secret, timestamp.as_bytes(), &body);
            prop_assert!(value != valid, "{}", recipe.describe());
        }
    }
}

#[test]
fn every_vector_agrees() {
    let vectors = vectors::all().unwrap();
    assert!(vectors.len() >= 20, "only {} vectors", vectors.len());
    for vector in &vectors {
        assert!(vector.signatures.len() >= 2, "{} was made by fewer than two programs", vector.name);
    }
    assert_eq!(vectors::disagreements(), Ok(Vec::new()));
}

#[test]
fn a_secret_never_prints() {
    let secret = Secret::new("do-not-print-me");
    let shown = format!("{secret} {secret:?} {:?}", Key::new(&secret));
    assert!(!shown.contains("print-me"), "{shown}");
}

/// A body whose record carries the probe, and a member `secret` besides.
fn probing() -> String {
    let probe = Serialiser::probe();
    format!(
        r#"{{"event":"person.created","secret":"x","data":{{"id":"a1","probe":{probe}}},"timestamp":"2025-02-10T15:30:50Z"}}"#
    )
}

#[test]
fn a_search_finds_every_recipe_that_can_be_followed() {
    let (secret, timestamp, body) = (" 00aA11BBccDD", b"1735066639761", probing());
    let messages = Messages::of(timestamp, body.as_bytes());
    let mut followed = 0;
    for recipe in Recipe::lattice() {
        let Some(header) = recipe.compute(secret, timestamp, body.as_bytes()) else { continue };
        followed += 1;
        let mut found = messages.recipes(secret, header.as_bytes(), |_| true);
        // Without a key all keys are one.
        let keyless = matches!(recipe.digest, Digest::Unkeyed | Digest::Zeros);
        let sought = if keyless { Recipe { key: KeyForm::Utf8, ..recipe } } else { recipe };
        assert!(found.any(|found| found == sought), "{} is not found", recipe.describe());
    }
    // All messages under all keys but two: this secret is neither hexadecimal nor base64.
    assert_eq!(followed, Recipe::lattice().len() / KeyForm::ALL.len() * (KeyForm::ALL.len() - 2));
}

#[test]
fn the_serialiser_that_was_signed_over_is_named() {
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
    // Where two print alike, both are named.
    let found = cause(r#"{"b":1,"a":"x"}"#, Recipe::message(Message::Reserialised(Serialiser::Sorted)));
    assert_eq!((found.code, found.detail.as_deref()), (Code::MessageReserialised, Some("go or sorted")));
    let found = cause(&probing(), Recipe::message(Message::SecretMember));
    assert_eq!((found.code, found.detail), (Code::MessageSecretMember, None));
    // What says nothing with this body is not followed.
    let plain = br#"{"a":1,"b":"x"}"#;
    let silent = [Serialiser::Javascript, Serialiser::Go, Serialiser::Sorted].map(Message::Reserialised);
    for message in silent.into_iter().chain([Message::SecretMember]) {
        assert_eq!(Recipe::message(message).compute("s3cr3t", timestamp, plain), None, "{message:?}");
    }
}
