//! The fake Twenty's records: what the API accepts, how it changes them, and which events that emits.

use serde_json::{Value, json};

use super::support::{Endpoint, Workspace};
use crate::peers::twenty::{Restore, Settings};

const ID: &str = "7477636f-6e66-4abc-8def-000000000001";

#[tokio::test]
async fn record_has_every_member_with_its_default() {
    let twenty = Workspace::new(Settings::default()).await;
    let person = twenty.create("people", json!({})).await;
    let names: Vec<_> = person.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "id",
        "createdAt",
        "updatedAt",
        "deletedAt",
        "name",
        "emails",
        "linkedinLink",
        "jobTitle",
        "phones",
        "avatarUrl",
        "avatarFile",
        "position",
        "createdBy",
        "updatedBy",
        "searchVector",
        "companyId",
        "intro",
        "whatsapp",
        "workPreference",
        "performanceRating",
    ];
    assert_eq!(names, expected);
    assert_eq!((&person["jobTitle"], &person["deletedAt"]), (&json!(""), &Value::Null));
    assert_eq!(person["emails"], json!({ "primaryEmail": "", "additionalEmails": [] }));
    assert_eq!(person["createdBy"]["source"], "API");
    let opportunity = twenty.create("opportunities", json!({ "closeDate": "2027-02-03" })).await;
    assert_eq!(
        (&opportunity["stage"], &opportunity["closeDate"]),
        (&json!("NEW"), &json!("2027-02-03T00:00:00.000Z"))
    );
}

#[tokio::test]
async fn values_are_normalised() {
    let twenty = Workspace::new(Settings::default()).await;
    let given = json!({
        "name": "Ακμή",
        "domainName": { "primaryLinkUrl": "HTTPS://Akmi.example/?q=1&x=<y>", "primaryLinkLabel": "L",
            "secondaryLinks": [{ "url": "https://b.example/", "label": "b" }] },
        "createdAt": "2020-01-02T03:04:05+01:00",
    });
    let company = twenty.create("companies", given).await;
    let links = json!({
        "primaryLinkLabel": "L",
        "primaryLinkUrl": "https://akmi.example/?q=1&x=%3Cy%3E",
        "secondaryLinks": [{ "url": "https://b.example", "label": "b" }],
    });
    assert_eq!(company["domainName"], links);
    assert_eq!(company["createdAt"], "2020-01-02T02:04:05.000Z");
    assert!(company["searchVector"].as_str().unwrap().contains("'ακμή':1"));
    let note = twenty.create("notes", json!({ "title": "N", "bodyV2": { "markdown": "do it" } })).await;
    assert_eq!(note["bodyV2"]["markdown"], "do it");
    assert!(note["bodyV2"]["blocknote"].as_str().unwrap().contains("do it"));
}

#[tokio::test]
async fn unknown_members_and_wrong_values_are_400() {
    let twenty = Workspace::new(Settings::default()).await;
    let wrong = [
        json!({ "city": "Paris" }),
        json!({ "name": { "middleName": "x" } }),
        json!({ "jobTitle": 1 }),
        json!({ "searchVector": "x" }),
        json!({ "deletedAt": null }),
        json!({ "id": "abc12345" }),
        json!({ "createdAt": "yesterday" }),
        json!({ "companyId": "no" }),
        json!({ "companyId": ID }),
        json!([]),
    ];
    for record in wrong {
        let refused = twenty.refused("POST /rest/people", record.clone()).await;
        assert_eq!(refused, (400, "INVALID_QUERY_INPUT".to_owned()), "{record}");
    }
    assert_eq!(twenty.refused("POST /rest/tasks", json!({ "status": "LATER" })).await.0, 400);
    assert_eq!(twenty.call_text("POST /rest/people", "{").await.0, 400);
    assert_eq!(twenty.fake.records("person").len(), 0);
}

#[tokio::test]
async fn taken_id_and_taken_address_are_errors() {
    let twenty = Workspace::new(Settings::default()).await;
    let id = ID.to_uppercase();
    assert_eq!(twenty.create("companies", json!({ "id": id })).await["id"], ID);
    assert_eq!(twenty.refused("POST /rest/companies", json!({ "id": ID })).await.0, 400);
    let person = json!({ "emails": { "primaryEmail": "A@example.com" } });
    assert_eq!(twenty.create("people", person.clone()).await["emails"]["primaryEmail"], "a@example.com");
    assert_eq!(twenty.refused("POST /rest/people", person).await.0, 400);
}

