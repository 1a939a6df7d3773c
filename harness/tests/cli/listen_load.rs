//! `listen` under as many deliveries per second as it answers, with probes, cut-off requests and closed connections among them.
//!
//! Invariant: every delivery is received, judged and stored, and all else is counted apart.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;

use tempfile::TempDir;

use super::listen::{Listening, SECRET, body, request};

const CONNECTIONS: usize = 8;
const EACH: usize = 300;
/// How many of each are among the deliveries of a connection.
const STRAYS: usize = 20;

/// Reads an answer, and returns its status line.
fn answer(answers: &mut BufReader<TcpStream>, has_body: bool) -> String {
    let (mut first, mut line, mut length) = (String::new(), String::new(), 0);
    answers.read_line(&mut first).unwrap();
    while line != "\r\n" {
        line.clear();
        answers.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    if has_body {
        answers.read_exact(&mut vec![0; length]).unwrap();
    }
    first
}

fn load(address: &str, connection: usize) {
    let connect = || TcpStream::connect(address).unwrap();
    let mut stream = connect();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    for at in 0..EACH {
        if at % (EACH / STRAYS) == 0 {
            for (method, has_body) in [("GET", true), ("HEAD", false)] {
                write!(stream, "{method} /favicon.ico HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
                let status = answer(&mut answers, has_body);
                assert!(status.starts_with("HTTP/1.1 405 "), "{status:?}");
            }
            drop(connect());
            connect().write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Le").unwrap();
        }
        let body = body(connection * EACH + at);
        let delivery = request("/", &body, "keep-alive", |now, body| format!("{now}:{body}"));
        stream.write_all(&delivery).unwrap();
        let status = answer(&mut answers, true);
        assert!(status.starts_with("HTTP/1.1 200 "), "{status:?}");
    }
}

#[test]
fn strays_among_many_deliveries_are_counted_apart() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().display().to_string();
    let mut listening = Listening::new(&["--secret", SECRET, "--out", &out]);
    let address = listening.authority().to_owned();
    let lines = listening.read_on();
    thread::scope(|scope| {
        for connection in 0..CONNECTIONS {
            let address = &address;
            scope.spawn(move || load(address, connection));
        }
    });
    listening.interrupt();
    let status = listening.child.wait().unwrap().code();
    let lines = lines.join().unwrap();
    let summary = &lines.last().unwrap()["summary"];
    assert_eq!(status, Some(0), "{summary}");
    for what in ["received", "judged", "stored"] {
        assert_eq!(summary[what], CONNECTIONS * EACH, "{what}: {summary}");
    }
    for what in ["failed", "broken", "not_judged"] {
        assert_eq!(summary[what], 0, "{what}: {summary}");
    }
    // A GET, a HEAD and half a request each time.
    assert_eq!(summary["passed_over"], 3 * CONNECTIONS * STRAYS, "{summary}");
    assert_eq!(summary["unused_connections"], CONNECTIONS * STRAYS, "{summary}");
    let stored = fs::read_to_string(folder.path().join("deliveries.jsonl")).unwrap();
    assert_eq!(stored.lines().count(), CONNECTIONS * EACH);
}
