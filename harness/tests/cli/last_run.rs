//! `replay` of more than one case: the failures of the last run, folders of cases, and captured requests.
//!
//! Invariant: every test has a folder for caches and a current folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use twenty_conform::clock::Clock;
use twenty_conform::peers::fault::ReceiverFault;
use twenty_conform::peers::mutant::receiver::Mutant;
use twenty_conform::peers::receiver::Settings;
use twenty_conform::webhook::signature::Secret;
use twenty_conform::wire::endpoint::{Server, http};

use super::program::{Ran, finish, reference, serve_receiver, twenty};
use crate::peers::servers::always;

const SECRET: &str = "s3cr3t-of-the-last-run";

/// A folder in which runs are started, and the one for caches.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: TempDir::new().unwrap() };
        fs::create_dir(place.own()).unwrap();
        place
    }

    fn own(&self) -> PathBuf {
        self.folder.path().join("own")
    }

    fn runs(&self) -> PathBuf {
        self.folder.path().join("cache/twenty-conform/runs")
    }

    /// The kept runs, the oldest first.
    fn kept(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.runs()).into_iter().flatten();
        let mut kept: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        kept.sort();
        kept
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = twenty(arguments);
        command.current_dir(self.own()).env("XDG_CACHE_HOME", self.folder.path().join("cache"));
        command.env_remove("TWENTY_CONFORM_NO_CACHE");
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        finish(self.command(arguments))
    }

    /// Tests a receiver with few cases.
    fn test(&self, attached: &[&str], run: &[&str]) -> Ran {
        let runs = run.iter().flat_map(|id| ["--run", id]);
        let arguments = ["receiver"].iter().chain(attached).copied().chain(runs);
        self.run(&arguments.chain(["--fail-on", "should", "--cases", "2"]).collect::<Vec<_>>())
    }
}

/// A receiver with this fault; it ends when the values are dropped.
fn serve_mutant(fault: ReceiverFault) -> (tokio::runtime::Runtime, Server) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (settings, late) = (Settings::new(Secret::new(SECRET)), Duration::from_secs(1));
    let mutant = Mutant::new(fault, settings, Clock::system(), late, Arc::new(|_| {}));
    let server = runtime.block_on(http::serve(([127, 0, 0, 1], 0).into(), Arc::new(mutant))).unwrap();
    (runtime, server)
}

fn last_line(ran: &Ran) -> &str {
    ran.stdout.lines().last().unwrap_or_default()
}

fn has(ran: &Ran, line: &str) -> bool {
    ran.stdout.lines().any(|one| one.starts_with(line))
}

/// Every file in a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn last_run_is_replayed_on_the_same_receiver_until_it_is_fixed() {
    let place = Place::new();
    let script = place.own().join("window.txt");
    // What the command does depends on a file, as it does on the source of a program.
    let exec = format!(
        "sh -c 'exec {} --window \"$(cat window.txt)$UNIT\"'",
        reference("receiver").replace('\'', "")
    );
    let attached = ["--exec", &exec, "--path", "/hooks", "--env", "UNIT=ms"];
    place.run(&["replay"]).expect(2).complains_of(&["no run is kept", "`twenty-conform receiver`"]);
    // Deliveries that are 59 s old are rejected, and controls are not.
    fs::write(&script, "30000").unwrap();
    place.test(&attached, &["VER-11"]).expect(1);
    let ran = place.run(&["replay"]).expect(1);
    assert!(has(&ran, "VER-11 still there: rejected (401) "), "{ran:#?}");
    assert_eq!(last_line(&ran), "RESULT: fail fixed 0 still there 1 changed 0 not judged 0");
    assert!(ran.stdout.contains("the last run, "), "{ran:#?}");
    // A replay is no run: the failure is still the last one.
    fs::write(&script, "300000").unwrap();
    let ran = place.run(&["replay"]).expect(0);
    assert!(has(&ran, "VER-11 fixed"), "{ran:#?}");
    assert_eq!(last_line(&ran), "RESULT: pass fixed 1 still there 0 changed 0 not judged 0");
    place.test(&attached, &["VER-11"]).expect(0);
    let ran = place.run(&["replay"]).expect(4);
    assert!(ran.stdout.contains("no requirement failed in the last run"), "{ran:#?}");
    assert!(last_line(&ran).starts_with("RESULT: incomplete "), "{ran:#?}");
    // A last run that cannot be read is not replaced by an older one.
    fs::write(place.kept().last().unwrap().join("last-run.json"), "{").unwrap();
    place.run(&["replay"]).expect(2).complains_of(&["last-run.json", "test the receiver again"]);
    // Another folder has its own last run.
    let mut elsewhere = place.command(&["replay"]);
    elsewhere.current_dir(place.folder.path());
    finish(elsewhere).expect(2).complains_of(&["no run from this folder is kept", "own"]);
}

