//! `rejudge`: every verdict again from a saved run, what was changed since, and damaged folders.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::program::{Ran, finish, twenty};
use crate::peers::servers::always;

/// A run with this command line and its folder.
fn saved(arguments: &[&str], status: i32) -> TempDir {
    let folder = TempDir::new().unwrap();
    let mut command = twenty(arguments);
    command.args(["--seed", "42", "--cases", "4", "--out"]).arg(folder.path());
    finish(command).expect(status);
    folder
}

fn rejudge(folder: &Path) -> Ran {
    let mut command = twenty(["rejudge", "--report", "json=-"]);
    command.arg(folder);
    finish(command)
}

/// The members of a report that do not depend on how long things took.
fn told(report: &str) -> Value {
    let mut report: Value = serde_json::from_str(report).unwrap();
    for name in ["duration_ms", "waited_ms", "exchanges_per_s"] {
        report.as_object_mut().unwrap().remove(name);
    }
    report
}

/// Changes one file of a run.
fn edit(folder: &Path, name: &str, change: impl FnOnce(String) -> String) {
    let path = folder.join(name);
    let text = change(fs::read_to_string(&path).unwrap());
    fs::write(path, text).unwrap();
}

#[test]
fn saved_runs_are_judged_as_in_the_run() {
    let accepts = format!("--url={}", always(200));
    let rejects = format!("--url={}", always(401));
    for (arguments, status) in [
        (&["demo"][..], 0),
        (&["receiver", &accepts, "--secret", "s3cr3t-of-a-receiver"], 1),
        (&["receiver", &rejects, "--secret", "s3cr3t-of-a-receiver", "--require", "PRC-1"], 1),
    ] {
        let folder = saved(arguments, status);
        let again = rejudge(folder.path()).expect(status);
        let own = fs::read_to_string(folder.path().join("report.json")).unwrap();
        assert_eq!(told(&again.stdout), told(&own), "{arguments:?}");
    }
}

#[test]
fn answers_that_were_changed_are_noticed() {
    let url = format!("--url={}", always(200));
    let folder = saved(&["receiver", &url, "--secret", "s3cr3t"], 1);
    // The receiver seems to reject what it had accepted.
    edit(folder.path(), "exchanges.jsonl", |text| text.replace("\"status\":200", "\"status\":401"));
    let ran = rejudge(folder.path()).expect(70);
    ran.complains_of(&["verdicts differ from the run's own"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let notes = report["notes"].to_string();
    for words in [
        "generated cases came to something else",
        "RCV-1 is judged otherwise than in the run: pass in the run, fail",
    ] {
        assert!(notes.contains(words), "{words} in {notes}");
    }
}

#[test]
fn damaged_folders_are_named_with_the_fix() {
    type Damage = fn(&Path);
    let cut: Damage = |folder| edit(folder, "exchanges.jsonl", |text| text[..text.len() - 30].to_owned());
    let swapped: Damage =
        |folder| edit(folder, "exchanges.jsonl", |text| text.replacen("\"number\":3,", "\"number\":4,", 1));
    let short: Damage = |folder| {
        edit(folder, "exchanges.jsonl", |text| text.lines().take(2).map(|line| format!("{line}\n")).collect())
    };
    let garbage: Damage =
        |folder| edit(folder, "generated.jsonl", |text| text.replacen('\n', "\nnonsense\n", 6));
    let fewer: Damage =
        |folder| edit(folder, "generated.jsonl", |text| text.split_inclusive('\n').take(1).collect());
    let newer: Damage =
        |folder| edit(folder, "transcript.json", |text| text.replacen("transcript/1", "transcript/9", 1));
    let half: Damage = |folder| edit(folder, "transcript.json", |text| text[..text.len() / 2].to_owned());
    let not_ended: Damage = |folder| fs::remove_file(folder.join("transcript.json")).unwrap();
    let lost: Damage = |folder| fs::remove_file(folder.join("exchanges.jsonl")).unwrap();
    let other: Damage = |folder| {
        fs::remove_file(folder.join("transcript.json")).unwrap();
        fs::remove_file(folder.join("run.json")).unwrap();
    };
    let made: Damage = |folder| {
        fs::remove_file(folder.join("exchanges.jsonl")).unwrap();
        fs::create_dir(folder.join("exchanges.jsonl")).unwrap();
    };
    let url = format!("--url={}", always(200));
    for (damage, words) in [
        (cut, "the line is cut off"),
        (swapped, "exchanges.jsonl:3: the exchange has number 4, not 3"),
        (short, "exchanges.jsonl: it has 2 exchanges instead of"),
        (fewer, "generated.jsonl: it has 1 case instead of"),
        (garbage, "generated.jsonl:2: expected"),
        (newer, "\"twenty-conform-transcript/9\", but this version reads"),
        (half, "transcript.json: EOF"),
        (not_ended, "it has no transcript.json"),
        (lost, "exchanges.jsonl: No such file"),
        (other, "run.json"),
        (made, "it is not a file"),
    ] {
        let folder = saved(&["receiver", &url, "--secret", "s3cr3t", "--run", "RCV-1", "--run", "VER-1"], 1);
        damage(folder.path());
        let ran = rejudge(folder.path()).expect(2);
        ran.complains_of(&[words]);
        ran.prints_no_more_than_an_error();
    }
    rejudge(Path::new("/no/such/folder")).expect(2).complains_of(&["/no/such/folder"]);
}