#[tokio::test]
async fn life_of_a_record_emits_its_events() {
    let twenty = Workspace::new(Settings::default()).await;
    let endpoint = Endpoint::new().await;
    let company = twenty.company("C").await;
    twenty.webhook(&endpoint.url()).await;
    let path = format!("/rest/people/{ID}");
    twenty.create("people", json!({ "id": ID, "name": { "firstName": "A", "lastName": "B" } })).await;
    let change = json!({ "name": { "firstName": "Z" }, "companyId": company, "jobTitle": "" });
    let updated = twenty.done(&format!("PATCH {path}"), change.clone()).await["data"]["updatePerson"].clone();
    assert_eq!(updated["name"], json!({ "firstName": "Z", "lastName": "B" }));
    // Nothing changes, so nothing is emitted.
    twenty.done(&format!("PATCH {path}"), change).await;
    let deleted = twenty.done(&format!("DELETE {path}?soft_delete=true"), Value::Null).await;
    assert!(deleted["data"]["deletePerson"]["deletedAt"].is_string());
    assert_eq!(twenty.refused(&format!("PATCH {path}"), json!({ "jobTitle": "x" })).await.0, 404);
    assert_eq!(twenty.refused(&format!("DELETE {path}?soft_delete=true"), Value::Null).await.0, 404);
    let line = format!("PATCH /rest/restore/people?filter=id[eq]:{ID}");
    let restored = twenty.done(&line, Value::Null).await;
    assert_eq!(restored["data"]["restorePeople"][0]["id"], ID);
    let destroyed = twenty.done(&format!("DELETE {path}"), Value::Null).await;
    assert_eq!(destroyed, json!({ "data": { "deletePerson": { "id": ID } } }));
    assert_eq!(twenty.refused(&format!("DELETE {path}"), Value::Null).await.0, 404);
    twenty.settle().await;
    let mut fields: Vec<_> = endpoint
        .bodies()
        .into_iter()
        .map(|body| (body["eventName"].as_str().unwrap().to_owned(), body["updatedFields"].clone()))
        .collect();
    fields.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [
        ("person.created", Value::Null),
        ("person.deleted", json!(["deletedAt"])),
        ("person.destroyed", Value::Null),
        ("person.restored", json!(["deletedAt"])),
        ("person.updated", json!(["name", "company", "companyId"])),
    ];
    assert_eq!(fields, expected.map(|(name, fields)| (name.to_owned(), fields)));
}

#[tokio::test]
async fn destroyed_company_leaves_its_people_without_an_event() {
    let twenty = Workspace::new(Settings::default()).await;
    let endpoint = Endpoint::new().await;
    let company = twenty.company("C").await;
    twenty.create("people", json!({ "companyId": company })).await;
    twenty.webhook(&endpoint.url()).await;
    twenty.done(&format!("DELETE /rest/companies/{company}"), Value::Null).await;
    twenty.settle().await;
    assert_eq!(endpoint.events(), ["company.destroyed"]);
    assert_eq!(twenty.fake.records("person")[0]["companyId"], Value::Null);
}

#[tokio::test]
async fn restore_has_the_route_of_its_version() {
    for (restore, older, newer) in
        [(Restore::Older, 200, 400), (Restore::Newer, 400, 200), (Restore::Both, 200, 200)]
    {
        let twenty = Workspace::new(Settings { restore, ..Settings::default() }).await;
        let id = twenty.company("C").await;
        let lines = [
            (format!("PATCH /rest/restore/companies?filter=id[eq]:{id}"), older),
            (format!("PATCH /rest/companies/{id}/restore"), newer),
        ];
        for (line, status) in lines {
            twenty.done(&format!("DELETE /rest/companies/{id}?soft_delete=true"), Value::Null).await;
            assert_eq!(twenty.call(&line, &Value::Null).await.0, status, "{line}");
            let is_deleted = twenty.fake.records("company")[0]["deletedAt"].is_string();
            assert_eq!(is_deleted, status != 200);
            if is_deleted {
                let other = if restore == Restore::Newer { newer_route(&id) } else { older_route(&id) };
                twenty.done(&other, Value::Null).await;
            }
        }
    }
}

fn older_route(id: &str) -> String {
    format!("PATCH /rest/restore/companies?filter=id[eq]:{id}")
}

fn newer_route(id: &str) -> String {
    format!("PATCH /rest/companies/{id}/restore")
}

