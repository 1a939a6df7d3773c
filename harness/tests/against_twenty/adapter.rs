//! The adapter against the fake Twenty: what it sets arrives, what it makes is removed, and what others have stays.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use twenty_conform::clock::Clock;
use twenty_conform::random::Random;
use twenty_conform::subject::SubjectError;
use twenty_conform::subject::protocol::{Op, Reply};
use twenty_conform::subject::sender::Sender;
use twenty_conform::subject::twenty::adapter::Twenty;
use twenty_conform::subject::twenty::api::Api;
use twenty_conform::subject::twenty::cleanup::{clean_up, counts, find};
use twenty_conform::subject::twenty::mark;
use twenty_conform::subject::twenty::pace::RateLimits;
use twenty_conform::subject::twenty::transport::Network;
use twenty_conform::webhook::dialect::SHIPPED;
use twenty_conform::webhook::event::{Event, EventName};
use twenty_conform::webhook::signature::Secret;
use twenty_conform::wire::client::Target;
use twenty_conform::wire::endpoint::Handler;
use twenty_conform::wire::exchange::{Delivery, Response};

use super::support::Endpoint;
use crate::peers::plain;
use crate::peers::twenty::{FakeTwenty, Permissions, RateLimit, Restore, ServerErrors, Settings};

const RUN: &str = "fedcba98765432100123456789abcdef";
const LIFE: [&str; 5] = ["created", "updated", "deleted", "restored", "destroyed"];
const FAST: RateLimits = RateLimits { per_second: 10_000, per_minute: 10_000 };

fn api_at(url: &str, key: &str, limits: RateLimits) -> Api {
    let (server, key) = (Target::parse(url).unwrap(), Secret::new(key));
    Api::new(Arc::new(Network::new(server, key, Duration::from_secs(10), Clock::system())), limits)
}

fn api_of(fake: &FakeTwenty) -> Api {
    api_at(&fake.url(), fake.key(), FAST)
}

async fn fake(settings: Settings) -> FakeTwenty {
    FakeTwenty::start(settings).await
}

/// A fake without a rate limit.
fn unlimited() -> Settings {
    let rate_limit = RateLimit { per_second: None, per_minute: None, says_when: false };
    Settings { rate_limit, ..Settings::default() }
}

async fn greet(twenty: &Twenty) -> Result<Value, SubjectError> {
    twenty.call(Op::Hello { dialect: "shipped".to_owned(), ca: None }).await.map(|reply| ok(&reply))
}

async fn register(twenty: &Twenty, url: String) -> Result<Reply, SubjectError> {
    twenty.call(Op::CreateWebhook { url, secret: Some(Secret::new("s3cr3t-0123")), operations: None }).await
}

/// The answer of a reply that is `ok`.
fn ok(reply: &Reply) -> Value {
    let Reply::Ok(answer) = reply else { panic!("{reply:?}") };
    serde_json::from_str(answer.get()).unwrap()
}

fn event(name: &str, record: Value, id: &str) -> Event {
    let record = RawValue::from_string(record.to_string()).unwrap();
    Event { name: EventName::new(name), record, updated_fields: None }.with_id(id)
}

/// The sample of an action, or the record of the creation under that name.
fn sample(name: &str, id: &str) -> Event {
    let object = name.split('.').next().unwrap();
    let created = || SHIPPED.sample(&format!("{object}.created")).unwrap();
    let found = SHIPPED.sample(name).unwrap_or_else(created);
    Event { name: EventName::new(name), ..found }.with_id(id)
}

/// Whether `whole` has everything that `part` has.
fn has(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|other| has(other, value)))
        }
        (Value::Number(whole), Value::Number(part)) => whole.as_f64() == part.as_f64(),
        _ => whole == part,
    }
}

fn is_empty(fake: &FakeTwenty) -> bool {
    let objects = ["person", "company", "note", "task", "opportunity"];
    fake.webhooks().is_empty()
        && fake.objects().is_empty()
        && objects.iter().all(|object| fake.records(object).is_empty())
}

