//! Dialect `auto`: receivers that read one dialect alone, senders that declare theirs, and traffic of both.
//!
//! Invariant: what `auto` finds out is told, and the run is the one that the dialect as an option would have been.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::listen::Listening;
use super::program::{judged, reference, run};
use crate::implementations::is_missing;

const SECRET: &str = "s3cr3t";

/// The programs that accept the bodies of the dialects that their first argument names, where their runtimes are installed.
fn receivers(accepted: &str) -> Vec<String> {
    let programs = [("node", "receiver.mjs"), ("python3", "receiver.py")];
    let here = programs.into_iter().filter(|(runtime, _)| !is_missing(runtime));
    here.map(|(runtime, file)| format!("{runtime} fixtures/dialects/{file} {accepted}")).collect()
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.as_ref().display()))
}

fn lines(path: impl AsRef<Path>) -> Vec<Value> {
    read(path).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn receiver_of_one_dialect_is_judged_in_that_one() {
    for (own, other) in [("shipped", "documented"), ("documented", "shipped")] {
        for command in receivers(own) {
            let folder = TempDir::new().unwrap();
            let out = folder.path().join("out");
            let out = out.to_str().unwrap();
            let (ran, report) = judged(["receiver", "--exec", &command, "--cases", "8", "--out", out]);
            let ran = ran.expect(0);
            let second = ran.stdout.lines().nth(1).unwrap_or_default();
            for said in ["Twenty sends", "today", &format!("accepts {own} payloads"), other, "answered"] {
                assert!(second.contains(said), "{said:?} is not in the second line: {ran:#?}");
            }
            let report = report.0;
            assert_eq!((&report["dialect"], &report["dialect_chosen_by"]), (&json!(own), &json!("auto")));
            assert_eq!(report["dialect_choice"]["refused"], other, "{command}");
            let manifest: Value = serde_json::from_str(&read(format!("{out}/run.json"))).unwrap();
            assert_eq!((&manifest["dialect"], &manifest["dialect_chosen_by"]), (&json!(own), &json!("auto")));
        }
    }
}

#[test]
fn dialect_that_is_refused_is_the_cause() {
    for (own, other) in [("shipped", "documented"), ("documented", "shipped")] {
        for command in receivers(own) {
            let (ran, report) = judged(["receiver", "--exec", &command, "--dialect", other, "--cases", "8"]);
            assert_eq!(report.cause("RCV-1"), "refuses.dialect", "{ran:#?}");
            let cause = &report.check("RCV-1")["cause"];
            let detail = cause["detail"].as_str().unwrap();
            assert!(detail.contains(&format!("--dialect {own}")), "{cause}");
            assert!(cause["fix"].as_str().unwrap().contains("`eventName` or else `event`"), "{cause}");
            assert_eq!(report.0["dialect_chosen_by"], "option");
            ran.expect(1);
        }
    }
}

#[test]
fn receiver_of_both_dialects_or_none_is_judged_in_the_documented_one() {
    for (accepted, status) in [("both", 0), ("none", 1)] {
        for command in receivers(accepted) {
            let folder = TempDir::new().unwrap();
            let out = folder.path().join("out");
            let out = out.to_str().unwrap();
            let (ran, report) = judged(["receiver", "--exec", &command, "--run", "RCV-1", "--out", out]);
            let ran = ran.expect(status);
            let report = report.0;
            assert_eq!(report["dialect"], "documented", "{ran:#?}");
            assert_eq!((&report["dialect_chosen_by"], report.get("dialect_choice")), (&json!("auto"), None));
            assert!(ran.stdout.lines().next().unwrap().contains("documented payloads (auto)"), "{ran:#?}");
            let manifest: Value = serde_json::from_str(&read(format!("{out}/run.json"))).unwrap();
            assert_eq!(manifest["dialect"], "documented");
        }
    }
}

#[test]
fn receiver_that_ends_at_the_other_dialect_is_started_again() {
    if is_missing("node") {
        return;
    }
    for own in ["shipped", "documented"] {
        let command = format!("node fixtures/dialects/receiver.mjs {own} ends");
        let (ran, report) = judged(["receiver", "--exec", &command, "--cases", "8"]);
        assert_eq!(report.0["dialect"], own, "{ran:#?}");
        assert_eq!(report.cause("DIA-1"), "crash.everything", "{ran:#?}");
        // A process that ends is never right, whatever ended it.
        ran.expect(1);
    }
}

#[test]
fn receiver_that_never_answers_is_waited_for_once() {
    // It accepts connections, and never reads.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let out = out.to_str().unwrap();
    let attached = ["receiver", "--url", &url, "--secret", SECRET, "--timeout", "3s", "--out", out];
    run([&attached[..], &["--run", "RCV-1"]].concat()).expect(1);
    let sent = lines(format!("{out}/exchanges.jsonl"));
    let at = |number: usize| sent[number]["at_ms"].as_u64().unwrap_or_else(|| panic!("{sent:?}"));
    assert!(at(1) - at(0) < 3000, "the second waited for the answer to the first: {sent:?}");
    // Both count: a third one that is not answered shows enough.
    assert!(sent.len() <= 4, "{sent:?}");
}

#[test]
fn receiver_that_hangs_at_the_other_dialect_is_judged_in_its_own() {
    if is_missing("node") {
        return;
    }
    let command = "node fixtures/dialects/receiver.mjs shipped hangs";
    let arguments = ["receiver", "--exec", command, "--timeout", "2s", "--run", "RCV-1"];
    let (ran, report) = judged(arguments);
    assert_eq!(report.0["dialect"], "shipped", "{ran:#?}");
    assert_eq!(report.0["dialect_choice"]["answer"], "not answered");
    ran.expect(0);
}

/// The bodies that a run sent, without their times, apart from the deliveries that only find out the dialect.
fn sent(out: &str, skipped: usize) -> BTreeSet<String> {
    let body = |line: &Value| {
        let mut body: Value = serde_json::from_str(line["delivery"]["body"].as_str()?).ok()?;
        let body = body.as_object_mut()?;
        for own in ["timestamp", "eventDate", "targetUrl"] {
            body.remove(own);
        }
        serde_json::to_string(body).ok()
    };
    lines(format!("{out}/exchanges.jsonl")).iter().skip(skipped).filter_map(body).collect()
}

#[test]
fn run_under_auto_sends_what_the_dialect_as_an_option_does() {
    let folder = TempDir::new().unwrap();
    let run_with = |name: &str, command: &str, more: &[&str]| {
        let out = folder.path().join(name).to_str().unwrap().to_owned();
        let attached = ["receiver", "--exec", command, "--seed", "11", "--run", "RCV-1", "--out", &out];
        run([&attached[..], more].concat());
        out
    };
    for command in receivers("shipped").into_iter().take(1) {
        let (auto, named) =
            (run_with("auto", &command, &[]), run_with("named", &command, &["--dialect", "shipped"]));
        assert!(!sent(&named, 0).is_empty(), "{:?}", lines(format!("{named}/exchanges.jsonl")).first());
        assert_eq!(sent(&auto, 2), sent(&named, 0));
    }
    let command = reference("receiver");
    let (auto, named) = (run_with("a", &command, &[]), run_with("n", &command, &["--dialect", "documented"]));
    assert_eq!(sent(&auto, 2), sent(&named, 0));
}

#[test]
fn failure_under_auto_is_repeated_by_its_case_and_its_command() {
    for command in receivers("shipped") {
        let folder = TempDir::new().unwrap();
        let out = folder.path().join("out");
        let out = out.to_str().unwrap();
        let (_, report) =
            judged(["receiver", "--exec", &command, "--run", "DIA-1", "--seed", "5", "--out", out]);
        assert_eq!(report.cause("DIA-1"), "refuses.dialect");
        let case = format!("{out}/cases/DIA-1.json");
        let saved: Value = serde_json::from_str(&read(&case)).unwrap();
        assert_eq!(saved["dialect"], "shipped");
        run(["replay", &case, "--exec", &command]).expect(1);
        let again = shlex::split(report.check("DIA-1")["rerun"].as_str().unwrap()).unwrap();
        let (ran, second) = judged(&again[1..]);
        assert_eq!(
            (second.cause("DIA-1"), &second.0["dialect"]),
            ("refuses.dialect", &json!("shipped")),
            "{ran:#?}"
        );
    }
}

#[test]
fn sender_is_judged_in_the_dialect_that_it_declares() {
    if is_missing("node") {
        return;
    }
    let checks = ["--run", "PAY-*", "--run", "SIG-7", "--run", "DLV-3"];
    for (own, silent, expected) in [
        ("shipped", "", "shipped"),
        ("documented", "", "documented"),
        ("documented", " silent", "documented"),
    ] {
        let command = format!("node fixtures/dialects/sender.mjs {own}{silent}");
        let (ran, report) = judged([&["sender", "--exec", &command][..], &checks].concat());
        assert_eq!(report.0["dialect"], expected, "{ran:#?}");
        assert_eq!(report.0["dialect_chosen_by"], "auto");
        ran.expect(0);
    }
    // An option is not overruled: the payloads are of another dialect then.
    let command = "node fixtures/dialects/sender.mjs shipped";
    let (ran, report) =
        judged([&["sender", "--exec", command, "--dialect", "documented"][..], &checks].concat());
    assert_eq!((&report.0["dialect"], ran.status), (&json!("documented"), Some(1)), "{ran:#?}");
    let causes: Vec<&str> = report.with("fail").into_iter().map(|id| report.cause(id)).collect();
    assert!(causes.contains(&"payload.dialect"), "{causes:?}");
}

#[test]
fn each_watched_and_recorded_body_is_judged_in_its_own_dialect() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let out = out.to_str().unwrap();
    let mut listening = Listening::new(&["--secret", SECRET, "--out", out, "--count", "3"]);
    let url = format!("http://{}/", listening.authority());
    for dialect in ["documented", "shipped", "auto"] {
        run(["send", "--url", &url, "--secret", SECRET, "--dialect", dialect, "--event", "company.created"])
            .expect(0);
        let delivery = listening.next();
        assert_eq!(delivery["verdict"], "pass", "{dialect}: {delivery}");
        assert_eq!(delivery["event"], "company.created", "{dialect}: {delivery}");
    }
    assert_eq!(listening.end().0, Some(0));
    let recorded = format!("{out}/deliveries.jsonl");
    let judge = ["sender", "--transcript", &recorded, "--secret", SECRET];
    run(judge).expect(0);
    // With an option, every body is judged in that dialect.
    for dialect in ["documented", "shipped"] {
        run([&judge[..], &["--dialect", dialect]].concat()).expect(1);
    }
}
