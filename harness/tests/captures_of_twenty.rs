//! What Twenty 2.31 sent, in `fixtures/twenty-2.31/`, as recorded traffic: everything passes at every level, except for three deliveries
//! whose signatures do not fit, which is Twenty's own fault.
//!
//! `fixtures/transcripts/twenty-2.31.*.json` has some of them as transcripts, with every verdict (`UPDATE_TRANSCRIPTS=1 cargo test
//! --test conform transcripts` writes them anew).
//!
//! Invariant: the captures are judged as they came over the wire. Only the time of their arrival is not recorded; it is taken from
//! their timestamp.

mod shapes;
mod transcripts;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use twenty_conform::capture;
use twenty_conform::suite::cause::sender;
use twenty_conform::suite::requirement::{Requirement, Role, Verdict};
use twenty_conform::suite::requirements;
use twenty_conform::suite::run::{Finding, Judgement};
use twenty_conform::suite::sender::payload::shape::further_members;
use twenty_conform::suite::traffic::{self, Traffic};
use twenty_conform::suite::transcript::Limits;
use twenty_conform::webhook::dialect::{DOCUMENTED, Dialect, SHIPPED};
use twenty_conform::webhook::event::{Event, EventName};
use twenty_conform::webhook::signature::{Key, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use twenty_conform::wire::exchange::{Delivery, Exchange, ExchangeId, Outcome, Response};

/// The deliveries whose signatures do not fit, what was dropped from each, and after which text it was.
const DROPPED: [(&str, &str, &str); 3] = [
    ("bad-signature-candidate.1018.pet.created", r#"{"b":2"#, r#","constructor":"x""#),
    ("bad-signature-candidate.1019.pet.created", r#""extraData":{"#, r#""prototype":{"z":1}"#),
    ("bad-signature-candidate.1021.pet.created", r#"{"k":1"#, r#","__proto__":{"q":1}"#),
];

/// How long after its timestamp a delivery is said to have arrived.
const TRAVELLED_MS: u64 = 5;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/twenty-2.31")
}

/// Every capture, by the name of its file.
fn captures() -> BTreeMap<String, Delivery> {
    let files = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let captures = files.filter(|path| path.extension().is_some_and(|extension| extension == "http"));
    let delivery = |path: std::path::PathBuf| {
        let read = capture::read(&fs::read(&path).unwrap()).unwrap();
        assert_eq!((read.requests.len(), read.notes.len()), (1, 0), "{}", path.display());
        let captured = &read.requests[0];
        assert_eq!(captured.notes, [""; 0], "{}", path.display());
        let body = captured.bytes().unwrap().clone();
        assert_eq!(captured.content_length(), Some(body.len() as u64), "{}", path.display());
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), captured.delivery(body))
    };
    captures.map(delivery).collect()
}

fn text<'a>(delivery: &'a Delivery, header: &str) -> Option<&'a str> {
    delivery.headers.single(header).map(|value| std::str::from_utf8(value).unwrap())
}

fn body(delivery: &Delivery) -> Value {
    serde_json::from_slice(&delivery.body).unwrap()
}

fn secret(name: &str) -> Option<Secret> {
    match name {
        name if name.starts_with("nosecret.") => None,
        name if is_dropped(name) => Some(Secret::new("proto-secret")),
        _ => Some(Secret::new("test-secret")),
    }
}

/// The delivery as recorded traffic has it. An unsigned one arrived when its event happened.
fn exchange(delivery: &Delivery) -> Exchange {
    let event: jiff::Timestamp = body(delivery)["eventDate"].as_str().unwrap().parse().unwrap();
    let sent = text(delivery, TIMESTAMP_HEADER).map(|sent| sent.parse().unwrap());
    Exchange {
        id: ExchangeId(1),
        at_ms: sent.unwrap_or(event.as_millisecond() as u64) + TRAVELLED_MS,
        took: Duration::from_millis(1),
        delivery: delivery.clone(),
        outcome: Outcome::Answered(Response::text(200, "")),
    }
}

fn traffic(secret: Option<Secret>) -> Traffic {
    Traffic { dialect: &DOCUMENTED, auto: true, limits: Limits::default(), secret }
}

fn selected() -> Vec<&'static Requirement> {
    requirements::of(Role::Sender).collect()
}

fn judged(name: &str, delivery: &Delivery) -> Vec<Finding> {
    let transcript = traffic(secret(name)).transcript(vec![exchange(delivery)]);
    traffic::judge(&transcript, &selected())
}