fn sorted(names: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = names.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn what_is_set_arrives_unchanged() {
    for restore in [Restore::Older, Restore::Newer] {
        let fake = fake(Settings { restore, ..unlimited() }).await;
        let (twenty, endpoint) = (Twenty::new(api_of(&fake), RUN), Endpoint::new().await);
        greet(&twenty).await.unwrap();
        register(&twenty, endpoint.server.url("/hooks/a?x=1")).await.unwrap();
        let random = Random::from_seed(5);
        let crm = twenty.crm().unwrap();
        let custom = crm.any_record.unwrap();
        let mut expected = Vec::new();
        for object in &crm.objects {
            let id = mark::record_id(&random.uuid());
            for action in LIFE {
                let name = format!("{object}.{action}");
                let event = if *object == custom {
                    event(&name, json!({ "a": [1, null, { "b": "é" }], "action": action }), &id)
                } else {
                    sample(&name, &id)
                };
                let reply = ok(&twenty.call(Op::Emit(event)).await.unwrap());
                assert_eq!(reply["record"]["id"], id.as_str(), "{name}");
                expected.push((name, reply));
            }
        }
        endpoint.wait_for(expected.len()).await;
        assert!(fake.settled().await);
        let bodies = endpoint.bodies();
        for (name, reply) in &expected {
            let arrived: Vec<&Value> =
                bodies.iter().filter(|body| body["eventName"] == name.as_str()).collect();
            let [one] = arrived.as_slice() else { panic!("{name}: {arrived:?}") };
            assert!(has(&one["record"], &reply["record"]), "{name}: {reply} {one}");
            // Twenty names them in the order of the record.
            assert_eq!(sorted(&one["updatedFields"]), sorted(&reply["updatedFields"]), "{name}");
        }
        let removal = twenty.stop().await;
        assert!(removal.is_complete() && is_empty(&fake), "{removal:?}");
        let refused = fake.calls().into_iter().filter(|call| call.status >= 400);
        let refused: Vec<_> = refused.filter(|call| !call.path.ends_with("/restore")).collect();
        assert!(refused.is_empty(), "{refused:?}");
    }
}

#[tokio::test]
async fn records_of_any_content_go_in_batches_and_keep_their_digits() {
    let fake = fake(unlimited()).await;
    let (twenty, endpoint) = (Twenty::new(api_of(&fake), RUN), Endpoint::new().await);
    greet(&twenty).await.unwrap();
    register(&twenty, endpoint.server.url("/hooks/a")).await.unwrap();
    let name = format!("{}.created", twenty.crm().unwrap().any_record.unwrap());
    let random = Random::from_seed(6);
    let text = r#""n":[9007199254740993,1.10,-0.0],"t":"\u00e9 \u2028","__proto__":{"x":1},"":0}"#;
    let events = (0..60).map(|_| {
        let id = mark::record_id(&random.uuid());
        let record = RawValue::from_string(format!("{{\"id\":\"{id}\",{text}")).unwrap();
        Event { name: EventName::new(&*name), record, updated_fields: None }
    });
    let replies = twenty.emit_all(events.collect()).await.unwrap();
    for reply in &replies {
        let Reply::Ok(answer) = reply else { panic!("{reply:?}") };
        assert!(answer.get().contains(&format!("\"conformRecord\":{{{text}}}")[..]), "{}", answer.get());
    }
    let batches = fake.calls().iter().filter(|call| call.path.starts_with("/rest/batch/")).count();
    assert_eq!((replies.len(), batches), (60, 1));
    let arrived = endpoint.wait_for(60).await;
    for one in arrived {
        let body = String::from_utf8(one.body.to_vec()).unwrap();
        assert!(body.contains("9007199254740993") && body.contains("__proto__"), "{body}");
    }
    assert!(twenty.stop().await.is_complete() && is_empty(&fake));
}

#[tokio::test]
async fn killed_run_is_cleaned_up_and_what_others_have_stays() {
    let fake = fake(unlimited()).await;
    let twenty = Twenty::new(api_of(&fake), RUN);
    greet(&twenty).await.unwrap();
    let endpoint = Endpoint::new().await;
    register(&twenty, endpoint.server.url("/hooks/a")).await.unwrap();
    let random = Random::from_seed(8);
    let ids: Vec<String> = (0..70).map(|_| mark::record_id(&random.uuid())).collect();
    let mut events: Vec<Event> =
        ids.iter().map(|id| event("company.created", json!({ "name": "Acme" }), id)).collect();
    events.push(event("company.deleted", json!({}), &ids[0]));
    twenty.emit_all(events).await.unwrap();
    // As kill -9 does.
    drop(twenty);
    let other = fake.add_record("companies", &json!({ "name": "Acme" }));
    let webhook =
        fake.add_webhook(&json!({ "targetUrl": "http://127.0.0.1:9/hooks/a", "description": "sync" }));
    let object = json!({
        "nameSingular": "conformRocketabcdeg", "namePlural": "conformRocketabcdegs",
        "labelSingular": "A", "labelPlural": "As", "description": "Our own rockets"
    });
    let object = fake.add_object(&object);
    let api = api_of(&fake);
    let found = find(&api).await.unwrap();
    assert_eq!(counts(&found.made), "1 webhook, 70 records and 1 custom object");
    let removal = clean_up(&api, &|_| {}).await.unwrap();
    assert!(removal.is_complete(), "{removal:?}");
    let id = |one: &Value| one["id"].as_str().unwrap().to_owned();
    let ids = |all: Vec<Value>| all.iter().map(id).collect::<Vec<_>>();
    assert_eq!(ids(fake.records("company")), [other]);
    assert_eq!(ids(fake.webhooks()), [webhook]);
    assert_eq!(ids(fake.objects()), [object]);
    assert!(find(&api).await.unwrap().made.is_empty());
    let singly =
        fake.calls().iter().filter(|call| call.method == "DELETE").all(|call| !call.path.contains("filter"));
    assert!(singly, "nothing is destroyed by a filter");
}

#[tokio::test]
async fn interrupted_call_is_cleaned_up() {
    let fake = fake(unlimited()).await;
    let twenty = Twenty::new(api_of(&fake), RUN);
    greet(&twenty).await.unwrap();
    let endpoint = Endpoint::new().await;
    // Each is dropped after it was sent, and before it is answered.
    for _ in 0..5 {
        tokio::select! {
            biased;
            _ = register(&twenty, endpoint.server.url("/hooks/a")) => {}
            () = tokio::task::yield_now() => {}
        }
    }
    let id = mark::record_id(&Random::from_seed(9).uuid());
    tokio::select! {
        biased;
        _ = twenty.call(Op::Emit(sample("task.created", &id))) => {}
        () = tokio::task::yield_now() => {}
    }
    let removal = twenty.stop().await;
    assert!(removal.is_complete() && is_empty(&fake), "{removal:?}");
}

#[tokio::test]
async fn failing_server_leaves_nothing_either() {
    // Every third call is carried out, and answered 502.
    let server_errors = Some(ServerErrors { every: 3, status: 502, after_work: true });
    let fake = fake(Settings { server_errors, ..unlimited() }).await;
    let twenty = Twenty::new(api_of(&fake), RUN);
    let _ = greet(&twenty).await;
    let (endpoint, random) = (Endpoint::new().await, Random::from_seed(10));
    for _ in 0..4 {
        let _ = register(&twenty, endpoint.server.url("/hooks/a")).await;
        let _ = twenty.call(Op::Emit(sample("note.created", &mark::record_id(&random.uuid())))).await;
    }
    while !twenty.stop().await.is_complete() {}
    assert!(is_empty(&fake), "{:?} {:?}", fake.webhooks(), fake.objects());
}

#[tokio::test]
async fn run_that_cannot_begin_says_why_and_makes_nothing() {
    let all = Permissions::ALL;
    let forbidden = Settings { permissions: Permissions { webhooks: false, ..all }, ..unlimited() };
    let no_route = Settings { missing_routes: vec!["GET /rest/metadata/webhooks".to_owned()], ..unlimited() };
    for (settings, key, expected) in [
        (unlimited(), Some("wrong-key-0123456789"), "(401)"),
        (forbidden, None, "\"API Keys & Webhooks\""),
        (no_route, None, "upgrade Twenty"),
    ] {
        let fake = fake(settings).await;
        let key = key.unwrap_or_else(|| fake.key()).to_owned();
        let twenty = Twenty::new(api_at(&fake.url(), &key, FAST), RUN);
        let error = greet(&twenty).await.unwrap_err();
        assert!(matches!(error, SubjectError::NotStarted(_)), "{error:?}");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!format!("{error} {error:?}").contains(&key), "{error:?}");
        assert!(is_empty(&fake) && fake.calls().iter().all(|call| call.method == "GET"));
    }
}

