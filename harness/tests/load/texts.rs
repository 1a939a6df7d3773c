//! The texts of loads and of the accounts, as snapshots. The reports are made up, so they are the same on every machine.

use serde_json::{Value, json};
use twenty_conform::bench::accounts::entry::LedgerEntry;
use twenty_conform::bench::measure::report::BenchReport;
use twenty_conform::bench::measure::result::BenchResult;
use twenty_conform::bench::show::{ledger, text};

use super::made::MadeUp;
use crate::snapshot::assert_snapshot;

fn assert_text(name: &str, text: &str) {
    assert_snapshot(&format!("bench/{name}"), &anstream::adapter::strip_str(text).to_string());
}

fn rendered(json: &Value) -> String {
    text::render(&BenchReport::parse(&json.to_string()).unwrap())
}

/// The accounts of 1000 events at two webhooks.
fn accounts() -> Value {
    let webhook = |path: &str, lost: u64, wrong: u64| {
        json!({ "path": path, "received": 1001 - lost, "verified": 1001 - lost - wrong, "wrong": wrong,
                "distinct": 1000 - lost - wrong, "duplicated": 1, "out_of_order": 2, "gaps": lost, "lost": lost,
                "bytes": 1_000_000 })
    };
    json!({
        "received": 1999, "verified": 1996, "wrong": 3, "distinct": 1994, "duplicated": 2, "out_of_order": 4,
        "without_id": 0, "untracked": 0, "gaps": 3, "lost": 3, "bytes": 2_000_000,
        "first_at": "2026-11-22T10:00:00.000Z", "last_at": "2026-11-22T10:00:10.000Z", "span_ms": 10_000,
        "first_duplicated": "\"person.updated\" \"8f5c1c9e-0000-4000-8000-000000000007\"",
        "kinds": [{ "kind": "stale", "text": "the timestamp is not decimal milliseconds, or too far from the current time",
                    "status": 401, "count": 3,
                    "first": { "at": "2026-11-22T10:00:03.000Z", "webhook": "/webhooks/1", "detail": "off by 360000 ms",
                               "request": "POST /webhooks/1 HTTP/1.1\r\n\r\n{}" } }],
        "webhooks": [webhook("/webhooks/1", 0, 3), webhook("/webhooks/2", 3, 0)],
        "runs": [{ "webhook": "/webhooks/2", "run": "8f5c1c9e0000000", "distinct": 997, "highest": 999, "gaps": 3,
                   "first_missing": "8f5c1c9e-0000-4000-8000-000000000011" }],
    })
}

#[test]
fn renders_a_passing_open_loop() {
    let mut json = MadeUp::steady(200, 2_000).json();
    json["load"]["mode"] = json!("rate");
    json["load"]["rates"] = json!([204.0]);
    json["phases"][0]["rate"] = json!(204.0);
    json["thresholds"] = json!([{ "bound": "p99<50ms", "measured": 2.02, "held": true }]);
    assert_text("passing", &rendered(&json));
}

#[test]
fn renders_a_failing_closed_loop() {
    let mut made = MadeUp::steady(1_000, 2_000);
    made.refused[3] = 12;
    let mut json = made.json();
    json["result"] = json!("fail");
    json["total"]["failed"] = json!(3);
    json["total"]["errors"] = json!([{ "name": "timed-out", "count": 2 }, { "name": "refused", "count": 1 }]);
    let exchange = |status: Option<u16>, answer: &str| json!({ "at_ms": 3200.5, "took_ms": 1.5, "status": status, "request": "POST / HTTP/1.1\r\n\r\n{}", "answer": answer });
    json["probes"]["let_through"] = json!(1);
    json["probes"]["kinds"] = json!([{ "name": "other-key", "requirement": "VER-3", "level": "must", "sent": 10,
        "let_through": 1, "exchange": exchange(Some(202), "HTTP/1.1 202 Accepted\r\n\r\n") }]);
    let mut refused = exchange(None, "");
    (refused["request"], refused["at_ms"]) = (json!(""), json!(9000.0));
    json["unexpected"] = json!([
        { "kind": "503", "text": "answered 503 to a valid delivery", "count": 12,
          "exchange": exchange(Some(503), "HTTP/1.1 503 Service Unavailable\r\n\r\n") },
        { "kind": "timed-out", "text": "no complete answer arrived before the timeout", "count": 2,
          "exchange": exchange(None, "") },
        { "kind": "refused", "text": "the connection was refused", "count": 1, "exchange": refused },
    ]);
    json["notes"] = json!(["4 connections were closed and reopened"]);
    assert_text("failing", &rendered(&json));
}

#[test]
fn renders_a_sender_with_lost_and_duplicated_deliveries() {
    let mut json = MadeUp::steady(200, 40_000).json();
    json["role"] = json!("sender");
    json["subject"] = json!("node sender.mjs");
    json["result"] = json!("fail");
    json["load"]["probe_share"] = json!(0.0);
    json["probes"] = json!({ "sent": 0, "let_through": 0, "unanswered": 0, "statuses": [], "kinds": [] });
    json["total"]["statuses"] = json!([{ "status": 204, "count": 1994 }, { "status": 401, "count": 3 }]);
    json["total"]["errors"] = json!([{ "name": "lost", "count": 3 }]);
    json["total"]["failed"] = json!(3);
    json["sending"] = json!({ "sender": "example 1.0", "webhooks": 2, "events": 1000, "events_per_s": 100.4,
                              "settle_ms": 1000, "strange": 0, "ledger": accounts() });
    let example = |request: &str, answer: &str| json!({ "at_ms": 0.0, "took_ms": 0.0, "status": null, "request": request, "answer": answer });
    let emit = r#"{"id":17,"op":"emit","event":"person.created"}"#;
    json["unexpected"] = json!([
        { "kind": "lost", "text": "the event was requested, but its delivery did not arrive", "count": 3,
          "exchange": example(emit, "nothing arrived at /webhooks/2") },
        { "kind": "duplicated", "text": "the sender sent an acknowledged delivery again", "count": 2,
          "exchange": example(emit, "the delivery arrived more than once at /webhooks/1 and was answered 204 each time") },
    ]);
    json["notes"] = json!(["4 deliveries arrived after a later event; Twenty promises no order"]);
    assert_text("sender", &rendered(&json));
}

#[test]
fn renders_accounts_with_every_fault() {
    let entry: LedgerEntry = serde_json::from_value(accounts()).unwrap();
    let result = BenchResult::of_ledger(&entry, &[]);
    assert_text(
        "accounts",
        &format!("{}\n{}\n", ledger::render(&entry), ledger::result_line(&entry, result)),
    );
}
