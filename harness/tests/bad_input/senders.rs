//! Senders that break the attachment protocol, end, or never end.
//!
//! Invariant: a broken protocol is an error with status 70. A sender that ends during a run fails. A sender that cannot be
//! reached is status 3.

use std::collections::BTreeSet;

use twenty_conform::suite::requirement::{Requirement, Role};
use twenty_conform::suite::requirements;
use twenty_conform::suite::sender::scenario::events::EVERY_EVENT;

use super::{HeldConnection, MOST_MEMORY, Script, run_and_measure_memory};
use crate::cli::program::{Ran, Report, judged, run};

/// A sender that delivers nothing and follows the protocol, except for what it does at `INSTEAD`.
const SENDER: &str = r#"
import json, os, signal, socket, subprocess, sys, time, urllib.parse

def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()

def warn(line):
    sys.stderr.write(line + "\n")
    sys.stderr.flush()

def ok(answer):
    say(json.dumps({"id": request["id"], "ok": answer}))

def usual():
    answers = {"hello": {"name": "scripted", "capabilities": []}, "create_webhook": {"webhook": "w1"}}
    ok(answers.get(op, {}))

def hold():
    url = urllib.parse.urlsplit(sys.argv[1])
    return socket.create_connection((url.hostname, url.port))

seen = 0
while True:
    line = sys.stdin.readline()
    if not line:
        break
    request, seen = json.loads(line), seen + 1
    op = request["op"]
    INSTEAD
"#;

fn sender(instead: &str) -> Option<Script> {
    Script::new(&SENDER.replace("INSTEAD", &instead.trim().replace('\n', "\n    ")))
}

/// Arguments for a run with a long wait for replies, and a short wait for deliveries, because none arrive.
fn arguments(command: &str) -> [&str; 9] {
    ["sender", "--dialect", "shipped", "--timeout", "60s", "--deadline", "100ms", "--exec", command]
}

/// Runs the suite on a sender.
fn judge(instead: &str) -> Option<(Ran, Report)> {
    sender(instead).map(|script| judged(arguments(&script.command())))
}

/// Runs the suite on a sender that fails before anything can be judged.
fn start(instead: &str) -> Option<Ran> {
    sender(instead).map(|script| run(arguments(&script.command())))
}

/// The ids of the requirements that apply to the sender of a report: those of the first scenario, and the others.
fn first_and_others(report: &Report) -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
    let free = report.with("not-applicable");
    let bound = |one: &&Requirement| one.role() == Role::Sender && !free.contains(one.id);
    let is_in_first = |one: &&Requirement| one.scenarios.contains(&&EVERY_EVENT);
    let (first, others): (Vec<_>, Vec<_>) = requirements::all().filter(bound).partition(is_in_first);
    let ids = |requirements: Vec<&'static Requirement>| requirements.iter().map(|one| one.id).collect();
    (ids(first), ids(others))
}

/// The first scenario's requirements are errors that contain all of `words`; the others are inconclusive.
#[track_caller]
fn assert_protocol_error(judged: Option<(Ran, Report)>, words: &[&str]) {
    let Some((ran, report)) = judged else { return };
    let ran = ran.expect(70);
    assert!(ran.result_line().starts_with("RESULT: error "), "{ran:#?}");
    assert_eq!((&report.0["result"], &report.0["exit_status"]), (&"error".into(), &70.into()));
    let (first, others) = first_and_others(&report);
    assert_eq!((report.with("error"), report.with("inconclusive")), (first.clone(), others));
    for id in first {
        let message = report.message(id);
        assert!(words.iter().all(|word| message.contains(word)), "{words:?} in {message:?}");
    }
}

/// The first scenario's requirements fail with all of `words`, because the sender ended; the others are inconclusive.
#[track_caller]
fn assert_crash(judged: Option<(Ran, Report)>, words: &[&str]) {
    let Some((ran, report)) = judged else { return };
    assert!(ran.expect(1).result_line().starts_with("RESULT: fail "));
    let (first, others) = first_and_others(&report);
    assert_eq!((report.with("fail"), report.with("inconclusive")), (first.clone(), others));
    assert_eq!(report.cause("DLV-1"), "send.crash");
    // An event that was accepted before the end and never arrived is a separate finding.
    for id in first.into_iter().filter(|id| report.cause(id) != "send.lost") {
        assert_eq!(report.cause(id), "send.crash");
        let message = report.message(id);
        assert!(words.iter().all(|word| message.contains(word)), "{words:?} in {message:?}");
    }
}

