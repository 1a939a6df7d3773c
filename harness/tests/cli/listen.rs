//! `listen`: its verdicts on deliveries, what it saves and what it forwards.
//!
//! Invariant: signatures are made with the `hmac` crate, and each test listens on a free port until its count is reached.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tempfile::TempDir;

use super::program::{run, twenty};
use crate::peers::servers::{ClosedPort, serve};

pub(crate) const SECRET: &str = "0a1b2c3d4e5f-secret";

/// A running `listen --json`.
pub(super) struct Listening {
    pub(super) child: Child,
    output: Option<BufReader<std::process::ChildStdout>>,
    url: String,
}

impl Listening {
    pub(super) fn new(arguments: &[&str]) -> Self {
        Self::of(twenty(["listen", "--json"].iter().chain(arguments)))
    }

    /// A command that runs `listen --json`.
    pub(super) fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let ready = next(&mut output);
        let url = ready["ready"]["url"].as_str().unwrap_or_else(|| panic!("{ready}")).to_owned();
        Self { child, output: Some(output), url }
    }

    pub(super) fn authority(&self) -> &str {
        self.url.strip_prefix("http://").unwrap().strip_suffix('/').unwrap()
    }

    /// Sends a request and returns the whole answer.
    pub(super) fn send(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.authority()).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// The next line of its output.
    pub(super) fn next(&mut self) -> Value {
        next(self.output.as_mut().unwrap())
    }

    /// Its exit status, and its last line.
    pub(super) fn end(mut self) -> (Option<i32>, Value) {
        let rest = self.output.take().unwrap().lines().map_while(Result::ok);
        let last = rest.last().unwrap_or_default();
        let summary: Value = serde_json::from_str(&last).unwrap_or_else(|why| panic!("{why}: {last}"));
        (self.child.wait().unwrap().code(), summary["summary"].clone())
    }
}

#[cfg(unix)]
impl Listening {
    /// Asks it to end, as Ctrl-C does.
    pub(super) fn interrupt(&self) {
        use nix::sys::signal::{Signal, kill};
        use nix::unistd::Pid;
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), Signal::SIGINT).unwrap();
    }

    /// Reads its output from now on, so that it never waits for a reader. Returns the lines when it ends.
    pub(super) fn read_on(&mut self) -> thread::JoinHandle<Vec<Value>> {
        let output = self.output.take().unwrap();
        thread::spawn(move || {
            let lines = output.lines().map_while(Result::ok);
            lines.map(|line| serde_json::from_str(&line).unwrap()).collect()
        })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn next(output: &mut impl BufRead) -> Value {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|why| panic!("{why}: {line:?}"))
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn hmac(text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    const_hex::encode(mac.finalize().into_bytes())
}

pub(crate) fn body(id: usize) -> String {
    format!(
        r#"{{"event":"person.created","data":{{"id":"r{id}","name":"Łódź"}},"timestamp":"2025-02-10T15:30:50Z"}}"#
    )
}

/// A delivery; `signed` makes the signed text from timestamp and body.
pub(crate) fn request(
    target: &str,
    body: &str,
    connection: &str,
    signed: impl Fn(u64, &str) -> String,
) -> Vec<u8> {
    let now = now_ms();
    let signature = hmac(&signed(now, body));
    format!(
        "POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: {connection}\r\n\
         X-Twenty-Webhook-Timestamp: {now}\r\nX-Twenty-Webhook-Signature: {signature}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub(crate) fn valid(target: &str, body: &str) -> Vec<u8> {
    request(target, body, "close", |now, body| format!("{now}:{body}"))
}

/// The requirements that a delivery fails, each with the code of its cause.
fn failed(judged: &Value) -> Vec<(&str, &str)> {
    let failed = judged["failed"].as_array().unwrap_or_else(|| panic!("{judged}"));
    let text = |value: &'_ Value| value.as_str().unwrap_or_default().to_owned().leak() as &str;
    failed.iter().map(|one| (text(&one["requirement"]), text(&one["cause"]["code"]))).collect()
}

fn entry<'a>(summary: &'a Value, id: &str) -> &'a Value {
    let entries = summary["requirements"].as_array().unwrap();
    entries.iter().find(|entry| entry["id"] == id).unwrap_or_else(|| panic!("{id} in {summary}"))
}

