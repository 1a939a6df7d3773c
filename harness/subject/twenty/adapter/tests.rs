//! The adapter and the cleanup against a CRM in memory.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod memory;

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::random::Random;
use crate::subject::twenty::cleanup::{clean_up, find};
use crate::subject::twenty::pace::RateLimits;
use crate::subject::twenty::transport::{Call, Recorder};
use crate::webhook::event::EventName;
use crate::wire::exchange::{Headers, Outcome, Response};
use memory::{Memory, answer};

const RUN: &str = "0123456789abcdef0123456789abcdef";

fn twenty() -> (Arc<Memory>, Twenty) {
    let memory = Arc::new(Memory::default());
    (memory.clone(), Twenty::new(api(memory), RUN))
}

fn api(memory: Arc<Memory>) -> Api {
    Api::new(memory, RateLimits { per_second: 1000, per_minute: 1000 })
}

fn event(name: &str, id: &str, record: &str) -> Event {
    let members = record.trim_start_matches('{');
    let comma = if members == "}" { "" } else { "," };
    let record = serde_json::value::RawValue::from_string(format!("{{\"id\":\"{id}\"{comma}{members}"));
    Event { name: EventName::new(name), record: record.unwrap(), updated_fields: None }
}

fn ids(count: usize) -> Vec<String> {
    let random = Random::from_seed(7);
    (0..count).map(|_| mark::record_id(&random.uuid())).collect()
}

async fn hello(twenty: &Twenty) -> Result<Reply, SubjectError> {
    twenty.call(Op::Hello { dialect: "shipped".to_owned(), ca: None }).await
}

async fn webhook(twenty: &Twenty) -> Result<Reply, SubjectError> {
    let (url, secret) = ("http://127.0.0.1:9/hooks/a?x=1".to_owned(), Some(Secret::new("s3cr3t-secret")));
    twenty.call(Op::CreateWebhook { url, secret, operations: None }).await
}

fn said(reply: &Reply) -> Value {
    match reply {
        Reply::Ok(answer) => serde_json::from_str(answer.get()).unwrap(),
        Reply::Error(why) | Reply::Unsupported(why) => json!({ "refused": why }),
    }
}

async fn emitted(twenty: &Twenty, event: Event) -> Value {
    said(&twenty.call(Op::Emit(event)).await.unwrap())
}

