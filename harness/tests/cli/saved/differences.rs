//! `diff`: what it lists, and its status.

use std::fs;

use serde_json::{Value, json};

use super::{Folder, run};

/// The runs to compare: one that fails some requirements for known causes, and a copy.
fn copies() -> Folder {
    let folder = Folder::new();
    folder.receiver("old", 200, &["--run", "VER-1,RCV-1,VER-9"], 1);
    copy(&folder);
    folder
}

/// Makes the new run equal to the old one.
fn copy(folder: &Folder) {
    let _ = fs::remove_dir_all(folder.at("new"));
    fs::create_dir(folder.at("new")).unwrap();
    for name in ["run.json", "report.json"] {
        fs::copy(folder.at("old").join(name), folder.at("new").join(name)).unwrap();
    }
}

/// Changes what a report says of a requirement.
fn set(folder: &Folder, run: &str, id: &str, change: impl Fn(&mut Value)) {
    folder.change(&format!("{run}/report.json"), |report| {
        let requirements = report["requirements"].as_array().unwrap();
        let at = requirements.iter().position(|one| one["id"] == id).unwrap();
        change(&mut report["checks"][at]);
        report["requirements"][at]["verdict"] = report["checks"][at]["verdict"].clone();
    });
}

/// The comparison as JSON, with this status.
#[track_caller]
fn compared(folder: &Folder, status: i32) -> Value {
    let ran = run(["diff", &folder.path("old"), &folder.path("new"), "--json"]).expect(status);
    serde_json::from_str(&ran.stdout).unwrap()
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

#[test]
fn equal_runs_have_no_difference() {
    let folder = copies();
    let found = compared(&folder, 0);
    assert_eq!(found["format"], "twenty-conform-diff/1");
    for list in
        ["circumstances", "newly_failing", "newly_passing", "failing_otherwise", "newly_open", "slower"]
    {
        assert_eq!(found[list], json!([]), "{list}");
    }
    let ran = run(["diff", &folder.path("old"), &folder.path("new/report.json")]).expect(0);
    ran.says(&["no requirement has another verdict or cause", "DIFF: newly-failing 0 newly-passing 0"]);
}

#[test]
fn each_change_is_in_its_list() {
    let folder = copies();
    set(&folder, "old", "VER-1", |check| check["verdict"] = "pass".into());
    let found = compared(&folder, 1);
    assert_eq!((ids(&found["newly_failing"]), &found["exit_status"]), (vec!["VER-1"], &json!(1)));
    assert_eq!(found["newly_failing"][0]["gated"], true);
    assert_eq!(found["newly_failing"][0]["new"]["cause"], "accepts.everything");
    let text = run(["diff", &folder.path("old"), &folder.path("new")]).expect(1);
    text.says(&["newly failing (1)", "VER-1", "accepts.everything", "fix", "DIFF: newly-failing 1"]);
    // The other way round.
    let ran = run(["diff", &folder.path("new"), &folder.path("old")]).expect(0);
    ran.says(&["newly passing (1)", "VER-1", "newly-passing 1"]);

    copy(&folder);
    set(&folder, "new", "VER-1", |check| check["verdict"] = "not-applicable".into());
    let found = compared(&folder, 0);
    assert_eq!(ids(&found["newly_open"]), ["VER-1"]);

    for (change, count) in [
        ((|check| check["cause"]["code"] = "accepts.unsigned".into()) as fn(&mut Value), 1),
        (|check| check["cause"]["detail"] = "another one".into(), 1),
        (|check| drop(check.as_object_mut().unwrap().remove("cause")), 1),
        // It has numbers that differ from run to run.
        (|check| check["message"] = "something else".into(), 0),
    ] {
        copy(&folder);
        set(&folder, "old", "VER-1", |check| check["verdict"] = "fail".into());
        set(&folder, "new", "VER-1", |check| check["verdict"] = "fail".into());
        set(&folder, "new", "VER-1", change);
        let found = run(["diff", &folder.path("old"), &folder.path("new"), "--json"]);
        let found: Value = serde_json::from_str(&found.stdout).unwrap();
        assert_eq!(ids(&found["failing_otherwise"]).len(), count, "{found:#}");
    }
}

#[test]
fn status_is_that_of_what_is_gated() {
    let folder = Folder::new();
    folder.receiver("old", 200, &["--run", "VER-1,VER-4"], 1);
    copy(&folder);
    for id in ["VER-1", "VER-4"] {
        set(&folder, "old", id, |check| check["verdict"] = "pass".into());
        set(&folder, "new", id, |check| check["verdict"] = "pass".into());
    }
    compared(&folder, 0);
    let levels = folder.json("new/report.json")["requirements"].clone();
    let with = |level: &str| {
        let found = levels.as_array().unwrap().iter().find(|one| one["level"] == level);
        found.map(|one| one["id"].as_str().unwrap().to_owned())
    };
    let must = with("must").unwrap();
    set(&folder, "new", &must, |check| check["verdict"] = "inconclusive".into());
    compared(&folder, 3);
    set(&folder, "new", &must, |check| check["verdict"] = "not-applicable".into());
    compared(&folder, 0);
    set(&folder, "new", &must, |check| check["verdict"] = "fail".into());
    compared(&folder, 1);
    folder.change("new/report.json", |report| {
        let at =
            report["requirements"].as_array().unwrap().iter().position(|one| one["id"] == *must).unwrap();
        report["requirements"][at]["level"] = "should".into();
    });
    let found = compared(&folder, 0);
    assert_eq!(found["newly_failing"][0]["gated"], false);
    folder.change("new/report.json", |report| report["fail_on"] = "should".into());
    compared(&folder, 1);
    set(&folder, "new", &must, |check| check["verdict"] = "pass".into());
    folder.change("new/report.json", |report| report["ended"] = true.into());
    assert_eq!(compared(&folder, 1)["newly_ended"], true);
}

#[test]
fn circumstances_come_first() {
    let folder = Folder::new();
    folder.receiver("old", 200, &["--run", "VER-1"], 1);
    folder.receiver("new", 200, &["--run", "VER-1,RCV-1", "--timeout", "9s", "--fail-on", "should"], 1);
    let found = compared(&folder, 0);
    let what: Vec<&str> =
        found["circumstances"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["subject", "gated level", "selection", "timeout"]);
    assert_eq!(ids(&found["only_in_new"]), ["RCV-1"]);
    let text = run(["diff", &folder.path("old"), &folder.path("new")]).expect(0).stdout;
    let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words} is not in {text}"));
    assert!(at("different circumstances (4)") < at("only in the new run (1)"), "{text}");
}