#[tokio::test]
async fn other_program_is_not_taken_for_a_twenty() {
    struct Page;
    impl Handler for Page {
        fn handle(&self, _: Delivery) -> futures_util::future::BoxFuture<'_, Option<Response>> {
            Box::pin(std::future::ready(Some(Response::text(200, "<!DOCTYPE html><title>Shop</title>"))))
        }
    }
    let page = plain::serve(Arc::new(Page)).await.unwrap();
    let twenty = Twenty::new(api_at(&page.url("/"), "key-0123456789", FAST), RUN);
    let error = greet(&twenty).await.unwrap_err().to_string();
    assert!(error.contains("does not look like a Twenty") && error.contains("check the URL"), "{error}");
    drop(page);
    let gone = Twenty::new(api_at("http://127.0.0.1:1/", "key-0123456789", FAST), RUN);
    let error = greet(&gone).await.unwrap_err().to_string();
    assert!(error.contains("http://127.0.0.1:1/ cannot be reached"), "{error}");
}

#[tokio::test]
async fn key_without_some_permissions_can_still_be_used() {
    let all = Permissions::ALL;
    let no_objects = Permissions { objects: false, ..all };
    let fake_without = fake(Settings { permissions: no_objects, ..unlimited() }).await;
    let twenty = Twenty::new(api_of(&fake_without), RUN);
    greet(&twenty).await.unwrap();
    assert_eq!(twenty.crm().unwrap().any_record, None);
    assert!(twenty.without_custom_object().unwrap().contains("\"Data Model\""));

    let no_records = Permissions { records: false, ..all };
    let fake_without = fake(Settings { permissions: no_records, ..unlimited() }).await;
    let twenty = Twenty::new(api_of(&fake_without), RUN);
    greet(&twenty).await.unwrap();
    let id = mark::record_id(&Random::from_seed(11).uuid());
    let error = twenty.call(Op::Emit(sample("person.created", &id))).await.unwrap_err().to_string();
    assert!(error.contains("\"Edit Records\""), "{error}");
    let removal = twenty.stop().await;
    assert!(removal.is_complete() && is_empty(&fake_without), "{removal:?}");
}

