//! Known failures: `--known-failures` in every kind of run, `known check` and `known fix`.
//!
//! Invariant: every status that a list can lead to is tested here, and every way in which a list can be wrong.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::program::{Ran, Report, finish, reference, run, twenty};
use crate::peers::servers::{ClosedPort, always};

/// A list, a folder for evidence, and a command that runs receivers with one known fault.
struct Place(TempDir);

/// An entry on what a receiver with a narrow window fails.
const WINDOW: &str =
    "[[known]]\ncheck = \"VER-11\" # window\ncause = \"answer.status\"\nreason = \"slow clock\"\n";

/// That receiver, and one without a fault.
fn faulty() -> String {
    format!("{} --window 20s", reference("receiver"))
}

impl Place {
    fn with(list: &str) -> Self {
        let place = Self(TempDir::new().unwrap());
        fs::write(place.list(), list).unwrap();
        place
    }

    fn list(&self) -> PathBuf {
        self.0.path().join("known.toml")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.list()).unwrap()
    }

    fn evidence(&self) -> PathBuf {
        self.0.path().join("evidence")
    }

    /// A run with the list, and its JSON report.
    fn judged(&self, options: &[&str]) -> (Ran, Report) {
        let path = self.0.path().join("report.json");
        let mut command = twenty(options);
        command
            .arg("--known-failures")
            .arg(self.list())
            .arg("--report")
            .arg(format!("json={}", path.display()));
        let ran = finish(command);
        (ran, Report::read(&path).unwrap())
    }

    /// A run of these requirements, with its evidence.
    fn keep(&self, exec: &str, options: &[&str]) -> Ran {
        let mut command = twenty(["receiver", "--exec", exec, "--seed", "5"]);
        command.args(options).arg("--out").arg(self.evidence());
        finish(command)
    }

    fn known(&self, action: &str, options: &[&str]) -> Ran {
        let mut command = twenty(["known", action]);
        command.arg(self.list()).args(options);
        finish(command)
    }

    /// `known fix` with the evidence.
    fn fix(&self, options: &[&str]) -> Ran {
        let evidence = self.evidence();
        self.known("fix", &[&[evidence.to_str().unwrap()], options].concat())
    }
}

