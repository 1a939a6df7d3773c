//! The payload shapes: snapshots of the reference sender's bodies, which are also the files that other senders are judged by.
//!
//! Invariant: there is exactly one snapshot for each sample event in each dialect that has it.

use std::path::Path;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use twenty_conform::clock::Clock;
use twenty_conform::peers::sender::{Sender, Transport};
use twenty_conform::random::Random;
use twenty_conform::webhook::dialect::{self, Dialect};
use twenty_conform::webhook::event::EventName;
use twenty_conform::webhook::shape::{Shape, diff, snapshot_name};
use twenty_conform::webhook::signature::Secret;
use twenty_conform::wire::exchange::{Delivery, Outcome, Response};
use url::Url;

/// A transport that passes on every delivery, and answers 200.
struct Recorder(Mutex<mpsc::UnboundedSender<Delivery>>);

impl Transport for Recorder {
    fn send(&self, _: Url, delivery: Delivery) -> BoxFuture<'_, Outcome> {
        self.0.lock().unwrap().send(delivery).unwrap();
        async { Outcome::Answered(Response::text(200, "")) }.boxed()
    }
}

/// The reference sender's deliveries of every sample of a dialect.
async fn bodies(dialect: &'static Dialect) -> Vec<(EventName, Delivery)> {
    let (kept, mut deliveries) = mpsc::unbounded_channel();
    let transport = Arc::new(Recorder(Mutex::new(kept)));
    let sender = Sender::new(dialect, Clock::fixed(1_735_066_639_761), Random::from_seed(1), transport);
    sender.create_webhook("http://127.0.0.1:4011/hook", Some(&Secret::new("s3cr3t")), None).unwrap();
    let mut bodies = Vec::new();
    for event in dialect.samples() {
        sender.emit(&event);
        bodies.push((event.name, deliveries.recv().await.unwrap()));
    }
    bodies
}

/// Compares a shape with its snapshot. The program finds the file by its name, so the name has no prefix.
fn assert_shape(dialect: &Dialect, event: &EventName, shape: &Shape) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/shapes"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_description(format!("the body of {event} in dialect {}", dialect.name));
    settings.bind(|| {
        let text = serde_json::to_string_pretty(&shape.to_json()).unwrap();
        insta::assert_snapshot!(snapshot_name(dialect, event), text);
    });
}

#[tokio::test]
async fn reference_bodies_match_the_snapshots() {
    for dialect in dialect::ALL {
        for (event, delivery) in bodies(dialect).await {
            let body: Value = serde_json::from_slice(&delivery.body).unwrap();
            assert_shape(dialect, &event, &Shape::of(&body));
        }
    }
}

#[test]
fn snapshots_are_compiled_in() {
    for dialect in dialect::ALL {
        for event in dialect.samples() {
            let shape = Shape::snapshot(dialect, &event.name);
            let shape = shape.unwrap_or_else(|| panic!("no snapshot of {} in {}", event.name, dialect.name));
            let member = dialect.content_member(&event.name);
            assert!(shape.to_json().get(member).is_some_and(Value::is_object), "{}: {member}", event.name);
        }
    }
}

#[test]
fn every_snapshot_belongs_to_a_sample() {
    let known: Vec<String> = dialect::ALL
        .into_iter()
        .flat_map(|dialect| {
            dialect.samples().into_iter().map(|event| snapshot_name(dialect, &event.name) + ".snap")
        })
        .collect();
    for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/shapes")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(
            known.contains(&name) || name.ends_with(".snap.new"),
            "no sample event for snapshots/shapes/{name}"
        );
    }
}

#[test]
fn samples_are_named_after_their_files() {
    insta::glob!("../..", "fixtures/events/*.json", |path| {
        let text = std::fs::read_to_string(path).unwrap();
        let event: Value = serde_json::from_str(&text).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert_eq!(event["event"], *name, "{}", path.display());
        let known = dialect::ALL.into_iter().any(|dialect| dialect.sample(name).is_some());
        assert!(known, "{name} is not compiled in: touch harness/build.rs");
    });
}

#[test]
fn differences_are_shown_with_their_paths() {
    let shape = |value: Value| Shape::of(&value);
    let expected = shape(json!({ "a": 1, "b": { "c": "x", "d": [1] }, "e": null, "f": [] }));
    let same = shape(json!({ "f": [true], "e": null, "b": { "d": [2, 3], "c": "y" }, "a": 2.5 }));
    assert_eq!(expected.differences(&same), []);
    let other = shape(json!({ "a": "1", "b": { "d": [1, "x"] }, "e": {}, "f": [], "g": true }));
    assert_eq!(
        diff(&expected.differences(&other)),
        "- a: number\n+ a: text\n- b.c: text\n- b.d[]: number\n+ b.d[]: text\n- e: null\n+ e: object\n+ g: boolean"
    );
    assert_eq!(
        diff(&expected.differences(&shape(json!([])))),
        "- (the whole body): object\n+ (the whole body): array"
    );
}
