//! Loads for other tools: what is exported for them, what they say read back, and locust itself with a master and workers.
//!
//! Invariant: everything goes to this machine; what needs locust is left out only visibly, and never on CI.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use twenty_conform::bench::generate::ids::Ids;
use twenty_conform::bench::generate::probe;
use twenty_conform::bench::measure::report;
use twenty_conform::bench::tools::export::LOCUST;
use twenty_conform::bench::tools::import;
use twenty_conform::bench::tools::locust::{LocustResults, WorkerState};
use twenty_conform::bench::tools::reconcile::{LedgerCounts, reconcile};
use twenty_conform::exit::ExitStatus;
use twenty_conform::webhook::signature::{Key, Secret};

use crate::cli::program::{Ran, finish, judged, run, twenty};
use crate::implementations::is_missing;
use crate::skip::skip;

const SECRET: &str = "s3cr3t-of-the-exports";
const LOCUSTFILE: &str = include_str!("../bench/tools/locust/locustfile.py");

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/locust").join(name)
}

fn recorded(name: &str) -> report::BenchReport {
    import::read(&fixture(name)).unwrap()
}

fn results(name: &str) -> LocustResults {
    import::parse(name, &fs::read_to_string(fixture(name)).unwrap()).unwrap()
}

/// Runs `bench export` with the secret in its surroundings.
fn export(arguments: &[&str], folder: &Path) -> Ran {
    let mut command = twenty(["bench", "export"]);
    command.args(arguments).arg(folder).env("TWENTY_WEBHOOK_SECRET", SECRET);
    finish(command)
}

/// What a folder holds, by name.
fn files(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<(String, String)> = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

fn text<'a>(files: &'a [(String, String)], name: &str) -> &'a str {
    &files.iter().find(|(known, _)| known == name).unwrap().1
}

#[test]
fn the_export_for_locust_is_whole_and_python_compiles_it() {
    for dialect in ["documented", "shipped"] {
        let folder = TempDir::new().unwrap();
        let ran = export(&["locust", "--dialect", dialect], folder.path());
        assert_eq!(ran.status, Some(0), "{ran:#?}");
        let files = files(folder.path());
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["README.md", "k8s.yaml", "locustfile.py", "requirements.txt"]);
        for (name, text) in &files {
            assert!(!text.contains(SECRET), "{name} holds the secret");
            assert!(!text.contains("@LOCUST@") && !text.contains("@VERSION@"), "{name} has a place left");
        }
        let locustfile = text(&files, "locustfile.py");
        assert!(locustfile.contains(&format!("\"dialect\": \"{dialect}\"")));
        assert!(locustfile.contains("\"name\": \"secret-non-ascii\""));
        // As many bodies as the generator itself has: those that every receiver has to acknowledge.
        let bodies = locustfile.split("# END EMBEDDED").next().unwrap().matches("        [\n").count();
        assert_eq!(bodies, 15, "created, updated and deleted of five standard objects");
        assert_eq!(text(&files, "requirements.txt").lines().last(), Some(&*format!("locust=={LOCUST}")));
        if is_missing("python3") {
            continue;
        }
        let compiled = Command::new("python3")
            .args(["-m", "py_compile"])
            .arg(folder.path().join("locustfile.py"))
            .status()
            .unwrap();
        assert!(compiled.success());
    }
}

#[test]
fn the_locustfile_has_the_probes_of_the_generator() {
    let known: Vec<String> = probe::ALL
        .iter()
        .map(|probe| {
            let requirement = probe.requirement;
            format!("    (\"{}\", \"{}\", \"{}\", ", probe.name, requirement.id, requirement.level)
        })
        .collect();
    let (_, table) = LOCUSTFILE.split_once("PROBES = [\n").unwrap();
    let (table, _) = table.split_once("\n]\n").unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), known.len());
    for (line, known) in lines.iter().zip(&known) {
        assert!(line.starts_with(known.as_str()), "{line:?} should begin with {known:?}");
    }
}

#[test]
fn the_locustfile_numbers_its_records_as_the_generator_does() {
    // What `Ids(0x123456789)` makes there.
    let first = Ids::read(b"12345678-9a3f-4327-8000-000000000000").unwrap();
    let second = Ids::read(b"12345678-9a3f-4327-8000-000000000001").unwrap();
    let probe = Ids::read(b"12345678-9a3f-4327-8000-000800000000").unwrap();
    assert_eq!((first.run, second.run, probe.run), (first.run, first.run, first.run));
    assert_eq!((first.number, second.number, probe.number), (0, 1, 1 << 35));
}

