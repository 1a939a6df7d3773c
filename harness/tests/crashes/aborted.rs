//! Receivers that end at a request that is cut off (VER-9).

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::yield_now;

use serde_json::Value;
use tempfile::TempDir;
use twenty_conform::subject::port::free_port;

use super::{ends, python, shown_by};
use crate::cli::program::{Ran, Report, Running, finish, run, twenty};
use crate::implementations::is_missing;

const OPTIONS: [&str; 4] = ["--run", "RCV-1,VER-6,VER-9", "--cases", "8"];

/// Runs the suite on a receiver with evidence in a folder.
fn judged(attached: &[&str], out: &Path) -> (Ran, Report) {
    let mut command = twenty(["receiver"].iter().chain(attached).chain(&OPTIONS));
    command.arg("--out").arg(out);
    let ran = finish(command);
    (ran, Report::read(&out.join("report.json")).unwrap())
}

/// Fails unless VER-9 alone fails, because of a delivery that was cut off.
#[track_caller]
fn assert_ended_by_abort((ran, report): &(Ran, Report), out: &Path, how: &str) {
    assert_eq!(ran.status, Some(1), "{ran:#?}");
    assert_eq!(report.with("fail"), ["VER-9"].into(), "{ran:#?}");
    assert_eq!(report.cause("VER-9"), "crash.aborted-request");
    assert!(report.message("VER-9").contains(how), "{}", report.message("VER-9"));
    let shown = shown_by(report, "VER-9");
    assert_eq!(ends(report), shown, "{ran:#?}");
    let exchanges = fs::read_to_string(out.join("exchanges.jsonl")).unwrap();
    let exchanges = exchanges.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let named = exchanges.filter(|one| shown.contains(&one["number"].as_u64().unwrap().try_into().unwrap()));
    for exchange in named {
        let transfer = &exchange["delivery"]["transfer"];
        assert!(!transfer["broken"].is_null() || !transfer["aborted"].is_null(), "{exchange}");
    }
}

#[test]
fn node_receiver_that_does_not_catch_a_broken_body_fails() {
    if is_missing("node") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let exec = "node fixtures/hostile/uncaught-abort.mjs";
    assert_ended_by_abort(&judged(&["--exec", exec], &out), &out, "ended with exit status: 1");
    // The saved case shows the same.
    let case = out.join("cases/VER-9.json");
    let replayed = |exec: &str| run(["replay", case.to_str().unwrap(), "--exec", exec]);
    let ran = replayed(exec).expect(1);
    assert!(ran.stdout.contains("FAIL") && ran.stdout.contains("Error: aborted"), "{ran:#?}");
    let reference = crate::cli::program::reference("receiver");
    assert!(replayed(&reference).expect(0).stdout.contains("pass"));
}

#[test]
fn receiver_that_ends_some_time_after_an_aborted_request_fails() {
    let folder = TempDir::new().unwrap();
    for late in ["0", "50", "100", "300"] {
        let Some(exec) = python(&format!("ends.py abort {late}")) else { return };
        let out = folder.path().join(late);
        assert_ended_by_abort(&judged(&["--exec", &exec], &out), &out, "ended with exit status: 9");
    }
}

#[test]
fn receiver_at_a_url_that_is_gone_after_an_aborted_request_fails() {
    let folder = TempDir::new().unwrap();
    for late in ["0", "100"] {
        if python("ends.py").is_none() {
            return;
        }
        let port = free_port().unwrap();
        // Nothing restarts it.
        let child = Command::new("python3")
            .args(["fixtures/hostile/ends.py", "abort", late])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("PORT", port.to_string())
            .env("TWENTY_WEBHOOK_SECRET", "s3cr3t")
            .stdin(Stdio::null())
            .spawn();
        let running = Running(child.unwrap());
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            yield_now();
        }
        let (url, out) = (format!("http://127.0.0.1:{port}/"), folder.path().join(late));
        let judged = judged(&["--url", &url, "--secret", "s3cr3t"], &out);
        drop(running);
        assert_ended_by_abort(&judged, &out, "the next valid delivery was not answered: connection");
    }
}

#[test]
fn receiver_that_survives_aborted_requests_passes() {
    let Some(exec) = python("ends.py never") else { return };
    let ran = run(["receiver", "-v", "--exec", &exec].iter().chain(&OPTIONS)).expect(0);
    assert!(ran.stdout.contains("pass         VER-9 "), "{ran:#?}");
}

#[test]
fn receiver_that_accepts_no_connections_after_an_aborted_request_fails() {
    let folder = TempDir::new().unwrap();
    let Some(exec) = python("ends.py abort-closes") else { return };
    let out = folder.path().join("out");
    let how = "the next valid delivery was not answered: connection refused";
    assert_ended_by_abort(&judged(&["--exec", &exec], &out), &out, how);
}
