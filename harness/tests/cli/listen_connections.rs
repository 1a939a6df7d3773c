//! `listen` with many, slow, idle and hostile connections, and with two that forward to each other.
//!
//! Invariant: a valid delivery is answered whatever the other connections do, and memory stays bounded.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::Child;
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::Value;
use tempfile::TempDir;
use twenty_conform::wire::descriptors;

use super::listen::{Listening, SECRET, body, request, valid};
use super::listen_storage::after_commands;
use super::program::twenty;
use crate::peers::servers::ClosedPort;
use crate::skip::skip;

/// More connections than `listen` has places.
const MANY: usize = 530;
/// The longest that a valid delivery may wait on a busy machine, far below the time limit of a connection.
const SOON: Duration = Duration::from_secs(20);
const MOST_MEMORY_KIB: u64 = 200 * 1024;
const LONG: usize = 8 * 1024 * 1024;

/// Connections that have sent these bytes.
fn connections(listening: &Listening, count: usize, bytes: &[u8]) -> Vec<TcpStream> {
    // For these sockets, and those of other tests.
    descriptors::allow(4096).unwrap();
    let connection = |_| {
        let mut stream = TcpStream::connect(listening.authority()).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    };
    (0..count).map(connection).collect()
}

/// Whether the peer has not closed a connection on which it sends nothing.
fn is_open(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let waits = stream.peek(&mut [0]).is_err_and(|why| why.kind() == ErrorKind::WouldBlock);
    stream.set_nonblocking(false).unwrap();
    waits
}