/// The verdict on a requirement.
fn verdict<'a>(findings: &'a [Finding], id: &str) -> &'a Verdict {
    let finding = findings.iter().find(|finding| finding.requirement.id == id).unwrap();
    match &finding.judgement {
        Judgement::Judged(verdict) => verdict,
        Judgement::Error(why) => panic!("{id}: {why}"),
    }
}

fn is_dropped(name: &str) -> bool {
    DROPPED.iter().any(|(dropped, ..)| *dropped == name)
}

#[test]
fn every_capture_passes_but_those_with_dropped_members() {
    let captures = captures();
    assert_eq!(captures.len(), 126);
    let (mut with_shape, mut unsigned) = (0, 0);
    for (name, delivery) in &captures {
        assert_eq!(Dialect::of_body(&delivery.body).map(|dialect| dialect.name), Some("shipped"), "{name}");
        let findings = judged(name, delivery);
        for finding in &findings {
            let id = finding.requirement.id;
            match verdict(&findings, id) {
                Verdict::Pass | Verdict::NotApplicable(_) => {}
                Verdict::Fail(_) if id == "SIG-4" && is_dropped(name) => {}
                other => panic!("{name}: {id}: {other:?}"),
            }
        }
        let passed: Vec<&str> =
            ["DLV-1", "DLV-3", "DLV-4", "DLV-5", "PAY-1", "PAY-3", "PAY-4", "PAY-5"].into();
        for id in passed {
            assert!(
                matches!(verdict(&findings, id), Verdict::Pass),
                "{name}: {id}: {:?}",
                verdict(&findings, id)
            );
        }
        with_shape += usize::from(matches!(verdict(&findings, "PAY-6"), Verdict::Pass));
        let is_signed = secret(name).is_some();
        unsigned += usize::from(!is_signed);
        for id in ["SIG-1", "SIG-2", "SIG-3", "SIG-5", "SIG-8", "SIG-10", "NON-1"] {
            let passes = matches!(verdict(&findings, id), Verdict::Pass);
            assert_eq!(passes, is_signed, "{name}: {id}: {:?}", verdict(&findings, id));
        }
        let is_valid = matches!(verdict(&findings, "SIG-4"), Verdict::Pass);
        assert_eq!(is_valid, is_signed && !is_dropped(name), "{name}: {:?}", verdict(&findings, "SIG-4"));
    }
    assert_eq!(unsigned, 8);
    // The events of sample objects and metadata; the others have no snapshot.
    assert_eq!(with_shape, WITH_SHAPE);
}

/// How many captures are of an event that has a snapshot.
const WITH_SHAPE: usize = 87;

#[test]
fn filters_match_what_twenty_sends_for_them() {
    let names = |begin: &str| -> Vec<EventName> {
        let captures = captures().into_iter().filter(|(name, _)| name.starts_with(begin));
        captures.map(|(_, sent)| EventName::new(body(&sent)["eventName"].as_str().unwrap())).collect()
    };
    for (begin, filter) in [
        ("filter-exact.company.", "company.updated"),
        ("filter-exact.note.", "note.deleted"),
        ("filter-person-star.", "person.*"),
        ("filter-star-created.", "*.created"),
        ("filter-meta-field.", "metadata.fieldMetadata.*"),
        ("filter-meta-field.", "metadata.*.updated"),
        ("metadata.", "metadata.*.*"),
        ("", "*.*"),
    ] {
        let names = names(begin);
        assert!(!names.is_empty() && names.iter().all(|name| name.matches(filter)), "{filter}: {names:?}");
    }
    // A webhook with the filter `*.created` got none of the metadata events that creating an object brings.
    for filter in ["*.created", "*", "person.*", "metadata.*", "metadata.view.*", "created", ""] {
        let matched = names("metadata.fieldMetadata.created").into_iter().find(|name| name.matches(filter));
        assert_eq!(matched, None, "{filter}");
    }
}

#[test]
fn unsigned_deliveries_fail_where_a_secret_is_set() {
    for (name, delivery) in captures().iter().filter(|(name, _)| name.starts_with("nosecret.")) {
        let findings = judged("signed", delivery);
        for id in ["SIG-1", "SIG-2"] {
            assert!(matches!(verdict(&findings, id), Verdict::Fail(_)), "{name}: {id}");
        }
    }
}

