//! `listen --out`: every delivery that was acknowledged is stored, even if it is killed or the disk is full.
//!
//! Invariant: what the senders saw acknowledged is compared with what the files have.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use super::listen::{Listening, SECRET, body, request, valid};
use super::program::twenty;
use crate::skip::skip_for_rights;

const CONNECTIONS: usize = 8;

/// What a load saw: the records that were acknowledged, and how many deliveries were answered 503.
#[derive(Debug, Default)]
struct Load {
    acknowledged: BTreeSet<String>,
    unavailable: usize,
}

/// Sends deliveries over several connections, `each` per connection, or until a connection ends. Calls `after` once `count` are
/// answered.
fn load(address: &str, each: usize, count: usize, after: impl FnOnce()) -> Load {
    let answered = AtomicUsize::new(0);
    let mut load = Load::default();
    thread::scope(|scope| {
        let sender = |connection: usize| {
            let answered = &answered;
            scope.spawn(move || {
                let mut seen = Load::default();
                let Ok(mut stream) = TcpStream::connect(address) else { return seen };
                let mut answers = BufReader::new(stream.try_clone().unwrap());
                for id in (0..each).map(|at| connection * each + at) {
                    let signed = |now, body: &str| format!("{now}:{body}");
                    let sent = stream.write_all(&request("/", &body(id), "keep-alive", signed));
                    let Some(status) = sent.ok().and_then(|()| status(&mut answers)) else { break };
                    match status {
                        200 => drop(seen.acknowledged.insert(format!("r{id}"))),
                        503 => seen.unavailable += 1,
                        other => panic!("answered {other}"),
                    }
                    answered.fetch_add(1, Ordering::SeqCst);
                }
                seen
            })
        };
        let senders: Vec<_> = (0..CONNECTIONS).map(sender).collect();
        while answered.load(Ordering::SeqCst) < count {
            thread::yield_now();
        }
        after();
        for sender in senders {
            let seen = sender.join().unwrap();
            load.acknowledged.extend(seen.acknowledged);
            load.unavailable += seen.unavailable;
        }
    });
    load
}

/// The status of the next answer, after all of the answer was read. `None` if the connection ended.
fn status(answers: &mut impl BufRead) -> Option<u16> {
    let mut line = String::new();
    answers.read_line(&mut line).ok()?;
    let status = line.split(' ').nth(1)?.parse().ok()?;
    let mut length = 0;
    while line != "\r\n" {
        line.clear();
        if answers.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    answers.read_exact(&mut vec![0; length]).ok()?;
    Some(status)
}

/// The records in the whole lines of `deliveries.jsonl`. Each has its file.
fn stored(folder: &Path) -> BTreeSet<String> {
    let lines = fs::read_to_string(folder.join("deliveries.jsonl")).unwrap();
    let whole = lines.rfind('\n').map_or(0, |end| end + 1);
    let record = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
        let body = line["delivery"]["body"].as_str().unwrap();
        let file = fs::read_to_string(folder.join(format!("{}.http", line["number"]))).unwrap();
        assert!(file.ends_with(body), "{file}");
        let body: Value = serde_json::from_str(body).unwrap();
        body["data"]["id"].as_str().unwrap().to_owned()
    };
    lines[..whole].lines().map(record).collect()
}

/// `listen --json` in a shell that runs these commands before.
pub(super) fn after_commands(commands: &str, arguments: &[&str]) -> Command {
    let listen = twenty(["listen", "--json"].iter().chain(arguments));
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{commands}; exec \"$@\"")).arg("sh").arg(listen.get_program());
    command.args(listen.get_args()).current_dir(env!("CARGO_MANIFEST_DIR"));
    for (name, value) in listen.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// Asserts that a load on a disk without room lost nothing that it acknowledged, and that `listen` said so.
