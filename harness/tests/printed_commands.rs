//! The commands that reports print for a shell: `sh -c` of one sends exactly the bytes of the delivery, and does nothing else.
//!
//! Invariant: a command runs in an empty folder, with curl and base64 as the only programs, and leaves the folder empty.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;
use twenty_conform::report::command;
use twenty_conform::wire::codec::{Step, encode_request};
use twenty_conform::wire::exchange::{Delivery, Headers, Transfer, Trust};

use crate::peers::servers::serve;
use crate::skip::skip;

/// The cases in `sh`. Other shells that are here get a quarter.
const CASES: u32 = 64;

/// The bytes of a token: a method or the name of a header.
const TOKEN: &[u8] = b"!#$%&'*+-.^_`|~abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Text that does something in a shell, in curl or in `printf`.
const SHARP: [&str; 12] = [
    "$(>pwned)",
    "`>pwned`",
    "';>pwned;'",
    "\";>pwned;\"",
    "&>pwned&",
    "|>pwned",
    "\\'>pwned\\'",
    "%s%n%%\\n\\000\\c",
    "${IFS}~!*?",
    "$'\\x41'",
    "@pwned",
    "-o pwned",
];

/// An endpoint that passes on each request as bytes, and the programs for a shell.
struct Place {
    url: String,
    requests: Receiver<Vec<u8>>,
    programs: TempDir,
}

impl Place {
    /// `None` if there is no curl.
    fn new() -> Option<Self> {
        let programs = TempDir::new().unwrap();
        for program in ["curl", "base64"] {
            let Some(path) = found(program) else {
                skip("a printed command", &format!("{program} is not here"));
                return None;
            };
            std::os::unix::fs::symlink(path, programs.path().join(program)).unwrap();
        }
        let (sender, requests) = mpsc::channel();
        let url = serve(move |mut stream| {
            let request = read(&mut stream)?;
            // Before the answer, so that it is there when the command ends.
            sender.send(request).map_err(std::io::Error::other)?;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        });
        Some(Self { url, requests, programs })
    }

    fn command(&self, delivery: &Delivery) -> Option<String> {
        command(&self.url, &Trust::System, delivery)
    }

    /// Runs the command. Returns the request that arrived, without chunks. Fails if the command makes a file.
    fn run(&self, shell: &str, command: &str) -> (Vec<u8>, Vec<u8>) {
        let folder = TempDir::new().unwrap();
        let mut process = Command::new(shell);
        if command.len() < 100_000 {
            process.args(["-c", command]);
        } else {
            // No argument can be so long; a user pastes it, or keeps it in a file.
            let file = self.programs.path().join("command");
            fs::write(&file, command).unwrap();
            process.arg(file);
        }
        process.current_dir(folder.path()).env_clear();
        process.env("PATH", self.programs.path()).env("HOME", folder.path());
        // Settings of the user that would change the request.
        process.env("http_proxy", "http://127.0.0.1:9/");
        let mut process = assert_cmd::Command::from_std(process);
        let ran = process.timeout(Duration::from_secs(60)).output().unwrap();
        // A request that was cut off arrives after the command ended.
        let request = self.requests.recv_timeout(Duration::from_secs(30));
        let request = request.unwrap_or_else(|_| panic!("no request by {shell}: {command}\n{ran:?}"));
        assert!(self.requests.try_recv().is_err(), "a second request by {shell}: {command}");
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert!(left.is_empty(), "{left:?} by {shell}: {command}");
        split(&request)
    }

    /// Fails unless the command in this shell sends the delivery.
    fn check(&self, shell: &str, delivery: &Delivery) {
        let command = self.command(delivery).unwrap_or_else(|| panic!("no command for {delivery:?}"));
        assert!(!command.contains(char::is_control), "{command:?}");
        let authority = self.url.trim_start_matches("http://").trim_end_matches('/');
        let mut meant = Vec::new();
        for step in encode_request(delivery, authority) {
            if let Step::Write(parts) = step {
                meant.extend(parts.concat());
            }
        }
        let ((head, body), (meant_head, meant_body)) = (self.run(shell, &command), split(&meant));
        assert_eq!(shown(&head), shown(&meant_head), "{shell}: {command}");
        assert_eq!(body, meant_body, "{shell}: {command}");
    }
}