#[tokio::test]
async fn version_without_json_fields_or_metadata_events_says_so() {
    let missing_routes = vec!["POST /rest/metadata/fields".to_owned()];
    let fake = fake(Settings { missing_routes, version: None, ..unlimited() }).await;
    let twenty = Twenty::new(api_of(&fake), RUN);
    let hello = greet(&twenty).await.unwrap();
    assert_eq!(
        (&hello["version"], &hello["capabilities"]),
        (&json!("unknown"), &json!(["delete", "filters", "unsigned"]))
    );
    assert!(twenty.without_custom_object().unwrap().contains("POST /rest/metadata/fields"));
    assert!(fake.objects().is_empty(), "the object of no use is deleted");
}

#[tokio::test]
async fn calls_stay_under_the_limit_and_wait_where_they_do_not() {
    let rate_limit = RateLimit { per_second: Some(4), per_minute: None, says_when: true };
    for limits in [RateLimits { per_second: 4, per_minute: 1000 }, FAST] {
        let fake = fake(Settings { rate_limit, ..Settings::default() }).await;
        let twenty = Twenty::new(api_at(&fake.url(), fake.key(), limits), RUN);
        greet(&twenty).await.unwrap();
        let random = Random::from_seed(12);
        for _ in 0..4 {
            let event = sample("note.created", &mark::record_id(&random.uuid()));
            ok(&twenty.call(Op::Emit(event)).await.unwrap());
        }
        assert!(twenty.stop().await.is_complete() && is_empty(&fake));
        let refused = fake.calls().iter().filter(|call| call.status == 429).count();
        assert_eq!(refused == 0, limits != FAST, "{refused} calls were refused");
    }
}

#[tokio::test]
async fn metadata_of_the_own_object_is_changed() {
    let fake = fake(unlimited()).await;
    let (twenty, endpoint) = (Twenty::new(api_of(&fake), RUN), Endpoint::new().await);
    greet(&twenty).await.unwrap();
    register(&twenty, endpoint.server.url("/hooks/a")).await.unwrap();
    for _ in 0..2 {
        let event = SHIPPED.sample("metadata.fieldMetadata.updated").unwrap();
        let reply = ok(&twenty.call(Op::Emit(event)).await.unwrap());
        assert!(reply["record"]["recordId"].is_string(), "{reply}");
    }
    endpoint.wait_for(2).await;
    assert_eq!(endpoint.events(), ["metadata.fieldMetadata.updated"; 2]);
    assert!(twenty.stop().await.is_complete());
}