fn receiver<'a>(exec: &'a str, options: &[&'a str]) -> Vec<&'a str> {
    [&["receiver", "--exec", exec, "--run", "VER-1,VER-11,PRC-1", "--fail-on", "should"], options].concat()
}

#[test]
fn known_failure_does_not_fail_the_run() {
    let faulty = faulty();
    let unknown = run(receiver(&faulty, &[])).expect(1);
    assert!(unknown.stdout.contains("answer.status"), "{unknown:#?}");
    let entry = format!("{WINDOW}owner = \"Ann\"\nlink = \"https://example.com/7\"\nexpires = 2999-12-31\n");
    let place = Place::with(&entry);
    let (ran, report) = place.judged(&receiver(&faulty, &[]));
    let line = ran.result_line().to_owned();
    let ran = ran.expect(0);
    ran.says(&[
        "Known failures (1)",
        "VER-11 answer.status: slow clock (Ann; until 2999-12-31; https://example.com/7)",
    ]);
    assert!(line.starts_with("RESULT: pass must 1/1 should 0/1 "), "{line}");
    let known = &report.check("VER-11")["known"];
    assert_eq!(report.with("known-failure"), ["VER-11"].into());
    assert_eq!(
        (&known["line"], &known["owner"], &known["expires"]),
        (&1.into(), &"Ann".into(), &"2999-12-31".into())
    );
    assert_eq!(report.0["findings"], Value::Array(Vec::new()));
    assert_eq!(report.0["counts"]["should"]["known-failure"], 1);
    let junit = place.0.path().join("junit.xml");
    let short =
        place.judged(&receiver(&faulty, &["-q", "--report", &format!("junit={}", junit.display())])).0;
    assert_eq!(short.stdout.lines().next(), Some("known-failure: VER-11"), "{short:#?}");
    let junit = fs::read_to_string(junit).unwrap();
    assert!(
        junit.contains("<skipped") && junit.contains("slow clock") && !junit.contains("<failure"),
        "{junit}"
    );
}

#[test]
fn list_that_is_no_longer_true_has_status_5() {
    let (faulty, right) = (faulty(), reference("receiver"));
    let drifted = WINDOW.replace("answer.status", "accepts.stale");
    let expired = format!("{WINDOW}expires = 2020-02-29\n");
    let too_much = WINDOW.replace("\"VER-11\"", "[\"VER-1\", \"VER-11\"]");
    for (list, exec, verdict, id, words) in [
        (WINDOW, &right, "unexpected-pass", "VER-11", "VER-11 passes now, and is a known failure at "),
        (&drifted, &faulty, "drift", "VER-11", "not for accepts.stale as at "),
        (&expired, &faulty, "known-failure", "VER-11", "expired on 2020-02-29: fix it"),
        (
            &too_much,
            &faulty,
            "unexpected-pass",
            "VER-1",
            "matches too much: VER-1 passes; name only what fails: VER-11",
        ),
    ] {
        let place = Place::with(list);
        let (ran, report) = place.judged(&receiver(exec, &[]));
        let ran = ran.expect(5);
        assert!(ran.result_line().starts_with("RESULT: fail "), "{ran:#?}");
        ran.says(&[words, "known fix"]);
        assert_eq!(report.with(verdict), [id].into(), "{words}");
        assert_eq!((&report.0["exit_status"], &report.0["result"]), (&5.into(), &"fail".into()));
        // A drift is a finding, with the cause of now.
        let causes: Vec<&str> =
            report.0["findings"].as_array().unwrap().iter().filter_map(|one| one["cause"].as_str()).collect();
        assert_eq!(causes, if verdict == "drift" { vec!["answer.status"] } else { vec![] });
        let junit = place.0.path().join("junit.xml");
        let (short, _) =
            place.judged(&receiver(exec, &["-q", "--report", &format!("junit={}", junit.display())]));
        assert!(short.expect(5).stdout.contains("known fix"));
        assert_eq!(fs::read_to_string(junit).unwrap().matches("<failure").count(), 1, "{words}");
    }
}

#[test]
fn other_statuses_come_first() {
    let (faulty, right) = (faulty(), reference("receiver"));
    let place = Place::with(WINDOW);
    // Another requirement fails: 1. It is not known because VER-11 is.
    let all = Place::with("[[known]]\ncheck = \"VER-4\"\ncause = \"accepts.everything\"\nreason = \"r\"\n");
    let accepting = always(200);
    let other = ["receiver", "--url", &accepting, "--secret", "s", "--run", "VER-1,VER-4"];
    assert_eq!(all.judged(&other).0.expect(1).stdout.matches("Known failures (1)").count(), 1);
    // Something gated is inconclusive: 3, although the list is wrong too.
    let (ran, report) = place.judged(&receiver(&right, &["--require", "PRC-1"]));
    ran.expect(3);
    assert_eq!(report.with("unexpected-pass"), ["VER-11"].into());
    // Not selected: the entry is left alone.
    for options in [
        &["--run", "VER-1"][..],
        &["--run", "VER-1", "--level", "must"],
        &["--run", "VER-1", "--skip", "VER-11"],
    ] {
        let (ran, _) = place.judged(&[&["receiver", "--exec", &faulty], options].concat());
        assert!(!ran.expect(0).stdout.contains("nown failure"));
    }
    let (ran, _) = place.judged(&["receiver", "--exec", &faulty, "--run", "VER-11", "--level", "must"]);
    ran.expect(4);
    // Nothing was reached.
    let closed = ClosedPort::new();
    let (ran, _) = place.judged(&["receiver", "--url", &closed.url(), "--secret", "s"]);
    assert!(!ran.expect(3).stdout.contains("nown failure"));
    // What does not apply is noted.
    let place = Place::with("[[known]]\ncheck = \"PRC-1\"\ncause = \"dedupe.none\"\nreason = \"r\"\n");
    let (ran, _) = place.judged(&receiver(&right, &[]));
    ran.expect(0).says(&["1 known failure could not be judged: PRC-1 (not-applicable, "]);
}

#[test]
fn wrong_lists_are_errors_with_the_line() {
    let fault = |lines: &str| {
        format!(
            "# 1\n# 2\n[[known]]\ncheck = \"VER-11\"\ncause = \"answer.status\"\nreason = \"r\"\n{lines}\n"
        )
    };
    for (text, words) in [
        (fault("owner = \"open"), &["known.toml:7: ", "7 | owner"][..]),
        (fault("ower = \"Ann\""), &["known.toml:7: ", "did you mean \"owner\"?"]),
        (fault("expires = true"), &["known.toml:7: ", "expires is a boolean"]),
        (fault("").replace("VER-11", "VRE-11"), &["known.toml:4: ", "VRE-11", "VER-11"]),
        (fault("").replace(".status", ".states"), &["known.toml:5: ", "did you mean \"answer.status\"?"]),
        (fault(WINDOW), &["known.toml:7: VER-11 has an entry at ", "known.toml:3 already"]),
        ("\u{0}\u{1}".to_owned(), &["known.toml:1: "]),
        (
            format!("[[known]]\ncheck = \"{}x\"\n", "**a".repeat(2000)),
            &["known.toml:2: ", "matches no requirement"],
        ),
        ("[".repeat(200_000), &["known.toml:1: "]),
    ] {
        let place = Place::with(&text);
        let own = place.list();
        let with_list = ["--known-failures", own.to_str().unwrap()];
        place.known("check", &[]).expect(2).complains_of(words);
        if words[0] != "known.toml:7: " {
            continue;
        }
        for command in [
            &["receiver", "--url", "http://127.0.0.1:9/", "--secret", "s"][..],
            &["sender", "--exec", "x"],
            &["demo"],
        ] {
            run([command, &with_list].concat()).expect(2).complains_of(words);
        }
        fs::write(place.0.path().join("report.json"), "{}").unwrap();
        place.known("fix", &[place.0.path().to_str().unwrap()]).expect(2).complains_of(words);
        assert_eq!(place.text(), text);
    }
    for (name, words) in [
        ("no/such.toml", &["there is no file no/such.toml", "twenty-2.31"][..]),
        ("twenty-2.13", &["did you mean twenty-2.31?"]),
        ("/", &["it is a folder"]),
    ] {
        run(["demo", "--known-failures", name]).expect(2).complains_of(words);
        run(["known", "check", name]).expect(2).complains_of(words);
    }
    let place = Place::with("");
    fs::write(place.list(), b"\xff").unwrap();
    place.known("check", &[]).expect(2).complains_of(&["known.toml", "UTF-8"]);
    fs::write(place.list(), vec![b'#'; 17 << 20]).unwrap();
    place.known("check", &[]).expect(2).complains_of(&["known.toml", "larger than 16 MiB"]);
}

#[test]
fn lists_are_options_like_others() {
    // In the file its path is relative to the file, and a name stays a name. Several lists add up.
    let place = Place::with(WINDOW);
    let folder = place.0.path();
    let inner = folder.join("inner");
    fs::create_dir(&inner).unwrap();
    let config = "[receiver]\nknown-failures = [\"known.toml\", \"twenty-2.31\"]\n";
    fs::write(folder.join("twenty-conform.toml"), config).unwrap();
    let mut command = twenty(receiver(&faulty(), &[]));
    command.current_dir(&inner);
    finish(command).expect(0).says(&["Known failures (1)"]);
    let mut command = twenty(receiver(&faulty(), &[]));
    command.env("TWENTY_CONFORM_KNOWN_FAILURES", format!("{},twenty-2.31", place.list().display()));
    finish(command).expect(0).says(&["Known failures (1)"]);
    // A report does not overwrite it.
    let own = place.list().display().to_string();
    let report = format!("json={own}");
    run(receiver(&faulty(), &["--known-failures", &own, "--report", &report]))
        .expect(2)
        .complains_of(&["--known-failures"]);
    assert_eq!(place.text(), WINDOW);
    run(["known", "check", "twenty-2.31"])
        .expect(0)
        .says(&["twenty-2.31:4 SUB-1, SUB-3: send.settling", ", 0 expired"]);
    run(["known", "fix", "twenty-2.31", "."]).expect(2).complains_of(&["comes with the tool"]);
}

#[test]
fn demo_and_senders_have_known_failures_too() {
    let place = Place::with("[[known]]\ncheck = \"SIG-1\"\ncause = \"header.missing\"\nreason = \"r\"\n");
    let (ran, report) = place.judged(&["demo", "--run", "SIG-1,VER-1"]);
    ran.expect(5).says(&["SIG-1 passes now"]);
    assert_eq!((report.with("unexpected-pass"), report.with("pass")), (["SIG-1"].into(), ["VER-1"].into()));
    let (ran, _) = place.judged(&["sender", "--exec", &reference("sender"), "--run", "SIG-1"]);
    ran.expect(5).says(&["SIG-1 passes now"]);
    // An entry on the other role is of no concern.
    let (ran, _) = place.judged(&receiver(&reference("receiver"), &[]));
    assert!(!ran.expect(0).stdout.contains("SIG-1"));
}

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
            "\"twenty-conform-report/9\", not \"twenty-conform-report/2\"",
        ),
        ("format", Value::Null, "no member \"format\""),
        ("checks", Value::Null, "is not a report"),
    ] {
        let mut report = whole.clone();
        report[member] = value;
        fs::write(&path, report.to_string()).unwrap();
        refused(&[words]);
    }
    fs::write(&path, "{\"format\": ").unwrap();
    refused(&["report.json is not a report"]);
    fs::remove_file(&path).unwrap();
    refused(&["has no report.json"]);
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
    finish(command).expect(70).complains_of(&["cannot write", "known.toml"]);
    assert_eq!(place.text(), WINDOW.replace("answer.status", "accepts.stale"));
    let names = fs::read_dir(place.0.path()).unwrap().count();
    assert_eq!(names, 2, "{:?}", list_of(place.0.path()));
}

#[cfg(target_os = "linux")]
fn list_of(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
