//! `bench receiver` as a user sees it.
//!
//! Invariant: loads are short and stay on this machine.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::program::{Ran, reference, run, serve_receiver};
use crate::peers::servers::ClosedPort;

/// `bench receiver` with a short load and these arguments.
fn bench(arguments: &[&str]) -> Ran {
    let short = ["--duration", "150ms", "--warm-up", "0", "--concurrency", "4", "--seed", "7"];
    run(["bench", "receiver"].iter().chain(&short).chain(arguments))
}

#[test]
fn bench_receiver_defaults_to_the_reference_receiver() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bench.json");
    let report = format!("json={}", path.display());
    let ran = bench(&["--probe-share", "10%", "--report", &report]).expect(0);
    ran.complains_of(&["measuring the reference receiver in this process"]);
    let line = ran.result_line();
    assert!(line.starts_with("RESULT: pass rate ") && line.ends_with(" seed 7"), "{line}");
    let report: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(report["format"], "twenty-conform-bench/1");
    assert_eq!(report["result"], "pass");
    assert_eq!(report["load"]["mode"], "saturation");
    assert!(report["total"]["acknowledged"].as_u64().unwrap() > 0);
    assert_eq!(report["total"]["acknowledged"], report["total"]["sent"]);
    assert!(report["probes"]["sent"].as_u64().unwrap() > 0);
    assert_eq!(report["command"][0], "bench");
}

#[test]
fn json_replaces_the_text_report() {
    let ran = bench(&["--json", "--rate-steps", "100,200", "--quiet"]).expect(0);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["load"]["rates"], serde_json::json!([100.0, 200.0]));
    assert_eq!(report["phases"].as_array().unwrap().len(), 2);
}

#[test]
fn exec_is_measured_and_its_secret_is_redacted() {
    let secret = "s3cr3t-of-the-bench";
    let ran =
        bench(&["--exec", &reference("receiver"), "--secret", secret, "--json", "--dialect", "shipped"])
            .expect(0);
    assert!(!ran.stdout.contains(secret) && ran.stdout.contains("[redacted]"), "{}", ran.stdout);
    // Without that secret it would have rejected everything.
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(report["total"]["acknowledged"].as_u64().unwrap() > 0);
}

#[test]
fn other_secret_fails_and_shows_the_first_exchange() {
    let served = serve_receiver("the one that it knows");
    let ran = bench(&["--url", &served.url, "--secret", "the one that we know"]).expect(1);
    ran.says(&["401", "→ POST / HTTP/1.1", "← HTTP/1.1 401", "RESULT: fail"]);
}

#[test]
fn missed_threshold_exits_6() {
    let ran = bench(&["--threshold", "p50<1us", "--threshold", "errors<50%"]).expect(6);
    ran.says(&["NOT MET", "p50<1us", "RESULT: slow"]);
}

#[test]
fn find_max_reports_the_highest_rate() {
    let ran = bench(&["--find-max", "p50<10s", "--rate", "400000", "--trial-duration", "20ms"]);
    // The machine decides whether a rate is reached; the search and its report do not depend on it.
    assert!(matches!(ran.status, Some(0 | 3 | 6)), "{ran:#?}");
    assert!(ran.result_line().contains(" max "), "{ran:#?}");
    ran.says(&["highest rate that meets p50<10s", "400000.0/s"]);
}

#[test]
fn wrong_options_are_rejected_before_anything_is_sent() {
    let closed = ClosedPort::new();
    let url = closed.url();
    for (arguments, status, words) in [
        (["--url", "http://192.0.2.1/", "--secret", "abcdef"].as_slice(), 2, ["192.0.2.1", "--allow-remote"]),
        (&["--url", "https://127.0.0.1/", "--secret", "abcdef"], 2, ["TLS", "http address"]),
        (&["--url", &url], 2, ["secret", "--secret-file"]),
        (&["--url", &url, "--secret", "abcdef"], 3, ["cannot be reached", "refused"]),
        (&["--exec", "no-such-command-here"], 3, ["no-such-command-here", "cannot start"]),
        (&["--corpus", "no/such/corpus"], 2, ["corpus", "no/such/corpus"]),
        (&["--find-max", "p99>1s"], 2, ["p99>1s", "p99<50ms"]),
        (&["--threshold", "p99"], 2, ["--threshold", "not a bound"]),
        (&["--rate", "0"], 2, ["--rate", "not a rate"]),
        (&["--rate", "10", "--threshold", "p99<1s"], 2, ["100 deliveries", "--duration 10s"]),
        (&["--probe-share", "60%"], 2, ["--probe-share", "half"]),
        (&["--max-errors", "x"], 2, ["--max-errors", "not a share"]),
        (&["--report", "xml=x.xml"], 2, ["xml", "smaller-is-better"]),
        (&["--rate", "5", "--rate-steps", "1,2"], 2, ["--rate", "cannot be used with"]),
        // The figures of a search are those of its last trial, which no later run could be compared with.
        (&["--find-max", "p99<1s", "--save", "x"], 2, ["--find-max", "cannot be used with"]),
    ] {
        bench(arguments).expect(status).complains_of(&words);
    }
    run(["bench", "receiver", "--concurrency", "0"]).expect(2).complains_of(&["--concurrency", "10000"]);
}

#[cfg(unix)]
#[test]
fn interrupted_load_writes_a_partial_report() {
    use nix::sys::signal::Signal;

    interrupt_with(Signal::SIGINT);
    // Under nohup the tests ignore SIGHUP, and so does the binary.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("1");
    if !u64::from_str_radix(ignored.trim(), 16).unwrap().is_multiple_of(2) {
        return;
    }
    interrupt_with(Signal::SIGHUP);
}

#[cfg(unix)]
fn interrupt_with(signal: nix::sys::signal::Signal) {
    use std::io::{BufRead, BufReader, Read};
    use std::process::Stdio;

    use nix::sys::signal::kill;
    use nix::unistd::Pid;

    use crate::cli::program::twenty;

    let mut command =
        twenty(["bench", "receiver", "--duration", "60m", "--warm-up", "0", "--concurrency", "2", "--exec"]);
    command.arg(reference("receiver"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    while !line.contains("measuring") {
        line.clear();
        assert!(errors.read_line(&mut line).unwrap() > 0, "it ended before it measured");
    }
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{stdout}");
    assert!(stdout.contains("interrupted") && stdout.contains("RESULT: interrupted "), "{stdout}");
}
