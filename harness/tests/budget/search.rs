//! The search for the cause of a wrong signature ends soon and needs little memory, whatever the body.

use std::fs;
use std::time::Duration;

use tempfile::TempDir;
use twenty_conform::suite::cause::{Code, sender};
use twenty_conform::webhook::recipe::{KeyForm, Message, Recipe};
use twenty_conform::webhook::serialiser::Serialiser;

use super::measured;

const TIMESTAMP: &[u8] = b"1735066639761";

/// A body of this length with very many values.
fn zeros(length: usize) -> String {
    let list = "0,".repeat(length / 2);
    format!(r#"{{"event":"person.created","data":{{"x":[{list}0]}},"timestamp":"2026-01-01T00:00:00Z"}}"#)
}

#[test]
fn search_in_a_long_body_is_bounded() {
    let folder = TempDir::new().unwrap();
    for length in [200 << 10, 8 << 20, 15 << 20] {
        let body = zeros(length);
        let path = folder.path().join("request");
        let digits = "a".repeat(64);
        let head = format!(
            "POST / HTTP/1.1\r\nX-Twenty-Webhook-Timestamp: 1735066639761\r\nX-Twenty-Webhook-Signature: {digits}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        fs::write(&path, head + &body).unwrap();
        let arguments = ["verify", "--secret", "s3cr3t", path.to_str().unwrap()];
        let Some(run) = measured(&arguments) else { return };
        run.check(&format!("{length} bytes"), &[1]);
        // Without optimisation.
        assert!(run.busy < Duration::from_secs(15), "{run:#?}");
    }
}

#[test]
fn a_recorded_long_body_with_many_values_is_judged_in_little_memory() {
    let folder = TempDir::new().unwrap();
    for body in [zeros(8 << 20), format!("{{{}\"z\":0}}", "\"a\":0,".repeat(1 << 20))] {
        let digits = "a".repeat(64);
        let line = serde_json::json!({
            "at_ms": 1_735_066_639_761_u64,
            "delivery": {
                "method": "POST", "target": "/", "body": body, "transfer": "whole",
                "headers": [["X-Twenty-Webhook-Timestamp", "1735066639761"], ["X-Twenty-Webhook-Signature", digits]],
            },
        });
        let path = folder.path().join("deliveries.jsonl");
        fs::write(&path, line.to_string()).unwrap();
        let arguments = ["sender", "--transcript", path.to_str().unwrap(), "--secret", "s3cr3t"];
        let Some(run) = measured(&arguments) else { return };
        run.check("a recorded body", &[1]);
        assert!(run.busy < Duration::from_secs(30), "{run:#?}");
    }
}

#[test]
fn search_names_some_causes_in_a_long_body() {
    let body = zeros(1 << 20);
    let code = |recipe: Recipe| {
        let header = recipe.compute("s3cr3t", TIMESTAMP, body.as_bytes()).unwrap();
        sender::signature("s3cr3t", &[], TIMESTAMP, body.as_bytes(), header.as_bytes())
            .map(|cause| cause.code)
    };
    assert_eq!(code(Recipe::message(Message::BodyAlone)), Some(Code::MessageBodyAlone));
    assert_eq!(code(Recipe { key: KeyForm::Empty, ..Recipe::CONTRACT }), Some(Code::KeyEmpty));
    // This one needs the body parsed.
    assert_eq!(code(Recipe::message(Message::Reserialised(Serialiser::PythonDefault))), None);
    assert_eq!(code(Recipe::CONTRACT), None);
}
