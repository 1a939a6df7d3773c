//! The fake Twenty's deliveries: requests, filters, and each fault of the worker.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use twenty_conform::webhook::signature::{Key, Secret};
use twenty_conform::wire::exchange::{Delivery, Headers, Response};

use super::support::{Endpoint, Workspace, endless};
use crate::peers::servers;
use crate::peers::twenty::{RateLimit, Settings};

/// Whether the signature fits the body as it arrived.
fn is_signed(delivery: &Delivery) -> bool {
    let header = |name| delivery.headers.single(name).unwrap();
    let key = Key::new(&Secret::new("s"));
    key.verify(header("x-twenty-webhook-timestamp"), &delivery.body, header("x-twenty-webhook-signature"))
}

/// A custom object with a field `load` of JSON.
async fn with_rockets(settings: Settings) -> Workspace {
    let twenty = Workspace::new(settings).await;
    let object = json!({
        "nameSingular": "rocket", "namePlural": "rockets", "labelSingular": "Rocket", "labelPlural": "Rockets",
    });
    let made = twenty.done("POST /rest/metadata/objects", object).await;
    let id = &made["data"]["createOneObject"]["id"];
    let field = json!({ "objectMetadataId": id, "name": "load", "label": "Load", "type": "RAW_JSON" });
    twenty.done("POST /rest/metadata/fields", field).await;
    twenty
}

#[tokio::test]
async fn request_has_the_headers_of_axios_in_their_order() {
    let twenty = Workspace::new(Settings::default()).await;
    let endpoint = Endpoint::new().await;
    let webhook = twenty.webhook(&endpoint.url()).await;
    let company = twenty.company("A").await;
    let delivery = endpoint.wait_for(1).await.remove(0);
    assert_eq!((delivery.method.as_str(), delivery.target.as_str()), ("POST", "/hook?x=1"));
    let names: Vec<_> = delivery.headers.0.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "Accept",
        "Content-Type",
        "X-Twenty-Webhook-Timestamp",
        "X-Twenty-Webhook-Signature",
        "X-Twenty-Webhook-Nonce",
        "User-Agent",
        "Content-Length",
        "Accept-Encoding",
        "Host",
        "Connection",
    ];
    assert_eq!(names, expected);
    assert!(is_signed(&delivery));
    let body: Value = serde_json::from_slice(&delivery.body).unwrap();
    let members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    let expected =
        ["targetUrl", "eventName", "objectMetadata", "workspaceId", "webhookId", "eventDate", "record"];
    assert_eq!(members, expected);
    assert_eq!((&body["webhookId"], &body["record"]["id"]), (&json!(webhook), &json!(company)));
    twenty.settle().await;
    let sent = twenty.fake.sent().remove(0);
    assert_eq!((sent.event.as_str(), sent.record, sent.status), ("company.created", company, Some(200)));
}

#[tokio::test]
async fn webhook_without_a_secret_is_unsigned() {
    let twenty = Workspace::new(Settings::default()).await;
    let endpoint = Endpoint::new().await;
    twenty.done("POST /rest/metadata/webhooks", json!({ "targetUrl": endpoint.url(), "secret": "" })).await;
    twenty.company("A").await;
    let delivery = endpoint.wait_for(1).await.remove(0);
    assert!(delivery.headers.0.iter().all(|(name, _)| !name.starts_with("X-Twenty")));
}

