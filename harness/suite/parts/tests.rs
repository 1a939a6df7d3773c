//! The search on programs that fail for something known.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::{MOST, Parts, Seen};
use crate::webhook::json::{Json, Text};

/// What is found out about a program that fails for these records.
fn found(record: &str, known: &[&str], fails: impl Fn(&Json, &str) -> bool) -> (String, usize) {
    let record = Json::parse(record.as_bytes()).unwrap();
    let text = record.compact();
    assert!(fails(&record, &text), "{text}");
    let known: Vec<Text> = known.iter().map(|name| Text::from(*name)).collect();
    let mut parts = Parts::new(record, "data", &known);
    let mut sent = 0;
    while let Some(varied) = parts.next() {
        sent += 1;
        let text = varied.compact();
        assert_eq!(Json::parse(text.as_bytes()).unwrap(), varied);
        parts.answer(if fails(&varied, &text) { Seen::Fails } else { Seen::Passes });
    }
    assert!(sent <= MOST, "{sent}");
    (parts.sentence().unwrap_or_default(), sent)
}

fn says(record: &str, fails: impl Fn(&str) -> bool) -> String {
    found(record, &["city"], |_, text| fails(text)).0
}

#[test]
fn names_the_part_that_matters_and_what_may_be_anything() {
    for (record, expected) in [
        (
            r#"{"id":"1","city":"y","url":"a/b"}"#,
            "any record: only the `/` in `data.url` matters; the rest of `data.url` and the name of `data.url` may be anything",
        ),
        (
            r#"{"id":"1","url":"/","n":5}"#,
            "any record: only the `/` in `data.url` matters; `data.n` and the name of `data.url` may be anything",
        ),
        (
            r#"{"id":"1","city":"y","list":[1,{"a b":"/"}]}"#,
            "any record: only the `/` in `data.list[1][\"a b\"]` matters; the name of `data.list[1][\"a b\"]`, \
             `data.list[0]` and the name of `data.list` may be anything",
        ),
    ] {
        assert_eq!(says(record, |text| text.contains('/')), expected);
    }
    let beyond = says(r#"{"id":"1","t":"日x"}"#, |text| !text.is_ascii());
    assert!(
        beyond.starts_with(
            "any record: only a character beyond ASCII in `data.t` (`日` and `é` alike) matters"
        ),
        "{beyond}"
    );
    let one = says(r#"{"id":"1","t":"日é"}"#, |text| text.contains('日'));
    assert!(one.starts_with("any record: only the `日` in `data.t` matters; the rest"), "{one}");
    let inside = says(r#"{"id":"1","a/b":5}"#, |text| text.contains('/'));
    assert!(
        inside.starts_with("any record: only the `/` in the name of `data[\"a/b\"]` matters"),
        "{inside}"
    );
    let name = says(r#"{"id":"1","__proto__":{"a":1}}"#, |text| text.contains("__proto__"));
    assert!(
        name.starts_with("any record: only the name of `data.__proto__` matters; the value of"),
        "{name}"
    );
}

#[test]
fn numbers_and_nesting_are_taken_apart() {
    let long = |text: &str| text.split(|one: char| !one.is_ascii_digit()).any(|run| run.len() > 16);
    let digits = says(r#"{"id":"1","n":-12345678901234567890}"#, long);
    assert!(
        digits.starts_with("any record: only how many digits the number `data.n` has matters"),
        "{digits}"
    );
    let exponent = says(r#"{"id":"1","n":1e21}"#, |text| text.contains("1e"));
    assert!(exponent.contains("the exponent of the number `data.n`"), "{exponent}");
    let deep = format!(r#"{{"id":"1","n":{}{}}}"#, "[".repeat(30), "]".repeat(30));
    let nesting = says(&deep, |text| text.matches('[').count() > 20);
    assert_eq!(
        nesting,
        "any record: only the nesting of `data.n` (21 levels) matters; the name of `data.n` may be anything"
    );
}

#[test]
fn two_parts_that_matter_together_are_both_named() {
    let both = says(r#"{"id":"1","a":"/","b":"\\"}"#, |text| text.contains('/') && text.contains('\\'));
    assert!(both.contains("the `\\` in `data.b`") && both.contains("the `/` in `data.a` matter"), "{both}");
}

#[test]
fn a_record_that_is_needed_is_not_taken_away() {
    // Without `city`, every record is rejected.
    let (said, _) = found(r#"{"id":"1","city":"y","u":"/"}"#, &["city"], |_, text| {
        text.contains('/') || !text.contains("city")
    });
    assert_eq!(said, "only the `/` in `data.u` matters; the name of `data.u` may be anything");
}

#[test]
fn unclear_results_claim_nothing() {
    let record = Json::parse(br#"{"id":"1","u":"a/b"}"#).unwrap();
    let mut parts = Parts::new(record.clone(), "data", &[]);
    while parts.next().is_some() {
        parts.answer(Seen::Unclear);
    }
    assert_eq!(parts.sentence(), None);
    let mut parts = Parts::new(record, "data", &[]);
    parts.next();
    parts.answer(Seen::Passes);
    parts.stop();
    assert_eq!((parts.next(), parts.sentence()), (None, None));
}