#[test]
fn dropped_members_are_named_where_the_record_is_known() {
    let captures = captures();
    for (name, after, dropped) in DROPPED {
        let delivery = &captures[name];
        let sent = std::str::from_utf8(&delivery.body).unwrap();
        assert_eq!(sent.matches(after).count(), 1, "{name}");
        let signed = sent.replace(after, &format!("{after}{dropped}"));
        let (timestamp, signature) = (text(delivery, TIMESTAMP_HEADER), text(delivery, SIGNATURE_HEADER));
        let (timestamp, signature) = (timestamp.unwrap().as_bytes(), signature.unwrap().as_bytes());
        let key = Key::new(&secret(name).unwrap());
        assert!(key.verify(timestamp, signed.as_bytes(), signature), "{name}");
        // Recorded traffic does not say what was dropped: any value is possible.
        let findings = judged(name, delivery);
        let Verdict::Fail(evidence) = verdict(&findings, "SIG-4") else { panic!("{name}") };
        assert_eq!(evidence.cause, None, "{name}");
        // In a run, the suite knows the record. An API client gives the names in any order, and not all that a record has.
        let signed: Value = serde_json::from_str(&signed).unwrap();
        let extra = signed["record"]["extraData"].as_object().unwrap();
        let extra: Value = extra.clone().into_iter().rev().collect();
        let record = serde_json::json!({ "extraData": extra, "id": signed["record"]["id"] }).to_string();
        let body = sent.as_bytes();
        let cause = sender::changed_after_signing("proto-secret", timestamp, body, signature, &record);
        let member = dropped.split('"').nth(1).unwrap();
        let expected = format!("message.members-dropped (`{member}`; after signing)");
        assert_eq!(cause.map(|cause| cause.to_string()), Some(expected), "{name}");
    }
}

#[test]
fn reference_sends_the_members_and_headers_of_the_captures_in_their_order() {
    let names = |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    let shown = ["host", "connection", "content-length", "accept-encoding"];
    for (name, delivery) in captures() {
        let whole = body(&delivery);
        let event = EventName::new(whole["eventName"].as_str().unwrap());
        let metadata = whole.get("event");
        let content = match metadata {
            Some(event) => {
                serde_json::json!({ "recordId": event["recordId"], "properties": event["properties"] })
            }
            None => whole["record"].clone(),
        };
        let updated_fields =
            whole.get("updatedFields").map(|fields| serde_json::from_value(fields.clone()).unwrap());
        let record = serde_json::value::to_raw_value(&content).unwrap();
        let rendered = SHIPPED.render(
            &Event { name: event, record, updated_fields },
            &twenty_conform::webhook::dialect::Context {
                target_url: whole["targetUrl"].as_str().unwrap(),
                webhook_id: whole["webhookId"].as_str().unwrap(),
                workspace_id: whole["workspaceId"].as_str().unwrap(),
                occurred_at_ms: exchange(&delivery).at_ms,
            },
        );
        let rendered: Value = serde_json::from_slice(&rendered).unwrap();
        let mut expected = names(&whole);
        if metadata.is_some() {
            // The reference changes metadata by an API key.
            expected.iter_mut().filter(|name| *name == "userId").for_each(|name| "apiKeyId".clone_into(name));
            assert_eq!(names(&rendered["event"]), names(&whole["event"]), "{name}");
        }
        assert_eq!(names(&rendered), expected, "{name}");
        for member in ["workspaceMemberId", "record", "event", "updatedFields"] {
            assert_eq!(rendered.get(member), whole.get(member), "{name}: {member}");
        }
        let key = secret(&name).map(|secret| Key::new(&secret));
        let nonce = Some("0".repeat(32));
        let sent =
            twenty_conform::wire::exchange::Headers::in_dialect(&SHIPPED, key.as_ref(), 0, nonce, b"{}");
        let lines = |headers: &[(String, Bytes)]| -> Vec<String> {
            let own = headers.iter().filter(|(name, _)| !shown.contains(&name.to_ascii_lowercase().as_str()));
            own.map(|(name, _)| name.clone()).collect()
        };
        assert_eq!(lines(&sent.0), lines(&delivery.headers.0), "{name}");
    }
}

#[test]
fn fields_of_a_workspace_are_noted() {
    let captures = captures();
    let noted = |name: &str| {
        let transcript = traffic(secret(name)).transcript(vec![exchange(&captures[name])]);
        further_members(&transcript)
    };
    assert_eq!(
        noted("person.created.user"),
        ["record.intro", "record.performanceRating", "record.whatsapp", "record.workPreference"]
    );
    assert_eq!(
        noted("company.updated.apikey"),
        ["record.introVideo", "record.tagline", "record.visaSponsorship", "record.workPolicy"]
    );
    assert_eq!(noted("note.deleted.user"), [""; 0]);
}
