//! `bench trend` on folders of made-up reports.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::program::run;
use crate::load::made::MadeUp;

/// Writes a run of that day with an accepted rate.
fn write(folder: &TempDir, day: usize, rate: u64, edit: impl Fn(&mut Value)) {
    let mut report = MadeUp::steady(rate, 20_000).json();
    report["started_at"] = json!(format!("2026-10-{day:02}T08:00:00.000Z"));
    edit(&mut report);
    fs::write(folder.path().join(format!("run-{day}.json")), report.to_string()).unwrap();
}

fn folder(folder: &TempDir) -> &str {
    folder.path().to_str().unwrap()
}

/// Ten runs at about 1000 per second, then ten at about 900.
fn slower_since_the_eleventh() -> TempDir {
    let made = TempDir::new().unwrap();
    for day in 1..=20u64 {
        let rate = if day <= 10 { 1000 } else { 900 } + day * 7 % 20;
        write(&made, usize::try_from(day).unwrap(), rate, |_| {});
    }
    made
}

#[test]
fn change_is_told_with_its_run_and_gates_nothing() {
    let made = slower_since_the_eleventh();
    let ran = run(["bench", "trend", folder(&made)]).expect(0);
    ran.says(&[
        "node server.mjs",
        "closed loop",
        "20 runs",
        "worse",
        "2026-10-11T08:00:00.000Z (run-11.json)",
    ]);
    ran.says(&["RESULT: pass changes 1 runs 20 series 1"]);
    let json: Value =
        serde_json::from_str(&run(["bench", "trend", folder(&made), "--json"]).expect(0).stdout).unwrap();
    assert_eq!(json["format"], "twenty-conform-trend/1");
    let metrics = json["series"][0]["metrics"].as_array().unwrap();
    let changes: Vec<&Value> =
        metrics.iter().flat_map(|metric| metric["changes"].as_array().unwrap()).collect();
    let [change] = *changes else { panic!("{json:#}") };
    assert_eq!((&change["run"], &change["better"]), (&json!(10), &json!(false)));
    assert!(change["p"].as_f64().unwrap() < 1e-6, "{change}");
}

#[test]
fn runs_of_other_loads_and_subjects_are_series_of_their_own() {
    let made = slower_since_the_eleventh();
    for day in 21..=23 {
        write(&made, day, 5000, |report| report["subject"] = json!("./other"));
        write(&made, day + 3, 100, |report| report["load"]["concurrency"] = json!(2));
    }
    let ran = run(["bench", "trend", folder(&made)]).expect(0);
    ran.says(&["RESULT: pass changes 1 runs 26 series 3"]);
}

#[test]
fn what_is_no_run_is_named() {
    let made = TempDir::new().unwrap();
    run(["bench", "trend", folder(&made)]).expect(2).complains_of(&["no report", "--report json="]);
    run(["bench", "trend", "no/such/folder"]).expect(2).complains_of(&["no/such/folder"]);
    write(&made, 1, 1000, |_| {});
    write(&made, 2, 1000, |report| {
        report["result"] = json!("fail");
        report["exit_status"] = json!(1);
    });
    fs::write(made.path().join("package.json"), "{}").unwrap();
    fs::write(made.path().join("notes.txt"), "x").unwrap();
    let ran = run(["bench", "trend", folder(&made)]).expect(0);
    ran.says(&["run-2.json is left out", "fail", "1 JSON file is not", "package.json", "fewer than 8 runs"]);
    let cut = &MadeUp::steady(1, 1).json().to_string()[..300];
    fs::write(made.path().join("cut.json"), cut).unwrap();
    run(["bench", "trend", folder(&made)]).expect(2).complains_of(&["cut.json"]);
}