#[tokio::test]
async fn metadata_event_names_the_key() {
    for (metadata_events, names_actors) in [(true, true), (true, false), (false, true)] {
        let settings = Settings { metadata_events, names_actors, ..Settings::default() };
        let twenty = Workspace::new(settings).await;
        let endpoint = Endpoint::new().await;
        twenty.webhook_for(&endpoint.url(), json!(["metadata.objectMetadata.*", "note.*"])).await;
        let object = json!({
            "nameSingular": "rocket", "namePlural": "rockets", "labelSingular": "Rocket", "labelPlural": "Rockets",
        });
        twenty.done("POST /rest/metadata/objects", object).await;
        twenty.fake.add_record("notes", &json!({}));
        twenty.settle().await;
        let bodies = endpoint.bodies();
        let of = |name: &str| bodies.iter().find(|body| body["eventName"] == *name);
        let metadata = of("metadata.objectMetadata.created");
        assert_eq!(metadata.is_some(), metadata_events);
        if let Some(body) = metadata {
            let members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
            let mut expected =
                vec!["targetUrl", "eventName", "workspaceId", "webhookId", "eventDate", "apiKeyId", "event"];
            expected.retain(|name| names_actors || *name != "apiKeyId");
            assert_eq!(members, expected);
            assert_eq!(body["event"]["properties"]["after"]["nameSingular"], "rocket");
            assert_eq!(body["event"]["recordId"], body["event"]["properties"]["after"]["id"]);
        }
        assert_eq!(of("note.created").unwrap()["userId"].is_string(), names_actors);
    }
}

#[tokio::test]
async fn filter_has_the_events_of_its_patterns() {
    let cases = [
        (json!(["company.created"]), vec!["company.created"]),
        (json!(["company.*"]), vec!["company.created", "company.deleted"]),
        (json!(["*.created"]), vec!["company.created", "note.created"]),
        (json!(["note.created", "*.deleted"]), vec!["company.deleted", "note.created"]),
        (json!(["metadata.*.*"]), vec!["metadata.fieldMetadata.created"]),
        (json!(["metadata.fieldMetadata.*"]), vec!["metadata.fieldMetadata.created"]),
        (json!(["metadata.*.created"]), vec!["metadata.fieldMetadata.created"]),
        (json!(["metadata.view.*"]), vec![]),
        (json!(["*"]), vec![]),
        (json!([]), vec![]),
    ];
    let twenty = with_rockets(Settings::default()).await;
    let mut endpoints = Vec::new();
    for (operations, expected) in cases {
        let endpoint = Endpoint::new().await;
        twenty.webhook_for(&endpoint.url(), operations.clone()).await;
        endpoints.push((endpoint, operations, expected));
    }
    let company = twenty.company("A").await;
    twenty.done(&format!("DELETE /rest/companies/{company}?soft_delete=true"), Value::Null).await;
    twenty.create("notes", json!({})).await;
    let rocket = &twenty.fake.objects()[0]["id"];
    let field = json!({ "objectMetadataId": rocket, "name": "more", "label": "More", "type": "TEXT" });
    twenty.done("POST /rest/metadata/fields", field).await;
    twenty.settle().await;
    for (endpoint, operations, expected) in endpoints {
        let mut events = endpoint.events();
        events.sort();
        assert_eq!(events, expected, "{operations}");
    }
}

#[tokio::test]
async fn registration_and_deletion_are_in_force_at_once() {
    let twenty = Workspace::new(Settings::default()).await;
    let endpoint = Endpoint::new().await;
    twenty.company("before").await;
    let webhook = twenty.webhook(&endpoint.url()).await;
    twenty.company("while").await;
    twenty.done(&format!("DELETE /rest/metadata/webhooks/{webhook}"), Value::Null).await;
    twenty.company("after").await;
    twenty.settle().await;
    let names: Vec<_> = endpoint.bodies().iter().map(|body| body["record"]["name"].clone()).collect();
    assert_eq!(names, ["while"]);
}

#[tokio::test]
async fn cache_makes_registration_and_deletion_late() {
    let age = Duration::from_millis(700);
    let rate_limit = RateLimit { per_second: None, per_minute: None, says_when: false };
    let settings = Settings { webhook_cache: Some(age), rate_limit, ..Settings::default() };
    let twenty = Workspace::new(settings).await;
    let endpoint = Endpoint::new().await;
    // The first use fills the cache.
    twenty.company("fills").await;
    let filled = Instant::now();
    let webhook = twenty.webhook(&endpoint.url()).await;
    twenty.company("early").await;
    let was_early = filled.elapsed() < age;
    while endpoint.arrived().is_empty() {
        twenty.company("polled").await;
        twenty.settle().await;
        assert!(filled.elapsed() < Duration::from_secs(20));
    }
    assert!(filled.elapsed() >= age - Duration::from_millis(100));
    let first = &endpoint.bodies()[0]["record"]["name"];
    assert!(!was_early || first == "polled", "{first}");
    twenty.done(&format!("DELETE /rest/metadata/webhooks/{webhook}"), Value::Null).await;
    let deleted = Instant::now();
    twenty.company("after deletion").await;
    twenty.settle().await;
    let arrived = endpoint.bodies().iter().any(|body| body["record"]["name"] == "after deletion");
    assert!(arrived || deleted.elapsed() >= age / 2);
}

