//! `bench import`: reports made from locust's results, and counts that must agree.

use std::fs;

use tempfile::TempDir;
use twenty_conform::bench::generate::probe;
use twenty_conform::bench::measure::report;
use twenty_conform::bench::tools::export::LOCUST;
use twenty_conform::bench::tools::import;
use twenty_conform::bench::tools::locust::{LocustResults, WorkerState};
use twenty_conform::bench::tools::reconcile::{LedgerCounts, reconcile};
use twenty_conform::exit::ExitStatus;

use super::fixture;
use crate::cli::program::{judged, run};

fn recorded(name: &str) -> report::BenchReport {
    import::read(&fixture(name)).unwrap()
}

fn results(name: &str) -> LocustResults {
    import::parse(name, &fs::read_to_string(fixture(name)).unwrap()).unwrap()
}

#[test]
fn imports_results_of_the_locustfile() {
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
    assert_eq!(report.probes.kinds.len(), probe::all().len());
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
    assert!(
        report.notes.iter().any(|note| note.contains("probes, which must be rejected")),
        "{:?}",
        report.notes
    );
}

#[test]
fn imports_statistics_of_locust() {
    let whole = results("results.json").all;
    let json = recorded("stats.json");
    assert_eq!(json.status(), ExitStatus::Passed);
    assert_eq!((json.total.sent, json.probes.sent), (whole.sent, whole.probes));
    assert_eq!(json.series.points.iter().map(|point| point.sent).sum::<u64>(), whole.sent);
    let csv = recorded("stats.csv");
    assert_eq!(csv.status(), ExitStatus::Passed);
    // Locust may not have written the last moments to this file.
    assert!(csv.total.sent > 0 && csv.total.sent <= whole.sent);
    assert!(csv.total.latency.p50_us > 0 && csv.total.latency.p50_us <= csv.total.latency.max_us);
    for wrong in ["wrong-stats.json", "wrong-stats.csv"] {
        let report = recorded(wrong);
        assert_eq!(report.status(), ExitStatus::Failed, "{wrong}");
        assert!(report.probes.let_through > 0 && report.total.failed > 0, "{wrong}");
    }
}

#[test]
fn import_exits_with_the_status_of_the_run() {
    for (name, status, word) in [("results.json", 0, "pass"), ("wrong-stats.csv", 1, "fail")] {
        let path = fixture(name);
        let (ran, report) = judged(["bench", "import", path.to_str().unwrap()]);
        assert_eq!(ran.status, Some(status), "{ran:#?}");
        assert_eq!(report.0["result"], word);
        assert!(ran.stdout.contains("locust"), "{}", ran.stdout);
    }
}

#[test]
fn import_names_the_broken_part() {
    let folder = TempDir::new().unwrap();
    let good = fs::read_to_string(fixture("results.json")).unwrap();
    let csv = fs::read_to_string(fixture("stats.csv")).unwrap();
    let stats = fs::read_to_string(fixture("stats.json")).unwrap();
    let cases = [
        ("empty.json", String::new(), "it is empty, so the run did not finish"),
        ("cut.json", good[..good.len() / 2].to_owned(), "line "),
        ("member.json", good.replacen("\"stretch_ms\"", "\"other\"", 1), "missing field `stretch_ms`"),
        ("version.json", good.replacen("twenty-conform-locust/1", "x/2", 1), "member \"format\" is \"x/2\""),
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
    assert!(ran.stderr.contains("cannot read nowhere.json"), "{}", ran.stderr);
}

#[test]
fn reconcile_finds_counts_that_disagree() {
    let results = results("results.json");
    let all = results.all;
    let before = LedgerCounts { verified: 7, duplicated: 0, gaps: 0 };
    let ledger = |verified: u64| LedgerCounts { verified: 7 + verified, ..before };
    let against = |results: &LocustResults, after: LedgerCounts| reconcile(results, Some((&before, &after)));
    assert!(reconcile(&results, None).is_empty());
    assert!(against(&results, ledger(all.acknowledged)).is_empty());
    assert!(
        !against(&results, ledger(all.acknowledged - 1)).is_empty(),
        "an accepted delivery did not arrive"
    );
    assert!(
        !against(&results, ledger(all.acknowledged + 1)).is_empty(),
        "a delivery arrived that was not sent"
    );
    let twice = LedgerCounts { duplicated: 1, ..ledger(all.acknowledged) };
    assert!(!against(&results, twice).is_empty());
    let missing = LedgerCounts { gaps: 1, ..ledger(all.acknowledged) };
    assert!(!against(&results, missing).is_empty());
    assert!(
        !against(&results, LedgerCounts { verified: 0, ..before }).is_empty(),
        "the ledger was restarted"
    );

    // A delivery in flight may have arrived or not.
    let mut unfinished = results.clone();
    (unfinished.all.sent, unfinished.all.in_flight, unfinished.workers[0].sent) =
        (all.sent + 1, 1, results.workers[0].sent + 1);
    assert!(against(&unfinished, ledger(all.acknowledged)).is_empty());
    assert!(against(&unfinished, ledger(all.acknowledged + 1)).is_empty());
    assert!(!against(&unfinished, ledger(all.acknowledged + 2)).is_empty());

    let mut lost = results.clone();
    lost.workers[1].state = WorkerState::Lost;
    assert!(!reconcile(&lost, None).is_empty(), "a worker was lost");
    let mut other = results.clone();
    other.all.sent += 1;
    assert!(!reconcile(&other, None).is_empty(), "the sums differ");
}
