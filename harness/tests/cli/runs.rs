//! The commands that run the suite: verdicts, selection and how a run ends.
//!
//! Invariant: every exit status of a run is tested here or in `bad_input`.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use twenty_conform::clock::Clock;
use twenty_conform::peers::fault::ReceiverFault;
use twenty_conform::peers::mutant;
use twenty_conform::peers::receiver::Settings;
use twenty_conform::suite::requirement::{Level, Role};
use twenty_conform::suite::requirements;
use twenty_conform::webhook::signature::Secret;
use twenty_conform::wire::endpoint::http;

use super::program::{Ran, Report, judged, reference, run};
use crate::peers::servers::{ClosedPort, always};

/// The ids of the requirements on a role.
fn of(role: Role) -> BTreeSet<&'static str> {
    requirements::all().filter(|requirement| requirement.role() == role).map(|one| one.id).collect()
}

/// The requirements that a receiver fails if it verifies nothing.
const VERIFICATION: [&str; 6] = ["VER-1", "VER-2", "VER-3", "VER-4", "VER-5", "VER-6"];

/// Fails unless every requirement on a role passed or is not applicable.
#[track_caller]
fn passes(report: &Report, role: Role) {
    let passed_or_not_applicable = &report.with("pass") | &report.with("not-applicable");
    assert_eq!(passed_or_not_applicable, of(role));
    assert!(report.with("pass").len() > report.with("not-applicable").len());
}

fn demo(dialect: &str) {
    let ran = run(["demo", "--dialect", dialect, "--seed", "7", "-v", "--cases", "64"]).expect(0);
    let line = ran.result_line();
    assert!(
        line.starts_with("RESULT: pass must ")
            && line.contains(" inconclusive 0 n/a ")
            && line.ends_with(" seed 7"),
        "{ran:#?}"
    );
    assert!(ran.stdout.ends_with(&format!("{line}\n")));
    for requirement in requirements::all() {
        assert!(ran.stdout.contains(&format!(" {:<6} ", requirement.id)), "{}: {ran:#?}", requirement.id);
    }
    assert_eq!(ran.stderr, "");
}

#[test]
fn demo_passes_in_the_documented_dialect() {
    demo("documented");
}

#[test]
fn demo_passes_in_the_shipped_dialect() {
    demo("shipped");
}

#[test]
fn reference_receiver_passes_with_exec() {
    for dialect in ["documented", "shipped"] {
        let (ran, report) =
            judged(["receiver", "--dialect", dialect, "--exec", &reference("receiver"), "--cases", "64"]);
        ran.expect(0);
        passes(&report, Role::Receiver);
    }
}

#[test]
fn reference_sender_passes_with_exec() {
    for dialect in ["documented", "shipped"] {
        let (ran, report) =
            judged(["sender", "--dialect", dialect, "--exec", &reference("sender"), "--cases", "64"]);
        ran.expect(0);
        passes(&report, Role::Sender);
    }
}

#[test]
fn accepting_everything_fails_every_verification() {
    let (ran, report) = judged(["receiver", "--url", &always(200), "--secret", "s3cr3t"]);
    assert!(ran.expect(1).result_line().starts_with("RESULT: fail "));
    for id in VERIFICATION {
        assert_eq!(report.check(id)["verdict"], "fail", "{id}");
        assert_eq!(report.cause(id), "accepts.everything", "{id}");
    }
    assert!(report.with("pass").contains("RCV-1"));
}

#[test]
fn rejecting_everything_passes_no_verification() {
    let (ran, report) = judged(["receiver", "--url", &always(401), "--secret", "s3cr3t"]);
    assert!(ran.expect(1).result_line().starts_with("RESULT: fail "));
    assert!(report.with("fail").contains("RCV-1"));
    assert_eq!(report.cause("RCV-1"), "refuses.everything");
    assert!(!report.with("pass").iter().any(|id| id.starts_with("VER-")), "{:?}", report.with("pass"));
    assert!(report.with("inconclusive").is_superset(&VERIFICATION.into()));
}

#[test]
fn same_seed_gives_the_same_verdicts() {
    let url = always(200);
    let once = || judged(["receiver", "--url", &url, "--secret", "s3cr3t", "--seed", "11"]).1;
    let (one, other) = (once(), once());
    assert_eq!(one.verdicts(), other.verdicts());
    let findings = |report: &Report| {
        let ids = report.verdicts().into_iter().map(|(id, _)| id.to_owned()).collect::<Vec<_>>();
        ids.into_iter()
            .map(|id| (report.message(&id).to_owned(), report.check(&id)["exchanges"].clone()))
            .collect()
    };
    let (one, other): (Vec<_>, Vec<_>) = (findings(&one), findings(&other));
    assert_eq!(one, other);
    let conforming = || judged(["receiver", "--exec", &reference("receiver"), "--seed", "11"]).1;
    let (one, other) = (conforming(), conforming());
    assert_eq!(one.verdicts(), other.verdicts());
    assert_eq!((&one.0["seed"], &one.0["exchanges"]), (&other.0["seed"], &other.0["exchanges"]));
}