#[test]
fn the_version_of_locust_stands_once() {
    let pinned = fs::read_to_string(fixture("requirements.txt")).unwrap();
    assert_eq!(pinned.trim(), format!("locust=={LOCUST}"));
}

#[test]
fn an_export_writes_over_nothing_of_anybody_elses() {
    let folder = TempDir::new().unwrap();
    assert_eq!(export(&["locust"], folder.path()).status, Some(0));
    assert_eq!(export(&["locust"], folder.path()).status, Some(0), "its own are written over");
    let other = folder.path().join("README.md");
    fs::write(&other, "mine").unwrap();
    let before = files(folder.path());
    for tool in ["locust", "wrk"] {
        let ran = export(&[tool, "--dialect", "shipped"], folder.path());
        assert_eq!(ran.status, Some(2), "{ran:#?}");
        assert!(ran.stderr.contains("README.md is there already"), "{}", ran.stderr);
        assert_eq!(files(folder.path()), before, "nothing was written");
    }
}

#[test]
fn what_is_signed_in_advance_verifies() {
    let key = Key::new(&Secret::new(SECRET));
    let is_signed = |timestamp: &str, signature: &str, body: &[u8]| {
        assert!(key.verify(timestamp.as_bytes(), body, signature.as_bytes()), "{timestamp} {signature}");
        let body: Value = serde_json::from_slice(body).unwrap();
        body["record"]["id"].as_str().unwrap().to_owned()
    };
    let folder = TempDir::new().unwrap();
    let url = "http://127.0.0.1:3999/hooks?x=1";
    let ran = export(
        &["wrk", "--url", url, "--count", "40", "--good-for", "90s", "--dialect", "shipped"],
        folder.path(),
    );
    assert_eq!(ran.status, Some(0), "{ran:#?}");
    let files = files(folder.path());
    for (name, text) in &files {
        assert!(!text.contains(SECRET), "{name} holds the secret");
        assert!(text.contains("good until"), "{name} does not say until when");
    }
    let readme = text(&files, "README.md");
    assert!(readme.contains("which is 1.5 minutes") && readme.contains(url), "{readme}");
    let mut ids = BTreeSet::new();
    let mut rest = text(&files, "deliveries.txt").split_once('\n').unwrap().1;
    while !rest.is_empty() {
        let (line, behind) = rest.split_once('\n').unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let length: usize = words[3].parse().unwrap();
        assert_eq!(words[2].len(), 32, "a nonce");
        ids.insert(is_signed(words[0], words[1], &behind.as_bytes()[..length]));
        rest = behind[length..].strip_prefix('\n').unwrap();
    }
    assert_eq!(ids.len(), 40, "each delivery has a record of its own");
}

#[test]
fn what_is_signed_in_advance_needs_the_secret() {
    let folder = TempDir::new().unwrap();
    let ran = run(["bench", "export", "wrk", folder.path().to_str().unwrap()]);
    assert_eq!(ran.status, Some(2), "{ran:#?}");
    assert!(ran.stderr.contains("the secret is missing"), "{}", ran.stderr);
    assert!(files(folder.path()).is_empty());
}

#[test]
fn a_corpus_that_holds_the_secret_is_not_exported_with_it() {
    let folder = TempDir::new().unwrap();
    let corpus = folder.path().join("corpus.json");
    fs::write(&corpus, format!("{{\"id\":\"1\"}}\n{{\"id\":\"2\",\"note\":\"it is {SECRET}\"}}\n")).unwrap();
    let (corpus, to) = (corpus.display().to_string(), folder.path().join("export"));
    let ran =
        run(["bench", "export", "wrk", &to.display().to_string(), "--secret", SECRET, "--corpus", &corpus]);
    ran.expect(2).complains_of(&["secret", "body 2"]);
    assert!(!to.exists());
}

