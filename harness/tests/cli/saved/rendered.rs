//! `report`: what it renders is what the run wrote.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use twenty_conform::budget::Budget;
use twenty_conform::report::VerdictName;
use twenty_conform::report::stored::open;
use twenty_conform::wire::exchange::Exchange;

use super::{Folder, assert_valid, run};
use crate::cli::program::Report;

/// Fails unless the saved run is rendered again byte by byte. `text` is what the run printed, `reports` are files that it wrote with
/// their formats.
pub(crate) fn assert_reads_back(saved: &Path, text: &str, reports: &[(&str, &Path)]) {
    assert_valid(&Report::read(&saved.join("report.json")).unwrap().0);
    let again = saved.with_extension("again");
    fs::create_dir(&again).unwrap();
    let mut arguments = vec!["report".to_owned(), saved.display().to_string()];
    for (format, _) in reports {
        arguments.extend(["--report".to_owned(), format!("{format}={}", again.join(format).display())]);
    }
    let ran = run(arguments).expect(0);
    assert_eq!(ran.stdout, text);
    assert_eq!(ran.stderr, "");
    for (format, path) in reports {
        let [own, other] = [path, &&*again.join(format)].map(|path| fs::read_to_string(path).unwrap());
        assert_eq!(own, other, "{format}");
    }
    let verbose = run(["report", &saved.display().to_string(), "-v"]).expect(0).stdout;
    assert_eq!(verbose, fs::read_to_string(saved.join("report.txt")).unwrap());
}

#[test]
fn report_of_a_demo_is_rendered_again() {
    let folder = Folder::new();
    let arguments = ["demo", "--run", "VER-1", "--run", "SIG-1", "--seed", "1", "--cases", "2"];
    let json = folder.path("report");
    let option = format!("json={json}");
    let ran = folder.keep("demo", &[&arguments[..], &["--report", &option]].concat()).expect(0);
    assert_reads_back(&folder.at("demo"), &ran.stdout, &[("json", Path::new(&json))]);
}

#[test]
fn report_that_was_written_alone_is_rendered_and_ends_as_asked() {
    let folder = Folder::new();
    folder.recorded("run");
    fs::copy(folder.at("run/report.json"), folder.at("alone")).unwrap();
    let whole = run(["report", &folder.path("run")]).expect(0).stdout;
    for file in ["run/report.json", "alone"] {
        assert_eq!(run(["report", &folder.path(file)]).expect(0).stdout, whole, "{file}");
    }
    let ended = run(["report", &folder.path("alone"), "--exit-status"]).expect(1);
    assert_eq!(ended.stdout, whole);
    let text = fs::read_to_string(folder.at("alone")).unwrap();
    fs::write(folder.at("edited"), text.replace("\"exit_status\": 1", "\"exit_status\": 0")).unwrap();
    let edited = run(["report", &folder.path("edited"), "--exit-status"]).expect(2);
    edited.complains_of(&["its result is not that of its requirements"]);
    let short = run(["report", &folder.path("alone"), "--agent"]).expect(0).stdout;
    assert!(short.len() < whole.len() && short.contains("RESULT: fail"), "{short}");
    let json = run(["report", &folder.path("run"), "--report", "json=-"]).expect(0).stdout;
    assert_eq!(json, fs::read_to_string(folder.at("run/report.json")).unwrap());
    let printed = run(["report", &folder.path("run"), "--color", "always"]).expect(0).stdout;
    assert!(printed.contains('\u{1b}'), "{printed}");
}

#[test]
fn failures_have_the_exchanges_that_show_them() {
    let folder = Folder::new();
    folder.receiver("run", 200, &["--run", "VER-1,VER-4,VER-10"], 1);
    let mut saved = open(&folder.at("run")).unwrap();
    saved.add_exchanges(&Budget::of(1 << 20)).unwrap();
    let lines = fs::read_to_string(folder.at("run/exchanges.jsonl")).unwrap();
    let exchanges: Vec<Exchange> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let failed = || saved.report.checks.iter().filter(|check| check.verdict == VerdictName::Fail);
    assert!(failed().count() >= 2);
    for check in failed() {
        let caused = check.cause.iter().flat_map(|cause| cause.shown_by.iter().take(3));
        let numbers: BTreeSet<usize> = check
            .exchanges
            .iter()
            .take(3)
            .chain(check.controls.iter().take(3))
            .chain(caused)
            .copied()
            .collect();
        let expected: Vec<Exchange> =
            numbers.into_iter().map(|number| exchanges[number - 1].clone()).collect();
        assert_eq!(check.exchanges_shown, expected, "{}", check.id);
        assert!(!expected.is_empty());
    }
    let mut brief = open(&folder.at("run")).unwrap();
    brief.add_exchanges(&Budget::of(0)).unwrap();
    assert!(brief.report.checks.iter().all(|check| check.exchanges_shown.is_empty()));
}

#[test]
fn report_overwrites_no_file_of_the_run() {
    let folder = Folder::new();
    folder.recorded("run");
    let before = fs::read(folder.at("run/report.json")).unwrap();
    for file in ["run/report.json", "run/run.json", "run/exchanges.jsonl"] {
        let option = format!("json={}", folder.path(file));
        let ran = run(["report", &folder.path("run"), "--report", &option]).expect(2);
        ran.complains_of(&["--report json=", file, "run"]);
    }
    assert_eq!(fs::read(folder.at("run/report.json")).unwrap(), before);
    let missing = format!("junit={}", folder.path("none/report.xml"));
    run(["report", &folder.path("run"), "--report", &missing]).expect(2).complains_of(&["none"]);
}

#[test]
fn report_without_its_exchanges_says_so_and_is_complete() {
    let folder = Folder::new();
    folder.receiver("run", 200, &["--run", "VER-1"], 1);
    let whole = run(["report", &folder.path("run")]).expect(0);
    assert_eq!(whole.stderr, "");
    fs::write(folder.at("run/exchanges.jsonl"), "{\"number\":1}\nnot one\n").unwrap();
    let ran = run(["report", &folder.path("run")]).expect(0);
    ran.complains_of(&["exchanges.jsonl", "shows no exchanges"]);
    assert_eq!(ran.stdout, whole.stdout);
}
