//! The shapes of the captures: the samples have them, and changed bodies fail where the suite can know it.

use serde_json::Value;
use twenty_conform::suite::requirement::Verdict;
use twenty_conform::webhook::dialect::SHIPPED;
use twenty_conform::webhook::signature::{Key, SIGNATURE_HEADER, TIMESTAMP_HEADER};

use super::{WITH_SHAPE, body, captures, judged, secret, text, verdict};

/// Fields that the workspace of the captures adds.
const ADDED: [&str; 9] = [
    "intro",
    "performanceRating",
    "whatsapp",
    "workPreference",
    "introVideo",
    "tagline",
    "visaSponsorship",
    "workPolicy",
    "helpedPetsId",
];

/// Checks that a sample has the members of what was captured, in their order.
fn assert_same_members(sample: &Value, captured: &Value, path: &str) {
    if let (Value::Object(sample), Value::Object(captured)) = (sample, captured) {
        let is_shared = |name: &&String| !path.starts_with("rocket") || captured.contains_key(*name);
        let own: Vec<&String> = sample.keys().filter(is_shared).collect();
        let theirs: Vec<&String> = captured.keys().filter(|name| !ADDED.contains(&name.as_str())).collect();
        assert_eq!(own, theirs, "{path}");
        for name in own {
            // Their members depend on the field.
            if !["diff", "settings", "context"].contains(&name.as_str()) {
                assert_same_members(&sample[name], &captured[name], &format!("{path}.{name}"));
            }
        }
    }
    if let (Value::Array(sample), Value::Array(captured)) = (sample, captured)
        && let (Some(sample), Some(captured)) = (sample.first(), captured.first())
    {
        assert_same_members(sample, captured, &format!("{path}[]"));
    }
}

#[test]
fn samples_have_the_members_of_the_captures_in_their_order() {
    let mut compared = 0;
    for delivery in captures().values() {
        let whole = body(delivery);
        let event = whole["eventName"].as_str().unwrap();
        let Some(sample) = SHIPPED.sample(event) else { continue };
        compared += 1;
        let record: Value = serde_json::from_str(sample.record.get()).unwrap();
        match whole.get("event") {
            Some(captured) => assert_same_members(&record["properties"], &captured["properties"], event),
            None => assert_same_members(&record, &whole["record"], event),
        }
        assert_eq!(sample.updated_fields.is_some(), whole.get("updatedFields").is_some(), "{event}");
    }
    assert_eq!(compared, WITH_SHAPE);
}

/// The verdict of a requirement on this capture after a change of its body, signed anew.
fn changed(name: &str, id: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut delivery = captures()[name].clone();
    let mut whole = body(&delivery);
    change(&mut whole);
    delivery.body = whole.to_string().into();
    let timestamp = text(&delivery, TIMESTAMP_HEADER).unwrap().to_owned();
    let signature = Key::new(&secret(name).unwrap()).sign(timestamp.as_bytes(), &delivery.body);
    delivery.headers.set(SIGNATURE_HEADER, signature.to_hex());
    let findings = judged(name, &delivery);
    match verdict(&findings, id) {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Fail(evidence) => evidence.cause.as_ref().map(ToString::to_string).unwrap_or_default(),
        other => format!("{other:?}"),
    }
}

#[test]
fn record_created_in_the_future_passes() {
    let future = |whole: &mut Value| whole["record"]["createdAt"] = "2099-01-01T00:00:00.000Z".into();
    assert_eq!(changed("person.created.apikey", "PAY-5", future), "pass");
    let late = |whole: &mut Value| whole["eventDate"] = "2099-01-01T00:00:00.000Z".into();
    assert_eq!(changed("person.created.apikey", "PAY-5", late), "payload.time (after the request arrived)");
}

#[test]
fn optional_members_may_be_absent_and_have_their_type() {
    let shape = |name: &str, change: &dyn Fn(&mut Value)| changed(name, "PAY-6", change);
    let without = |name: &str, member: &str| {
        shape(name, &|whole| {
            whole.as_object_mut().unwrap().shift_remove(member).unwrap();
        })
    };
    let with = |name: &str, member: &str, value: Value| shape(name, &|whole| whole[member] = value.clone());
    for member in ["userId", "workspaceMemberId"] {
        assert_eq!(without("person.created.user", member), "pass");
        assert_eq!(with("person.created.apikey", member, "x".into()), "pass");
        assert_eq!(with("person.created.apikey", member, 7.into()), format!("payload.type ({member})"));
        assert_eq!(with("person.created.user", member, Value::Null), format!("payload.type ({member})"));
    }
    for member in ["userId", "apiKeyId"] {
        assert_eq!(with("metadata.view.created.apikey", member, "x".into()), "pass");
        assert_eq!(
            with("metadata.view.created.user", member, [1].as_slice().into()),
            format!("payload.type ({member})")
        );
    }
    assert_eq!(without("metadata.view.created.apikey", "apiKeyId"), "pass");
    // Versions before 2026 have it on updates only.
    for event in ["person.deleted.user", "person.restored.user"] {
        assert_eq!(without(event, "updatedFields"), "pass");
    }
    assert_eq!(without("company.updated.user", "updatedFields"), "payload.member (updatedFields)");
    assert_eq!(with("person.created.user", "updatedFields", [""; 0].as_slice().into()), "pass");
    assert_eq!(with("person.created.user", "updatedFields", "name".into()), "payload.type (updatedFields)");
    assert_eq!(without("person.created.user", "webhookId"), "payload.member (webhookId)");
    assert_eq!(without("metadata.view.created.user", "event"), "payload.member (event)");
}

#[test]
fn standard_fields_may_be_missing_but_have_their_type() {
    let field = |name: &str, field: &str, value: Option<Value>| {
        changed(name, "PAY-6", |whole| match value {
            Some(value) => whole["record"][field] = value,
            None => drop(whole["record"].as_object_mut().unwrap().shift_remove(field)),
        })
    };
    let person = "person.updated.apikey";
    // A workspace can deactivate them.
    for name in ["jobTitle", "phones", "updatedBy", "searchVector"] {
        assert_eq!(field(person, name, None), "pass", "{name}");
    }
    for name in ["id", "createdAt", "updatedAt", "deletedAt"] {
        assert_eq!(field(person, name, None), format!("payload.member (record.{name})"));
    }
    for name in ["jobTitle", "companyId", "avatarFile", "position", "deletedAt"] {
        assert_eq!(field(person, name, Some(Value::Null)), "pass", "{name}");
    }
    for name in ["id", "createdAt", "name", "emails", "createdBy"] {
        assert_eq!(field(person, name, Some(Value::Null)), format!("payload.type (record.{name})"));
    }
    assert_eq!(field(person, "position", Some("1".into())), "payload.type (record.position)");
    assert_eq!(field(person, "jobTitle", Some(7.into())), "payload.type (record.jobTitle)");
    let member = |member: &str, value: Value| {
        changed("metadata.fieldMetadata.updated.user", "PAY-6", |whole| whole["event"][member] = value)
    };
    assert_eq!(member("recordId", Value::Null), "payload.type (event.recordId)");
    assert_eq!(
        member("properties", serde_json::json!({})),
        "payload.member (event.properties.updatedFields)"
    );
}
