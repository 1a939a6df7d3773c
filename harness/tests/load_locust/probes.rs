//! The probes of the locustfile and those of the generator: the same bytes.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use serde_json::{Value, json};
use tempfile::TempDir;
use twenty_conform::bench::generate::corpus::Corpus;
use twenty_conform::bench::generate::probe::{self, ProbeMaker};
use twenty_conform::bench::generate::request::{HeadTemplate, Marks, RequestBuffer};
use twenty_conform::suite::receiver::forgery::Forgery;
use twenty_conform::webhook::dialect::SHIPPED;
use twenty_conform::webhook::recipe::OTHER_SECRET;
use twenty_conform::webhook::signature::{Key, NONCE_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use twenty_conform::wire::client::Target;

use super::exports::export;
use crate::implementations::is_missing;

const NOW_MS: u64 = 1_735_066_639_761;

/// Secrets to which different recipes apply: text, hexadecimal digits, base64, with white space, one of the wrong ones, a default.
const SECRETS: [&str; 8] =
    ["s3cr3t", "c0ffee", "0xC0FFEE", "c2VjcmV0", "c2VjcmV1=", " Zażółć\u{a0}", OTHER_SECRET, "changeme"];

const BODIES: [&str; 6] = [
    r#"{"event":"person.created","data":{"name":"Łucja \"\\ 👩🏽‍🚀","createdAt":"2025-02-10T15:30:45Z"}}"#,
    "{\n  \"event\": \"person.created\",\n  \"data\": {\"id\": 7}\n}",
    r#"{"é":0}"#,
    "[1, 2]",
    "{}",
    "0",
];

fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// What the generator makes: the headers of the contract and the body, or nothing.
fn made(maker: &ProbeMaker, forgery: &Forgery, body: &str) -> Value {
    let marks = Marks { number: 0, nonce: 0xabc, now_ms: NOW_MS };
    let mut request = RequestBuffer::default();
    let body = Bytes::copy_from_slice(body.as_bytes());
    if maker.make(forgery, &marks, body, &mut request).is_none() {
        return Value::Null;
    }
    let head = latin_1(&request.bytes[..request.body]);
    let headers = head.split("\r\n").filter(|line| line.starts_with("X-")).map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_owned(), Value::from(value))
    });
    json!({ "headers": headers.collect::<serde_json::Map<_, _>>(), "body": latin_1(&request.bytes[request.body..]) })
}

#[test]
fn locustfile_and_generator_make_the_same_probes() {
    if is_missing("python3") {
        return;
    }
    let folder = TempDir::new().unwrap();
    assert_eq!(export(&["locust", "--dialect", "shipped"], folder.path()).status, Some(0));
    let samples = Corpus::samples(&SHIPPED, "http://127.0.0.1:3000/", NOW_MS);
    let sample = String::from_utf8(samples.bodies()[0].bytes.to_vec()).unwrap();
    let bodies: Vec<&str> = BODIES.into_iter().chain([&*sample]).collect();
    let cases = SECRETS.iter().flat_map(|secret| bodies.iter().map(move |body| (*secret, *body)));
    let cases: Vec<(&str, &str)> = cases.collect();

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/tests/load_locust/probes.py");
    let mut python = Command::new("python3");
    python.arg(script).arg(folder.path().join("locustfile.py"));
    let mut python = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = python.stdin.take().unwrap();
    let nonce = format!("{:032x}", 0xabc);
    let lines = cases.iter().map(|(secret, body)| {
        json!({ "secret": secret, "body": body, "now_ms": NOW_MS, "nonce": nonce }).to_string() + "\n"
    });
    let lines: String = lines.collect();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.lines().count(), cases.len());

    let head = HeadTemplate::new(&Target::http("127.0.0.1", 3000, "/"), &SHIPPED);
    let mut tried = vec![0; probe::all().len()];
    for (&(secret, body), line) in cases.iter().zip(output.lines()) {
        let theirs: Value = serde_json::from_str(line).unwrap();
        let secret = Secret::new(secret);
        let maker = ProbeMaker { head: head.clone(), key: Key::new(&secret), secret };
        let timestamp = NOW_MS.to_string();
        let signature = maker.key.sign(timestamp.as_bytes(), body.as_bytes()).to_hex();
        let headers =
            json!({ TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: signature, NONCE_HEADER: nonce });
        let valid = json!({ "headers": headers, "body": latin_1(body.as_bytes()) });
        assert_eq!(theirs["valid"], valid);
        for (at, kind) in probe::all().iter().enumerate() {
            let ours = made(&maker, &kind.forgery, body);
            assert_eq!(
                theirs["probes"][at],
                ours,
                "{} of {body:?} signed with {:?}",
                kind.name(),
                maker.secret.expose()
            );
            assert_ne!(ours, valid, "{}", kind.name());
            tried[at] += usize::from(!ours.is_null());
        }
    }
    for (kind, times) in probe::all().iter().zip(tried) {
        assert!(times > 0, "{} was never made", kind.name());
    }
}
