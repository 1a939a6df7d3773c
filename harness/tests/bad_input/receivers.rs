//! Receivers that do not start, end during a run, or answer with something other than an HTTP response.
//!
//! Invariant: whatever arrives instead of an answer is named, and only an answer counts as a rejection.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use super::{MOST_MEMORY, Script, run_and_measure_memory};
use crate::cli::program::{Ran, Report, judged, run};
use crate::peers::servers::{read_request, serve};

/// A receiver that conforms, except for what it does at `BEFORE`.
const RECEIVER: &str = r#"
import hashlib, hmac, os, socketserver, sys
from http.server import BaseHTTPRequestHandler

KEY = os.environ["TWENTY_WEBHOOK_SECRET"].encode()

class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        timestamp = self.headers["X-Twenty-Webhook-Timestamp"]
        signature = self.headers["X-Twenty-Webhook-Signature"]
        BEFORE
        right = hmac.new(KEY, f"{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
        valid = timestamp and signature and hmac.compare_digest(right, signature)
        self.send_response(200 if valid else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

class Server(socketserver.ThreadingTCPServer):
    request_queue_size = 128
    allow_reuse_address = daemon_threads = True

def warn(line):
    print(line, file=sys.stderr, flush=True)

AT_START = None
Server(("127.0.0.1", int(os.environ["PORT"])), Receiver).serve_forever()
"#;

fn receiver(before: &str, at_start: &str) -> Option<Script> {
    Script::new(&RECEIVER.replace("BEFORE", before).replace("AT_START = None", at_start))
}

#[test]
fn waits_a_limited_time_for_a_command_to_listen() {
    let ran = run(["receiver", "--ready-timeout", "1s", "--exec", "sleep 600"]).expect(3);
    ran.says(&["did not listen on port ", "within 1 s", "does `sleep 600` read the port", "--ready-timeout"]);
}

#[test]
fn shows_stderr_of_a_command_that_ends_at_once() {
    let Some(script) = receiver("pass", "warn('no database'); sys.exit(4)") else { return };
    let ran = run(["receiver", "--exec", &script.command()]).expect(3);
    ran.says(&[
        "the receiver ended before it listened on port",
        "exit status: 4",
        "no database",
        "start it yourself: PORT=",
    ]);
    run(["receiver", "--exec", "true"]).expect(3).says(&["(exit status: 0)", "command  true"]);
}

/// Ends the process at a request without a signature, like a program that reads a missing header.
const DIES: &str = "if signature is None: warn('KeyError: signature'); os._exit(9)";

#[test]
fn restarts_a_receiver_that_dies_at_a_request() {
    let Some(script) = receiver(DIES, "") else { return };
    let command = script.command();
    let options = ["--run", "VER-1,VER-4,VER-5", "--secret", "s3cr3t"];
    let (ran, report) = judged(["receiver", "--exec", &command].iter().chain(&options));
    assert!(ran.expect(1).result_line().starts_with("RESULT: fail "));
    // The checks before and after it are not affected.
    assert_eq!(report.verdicts(), [("VER-1", "pass"), ("VER-4", "fail"), ("VER-5", "pass")]);
    assert_eq!(report.cause("VER-4"), "answer.none");
    for words in ["without a signature", "exit status: 9", "KeyError: signature"] {
        assert!(report.message("VER-4").contains(words), "{words:?} in {}", report.message("VER-4"));
    }
    let notes: Vec<&str> =
        report.0["notes"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert!(!notes.is_empty());
    for note in notes {
        assert!(note.starts_with("after exchange #") && note.contains("exit status: 9"), "{note}");
        assert!(note.contains("KeyError: signature"), "{note}");
    }
}

#[test]
fn receiver_that_cannot_be_restarted_ends_the_run() {
    let once = "
first = os.path.join(os.path.dirname(__file__), 'first')
if os.path.exists(first): warn('the lock is held'); sys.exit(3)
open(first, 'w').close()
";
    let Some(script) = receiver(DIES, once) else { return };
    let command = script.command();
    let options = ["--run", "VER-1,VER-4,VER-5", "--secret", "s3cr3t"];
    let (ran, report) = judged(["receiver", "--exec", &command].iter().chain(&options));
    assert!(ran.expect(1).result_line().starts_with("RESULT: fail "));
    // Of VER-1, the generated cases were not tried.
    assert_eq!(report.verdicts(), [("VER-1", "inconclusive"), ("VER-4", "fail"), ("VER-5", "inconclusive")]);
    for (id, words) in [
        ("VER-4", ["exit status: 9", "KeyError: signature"]),
        ("VER-5", ["exit status: 3", "the lock is held"]),
    ] {
        for words in words {
            assert!(report.message(id).contains(words), "{words:?} in {}", report.message(id));
        }
    }
}

#[test]
fn receiver_output_needs_bounded_memory() {
    let noisy = "for out in (sys.stdout, sys.stderr): print('noise\\n' * 20_000, file=out, flush=True)";
    let Some(script) = receiver(noisy, "") else { return };
    let command = script.command();
    let arguments = ["receiver", "--exec", &command, "--secret", "s3cr3t", "--run", "RCV-1,RCV-8,VER-1"];
    let Some((ran, peak)) = run_and_measure_memory(&arguments) else { return };
    assert!(ran.expect(0).result_line().starts_with("RESULT: pass "));
    assert!(peak.is_none_or(|peak| peak < MOST_MEMORY), "{peak:?} MiB");
}

/// Runs the suite on a server that answers each request like this.
fn judge(answer: impl Fn(&mut TcpStream) -> io::Result<()> + Send + Sync + 'static) -> (Ran, Report) {
    let url = serve(move |mut stream| {
        while read_request(&mut stream)? {
            answer(&mut stream)?;
        }
        Ok(())
    });
    judged(["receiver", "--url", &url, "--secret", "s3cr3t", "--timeout", "10s"])
}

/// Without answers, the receiver fails to accept valid deliveries, and the rejection of invalid ones is inconclusive.
#[track_caller]
fn assert_no_answers((ran, report): (Ran, Report), actual: &str) {
    assert!(ran.expect(1).result_line().starts_with("RESULT: fail "));
    assert!(report.with("fail").contains("RCV-1"));
    let shown = report.check("RCV-1")["actual"].as_str().unwrap();
    assert!(shown.contains(actual), "{actual:?} in {shown:?}");
    assert!(report.message("RCV-1").contains(actual), "{}", report.message("RCV-1"));
    assert_eq!(report.with("pass"), [].into());
    for id in ["RCV-3", "RCV-8", "VER-1", "VER-2", "VER-3", "VER-4", "VER-5", "VER-6"] {
        assert_eq!(report.check(id)["verdict"], "inconclusive", "{id}");
    }
}

fn closed() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

#[test]
fn names_a_connection_closed_before_an_answer() {
    assert_no_answers(judge(|_| Err(closed())), "connection closed before an answer");
}

#[test]
fn names_a_connection_closed_within_an_answer() {
    let half = |stream: &mut TcpStream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Le")?;
        Err(closed())
    };
    assert_no_answers(judge(half), "connection closed before an answer");
}

#[test]
fn names_a_connection_that_is_reset() {
    let url = serve(|stream| {
        // Closing a socket with unread bytes resets the connection.
        stream.peek(&mut [0]).map(drop)
    });
    assert_no_answers(judged(["receiver", "--url", &url, "--secret", "s3cr3t"]), "connection reset");
}

#[test]
fn quotes_an_answer_that_is_not_http() {
    let other = |stream: &mut TcpStream| {
        stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n")?;
        Err(closed())
    };
    assert_no_answers(judge(other), "no valid HTTP response: it begins with \"SSH-2.0-OpenSSH_9.6\\r\\n\"");
    let other = |stream: &mut TcpStream| stream.write_all(b"HTTP/1.1 two hundred\r\n\r\n");
    assert_no_answers(judge(other), "HTTP/1.1 two hundred");
}

#[test]
fn names_an_endless_header() {
    let endless = |stream: &mut TcpStream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
        let filler = b"X-Filler: of which there is no end\r\n".repeat(100);
        loop {
            stream.write_all(&filler)?;
        }
    };
    assert_no_answers(judge(endless), "no valid HTTP response: header section longer than 65536 bytes");
}

#[test]
fn waits_a_limited_time_for_an_answer() {
    let url = serve(|mut stream| stream.read_to_end(&mut Vec::new()).map(drop));
    let options = ["--timeout", "20ms", "--run", "RCV-1,VER-1"];
    let (ran, report) = judged(["receiver", "--url", &url, "--secret", "s3cr3t"].iter().chain(&options));
    ran.expect(1);
    assert_eq!(report.verdicts(), [("RCV-1", "fail"), ("VER-1", "inconclusive")]);
    assert_eq!(report.check("RCV-1")["actual"], "timed out");
}

#[test]
fn accepts_an_answer_with_a_huge_body_in_bounded_memory() {
    const LENGTH: usize = 100 * 1024 * 1024;
    for (head, prefix) in [
        (format!("Content-Length: {LENGTH}\r\n\r\n"), String::new()),
        ("Connection: close\r\n\r\n".to_owned(), String::new()),
        ("Transfer-Encoding: chunked\r\n\r\n".to_owned(), format!("{LENGTH:x}\r\n")),
    ] {
        let url = serve(move |mut stream| {
            read_request(&mut stream)?;
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}{prefix}").as_bytes())?;
            let part = [b'x'; 64 * 1024];
            (0..LENGTH / part.len()).try_for_each(|_| stream.write_all(&part))
        });
        let folder = tempfile::tempdir().unwrap();
        let report = folder.path().join("report.json");
        let option = format!("--report=json={}", report.display());
        let Some((ran, peak)) =
            run_and_measure_memory(&["receiver", "--url", &url, "--secret", "s3cr3t", &option])
        else {
            return;
        };
        // The status is the answer, whatever follows it.
        ran.expect(1);
        let report = Report::read(&report).unwrap();
        assert_eq!(report.check("RCV-1")["verdict"], "pass");
        assert_eq!(report.cause("VER-1"), "accepts.everything");
        assert!(peak.is_none_or(|peak| peak < MOST_MEMORY), "{peak:?} MiB");
    }
}
