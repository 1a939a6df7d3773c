//! Properties of redaction: no part of a secret remains, whatever it is and wherever the text was cut.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use twenty_conform::redaction::Redaction;
use twenty_conform::webhook::signature::Secret;
use twenty_conform::wire::exchange::{Delivery, Headers, Transfer};

use super::scan::{Windows, encodings};

/// Secrets of 8 to 200 bytes, and shorter ones: ASCII, what JSON, URLs and HTML escape, and other letters.
fn secrets() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => proptest::char::range('0', '9'),
        4 => proptest::char::range('A', 'Z'),
        4 => proptest::char::range('a', 'z'),
        2 => proptest::sample::select(&['"', '\\', '/', '&', '<', '>', '\'', '%', '+', '=', '?', ' ', '\t'][..]),
        1 => proptest::char::range('ä', 'ͯ'),
        1 => proptest::char::range('Ѐ', 'ӿ'),
        1 => proptest::sample::select(&['漢', '🦀', '\u{200b}'][..]),
    ];
    vec(character, 4..100)
        .prop_map(String::from_iter)
        .prop_filter("8 to 200 bytes", |secret| (4..=200).contains(&secret.len()) && secret.trim().len() >= 4)
}

/// Every encoding of a secret, with text between, in the order of `order`.
fn text(secret: &str, order: &[Index], between: &str) -> String {
    let encodings = encodings(secret);
    let chosen = order.iter().map(|index| &index.get(&encodings).1);
    chosen.map(|encoded| format!("{between}{encoded}")).collect::<String>() + between
}

/// A secret, a text with its encodings, and a part of that text.
fn cut_texts() -> impl Strategy<Value = (String, String, Bytes)> {
    let ends = (any::<Index>(), any::<Index>());
    (secrets(), vec(any::<Index>(), 1..6), "[ -~]{0,12}", ends).prop_map(
        |(secret, order, between, (from, to))| {
            let text = text(&secret, &order, &between);
            let (from, to) = (from.index(text.len() + 1), to.index(text.len() + 1));
            let cut = Bytes::copy_from_slice(&text.as_bytes()[from.min(to)..from.max(to)]);
            (secret, text, cut)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_part_of_a_secret_remains((secret, text, cut) in cut_texts()) {
        let redaction = Redaction::new([&Secret::new(secret.as_str())]);
        let windows = Windows::of([&*secret]);
        for bytes in [text.as_bytes(), &cut] {
            let shown = redaction.text(&String::from_utf8_lossy(bytes));
            prop_assert_eq!(windows.found_in(shown.as_bytes()), None, "{}", shown);
        }
    }

    #[test]
    fn no_part_remains_in_a_delivery((secret, text, cut) in cut_texts()) {
        let redaction = Redaction::new([&Secret::new(secret.as_str())]);
        let windows = Windows::of([&*secret]);
        let delivery = Delivery {
            method: secret.clone(),
            target: format!("/{text}"),
            headers: Headers(vec![(text.clone(), cut.clone())]),
            body: cut,
            transfer: Transfer::Whole,
        };
        let clean = redaction.delivery(&delivery);
        // Each part by itself: the quotes of JSON after seven characters of a secret may be its eighth by chance.
        let (name, value) = &clean.headers.0[0];
        for part in [clean.method.as_bytes(), clean.target.as_bytes(), name.as_bytes(), value, &clean.body] {
            prop_assert_eq!(windows.found_in(part), None, "{}", String::from_utf8_lossy(part));
        }
    }

    #[test]
    fn edges_of_a_cut_are_hidden(secret in "[0-9A-Za-z]{12,64}", at in 4..8_usize) {
        let redaction = Redaction::new([&Secret::new(secret.as_str())]);
        let (begin, end) = (&secret[..at], &secret[secret.len() - at..]);
        let shown = redaction.text(&format!("{begin}… …{end}"));
        prop_assert!(!shown.contains(begin) && !shown.contains(end), "{shown}");
    }
}