fn assert_honest(load: &Load, folder: &Path, lines: &[Value], status: Option<i32>) {
    assert_eq!(stored(folder), load.acknowledged);
    assert!(!load.acknowledged.is_empty() && load.unavailable > 0, "{load:?}");
    let text = fs::read_to_string(folder.join("deliveries.jsonl")).unwrap();
    assert!(text.ends_with('\n'), "half a line is left");
    let (summary, judged) = lines.split_last().unwrap();
    let not_stored = judged.iter().filter(|line| line["stored"] == false);
    assert!(not_stored.clone().all(|line| line["status"] == 503 && line["verdict"] == "pass"));
    assert_eq!(not_stored.count(), load.unavailable);
    let summary = &summary["summary"];
    let all = load.acknowledged.len() + load.unavailable;
    let counted = |what: &str, count: usize| assert_eq!(summary[what], count, "{what}: {summary}");
    counted("received", all);
    counted("judged", all);
    counted("stored", load.acknowledged.len());
    counted("not_stored", load.unavailable);
    assert_eq!(
        (status, &summary["result"], &summary["exit_status"]),
        (Some(70), &"error".into(), &70.into())
    );
}

#[test]
fn every_acknowledged_delivery_is_stored_when_listen_is_killed() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().display().to_string();
    let mut listening = Listening::new(&["--secret", SECRET, "--out", &out]);
    let address = listening.authority().to_owned();
    let output = listening.read_on();
    let load = load(&address, 100_000, 400, || listening.child.kill().unwrap());
    listening.child.wait().unwrap();
    output.join().unwrap();
    let stored = stored(folder.path());
    assert!(load.acknowledged.len() >= 400, "{}", load.acknowledged.len());
    let lost: Vec<_> = load.acknowledged.difference(&stored).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), load.acknowledged.len());
}

#[test]
fn listen_answers_503_past_the_limit_on_file_sizes() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().display().to_string();
    // 64 or 128 KiB, by the shell.
    let limited = after_commands("ulimit -f 128", &["--secret", SECRET, "--out", &out]);
    let mut listening = Listening::of(limited);
    let address = listening.authority().to_owned();
    let output = listening.read_on();
    let long = body(0).replace("Łódź", &"x".repeat(200_000));
    let answer = listening.send(&valid("/", &long));
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("1.http"), "{answer}");
    assert!(!folder.path().join("1.http").exists());
    // Others still fit.
    let mut load = load(&address, 100, 1, || {});
    load.unavailable += 1;
    listening.interrupt();
    let status = listening.child.wait().unwrap().code();
    assert_honest(&load, folder.path(), &output.join().unwrap(), status);
    let transcript = folder.path().join("deliveries.jsonl").display().to_string();
    super::program::run(["sender", "--transcript", &transcript, "--secret", SECRET, "-q"]).expect(0);
}

/// A mounted file system, until it is dropped.
struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = Command::new("umount").arg(self.0).status();
    }
}

#[test]
fn listen_answers_503_on_a_full_disk() {
    let folder = TempDir::new().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=512k", "tmpfs"])
        .arg(folder.path())
        .output()
        .is_ok_and(|mounted| mounted.status.success());
    if !mounted {
        skip_for_rights("listen_answers_503_on_a_full_disk", "a tmpfs cannot be mounted");
        return;
    }
    let _mounted = Mounted(folder.path());
    let (out, filler) = (folder.path().join("kept"), folder.path().join("filler"));
    fs::write(&filler, vec![0; 100_000]).unwrap();
    let said = TempDir::new().unwrap();
    let notes = said.path().join("stderr");
    let mut command = twenty(["listen", "--json", "--secret", SECRET, "--out", &out.display().to_string()]);
    command.stderr(fs::File::create(&notes).unwrap());
    let mut listening = Listening::of(command);
    let address = listening.authority().to_owned();
    let output = listening.read_on();
    let mut load = load(&address, 100, 1, || {});
    // There is room again.
    fs::remove_file(&filler).unwrap();
    let answer = listening.send(&valid("/", &body(9_999)));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    load.acknowledged.insert("r9999".to_owned());
    listening.interrupt();
    let status = listening.child.wait().unwrap().code();
    let lines = output.join().unwrap();
    let notes = fs::read_to_string(notes).unwrap();
    assert_eq!(notes.matches("are answered 503: cannot write ").count(), 1, "{notes}");
    assert_honest(&load, &out, &lines, status);
}
