//! `bench distributed`: locust itself, as a master with workers.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use twenty_conform::bench::tools::export::LOCUST;
use twenty_conform::bench::tools::import;
use twenty_conform::bench::tools::locust::WorkerState;

use super::{SECRET, fixture};
use crate::cli::program::{for_long_enough, judged, run};
use crate::skip::skip;

/// The Python that has locust. If it is not installed, the test is skipped, or fails on CI.
pub(super) fn python() -> Option<String> {
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
    let ran = for_long_enough(|duration| {
        let more = ["--duration", duration, "--warm-up", "0", "--secret", SECRET, "--exec", &receiver];
        let (ran, report) = judged(ask.into_iter().chain(more));
        assert!(!ran.stdout.contains(SECRET) && !report.0.to_string().contains(SECRET));
        assert_eq!(ran.status == Some(1), report.0["result"] == "fail");
        ran
    });
    ran.expect(1);
}

/// A Python whose first worker of locust is killed when it has signed this often.
const KILLED: &str = r#"
import hmac, os, runpy, signal, sys

if "--worker" in sys.argv:
    try:
        os.mkdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "killed"))
        made, count = hmac.new, 0

        def new(*arguments, **more):
            global count
            count += 1
            count > 20 and os.kill(os.getpid(), signal.SIGKILL)
            return made(*arguments, **more)

        hmac.new = new
    except FileExistsError:
        pass
if sys.argv[1] == "-c":
    exec(sys.argv[2])
else:
    sys.argv = sys.argv[2:]
    runpy.run_module("locust", run_name="__main__", alter_sys=True)
"#;

#[test]
fn distributed_load_names_a_killed_worker() {
    let Some(python) = python() else { return };
    let folder = TempDir::new().unwrap();
    let killed = folder.path().join("python");
    fs::write(&killed, format!("#!{python}\n{KILLED}")).unwrap();
    fs::set_permissions(&killed, fs::Permissions::from_mode(0o755)).unwrap();
    let receiver = "python3 fixtures/implementations/receivers/python/server.py";
    let ask = ["bench", "distributed", "--python", killed.to_str().unwrap(), "--concurrency", "4"];
    let more = ["--rate", "100", "--duration", "2s", "--warm-up", "0", "--exec", receiver];
    let (ran, report) = judged(ask.into_iter().chain(more));
    assert_eq!(ran.status, Some(1), "{ran:#?}");
    assert_eq!(report.0["result"], "fail");
    let notes: Vec<&str> = report.0["notes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let says = |words: &[&str]| notes.iter().any(|note| words.iter().all(|word| note.contains(word)));
    // It may be killed before its first report.
    let named =
        |state| says(&["worker ", " of 2 (", state]) && says(&["a worker ", state, "unknown what it sent"]);
    assert!(named("was lost") || named("never reported"), "{notes:#?}");
}

#[test]
fn distributed_load_exits_2_when_python_has_no_locust() {
    for python in ["no-such-python", "false"] {
        let ran = run(["bench", "distributed", "--python", python, "--exec", "false"]);
        assert_eq!(ran.status, Some(2), "{ran:#?}");
        assert!(ran.stderr.contains(&format!("pip install locust=={LOCUST}")), "{}", ran.stderr);
    }
}
