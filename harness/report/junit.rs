//! The report as JUnit XML, for CI systems.
//!
//! ```xml
//! <testcase name="VER-4 needs a signature" classname="receiver/verification/unsigned" time="0.012">
//!     <failure message="accepted (200) a delivery without a signature" type="accepts.unsigned">…the fix, and how to run it again…</failure>
//! </testcase>
//! ```
//!
//! Invariant: failures and errors agree with the exit status. What is gated fails; what is gated and inconclusive is an error, never a
//! skip, which reads as a pass. What fails no run is skipped with its text.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use crate::terminal::{RUNNER_MARK, clean, lines};

use super::messages::formats as messages;
use super::standing::{Case, Standing};
use super::{Place, Report};

/// The report as XML, ending with a line feed.
pub fn render(report: &Report) -> String {
    let mut document = Document::new(&*report.tool.name);
    document.set_time(Duration::from_millis(report.duration_ms));
    let name = format!("{} {} ({})", report.role, clean(&report.subject), report.dialect);
    let mut suite = TestSuite::new(name);
    suite.set_time(Duration::from_millis(report.duration_ms));
    let places = |case: &mut TestCase| {
        if let Some(Place { file, line }) = &report.source {
            case.extra.insert("file".into(), (&*clean(file)).into());
            let line = line.map(|line| case.extra.insert("line".into(), line.to_string().into()));
            line.unwrap_or_default();
        }
    };
    for case in report.cases() {
        let mut entry = TestCase::new(case.name(), status(&case));
        entry.set_classname(&*case.check.id).set_time(Duration::from_micros(case.check.duration_us));
        places(&mut entry);
        suite.add_test_case(entry);
    }
    if let Some((standing, why)) = report.beyond_cases() {
        let mut status = TestCaseStatus::non_success(kind(standing));
        status.set_type(report.result.as_str()).set_message(why);
        let mut entry = TestCase::new(messages::the_run(), status);
        entry.set_classname(&*report.role).set_time(Duration::from_millis(report.duration_ms));
        suite.add_test_case(entry);
    }
    document.add_test_suite(suite);
    let text = document.to_string().unwrap_or_else(|why| unreachable!("JUnit of text and numbers: {why}"));
    inert(&text)
}

fn kind(standing: Standing) -> NonSuccessKind {
    match standing {
        Standing::Fails => NonSuccessKind::Failure,
        _ => NonSuccessKind::Error,
    }
}

fn status(case: &Case<'_>) -> TestCaseStatus {
    let (check, cause) = (case.check, case.check.cause.as_ref());
    let mut status = match case.standing {
        Standing::Passes => return TestCaseStatus::success(),
        Standing::NotApplicable | Standing::Excused => TestCaseStatus::skipped(),
        standing => TestCaseStatus::non_success(kind(standing)),
    };
    // quick-junit would drop what XML forbids.
    status.set_message(&*clean(&case.reason()));
    if case.standing == Standing::NotApplicable {
        return status;
    }
    status.set_type(cause.map_or(check.verdict.as_str(), |cause| &cause.code));
    let message = lines(check.message.as_deref().unwrap_or_default(), "");
    let fix = cause
        .map(|cause| format!("\ncause: {}: {}\nfix: {}", cause.code, clean(&cause.text), clean(&cause.fix)));
    let commands = [("again", check.rerun.as_deref()), ("repeat", check.again())];
    let mut text = message + &fix.unwrap_or_default();
    for (name, command) in commands {
        text.extend(command.map(|command| format!("\n{name}: {command}")));
    }
    status.set_description(text);
    status
}

/// The XML with nothing in it that commands GitHub's runner when a step prints it.
fn inert(xml: &str) -> String {
    let mut shown = String::with_capacity(xml.len());
    for line in xml.split_inclusive('\n') {
        let content = line.trim_start();
        let (margin, content) = line.split_at(line.len() - content.len());
        shown.push_str(margin);
        let content = match content.strip_prefix("::") {
            Some(after) => {
                shown.push_str("&#58;:");
                after
            }
            None => content,
        };
        shown.push_str(&content.replace(RUNNER_MARK, "&#35;#["));
    }
    shown
}