#[tokio::test]
async fn hanging_endpoint_delays_others_only_with_one_queue() {
    for one_queue in [false, true] {
        let wait = Duration::from_millis(1500);
        let settings = Settings { one_queue, answer_wait: Some(wait), ..Settings::default() };
        let twenty = Workspace::new(settings).await;
        let hanging = servers::serve(|mut stream| {
            servers::read_request(&mut stream)?;
            // It ends when the sender closes the connection.
            std::io::copy(&mut stream, &mut std::io::sink()).map(drop)
        });
        let endpoint = Endpoint::new().await;
        let began = Instant::now();
        twenty.webhook_for(&hanging, json!(["company.*"])).await;
        twenty.webhook_for(&endpoint.url(), json!(["note.*"])).await;
        twenty.company("A").await;
        twenty.create("notes", json!({})).await;
        endpoint.wait_for(1).await;
        assert_eq!(began.elapsed() >= wait, one_queue, "{:?}", began.elapsed());
        twenty.settle().await;
        let lost = twenty.fake.sent().into_iter().find(|sent| sent.event == "company.created").unwrap();
        assert_eq!(lost.status, None);
    }
}

#[tokio::test]
async fn one_job_sends_its_deliveries_together() {
    let settings = Settings { one_queue: true, ..Settings::default() };
    let twenty = Workspace::new(settings).await;
    let wait = Duration::from_secs(5);
    let hanging = servers::serve(|mut stream| {
        servers::read_request(&mut stream)?;
        std::io::copy(&mut stream, &mut std::io::sink()).map(drop)
    });
    let endpoint = Endpoint::new().await;
    let began = Instant::now();
    // Both webhooks are in one job.
    twenty.webhook(&hanging).await;
    twenty.webhook(&endpoint.url()).await;
    twenty.company("A").await;
    endpoint.wait_for(1).await;
    assert!(began.elapsed() < wait);
}

#[tokio::test]
async fn failed_delivery_is_never_sent_again() {
    let twenty = Workspace::new(Settings::default()).await;
    let endpoint = Endpoint::answering(|_| Response::text(500, "no")).await;
    twenty.webhook(&endpoint.url()).await;
    let closed = servers::ClosedPort::new();
    twenty.webhook(&closed.url()).await;
    twenty.company("A").await;
    twenty.settle().await;
    assert_eq!(endpoint.arrived().len(), 1);
    let mut statuses: Vec<_> = twenty.fake.sent().iter().map(|sent| sent.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [None, Some(500)]);
}

#[tokio::test]
async fn private_address_is_refused_silently() {
    let settings = Settings { refuses_private_addresses: true, ..Settings::default() };
    let twenty = Workspace::new(settings).await;
    let endpoint = Endpoint::new().await;
    twenty.webhook(&endpoint.url()).await;
    twenty.webhook(&endpoint.url().replace("127.0.0.1", "localhost")).await;
    twenty.company("A").await;
    twenty.settle().await;
    assert_eq!(endpoint.arrived().len(), 0);
    assert_eq!(twenty.fake.webhooks().len(), 2);
}

