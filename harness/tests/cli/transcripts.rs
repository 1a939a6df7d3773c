//! `sender --transcript`: recorded traffic as JSON lines or HAR, and malformed files.
//!
//! Invariant: what a file cannot show is not applicable with a reason, and an error names the line.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use tempfile::TempDir;

use super::listen::{SECRET, body};
use super::program::{judged, run, run_on};

/// 2026-01-02T03:04:05.678Z
const AT_MS: u64 = 1_767_323_045_678;

/// A file of recorded traffic.
pub(crate) struct File {
    _folder: TempDir,
    path: PathBuf,
}

impl File {
    fn new(text: impl AsRef<[u8]>) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("recorded");
        fs::write(&path, text).unwrap();
        Self { _folder: folder, path }
    }

    pub(crate) fn content(&self) -> Vec<u8> {
        fs::read(&self.path).unwrap()
    }

    pub(crate) fn arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        [&["sender", "--transcript", self.path.to_str().unwrap()], more].concat()
    }
}

fn signature(text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    const_hex::encode(mac.finalize().into_bytes())
}

fn headers(signed: &str) -> [(&'static str, String); 3] {
    [
        ("content-type", "application/json".to_owned()),
        ("x-twenty-webhook-timestamp", AT_MS.to_string()),
        ("x-twenty-webhook-signature", signature(signed)),
    ]
}

/// A line as the suite writes it.
fn line(body: &str, signed: &str) -> String {
    json!({
        "number": 1, "at_ms": AT_MS, "took_us": 5,
        "delivery": { "method": "POST", "target": "/hook", "headers": headers(signed), "body": body, "transfer": "whole" },
        "outcome": { "answered": { "status": 200, "headers": [], "body": "" } },
    })
    .to_string()
}

fn har(body: &str, signed: &str) -> String {
    let headers: Vec<_> =
        headers(signed).into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let entry = json!({
        "startedDateTime": "2026-01-02T03:04:05.678Z", "time": 3,
        "request": { "method": "POST", "url": "http://h/hook", "httpVersion": "HTTP/1.1", "headers": headers,
                     "postData": { "mimeType": "application/json", "text": body } },
        "response": { "status": 200 },
    });
    serde_json::to_string_pretty(&json!({ "log": { "version": "1.2", "entries": [entry] } })).unwrap()
}

/// A valid delivery, and one that is signed over the body alone.
pub(crate) fn recorded() -> File {
    let right = line(&body(1), &format!("{AT_MS}:{}", body(1)));
    File::new(format!("{right}\n{}\n", line(&body(2), &body(2))))
}

#[test]
fn exchanges_and_har_get_equal_verdicts() {
    let (right, alone) = (format!("{AT_MS}:{}", body(1)), body(1));
    for write in [line, har] {
        let file = File::new(write(&body(1), &right));
        let (ran, report) = judged(file.arguments(&["--secret", SECRET]));
        ran.expect(0);
        assert!(report.with("pass").is_superset(&["DLV-1", "PAY-1", "SIG-4", "SIG-5"].into()), "{report:?}");
        let not_shown = report.with("not-applicable");
        assert!(not_shown.is_superset(&["SUB-1", "DLV-2", "DLV-6", "PAY-2", "SIG-6", "ACK-1"].into()));
        assert!(report.message("DLV-2").contains("unknown"));

        let file = File::new(write(&body(1), &alone));
        let (ran, report) = judged(file.arguments(&["--secret", SECRET]));
        ran.expect(1);
        assert_eq!((report.with("fail"), report.cause("SIG-4")), (["SIG-4"].into(), "message.body-alone"));

        // Without the secret, signatures are not judged.
        let (ran, report) = judged(file.arguments(&[]));
        ran.expect(0);
        assert!(report.message("SIG-4").contains("--secret"), "{report:?}");
    }
}

#[test]
fn transcript_bodies_are_judged() {
    let of = |body: &str| {
        let file = File::new(line(body, &format!("{AT_MS}:{body}")));
        let (_, report) = judged(file.arguments(&["--secret", SECRET]));
        report.with("fail").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let body = |event: &str, data: &str, timestamp: &str| {
        format!(r#"{{"event":{event},"data":{data},"timestamp":{timestamp}}}"#)
    };
    let (event, data, time) =
        (r#""person.created""#, r#"{"id":"1","custom":{}}"#, r#""2026-01-02T03:04:05Z""#);
    assert_eq!(of(&body(event, data, time)), [""; 0]);
    assert_eq!(of(&body(r#""invoice.voided""#, data, time)), [""; 0], "an unknown object and action");
    for wrong in [r#""person""#, r#""person.CREATED""#, r#"".created""#, r#""a person.created""#] {
        assert_eq!(of(&body(wrong, data, time)), ["PAY-1"], "{wrong}");
    }
    assert_eq!(of(&body(event, "[]", time)), ["PAY-6"]);
    assert_eq!(of(&body(event, data, "1767323045")), ["PAY-4", "PAY-6"]);
    assert_eq!(of(&body(event, data, r#""2026-01-02T04:04:05+01:00""#)), ["PAY-4"]);
    assert_eq!(of(&body(event, data, r#""2026-01-02T03:05:05Z""#)), ["PAY-5"], "after the arrival");
    let created = r#"{"id":"1","createdAt":"2026-01-02T03:04:09Z"}"#;
    assert_eq!(of(&body(event, created, time)), [""; 0], "clients of the API may set `createdAt`");
    assert_eq!(of(&format!("[{}]", body(event, data, time))), ["DLV-5", "PAY-6"]);
    assert_eq!(of(r#""text""#), ["PAY-6"]);
}

#[test]
fn malformed_transcript_is_rejected_with_its_line() {
    let good = line(&body(1), "");
    for (text, words) in [
        (String::new(), "line 1: the file is empty"),
        (format!("{good}\n{}\n{good}\n", &good[..good.len() / 2]), "line 2 is cut off"),
        (format!("{good}\n{}\n", &good[..good.len() / 2]), "line 2 is cut off"),
        (good[..good.len() / 2].to_owned(), "line 1 is cut off"),
        (format!("{good}\n\n{{\"summary\":{{}}}}\n"), "line 3 is not an exchange"),
        ("event,record\n".to_owned(), "line 1 is not JSON"),
        ("{\n  \"log\": {\n    \"entries\": [\n".to_owned(), "cut off"),
    ] {
        let file = File::new(&text);
        let ran = run(file.arguments(&[])).expect(2);
        ran.complains_of(&["recorded: line ", words]);
        assert_eq!(ran.stdout, "", "{text}");
    }
    run(["sender", "--transcript", "no/such/file"]).expect(2).complains_of(&["no/such/file"]);
    run_on(["sender", "--transcript", "-"], "what").expect(2).complains_of(&["line 1"]);
}

#[test]
fn deliveries_before_a_cut_last_line_are_judged() {
    let (right, alone) = (line(&body(1), &format!("{AT_MS}:{}", body(1))), line(&body(2), &body(2)));
    for (whole, status) in [(&right, 0), (&alone, 1)] {
        let file = File::new(format!("{whole}\n{whole}\n{}", &right[..right.len() - 9]));
        let (ran, report) = judged(file.arguments(&["--secret", SECRET]));
        ran.expect(status).says(&["note: the last line of ", "recorded is cut; 2 deliveries were read"]);
        assert_eq!(report.0["exchanges"], 2);
        let notes = report.0["notes"].to_string();
        assert!(notes.contains("is cut; 2 deliveries were read"), "{notes}");
    }
}

#[test]
fn long_har_is_read_once() {
    let entry = |line: &str| {
        format!(
            r#"{{"startedDateTime":"2026-01-01T00:00:00Z","request":{{"method":"{line}","url":"http://h/","headers":[]}}}}"#
        )
    };
    let many = vec![entry("GET"); 80_000].join(",\n");
    let file = File::new(format!("{{\"log\":{{\"entries\":[{many}]}}}}"));
    let began = Instant::now();
    run(file.arguments(&[])).expect(2).complains_of(&["line 1: the file has no deliveries"]);
    // Counting the lines before each entry took minutes.
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let file =
        File::new(format!("{{\"log\":{{\"entries\":[{many},\n{}]}}}}", entry("").replace("\"\"", "1")));
    run(file.arguments(&[])).expect(2).complains_of(&["line 80001: log.entries[80000]: "]);
}

#[test]
fn transcript_conflicts_with_exec_and_control() {
    for pair in [["--exec", "--control"], ["--exec", "--transcript"], ["--control", "--transcript"]] {
        let [one, other] = pair;
        run(["sender", one, "x", other, "y"]).expect(2).complains_of(&[one, other]);
    }
    run(["sender"]).expect(2).complains_of(&["--exec", "--control", "--transcript"]);
    run(["sender", "--exec", "x", "--secret", "s3cr3t"]).expect(2).complains_of(&["--transcript"]);
    run(["sender", "--transcript", "x", "--insecure"]).expect(2).complains_of(&["--control"]);
}