#[test]
fn only_large_differences_of_time_are_named() {
    let folder = copies();
    for (old_us, new_us, is_slower) in [(100, 40_000, true), (100, 4_000, false), (30_000, 60_000, false)] {
        set(&folder, "old", "VER-1", |check| check["duration_us"] = (old_us * 2).into());
        set(&folder, "new", "VER-1", |check| check["duration_us"] = (new_us * 2).into());
        for run in ["old", "new"] {
            set(&folder, run, "VER-1", |check| check["cases"] = 2.into());
            folder.change(&format!("{run}/report.json"), |report| report["duration_ms"] = 100.into());
        }
        let found = compared(&folder, 0);
        assert_eq!(ids(&found["slower"]) == ["VER-1"], is_slower, "{found:#}");
    }
    for (run, ms) in [("old", 500), ("new", 5000)] {
        folder.change(&format!("{run}/report.json"), |report| report["duration_ms"] = ms.into());
    }
    let ran = run(["diff", &folder.path("old"), &folder.path("new")]).expect(0);
    ran.says(&["much slower (1)", "whole run", "no benchmark", "3 times", "slower 1"]);
}

#[test]
fn markdown_escapes_what_a_program_wrote() {
    let folder = copies();
    set(&folder, "old", "VER-1", |check| check["verdict"] = "pass".into());
    folder.change("new/report.json", |report| {
        report["subject"] = "a|b <script> `x` [l](u) @someone\n# h".into()
    });
    let text = run(["diff", &folder.path("old"), &folder.path("new"), "--markdown"]).expect(1).stdout;
    for words in ["### newly failing (1)", "| VER-1 ", "a\\|b &lt;script&gt; \\`x\\` \\[l\\](u) &#64;someone"]
    {
        assert!(text.contains(words), "{words} is not in {text}");
    }
    assert!(!text.contains("\n# h"), "{text}");
    let columns = |line: &str| line.replace("\\|", "").matches('|').count();
    let tables: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert!(tables.iter().all(|line| [4, 5, 6].contains(&columns(line))), "{text}");
}

#[test]
fn runs_of_different_roles_are_not_compared() {
    let folder = copies();
    folder.recorded("sender");
    let ran = run(["diff", &folder.path("old"), &folder.path("sender")]).expect(2);
    ran.complains_of(&["cannot compare", "receiver", "sender", "same role"]);
    run(["diff", &folder.path("old")]).expect(2).complains_of(&["NEW"]);
    run(["diff", &folder.path("old"), &folder.path("new"), "--json", "--markdown"]).expect(2);
}

#[test]
fn known_failures_are_failures_that_are_not_gated() {
    let folder = copies();
    for (old, new, list, status) in [
        ("pass", "known-failure", "newly_failing", 0),
        ("pass", "drift", "newly_failing", 1),
        ("known-failure", "fail", "newly_failing", 1),
        ("known-failure", "pass", "newly_passing", 0),
        ("fail", "unexpected-pass", "newly_passing", 0),
        ("fail", "drift", "", 0),
        ("pass", "unexpected-pass", "", 0),
        ("known-failure", "inconclusive", "newly_open", 3),
    ] {
        for (run, verdict) in [("old", old), ("new", new)] {
            set(&folder, run, "VER-1", |check| check["verdict"] = verdict.into());
        }
        let found = compared(&folder, status);
        for one in ["newly_failing", "newly_passing", "failing_otherwise", "newly_open"] {
            let expected = if one == list { vec!["VER-1"] } else { Vec::new() };
            assert_eq!(ids(&found[one]), expected, "{one}, {old} to {new}");
        }
    }
}