#[test]
fn deliveries_are_judged_as_they_arrive() {
    let mut listening = Listening::new(&["--dialect", "documented", "--secret", SECRET, "--count", "3"]);
    assert!(listening.send(&valid("/hook?a=1", &body(1))).starts_with("HTTP/1.1 200 "));
    let first = listening.next();
    assert_eq!((&first["verdict"], failed(&first)), (&"pass".into(), vec![]), "{first}");
    assert_eq!((&first["event"], &first["record"]), (&"person.created".into(), &"r1".into()));
    assert_eq!((&first["target"], &first["bytes"]), (&"/hook?a=1".into(), &body(1).len().into()));

    listening.send(&request("/", &body(2), "close", |_, body| body.to_owned()));
    let second = listening.next();
    assert_eq!(failed(&second), [("SIG-4", "message.body-alone")], "{second}");

    let shipped = r#"{"eventName":"person.created","record":{"id":"r3"},"eventDate":"yesterday"}"#;
    listening.send(&valid("/", shipped));
    let third = listening.next();
    assert_eq!(failed(&third), [("PAY-1", "payload.dialect"), ("PAY-3", "payload.dialect")], "{third}");

    let (status, summary) = listening.end();
    assert_eq!((status, &summary["result"]), (Some(1), &"fail".into()), "{summary}");
    assert_eq!(
        (&summary["received"], &summary["judged"], &summary["failed"]),
        (&3.into(), &3.into(), &2.into())
    );
    let of = |id| (entry(&summary, id)["verdict"].clone(), entry(&summary, id)["first"].clone());
    assert_eq!(of("SIG-4"), ("fail".into(), 2.into()));
    assert_eq!(of("DLV-1"), ("pass".into(), Value::Null));
    assert_eq!(of("SUB-1"), ("not-applicable".into(), Value::Null));
    assert!(summary["causes"].to_string().contains("message.body-alone"), "{summary}");
}

#[test]
fn signatures_are_not_applicable_without_a_secret() {
    let mut listening = Listening::new(&["--once", "--status", "503"]);
    let answer = listening.send(&request("/", &body(1), "close", |_, _| String::new()));
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    let told = listening.next();
    assert_eq!(told["signature"], "not checked (no secret)", "{told}");
    assert_ne!(told["verdict"], "pass", "{told}");
    let (status, summary) = listening.end();
    assert_eq!(status, Some(0), "{summary}");
    let signing = entry(&summary, "SIG-4");
    assert_eq!(signing["verdict"], "not-applicable");
    assert!(signing["why"].as_str().unwrap().contains("--secret"), "{signing}");
}

#[test]
fn kept_deliveries_can_be_verified_and_rejudged() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("kept");
    let shown = out.display().to_string();
    let listening = Listening::new(&["--secret", SECRET, "--count", "2", "--out", &shown]);
    let chunked = {
        let (now, body) = (now_ms(), body(1));
        let signature = hmac(&format!("{now}:{body}"));
        format!(
            "POST / HTTP/1.1\r\nHost: x\r\ncontent-type: application/json\r\nConnection: close\r\n\
             x-twenty-webhook-timestamp: {now}\r\nX-TWENTY-WEBHOOK-SIGNATURE: {signature}\r\n\
             Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            body.len()
        )
    };
    listening.send(chunked.as_bytes());
    // The secret leaks in a correctly signed body.
    let leak = body(2).replace("Łódź", SECRET);
    listening.send(&valid(&format!("/?key={}", const_hex::encode(SECRET)), &leak));
    let (status, summary) = listening.end();
    assert_eq!((status, &summary["stored"]), (Some(1), &2.into()), "{summary}");
    let raw = fs::read_to_string(out.join("1.http")).unwrap();
    assert!(raw.starts_with("POST / HTTP/1.1\r\nHost: x\r\ncontent-type: application/json\r\n"), "{raw}");
    run(["verify", "--secret", SECRET, &out.join("1.http").display().to_string()]).expect(0);
    for file in fs::read_dir(&out).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains(SECRET) && !text.contains(&const_hex::encode(SECRET)), "{text}");
    }
    let lines = out.join("deliveries.jsonl").display().to_string();
    let (ran, report) = super::program::judged(["sender", "--transcript", &lines, "--secret", SECRET]);
    ran.expect(1);
    assert_eq!(report.with("fail").into_iter().collect::<Vec<_>>(), ["SIG-8"], "{report:?}");
    assert!(report.with("pass").contains("SIG-4") && report.with("not-applicable").contains("SUB-1"));

    let again = run(["listen", "--once", "--out", &shown]).expect(2);
    again.complains_of(&["is not empty", "--out"]);
}

