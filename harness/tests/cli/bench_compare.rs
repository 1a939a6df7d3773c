//! `bench` with baselines and `bench compare` as a user sees them.
//!
//! Invariant: loads are short and stay on this machine. If a test depends on the figures, its reports are made up.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::program::{Ran, finish, reference, run, twenty};
use crate::load::made::MadeUp;

/// The usual options, without those that are given.
pub(super) fn defaults<'a>(usual: &[[&'a str; 2]], given: &[&str]) -> Vec<&'a str> {
    usual.iter().filter(|[name, _]| !given.contains(name)).flatten().copied().collect()
}

/// `bench receiver` with a short load in that folder.
fn bench(folder: &TempDir, arguments: &[&str]) -> Ran {
    let short = [["--duration", "100ms"], ["--warm-up", "0"], ["--concurrency", "2"], ["--seed", "7"]];
    let short = defaults(&short, arguments);
    let mut command = twenty(["bench", "receiver"].iter().chain(&short).chain(arguments));
    command.current_dir(folder.path());
    finish(command)
}

fn write(folder: &TempDir, name: &str, content: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

fn baseline(folder: &TempDir) -> PathBuf {
    folder.path().join(".twenty-conform/baselines/main.json")
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn bench_sender_rejects_a_baseline_with_other_webhooks() {
    let folder = TempDir::new().unwrap();
    let sender = |arguments: &[&str]| {
        let mut command =
            twenty(["bench", "sender", "--events", "20", "--seed", "7"].iter().chain(arguments));
        command.current_dir(folder.path());
        finish(command)
    };
    sender(&["--save", "main"]).expect(0);
    let ran = sender(&["--webhooks", "2", "--baseline", "main"]).expect(2);
    ran.complains_of(&["20 events to 1 webhook", "now 20 events to 2 webhooks"]);
    assert!(!ran.stderr.contains("measuring"), "{ran:?}");
}

#[test]
fn baseline_is_saved_and_compared() {
    let folder = TempDir::new().unwrap();
    let ran = bench(&folder, &["--save", "main"]).expect(0);
    ran.complains_of(&["saved as \"main\""]);
    assert_eq!(read(&baseline(&folder))["format"], "twenty-conform-bench/1");
    // A tenth of a second is too short to know the noise.
    let ran = bench(&folder, &["--baseline", "main", "--json"]).expect(3);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((report["result"].as_str(), report["exit_status"].as_u64()), (Some("inconclusive"), Some(3)));
    assert_eq!(report["comparison"]["old"], "main");
    assert!(report["comparison"]["why"].as_str().unwrap().contains("at least 5 s"), "{report}");
    let before = fs::read(baseline(&folder)).unwrap();
    let ran = bench(&folder, &["--baseline", "main", "--save", "main", "--force"]).expect(3);
    ran.complains_of(&["not saved as \"main\""]);
    ran.says(&["compared with main", "RESULT: inconclusive"]);
    assert_eq!(fs::read(baseline(&folder)).unwrap(), before, "it was not replaced");
    // In another folder, under another name.
    let ran = bench(&folder, &["--save", "v1", "--baseline-dir", "kept"]).expect(0);
    ran.complains_of(&["saved as"]);
    assert!(folder.path().join("kept/v1.json").is_file());
}

#[test]
fn incomparable_baseline_is_rejected_before_the_receiver_starts() {
    let folder = TempDir::new().unwrap();
    bench(&folder, &["--save", "main", "--quiet"]).expect(0);
    let report = read(&baseline(&folder));
    // The command does not exist, so a start would be reported.
    let against = |arguments: &[&str]| {
        bench(&folder, &[["--baseline", "main", "--exec", "no-such-command"].as_slice(), arguments].concat())
    };
    against(&[]).expect(3).complains_of(&["no-such-command", "cannot start"]);
    for (pointer, value, words) in [
        ("/machine/cores", json!(999), "number of processors (999"),
        ("/tool/version", json!("0.0.0"), "different tool version (0.0.0"),
        ("/load/concurrency", json!(3), "--concurrency (3, now 2)"),
        ("/result", json!("interrupted"), "interrupted"),
        ("/result", json!("fail"), "its load failed"),
    ] {
        let mut changed = report.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        fs::write(baseline(&folder), changed.to_string()).unwrap();
        against(&[]).expect(2).complains_of(&["cannot use baseline \"main\"", words]);
    }
    fs::write(baseline(&folder), report.to_string()).unwrap();
    against(&["--rate", "10"]).expect(2).complains_of(&["mode (saturation, now rate)"]);
    against(&["--dialect", "shipped"]).expect(2).complains_of(&["dialect"]);
    fs::write(baseline(&folder), &report.to_string()[..100]).unwrap();
    against(&[]).expect(2).complains_of(&["main.json", "not a report"]);
    bench(&folder, &["--baseline", "other"]).expect(2).complains_of(&["other", "--save other"]);
    bench(&folder, &["--baseline", "../x"]).expect(2).complains_of(&["not a baseline name"]);
    bench(&folder, &["--save", "a/b"]).expect(2).complains_of(&["not a baseline name"]);
    // Other bodies are noticed when they are read.
    fs::write(baseline(&folder), report.to_string()).unwrap();
    let corpus = write(&folder, "body.json", r#"{"event":"person.created","data":{"id":"x"}}"#);
    bench(&folder, &["--baseline", "main", "--corpus", &corpus])
        .expect(2)
        .complains_of(&["different bodies"]);
}

#[test]
fn regression_against_a_baseline_is_measured_twice() {
    // The baseline is a hundred times faster than any machine, for enough seconds to know its noise.
    let folder = TempDir::new().unwrap();
    bench(&folder, &["--save", "main", "--quiet"]).expect(0);
    let mut report = read(&baseline(&folder));
    let made = MadeUp::steady(50_000_000, 1).json();
    for part in ["total", "phases", "series"] {
        report[part] = made[part].clone();
    }
    report["load"]["duration_ms"] = json!(10_000);
    fs::write(baseline(&folder), report.to_string()).unwrap();
    let ran =
        bench(&folder, &["--duration", "5s", "--baseline", "main", "--max-regression", "50%", "--json"])
            .expect(6);
    ran.complains_of(&["repeating the load"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["result"], "slow");
    assert_eq!(report["comparison"]["new"].as_array().unwrap().len(), 2);
    assert!(report["comparison"]["why"].as_str().unwrap().contains("in both new measurements"));
}

#[test]
fn reports_in_every_format_redact_the_secret() {
    let folder = TempDir::new().unwrap();
    let secret = "s3cr3t-of-the-forms";
    let forms =
        ["text=a.txt", "json=a.json", "html=a.html", "bmf=b.json", "smaller-is-better=c.json"].join(",");
    let receiver = format!("{} --secret another-one", reference("receiver"));
    // It rejects everything, so the report shows exchanges.
    let given = ["--exec", &receiver, "--secret", secret, "--report", &forms, "--max-errors", "100%"];
    bench(&folder, &given).expect(3);
    for name in ["a.txt", "a.json", "a.html", "b.json", "c.json"] {
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(!text.contains(secret), "{name}: {text}");
    }
    let page = fs::read_to_string(folder.path().join("a.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("HTTP/1.1 401"));
    assert!(
        page.contains("--secret \"$TWENTY_WEBHOOK_SECRET\""),
        "the command takes the secret from its variable"
    );
    assert!(read(&folder.path().join("b.json")).as_object().unwrap().len() == 1);
}

#[test]
fn compare_exits_6_only_for_a_confirmed_regression() {
    let folder = TempDir::new().unwrap();
    let made = |name: &str, rate: u64| write(&folder, name, &MadeUp::steady(rate, 2000).json().to_string());
    let (old, new) = (made("old.json", 10_000), made("new.json", 8_000));
    let (again, same) = (made("again.json", 8_010), made("same.json", 9_990));
    run(["bench", "compare", &old, &same]).expect(0).says(&["RESULT: pass", "not worse by more than 5%"]);
    run(["bench", "compare", &old, &new]).expect(3).says(&["RESULT: inconclusive", "to confirm it"]);
    run(["bench", "compare", &old, &new, &again]).expect(6).says(&["RESULT: slow rate -20"]);
    run(["bench", "compare", &old, &new, &same]).expect(3).says(&["not in the other"]);
    run(["bench", "compare", &old, &new, &again, "--max-regression", "30%"]).expect(0);
    run(["bench", "compare", &old, &new, &new]).expect(2).complains_of(&["a new measurement"]);
    let ran = run(["bench", "compare", &old, &new, "--json"]).expect(3);
    let compared: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(compared["format"], "twenty-conform-compare/1");
    // Baselines, by name.
    let dir = folder.path().to_str().unwrap();
    run(["bench", "compare", "old", "same", "--baseline-dir", dir]).expect(0);

    let broken = write(&folder, "broken.json", "{");
    run(["bench", "compare", &old, &broken]).expect(2).complains_of(&["broken.json", "not a report"]);
    run(["bench", "compare", "none.json", &new]).expect(2).complains_of(&["none.json"]);
    run(["bench", "compare", "a b", &new]).expect(2).complains_of(&["a b", "not a baseline name"]);
    let mut other = MadeUp::steady(10_000, 2000).json();
    other["machine"]["cpu"] = json!("Another");
    let other = write(&folder, "other.json", &other.to_string());
    run(["bench", "compare", &old, &other])
        .expect(2)
        .complains_of(&["other.json", "processor (A Processor, now Another)"]);
    run(["bench", "compare", &old, &new, "--report", "html=x.html"])
        .expect(2)
        .complains_of(&["html", "text or json"]);
    run(["bench", "compare", &old, &new, "--max-regression", "p98=1%"])
        .expect(2)
        .complains_of(&["p98", "errors"]);
}

#[test]
fn configuration_file_gives_bounds_and_errors_name_its_line() {
    let folder = TempDir::new().unwrap();
    let made = |name: &str, rate: u64| write(&folder, name, &MadeUp::steady(rate, 2000).json().to_string());
    let (old, new, again) = (made("old.json", 10_000), made("new.json", 8_000), made("again.json", 8_010));
    let compare = |text: &str, arguments: &[&str]| {
        write(&folder, "twenty-conform.toml", text);
        let mut command = twenty(["bench", "compare", &old, &new, &again].iter().chain(arguments));
        command.current_dir(folder.path());
        finish(command)
    };
    compare("", &[]).expect(6);
    compare("[bench]\nmax-regression = \"30%\"\n", &[]).expect(0);
    compare("[bench.max-regression]\nrate = \"30%\"\nerrors = \"0%\"\n", &[]).expect(0);
    compare("[bench]\nmax-regression = \"30%\"\n", &["--max-regression", "rate=5%"]).expect(6);
    for (text, line, words) in [
        ("[bench]\n\nmax-regresion = \"5%\"\n", 3, ["max-regresion", "max-regression"]),
        ("[receivr]\n", 1, ["receivr", "receiver"]),
        ("[bench]\nmax-regression = \"5\"\n", 2, ["5", "not a share"]),
        ("[bench]\nmax-regression = 5\n", 2, ["5", "not a share"]),
        ("[bench.max-regression]\n# first\np98 = \"5%\"\n", 3, ["p98", "p99"]),
        ("[bench.max-regression]\nrate = \"0%\"\n", 2, ["0%", "between"]),
        ("[bench]\nthreshold = [\n  \"p99<50ms\",\n  \"p99\",\n]\n", 4, ["not a bound", "p99<50ms"]),
        (
            "[bench]\nthreshold = { p99 = { most = \"1s\" } }\n",
            2,
            ["no value of an option", "list of values"],
        ),
        ("[bench\n", 1, ["unclosed", "[bench]"]),
    ] {
        let place = format!("twenty-conform.toml:{line}: ");
        compare(text, &[]).expect(2).complains_of(&[&place, words[0], words[1]]);
    }
    // A named file must exist.
    run(["bench", "compare", &old, &new, "--config", "no.toml"]).expect(2).complains_of(&["no.toml"]);
    // The file gives bounds only if the command line gives none.
    write(&folder, "twenty-conform.toml", "[bench]\nthreshold = [\"p50<1us\"]\nbaseline-dir = \"here\"\n");
    bench(&folder, &["--save", "main"]).expect(6).says(&["NOT MET", "p50<1us"]);
    assert!(folder.path().join("here/main.json").is_file());
    bench(&folder, &["--threshold", "p50<60s"]).expect(0);
}