#[test]
fn recorded_results_become_a_report() {
    let report = recorded("results.json");
    let results = results("results.json");
    assert_eq!(
        (report.status(), report.result.describe(), report.exit_status),
        (ExitStatus::Passed, "pass", 0)
    );
    assert_eq!((&*report.tool.name, &*report.tool.version), ("locust", LOCUST));
    assert_eq!(report.total.sent, results.measured.sent);
    assert_eq!(report.total.acknowledged, report.total.latency.count);
    assert_eq!(report.load.threads, 2);
    assert_eq!(report.load.rates, [60.0]);
    let latency = &report.total.latency;
    let quantiles = [latency.min_us, latency.p50_us, latency.p90_us, latency.p99_us, latency.max_us];
    assert!(quantiles.is_sorted() && latency.min_us > 0, "{quantiles:?}");
    assert_eq!(latency.buckets.iter().map(|(_, count)| count).sum::<u64>(), latency.count);
    assert_eq!(
        report.series.points.iter().map(|point| point.acknowledged).sum::<u64>(),
        report.total.acknowledged
    );
    assert_eq!(report.probes.kinds.len(), probe::ALL.len());
    assert_eq!(report.probes.kinds.iter().map(|kind| kind.sent).sum::<u64>(), report.probes.sent);
    assert!(report.probes.sent > 0 && report.probes.let_through == 0);
    let written = serde_json::to_string(&report).unwrap();
    assert_eq!(report::BenchReport::parse(&written).unwrap(), report);

    let report = recorded("wrong-results.json");
    assert_eq!(report.status(), ExitStatus::Failed);
    assert!(report.probes.let_through > 0 && report.total.refused > 0);
    let shown: Vec<_> = report.probes.kinds.iter().filter(|kind| kind.let_through > 0).collect();
    assert!(shown.iter().all(|kind| kind.exchange.as_ref().is_some_and(|shown| shown.status == Some(200))));
    assert_eq!(report.unexpected[0].kind, "503");
    assert!(report.notes.iter().any(|note| note.contains("were let through")), "{:?}", report.notes);
}

#[test]
fn recorded_statistics_become_a_report() {
    let whole = results("results.json").all;
    let json = recorded("stats.json");
    assert_eq!(json.status(), ExitStatus::Passed);
    assert_eq!((json.total.sent, json.probes.sent), (whole.sent, whole.probes));
    assert_eq!(json.series.points.iter().map(|point| point.sent).sum::<u64>(), whole.sent);
    let csv = recorded("stats.csv");
    assert_eq!(csv.status(), ExitStatus::Passed);
    // Locust may not have written its last moments there.
    assert!(csv.total.sent > 0 && csv.total.sent <= whole.sent);
    assert!(csv.total.latency.p50_us > 0 && csv.total.latency.p50_us <= csv.total.latency.max_us);
    for wrong in ["wrong-stats.json", "wrong-stats.csv"] {
        let report = recorded(wrong);
        assert_eq!(report.status(), ExitStatus::Failed, "{wrong}");
        assert!(report.probes.let_through > 0 && report.total.failed > 0, "{wrong}");
    }
}

#[test]
fn import_prints_the_report_and_takes_the_status_of_the_run() {
    for (name, status, word) in [("results.json", 0, "pass"), ("wrong-stats.csv", 1, "fail")] {
        let path = fixture(name);
        let (ran, report) = judged(["bench", "import", path.to_str().unwrap()]);
        assert_eq!(ran.status, Some(status), "{ran:#?}");
        assert_eq!(report.0["result"], word);
        assert!(ran.stdout.contains("locust"), "{}", ran.stdout);
    }
}

#[test]
fn broken_results_are_named() {
    let folder = TempDir::new().unwrap();
    let good = fs::read_to_string(fixture("results.json")).unwrap();
    let csv = fs::read_to_string(fixture("stats.csv")).unwrap();
    let stats = fs::read_to_string(fixture("stats.json")).unwrap();
    let cases = [
        ("empty.json", String::new(), "it is empty: the run was not brought to its end"),
        ("cut.json", good[..good.len() / 2].to_owned(), "line "),
        ("member.json", good.replacen("\"stretch_ms\"", "\"other\"", 1), "missing field `stretch_ms`"),
        (
            "version.json",
            good.replacen("twenty-conform-locust/1", "x/2", 1),
            "the member \"format\" is \"x/2\"",
        ),
        ("type.json", good.replacen("\"sent\": ", "\"sent\": -", 1), "line "),
        ("stats.json", stats.replacen("\"num_requests\"", "\"other\"", 1), "missing field `num_requests`"),
        (
            "times.json",
            stats.replacen("\"response_times\": {", "\"response_times\": {\"x\": 1,", 1),
            "entry 1",
        ),
        ("column.csv", csv.replacen("Request Count", "Other", 1), "line 1 has no column \"Request Count\""),
        (
            "value.csv",
            csv.replacen("POST,delivery,", "POST,delivery,x", 1),
            "line 2, column \"Request Count\"",
        ),
        ("history.csv", "Timestamp,User Count,Type".to_owned(), "_stats.csv"),
        ("other.txt", "hello".to_owned(), "it begins with \"hello\""),
    ];
    for (name, text, words) in cases {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let ran = run(["bench", "import", path.to_str().unwrap()]);
        assert_eq!(ran.status, Some(2), "{name}: {ran:#?}");
        assert!(ran.stderr.contains(name) && ran.stderr.contains(words), "{name}: {}", ran.stderr);
    }
    let ran = run(["bench", "import", "nowhere.json"]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("nowhere.json cannot be read"), "{}", ran.stderr);
}