#[tokio::test]
async fn batch_creates_all_or_none() {
    let twenty = Workspace::new(Settings::default()).await;
    let endpoint = Endpoint::new().await;
    twenty.webhook(&endpoint.url()).await;
    let given: Vec<_> = (0..25).map(|number| json!({ "name": format!("C{number}") })).collect();
    let made = twenty.done("POST /rest/batch/companies", json!(given)).await;
    assert_eq!(made["data"]["createCompanies"].as_array().unwrap().len(), 25);
    let wrong = json!([{ "name": "D" }, { "nothing": 1 }]);
    assert_eq!(twenty.refused("POST /rest/batch/companies", wrong).await.0, 400);
    assert_eq!(twenty.fake.records("company").len(), 25);
    twenty.settle().await;
    let bodies = endpoint.bodies();
    assert_eq!(bodies.len(), 25);
    assert!(bodies.iter().all(|body| body["eventDate"] == bodies[0]["eventDate"]));
}

#[tokio::test]
async fn list_has_filters_and_pages() {
    let twenty = Workspace::new(Settings::default()).await;
    let ids: Vec<_> = (1..=5).map(|number| format!("7477636f-6e66-4abc-8def-00000000000{number}")).collect();
    let given: Vec<_> = ids.iter().map(|id| json!({ "id": id, "name": id })).collect();
    twenty.done("POST /rest/batch/companies", json!(given)).await;
    twenty.done(&format!("DELETE /rest/companies/{}?soft_delete=true", ids[4]), Value::Null).await;
    let found = async |query: &str| {
        let answer = twenty.done(&format!("GET /rest/companies{query}"), Value::Null).await;
        let all = answer["data"]["companies"].as_array().unwrap().clone();
        let found: Vec<_> =
            all.iter().map(|one| ids.iter().position(|id| one["id"] == **id).unwrap() + 1).collect();
        (found, answer["pageInfo"]["hasNextPage"].as_bool().unwrap(), answer["totalCount"].as_u64().unwrap())
    };
    assert_eq!(found("").await, (vec![1, 2, 3, 4], false, 4));
    assert_eq!(found(&format!("?filter=id[eq]:{}", ids[1])).await, (vec![2], false, 1));
    let list = format!("?filter=id[in]:[%22{}%22,{}]", ids[0], ids[3]);
    assert_eq!(found(&list).await, (vec![1, 4], false, 2));
    let range = format!("?filter=and(id[gte]:{},id[lte]:{})", ids[1], ids[2]);
    assert_eq!(found(&range).await, (vec![2, 3], false, 2));
    let deleted = format!("?filter=id[gte]:{},deletedAt[is]:NOT_NULL", ids[0]);
    assert_eq!(found(&deleted).await, (vec![5], false, 1));
    assert_eq!(found("?filter=deletedAt[is]:NULL&limit=2").await, (vec![1, 2], true, 4));
    assert_eq!(found(&format!("?limit=2&starting_after={}", ids[1])).await, (vec![3, 4], false, 4));
    for query in ["?filter=id", "?filter=id[near]:1", "?limit=many", "?starting_after=x"] {
        assert_eq!(
            twenty.refused(&format!("GET /rest/companies{query}"), Value::Null).await.0,
            400,
            "{query}"
        );
    }
    let one = twenty.done(&format!("GET /rest/companies/{}", ids[0]), Value::Null).await;
    assert_eq!(one["data"]["company"]["id"], *ids[0]);
    assert_eq!(twenty.refused(&format!("GET /rest/companies/{}", ids[4]), Value::Null).await.0, 404);
}

#[tokio::test]
async fn record_of_another_user_says_so() {
    let twenty = Workspace::new(Settings::default()).await;
    let endpoint = Endpoint::new().await;
    twenty.webhook(&endpoint.url()).await;
    let id = twenty.fake.add_record("notes", &json!({ "title": "theirs" }));
    twenty.settle().await;
    let body = endpoint.bodies().remove(0);
    assert_eq!(
        (&body["record"]["id"], &body["record"]["createdBy"]["source"]),
        (&json!(id), &json!("MANUAL"))
    );
    assert!(body["userId"].is_string() && body["workspaceMemberId"].is_string());
}

#[tokio::test]
async fn what_the_database_cannot_keep_is_an_error() {
    let twenty = Workspace::new(Settings::default()).await;
    for name in [r"a\u0000", r"\\\u0000"] {
        let (status, _) = twenty.call_text("POST /rest/companies", &format!(r#"{{"name":"{name}"}}"#)).await;
        assert_eq!(status, 500, "{name}");
    }
    assert_eq!(twenty.call_text("POST /rest/companies", r#"{"name":"\ud800"}"#).await.0, 500);
    for name in [r"\\u0000", r"\ud83d\ude00", r"\u0001"] {
        let (status, _) = twenty.call_text("POST /rest/companies", &format!(r#"{{"name":"{name}"}}"#)).await;
        assert_eq!(status, 201, "{name}");
    }
}
