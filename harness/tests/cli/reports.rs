//! The reports of a run: their formats, where they are written, and that none contains the secret.
//!
//! Invariant: a run whose report cannot be written never passes.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;
use twenty_conform::suite::requirement::Role;
use twenty_conform::suite::requirements;

use super::program::{Ran, Report, finish, judged, reference, run, twenty};
use crate::peers::servers::always;
use crate::skip::skip;

/// Every format, as options that write into a folder.
fn all_formats(folder: &Path) -> Vec<String> {
    let option = |format| format!("--report={format}={}", folder.join(format).display());
    ["text", "json", "junit", "html", "tap", "sarif", "markdown"].map(option).to_vec()
}

/// A run with a report in each format: its output, the text, the JSON, the JUnit.
fn reported(arguments: &[&str]) -> (Ran, String, Report, String) {
    let folder = TempDir::new().unwrap();
    let arguments: Vec<&str> = arguments.to_vec();
    let formats = all_formats(folder.path());
    let ran = run(arguments.into_iter().chain(formats.iter().map(String::as_str)));
    let read = |format| fs::read_to_string(folder.path().join(format)).unwrap();
    (ran, read("text"), Report::read(&folder.path().join("json")).unwrap(), read("junit"))
}

#[test]
fn json_report_has_the_fields_of_the_interface() {
    let exec = reference("receiver");
    let (ran, _, report, _) = reported(&["receiver", "--exec", &exec, "--seed", "42"]);
    let (ran, report) = (ran.expect(0), report.0);
    assert_eq!(report["format"], "twenty-conform-report/2");
    assert_eq!(report["tool"]["name"], "twenty-conform");
    assert_eq!(report["tool"]["version"], env!("CARGO_PKG_VERSION"));
    for (field, expected) in [
        ("role", Value::from("receiver")),
        ("dialect", "documented".into()),
        ("subject", exec.into()),
        ("seed", 42.into()),
        ("result", "pass".into()),
        ("exit_status", 0.into()),
    ] {
        assert_eq!(report[field], expected, "{field}");
    }
    assert!(report["duration_ms"].is_u64());
    assert!(report.get("interrupted").is_none(), "only a partial report says so");
    let receivers = || requirements::all().filter(|requirement| requirement.role() == Role::Receiver);
    let (requirements, checks) = (&report["requirements"], &report["checks"]);
    assert_eq!(requirements.as_array().unwrap().len(), receivers().count());
    assert_eq!(checks.as_array().unwrap().len(), receivers().count());
    for (at, requirement) in receivers().enumerate() {
        let (entry, check) = (&requirements[at], &checks[at]);
        assert_eq!(entry["id"], requirement.id);
        assert!(["pass", "not-applicable"].contains(&entry["verdict"].as_str().unwrap()), "{entry:#}");
        assert_eq!(entry["level"], requirement.level.to_string());
        assert_eq!(entry["checks"], Value::from(vec![requirement.check_id]));
        assert_eq!((&check["id"], &check["verdict"]), (&requirement.check_id.into(), &entry["verdict"]));
        assert_eq!(check["requirements"], Value::from(vec![requirement.id]));
        assert_eq!(check["level"], requirement.level.to_string());
        assert!(check["duration_us"].is_u64(), "{check:#}");
    }
    for level in ["must", "should", "advice"] {
        let counts = report["counts"][level].as_object().unwrap();
        let of = |verdict: &str| counts[verdict].as_u64().unwrap();
        let part = format!(" {level} {0}/{0} ", of("pass"));
        assert!(ran.result_line().contains(&part), "{part} in {ran:#?}");
        assert_eq!(of("fail") + of("inconclusive") + of("error"), 0, "{counts:#?}");
    }
}

#[test]
fn json_report_of_a_failure_has_its_evidence() {
    let url = always(200);
    let (ran, report) = judged(["receiver", "--url", &url, "--secret", "s3cr3t"]);
    ran.expect(1);
    assert_eq!((&report.0["result"], &report.0["exit_status"]), (&"fail".into(), &1.into()));
    assert_eq!(report.0["subject"], url.as_str());
    assert!(report.0["counts"]["must"]["fail"].as_u64().is_some_and(|count| count >= 6));
    let check = report.check("VER-4");
    for (field, expected) in [("verdict", "fail"), ("expected", "not 2xx"), ("actual", "200")] {
        assert_eq!(check[field], expected, "{field}");
    }
    assert!(report.message("VER-4").contains("accepted (200) a delivery without a signature"), "{check:#}");
    for field in ["code", "text", "fix"] {
        assert!(check["cause"][field].as_str().is_some_and(|text| !text.is_empty()), "{field}");
    }
    let repro = check["curl"].as_str().unwrap();
    assert!(repro.starts_with("curl -q -sS -i -X POST ") && repro.contains(&url), "{repro}");
    assert!(
        check["exchanges"].as_array().is_some_and(|all| all.iter().all(Value::is_u64) && !all.is_empty())
    );
}

