//! Senders with invalid deliveries: floods, endless bodies and headers, single bytes, garbage.
//!
//! Invariant: the endpoint stays up for later deliveries, memory stays bounded, and a finding names what arrived.

use super::{MOST_MEMORY, Script, run_and_measure_memory};
use crate::cli::program::{Ran, Report};

/// A sender that delivers each event as a plain request, except the first, for which it runs `MISBEHAVE`.
const SENDER: &str = r#"
import json, socket, sys, threading, time, urllib.parse

webhooks = {}

def connect(url):
    to = urllib.parse.urlsplit(url)
    stream = socket.create_connection((to.hostname, to.port), timeout=60)
    return stream, to._replace(scheme="", netloc="").geturl(), to.netloc

def request(url, body, connection="close"):
    stream, target, host = connect(url)
    head = f"POST {target} HTTP/1.1\r\nHost: {host}\r\nConnection: {connection}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return stream, head.encode() + body

def drain(stream):
    try:
        while stream.recv(65536):
            pass
    except OSError:
        pass

def misbehave(url, body):
    MISBEHAVE

emitted = 0
for line in sys.stdin:
    asked = json.loads(line)
    answer = {}
    if asked["op"] == "hello":
        answer = {"name": "misbehaving", "capabilities": ["delete"]}
    elif asked["op"] == "create_webhook":
        webhooks[str(asked["id"])] = asked["url"]
        answer = {"webhook": str(asked["id"])}
    elif asked["op"] == "delete_webhook":
        webhooks.pop(asked["webhook"])
    elif asked["op"] == "emit":
        emitted += 1
        body = json.dumps({"event": asked["event"], "data": asked["data"], "timestamp": "2025-02-10T15:30:50Z"}).encode()
        for url in webhooks.values():
            if emitted == 1:
                misbehave(url, body)
            stream, whole = request(url, body)
            stream.sendall(whole)
            drain(stream)
    print(json.dumps({"id": asked["id"], "ok": answer}), flush=True)
"#;

/// Runs the affected requirements on such a sender, and measures memory.
fn judge(misbehave: &str, deadline: &str) -> Option<(Ran, Report)> {
    judge_by("SUB-2,SUB-4,DLV-1,DLV-3", misbehave, deadline)
}

fn judge_by(run: &str, misbehave: &str, deadline: &str) -> Option<(Ran, Report)> {
    let script = Script::new(&SENDER.replace("MISBEHAVE", &misbehave.trim().replace('\n', "\n    ")))?;
    let report = script.path("report.json");
    let (command, report_option) = (script.command(), format!("--report=json={}", report.display()));
    let arguments = [
        "sender",
        "--timeout",
        "120s",
        "--deadline",
        deadline,
        "--run",
        run,
        &report_option,
        "--exec",
        &command,
    ];
    let (ran, peak) = run_and_measure_memory(&arguments)?;
    let report = Report::read(&report).unwrap_or_else(|why| panic!("no report ({why}): {ran:#?}"));
    assert!(peak.is_none_or(|peak| peak < MOST_MEMORY), "{peak:?} MiB: {ran:#?}");
    // All later deliveries arrived.
    assert!(report.with("pass").contains("SUB-4"), "{ran:#?}");
    Some((ran.expect(1), report))
}

/// Only this requirement fails, and its finding contains all of `words`.
#[track_caller]
fn assert_finding(judged: Option<(Ran, Report)>, id: &str, cause: &str, words: &[&str]) {
    let Some((ran, report)) = judged else { return };
    assert_eq!(report.with("fail"), [id].into(), "{ran:#?}");
    assert_eq!(report.cause(id), cause);
    let message = report.message(id);
    assert!(words.iter().all(|word| message.contains(word)), "{words:?} in {message:?}");
}

