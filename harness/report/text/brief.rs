//! The report for coding agents and for `-q`: what did not pass, once, with what to change and what not.
//!
//! A report of one cause has at most 20 lines and 1,500 bytes, if the command that repeats it is not longer than 200.

use std::fmt::Write as _;

use super::finding::{cases, check_of, style_of};
use super::rows::{depends_on_valid, explained_by};
use super::{after_fix, answer, known, messages, together};
use crate::report::{CheckEntry, FindingEntry, Report, VerdictName};
use crate::suite::receiver::messages::WIDE_WINDOW;
use crate::terminal::{UNCLEAR, clean, clipped};

/// How many characters of an output, a message or a list are shown.
const SHOWN: usize = 240;

/// How many reasons are told why requirements are open. They usually follow from the findings.
const REASONS: usize = 4;
/// How many characters of the cases are shown: the other report has all.
const CASES: usize = 360;

pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    if let Some(choice) = &report.dialect_choice {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{}",
            messages::payloads_in_short(&report.dialect, &choice.refused, &choice.answer)
        );
    }
    for finding in &report.findings {
        entry(&mut text, report, finding);
    }
    text.push_str(&known::short(report));
    for line in after_fix::short(report) {
        let _ = writeln!(text, "{line}");
    }
    let together = together(report);
    for one in &together {
        let reason: Vec<String> = one.reason.lines().map(|line| clean(line.trim()).into_owned()).collect();
        let words =
            format!("{}: {}", messages::not_judged(one.count), clipped(&reason.join(" · "), 2 * SHOWN));
        let _ = writeln!(text, "{}: {words}", one.verdict.as_str());
    }
    let is_open = |check: &&CheckEntry| {
        matches!(check.verdict, VerdictName::Inconclusive | VerdictName::Error)
            && !depends_on_valid(report, check)
            && explained_by(report, check).is_none()
            && !together.iter().any(|one| one.has(check))
    };
    let open: Vec<&CheckEntry> = report.checks.iter().filter(is_open).collect();
    let mut reasons: Vec<(&CheckEntry, Vec<&str>)> = Vec::new();
    for check in &open {
        match reasons.iter_mut().find(|(first, _)| first.message == check.message) {
            Some((_, ids)) => ids.extend(check.requirements.iter().map(AsRef::as_ref)),
            None => reasons.push((check, check.requirements.iter().map(AsRef::as_ref).collect())),
        }
    }
    let mut more = 0;
    for (at, (check, ids)) in reasons.iter().enumerate() {
        if at >= REASONS && check.verdict == VerdictName::Inconclusive {
            more += ids.len();
        } else {
            let why = clipped(check.first_line(), SHOWN);
            let _ = writeln!(text, "{UNCLEAR}{}{UNCLEAR:#} {}: {why}", check.verdict.as_str(), ids.join(","));
        }
    }
    if more > 0 {
        let verdict = VerdictName::Inconclusive.as_str();
        let _ = writeln!(text, "{UNCLEAR}{verdict}{UNCLEAR:#}: {}", messages::more_open(more));
    }
    // It fails no requirement, and is a way in.
    for note in report.notes.iter().filter(|note| note.ends_with(WIDE_WINDOW)) {
        let _ = writeln!(text, "{}", messages::note(note));
    }
    let _ = writeln!(text, "{}", report.result_line());
    text
}

fn entry(text: &mut String, report: &Report, finding: &FindingEntry) {
    let style = style_of(finding.level);
    let code = finding.cause.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
    let ids = finding.requirements.join(",");
    let check = check_of(report, finding);
    let answered = check.and_then(|check| check.answer.as_ref()).map(answer::short);
    let output = check.and_then(|check| check.output.as_deref()).map(|output| clipped(output, SHOWN));
    let seen: Vec<String> = answered.into_iter().chain(output).collect();
    let seen = if seen.is_empty() { String::new() } else { format!(" ({})", seen.join("; ")) };
    let what = clipped(finding.text.lines().next().unwrap_or_default(), 2 * SHOWN);
    let _ = writeln!(text, "{style}{}{style:#} {ids}{code}: {what}{seen}", finding.level.as_str());
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(text, "  {label}: {value}");
    };
    // Of a sender, the cause says why, and the message what.
    let found = check.filter(|check| check.sent.is_none() && check.cause.is_some());
    if let Some(found) = found {
        line("found", &clipped(found.first_line(), SHOWN));
    }
    if let Some(cases) = cases(report, finding) {
        let cases: Vec<&str> = cases.lines().collect();
        line("cases", &clipped(&cases.join("; "), CASES));
    }
    if let Some(matters) = check.and_then(|check| check.what_matters.as_deref()) {
        line("matters", &clipped(matters, SHOWN));
    }
    if let Some(fix) = &finding.fix {
        line("fix", fix);
    }
    for code in finding.code_line.iter().flat_map(|code| code.lines()) {
        line("code", &clean(code.trim()));
    }
    if let Some(avoid) = &finding.avoid {
        line("do not", avoid);
    }
    if let Some(rerun) = &finding.rerun {
        line("rerun", rerun);
    }
}
