//! The report as JUnit XML, for CI systems.
//!
//! Inconclusive requirements and errors are JUnit errors, never skips: a skip reads as a pass.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use crate::terminal::{clean, lines};

use super::{CheckEntry, Report, VerdictName};

/// The report as XML, ending with a line feed.
pub fn render(report: &Report) -> String {
    let mut document = Document::new(&*report.tool.name);
    document.set_time(Duration::from_millis(report.duration_ms));
    let mut suite =
        TestSuite::new(format!("{} {} ({})", report.role, clean(&report.subject), report.dialect));
    suite.set_time(Duration::from_millis(report.duration_ms));
    for (requirement, check) in report.requirements.iter().zip(&report.checks) {
        let mut case = TestCase::new(format!("{} {}", requirement.id, requirement.title), status(check));
        case.set_classname(&*check.id);
        suite.add_test_case(case);
    }
    document.add_test_suite(suite);
    let mut text =
        document.to_string().unwrap_or_else(|why| unreachable!("JUnit of text and numbers: {why}"));
    text.push('\n');
    text
}

fn status(check: &CheckEntry) -> TestCaseStatus {
    // quick-junit would drop what XML forbids.
    let message = lines(check.message.as_deref().unwrap_or_default(), "");
    let mut status = match check.verdict {
        VerdictName::Pass => return TestCaseStatus::success(),
        VerdictName::NotApplicable => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(message);
            return status;
        }
        VerdictName::KnownFailure if !check.is_wrongly_known() => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(check.known_sentence());
            return status;
        }
        VerdictName::KnownFailure | VerdictName::UnexpectedPass | VerdictName::Drift => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status
                .set_type(check.verdict.as_str())
                .set_message(check.known_sentence())
                .set_description(message);
            return status;
        }
        VerdictName::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        VerdictName::Inconclusive | VerdictName::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    let cause = check.cause.as_ref();
    status.set_type(cause.map_or(check.verdict.as_str(), |cause| &cause.code));
    let fix = cause.map(|cause| format!("\ncause: {}: {}\nfix: {}", cause.code, cause.text, cause.fix));
    let again = check.again().map(|command| format!("\nagain: {command}"));
    status.set_description(format!("{message}{}{}", fix.unwrap_or_default(), again.unwrap_or_default()));
    status.set_message(message.lines().next().unwrap_or_default().to_owned());
    status
}