#[test]
fn quotes_a_malformed_greeting() {
    let Some(ran) = start(r#"say("Listening on \"3000\"")"#) else { return };
    ran.expect(70).says(&[
        r#"the sender wrote "Listening on \"3000\"" to stdout"#,
        "which is for replies only; write logs to stderr",
    ]);
}

#[test]
fn quotes_a_greeting_of_another_type() {
    let Some(ran) = start("ok(7)") else { return };
    ran.expect(70).says(&["reply to `hello` is invalid", "\"7\""]);
}

#[test]
fn rejected_greeting_exits_3() {
    let refusal = r#"say(json.dumps({"id": request["id"], "error": {"message": "no licence"}}))"#;
    let Some(ran) = start(refusal) else { return };
    ran.expect(3).says(&["`hello`", "no licence"]);
}

#[test]
fn waits_a_limited_time_for_a_greeting() {
    let ran = run(["sender", "--timeout", "1s", "--exec", "sleep 600"]).expect(70);
    ran.says(&["did not reply to `hello`", "within 1 s"]);
}

#[test]
fn quotes_a_malformed_later_reply() {
    let rubbish = r#"say("Delivered!") if op == "emit" and seen > 4 else usual()"#;
    assert_protocol_error(
        judge(rubbish),
        &["the sender wrote \"Delivered!\" to stdout, which is for replies only"],
    );
}

#[test]
fn quotes_bytes_that_are_not_utf8() {
    let rubbish =
        r#"sys.stdout.buffer.write(b"\xff\xfe\x00\n") if op == "emit" else usual(); sys.stdout.flush()"#;
    assert_protocol_error(judge(rubbish), &["the sender wrote ", " to stdout, which is for replies only"]);
}

#[test]
fn quotes_a_second_reply() {
    let twice = "usual()\nif op == 'create_webhook': usual()";
    assert_protocol_error(judge(twice), &[r#"{\"id\": 2, \"ok\": "#, "replied to request 2 a second time"]);
}

#[test]
fn quotes_a_reply_without_a_request() {
    let unasked = r#"say('{"id": 999, "ok": {}}') if op == "emit" else usual()"#;
    assert_protocol_error(
        judge(unasked),
        &[r#"{\"id\": 999, \"ok\": {}}"#, "request 999, which was never sent"],
    );
}

#[test]
fn quotes_a_reply_without_its_content() {
    let empty = r#"ok({"hook": "w1"}) if op == "create_webhook" else usual()"#;
    assert_protocol_error(judge(empty), &["`create_webhook` has no string `webhook`", "hook"]);
}

#[test]
fn waits_a_limited_time_for_a_reply() {
    // A shell starts at once, so a short wait is enough for its greeting.
    let silent =
        r#"sh -c 'read request; echo "{\"id\":1,\"ok\":{}}"; read request; echo silent >&2; sleep 600'"#;
    let judged = judged(["sender", "--dialect", "shipped", "--timeout", "4s", "--exec", silent]);
    assert_protocol_error(Some(judged), &["did not reply to `create_webhook`", "within 4 s", "silent"]);
}

#[test]
fn error_reply_is_inconclusive() {
    let refusal = r#"say(json.dumps({"id": request["id"], "error": {"message": "quota used up"}}))"#;
    let instead = format!("if op == 'create_webhook': {refusal}\nelse: usual()");
    let Some((ran, report)) = judge(&instead) else { return };
    assert!(ran.expect(3).result_line().starts_with("RESULT: incomplete "));
    let (first, others) = first_and_others(&report);
    assert_eq!(report.with("inconclusive"), &first | &others);
    assert!(report.message("SUB-1").contains("quota used up"), "{}", report.message("SUB-1"));
}

#[test]
fn sender_that_ends_at_once_is_unreachable() {
    let Some(ran) = start("warn('no configuration'); sys.exit(4)") else { return };
    ran.expect(3).says(&["no reply to `hello`", "exit status: 4", "no configuration"]);
    run(["sender", "--exec", "true"]).expect(3).says(&["the sender ended (exit status: 0)"]);
}

#[test]
fn quotes_a_line_before_the_end_of_a_sender() {
    let ran = run(["sender", "--exec", "echo usage: send FILE"]).expect(70);
    ran.says(&["the sender wrote \"usage: send FILE\" to stdout"]);
}

#[test]
fn sender_that_ends_after_its_greeting_fails() {
    assert_crash(judge("usual(); sys.exit(5)"), &["no reply to `create_webhook`", "exit status: 5"]);
}

#[test]
fn sender_that_ends_during_a_run_fails() {
    let crash = "if seen > 5: warn('out of cheese'); sys.exit(7)\nusual()";
    assert_crash(judge(crash), &["no reply to `emit`", "exit status: 7", "out of cheese"]);
}

#[cfg(unix)]
#[test]
fn sender_that_a_signal_ends_fails() {
    let killed = "os.kill(os.getpid(), signal.SIGKILL) if op == 'emit' else usual()";
    assert_crash(judge(killed), &["no reply to `emit`", "signal: 9"]);
}

#[cfg(unix)]
#[test]
fn closed_stdout_breaks_the_protocol() {
    let closed = "os.close(1) if op == 'emit' else usual()";
    assert_protocol_error(
        judge(closed),
        &["no reply to `emit`", "the sender closed its stdout, but it still runs"],
    );
}

#[cfg(unix)]
#[test]
fn ends_processes_that_a_sender_started() {
    let (url, held) = HeldConnection::new();
    // The child inherits stdout and stderr, so they stay open after the sender ended.
    let leaves = "if op == 'hello': usual()
else: subprocess.Popen(['sleep', '600'], pass_fds=[hold().fileno()]); sys.exit(6)";
    let Some(script) = sender(leaves).map(|script| script.with(&url)) else { return };
    let mut arguments = arguments(&script.command()).map(str::to_owned);
    arguments[4] = "4s".to_owned();
    assert_crash(Some(judged(arguments)), &["no reply to `create_webhook`", "exit status: 6"]);
    held.wait_until_closed();
}

#[cfg(unix)]
#[test]
fn ends_a_sender_that_ignores_sigterm() {
    let (url, held) = HeldConnection::new();
    let stays = "if op == 'hello': signal.signal(signal.SIGTERM, signal.SIG_IGN); held = hold()
usual()
while op == 'shutdown': time.sleep(1)";
    let Some(script) = sender(stays).map(|script| script.with(&url)) else { return };
    let (ran, report) = judged(arguments(&script.command()));
    ran.expect(1);
    assert_eq!(report.cause("SUB-1"), "send.lost");
    held.wait_until_closed();
}

#[test]
fn endless_line_needs_bounded_memory() {
    let endless = "for _ in range(1600 if op == 'emit' else 0): sys.stdout.write('x' * 65536)
usual()";
    let Some(script) = sender(endless) else { return };
    let report = script.path("report.json");
    let report_option = format!("--report=json={}", report.display());
    let command = script.command();
    let arguments: Vec<&str> = arguments(&command).into_iter().chain([report_option.as_str()]).collect();
    let Some((ran, peak)) = run_and_measure_memory(&arguments) else { return };
    let judged = (ran, Report::read(&report).unwrap());
    assert_protocol_error(Some(judged), &["a line longer than 4194304 bytes", "begins with \"xxxxxxxx"]);
    assert!(peak.is_none_or(|peak| peak < MOST_MEMORY), "{peak:?} MiB");
}

#[test]
fn long_stderr_needs_bounded_memory() {
    let noisy = "if op == 'emit' and seen < 10: warn('noise\\n' * 2_000_000)
if seen > 12: warn('the last words'); sys.exit(8)
usual()";
    let Some(script) = sender(noisy) else { return };
    let command = script.command();
    let Some((ran, peak)) = run_and_measure_memory(&arguments(&command)) else { return };
    let ran = ran.expect(1);
    assert!(ran.stdout.contains("noise\n") && ran.stdout.contains("the last words"), "{ran:#?}");
    assert!(ran.stdout.len() < 100_000);
    assert!(peak.is_none_or(|peak| peak < MOST_MEMORY), "{peak:?} MiB");
}

#[test]
fn declared_capability_that_does_not_work_fails() {
    for (capability, op, id) in [
        ("delete", "delete_webhook", "SUB-3"),
        ("filters", "create_webhook", "SUB-5"),
        ("unsigned", "create_webhook", "SIG-9"),
    ] {
        let refused = match capability {
            "filters" => "request.get('operations')",
            "unsigned" => "request['secret'] is None",
            _ => "True",
        };
        let kept = format!(
            "if op == 'hello': ok({{'name': 'scripted', 'capabilities': ['{capability}']}})
elif op == '{op}' and {refused}: say(json.dumps({{'id': request['id'], 'error': {{'message': 'not built yet'}}}}))
elif op == 'create_webhook': hook = request['url']; usual()
elif op == 'emit':
    to, body = urllib.parse.urlsplit(hook), json.dumps(request['data']).encode()
    stream = socket.create_connection((to.hostname, to.port))
    head = 'POST ' + to.path + '?' + to.query + ' HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: ' + str(len(body)) + '\\r\\n\\r\\n'
    stream.sendall(head.encode() + body); stream.recv(1000); stream.close()
    usual()
else: usual()"
        );
        let Some(script) = sender(&kept) else { return };
        let command = script.command();
        let (_, report) = judged(arguments(&command).into_iter().chain(["--run", id]));
        assert_eq!(report.with("fail"), [id].into(), "{:#}", report.0);
        let message = report.message(id);
        assert!(
            message.contains(&format!("the capability `{capability}`, but it does not work")),
            "{message}"
        );
        assert!(message.contains("not built yet"), "{message}");
    }
}
