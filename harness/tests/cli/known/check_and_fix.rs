//! `known check` and `known fix` with the evidence of runs.

use std::fs;
#[cfg(target_os = "linux")]
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Place, WINDOW, faulty, receiver};
use crate::cli::program::{Report, finish, reference, run};

#[test]
fn check_compares_a_list_with_a_run() {
    let place = Place::with(WINDOW);
    place.known("check", &[]).expect(0).says(&["known.toml:1 VER-11: answer.status", "1 entry, 0 expired"]);
    place.keep(&faulty(), &["--run", "VER-1,VER-11"]).expect(0);
    let evidence = place.evidence();
    let report = evidence.join("report.json");
    for run in [&evidence, &report] {
        let ran = place.known("check", &[run.to_str().unwrap()]).expect(0);
        ran.says(&["VER-11: still fails for its cause", "1 entry: 1 still fail, 0 to correct"]);
    }
    for (list, status, words) in [
        (WINDOW.replace("VER-11", "VER-1"), 5, &["VER-1: passes now; remove it"][..]),
        (
            WINDOW.replace("\"VER-11\"", "\"VER-1*\""),
            5,
            &["matches too much: VER-1 pass; name only what fails: VER-11"],
        ),
        (
            WINDOW.replace("answer.status", "accepts.stale"),
            5,
            &["VER-11 fails for another cause: answer.status"],
        ),
        (format!("{WINDOW}expires = 2001-01-01\n"), 5, &["expired on 2001-01-01"]),
        (
            WINDOW.replace("VER-11", "VER-4"),
            0,
            &["not part of this run", "VER-4", "was not selected", "1 not judged"],
        ),
        (WINDOW.replace("VER-11", "SIG-1"), 0, &["not part of this run", "1 not judged"]),
    ] {
        fs::write(place.list(), &list).unwrap();
        place.known("check", &[evidence.to_str().unwrap()]).expect(status).says(words);
    }
    fs::write(place.list(), format!("{WINDOW}expires = 2001-01-01\n")).unwrap();
    place.known("check", &[]).expect(5).says(&["expired on 2001-01-01", "1 expired"]);
}

#[test]
fn fix_rewrites_a_list_after_a_whole_run() {
    let list = format!(
        "# Ours.\n\n# Ann.\n{WINDOW}\n[[known]]\ncheck = \"VER-1\"\ncause = \"accepts.everything\"\nreason = \"r\"\n"
    );
    let place = Place::with(&list);
    place.keep(&faulty(), &["--run", "VER-1,VER-11"]).expect(0);
    // Shown, not written.
    let ran = place.fix(&["--dry-run"]).expect(0);
    ran.says(&["removed VER-1, which passes now", "-check = \"VER-1\"", "is unchanged (--dry-run)"]);
    assert_eq!(place.text(), list);
    place.fix(&[]).expect(0).says(&["known.toml:9: removed VER-1", "is written, with 1 change"]);
    let fixed = format!("# Ours.\n\n# Ann.\n{WINDOW}");
    assert_eq!(place.text(), fixed);
    place.fix(&[]).expect(0).says(&["nothing to change"]);
    assert_eq!(place.text(), fixed);
    // Causes, with the comment in the line.
    fs::write(place.list(), WINDOW.replace("\"answer.status\"", "\"accepts.stale\" # since May")).unwrap();
    place.fix(&[]).expect(0).says(&["the cause of VER-11 is answer.status now, not accepts.stale"]);
    assert_eq!(place.text(), WINDOW.replace("\"answer.status\"", "\"answer.status\" # since May"));
    // A list that does not exist begins with every failure.
    fs::remove_file(place.list()).unwrap();
    place.fix(&[]).expect(2).complains_of(&["there is no file"]);
    place.fix(&["--add"]).expect(0).says(&["added VER-11 (answer.status)"]);
    assert_eq!(place.text(), "[[known]]\ncheck = \"VER-11\"\ncause = \"answer.status\"\nreason = \"TODO\"\n");
    place.judged(&receiver(&faulty(), &[])).0.expect(0);
    // What has expired is for people.
    let expired = format!("{WINDOW}expires = 2001-01-01\n");
    fs::write(place.list(), &expired).unwrap();
    place.fix(&[]).expect(5).says(&["left: ", "expired on 2001-01-01", "nothing to change"]);
    assert_eq!(place.text(), expired);
}