#[test]
fn counts_that_agree_are_reconciled_and_others_are_not() {
    let results = results("results.json");
    let all = results.all;
    let before = LedgerCounts { verified: 7, duplicated: 0, gaps: 0 };
    let ledger = |verified: u64| LedgerCounts { verified: 7 + verified, ..before };
    let against = |results: &LocustResults, after: LedgerCounts| reconcile(results, Some((&before, &after)));
    assert!(reconcile(&results, None).is_empty());
    assert!(against(&results, ledger(all.acknowledged)).is_empty());
    assert!(
        !against(&results, ledger(all.acknowledged - 1)).is_empty(),
        "one was acknowledged and never came"
    );
    assert!(!against(&results, ledger(all.acknowledged + 1)).is_empty(), "one came that nobody sent");
    let twice = LedgerCounts { duplicated: 1, ..ledger(all.acknowledged) };
    assert!(!against(&results, twice).is_empty());
    let missing = LedgerCounts { gaps: 1, ..ledger(all.acknowledged) };
    assert!(!against(&results, missing).is_empty());
    assert!(!against(&results, LedgerCounts { verified: 0, ..before }).is_empty(), "it was begun anew");

    // One under way may have come or not.
    let mut flying = results.clone();
    (flying.all.sent, flying.all.in_flight, flying.workers[0].sent) =
        (all.sent + 1, 1, results.workers[0].sent + 1);
    assert!(against(&flying, ledger(all.acknowledged)).is_empty());
    assert!(against(&flying, ledger(all.acknowledged + 1)).is_empty());
    assert!(!against(&flying, ledger(all.acknowledged + 2)).is_empty());

    let mut lost = results.clone();
    lost.workers[1].state = WorkerState::Lost;
    assert!(!reconcile(&lost, None).is_empty(), "a worker was lost");
    let mut other = results.clone();
    other.all.sent += 1;
    assert!(!reconcile(&other, None).is_empty(), "the sums differ");
}

/// The Python that has locust, where it was installed; otherwise the test ends here: visibly, and on CI not at all.
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
fn a_master_and_two_workers_measure_a_receiver() {
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
fn a_receiver_that_refuses_fails_the_distributed_run() {
    let Some(python) = python() else { return };
    let receiver = "python3 fixtures/implementations/receivers/python/server.py";
    // The receiver is given another secret than the one that deliveries are signed with.
    let receiver = format!("env TWENTY_WEBHOOK_SECRET=another {receiver}");
    let ask = ["bench", "distributed", "--python", &python, "--concurrency", "2", "--rate", "20"];
    let more = ["--duration", "1s", "--warm-up", "0", "--secret", SECRET, "--exec", &receiver];
    let (ran, report) = judged(ask.into_iter().chain(more));
    assert_eq!(ran.status, Some(1), "{ran:#?}");
    assert_eq!(report.0["result"], "fail");
    assert!(!ran.stdout.contains(SECRET) && !report.0.to_string().contains(SECRET));
}

#[test]
fn a_python_without_locust_is_said_before_anything_is_started() {
    for python in ["no-such-python", "false"] {
        let ran = run(["bench", "distributed", "--python", python, "--exec", "false"]);
        assert_eq!(ran.status, Some(2), "{ran:#?}");
        assert!(ran.stderr.contains(&format!("pip install locust=={LOCUST}")), "{}", ran.stderr);
    }
}