#[tokio::test]
async fn run_makes_marked_things_and_removes_them() {
    let (memory, twenty) = twenty();
    let greeting = said(&hello(&twenty).await.unwrap());
    assert_eq!(greeting["version"], "2.31.0");
    assert_eq!(greeting["capabilities"], json!(["delete", "filters", "unsigned", "metadata-events"]));
    let custom = twenty.crm().unwrap().any_record.unwrap();
    assert_eq!(custom, "conformRocketabcdef");
    let made = said(&webhook(&twenty).await.unwrap());
    assert!(memory.state().webhooks.contains_key(made["webhook"].as_str().unwrap()));

    let ids = ids(4);
    let person = event("person.created", &ids[0], r#"{"jobTitle":"Eng","city":"Łódź"}"#);
    assert_eq!(emitted(&twenty, person).await, json!({ "record": { "id": ids[0], "jobTitle": "Eng" } }));
    let update = emitted(&twenty, event("person.updated", &ids[0], r#"{"jobTitle":"Chief"}"#)).await;
    assert_eq!(update["updatedFields"], json!(["jobTitle"]));
    let deleted = emitted(&twenty, event("person.deleted", &ids[0], "{}")).await;
    assert_eq!(
        deleted,
        json!({ "record": { "id": ids[0], "jobTitle": "Chief" }, "updatedFields": ["deletedAt"] })
    );
    let again = emitted(&twenty, event("person.updated", &ids[0], "{}")).await;
    assert!(again["refused"].as_str().unwrap().contains("is deleted"), "{again}");
    emitted(&twenty, event("person.restored", &ids[0], "{}")).await;
    let destroyed = emitted(&twenty, event("person.destroyed", &ids[0], "{}")).await;
    assert_eq!(destroyed, json!({ "record": { "id": ids[0], "jobTitle": "Chief" } }));
    let unknown = emitted(&twenty, event("note.updated", &ids[1], "{}")).await;
    assert!(unknown["refused"].as_str().unwrap().contains("not created before"), "{unknown}");
    let unmarked = emitted(&twenty, event("note.created", &Random::from_seed(1).uuid(), "{}")).await;
    assert!(unmarked["refused"].as_str().unwrap().contains("mark"), "{unmarked}");

    let any = event(&format!("{custom}.created"), &ids[2], r#"{"n":9007199254740993,"name":"x"}"#);
    let Reply::Ok(exact) = twenty.call(Op::Emit(any)).await.unwrap() else { panic!("it is accepted") };
    let expected = format!(
        r#"{{"record":{{"id":"{}","name":"twenty-conform","conformRecord":{{"n":9007199254740993,"name":"x"}}}}}}"#,
        ids[2]
    );
    assert_eq!(exact.get(), expected);
    emitted(&twenty, event("company.created", &ids[3], r#"{"name":"A"}"#)).await;

    let removal = twenty.stop().await;
    assert!(removal.is_complete() && memory.is_empty(), "{removal:?}");
    assert_eq!(removal.summary(), "removed 1 webhook, 1 record and 1 custom object from Twenty");
    let deletions: Vec<String> = memory
        .state()
        .calls
        .iter()
        .rev()
        .take(3)
        .map(|call| call.split('/').nth(3).unwrap_or("").to_owned())
        .collect();
    assert_eq!(deletions[0], "objects", "the object goes last");
    assert_eq!(deletions[2], "webhooks", "webhooks go first");
    assert!(twenty.stop().await.removed.is_empty() && twenty.left() == 0);
}

#[tokio::test]
async fn created_events_of_one_object_go_together() {
    let (memory, twenty) = twenty();
    hello(&twenty).await.unwrap();
    let custom = twenty.crm().unwrap().any_record.unwrap();
    let ids = ids(69);
    let any = |id: &String| event(&format!("{custom}.created"), id, r#"{"a":1}"#);
    let mut events: Vec<Event> = ids[..65].iter().map(any).collect();
    events.push(event("person.created", &ids[65], "{}"));
    events.push(event("person.created", &ids[66], "{}"));
    events.push(event("person.deleted", &ids[66], "{}"));
    events.push(event(&format!("{custom}.created"), &ids[67], r#"{"a":"\u0000"}"#));
    events.push(any(&ids[68]));
    let replies = twenty.emit_all(events.clone()).await.unwrap();
    assert_eq!(replies.len(), events.len());
    for (event, reply) in events.iter().zip(&replies) {
        assert_eq!(said(reply)["record"]["id"], event.record_id().unwrap().as_str(), "{reply:?}");
    }
    assert_eq!(memory.count("POST /rest/batch/"), 3);
    // One alone in its batch each.
    assert_eq!(memory.count("POST /rest/conformRocketabcdefs"), 2);
    assert!(twenty.stop().await.is_complete() && memory.is_empty());
    assert_eq!(memory.count("DELETE /rest/conformRocketabcdefs"), 0, "they go with the object");
}

#[tokio::test]
async fn restore_route_is_found_out_once() {
    for (newer, calls) in [(true, [2, 0]), (false, [1, 2])] {
        let (memory, twenty) = twenty();
        memory.state().has_newer_restore = newer;
        let id = &ids(1)[0];
        emitted(&twenty, event("note.created", id, r#"{"title":"N"}"#)).await;
        for _ in 0..2 {
            emitted(&twenty, event("note.deleted", id, "{}")).await;
            let restored = emitted(&twenty, event("note.restored", id, "{}")).await;
            assert_eq!(restored["updatedFields"], json!(["deletedAt"]));
        }
        let made =
            [memory.count(&format!("PATCH /rest/notes/{id}/restore")), memory.count("PATCH /rest/restore/")];
        assert_eq!(made, calls, "newer: {newer}");
    }
}

#[tokio::test]
async fn version_without_custom_fields_has_no_object_for_any_record() {
    let (memory, twenty) = twenty();
    memory.fail("POST /rest/metadata/fields", || {
        answer(404, &json!({ "message": "Cannot POST /rest/metadata/fields" }))
    });
    hello(&twenty).await.unwrap();
    let crm = twenty.crm().unwrap();
    assert_eq!((crm.objects.len(), crm.any_record), (5, None));
    assert!(twenty.without_custom_object().unwrap().contains("POST /rest/metadata/fields"));
    assert!(memory.is_empty(), "the object without the field is deleted again");
}

#[tokio::test]
async fn run_cannot_begin_where_the_key_may_not() {
    for (call, how, expected) in [
        ("GET /rest", (|| answer(401, &json!({}))) as fn() -> Outcome, "make a new key"),
        ("GET /rest", || answer(403, &json!({})), "\"API Keys & Webhooks\""),
        ("GET /", || answer(200, &json!("a page")), "unknown form"),
        ("", || Outcome::Refused, "cannot be reached"),
        (
            "",
            || Outcome::Answered(Response { status: 404, body: "<html>".into(), ..Response::default() }),
            "does not look like",
        ),
    ] {
        let (memory, twenty) = twenty();
        memory.fail(call, how);
        let error = hello(&twenty).await.unwrap_err();
        assert!(matches!(error, SubjectError::NotStarted(_)), "{error:?}");
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(memory.count("POST"), 0, "nothing is made");
    }
}

#[tokio::test]
async fn members_that_a_version_does_not_know_are_left_out() {
    let (memory, twenty) = twenty();
    memory.fail("POST /rest/companies", || {
        answer(400, &json!({ "code": "INVALID_QUERY_INPUT", "messages": ["Object company has no \"employees\" field"] }))
    });
    let ids = ids(2);
    let company = r#"{"name":"A","employees":7}"#;
    let refused = emitted(&twenty, event("company.created", &ids[0], company)).await;
    assert!(refused["refused"].as_str().unwrap().contains("employees"), "{refused}");
    memory.recover();
    let created = emitted(&twenty, event("company.created", &ids[1], company)).await;
    assert_eq!(created, json!({ "record": { "id": ids[1], "name": "A" } }));
    let updated = emitted(&twenty, event("company.updated", &ids[1], r#"{"name":"A","employees":8}"#)).await;
    assert_eq!(updated["updatedFields"], json!(["name"]), "{updated}");
}

#[tokio::test]
async fn unanswered_calls_are_cleaned_up_too() {
    let (memory, twenty) = twenty();
    memory.fail("POST /", || Outcome::TimedOut);
    assert!(hello(&twenty).await.is_err());
    assert!(webhook(&twenty).await.is_err());
    assert!(twenty.call(Op::Emit(event("task.created", &ids(1)[0], "{}"))).await.is_err());
    let counts = {
        let state = memory.state();
        (state.objects.len(), state.webhooks.len(), state.records.len())
    };
    assert_eq!(counts, (1, 1, 1));
    let removal = twenty.stop().await;
    assert!(removal.is_complete() && memory.is_empty(), "{removal:?}");
}

#[tokio::test]
async fn what_cannot_be_removed_is_named_and_removed_later() {
    let (memory, twenty) = twenty();
    hello(&twenty).await.unwrap();
    webhook(&twenty).await.unwrap();
    let id = &ids(1)[0];
    emitted(&twenty, event("task.created", id, "{}")).await;
    memory.fail("DELETE /rest/tasks", || answer(403, &json!({ "messages": ["no"] })));
    let removal = twenty.stop().await;
    assert_eq!((removal.removed.len(), removal.left.len()), (2, 1));
    assert!(removal.left[0].contains(id) && removal.left[0].contains("\"Destroy Records\""), "{removal:?}");
    assert!(removal.complaints()[1].contains("--cleanup"));
    memory.recover();
    assert!(twenty.stop().await.is_complete() && memory.is_empty());
}

#[tokio::test]
async fn cleanup_removes_leftovers_and_nothing_else() {
    for refuses_filters in [false, true] {
        let (memory, twenty) = twenty();
        hello(&twenty).await.unwrap();
        webhook(&twenty).await.unwrap();
        let ids = ids(5);
        for id in &ids {
            emitted(&twenty, event("person.created", id, r#"{"jobTitle":"Eng"}"#)).await;
        }
        emitted(&twenty, event("person.deleted", &ids[0], "{}")).await;
        drop(twenty);
        {
            // What others have, with the same names.
            let mut state = memory.state();
            state.refuses_filters = refuses_filters;
            state.create("people", json!({ "jobTitle": "Eng" })).unwrap();
            state
                .create("people", json!({ "jobTitle": "Eng", "deletedAt": "2026-01-01T00:00:00.000Z" }))
                .unwrap();
            state.webhooks.insert(
                "w".to_owned(),
                json!({ "id": "w", "targetUrl": "http://crm.example/hooks/a", "description": "sync" }),
            );
            state.objects.insert(
                "o".to_owned(),
                json!({ "id": "o", "nameSingular": "rocket", "description": "twenty-conform" }),
            );
        }
        let api = api(memory.clone());
        let found = find(&api).await.unwrap();
        assert_eq!(cleanup::counts(&found.made), "1 webhook, 5 records and 1 custom object");
        assert!(found.unseen.is_empty());
        let removal = clean_up(&api, &|_| {}).await.unwrap();
        assert!(removal.is_complete(), "{removal:?}");
        assert_eq!(removal.removed, found.made);
        let state = memory.state();
        assert_eq!((state.webhooks.len(), state.objects.len(), state.records.len()), (1, 1, 2));
    }
}

#[tokio::test]
async fn refusal_because_of_the_rate_is_waited_for() {
    let memory = Arc::new(Memory::default());
    let api = api(memory.clone());
    memory.fail("GET /rest", || {
        let mut headers = Headers::default();
        headers.add("Retry-After", "0");
        Outcome::Answered(Response { status: 429, headers, body: "{}".into(), cut: 0 })
    });
    let (checked, ()) = tokio::join!(api.check_key(), async {
        while memory.count("GET /rest") < 2 {
            tokio::task::yield_now().await;
        }
        memory.recover();
    });
    checked.unwrap();
    memory.fail("GET /rest", || {
        let mut headers = Headers::default();
        headers.add("Retry-After", "3600");
        Outcome::Answered(Response { status: 429, headers, body: "{}".into(), cut: 0 })
    });
    let error = api.check_key().await.unwrap_err();
    assert_eq!(error.fault, ApiFault::RateLimited);
    assert!(
        error.to_string().contains("3600 s") && error.fix.contains("API_RATE_LIMITING_LONG_LIMIT"),
        "{error}"
    );
}

#[tokio::test]
async fn dry_run_lists_every_call_without_secrets() {
    let recorder = Arc::new(Recorder::new("http://127.0.0.1:3000/", "2.31.0"));
    let twenty = Twenty::new(Api::new(recorder.clone(), RateLimits::default()), RUN);
    hello(&twenty).await.unwrap();
    webhook(&twenty).await.unwrap();
    emitted(&twenty, event("person.created", &ids(1)[0], r#"{"jobTitle":"Eng"}"#)).await;
    assert!(twenty.stop().await.is_complete());
    let calls: Vec<String> = recorder.calls().iter().map(ToString::to_string).collect();
    let names: Vec<String> = recorder.calls().iter().map(Call::name).collect();
    assert_eq!(names.len(), 9, "{names:?}");
    assert_eq!(names[4], "POST /rest/metadata/webhooks");
    assert!(calls[4].contains("\"targetUrl\":\"http://127.0.0.1:9/hooks/a?x=1\""), "{}", calls[4]);
    assert!(calls[5].contains(r#""jobTitle":"Eng""#), "{}", calls[5]);
    assert!(!format!("{calls:?} {:?}", recorder.calls()).contains("s3cr3t"), "{calls:?}");
    assert_eq!(twenty.api().pace().made(), 0, "no call needs its turn");
}
