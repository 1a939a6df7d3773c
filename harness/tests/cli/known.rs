//! Known failures: `--known-failures` in every kind of run, `known check` and `known fix`.
//!
//! Invariant: every status that a list can lead to is tested here, and every way in which a list can be wrong.

mod check_and_fix;

use std::fs;
use std::path::PathBuf;

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
        let junit = place.0.path().join("junit.xml");
        let report_option = format!("junit={}", junit.display());
        let (ran, report) = place.judged(&receiver(exec, &["--report", &report_option]));
        let ran = ran.expect(5);
        assert!(ran.result_line().starts_with("RESULT: fail "), "{ran:#?}");
        ran.says(&[words]);
        // Only its owner decides about an expired entry.
        assert_eq!(ran.stdout.contains("known fix"), verdict != "known-failure", "{ran:#?}");
        assert_eq!(report.with(verdict), [id].into(), "{words}");
        assert_eq!((&report.0["exit_status"], &report.0["result"]), (&5.into(), &"fail".into()));
        // A drift is a finding, with the cause of now.
        let causes: Vec<&str> =
            report.0["findings"].as_array().unwrap().iter().filter_map(|one| one["cause"].as_str()).collect();
        assert_eq!(causes, if verdict == "drift" { vec!["answer.status"] } else { vec![] });
        assert_eq!(fs::read_to_string(junit).unwrap().matches("<failure").count(), 1, "{words}");
    }
    let (short, _) = Place::with(WINDOW).judged(&receiver(&right, &["-q"]));
    assert!(short.expect(5).stdout.contains("known fix"));
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
        (WINDOW.repeat(60), &["known.toml:5: VER-11 has an entry at ", "and 39 more"]),
        (WINDOW.repeat(9000), &["known.toml:", "there are 9000 entries, but only "]),
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
        ("twenty-2.13", &["did you mean twenty-2.31?", "twenty-0.50"]),
        ("/", &["it is a folder"]),
        ("", &["list of known failures is empty"]),
    ] {
        run(["demo", "--known-failures", name]).expect(2).complains_of(words);
        run(["known", "check", name]).expect(2).complains_of(words);
        run(["known", "show", name]).expect(2).complains_of(words);
    }
    let place = Place::with("");
    fs::write(place.list(), b"\xff").unwrap();
    place.known("check", &[]).expect(2).complains_of(&["known.toml", "UTF-8"]);
    fs::write(place.list(), vec![b'#'; 2 << 20]).unwrap();
    place.known("check", &[]).expect(2).complains_of(&["known.toml", "larger than 1 MiB"]);
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
    run(["known", "show"]).expect(0).says(&[
        "twenty-2.31 What Twenty 2.31 does otherwise",
        "twenty-2025-12 ",
        "twenty-0.50 ",
    ]);
    let shown = run(["known", "show", "twenty-2.31"]).expect(0);
    shown.says(&[
        "SUB-1 active at once; SUB-3 nothing after deletion",
        "use it with --known-failures twenty-2.31",
    ]);
    for words in
        ["cause   send.settling", "since   2.31.0", "reason  the worker caches", "effect  the first events"]
    {
        assert!(shown.stdout.contains(words), "{words}: {}", shown.stdout);
    }
    let own = place.list().display().to_string();
    let shown = run(["known", "show", &own]).expect(0);
    assert!(!shown.stdout.contains("since") && !shown.stdout.contains("effect"), "{}", shown.stdout);
    run(["known", "fix", "twenty-2.31", "."]).expect(2).complains_of(&["comes with the tool"]);
}

#[test]
fn demo_and_senders_have_known_failures_too() {
    let place = Place::with("[[known]]\ncheck = \"ACK-1\"\ncause = \"send.ack-status\"\nreason = \"r\"\n");
    let (ran, report) = place.judged(&["demo", "--run", "ACK-1,VER-1"]);
    ran.expect(5).says(&["ACK-1 passes now"]);
    assert_eq!((report.with("unexpected-pass"), report.with("pass")), (["ACK-1"].into(), ["VER-1"].into()));
    let (ran, _) = place.judged(&["sender", "--exec", &reference("sender"), "--run", "ACK-1"]);
    ran.expect(5).says(&["ACK-1 passes now"]);
    // An entry on the other role is of no concern.
    let (ran, _) = place.judged(&receiver(&reference("receiver"), &[]));
    assert!(!ran.expect(0).stdout.contains("ACK-1"));
}
