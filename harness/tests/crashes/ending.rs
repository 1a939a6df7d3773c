//! Receivers whose process ends during a run.

use super::{ends, python, shown_by};
use crate::cli::program::{Ran, Report, judged};

fn receiver(when: &str, options: &[&str]) -> Option<(Ran, Report)> {
    let exec = python(&format!("ends.py {when}"))?;
    let run = ["receiver", "--exec", &exec, "--secret", "s3cr3t", "--cases", "8"];
    Some(judged(run.iter().chain(options)))
}

/// The failures that an end of the process explains.
fn blamed(report: &Report) -> Vec<&str> {
    let failed = report.with("fail").into_iter();
    failed.filter(|id| shown_by(report, id).iter().any(|id| ends(report).contains(id))).collect()
}

#[test]
fn delivery_that_ends_the_process_after_its_answer_is_named() {
    for late in ["0", "100", "300"] {
        let when = format!("event note.created {late}");
        let Some((ran, report)) = receiver(&when, &["--run", "RCV-1,RCV-2,VER-9"]) else { return };
        let ran = ran.expect(1);
        assert_eq!(report.with("fail"), ["RCV-1"].into(), "{late}: {ran:#?}");
        assert_eq!(report.cause("RCV-1"), "crash.everything");
        let message = report.message("RCV-1");
        assert!(message.starts_with("ended after a valid delivery of note.created; "), "{late}: {message}");
        assert_eq!(shown_by(&report, "RCV-1"), ends(&report));
    }
}

#[test]
fn process_that_ends_after_some_requests_fails_something() {
    for when in ["requests 20", "requests 90"] {
        let Some((ran, report)) = receiver(when, &["--run", "RCV-1,RCV-2,VER-6"]) else { return };
        let ran = ran.expect(1);
        assert!(!blamed(&report).is_empty(), "{ran:#?}");
        let shown = blamed(&report)[0];
        assert!(report.message(shown).contains("ended with exit status: 0"), "{ran:#?}");
    }
}

#[test]
fn process_that_ends_by_itself_is_not_blamed_on_an_aborted_request() {
    let Some((ran, report)) = receiver("timer 400", &["--run", "RCV-1,VER-9"]) else { return };
    let ran = ran.expect(1);
    assert!(!blamed(&report).is_empty(), "{ran:#?}");
    let causes = report.with("fail").into_iter().map(|id| report.cause(id)).collect::<Vec<_>>();
    assert!(!causes.contains(&"crash.aborted-request"), "{ran:#?}");
}

#[test]
fn end_fails_the_run_although_only_a_should_is_selected() {
    let Some((ran, report)) = receiver("abort 0", &["--run", "VER-9", "--fail-on", "must"]) else { return };
    let ran = ran.expect(1);
    assert!(ran.result_line().starts_with("RESULT: fail must 0/0 should 0/1 "), "{ran:#?}");
    assert!(ran.stdout.contains("which fails the run at every --fail-on"), "{ran:#?}");
    assert_eq!(report.0["exit_status"], 1);
}

#[test]
fn end_that_is_a_known_failure_does_not_fail_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("known.toml");
    for (cause, status) in [("crash.aborted-request", 0), ("crash.malformed-json", 1)] {
        let text = format!("[[known]]\ncheck = \"VER-9\"\ncause = \"{cause}\"\nreason = \"old server\"\n");
        std::fs::write(&list, text).unwrap();
        let options = ["--run", "RCV-1,VER-9", "--known-failures", list.to_str().unwrap()];
        let Some((ran, report)) = receiver("abort 0", &options) else { return };
        let ran = ran.expect(status);
        assert_eq!(ran.stdout.contains("which fails the run at every --fail-on"), status == 1, "{ran:#?}");
        assert_eq!(report.check("VER-9")["verdict"], if status == 0 { "known-failure" } else { "drift" });
    }
}

#[test]
fn process_that_ends_at_each_accepted_delivery_ends_the_run() {
    let Some((ran, report)) = receiver("accepting", &["--run", "RCV-*"]) else { return };
    let ran = ran.expect(1);
    assert_eq!(report.cause("RCV-1"), "crash.everything", "{ran:#?}");
    // The reason is reported once.
    let told = ran.stdout.matches("so no more was sent").count();
    assert!(told <= 1, "{ran:#?}");
}
