//! The findings as annotations: lines by which GitHub's runner shows them next to the code of a change.
//!
//! ```text
//! ::error title=VER-4 accepts.unsigned,file=src/webhook.mjs,line=12::it accepts deliveries without a signature. Fix: …
//! ```
//!
//! Invariant: nothing that a program under test wrote begins another command or adds a property.

use std::fmt::Write as _;

use super::messages::formats as messages;
use super::standing::{Case, Standing};
use super::{FindingEntry, Place, Report, Tool};
use crate::terminal::{clean, clipped, inert};

/// How many of each level GitHub shows for a step.
const SHOWN: usize = 10;

/// How many characters of a title and of a message are shown.
const LONGEST_TITLE: usize = 120;
const LONGEST: usize = 2_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Severity {
    /// It fails the run.
    Error,
    /// It does not.
    Warning,
}

struct Annotation {
    severity: Severity,
    title: String,
    message: String,
}

/// The findings as commands to the runner, one a line: what fails the run as errors, the rest as warnings.
pub fn render(report: &Report) -> String {
    let all = all(report);
    let mut text = String::new();
    for severity in [Severity::Error, Severity::Warning] {
        let of_level: Vec<&Annotation> = all.iter().filter(|one| one.severity == severity).collect();
        // The last says how many more there are.
        let shown = if of_level.len() > SHOWN { SHOWN - 1 } else { of_level.len() };
        for Annotation { title, message, .. } in &of_level[..shown] {
            line(&mut text, severity, title, message, report.source.as_ref());
        }
        if of_level.len() > shown {
            let more = messages::more_findings(of_level.len() - shown);
            line(&mut text, severity, &report.tool.name, &more, report.source.as_ref());
        }
    }
    text
}

/// An error without a report as a command to the runner.
pub fn error(message: &str) -> String {
    let mut text = String::new();
    line(&mut text, Severity::Error, &Tool::THIS.name, message, None);
    text
}

fn all(report: &Report) -> Vec<Annotation> {
    let mut all: Vec<Annotation> =
        report.findings.iter().map(|finding| of_finding(report, finding)).collect();
    for (standing, severity) in [(Standing::Open, Severity::Error), (Standing::Excused, Severity::Warning)] {
        all.extend(of_open(report, standing, severity));
    }
    if let Some((_, why)) = report.beyond_cases() {
        all.push(Annotation {
            severity: Severity::Error,
            title: report.tool.name.to_string(),
            message: why.to_owned(),
        });
    }
    all
}

fn of_finding(report: &Report, finding: &FindingEntry) -> Annotation {
    let fails = report
        .cases()
        .any(|case| case.standing == Standing::Fails && finding.requirements.contains(&case.requirement.id));
    let cause = finding.cause.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
    Annotation {
        severity: if fails { Severity::Error } else { Severity::Warning },
        title: format!("{}{cause}", finding.requirements.join(" ")),
        message: messages::finding_with_fix(&finding.text, finding.fix.as_deref()),
    }
}

/// One annotation for what could not be judged, with the first reason.
fn of_open(report: &Report, standing: Standing, severity: Severity) -> Option<Annotation> {
    let is_open = |case: &Case<'_>| case.standing == standing && !report.is_found(&case.requirement.id);
    let open: Vec<Case<'_>> = report.cases().filter(is_open).collect();
    let ids: Vec<&str> = open.iter().map(|case| &*case.requirement.id).collect();
    let first = open.first()?;
    let title = messages::not_judged(&ids);
    Some(Annotation { severity, title, message: first.reason() })
}

impl Report {
    /// Whether a finding has this requirement.
    fn is_found(&self, id: &str) -> bool {
        self.findings.iter().any(|finding| finding.requirements.iter().any(|one| one == id))
    }
}

fn line(text: &mut String, severity: Severity, title: &str, message: &str, place: Option<&Place>) {
    let command = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    // Writing to a string does not fail.
    let _ = write!(text, "::{command} title={}", property(&clipped(title, LONGEST_TITLE)));
    if let Some(Place { file, line }) = place {
        let _ = write!(text, ",file={}", property(&clean(file)));
        let _ = line.map(|line| write!(text, ",line={line}"));
    }
    let lines: Vec<String> = clipped_lines(message).lines().map(|line| clean(line).into_owned()).collect();
    let _ = writeln!(text, "::{}", value(&lines.join("\n")));
}

fn clipped_lines(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Text after the second `::` of a command.
fn value(text: &str) -> String {
    inert(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    value(text).replace(':', "%3A").replace(',', "%2C")
}