/// The requirements on receivers that these options select.
fn selected(options: &[&str]) -> (Ran, Vec<String>) {
    let exec = reference("receiver");
    let (ran, report) = judged(["receiver", "--exec", &exec].iter().chain(options));
    (ran, report.verdicts().into_iter().map(|(id, _)| id.to_owned()).collect())
}

#[test]
fn patterns_and_levels_select_requirements() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("patterns");
    fs::write(&file, "# a comment\n\n  VER-1\nreceiver/*/header-case\n").unwrap();
    let file = format!("@{}", file.display());
    for (options, expected) in [
        (&["--run", "VER-1"][..], &["VER-1"][..]),
        (&["--run", "VER-1", "--run", "RCV-3"], &["RCV-3", "VER-1"]),
        (&["--run", "VER-1,RCV-3"], &["RCV-3", "VER-1"]),
        (&["--run", &file], &["RCV-3", "VER-1"]),
        (
            &["--run", "receiver/verification/altered-*", "--skip", "VER-*", "--run", "**/reception/genuine"],
            &["RCV-1"],
        ),
        (&["--run", "receiver/**", "--skip", "VER-*", "--skip", "RCV-[1-7]", "--skip", "RCV-?"], &[]),
        (&["--run", "RCV-1,RCV-2,RCV-3", "--level", "must"], &["RCV-1", "RCV-3"]),
    ] {
        if expected.is_empty() {
            // Brackets are not a wildcard.
            let exec = reference("receiver");
            run(["receiver", "--exec", &exec].iter().chain(options)).expect(2).complains_of(&["RCV-[1-7]"]);
            continue;
        }
        let (ran, ids) = selected(options);
        assert_eq!(ids, expected, "{options:?}");
        ran.expect(0);
    }
    let (_, mut ids) = selected(&["--level", "must"]);
    ids.sort_unstable();
    let must = |id: &&str| requirements::all().any(|one| one.id == *id && one.level == Level::Must);
    assert_eq!(ids, of(Role::Receiver).into_iter().filter(must).collect::<Vec<_>>());
}

#[test]
fn unmatched_pattern_exits_2() {
    let exec = reference("receiver");
    let run = |options: &[&str]| run(["receiver", "--exec", &exec].iter().chain(options));
    run(&["--run", "VER-999"]).expect(2).complains_of(&["\"VER-999\"", "twenty-conform list"]);
    run(&["--skip", "receiver/none/*"]).expect(2).complains_of(&["\"receiver/none/*\""]);
    run(&["--run", ""]).expect(2).complains_of(&["\"\""]);
    // SUB-1 is a requirement on senders.
    run(&["--run", "SUB-1"]).expect(2).complains_of(&["\"SUB-1\""]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("patterns");
    fs::write(&file, "VER-1\nVER-999\n").unwrap();
    run(&["--run", &format!("@{}", file.display())]).expect(2).complains_of(&["\"VER-999\""]);
    run(&["--run", "@no/such/file"]).expect(2).complains_of(&["no/such/file"]);
}

#[test]
fn empty_selection_exits_4() {
    let (ran, ids) = selected(&["--run", "VER-1", "--skip", "VER-*"]);
    let ran = ran.expect(4);
    ran.complains_of(&["nothing was selected"]);
    assert!(ran.result_line().starts_with("RESULT: incomplete must 0/0 "), "{ran:#?}");
    assert_eq!(ids, Vec::<String>::new());
}

#[test]
fn only_gated_levels_fail_a_run() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let secret = Secret::new("s3cr3t");
    let fault = ReceiverFault::RejectsUnknownEvents;
    let late = Duration::from_secs(1);
    let settings = Settings::new(secret);
    let mutant = mutant::receiver::Mutant::new(fault, settings, Clock::system(), late, Arc::new(|_| {}));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = runtime.block_on(http::serve(address, Arc::new(mutant))).unwrap();
    for (gate, status, result) in [("must", 0, "RESULT: pass "), ("should", 1, "RESULT: fail ")] {
        let (ran, report) =
            judged(["receiver", "--url", &server.url("/"), "--secret", "s3cr3t", "--fail-on", gate]);
        let failed = report.with("fail");
        assert!(failed.contains("RCV-2"), "{failed:?}");
        assert!(failed.iter().all(|id| report.check(id)["level"] == "should"), "{failed:?}");
        assert!(ran.expect(status).result_line().starts_with(result));
    }
}