/// The names of the elements in an XML text. Fails if they are not nested or not closed.
fn elements(xml: &str) -> Vec<&str> {
    let mut rest = xml.trim_end().strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").unwrap();
    let (mut all, mut open) = (Vec::new(), Vec::new());
    while let Some((text, after)) = rest.split_once('<') {
        assert!(!text.contains('>') && (text.trim().is_empty() || !open.is_empty()), "{text:?}");
        // Values have an entity instead of `>`.
        let (tag, after) = after.split_once('>').unwrap();
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{tag}");
        } else {
            all.push(name);
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
        rest = after;
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest:?}");
    all
}

#[test]
fn junit_report_has_a_case_for_each_requirement() {
    for url in [always(200), always(401)] {
        let (ran, _, report, junit) = reported(&["receiver", "--url", &url, "--secret", "s3cr3t"]);
        ran.expect(1);
        let elements = elements(&junit);
        let count = |wanted: &str| elements.iter().filter(|name| **name == wanted).count();
        assert_eq!(count("testcase"), report.verdicts().len());
        let of_musts =
            |verdict: &str| report.0["counts"]["must"][verdict].as_u64().map(|count| count as usize);
        assert_eq!(Some(count("failure")), of_musts("fail"));
        // What fails the run is not skipped: CI shows a skip as a pass.
        assert_eq!(Some(count("error")), of_musts("inconclusive"));
        let others = report.with("not-applicable").len()
            + report.with("fail").len()
            + report.with("inconclusive").len();
        assert_eq!(count("skipped"), others - count("failure") - count("error"));
        for (id, _) in report.verdicts() {
            assert!(junit.contains(&format!("<testcase name=\"{id} ")), "{id} in {junit}");
        }
    }
}

#[test]
fn text_report_equals_stdout() {
    for url in [always(200), always(401)] {
        for detail in [&[][..], &["-q"], &["-v"]] {
            let arguments = ["receiver", "--url", &url, "--secret", "s3cr3t"];
            let (ran, text, ..) = reported(&[&arguments, detail].concat());
            assert_eq!(ran.expect(1).stdout, text);
            assert!(text.lines().last().is_some_and(|line| line.starts_with("RESULT: fail must ")));
        }
    }
}

#[test]
fn report_on_stdout_replaces_the_text() {
    let exec = reference("receiver");
    let ran = run(["receiver", "--exec", &exec, "--report", "json=-"]).expect(0);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["result"], "pass");
    let ran = run(["receiver", "--exec", &exec, "--report", "junit=-"]).expect(0);
    assert_eq!(elements(&ran.stdout)[..3], ["testsuites", "testsuite", "testcase"]);
}

#[test]
fn report_on_a_full_disk_exits_70() {
    let folder = TempDir::new().unwrap();
    if !Path::new("/dev/full").exists() {
        return skip("a full disk", "/dev/full");
    }
    let written = folder.path().join("report.txt");
    let exec = reference("receiver");
    let ran = run([
        "receiver",
        "--exec",
        &exec,
        "--report",
        "json=/dev/full",
        "--report",
        &format!("text={}", written.display()),
    ])
    .expect(70);
    ran.complains_of(&["cannot write the report /dev/full"]);
    // The other reports are still written.
    assert!(ran.result_line().starts_with("RESULT: pass "), "{ran:#?}");
    assert_eq!(fs::read_to_string(written).unwrap(), ran.stdout);
}

#[test]
fn full_disk_under_stdout_exits_70() {
    let full = match fs::OpenOptions::new().write(true).open("/dev/full") {
        Ok(full) => full,
        Err(why) => return skip("a full disk", &format!("/dev/full: {why}")),
    };
    let full = |arguments: &[&str]| {
        let mut command = twenty(arguments);
        command.stdout(full.try_clone().unwrap()).stderr(Stdio::piped());
        Ran::new(command.spawn().unwrap().wait_with_output().unwrap())
    };
    for arguments in [&["list"][..], &["explain", "VER-1"], &["demo", "--run", "RCV-1"]] {
        full(arguments).expect(70).complains_of(&["cannot write the report (stdout)"]);
    }
    full(&["demo", "--run", "RCV-1", "--report", "json=-"]).expect(70);
}