#[test]
fn counts_a_flood_of_requests() {
    let count = 100_000;
    let flood = format!(
        "stream, whole = request(url, body, 'keep-alive')
draining = threading.Thread(target=drain, args=(stream,))
draining.start()
for _ in range({count} // 100): stream.sendall(whole * 100)
stream.shutdown(socket.SHUT_WR)
draining.join()"
    );
    // Plus the events of the scenario, each delivered once.
    let counted = format!("{} requests reached one webhook, for 22 events", count + 22);
    assert_finding(judge(&flood, "20s"), "SUB-2", "send.once-per-webhook", &[&counted]);
}

#[test]
fn counts_a_flood_of_connections() {
    let flood = "for _ in range(3000):
    stream, whole = request(url, body)
    stream.sendall(whole)
    drain(stream)";
    assert_finding(judge(flood, "20s"), "SUB-2", "send.once-per-webhook", &["3022 requests reached"]);
}

#[test]
fn measures_a_body_of_a_gibibyte() {
    let large = "stream, target, host = connect(url)
head = f'POST {target} HTTP/1.1\\r\\nHost: {host}\\r\\nConnection: close\\r\\nContent-Length: {2 ** 30}\\r\\n\\r\\n'
stream.sendall(head.encode() + body + b' ' * (2 ** 20 - len(body)))
for _ in range(2 ** 10 - 1): stream.sendall(b' ' * 2 ** 20)
drain(stream)";
    assert_finding(judge(large, "20s"), "DLV-3", "send.body-form", &["1073741824 bytes long"]);
}

#[test]
fn judges_many_long_bodies_in_bounded_memory() {
    // Each has the maximum length, and takes many times the memory once it is parsed.
    // A debug build needs a second for each.
    let count = if env!("OPTIMISATION") == "0" { 10 } else { 60 };
    let many = "event = json.loads(body)
event['data'].update(pad=[1] * 500_000, email=1)
long = json.dumps(event, separators=(',', ':')).encode()
for _ in range(COUNT):
    stream, whole = request(url, long)
    stream.sendall(whole)
    drain(stream)";
    let Some((ran, report)) =
        judge_by("SUB-4,DLV-3,PAY-6", &many.replace("COUNT", &count.to_string()), "20s")
    else {
        return;
    };
    assert_eq!(report.with("fail"), ["PAY-6"].into(), "{ran:#?}");
}

#[test]
fn gives_up_an_endless_request_header() {
    let endless = "stream, target, host = connect(url)
try:
    stream.sendall(f'POST {target} HTTP/1.1\\r\\nHost: {host}\\r\\nX-Endless: '.encode())
    while True: stream.sendall(b'y' * 65536)
except OSError: pass";
    let words =
        ["not a complete HTTP request", "header section longer than 65536 bytes", "beginning \"POST /hooks/"];
    assert_finding(judge(endless, "20s"), "DLV-1", "send.framing", &words);
}

#[test]
fn gives_up_slow_requests() {
    // It sends during the whole run; the pause is the sender's, not the test's.
    let trickle = "stream, whole = request(url, body)
def send():
    try:
        for byte in whole: stream.sendall(bytes([byte])); time.sleep(1)
    except OSError: pass
threading.Thread(target=send, daemon=True).start()
time.sleep(1)";
    assert_finding(judge(trickle, "500ms"), "DLV-1", "send.framing", &["it was not complete", " \"P"]);
}

#[test]
fn quotes_a_malformed_request() {
    let rubbish = "stream, _, _ = connect(url)
stream.sendall(b'\\x16\\x03\\x01 client hello \\xff\\r\\n\\r\\n')
drain(stream)";
    assert_finding(judge(rubbish, "20s"), "DLV-1", "send.framing", &["it is not valid HTTP", "client hello"]);
}

#[test]
fn reports_a_truncated_request() {
    let cut = "stream, whole = request(url, body)
stream.sendall(whole[:-5])
stream.close()";
    let words = ["the connection closed in the middle of the request", "beginning \"POST /hooks/"];
    assert_finding(judge(cut, "20s"), "DLV-1", "send.framing", &words);
}
