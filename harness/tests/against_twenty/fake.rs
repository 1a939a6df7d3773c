//! The fake Twenty's API: keys, webhooks, objects, limits and missing routes.

use serde_json::{Value, json};

use super::support::{Endpoint, Workspace};
use crate::peers::twenty::{Call, Permissions, RateLimit, ServerErrors, Settings};

const WEBHOOKS: &str = "/rest/metadata/webhooks";

#[tokio::test]
async fn request_without_a_key_is_403_and_with_a_wrong_one_401() {
    let twenty = Workspace::new(Settings::default()).await;
    for (authorization, status) in [(None, 403), (Some("Bearer wrong"), 401), (Some("Basic x"), 403)] {
        let answer = twenty.request(authorization, "GET /rest/people", "").await.unwrap();
        assert_eq!(answer.status, status);
    }
    let answers = ["/healthz", "/client-config", "/"].map(|path| format!("GET {path}"));
    for line in answers {
        assert_eq!(twenty.request(None, &line, "").await.unwrap().status, 200, "{line}");
    }
    assert_eq!(twenty.done("GET /client-config", Value::Null).await["appVersion"], "2.31.0");
    assert_eq!(twenty.request(None, "POST /nothing", "").await.unwrap().status, 404);
}

#[tokio::test]
async fn webhook_is_created_listed_changed_and_deleted() {
    let twenty = Workspace::new(Settings::default()).await;
    let body = json!({ "targetUrl": "http://127.0.0.1:9/", "secret": "own", "description": "d" });
    let made = twenty.done(&format!("POST {WEBHOOKS}"), body).await;
    let names: Vec<_> = made.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "id",
        "targetUrl",
        "operations",
        "description",
        "secret",
        "workspaceId",
        "applicationId",
        "createdAt",
        "updatedAt",
        "deletedAt",
    ];
    assert_eq!(names, expected);
    assert_eq!(made["operations"], json!(["*.*"]));
    let list = twenty.done(&format!("GET {WEBHOOKS}"), Value::Null).await;
    assert_eq!((&list["data"], &list["totalCount"]), (&json!([made]), &json!(1)));
    let path = format!("{WEBHOOKS}/{}", made["id"].as_str().unwrap());
    let changed = twenty.done(&format!("PATCH {path}"), json!({ "operations": ["person.*"] })).await;
    assert_eq!((&changed["operations"], &changed["secret"]), (&json!(["person.*"]), &json!("own")));
    assert_eq!(twenty.done(&format!("GET {path}"), Value::Null).await, changed);
    assert_eq!(twenty.done(&format!("DELETE {path}"), Value::Null).await, json!(true));
    let gone = (400, "WEBHOOK_NOT_FOUND".to_owned());
    assert_eq!(twenty.refused(&format!("DELETE {path}"), Value::Null).await, gone);
    assert_eq!(twenty.fake.webhooks(), Vec::<Value>::new());
}

#[tokio::test]
async fn webhook_without_a_secret_gets_one_and_with_an_empty_one_none() {
    let twenty = Workspace::new(Settings::default()).await;
    let create = async |secret: Value| {
        let mut body = json!({ "targetUrl": "http://127.0.0.1:9/" });
        if secret != "absent" {
            body["secret"] = secret;
        }
        let made = twenty.done(&format!("POST {WEBHOOKS}"), body).await;
        made["secret"].as_str().unwrap().to_owned()
    };
    for secret in [json!("absent"), Value::Null] {
        let made = create(secret).await;
        assert!(made.len() == 64 && made.bytes().all(|digit| b"0123456789abcdef".contains(&digit)), "{made}");
    }
    assert_eq!(create(json!("")).await, "");
    for url in ["ftp://127.0.0.1/", "no url", ""] {
        let refused = twenty.refused(&format!("POST {WEBHOOKS}"), json!({ "targetUrl": url })).await;
        assert_eq!(refused.0, 400, "{url}");
    }
}

