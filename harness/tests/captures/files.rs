//! `verify` on files in the forms that tools write (`fixtures/captures`).

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{SECRET, signed};
use crate::cli::program::{Ran, run};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures")
}

#[track_caller]
fn verify(file: &Path, more: &[&str]) -> Ran {
    let file = file.to_str().unwrap();
    run(["verify", "--secret", SECRET].iter().chain(more).chain(&[file]))
}

/// Each file, its form, its status, and words of what is said.
const FILES: &[(&str, &str, i32, &str)] = &[
    ("raw-crlf.http", "raw HTTP", 0, "matches"),
    ("raw-lf.http", "raw HTTP", 0, "matches"),
    ("no-request-line.http", "raw HTTP", 0, "matches"),
    ("http2.http", "raw HTTP", 0, "matches"),
    ("chunked.http", "raw HTTP", 0, "matches"),
    ("folded.http", "raw HTTP", 0, "note: a header of Twenty continued on the next line"),
    (
        "two-one-wrong.http",
        "raw HTTP",
        1,
        "request 1 (line 1): the signature matches\nrequest 2 (line 12): the signature does not",
    ),
    ("curl-bash.sh", "a curl command (bash)", 0, "matches"),
    ("curl-file.sh", "a curl command (bash)", 0, "matches"),
    ("curl-cmd.txt", "a curl command (cmd)", 0, "matches"),
    ("powershell.ps1", "Invoke-WebRequest of PowerShell", 0, "matches"),
    (
        "curl-verbose.txt",
        "what curl -v or --trace prints",
        2,
        "shows the headers and not the body, which curl --trace FILE shows too; give the body with",
    ),
    ("traffic.har", "HAR", 0, "note: left out 1 of 2 requests"),
    ("no-body.har", "HAR", 2, "the body was not recorded"),
    ("form-body.har", "HAR", 2, "the body was read as a form"),
    ("ngrok.json", "the JSON of ngrok", 0, "matches"),
    ("webhook-site.json", "the JSON of webhook.site", 0, "matches"),
    ("postman.json", "the JSON of Postman", 0, "matches"),
    ("insomnia.json", "the JSON of Insomnia", 0, "matches"),
    ("pipedream.json", "the JSON of RequestBin or Pipedream", 0, "matches"),
    ("lambda.json", "an AWS Lambda event", 0, "matches"),
    ("parsed-body.json", "JSON with headers and a body", 0, "note: the body was recorded as parsed JSON"),
    ("deliveries.jsonl", "lines of deliveries.jsonl", 0, "matches"),
];

#[test]
fn every_form_is_taken_and_named() {
    for (name, form, status, words) in FILES {
        let ran = verify(&folder().join(name), &[]);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.status, Some(*status), "{name}: {said}");
        assert!(ran.stderr.starts_with(&format!("taken for: {form}\n")), "{name}: {said}");
        assert!(said.contains(words), "{name}: {said}");
    }
    let known: Vec<&str> = FILES.iter().map(|(name, ..)| *name).chain(["curl-file.json"]).collect();
    for file in fs::read_dir(folder()).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&&*name), "{name} is not in the list of this test");
    }
}

#[test]
fn wrong_secret_is_a_mismatch_in_every_form() {
    for (name, ..) in FILES.iter().filter(|(_, _, status, _)| *status == 0) {
        let file = folder().join(name);
        let ran = run(["verify", "--secret", "another", file.to_str().unwrap()]).expect(1);
        assert!(ran.stdout.contains("the signature does not match\n  expected  "), "{name}: {}", ran.stdout);
    }
}

#[test]
fn one_of_several_requests_is_chosen_by_its_number() {
    let two = folder().join("two-one-wrong.http");
    assert_eq!(verify(&two, &["--entry", "1"]).expect(0).stdout, "the signature matches\n");
    verify(&two, &["--entry", "2"]).expect(1);
    verify(&two, &["--entry", "3"]).expect(2).complains_of(&["has 2 requests", "number 3"]);
    let har = folder().join("traffic.har");
    verify(&har, &["--entry", "2"]).expect(0);
    verify(&har, &["--entry", "1"]).expect(2).complains_of(&["0 X-Twenty-Webhook-Timestamp headers"]);
    verify(&har, &["--entry", "9"]).expect(2).complains_of(&["has 2 requests"]);
}

#[test]
fn age_is_judged_when_a_time_is_given() {
    let file = folder().join("raw-crlf.http");
    for (at, status, words) in [
        ("now", 1, "outside of the window of 5 min"),
        ("1767323045678", 0, "0 ms old: fresh"),
        ("1767323345678", 0, "5 min old: fresh"),
        ("1767323345679", 1, "5 min old: outside"),
        ("1767322745677", 1, "5 min ahead: outside"),
        ("2026-01-02T03:09:00Z", 0, "4 min 54 s old: fresh"),
        (
            "2026-01-05T05:04:05.678Z",
            1,
            "3 d 2 h old: outside of the window of 5 min, so a receiver rejects it",
        ),
    ] {
        let ran = verify(&file, &["--at", at]).expect(status);
        assert!(ran.stdout.starts_with("the signature matches\n  age       "), "{at}: {ran:#?}");
        assert!(ran.stdout.contains(words), "{at}: {ran:#?}");
    }
    verify(&file, &["--at", "yesterday"]).expect(2).complains_of(&["\"yesterday\" is not a time", "now"]);
}

#[test]
fn body_that_is_longer_than_its_length_or_compressed_is_matched() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("request");
    let sent = signed("{\"event\":\"a.b\"}");
    let head = |more: &str| {
        let headers: String = sent.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        format!("POST / HTTP/1.1\n{headers}{more}\n\n")
    };
    fs::write(&file, head(&format!("Content-Length: {}", sent.body.len())) + &sent.body + "\n-- end --\n")
        .unwrap();
    let ran = verify(&file, &[]).expect(0);
    assert!(ran.stdout.contains("15 bytes, as Content-Length says; 11 more"), "{ran:#?}");
    let mut coded = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut coded, sent.body.as_bytes()).unwrap();
    fs::write(&file, [head("Content-Encoding: gzip").as_bytes(), &coded.finish().unwrap()].concat()).unwrap();
    let ran = verify(&file, &[]).expect(0);
    assert!(ran.stdout.contains("before it was compressed"), "{ran:#?}");
}

#[test]
fn transcript_does_not_blame_a_sender_for_a_body_that_was_not_recorded() {
    for name in ["no-body.har", "form-body.har"] {
        let file = folder().join(name);
        let ran = run(["sender", "--transcript", file.to_str().unwrap(), "--secret", SECRET]).expect(2);
        assert!(ran.stderr.contains("log.entries[0]: `postData` "), "{ran:#?}");
    }
    let file = folder().join("traffic.har");
    let ran = run(["sender", "--transcript", file.to_str().unwrap(), "--secret", SECRET, "--run", "SIG-4"]);
    assert_eq!(ran.status, Some(0), "{ran:#?}");
}