#[test]
fn forward_passes_requests_on_byte_for_byte() {
    let forwarded = Arc::new(Mutex::new(Vec::new()));
    let kept = forwarded.clone();
    let upstream = serve(move |mut stream| {
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        while !bytes.ends_with(b"}") {
            let count = stream.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            bytes.extend_from_slice(&buffer[..count]);
        }
        *kept.lock().unwrap() = bytes;
        stream.write_all(b"HTTP/1.1 202 Accepted\r\nX-Up: 1\r\nContent-Length: 5\r\n\r\ntaken")
    });
    let listening = Listening::new(&["--secret", SECRET, "--once", "--forward", &upstream]);
    let sent = valid("/deep/er?x=%20", &body(1));
    let answer = listening.send(&sent);
    assert!(answer.starts_with("HTTP/1.1 202 ") && answer.contains("\r\nX-Up: 1\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\ntaken"), "{answer}");
    let (status, summary) = listening.end();
    assert_eq!(status, Some(0), "{summary}");
    let (sent, forwarded) = (String::from_utf8(sent).unwrap(), forwarded.lock().unwrap().clone());
    let host = upstream.strip_prefix("http://").unwrap().strip_suffix('/').unwrap();
    let expected = sent.replace("Host: x", &format!("Host: {host}")).replace("Connection: close\r\n", "");
    let forwarded = String::from_utf8(forwarded).unwrap();
    let via: Vec<&str> = forwarded.lines().filter(|line| line.starts_with("Via: ")).collect();
    let [via] = via[..] else { panic!("{forwarded}") };
    assert!(via.starts_with("Via: 1.1 twenty-conform-"), "{via}");
    assert_eq!(forwarded.replace(&format!("{via}\r\n"), ""), expected);
}

#[test]
fn listen_answers_502_when_forwarding_fails() {
    let closed = ClosedPort::new();
    let listening = Listening::new(&["--once", "--forward", &closed.url()]);
    let answer = listening.send(&valid("/", &body(1)));
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    assert!(answer.contains(&closed.url()) && answer.contains("connection refused"), "{answer}");
    let free = ClosedPort::new().address.port().to_string();
    let itself = format!("http://localhost:{free}/");
    run(["listen", "--port", &free, "--forward", &itself]).expect(2).complains_of(&["--forward", "itself"]);
    run(["listen", "--forward", "http://192.0.2.1/"]).expect(2).complains_of(&["--allow-remote"]);
    run(["listen", "--ca", "ca.pem"]).expect(2).complains_of(&["--forward"]);
}

#[test]
fn listen_reports_malformed_requests() {
    let mut listening = Listening::new(&["--once"]);
    assert!(listening.send(b"\x16\x03\x01 what\r\n\r\n").starts_with("HTTP/1.1 400 "));
    let broken = listening.next();
    assert!(broken["broken"].as_str().unwrap().contains("invalid HTTP request"), "{broken}");
    listening.send(&valid("/", &body(1)));
    let (status, summary) = listening.end();
    assert_eq!((status, &summary["broken"]), (Some(1), &1.into()), "{summary}");
}

#[cfg(unix)]
#[test]
fn interrupted_listen_prints_a_summary() {
    for delivered in [false, true] {
        let mut listening = Listening::new(&["--secret", SECRET]);
        if delivered {
            listening.send(&valid("/", &body(1)));
            listening.next();
        }
        listening.interrupt();
        let (status, summary) = listening.end();
        assert_eq!(
            (status, &summary["judged"]),
            (Some(if delivered { 0 } else { 3 }), &usize::from(delivered).into())
        );
    }
}

#[test]
fn listen_loses_no_delivery_under_load() {
    const CONNECTIONS: usize = 4;
    const EACH: usize = 500;
    let folder = TempDir::new().unwrap();
    let out = folder.path().display().to_string();
    let count = (CONNECTIONS * EACH).to_string();
    let mut listening = Listening::new(&["--secret", SECRET, "--count", &count, "--out", &out]);
    let address = listening.authority().to_owned();
    let senders = (0..CONNECTIONS).map(|connection| {
        let address = address.clone();
        thread::spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            let mut answers = BufReader::new(stream.try_clone().unwrap());
            for at in 0..EACH {
                let body = body(connection * EACH + at);
                let request = request("/", &body, "keep-alive", |now, body| format!("{now}:{body}"));
                stream.write_all(&request).unwrap();
                let mut line = String::new();
                answers.read_line(&mut line).unwrap();
                assert!(line.starts_with("HTTP/1.1 200 "), "{line:?}");
                while line != "\r\n" {
                    line.clear();
                    answers.read_line(&mut line).unwrap();
                }
            }
        })
    });
    let senders: Vec<_> = senders.collect();
    let mut records: Vec<String> = (0..CONNECTIONS * EACH)
        .map(|_| {
            let judged = listening.next();
            assert_eq!(judged["verdict"], "pass", "{judged}");
            judged["record"].as_str().unwrap().to_owned()
        })
        .collect();
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    let (status, summary) = listening.end();
    assert_eq!(status, Some(0), "{summary}");
    for what in ["received", "judged", "stored"] {
        assert_eq!(summary[what], CONNECTIONS * EACH, "{what}: {summary}");
    }
    records.sort();
    records.dedup();
    assert_eq!(records.len(), CONNECTIONS * EACH, "each once");
    let lines = fs::read_to_string(folder.path().join("deliveries.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), CONNECTIONS * EACH);
    let verdicts = fs::read_to_string(folder.path().join("verdicts.jsonl")).unwrap();
    assert_eq!(verdicts.lines().count(), CONNECTIONS * EACH);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), CONNECTIONS * EACH + 2);
}