#[test]
fn fix_is_refused_on_runs_that_do_not_decide() {
    let place = Place::with(WINDOW);
    place.keep(&reference("receiver"), &["--run", "VER-1"]).expect(0);
    let refused = |words: &[&str]| {
        place.fix(&["--add"]).expect(2).complains_of(words);
        assert_eq!(place.text(), WINDOW);
    };
    refused(&["is not changed", "VER-11 (", "known.toml:1) was not selected", "--run"]);
    // The same run in whole passes, so a list can be corrected; each of these members makes it partial.
    let path = place.evidence().join("report.json");
    fs::remove_dir_all(place.evidence()).unwrap();
    place.keep(&reference("receiver"), &["--run", "VER-11"]).expect(0);
    let whole: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    for (member, value, words) in [
        ("interrupted", Value::Bool(true), "the run was interrupted"),
        ("unreached", Value::Bool(true), "nothing was tried"),
        ("stopped", Value::Bool(true), "stopped early"),
        ("out_of_time", Value::Bool(true), "raise --max-time"),
        (
            "format",
            "twenty-conform-report/9".into(),
            "which reads twenty-conform-report/2: use a later version",
        ),
        ("format", Value::Null, "format"),
        ("checks", Value::Null, "report.json"),
    ] {
        let mut report = whole.clone();
        report[member] = value;
        fs::write(&path, report.to_string()).unwrap();
        refused(&[words]);
    }
    fs::write(&path, "{\"format\": ").unwrap();
    refused(&["report.json is cut"]);
    fs::remove_file(&path).unwrap();
    refused(&["it has no report.json"]);
    fs::write(&path, whole.to_string()).unwrap();
    place.fix(&[]).expect(0);
    assert_eq!(place.text(), "");
}

#[test]
fn run_out_of_time_does_not_decide() {
    let place = Place::with(WINDOW);
    place.keep(&reference("receiver"), &["--max-time", "100ms"]);
    let report = Report::read(&place.evidence().join("report.json")).unwrap();
    assert_eq!(report.0["out_of_time"], true, "{:#}", report.0["result"]);
    place.fix(&[]).expect(2).complains_of(&["out of time"]);
    assert_eq!(place.text(), WINDOW);
}

#[test]
#[cfg(target_os = "linux")]
fn list_on_a_full_disk_stays_as_it_was() {
    let place = Place::with(&WINDOW.replace("answer.status", "accepts.stale"));
    place.keep(&faulty(), &["--run", "VER-11"]).expect(0);
    // Nothing can be written there, as on a full disk.
    let evidence = place.evidence().display().to_string();
    let ran = run(["known", "fix", "/dev/full", &evidence, "--add"]);
    ran.expect(2);
    let limited = format!(
        "ulimit -f 0; exec '{}' known fix '{}' '{evidence}'",
        assert_cmd::cargo::cargo_bin!("twenty-conform").display(),
        place.list().display()
    );
    let mut command = std::process::Command::new("sh");
    // The signal of a file that is too long is ignored, so that writing fails.
    command.args(["-c", &format!("trap '' XFSZ; {limited}")]);
    finish(command).expect(70).complains_of(&["cannot write /", "known.toml: "]);
    assert_eq!(place.text(), WINDOW.replace("answer.status", "accepts.stale"));
    let names = fs::read_dir(place.0.path()).unwrap().count();
    assert_eq!(names, 2, "{:?}", list_of(place.0.path()));
}

#[cfg(target_os = "linux")]
fn list_of(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