/// Asserts that a valid delivery is acknowledged soon.
fn assert_served(listening: &Listening) {
    let began = Instant::now();
    let answer = listening.send(&valid("/", &body(1)));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

/// The most memory that a process has used, in KiB; `None` if the system does not say.
fn peak_memory(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

fn assert_memory(listening: &Listening) {
    match peak_memory(&listening.child) {
        Some(kib) => assert!(kib < MOST_MEMORY_KIB, "{kib} KiB"),
        None => skip("the peak memory of listen", "the system does not say"),
    }
}

fn interrupted(listening: Listening) -> (Option<i32>, Value) {
    listening.interrupt();
    listening.end()
}

#[test]
fn idle_connections_give_up_their_places() {
    let listening = Listening::new(&["--secret", SECRET]);
    let _idle = connections(&listening, MANY, b"");
    assert_served(&listening);
    let (status, summary) = interrupted(listening);
    assert_eq!((status, &summary["judged"], &summary["broken"]), (Some(0), &1.into(), &0.into()));
}

#[test]
fn half_sent_requests_give_up_their_places() {
    let listening = Listening::new(&["--secret", SECRET]);
    let _half_sent = connections(&listening, MANY, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Le");
    assert_served(&listening);
    let (status, summary) = interrupted(listening);
    // Each that gave up its place is passed over.
    assert_eq!((status, &summary["judged"]), (Some(0), &1.into()), "{summary}");
    assert!(summary["passed_over"].as_u64() > Some(0), "{summary}");
}

#[test]
fn listen_stays_below_the_limit_on_open_files() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().display().to_string();
    let limited = after_commands("ulimit -n 256", &["--secret", SECRET, "--out", &out]);
    let listening = Listening::of(limited);
    let mut idle = connections(&listening, 301, b"");
    assert_served(&listening);
    // As many were closed as were too many; which ones depends on how soon they were idle for long enough.
    idle.retain(is_open);
    assert!((150..301).contains(&idle.len()), "{}", idle.len());
    let kept = &mut idle[0];
    kept.write_all(&valid("/", &body(2))).unwrap();
    let mut answer = String::new();
    kept.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let (status, summary) = interrupted(listening);
    assert_eq!((status, &summary["stored"]), (Some(0), &2.into()), "{summary}");
    assert!(folder.path().join("1.http").exists() && folder.path().join("2.http").exists());
}

#[test]
fn held_bodies_stay_within_the_memory_and_do_not_block_others() {
    for framing in
        [format!("Content-Length: {LONG}\r\n\r\n"), "Transfer-Encoding: chunked\r\n\r\n800000\r\n".into()]
    {
        let listening = Listening::new(&["--secret", SECRET]);
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\n{framing}");
        let mut held = connections(&listening, 250, head.as_bytes());
        let body = vec![b'x'; LONG - 1];
        thread::scope(|scope| {
            for stream in &mut held {
                // Most are not read, since others have the memory.
                stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
                let body = &body;
                scope.spawn(move || drop(stream.write_all(body)));
            }
        });
        assert_served(&listening);
        assert_memory(&listening);
        drop(held);
        interrupted(listening);
    }
}

#[test]
fn long_bodies_that_are_slow_to_judge_do_not_delay_answers_or_the_end() {
    let listening = Listening::new(&["--secret", SECRET]);
    let (begin, end) = (r#"{"event":"person.created","data":{"x":["#, "0]}}");
    let zeros = "0,".repeat((LONG - begin.len() - end.len()) / 2);
    let long = request("/", &format!("{begin}{zeros}{end}"), "close", |_, _| "another".to_owned());
    let senders: Vec<_> = (0..4)
        .map(|_| {
            let (address, long) = (listening.authority().to_owned(), long.clone());
            thread::spawn(move || {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(&long).unwrap();
                let mut answer = Vec::new();
                // It may end before the last ones are answered.
                let _ = stream.read_to_end(&mut answer);
                answer
            })
        })
        .collect();
    // The first is answered before it is judged.
    while !senders.iter().any(thread::JoinHandle::is_finished) {
        thread::yield_now();
    }
    for _ in 0..10 {
        assert_served(&listening);
    }
    let began = Instant::now();
    let (_, summary) = interrupted(listening);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    let count = |what: &str| summary[what].as_u64().unwrap();
    assert_eq!(count("received"), count("judged") + count("not_judged"), "{summary}");
    assert!(count("judged") >= 10, "{summary}");
    let acknowledged = senders.into_iter().map(|sender| sender.join().unwrap());
    let acknowledged = acknowledged.filter(|answer| answer.starts_with(b"HTTP/1.1 200 ")).count() as u64;
    assert!(count("received") >= 10 + acknowledged, "{summary}");
}

#[test]
fn requests_that_wait_for_100_continue_and_http_1_0_are_answered() {
    let listening = Listening::new(&["--secret", SECRET, "--count", "2"]);
    let delivery = String::from_utf8(valid("/", &body(1))).unwrap();
    let (head, content) = delivery.split_once("\r\n\r\n").unwrap();
    let mut stream = TcpStream::connect(listening.authority()).unwrap();
    write!(stream, "{head}\r\nExpect: 100-continue\r\n\r\n").unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(content.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    // HTTP/1.0 does not know the header, and its answer is the first thing that comes.
    let old = head.replace("HTTP/1.1", "HTTP/1.0").replace("Connection: close\r\n", "");
    let mut stream = TcpStream::connect(listening.authority()).unwrap();
    write!(stream, "{old}\r\nExpect: 100-continue\r\n\r\n").unwrap();
    stream.write_all(content.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let (status, summary) = listening.end();
    assert_eq!(
        (status, &summary["judged"], &summary["failed"]),
        (Some(0), &2.into(), &0.into()),
        "{summary}"
    );
}

#[test]
fn requests_with_wrong_framing_are_failures() {
    let mut listening = Listening::new(&["--secret", SECRET]);
    let content = body(1);
    let (length, size) = (content.len(), format!("{:x}", content.len()));
    let chunks = format!("{size}\r\n{content}\r\n0\r\n\r\n");
    let wrong = [
        ("Host: x", format!("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}")),
        ("Host: x", format!("Content-Length: {length}\r\nContent-Length: 3\r\n\r\n{content}")),
        ("Host: x", format!("Content-Length: +{length}\r\n\r\n{content}")),
        ("Host: x", format!("Transfer-Encoding: xchunked\r\n\r\n{chunks}")),
        (
            "Host: x",
            format!("Transfer-Encoding: chunked, identity\r\nContent-Length: {length}\r\n\r\n{content}"),
        ),
        ("Host: x", format!("Transfer-Encoding: gzip, chunked\r\n\r\n{chunks}")),
        ("Host: x", format!("Transfer-Encoding: chunked\r\n\r\n+{chunks}")),
        ("Host: x", format!("Transfer-Encoding: chunked\r\n\r\n{size}\r\n{content}GARBAGE\r\n0\r\n\r\n")),
        ("X-Other: x", format!("Content-Length: {length}\r\n\r\n{content}")),
        ("Host: x\r\nHost: y", format!("Content-Length: {length}\r\n\r\n{content}")),
    ];
    for (host, rest) in &wrong {
        let answer = listening.send(format!("POST / HTTP/1.1\r\n{host}\r\n{rest}").as_bytes());
        assert!(answer.starts_with("HTTP/1.1 400 "), "{host} {rest}: {answer}");
        let told = listening.next();
        assert!(told["broken"].as_str().unwrap().starts_with("invalid HTTP request: "), "{rest}: {told}");
        assert_eq!(told["cause"], "send.framing", "{rest}: {told}");
    }
    let (status, summary) = interrupted(listening);
    assert_eq!(
        (status, &summary["broken"], &summary["result"]),
        (Some(1), &wrong.len().into(), &"fail".into())
    );
}

#[test]
fn two_that_forward_to_each_other_answer_508() {
    let said = TempDir::new().unwrap();
    let ports: Vec<ClosedPort> = (0..2).map(|_| ClosedPort::new()).collect();
    let ports: Vec<u16> = ports.into_iter().map(|port| port.address.port()).collect();
    let listen = |own: u16, other: u16| {
        let forward = format!("http://127.0.0.1:{other}/");
        let mut command = twenty(["listen", "--json", "--secret", SECRET, "--forward", &forward, "--port"]);
        command.arg(own.to_string());
        command.stderr(fs::File::create(said.path().join(own.to_string())).unwrap());
        Listening::of(command)
    };
    let (first, second) = (listen(ports[0], ports[1]), listen(ports[1], ports[0]));
    for _ in 0..2 {
        let answer = first.send(&valid("/", &body(1)));
        assert!(answer.starts_with("HTTP/1.1 508 ") && answer.contains("loop"), "{answer}");
    }
    for listening in [first, second] {
        let (status, summary) = interrupted(listening);
        assert_eq!((status, &summary["received"], &summary["judged"]), (Some(1), &2.into(), &2.into()));
        assert_eq!(summary["forward_failures"]["answered 508"], 2, "{summary}");
    }
    let notes = fs::read_to_string(said.path().join(ports[0].to_string())).unwrap();
    assert_eq!(notes.matches("came back").count(), 1, "{notes}");
}
