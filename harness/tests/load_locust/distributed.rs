//! `bench distributed`: locust itself, as a master with workers.

use std::fs;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use twenty_conform::bench::tools::export::LOCUST;
use twenty_conform::bench::tools::import;
use twenty_conform::bench::tools::locust::WorkerState;

use super::{SECRET, fixture};
use crate::cli::program::{judged, run};
use crate::skip::skip;

/// The Python that has locust. If it is not installed, the test is skipped, or fails on CI.
fn python() -> Option<String> {
    let python = fixture(".venv/bin/python");
    let mut asked = Command::new(&python);
    asked.args(["-c", "import locust"]).stdout(Stdio::null()).stderr(Stdio::null());
    if asked.status().is_ok_and(|status| status.success()) {
        return Some(python.display().to_string());
    }
    let why = "fixtures/locust/.venv has no locust; run `python3 -m venv fixtures/locust/.venv && \
               fixtures/locust/.venv/bin/pip install -r fixtures/locust/requirements.txt` first";
    skip("locust", why);
    None
}

#[test]
fn distributed_load_uses_every_worker() {
    let Some(python) = python() else { return };
    let folder = TempDir::new().unwrap();
    let place = folder.path().to_str().unwrap();
    let receiver = "python3 fixtures/implementations/receivers/python/server.py";
    let ask =
        ["bench", "distributed", "--workers", "2", "--python", &python, "--out", place, "--exec", receiver];
    let more = [
        "--concurrency",
        "4",
        "--rate",
        "100",
        "--duration",
        "3s",
        "--warm-up",
        "1s",
        "--probe-share",
        "20%",
    ];
    let (ran, report) = judged(ask.into_iter().chain(more));
    assert_eq!(ran.status, Some(0), "{ran:#?}");
    assert_eq!(report.0["result"], "pass");
    assert_eq!(report.0["load"]["threads"], 2);
    assert!(report.0["total"]["acknowledged"].as_u64().unwrap() > 50, "{}", report.0["total"]);
    assert!(report.0["probes"]["sent"].as_u64().unwrap() > 10);
    let results = fs::read_to_string(folder.path().join("results.json")).unwrap();
    let results = import::parse("results.json", &results).unwrap();
    assert!(results.workers.iter().all(|worker| worker.state == WorkerState::Reported && worker.sent > 0));
}

#[test]
fn distributed_load_exits_1_when_the_receiver_rejects() {
    let Some(python) = python() else { return };
    let receiver = "python3 fixtures/implementations/receivers/python/server.py";
    // The receiver has another secret, so it rejects every delivery.
    let receiver = format!("env TWENTY_WEBHOOK_SECRET=another {receiver}");
    let ask = ["bench", "distributed", "--python", &python, "--concurrency", "2", "--rate", "20"];
    let more = ["--duration", "1s", "--warm-up", "0", "--secret", SECRET, "--exec", &receiver];
    let (ran, report) = judged(ask.into_iter().chain(more));
    assert_eq!(ran.status, Some(1), "{ran:#?}");
    assert_eq!(report.0["result"], "fail");
    assert!(!ran.stdout.contains(SECRET) && !report.0.to_string().contains(SECRET));
}

#[test]
fn distributed_load_exits_2_when_python_has_no_locust() {
    for python in ["no-such-python", "false"] {
        let ran = run(["bench", "distributed", "--python", python, "--exec", "false"]);
        assert_eq!(ran.status, Some(2), "{ran:#?}");
        assert!(ran.stderr.contains(&format!("pip install locust=={LOCUST}")), "{}", ran.stderr);
    }
}
