//! `bench endpoint` and `bench sender` as a user sees them.
//!
//! Invariant: each endpoint listens on a free port, and ends by itself or by a signal.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::program::{Ran, for_long_enough, reference, run, twenty};

const SECRET: &str = "s3cr3t-of-the-bench";

/// A running `bench endpoint`.
struct Endpoint {
    child: Child,
    output: BufReader<ChildStdout>,
    first: String,
}

impl Endpoint {
    fn new(arguments: &[&str]) -> Self {
        let mut command = twenty(["bench", "endpoint", "--secret", SECRET].iter().chain(arguments));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        output.read_line(&mut first).unwrap();
        Self { child, output, first }
    }

    /// One that prints JSON, and its URL.
    #[cfg(unix)]
    fn with_json() -> (Self, String) {
        let endpoint = Self::new(&["--json"]);
        let ready: Value = serde_json::from_str(&endpoint.first).unwrap();
        assert!(ready["ready"]["ledger"].as_str().unwrap().ends_with("/ledger"), "{ready}");
        let url = ready["ready"]["url"].as_str().unwrap().to_owned();
        (endpoint, url)
    }

    /// Ends it. Returns its status and the rest of its output.
    #[cfg(unix)]
    fn end(mut self) -> (Option<i32>, String) {
        use nix::sys::signal::{Signal, kill};
        use nix::unistd::Pid;
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        assert!(!rest.contains(SECRET), "{rest}");
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A short load on a URL.
fn load(url: &str, arguments: &[&str]) -> Ran {
    let short = ["--duration", "150ms", "--warm-up", "0", "--concurrency", "4", "--json", "--quiet"];
    let to = ["bench", "receiver", "--secret", SECRET, "--url", url];
    run(to.iter().chain(&short).chain(arguments))
}

#[cfg(unix)]
#[test]
fn endpoint_verifies_every_delivery_of_bench_receiver() {
    let (endpoint, url) = Endpoint::with_json();
    let ran = load(&url, &["--probe-share", "0%", "--rate", "400"]).expect(0);
    let sent: Value = serde_json::from_str(&ran.stdout).unwrap();
    let (status, rest) = endpoint.end();
    let summary: Value = serde_json::from_str(&rest).unwrap();
    let summary = &summary["summary"];
    assert_eq!((status, &summary["result"]), (Some(0), &"pass".into()), "{summary}");
    let ledger = &summary["ledger"];
    assert_eq!(ledger["verified"], sent["total"]["sent"]);
    assert_eq!((&ledger["lost"], &ledger["wrong"]), (&0.into(), &0.into()));
}

#[cfg(unix)]
#[test]
fn endpoint_fails_on_probes_unless_wrong_is_allowed() {
    for (allow, status, result) in [(&["--allow", "wrong"][..], 0, "pass"), (&[], 1, "fail")] {
        let endpoint = Endpoint::new(allow);
        let url = endpoint.first.split_whitespace().nth(2).unwrap().to_owned();
        load(&url, &["--probe-share", "30%"]).expect(0);
        let (ended, rest) = endpoint.end();
        assert_eq!(ended, Some(status), "{rest}");
        assert!(
            rest.contains("bad-signature × ") && rest.contains(&format!("RESULT: {result} received ")),
            "{rest}"
        );
    }
}

#[cfg(unix)]
#[test]
fn endpoint_does_not_count_deliveries_with_wrong_signatures() {
    let (endpoint, url) = Endpoint::with_json();
    for path in ["junk", "more"] {
        let to = ["bench", "receiver", "--secret", "another-secret", "--url"];
        let url = format!("{url}{path}");
        let ran = for_long_enough(|duration| {
            let short = ["--duration", duration, "--warm-up", "0", "--concurrency", "1", "--quiet"];
            run(to.iter().chain(&[&*url]).chain(&short))
        });
        ran.expect(1).says(&["another secret", "none, because"]);
    }
    let (_, rest) = endpoint.end();
    let summary: Value = serde_json::from_str(&rest).unwrap();
    let ledger = &summary["summary"]["ledger"];
    assert!(ledger["wrong"].as_u64().unwrap() > 0, "{summary}");
    assert_eq!(ledger["webhooks"].as_array().unwrap().len(), 0, "{summary}");
}

/// With characters that are invisible or change the order of others, which serialisers of JSON leave as they are.
#[cfg(unix)]
#[test]
fn summary_of_any_request_is_json() {
    let (endpoint, url) = Endpoint::with_json();
    let body = "{\"event\":\"\u{202e}\u{200b}\u{85}##[group]\"}";
    let mut stream = TcpStream::connect(url.trim_start_matches("http://").trim_end_matches('/')).unwrap();
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all((head + body).as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 401");
    let (_, rest) = endpoint.end();
    let summary: Value = serde_json::from_str(&rest).unwrap();
    assert!(!rest.contains(['\u{202e}', '\u{200b}', '\u{85}']), "{rest}");
    assert!(summary.to_string().contains("\u{202e}\u{200b}\u{85}##[group]"), "{summary}");
}

/// `bench sender` on a shell script that answers `hello` and continues with these lines.
#[cfg(unix)]
fn scripted(rest: &str) -> Ran {
    let greets = r#"
id() { echo "$1" | grep -o '"id":[0-9]*'; }
read -r hello
echo "{$(id "$hello"),\"ok\":{\"name\":\"scripted\",\"version\":\"1\",\"capabilities\":[]}}"
read -r create
"#;
    let folder = TempDir::new().unwrap();
    let script = folder.path().join("sender.sh");
    fs::write(&script, format!("{greets}{rest}cat >/dev/null\n")).unwrap();
    let command = format!("sh {}", script.display());
    run(["bench", "sender", "--quiet", "--duration", "1s", "--warm-up", "0", "--exec", &command])
}

#[cfg(unix)]
#[test]
fn bench_sender_redacts_secrets_in_errors() {
    let quotes = r#"
secret=$(echo "$create" | grep -o '"secret":"[^"]*"' | cut -d'"' -f4)
echo "{$(id "$create"),\"error\":{\"message\":\"a bad secret: $secret\"}}"
"#;
    scripted(quotes).expect(3).complains_of(&["create_webhook", "a bad secret: [redacted]"]);
}

#[cfg(unix)]
#[test]
fn protocol_error_during_a_load_is_not_a_lost_event() {
    let breaks = r#"
echo "{$(id "$create"),\"ok\":{\"webhook\":\"w1\"}}"
read -r emit
echo "debug: emitting"
"#;
    let ran = scripted(breaks).expect(70);
    ran.says(&["RESULT: error ", "debug: emitting", "untaken"]);
    assert!(!ran.stdout.contains("did not arrive"), "{ran:?}");
}

#[test]
fn endpoint_without_deliveries_is_incomplete() {
    let ran = run(["bench", "endpoint", "--secret", SECRET, "--duration", "50ms", "--quiet"]).expect(3);
    assert!(ran.stdout.starts_with("listening on http://127.0.0.1:"), "{ran:?}");
    assert_eq!(ran.result_line(), "RESULT: incomplete received 0 verified 0 wrong 0 duplicated 0 lost 0");
}

#[test]
fn bench_sender_defaults_to_the_reference_sender() {
    let ran =
        run(["bench", "sender", "--events", "30", "--webhooks", "2", "--seed", "7", "--json"]).expect(0);
    ran.complains_of(&["measuring the reference sender in this process"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&report["format"], &report["role"]), (&"twenty-conform-bench/1".into(), &"sender".into()));
    assert_eq!(report["total"]["acknowledged"], 60);
    assert_eq!(report["sending"]["ledger"]["verified"], 60);
}

#[test]
fn bench_sender_starts_and_stops_exec() {
    let ran = run([
        "bench",
        "sender",
        "--duration",
        "150ms",
        "--warm-up",
        "0",
        "--concurrency",
        "4",
        "--threshold",
        "p50<1us",
        "--exec",
        &reference("sender"),
    ]);
    ran.expect(6).says(&["events per second", "NOT MET", "RESULT: slow rate "]);
}

#[test]
fn bench_sender_and_endpoint_reject_wrong_options() {
    for (arguments, status, words) in [
        (["--exec", "no-such-command-here"].as_slice(), 3, ["no-such-command-here", "cannot start"]),
        (&["--exec", "true", "--timeout", "2s"], 3, ["no reply to `hello`", "ended"]),
        (&["--exec", "cat"], 70, ["stdout", "hello"]),
        (&["--control", "http://192.0.2.1/"], 2, ["192.0.2.1", "bench endpoint"]),
        (&["--events", "5", "--duration", "1s"], 2, ["--events", "cannot be used with"]),
        (&["--webhooks", "65"], 2, ["--webhooks", "64"]),
        (&["--rate", "0"], 2, ["--rate", "not a rate"]),
    ] {
        let ran = run(["bench", "sender", "--quiet"].iter().chain(arguments)).expect(status);
        ran.complains_of(&words);
    }
    run(["bench", "endpoint"]).expect(2).complains_of(&["secret", "--secret-file"]);
    run(["bench", "endpoint", "--secret", "x", "--path", "hook"])
        .expect(2)
        .complains_of(&["--path", "slash"]);
}
