//! A finding for people: what is wrong, what was answered, what to change, and how to see it again.

use anstyle::Style;
use std::borrow::Cow;

use super::answer;
use super::layout::{labelled, labelled_command, with_code};
use super::messages;
use crate::report::{CheckEntry, FindingEntry, Report};
use crate::suite::cause::Code;
use crate::suite::requirement::Level;
use crate::terminal::{BAD, DIM, UNCLEAR, clean};

/// Findings whose sentence says already that every case fails.
const OF_EVERY_CASE: [&str; 4] = ["accepts.everything", "refuses.everything", "crash.everything", "route."];

/// The style of a level's failures.
pub(super) fn style_of(level: Level) -> Style {
    match level {
        Level::Must => BAD,
        Level::Should => UNCLEAR,
        Level::Advice => DIM,
    }
}

/// All findings. If there is one alone, the commands to repeat and explain it come after the list of requirements.
pub(super) fn all(text: &mut String, report: &Report, width: usize) {
    match &report.findings[..] {
        [] => {}
        [one] => alone(text, report, one, width),
        several => {
            for (number, one) in (1..).zip(several) {
                numbered(text, report, one, (number, width));
            }
        }
    }
}

/// The commands that repeat and explain a single finding, or that explain one of several.
pub(super) fn commands(text: &mut String, report: &Report) {
    match &report.findings[..] {
        [] => {}
        [one] => {
            if let Some(check) = check_of(report, one) {
                repeat(text, 2, one, check);
            }
            if let Some(code) = &one.cause {
                labelled_command(text, 2, "more", &messages::explain_command(code));
            }
        }
        several => {
            if several.iter().any(|one| one.cause.is_some()) {
                labelled_command(text, 2, "more", &messages::explain_command("CODE"));
            }
        }
    }
}

/// The check that shows a finding first.
pub(in crate::report) fn check_of<'a>(report: &'a Report, finding: &FindingEntry) -> Option<&'a CheckEntry> {
    let first = finding.requirements.first()?;
    report.checks.iter().find(|check| check.requirements[0] == *first)
}

fn alone(text: &mut String, report: &Report, finding: &FindingEntry, width: usize) {
    let sentence = sentence(report, finding);
    text.push('\n');
    let code = finding.cause.as_deref().unwrap_or_default();
    with_code(text, (&sentence, style_of(finding.level)), code, (0, 0, width));
    text.push('\n');
    details(text, report, finding, (2, width));
}

fn numbered(text: &mut String, report: &Report, finding: &FindingEntry, (number, width): (usize, usize)) {
    let style = style_of(finding.level);
    let level = format!("{:<7}", finding.level.as_str());
    let begin = format!("{number:<2} {style}{level}{style:#} ");
    let sentence = if is_leading(report, finding) { sentence(report, finding) } else { finding.text.clone() };
    text.push('\n');
    text.push_str(&begin);
    let code = finding.cause.as_deref().unwrap_or_default();
    with_code(text, (&sentence, Style::new()), code, (11, 11, width));
    details(text, report, finding, (11, width));
    if let Some(check) = check_of(report, finding) {
        repeat(text, 11, finding, check);
    }
}

/// Whether this finding is why every valid delivery is rejected.
fn is_leading(report: &Report, finding: &FindingEntry) -> bool {
    report.leading_cause().is_some_and(|cause| Some(&cause.code) == finding.cause.as_ref())
        && finding.requirements.iter().any(|one| one == "RCV-1")
}

/// The finding as a sentence.
pub(in crate::report) fn sentence(report: &Report, finding: &FindingEntry) -> String {
    let text = &finding.text;
    let sentence = if is_leading(report, finding) {
        format!("{}: {text}", messages::rejects_every_valid_delivery())
    } else {
        let mut letters = text.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    if sentence.ends_with(['.', ')']) { sentence } else { sentence + "." }
}

fn details(text: &mut String, report: &Report, finding: &FindingEntry, (indent, width): (usize, usize)) {
    let Some(check) = check_of(report, finding) else { return };
    let mut line = |label: &str, value: &str| labelled(text, indent, label, value, width);
    match (&check.sent, finding.cause.as_deref()) {
        (Some(sent), Some(_)) => line("sent", sent),
        // Without a cause, the headline is the message.
        (None, Some(_)) => line("found", check.first_line()),
        (_, None) => {}
    }
    let mut answered = check.answer.as_ref().map(answer::line);
    // Only the check knows how long it took.
    let is_late = finding.cause.as_deref() == Some(Code::AnswerLate.as_str());
    if let (Some(answered), Some(actual), true) = (&mut answered, &check.actual, is_late) {
        answered.push_str(" · ");
        answered.push_str(actual);
    }
    let is_receiver = check.id.starts_with("receiver/");
    if let Some(answered) = answered.as_ref().or(check.actual.as_ref().filter(|_| is_receiver)) {
        line("answered", answered);
    }
    if let Some(output) = &check.output {
        line("stderr", output);
    }
    if let Some(fix) = &finding.fix {
        line("fix", fix);
        if let Some(code) = &finding.code_line {
            for code in code.lines() {
                labelled_command(text, indent, "", &format!("  {}", clean(code)));
            }
        }
    }
    let mut line = |label: &str, value: &str| labelled(text, indent, label, value, width);
    // Of several findings, the headline and the answer say it.
    if let Some(expected) =
        check.expected.as_ref().filter(|_| report.findings.len() == 1 || answered.is_none())
    {
        line("expected", expected);
    }
    if let Some(actual) = check.actual.as_ref().filter(|_| !is_receiver) {
        line("actual", actual);
    }
    if let Some(shown) = &check.shown {
        line("why", shown);
    }
    if let Some(cause) = check.cause.as_ref().filter(|cause| !cause.or.is_empty()) {
        line("or", &messages::also_explained_by(&cause.or));
    }
    if let Some(cases) = cases(report, finding) {
        line("cases", &cases);
    }
    if let Some(matters) = &check.what_matters {
        line("matters", matters);
    }
}

/// Every fixed case that fails, by requirement if there are several; `None` if the sentence says it.
pub(in crate::report) fn cases(report: &Report, finding: &FindingEntry) -> Option<String> {
    let says_all = |code: &str| OF_EVERY_CASE.iter().any(|family| code.starts_with(family));
    if is_leading(report, finding) || finding.cause.as_deref().is_some_and(says_all) {
        return None;
    }
    let failing = |id: &Cow<'static, str>| {
        let check = report.checks.iter().find(|check| check.requirements[0] == *id)?;
        let cases = messages::cases_that_fail(&check.cases_that_fail);
        (!check.cases_that_fail.is_empty()).then_some((check.requirements[0].clone(), cases))
    };
    let found: Vec<(Cow<'static, str>, String)> = finding.requirements.iter().filter_map(failing).collect();
    match &found[..] {
        [] => None,
        [(_, cases)] if finding.requirements.len() == 1 => Some(cases.clone()),
        several => {
            Some(several.iter().map(|(id, cases)| format!("{id}: {cases}")).collect::<Vec<_>>().join("\n"))
        }
    }
}

fn repeat(text: &mut String, indent: usize, finding: &FindingEntry, check: &CheckEntry) {
    // Unchanged: what is invisible is escaped in it already, in the way of the shell.
    if let Some(command) = finding.rerun.as_deref().or_else(|| check.again()) {
        labelled_command(text, indent, "again", command);
    }
}
