//! Repeated runs: one saved case with `replay`, the whole suite with `--watch`.
//!
//! Invariant: statuses are those of the interface, and tests wait for output, never for time.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use twenty_conform::clock::Clock;
use twenty_conform::peers::fault::ReceiverFault;
use twenty_conform::peers::mutant::receiver::Mutant;
use twenty_conform::peers::receiver::Settings;
use twenty_conform::webhook::signature::Secret;
use twenty_conform::wire::endpoint::{Server, http};

use super::program::{Ran, finish, reference, run, serve_receiver, twenty};
use crate::peers::servers::{ClosedPort, always};

const SECRET: &str = "s3cr3t";

/// A receiver with this fault; it ends when the values are dropped.
fn serve_mutant(fault: ReceiverFault) -> (tokio::runtime::Runtime, Server) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (settings, late) = (Settings::new(Secret::new(SECRET)), Duration::from_secs(1));
    let mutant = Mutant::new(fault, settings, Clock::system(), late, Arc::new(|_| {}));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = runtime.block_on(http::serve(address, Arc::new(mutant))).unwrap();
    (runtime, server)
}

/// The saved case of a requirement that the receiver at this URL fails.
fn saved(folder: &TempDir, url: &str, id: &str) -> PathBuf {
    let out = folder.path().join(id);
    let out = out.to_str().unwrap();
    run(["receiver", "--url", url, "--secret", SECRET, "--run", id, "--fail-on", "should", "--out", out])
        .expect(1);
    Path::new(out).join("cases").join(format!("{id}.json"))
}

fn replay(file: &Path, arguments: &[&str]) -> Ran {
    run(["replay", file.to_str().unwrap()].iter().chain(arguments))
}

/// Whether a line begins with this verdict and this requirement.
fn has_line(ran: &Ran, verdict: &str, id: &str) -> bool {
    ran.stdout.lines().any(|line| line.split_whitespace().take(2).eq([verdict, id]))
}

#[test]
fn replay_fails_on_the_faulty_receiver_and_passes_on_the_reference() {
    let folder = TempDir::new().unwrap();
    let reference = serve_receiver(SECRET);
    for (fault, id) in [
        (ReceiverFault::IgnoresAddedMembers, "VER-1"),
        (ReceiverFault::AcceptsBodyAlone, "VER-5"),
        (ReceiverFault::NoWindow, "VER-11"),
    ] {
        let (_runtime, server) = serve_mutant(fault);
        let wrong = server.url("/");
        let file = saved(&folder, &wrong, id);
        for how in [&[][..], &["--as-saved"]] {
            let at = |url: &str| replay(&file, &[&["--url", url, "--secret", SECRET], how].concat());
            let ran = at(&wrong).expect(1);
            assert!(has_line(&ran, "FAIL", id), "{ran:#?}");
            for words in ["accepted (200) ", "expected not 2xx", "actual 200", "curl -q -sS -i -X POST"] {
                assert!(ran.unbroken().contains(words), "{words:?} in {ran:#?}");
            }
            let ran = at(&reference.url).expect(0);
            assert!(has_line(&ran, "pass", id), "{ran:#?}");
        }
    }
}

#[test]
fn replay_starts_exec_with_the_secret_and_path_of_the_case() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let exec = reference("receiver");
    // The seed gives the same secret again. With a window of 1 ms it rejects every delivery, and VER-11 fails.
    let blind = format!("{exec} --window 1ms");
    let mut command = twenty(["receiver", "--exec", &blind, "--path", "/hooks?x=1", "--run", "VER-11"]);
    finish({
        command.args(["--fail-on", "should", "--seed", "9", "--out"]).arg(&out);
        command
    })
    .expect(1);
    let file = out.join("cases/VER-11.json");
    let ran = replay(&file, &["--exec", &exec]).expect(0);
    assert!(ran.stdout.contains("signed again"), "{ran:#?}");
    let ran = replay(&file, &["--exec", &exec, "--as-saved"]).expect(0);
    assert!(ran.stdout.contains("as saved"), "{ran:#?}");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("\"target\": \"/hooks?x=1\""), "{text}");
}