#[test]
fn unreachable_subjects_are_named() {
    let closed = ClosedPort::new();
    let ran = run(["receiver", "--url", &closed.url(), "--secret", "s3cr3t"]).expect(3);
    ran.says(&[&closed.address.to_string(), &closed.url(), "refused"]);
    for role in ["receiver", "sender"] {
        run([role, "--exec", "no-such-command --at all"]).expect(3).says(&["\"no-such-command\""]);
        run([role, "--exec", "quote ' missing"]).expect(2).complains_of(&["quote ' missing"]);
        run([role, "--exec", ""]).expect(2).complains_of(&["\"\""]);
    }
    run(["receiver", "--url", &closed.url()]).expect(2).complains_of(&["--secret"]);
    run(["receiver", "--exec", "x", "--path", "hooks"]).expect(2).complains_of(&["\"hooks\"", "slash"]);
}

#[cfg(unix)]
mod interrupted {
    use std::fs;
    use std::io::{Read, Write};
    use std::process::{Child, Stdio};
    use std::sync::mpsc;

    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    use super::super::program::{Ran, Report, twenty};
    use crate::implementations::is_missing;
    use crate::peers::servers::{read_request, serve};

    /// Connects to a URL and stays connected while it lives.
    const GRANDCHILD: &str = "
import socket, sys, time, urllib.parse
url = urllib.parse.urlsplit(sys.argv[1])
held = socket.create_connection((url.hostname, url.port))
held.sendall(b'x')
time.sleep(600)
";

    fn signal(child: &Child, signal: Signal) {
        kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Sends a signal to the binary while its first request waits for an answer.
    fn interrupt_run_with(with: Signal) {
        let (arrived, arrival) = mpsc::channel();
        let url = serve(move |mut stream| {
            if read_request(&mut stream)? {
                let _ = arrived.send(());
                // Never answers, and reads until the other side closes.
                stream.read_to_end(&mut Vec::new())?;
            }
            Ok(())
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        let mut command = twenty(["receiver", "--url", &url, "--secret", "s3cr3t", "--timeout", "300s"]);
        command.arg("--report").arg(format!("json={}", path.display()));
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        arrival.recv().unwrap();
        signal(&child, with);
        let ran = Ran::new(child.wait_with_output().unwrap()).expect(130);
        assert!(ran.stdout.contains("interrupted"), "{ran:#?}");
        assert!(ran.result_line().starts_with("RESULT: interrupted "), "{ran:#?}");
        let report = Report::read(&path).unwrap();
        assert_eq!(report.0["interrupted"], true);
        assert_eq!(report.0["exit_status"], 130);
        for verdict in ["pass", "fail", "error"] {
            assert_eq!(report.with(verdict), [].into());
        }
    }

    #[test]
    fn interrupted_runs_leave_a_partial_report() {
        interrupt_run_with(Signal::SIGINT);
    }

    #[test]
    fn terminated_runs_leave_a_partial_report() {
        interrupt_run_with(Signal::SIGTERM);
    }

    #[test]
    fn interrupt_before_a_receiver_is_ready_ends_all_processes() {
        let (started, start) = mpsc::channel();
        let url = serve(move |stream| {
            let _ = started.send(stream);
            Ok(())
        });
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("grandchild.py");
        fs::write(&script, GRANDCHILD).unwrap();
        let exec = format!("sh -c 'python3 {} {url} & wait'", script.display());
        if is_missing("python3") {
            return;
        }
        let child = twenty(["receiver", "--ready-timeout", "300s", "--exec", &exec])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut held = start.recv().unwrap();
        held.read_exact(&mut [0]).unwrap();
        signal(&child, Signal::SIGINT);
        Ran::new(child.wait_with_output().unwrap()).expect(130).says(&["interrupted"]);
        // The end of the grandchild closes the connection.
        assert_eq!(held.read(&mut [0]).unwrap_or(0), 0);
    }

    #[test]
    fn serve_receiver_exits_0_when_interrupted() {
        let mut child = twenty(["serve", "receiver", "--port", "0", "--secret", "s3cr3t"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It listens from its first output on.
        child.stderr.as_mut().unwrap().read_exact(&mut [0; 12]).unwrap();
        signal(&child, Signal::SIGINT);
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }

    #[test]
    fn serve_sender_exits_0_at_the_end_of_input() {
        let mut child =
            twenty(["serve", "sender"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input
            .write_all(b"{\"id\":1,\"op\":\"hello\",\"protocol\":1,\"dialect\":\"shipped\"}\nrubbish\n")
            .unwrap();
        drop(input);
        let ran = Ran::new(child.wait_with_output().unwrap()).expect(0);
        let lines: Vec<&str> = ran.stdout.lines().collect();
        assert_eq!(lines.len(), 2, "{ran:#?}");
        assert!(lines[0].starts_with("{\"id\":1,\"ok\":{") && lines[0].contains("\"outcomes\""), "{ran:#?}");
        assert!(lines[1].starts_with("{\"id\":null,\"error\":{"), "{ran:#?}");
    }
}