#[tokio::test]
async fn object_is_created_with_a_field_and_deleted_with_its_records() {
    let twenty = Workspace::new(Settings::default()).await;
    let endpoint = Endpoint::new().await;
    let object = json!({
        "nameSingular": "rocket", "namePlural": "rockets", "labelSingular": "Rocket", "labelPlural": "Rockets",
        "description": "a mark",
    });
    twenty.webhook(&endpoint.url()).await;
    let made =
        twenty.done("POST /rest/metadata/objects", object.clone()).await["data"]["createOneObject"].clone();
    assert_eq!((&made["description"], &made["isCustom"]), (&json!("a mark"), &json!(true)));
    assert_eq!(twenty.refused("POST /rest/metadata/objects", object).await.0, 400);
    let id = &made["id"];
    let field = json!({ "objectMetadataId": id, "name": "load", "label": "Load", "type": "RAW_JSON" });
    let added =
        twenty.done("POST /rest/metadata/fields", field.clone()).await["data"]["createOneField"].clone();
    assert_eq!((&added["name"], &added["type"]), (&json!("load"), &json!("RAW_JSON")));
    assert_eq!(twenty.refused("POST /rest/metadata/fields", field).await.0, 400);
    let line = format!("PATCH /rest/metadata/fields/{}", added["id"].as_str().unwrap());
    for _ in 0..2 {
        let changed = twenty.done(&line, json!({ "label": "Cargo" })).await;
        assert_eq!(changed["data"]["updateOneField"]["label"], "Cargo");
    }
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = twenty.done(&format!("GET /rest/metadata/objects?limit=2{cursor}"), Value::Null).await;
        let objects = page["data"]["objects"].as_array().unwrap();
        names.extend(objects.iter().map(|one| one["namePlural"].as_str().unwrap().to_owned()));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        cursor = format!("&starting_after={}", page["pageInfo"]["endCursor"].as_str().unwrap());
    }
    let standard = ["people", "companies", "notes", "tasks", "opportunities", "noteTargets", "rockets"];
    assert_eq!(names, standard);
    let record = twenty.create("rockets", json!({ "name": "R", "load": { "b": 1, "a": [] } })).await;
    let begin: Vec<_> = record.as_object().unwrap().keys().take(5).collect();
    assert_eq!(begin, ["name", "id", "createdAt", "createdBy", "deletedAt"]);
    twenty.done(&format!("DELETE /rest/metadata/objects/{}", id.as_str().unwrap()), Value::Null).await;
    assert_eq!(twenty.refused("GET /rest/rockets", Value::Null).await.0, 400);
    assert_eq!((twenty.fake.objects().len(), twenty.fake.records("rocket").len()), (0, 0));
    twenty.settle().await;
    let events = endpoint.events();
    let count = |name: &str| events.iter().filter(|event| event.starts_with(name)).count();
    assert_eq!((count("metadata.objectMetadata."), count("rocket."), events.len()), (2, 1, 52 + 2 + 1 + 51));
}

#[tokio::test]
async fn standard_object_cannot_be_deleted() {
    let twenty = Workspace::new(Settings::default()).await;
    let all = twenty.done("GET /rest/metadata/objects?limit=1", Value::Null).await;
    let id = all["data"]["objects"][0]["id"].as_str().unwrap();
    assert_eq!(twenty.refused(&format!("DELETE /rest/metadata/objects/{id}"), Value::Null).await.0, 400);
    assert_eq!(all["pageInfo"]["hasNextPage"], true);
}

#[tokio::test]
async fn key_without_a_permission_is_403() {
    let all = Permissions::ALL;
    let cases = [
        (Permissions { records: false, ..all }, "POST /rest/notes"),
        (Permissions { destroying: false, ..all }, "DELETE /rest/notes/x"),
        (Permissions { objects: false, ..all }, "POST /rest/metadata/objects"),
        (Permissions { objects: false, ..all }, "POST /rest/metadata/fields"),
        (Permissions { webhooks: false, ..all }, "GET /rest/metadata/webhooks"),
        (Permissions { webhooks: false, ..all }, "POST /rest/metadata/webhooks"),
    ];
    for (permissions, line) in cases {
        let twenty = Workspace::new(Settings { permissions, ..Settings::default() }).await;
        assert_eq!(twenty.refused(line, json!({})).await, (403, "PERMISSION_DENIED".to_owned()), "{line}");
        assert_eq!(twenty.call("GET /rest/metadata/objects?limit=1", &Value::Null).await.0, 200);
    }
}

#[tokio::test]
async fn requests_over_the_rate_limit_are_429() {
    for says_when in [false, true] {
        let rate_limit = RateLimit { per_second: None, per_minute: Some(3), says_when };
        let twenty = Workspace::new(Settings { rate_limit, ..Settings::default() }).await;
        let key = format!("Bearer {}", twenty.fake.key());
        let mut answers = Vec::new();
        for _ in 0..5 {
            answers.push(twenty.request(Some(&key), "GET /rest/people", "").await.unwrap());
        }
        let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [200, 200, 200, 429, 429]);
        let wait = answers[4].headers.single("retry-after");
        let wait = wait.map(|wait| str::from_utf8(wait).unwrap().parse::<u64>().unwrap());
        assert_eq!(wait.is_some(), says_when);
        assert!(wait.is_none_or(|wait| (50..=60).contains(&wait)), "{wait:?}");
        // Neither the probes nor requests with a wrong key count.
        assert_eq!(twenty.request(None, "GET /healthz", "").await.unwrap().status, 200);
        assert_eq!(twenty.request(Some("Bearer x"), "GET /rest/people", "").await.unwrap().status, 401);
    }
}

#[tokio::test]
async fn limit_of_a_second_ends_with_the_second() {
    let rate_limit = RateLimit { per_second: Some(2), per_minute: None, says_when: true };
    let twenty = Workspace::new(Settings { rate_limit, ..Settings::default() }).await;
    let mut statuses = Vec::new();
    let began = std::time::Instant::now();
    while statuses.iter().filter(|status| **status == 200).count() < 3 {
        statuses.push(twenty.call("GET /rest/people", &Value::Null).await.0);
        assert!(began.elapsed().as_secs() < 20);
    }
    assert!(began.elapsed().as_millis() >= 900 && statuses.contains(&429), "{statuses:?}");
}