#[test]
fn replay_is_inconclusive_when_controls_are_rejected() {
    let folder = TempDir::new().unwrap();
    let (_runtime, server) = serve_mutant(ReceiverFault::NoWindow);
    let file = saved(&folder, &server.url("/"), "VER-11");
    let refusing = always(401);
    let ran = replay(&file, &["--url", &refusing, "--secret", SECRET]).expect(3);
    assert!(has_line(&ran, "inconclusive", "VER-11") && ran.stdout.contains("401"), "{ran:#?}");
    // One hour later all its timestamps are stale.
    let text = fs::read_to_string(&file).unwrap();
    let (_, at) = text.split_once("\"at_ms\": ").unwrap();
    let at = &at[..at.find(',').unwrap()];
    let earlier = (at.parse::<u64>().unwrap() - 3_600_000).to_string();
    fs::write(&file, text.replace(at, &earlier)).unwrap();
    let ran = replay(&file, &["--url", &refusing, "--secret", SECRET, "--as-saved"]).expect(3);
    assert!(ran.stdout.contains("signed 6") && ran.stdout.contains("without --as-saved"), "{ran:#?}");
    let closed = ClosedPort::new();
    replay(&file, &["--url", &closed.url(), "--secret", SECRET])
        .expect(3)
        .complains_of(&["cannot be reached"]);
}

#[test]
fn replay_rejects_unusable_cases() {
    let folder = TempDir::new().unwrap();
    let (_runtime, server) = serve_mutant(ReceiverFault::AcceptsBodyAlone);
    let file = saved(&folder, &server.url("/"), "VER-5");
    let whole = fs::read_to_string(&file).unwrap();
    let url = server.url("/");
    let at = ["--url", &url, "--secret", SECRET];
    for (text, words) in [
        ("", &["is not JSON", "line 1"][..]),
        (&whole[..whole.len() / 2], &["is not JSON", "line "]),
        ("{}", &["it has no `format`"]),
        (&whole.replace("case/2", "case/9"), &["twenty-conform-case/9"]),
        // The case of an earlier version: the error names its format, and the command that saves a new one.
        (
            &whole.replace("case/2", "case/1"),
            &["twenty-conform-case/1", "twenty-conform-case/2", "`twenty-conform receiver` again with --out"],
        ),
        (&whole.replace("\"trial\"", "\"trail\""), &["missing field `trial`", "line "]),
        (&whole.replace("\"VER-5\"", "\"VER-5000\""), &["\"VER-5000\"", "not a requirement"]),
        (&whole.replace("\"not-accepted\"", "\"6xx\""), &["unknown variant `6xx`", "line "]),
    ] {
        let broken = folder.path().join("broken.json");
        fs::write(&broken, text).unwrap();
        let ran = replay(&broken, &at).expect(2);
        ran.complains_of(&["cannot replay ", "broken.json: "]);
        ran.complains_of(words);
    }
    replay(&folder.path().join("missing.json"), &at).expect(2).complains_of(&["missing.json"]);
    replay(folder.path(), &at).expect(2).complains_of(&["no file in it is a case", "broken.json"]);
    replay(&file, &[]).expect(2).complains_of(&["--url", "--exec"]);
    replay(&file, &["--url", &url]).expect(2).complains_of(&["--secret"]);
    replay(&file, &["--url", "http://192.0.2.1/", "--secret", "x"])
        .expect(2)
        .complains_of(&["--allow-remote"]);
    let ran = replay(&file, &["--url", &url, "--secret", "m1staken"]).expect(2);
    ran.complains_of(&["recorded with another secret"]);
}

#[test]
fn replay_restores_the_secret_and_redacts_it() {
    let folder = TempDir::new().unwrap();
    let (_runtime, server) = serve_mutant(ReceiverFault::AcceptsSecretAsHeader);
    let out = folder.path().join("out");
    let url = server.url("/");
    let mut command = twenty(["receiver", "--url", &url, "--secret", SECRET, "--run", "VER-14", "--out"]);
    command.arg(&out);
    finish(command).expect(0);
    let file = out.join("cases/VER-14.json");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("[redacted]") && !text.contains(SECRET), "{text}");
    let ran = replay(&file, &["--url", &url, "--secret", SECRET]).expect(1);
    assert!(ran.stdout.contains("[redacted]") && !ran.stdout.contains(SECRET), "{ran:#?}");
}

#[cfg(unix)]
mod watching {
    use std::io::{BufRead, BufReader};
    use std::process::{Child, ChildStdout, Stdio};

    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    use super::*;

    struct Watching {
        child: Child,
        lines: std::io::Lines<BufReader<ChildStdout>>,
    }

    impl Watching {
        fn new(arguments: &[&str]) -> Self {
            let mut command = twenty(["receiver", "--run", "RCV-1"].iter().chain(arguments));
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let lines = BufReader::new(child.stdout.take().unwrap()).lines();
            Self { child, lines }
        }

        /// The last line of the next report.
        fn result(&mut self) -> String {
            self.lines.find_map(|line| line.ok().filter(|line| line.starts_with("RESULT: "))).unwrap()
        }

