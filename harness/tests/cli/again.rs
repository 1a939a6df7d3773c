//! Running again: one saved case with `replay`, the whole suite with `--watch`.
//!
//! Invariant: the statuses are those of the interface, and no test waits for anything but what it reads.

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

/// A receiver with that fault, for as long as the values live.
fn serve_mutant(fault: ReceiverFault) -> (tokio::runtime::Runtime, Server) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (settings, late) = (Settings::new(Secret::new(SECRET)), Duration::from_secs(1));
    let mutant = Mutant::new(fault, settings, Clock::system(), late, Arc::new(|_| {}));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = runtime.block_on(http::serve(address, Arc::new(mutant))).unwrap();
    (runtime, server)
}

/// The case of a requirement that a receiver at a URL fails.
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

#[test]
fn a_finding_is_still_there_on_the_receiver_and_gone_on_the_reference() {
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
            assert!(ran.stdout.contains(&format!("\n  FAIL       {id} ")), "{ran:#?}");
            for words in
                ["was acknowledged: 200", "expected not 2xx", "actual   200", "repeat   curl -sS -i -X POST"]
            {
                assert!(ran.stdout.contains(words), "{words:?} in {ran:#?}");
            }
            let ran = at(&reference.url).expect(0);
            assert!(ran.stdout.contains(&format!("\n  pass       {id} ")), "{ran:#?}");
        }
    }
}

#[test]
fn a_command_is_started_with_the_secret_and_the_path_of_the_case() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let exec = reference("receiver");
    // Its secret is made from the seed, and so it is again. One that takes no delivery within the window fails RCV-1.
    let blind = format!("{exec} --window 1ms");
    let mut command = twenty(["receiver", "--exec", &blind, "--path", "/hooks?x=1", "--run", "VER-11"]);
    finish({
        command.args(["--fail-on", "should", "--seed", "9", "--out"]).arg(&out);
        command
    })
    .expect(1);
    let file = out.join("cases/VER-11.json");
    let ran = replay(&file, &["--exec", &exec]).expect(0);
    assert!(ran.stdout.contains("signed anew"), "{ran:#?}");
    let ran = replay(&file, &["--exec", &exec, "--as-saved"]).expect(0);
    assert!(ran.stdout.contains("as it was saved"), "{ran:#?}");
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
    assert!(ran.stdout.contains("inconclusive VER-11") && ran.stdout.contains("401"), "{ran:#?}");
    // An hour later everything in it is stale.
    let text = fs::read_to_string(&file).unwrap();
    let (_, at) = text.split_once("\"at_ms\": ").unwrap();
    let at = &at[..at.find(',').unwrap()];
    let earlier = (at.parse::<u64>().unwrap() - 3_600_000).to_string();
    fs::write(&file, text.replace(at, &earlier)).unwrap();
    let ran = replay(&file, &["--url", &refusing, "--secret", SECRET, "--as-saved"]).expect(3);
    assert!(
        ran.stdout.contains("signed 60 min ago") && ran.stdout.contains("without --as-saved"),
        "{ran:#?}"
    );
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
        // What an earlier version saved: its version, and the command that saves it anew.
        (
            &whole.replace("case/2", "case/1"),
            &["twenty-conform-case/1", "twenty-conform-case/2", "`twenty-conform receiver` again with --out"],
        ),
        (&whole.replace("\"trial\"", "\"trail\""), &["missing field `trial`", "line "]),
        (&whole.replace("\"VER-5\"", "\"VER-5000\""), &["\"VER-5000\"", "no requirement"]),
        (&whole.replace("\"not-accepted\"", "\"6xx\""), &["unknown variant `6xx`", "line "]),
    ] {
        let broken = folder.path().join("broken.json");
        fs::write(&broken, text).unwrap();
        let ran = replay(&broken, &at).expect(2);
        ran.complains_of(&["broken.json cannot be replayed"]);
        ran.complains_of(words);
    }
    replay(&folder.path().join("missing.json"), &at).expect(2).complains_of(&["missing.json"]);
    replay(folder.path(), &at).expect(2).complains_of(&["no file"]);
    replay(&file, &[]).expect(2).complains_of(&["--url", "--exec"]);
    replay(&file, &["--url", &url]).expect(2).complains_of(&["--secret"]);
    replay(&file, &["--url", "http://192.0.2.1/", "--secret", "x"])
        .expect(2)
        .complains_of(&["--allow-remote"]);
    let ran = replay(&file, &["--url", &url, "--secret", "m1staken"]).expect(2);
    ran.complains_of(&["recorded with another secret"]);
}

#[test]
fn the_secret_is_put_back_and_never_shown() {
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

        /// The line that ends the next report.
        fn result(&mut self) -> String {
            self.lines.find_map(|line| line.ok().filter(|line| line.starts_with("RESULT: "))).unwrap()
        }

        /// Ends it. Returns its status, and what it said.
        fn end(mut self) -> Ran {
            kill(Pid::from_raw(self.child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
            // Read to the end, so that it never waits for room.
            self.lines.by_ref().for_each(drop);
            Ran::new(self.child.wait_with_output().unwrap())
        }
    }

    #[test]
    fn a_change_starts_another_run_with_the_same_seed() {
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
        let told: Vec<&str> = ran.stderr.lines().filter(|line| line.contains("running again")).collect();
        assert_eq!(told.len(), 2, "{ran:#?}");
        for line in told {
            assert!(line.contains("Z: ") && line.contains("server.mjs changed"), "{line}");
        }
        // The evidence is that of the last run.
        let exchanges = fs::read_to_string(out.join("exchanges.jsonl")).unwrap();
        assert!(exchanges.starts_with("{\"number\":1,") && exchanges.matches("{\"number\":1,").count() == 1);
    }

    #[test]
    fn it_ends_with_the_status_of_the_last_run() {
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
        let ran = watching.end().expect(0);
        ran.complains_of(&["exit status: 4"]);
    }

    #[test]
    fn watch_rejects_missing_paths() {
        let folder = TempDir::new().unwrap();
        let missing = folder.path().join("missing").display().to_string();
        let ran = run(["receiver", "--exec", "x", "--watch", &missing]).expect(2);
        ran.complains_of(&["--watch", &missing]);
    }
}