fn found(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Reads a request: as many bytes as it announces, or all chunks, or up to the end.
fn read(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let (mut bytes, mut buffer, mut continued) = (Vec::new(), [0; 4096], false);
    loop {
        let count = stream.read(&mut buffer)?;
        bytes.extend_from_slice(&buffer[..count]);
        let Some(end) = head_end(&bytes) else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        if head.contains("\r\nexpect: 100-continue\r\n") && !continued {
            continued = true;
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let is_whole = match length {
            Some(length) => bytes.len() >= end + length.parse::<usize>().unwrap(),
            None => unchunked(&bytes[end..]).is_some(),
        };
        if is_whole || count == 0 {
            return Ok(bytes);
        }
    }
}

fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

/// The head, and the body without chunks.
fn split(request: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (head, body) = request.split_at(head_end(request).unwrap());
    let is_chunked = head.windows(26).any(|window| window == b"Transfer-Encoding: chunked");
    let body = if is_chunked { unchunked(body).unwrap() } else { body.to_vec() };
    (head.to_vec(), body)
}

/// The content of a body in chunks; `None` if it is not complete.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let line = rest.windows(2).position(|window| window == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..line]).ok()?, 16).ok()?;
        content.extend_from_slice(rest.get(line + 2..line + 2 + length)?);
        rest = rest.get(line + 2 + length + 2..)?;
        if length == 0 {
            return Some(content);
        }
    }
}

/// The lines of a head. White space around values does not belong to them.
fn shown(head: &[u8]) -> Vec<String> {
    let line = |line: &[u8]| line.trim_ascii_end().escape_ascii().to_string();
    head.split(|&byte| byte == b'\n').map(line).collect()
}

fn delivery(method: &str, target: &str, headers: &[(&str, &[u8])], body: &[u8]) -> Delivery {
    let mut kept = Headers::default();
    headers.iter().for_each(|(name, value)| kept.add(*name, value.to_vec()));
    Delivery {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: kept,
        body: Bytes::copy_from_slice(body),
        transfer: Transfer::Whole,
    }
}

fn token() -> impl Strategy<Value = String> {
    vec(prop::sample::select(TOKEN), 1..12).prop_map(|bytes| String::from_utf8(bytes).unwrap())
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        prop::sample::select(&SHARP[..]).prop_map(|text| text.as_bytes().to_vec()),
        vec(any::<u8>(), 0..20),
        "[ -~é\u{202e}日\n\t]{0,20}".prop_map(String::into_bytes),
    ];
    vec(part, 0..4).prop_map(|parts| parts.concat())
}

fn any_delivery() -> impl Strategy<Value = Delivery> {
    let method = prop_oneof![Just("POST".to_owned()), Just("HEAD".to_owned()), token()];
    let target = prop_oneof![
        "/[!-~]{0,20}",
        prop::sample::select(&["/a[1-3]{b,c}", "/../x/./%2E%2e/y?/..", "//x?a=#b", "http://h/$(>pwned)"][..])
            .prop_map(str::to_owned),
    ];
    let name = token().prop_filter("a header of the connection", |name| name.len() > 1);
    let value = bytes().prop_map(|bytes| {
        let mut value: Vec<u8> = bytes.into_iter().filter(|byte| !b"\r\n\0".contains(byte)).collect();
        // curl cannot send a value of white space only.
        if value.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0x0b) {
            value.clear();
        }
        value
    });
    let transfer = prop_oneof![4 => Just(Transfer::Whole), 1 => Just(Transfer::Chunks(vec![3])), 1 => Just(Transfer::Expecting)];
    (method, target, vec((name, value), 0..5), bytes(), transfer).prop_map(
        |(method, target, headers, body, transfer)| {
            let headers: Vec<(&str, &[u8])> =
                headers.iter().map(|(name, value)| (name.as_str(), &value[..])).collect();
            Delivery { transfer, ..delivery(&method, &target, &headers, &body) }
        },
    )
}