        /// Ends it. Returns its status and output.
        fn end(mut self) -> Ran {
            kill(Pid::from_raw(self.child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
            // Reads to the end, or a full pipe would block it.
            self.lines.by_ref().for_each(drop);
            Ran::new(self.child.wait_with_output().unwrap())
        }
    }

    #[test]
    fn watch_runs_again_with_the_same_seed_after_a_change() {
        let folder = TempDir::new().unwrap();
        let source = folder.path().join("server.mjs");
        fs::write(&source, "one").unwrap();
        let (watched, out) = (folder.path().to_str().unwrap(), folder.path().join("out"));
        let report = format!("json={}", folder.path().join("report.json").display());
        let exec = reference("receiver");
        let mut watching = Watching::new(&[
            "--exec",
            &exec,
            "--watch",
            watched,
            "--out",
            out.to_str().unwrap(),
            "--report",
            &report,
        ]);
        let first = watching.result();
        assert!(first.starts_with("RESULT: pass must 1/1 "), "{first}");
        for text in ["longer", "longer still"] {
            fs::write(&source, text).unwrap();
            assert_eq!(watching.result(), first, "the same seed");
        }
        let ran = watching.end().expect(0);
        let notes: Vec<&str> = ran.stderr.lines().filter(|line| line.contains("running again")).collect();
        assert_eq!(notes.len(), 2, "{ran:#?}");
        for line in notes {
            assert!(line.contains("Z: ") && line.contains("server.mjs changed"), "{line}");
        }
        // The evidence is from the last run.
        let exchanges = fs::read_to_string(out.join("exchanges.jsonl")).unwrap();
        assert!(exchanges.starts_with("{\"number\":1,") && exchanges.matches("{\"number\":1,").count() == 1);
    }

    #[test]
    fn watch_exits_with_the_status_of_the_last_run() {
        let folder = TempDir::new().unwrap();
        let source = folder.path().join("x");
        let watched = folder.path().to_str().unwrap().to_owned();
        let refusing = always(401);
        let mut watching = Watching::new(&["--url", &refusing, "--secret", SECRET, "--watch", &watched]);
        assert!(watching.result().starts_with("RESULT: fail "));
        fs::write(&source, "").unwrap();
        assert!(watching.result().starts_with("RESULT: fail "));
        watching.end().expect(1);
    }

    #[test]
    fn watch_runs_again_after_a_fix() {
        let folder = TempDir::new().unwrap();
        let script = folder.path().join("receiver.sh");
        fs::write(&script, "exit 4").unwrap();
        let (exec, watched) =
            (format!("sh '{}'", script.display()), folder.path().to_str().unwrap().to_owned());
        let mut watching = Watching::new(&["--exec", &exec, "--watch", &watched]);
        assert!(watching.result().starts_with("RESULT: incomplete "));
        fs::write(&script, format!("exec {}", reference("receiver"))).unwrap();
        assert!(watching.result().starts_with("RESULT: pass "));
        watching.end().expect(0);
    }

    #[test]
    fn watch_rejects_missing_paths() {
        let folder = TempDir::new().unwrap();
        let missing = folder.path().join("missing").display().to_string();
        let ran = run(["receiver", "--exec", "x", "--watch", &missing]).expect(2);
        ran.complains_of(&["--watch", &missing]);
    }
}

#[test]
fn failures_are_written_as_tests() {
    let folder = TempDir::new().unwrap();
    let (_runtime, server) = serve_mutant(ReceiverFault::NoWindow);
    let file = saved(&folder, &server.url("/hook"), "VER-11");
    let printed = replay(&file, &["--as", "pytest", "--secret", SECRET]).expect(0);
    assert!(printed.stdout.contains("def test_ver_11():") && !printed.stdout.contains(SECRET), "{printed:?}");
    assert!(printed.stdout.contains("http://127.0.0.1:3000/hook"), "{printed:?}");
    let into = folder.path().join("tests");
    let written = |more: &[&str]| {
        let options = ["--into", into.to_str().unwrap(), "--secret", SECRET];
        replay(&file, &[&options, more].concat())
    };
    let there = written(&["--as", "curl", "--url", "http://127.0.0.1:9/x"]).expect(0);
    let script = into.join("ver_11.sh");
    assert_eq!(there.stdout.trim(), script.to_str().unwrap());
    assert!(fs::read_to_string(&script).unwrap().contains("http://127.0.0.1:9/x"));
    // It replaces no file, and writes the same again.
    written(&["--as", "curl", "--url", "http://127.0.0.1:9/x"]).expect(0);
    written(&["--as", "curl"]).expect(2).complains_of(&["ver_11.sh", "was edited"]);
    fs::write(into.join("ver_11.test.mjs"), "ours").unwrap();
    written(&["--as", "vitest"]).expect(2).complains_of(&["ver_11.test.mjs", "is not replaced"]);
    let wrong_secret = replay(&file, &["--as", "go", "--secret", "another"]).expect(2);
    wrong_secret.complains_of(&["VER-11 cannot be written as a test", "secret"]);
    let out = file.parent().unwrap().parent().unwrap().to_str().unwrap();
    run(["replay", out, "--as", "pytest", "--secret", SECRET]).expect(0);
    run(["replay", out, "--into", "x"]).expect(2).complains_of(&["--as"]);
    run(["replay", out, "--as", "rspec"]).expect(2).complains_of(&["rspec", "pytest"]);
}

#[test]
fn captured_request_is_written_as_a_test() {
    let folder = TempDir::new().unwrap();
    let body = r#"{"event":"person.created","data":{"id":"1"}}"#;
    let signed = twenty_conform::sign(SECRET, "1735066639761", body);
    let request = format!(
        "POST /hook HTTP/1.1\r\nHost: example.com\r\nContent-Type: application/json\r\n\
         X-Twenty-Webhook-Timestamp: 1735066639761\r\nX-Twenty-Webhook-Signature: {signed}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let file = folder.path().join("real delivery.http");
    fs::write(&file, request).unwrap();
    let written = replay(&file, &["--as", "go", "--secret", SECRET]).expect(0);
    assert!(written.stdout.contains("func TestRealDelivery(t *testing.T)"), "{written:?}");
    assert!(written.stdout.contains("mac(sha256.New") && !written.stdout.contains(&signed), "{written:?}");
    replay(&file, &["--as", "go"]).expect(2).complains_of(&["--secret"]);
}

#[test]
fn each_failure_has_a_test_of_its_own_name() {
    let folder = TempDir::new().unwrap();
    let (_runtime, server) = serve_mutant(ReceiverFault::NoWindow);
    let case = saved(&folder, &server.url("/hook"), "VER-11");
    let into = folder.path().join("tests");
    let written = |file: &Path, form: &str| {
        replay(file, &["--as", form, "--into", into.to_str().unwrap(), "--secret", SECRET])
    };
    // Two cases of one requirement.
    fs::copy(&case, case.with_file_name("old.json")).unwrap();
    let ran = written(case.parent().unwrap(), "go").expect(0);
    assert_eq!(ran.stdout.lines().count(), 2, "{ran:?}");
    let second = fs::read_to_string(into.join("ver_11_case_2_replay_test.go")).unwrap();
    assert!(second.contains("func TestVER11Case2(t"), "{second}");
    // Two requests of one file: the secret was redacted in one, and the other has credentials.
    let body = format!(r#"{{"event":"person.created","data":{{"id":"1","note":"{SECRET}"}}}}"#);
    let signed = twenty_conform::sign(SECRET, "1735066639761", &body);
    let line = |header: &str, redacted: bool| {
        let body = if redacted { body.replace(SECRET, "[redacted]") } else { body.clone() };
        let headers = serde_json::json!([
            ["Content-Type", "application/json"],
            ["X-Twenty-Webhook-Timestamp", "1735066639761"],
            ["X-Twenty-Webhook-Signature", signed],
            [header, "Basic eDp5"],
        ]);
        let delivery = serde_json::json!({
            "method": "POST", "target": "/", "headers": headers, "body": body, "transfer": "whole",
        });
        serde_json::json!({ "number": 1, "at_ms": 0, "took_us": 0, "delivery": delivery, "redacted": redacted })
    };
    let file = folder.path().join("kept.jsonl");
    fs::write(&file, format!("{}\n{}\n", line("X-Other", true), line("authorization", false))).unwrap();
    let ran = written(&file, "pytest").expect(0);
    assert!(ran.stderr.contains("#2 is written without authorization"), "{ran:?}");
    let [first, second] = ["test_kept_request_1.py", "test_kept_request_2.py"]
        .map(|name| fs::read_to_string(into.join(name)).unwrap());
    for text in [&first, &second] {
        assert!(text.contains("whose signature matches") && !text.contains(SECRET), "{text}");
    }
    assert!(first.contains("eDp5") && !second.contains("eDp5"), "{second}");
    // It is sent with the secret put back.
    let (_runtime, server) = serve_mutant(ReceiverFault::NoWindow);
    let sent = replay(&file, &["--url", &server.url("/"), "--secret", SECRET]).expect(0);
    assert_eq!(sent.stdout.matches("accepted (200)").count(), 2, "{sent:?}");
}

#[test]
fn nothing_is_printed_for_a_test_where_nothing_failed() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("evidence").display().to_string();
    let receiver = reference("receiver");
    run(["receiver", "--exec", &receiver, "--run", "VER-1", "--cases", "0", "--out", &out]).expect(0);
    let ran = run(["replay", &out, "--as", "pytest"]).expect(4);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("nothing to replay"), "{ran:?}");
}
