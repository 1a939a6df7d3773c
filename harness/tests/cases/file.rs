//! The file of a case: errors in it are reported, and redacted secrets are restored.

use bytes::Bytes;
use serde_json::json;
use twenty_conform::redaction::Redaction;
use twenty_conform::report::case::{Case, FORMAT};
use twenty_conform::webhook::signature::Secret;

use super::{THEN, case, control};

#[test]
fn rejects_files_that_are_not_cases() {
    let whole = serde_json::to_value(case(&[control(THEN)], &control(THEN))).unwrap();
    let edited = |edit: &dyn Fn(&mut serde_json::Value)| {
        let mut value = whole.clone();
        edit(&mut value);
        value.to_string()
    };
    for (text, words) in [
        (String::new(), "it is not JSON"),
        ("{\"format\":".to_owned(), "line 1 column 10"),
        ("[]".to_owned(), "it is not a case"),
        ("{}".to_owned(), "it has no `format`"),
        ("{\"format\":\"twenty-conform-run/1\"}".to_owned(), "\"twenty-conform-run/1\""),
        (
            "{\"format\":\"twenty-conform-case/1\"}".to_owned(),
            "run `twenty-conform receiver` again with --out to get a new case",
        ),
        (format!("{{\"format\":\"{FORMAT}\"}}"), "missing field `requirement`"),
        (edited(&|value| value["expected"] = json!("5xx")), "unknown variant `5xx`"),
        (
            edited(&|value| value["expected"] = json!({ "words": "observed" })),
            "`expected` is \"observed\", which a single answer does not show",
        ),
        (edited(&|value| value["trial"]["body"] = json!(7)), "a string, or an object"),
        (
            edited(&|value| value["trial"]["method"] = json!("PO ST")),
            "`trial`: \"PO ST\" is not a request method",
        ),
        (edited(&|value| value["trial"]["target"] = json!("x")), "the target \"x\" is not a path"),
        (
            edited(&|value| value["controls"][0]["headers"][0][1] = json!("a\r\nb")),
            "`controls[0]`: the value of",
        ),
        (edited(&|value| value["controls"][0]["headers"][0][0] = json!("a:")), "\"a:\" is not a header name"),
        (
            edited(&|value| value["controls"] = json!([value["trial"], value["trial"], value["trial"]])),
            "3 controls",
        ),
    ] {
        let why = Case::parse(text.as_bytes()).unwrap_err();
        assert!(why.contains(words), "{words:?} in {why:?}");
    }
    assert!(Case::parse(whole.to_string().as_bytes()).is_ok());
}

#[test]
fn redacted_secret_is_restored() {
    let secret = Secret::new("p\"ä s");
    let redaction = Redaction::new([&secret]);
    let mut trial = control(THEN);
    trial.headers.add("Authorization", "Bearer p\"ä s");
    trial.body = Bytes::from_static("\u{0}p\"ä s".as_bytes());
    let mut case = case(&[], &redaction.delivery(&trial));
    assert!(!serde_json::to_string(&case).unwrap().contains("ä s"));
    case.redacted = true;
    assert_eq!(case.with_secret(&secret).as_saved().trial, trial);
}