#[tokio::test]
async fn redirects_are_followed_only_with_the_fault() {
    for follows_redirects in [false, true] {
        for (status, method) in [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")] {
            let twenty = Workspace::new(Settings { follows_redirects, ..Settings::default() }).await;
            let goal = Endpoint::new().await;
            let location = goal.server.url("/goal");
            let first = Endpoint::answering(move |_| {
                let mut headers = Headers::default();
                headers.add("Location", location.clone());
                Response { status, headers, ..Response::default() }
            })
            .await;
            twenty.webhook(&first.url()).await;
            twenty.company("A").await;
            twenty.settle().await;
            let arrived = goal.arrived();
            assert_eq!(arrived.len(), usize::from(follows_redirects), "{status}");
            let Some(delivery) = arrived.first() else {
                assert_eq!(twenty.fake.sent()[0].status, Some(status));
                continue;
            };
            assert_eq!((delivery.method.as_str(), delivery.target.as_str()), (method, "/goal"));
            assert_eq!(delivery.body.is_empty(), method == "GET");
            assert!(delivery.headers.single("x-twenty-webhook-signature").is_some());
        }
    }
}

#[tokio::test]
async fn unusual_members_and_long_integers_are_kept_without_the_faults() {
    // In the order of the database.
    let load =
        r#"{"__proto__":{"a":1},"prototype":[{"b":12345678901234567890,"__proto__":3}],"constructor":2}"#;
    let rounded = load.replace("34567890,", "34567000,");
    let cases = [(false, false, load, true), (true, false, "{}", false), (false, true, &rounded, true)];
    for (drops_members, rounds_integers, expected, is_valid) in cases {
        let twenty = with_rockets(Settings { drops_members, rounds_integers, ..Settings::default() }).await;
        let endpoint = Endpoint::new().await;
        twenty.webhook(&endpoint.url()).await;
        let (status, _) = twenty.call_text("POST /rest/rockets", &format!(r#"{{"load":{load}}}"#)).await;
        assert_eq!(status, 201);
        let delivery = endpoint.wait_for(1).await.remove(0);
        let body = String::from_utf8(delivery.body.to_vec()).unwrap();
        assert!(body.ends_with(&format!("\"load\":{expected}}}}}")), "{body}");
        assert_eq!(is_signed(&delivery), is_valid);
    }
}

#[tokio::test]
async fn endless_answer_is_given_up_without_the_fault() {
    let wait = Duration::from_millis(500);
    let settings = Settings { answer_wait: Some(wait), one_queue: true, ..Settings::default() };
    let twenty = Workspace::new(settings.clone()).await;
    twenty.webhook_for(&servers::serve(endless), json!(["company.*"])).await;
    twenty.company("A").await;
    twenty.settle().await;
    assert_eq!(twenty.fake.sent()[0].status, Some(200));

    let twenty = Workspace::new(Settings { reads_endless_answers: true, ..settings }).await;
    let (end, ends) = mpsc::channel::<()>();
    let ends = std::sync::Mutex::new(ends);
    let url = servers::serve(move |mut stream| {
        servers::read_request(&mut stream)?;
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 200 OK\r\n\r\n")?;
        // The body ends when the test says so.
        ends.lock().unwrap().recv().ok();
        Ok(())
    });
    let endpoint = Endpoint::new().await;
    twenty.webhook_for(&url, json!(["company.*"])).await;
    twenty.webhook_for(&endpoint.url(), json!(["note.*"])).await;
    let began = Instant::now();
    twenty.company("A").await;
    twenty.create("notes", json!({})).await;
    while began.elapsed() < 3 * wait {
        twenty.request(None, "GET /healthz", "").await.unwrap();
    }
    assert_eq!(endpoint.arrived().len(), 0);
    end.send(()).unwrap();
    endpoint.wait_for(1).await;
}

#[tokio::test]
async fn crash_ends_deliveries_too() {
    let twenty = Workspace::new(Settings::default()).await;
    let endpoint = Endpoint::new().await;
    twenty.webhook(&endpoint.url()).await;
    twenty.fake.crash();
    twenty.fake.add_record("notes", &json!({}));
    twenty.settle().await;
    assert_eq!((endpoint.arrived().len(), twenty.fake.sent().len()), (0, 0));
}
