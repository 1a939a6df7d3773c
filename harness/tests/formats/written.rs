//! Runs of every kind, in all formats at once.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use twenty_conform::report::{self, annotations, junit, sarif, tap};

use super::readers::{READERS, sarif_errors, tap as read_tap};
use super::reported;
use crate::cli::program::{Ran, finish, judged, reference, run, serve_receiver, twenty};
use crate::implementations::is_missing;
use crate::peers::servers::{ClosedPort, always};
use crate::skip::skip;

const FEW: &str = "RCV-1,VER-1,VER-4,VER-9,VER-21,PRC-1";

#[test]
fn all_formats_agree_with_each_other_and_with_the_status() {
    let (served, closed) = (serve_receiver("s3cr3t"), ClosedPort::new());
    let (conforming, nowhere) = (&*served.url, &*closed.url());
    let (accepting, rejecting) = (&*always(200), &*always(401));
    let below = "RCV-1,VER-9,VER-11,VER-21";
    let of_receivers: [(&str, &[&str], i32); 10] = [
        (conforming, &["--run", FEW], 0),
        (conforming, &["--run", FEW, "--require", "PRC-1"], 3),
        (accepting, &["--run", FEW], 1),
        (accepting, &["--run", below], 0),
        (accepting, &["--run", below, "--fail-on", "should"], 1),
        (rejecting, &["--run", FEW], 1),
        (rejecting, &["--run", "VER-1,VER-4"], 3),
        (nowhere, &["--run", "RCV-1"], 3),
        // Nothing that is gated, and the run does not pass all the same.
        (nowhere, &["--run", "VER-19"], 3),
        (conforming, &["--run", "VER-19", "--level", "must"], 4),
    ];
    for (url, more, status) in of_receivers {
        let base = ["receiver", "--url", url, "--secret", "s3cr3t", "--cases", "2", "--seed", "1"];
        agree(&[&base, more].concat(), status);
    }
    let sender = reference("sender");
    agree(&["sender", "--exec", &sender, "--run", "DLV-1,PAY-1,SIG-4,ACK-1", "--cases", "2"], 0);
    agree(&["sender", "--exec", "cat", "--run", "DLV-1"], 70);
    agree(&["demo", "--run", "RCV-1,DLV-1", "--cases", "2"], 0);
}

/// Compares what the readers say of a run.
fn agree(arguments: &[&str], status: i32) {
    let (ran, reports) = reported(arguments);
    assert_eq!(ran.status, Some(status), "{ran:#?}");
    let read: Vec<_> = READERS.iter().map(|(format, read)| (*format, read(&reports[format]))).collect();
    for (format, counts) in &read {
        assert_eq!(counts, &read[0].1, "{format} and {}: {arguments:?}", read[0].0);
        assert_eq!(counts.passes, status == 0, "{format} with status {status}: {arguments:?}");
    }
    prove(&reports["tap"], status);
}

/// Whether Perl's harness agrees with the status.
fn prove(tap: &str, status: i32) {
    if is_missing("prove") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("report.tap");
    fs::write(&path, tap).unwrap();
    let proved = Command::new("prove").arg(&path).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&proved.stdout).into_owned();
    assert_eq!(proved.status.success(), status == 0, "{said}\n{tap}");
    assert!(!said.contains("Parse errors"), "{said}");
}

/// A run whose requirements all pass, and that does not: its program ended, it was interrupted, or something was not written.
#[test]
fn status_that_no_requirement_explains_is_a_case_of_its_own() {
    let served = serve_receiver("s3cr3t");
    let (ran, report) =
        judged(["receiver", "--url", &served.url, "--secret", "s3cr3t", "--run", "RCV-1", "--cases", "1"]);
    ran.expect(0);
    for (status, result, is_failure) in [
        (1, "fail", true),
        (3, "incomplete", false),
        (4, "incomplete", false),
        (70, "error", false),
        (130, "interrupted", false),
    ] {
        let mut stored = report.0.clone();
        (stored["exit_status"], stored["result"]) = (status.into(), result.into());
        let stored: report::Report = serde_json::from_value(stored).unwrap();
        let rendered = [
            ("junit", junit::render(&stored)),
            ("tap", tap::render(&stored)),
            ("sarif", sarif::render(&stored)),
        ];
        for (format, text) in &rendered {
            let (_, read) = READERS.iter().find(|(name, _)| name == format).unwrap();
            let counts = read(text);
            assert_eq!(
                (counts.passed, counts.others, counts.passes),
                (1, 0, false),
                "{format} with {status}"
            );
        }
        prove(&rendered[1].1, status);
        let junit = &rendered[0].1;
        assert_eq!(junit.matches("<failure ").count(), usize::from(is_failure), "{junit}");
        let sarif: Value = serde_json::from_str(&rendered[2].1).unwrap();
        let invocation = &sarif["runs"][0]["invocations"][0];
        assert_eq!(invocation["toolExecutionNotifications"][0]["level"], "error", "{invocation:#}");
        assert_eq!(invocation["executionSuccessful"], ![70, 130].contains(&status), "{invocation:#}");
        assert_eq!(annotations::render(&stored).matches("::error ").count(), 1);
    }
}

#[test]
fn wrong_reports_are_refused_by_their_readers() {
    let wrong = json!({ "version": "2.1.0", "runs": [{ "results": [] }] });
    assert_eq!(sarif_errors(&wrong).len(), 1, "a run without a tool");
    let caught = std::panic::catch_unwind(|| read_tap("TAP version 13\n1..2\nok 1 - a\n"));
    assert!(caught.is_err(), "a point is missing");
}