#[test]
fn last_run_has_no_secret_and_asks_for_the_one_that_was_given() {
    let place = Place::new();
    let (_runtime, server) = serve_mutant(ReceiverFault::AcceptsSecretAsHeader);
    let url = server.url("/");
    let file = place.folder.path().join("secret.txt");
    fs::write(&file, SECRET).unwrap();
    place.test(&["--url", &url, "--secret", SECRET], &["VER-14"]);
    for path in files(&place.runs()) {
        assert!(!fs::read_to_string(&path).unwrap().contains(SECRET), "{}", path.display());
    }
    place.run(&["replay"]).expect(2).complains_of(&["give it again with --secret"]);
    let ran = place.run(&["replay", "--secret", SECRET]).expect(1);
    assert!(has(&ran, "VER-14 still there: accepted (200) ") && !ran.stdout.contains(SECRET), "{ran:#?}");
    let ran = place.run(&["replay", "--secret", "another"]).expect(3);
    assert!(has(&ran, "VER-14 not judged: the valid control delivery was rejected"), "{ran:#?}");
    // The name of a file is no secret.
    place.test(&["--url", &url, "--secret-file", file.to_str().unwrap()], &["VER-14"]);
    place.run(&["replay"]).expect(1);
    // A variable of the command that has the secret is kept without it, and has it again.
    let exec = format!(
        "sh -c 'test \"$OWN\" = {SECRET} && exec {} --window 30s'",
        reference("receiver").replace('\'', "")
    );
    let own = format!("OWN={SECRET}");
    place.test(&["--exec", &exec, "--env", &own, "--secret", SECRET], &["VER-11"]).expect(1);
    assert!(files(&place.runs()).iter().all(|path| !fs::read_to_string(path).unwrap().contains(SECRET)));
    place.run(&["replay", "--secret", SECRET]).expect(1);
}