#[test]
fn printed_command_sends_exactly_the_delivery() {
    let Some(place) = Place::new() else { return };
    let config = |cases| Config { cases, failure_persistence: None, ..Config::default() };
    let other = ["dash", "bash", "zsh", "ksh", "yash"].map(found);
    let shells = other.iter().flatten().map(|shell| (shell.to_str().unwrap(), CASES / 4));
    for (shell, cases) in [("/bin/sh", CASES)].into_iter().chain(shells) {
        let checked = TestRunner::new(config(cases)).run(&any_delivery(), |delivery| {
            place.check(shell, &delivery);
            Ok(())
        });
        checked.unwrap_or_else(|why| panic!("{why}"));
    }
}

#[test]
fn printed_command_keeps_what_curl_and_shells_would_change() {
    let Some(place) = Place::new() else { return };
    for method in ["POST", "HEAD", "GET", "A`id`B", "A&id&B", "$IFS", "-o", "!#$%&'*+.^_|~"] {
        place.check("/bin/sh", &delivery(method, "/", &[], b""));
    }
    for target in ["/a[1-3]{b,c}", "/../x", "/%2e%2E/x", "/a#b", "//", "/?", "/'$(>pwned)", "*", "http://h/x"]
    {
        place.check("/bin/sh", &delivery("POST", target, &[], b"{}"));
    }
    let headers: [(&str, &[u8]); 9] = [
        ("User-Agent", b"me"),
        ("accept", b""),
        ("Content-Type", b"application/json; charset=utf-8"),
        ("X-A", b"1"),
        ("x-a", b" two  words "),
        ("Expect", b"nothing"),
        ("X-Bytes", b"\x01\x7f\x80\xff\t'\""),
        ("Authorization", b"Basic eDp5"),
        ("Cookie", b"a=b"),
    ];
    place.check("/bin/sh", &delivery("POST", "/", &headers, b"{}"));
    for body in
        [&b"@/etc/passwd"[..], b"-", b"@", b"\n", b"a\n\n", b"\0", b"\\", b"%", b"-n x", &[0xff; 2000]]
    {
        place.check("/bin/sh", &delivery("POST", "/", &[], body));
        place.check("/bin/sh", &delivery("HEAD", "/", &[], body));
    }
    let long = vec![b'x'; 1024 * 1024 + 1];
    for transfer in [Transfer::Whole, Transfer::Chunks(vec![5]), Transfer::Expecting] {
        place.check("/bin/sh", &Delivery { transfer, ..delivery("POST", "/", &[], &long) });
    }
    place.check(
        "/bin/sh",
        &Delivery { transfer: Transfer::Broken(3), ..delivery("POST", "/", &[], b"abcdef") },
    );
}

#[test]
fn delivery_that_curl_would_change_has_no_command() {
    for (name, value) in [
        ("X-A", &b" "[..]),
        ("X-A", b"\t\x0b"),
        ("X-A", b"a\nb"),
        ("X-A", b"\0"),
        ("Host", b"h"),
        ("transfer-encoding", b"chunked"),
        ("@pwned", b"x"),
    ] {
        let delivery = delivery("POST", "/", &[(name, value)], b"");
        assert_eq!(command("http://127.0.0.1/", &Trust::System, &delivery), None, "{delivery:?}");
    }
    for delivery in
        [delivery("", "/", &[], b""), delivery("A B", "/", &[], b""), delivery("A", "/ ", &[], b"")]
    {
        assert_eq!(command("http://127.0.0.1/", &Trust::System, &delivery), None, "{delivery:?}");
    }
}