#[tokio::test]
async fn missing_route_is_404_and_the_others_stay() {
    let missing_routes = vec!["POST /rest/metadata/fields".to_owned(), "DELETE /rest/companies".to_owned()];
    let twenty = Workspace::new(Settings { missing_routes, ..Settings::default() }).await;
    let id = twenty.company("A").await;
    assert_eq!(twenty.refused("POST /rest/metadata/fields", json!({})).await.0, 404);
    assert_eq!(twenty.refused(&format!("DELETE /rest/companies/{id}"), Value::Null).await.0, 404);
    assert_eq!(twenty.call("GET /rest/companies", &Value::Null).await.0, 200);
    assert_eq!(twenty.refused("GET /rest/a/b/c/d", Value::Null).await.0, 400);
}

#[tokio::test]
async fn server_error_comes_now_and_then_before_or_after_the_work() {
    for after_work in [false, true] {
        let server_errors = Some(ServerErrors { every: 3, status: 502, after_work });
        let twenty = Workspace::new(Settings { server_errors, ..Settings::default() }).await;
        let mut statuses = Vec::new();
        for name in ["a", "b", "c", "d"] {
            statuses.push(twenty.call("POST /rest/companies", &json!({ "name": name })).await.0);
        }
        assert_eq!(statuses, [201, 201, 502, 201]);
        assert_eq!(twenty.fake.records("company").len(), if after_work { 4 } else { 3 });
    }
}

#[tokio::test]
async fn crash_ends_every_connection_without_an_answer() {
    let twenty = Workspace::new(Settings { crash_after: Some(2), ..Settings::default() }).await;
    let key = format!("Bearer {}", twenty.fake.key());
    twenty.company("A").await;
    twenty.company("B").await;
    for line in ["POST /rest/companies", "GET /healthz"] {
        assert_eq!(twenty.request(Some(&key), line, "{}").await, None, "{line}");
    }
    assert_eq!(twenty.fake.records("company").len(), 2);
}

#[tokio::test]
async fn calls_are_remembered_in_order() {
    let twenty = Workspace::new(Settings::default()).await;
    twenty.call("GET /rest/people?limit=1", &Value::Null).await;
    twenty.request(None, "DELETE /rest/people/x", "").await.unwrap();
    let call = |method: &str, path: &str, status| {
        let (method, path) = (method.to_owned(), path.to_owned());
        Call { method, path, status }
    };
    let expected = [call("GET", "/rest/people?limit=1", 200), call("DELETE", "/rest/people/x", 403)];
    assert_eq!(twenty.fake.calls(), expected);
}

#[tokio::test]
async fn what_others_made_is_there() {
    let twenty = Workspace::new(Settings::default()).await;
    let endpoint = Endpoint::new().await;
    let webhook = twenty.fake.add_webhook(&json!({ "targetUrl": endpoint.url(), "secret": "" }));
    let object = twenty.fake.add_object(&json!({
        "nameSingular": "pet", "namePlural": "pets", "labelSingular": "Pet", "labelPlural": "Pets",
    }));
    let found = twenty.done(&format!("GET /rest/metadata/objects/{object}"), Value::Null).await;
    assert_eq!(found["data"]["object"]["nameSingular"], "pet");
    twenty.create("pets", json!({ "name": "Rex" })).await;
    twenty.settle().await;
    let sent = twenty.fake.sent().remove(0);
    assert_eq!((sent.webhook, sent.event.as_str()), (webhook, "pet.created"));
}

#[tokio::test]
async fn released_versions_differ_in_their_restore_route_and_metadata_events() {
    for (settings, version, events) in
        [(Settings::of_2_31(), "2.31.0", 1), (Settings::before_2026(), "0.50.0", 0)]
    {
        let twenty = Workspace::new(settings).await;
        assert_eq!(twenty.done("GET /client-config", Value::Null).await["appVersion"], version);
        let endpoint = Endpoint::new().await;
        twenty.webhook_for(&endpoint.url(), json!(["metadata.objectMetadata.*"])).await;
        let object = json!({
            "nameSingular": "pet", "namePlural": "pets", "labelSingular": "Pet", "labelPlural": "Pets",
        });
        twenty.done("POST /rest/metadata/objects", object).await;
        let id = twenty.company("A").await;
        let path = format!("/rest/companies/{id}");
        twenty.done(&format!("DELETE {path}?soft_delete=true"), Value::Null).await;
        assert_eq!(twenty.refused(&format!("PATCH {path}/restore"), Value::Null).await.0, 400);
        let line = format!("PATCH /rest/restore/companies?filter=id[eq]:{id}");
        assert_eq!(twenty.done(&line, Value::Null).await["data"]["restoreCompanies"][0]["id"], id);
        twenty.settle().await;
        assert_eq!(endpoint.arrived().len(), events, "{version}");
    }
}