#[test]
fn newest_runs_are_kept_and_a_folder_that_cannot_be_written_is_a_note() {
    let place = Place::new();
    let (_runtime, server) = serve_mutant(ReceiverFault::AcceptsBodyAlone);
    let url = server.url("/");
    let at = ["--url", &url, "--secret", SECRET];
    let both: Vec<_> = (0..2)
        .map(|_| {
            let mut command = place.command(&[&["receiver"], &at[..], &["--run", "VER-5"]].concat());
            command.stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut run in both {
        assert_eq!(run.wait().unwrap().code(), Some(1));
    }
    assert_eq!(place.kept().len(), 2);
    let first = place.kept();
    for _ in 0..5 {
        place.test(&at, &["VER-5"]).expect(1);
    }
    let kept = place.kept();
    assert!(kept.len() == 5 && kept.iter().all(|run| !first.contains(run)), "{kept:?}");
    place.test(&[&at[..], &["--no-cache"]].concat(), &["VER-5"]).expect(1);
    assert_eq!(place.kept(), kept);
    let mut command = place.command(&[&["receiver"], &at[..], &["--run", "VER-5"]].concat());
    command.env("XDG_CACHE_HOME", "/dev/null");
    let ran = finish(command).expect(1);
    assert!(ran.stderr.contains("not kept in ") && ran.stderr.contains("--no-cache"), "{ran:#?}");
    // Where nothing failed, nothing is lost.
    let served = serve_receiver(SECRET);
    let mut command =
        place.command(&["receiver", "--url", &served.url, "--secret", SECRET, "--run", "VER-5"]);
    command.env("XDG_CACHE_HOME", "/dev/null");
    assert!(!finish(command).expect(0).stderr.contains("not kept"));
}

#[test]
fn folder_is_replayed_case_by_case() {
    let place = Place::new();
    let (_runtime, server) = serve_mutant(ReceiverFault::AcceptsBodyAlone);
    let wrong = server.url("/");
    let at = |url: &str, secret: &str| -> Vec<String> {
        ["--url", url, "--secret", secret].map(str::to_owned).to_vec()
    };
    let replay = |what: &str, at: &[String]| {
        let mut arguments = vec!["replay", what];
        arguments.extend(at.iter().map(String::as_str));
        place.run(&arguments)
    };
    place.test(&["--url", &wrong, "--secret", SECRET, "--out", "out"], &["VER-5", "RCV-1"]).expect(1);
    for folder in ["out", "out/cases"] {
        let ran = replay(folder, &at(&wrong, SECRET)).expect(1);
        assert!(has(&ran, "VER-5 still there: accepted (200) "), "{ran:#?}");
    }
    // Two more cases: one with another answer in the run, one that is broken.
    let case = fs::read_to_string(place.own().join("out/cases/VER-5.json")).unwrap();
    fs::write(
        place.own().join("out/cases/VER-6.json"),
        case.replace("\"actual\": \"200\"", "\"actual\": \"204\""),
    )
    .unwrap();
    fs::write(place.own().join("out/cases/VER-7.json"), "{").unwrap();
    let ran = replay("out", &at(&wrong, SECRET)).expect(1);
    assert!(
        has(&ran, "VER-5 changed: accepted (200) ") && ran.stdout.contains("; in the run: 204"),
        "{ran:#?}"
    );
    assert!(has(&ran, "VER-7.json not judged: it is not JSON"), "{ran:#?}");
    assert_eq!(last_line(&ran), "RESULT: fail fixed 0 still there 1 changed 1 not judged 1");
    let served = serve_receiver(SECRET);
    let ran = replay("out", &at(&served.url, SECRET)).expect(3);
    assert_eq!(last_line(&ran), "RESULT: incomplete fixed 2 still there 0 changed 0 not judged 1");
    let ran = replay("out", &at(&always(401), SECRET)).expect(3);
    assert_eq!(last_line(&ran), "RESULT: incomplete fixed 0 still there 0 changed 0 not judged 3");
    // Folders without cases.
    fs::create_dir(place.own().join("empty")).unwrap();
    replay("empty", &at(&wrong, SECRET)).expect(2).complains_of(&["it has no cases", "--out"]);
    place.test(&["--url", &served.url, "--secret", SECRET, "--out", "passed"], &["VER-5"]).expect(0);
    let ran = replay("passed", &at(&wrong, SECRET)).expect(4);
    assert!(ran.stdout.contains("nothing to replay"), "{ran:#?}");
    place.run(&["sender", "--exec", &reference("sender"), "--run", "DLV-1", "--out", "sent"]);
    replay("sent", &at(&wrong, SECRET)).expect(2).complains_of(&["sender's run"]);
}

#[test]
fn captured_request_is_sent_again_and_judged_by_its_signature() {
    let place = Place::new();
    let body = r#"{"event":"person.created","data":{"id":"abc12345"},"timestamp":"2025-02-10T15:30:50Z"}"#;
    let old = "1735066639761";
    let write = |name: &str, timestamp: &str, signed: &str| {
        let signature = twenty_conform::sign(SECRET, timestamp, signed);
        let request = format!(
            "POST /own?x=1 HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nX-Twenty-Webhook-Timestamp: {timestamp}\r\n\
             X-Twenty-Webhook-Signature: {signature}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        fs::write(place.own().join(name), request).unwrap();
    };
    write("valid.http", old, body);
    write("wrong.http", old, "{}");
    let exec = reference("receiver");
    let on_reference = |file: &str, how: &[&str]| {
        place.run(&[&["replay", file, "--exec", &exec, "--secret", SECRET], how].concat())
    };
    let ran = on_reference("valid.http", &[]).expect(0);
    assert!(has(&ran, "valid.http as expected: accepted (200) "), "{ran:#?}");
    assert_eq!(last_line(&ran), "RESULT: pass as expected 1 wrong 0 not judged 0");
    let ran = on_reference("wrong.http", &[]).expect(0);
    assert!(has(&ran, "wrong.http as expected: rejected (401) "), "{ran:#?}");
    // Its timestamp is too old, which is no fault of the receiver.
    let ran = on_reference("valid.http", &["--as-saved"]).expect(3);
    assert!(ran.stdout.contains("without --as-saved"), "{ran:#?}");
    on_reference("wrong.http", &["--as-saved"]).expect(0);
    for (url, file, status) in
        [(always(401), "valid.http", 1), (always(200), "wrong.http", 1), (always(401), "wrong.http", 3)]
    {
        let ran = place.run(&["replay", file, "--url", &url, "--secret", SECRET]);
        assert_eq!(ran.status, Some(status), "{file} {ran:#?}");
    }
    // Whether it is valid depends on the secret.
    place.run(&["replay", "valid.http", "--exec", &exec]).expect(2).complains_of(&["the secret is missing"]);
    for bytes in [&b"neither\n"[..], b"\xff\xfe\0", b"GET / HTTP/1.1\r\n"] {
        fs::write(place.own().join("other"), bytes).unwrap();
        let ran =
            place.run(&["replay", "other", "--url", "http://127.0.0.1:9/", "--secret", SECRET]).expect(2);
        ran.complains_of(&["other"]);
    }
}