#[test]
fn closed_stdout_reader_exits_0() {
    for arguments in [&["list"][..], &["demo", "--run", "RCV-1"]] {
        let mut child = twenty(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ran = Ran::new(child.wait_with_output().unwrap()).expect(0);
        assert_eq!(ran.stderr, "");
    }
}

const SECRET: &str = "Mellon-hAlf-mAsk-77";

/// Fails if the secret is in the output of a run, or in a file of a folder.
fn assert_no_secret(ran: &Ran, folder: &Path) {
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    for text in [ran.stdout.clone(), ran.stderr.clone()].into_iter().chain(files) {
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[test]
fn reports_never_contain_the_secret() {
    let (conforming, everything, nothing) = (reference("receiver"), always(200), always(401));
    // The command of the receiver contains it, and reports name the command.
    let with_secret = format!("{conforming} --secret {SECRET}");
    for (subject, status) in [
        (["--exec", &conforming], 0),
        (["--exec", &with_secret], 0),
        (["--url", &everything], 1),
        (["--url", &nothing], 1),
    ] {
        let folder = TempDir::new().unwrap();
        let formats = all_formats(folder.path());
        let arguments = ["receiver", "-v", "--secret", SECRET].into_iter().chain(subject);
        let ran = run(arguments.chain(formats.iter().map(String::as_str))).expect(status);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), formats.len());
        assert_no_secret(&ran, folder.path());
    }
}

#[test]
fn other_output_never_contains_the_secret() {
    let folder = TempDir::new().unwrap();
    let with_secret = |arguments: &[&str]| {
        let ran = run(arguments.iter().chain(&["--secret", SECRET]));
        assert_no_secret(&ran, folder.path());
        ran
    };
    let (refusing, closed) = (always(401), crate::peers::servers::ClosedPort::new());
    with_secret(&["sign"]).expect(0);
    with_secret(&["verify", "--timestamp", "1", "--signature", "00"]).expect(1);
    with_secret(&["send", "--url", &refusing]).expect(1);
    with_secret(&["send", "--url", &closed.url()]).expect(3);
    with_secret(&["receiver", "--url", &closed.url()]).expect(3);
    with_secret(&["receiver", "--exec", "no-such-command"]).expect(3);
    with_secret(&["receiver", "--exec", "x", "--url", "y"]).expect(2);
    with_secret(&["receiver", "--exec", "x", "--bogus"]).expect(2);
    let mut help = twenty(["receiver", "--help"]);
    help.env("TWENTY_WEBHOOK_SECRET", SECRET);
    assert_no_secret(&finish(help).expect(0), folder.path());
    if cfg!(unix) {
        // A receiver that prints the secret.
        let leaky = "sh -c 'echo the secret is $TWENTY_WEBHOOK_SECRET >&2; exit 4'";
        let ran = with_secret(&["receiver", "--exec", leaky]).expect(3);
        ran.says(&["the secret is [redacted]", "exit status: 4"]);
    }
}

#[test]
fn piped_output_has_no_colours_or_progress() {
    let exec = reference("receiver");
    for (arguments, variables, coloured) in [
        (&[][..], &[][..], false),
        (&[], &[("NO_COLOR", "1"), ("TERM", "xterm-256color")], false),
        (&["--color", "never"], &[("CLICOLOR_FORCE", "1")], false),
        (&[], &[("TWENTY_CONFORM_COLOR", "never"), ("CLICOLOR_FORCE", "1")], false),
        (&["--color", "always"], &[], true),
        (&[], &[("CLICOLOR_FORCE", "1")], true),
    ] {
        let folder = TempDir::new().unwrap();
        let mut command = twenty(["receiver", "--exec", &exec]);
        command.args(all_formats(folder.path())).args(arguments).envs(variables.iter().copied());
        let ran = finish(command).expect(0);
        assert_eq!(ran.stdout.contains('\u{1b}'), coloured, "{arguments:?} {variables:?}");
        assert_eq!(ran.stderr, "");
        for format in ["text", "json", "junit", "html", "tap", "sarif", "markdown"] {
            let report = fs::read_to_string(folder.path().join(format)).unwrap();
            assert!(!report.contains('\u{1b}'), "{format}: {report:?}");
        }
    }
}