#[test]
fn each_format_replaces_the_text_on_stdout() {
    let url = always(200);
    for (format, read) in READERS {
        let report = format!("{format}=-");
        let ran = run([
            "receiver",
            "--url",
            &url,
            "--secret",
            "s",
            "--run",
            "RCV-1,VER-4",
            "--cases",
            "2",
            "--report",
            &report,
        ])
        .expect(1);
        assert!(!read(&ran.stdout).passes, "{format}");
        assert_eq!(ran.stderr, "", "{format}");
    }
}

#[test]
fn full_disk_under_a_format_exits_70_and_the_others_are_written() {
    if !Path::new("/dev/full").exists() {
        return skip("a full disk", "/dev/full");
    }
    let url = always(200);
    for (format, _) in READERS {
        let folder = TempDir::new().unwrap();
        let mut command =
            twenty(["receiver", "--url", &url, "--secret", "s", "--run", "RCV-1,VER-4", "--cases", "2"]);
        command.arg(format!("--report={format}=/dev/full"));
        let others: Vec<_> = READERS.iter().filter(|(other, _)| *other != format).collect();
        for (other, _) in &others {
            command.arg(format!("--report={other}={}", folder.path().join(other).display()));
        }
        finish(command).expect(70).complains_of(&["cannot write the report /dev/full"]);
        for (other, read) in others {
            let counts = read(&fs::read_to_string(folder.path().join(other)).unwrap());
            assert_eq!((counts.passed, counts.others), (1, 1), "{other}, next to {format}");
        }
    }
}

#[test]
fn stdout_that_is_full_or_closed_is_told_apart_in_each_format() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    for (format, _) in READERS {
        let report = format!("{format}=-");
        let command = || twenty(["demo", "--run", "RCV-1", "--cases", "1", "--report", &report]);
        let mut closed = command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(closed.stdout.take());
        assert_eq!(Ran::new(closed.wait_with_output().unwrap()).expect(0).stderr, "", "{format}");
        let Ok(full) = &full else {
            skip("a full disk", "/dev/full");
            continue;
        };
        let mut written = command();
        written.stdout(full.try_clone().unwrap()).stderr(Stdio::piped());
        let ran = Ran::new(written.spawn().unwrap().wait_with_output().unwrap());
        ran.expect(70).complains_of(&["cannot write the report (stdout)"]);
    }
}

#[test]
fn unwritable_path_of_a_format_is_named_before_the_run() {
    for (format, _) in READERS {
        let report = format!("{format}=no-such-folder/report");
        let ran =
            run(["receiver", "--url", "http://127.0.0.1:1/", "--secret", "s", "--report", &report]).expect(2);
        ran.complains_of(&[&format!("--report {report}"), "no folder no-such-folder"]);
    }
}

#[test]
fn failure_below_the_gate_is_skipped_with_its_text() {
    let url = always(200);
    let (ran, reports) =
        reported(&["receiver", "--url", &url, "--secret", "s", "--run", "RCV-1,VER-11", "--cases", "2"]);
    ran.expect(0);
    let document = roxmltree::Document::parse(&reports["junit"]).unwrap();
    let skipped = document.descendants().find(|node| node.has_tag_name("skipped")).unwrap();
    let message = skipped.attribute("message").unwrap();
    assert!(message.starts_with("should, which fails no run here: fail: accepted (200) "), "{message}");
    let text = skipped.text().unwrap();
    for word in ["cause: accepts.", "fix: ", "again: twenty-conform receiver ", "repeat: curl "] {
        assert!(text.contains(word), "{word} in {text}");
    }
    let name = skipped.parent().unwrap().attribute("name").unwrap();
    assert!(name.starts_with("VER-11 "), "{name}");
}

#[test]
fn sarif_has_rules_results_and_the_invocation() {
    let url = always(200);
    let arguments = ["receiver", "--url", &url, "--secret", "s", "--run", FEW, "--cases", "2"];
    let read = || -> Value { serde_json::from_str(&reported(&arguments).1["sarif"]).unwrap() };
    let (first, second) = (read(), read());
    let run = &first["runs"][0];
    let rule =
        run["tool"]["driver"]["rules"].as_array().unwrap().iter().find(|rule| rule["id"] == "VER-4").unwrap();
    assert_eq!(rule["defaultConfiguration"]["level"], "error");
    let help = rule["help"]["text"].as_str().unwrap();
    assert!(help.contains("\nSource: documentation") && help.contains("\nFix: "), "{help}");
    let of = |report: &Value, id: &str| {
        let results = report["runs"][0]["results"].as_array().unwrap();
        results.iter().find(|result| result["ruleId"] == id).unwrap().clone()
    };
    for (id, level, kind) in
        [("VER-4", "error", "fail"), ("VER-21", "note", "fail"), ("VER-9", "none", "open")]
    {
        let (one, other) = (of(&first, id), of(&second, id));
        assert_eq!((&one["level"], &one["kind"]), (&level.into(), &kind.into()), "{one:#}");
        assert_eq!(one["partialFingerprints"], other["partialFingerprints"], "another seed");
        assert!(one["locations"][0].get("physicalLocation").is_none(), "no place was named");
        let check = one["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].as_str().unwrap();
        assert!(check.starts_with("receiver/"), "{check}");
    }
    assert_ne!(of(&first, "VER-4")["partialFingerprints"], of(&first, "VER-1")["partialFingerprints"]);
    let invocation = &run["invocations"][0];
    assert_eq!((&invocation["exitCode"], &invocation["executionSuccessful"]), (&1.into(), &true.into()));
    let reason = &invocation["ruleConfigurationOverrides"][0]["properties"]["reason"];
    assert!(reason.as_str().is_some_and(|reason| reason.contains("--observe")), "{reason}");
}
