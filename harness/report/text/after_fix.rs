//! What the first fault of a receiver hides: the failures that would remain after its fix.

use std::fmt::Write as _;

use anstyle::Style;

use super::finding::style_of;
use super::layout::{TITLE, labelled, with_code};
use super::messages;
use crate::report::{AfterFix, CheckEntry, Report, VerdictName};
use crate::terminal::{BOLD, clean};

/// The failures that would remain, those of the highest level first.
pub(in crate::report) fn remaining(report: &Report) -> Vec<(&CheckEntry, &AfterFix)> {
    let failures = report.checks.iter().filter_map(|check| Some((check, check.after_fix.as_ref()?)));
    let mut failures: Vec<_> = failures.collect();
    failures.sort_by_key(|(check, _)| check.level);
    failures
}

/// The block of a text report that lists them, with ANSI colours; empty if there is none.
pub(super) fn block(report: &Report, width: usize) -> String {
    let remaining = remaining(report);
    let mut text = String::new();
    if remaining.is_empty() {
        return text;
    }
    // Writing to a string does not fail.
    let _ = writeln!(text, "\n{BOLD}{}{BOLD:#}", messages::would_fail_too());
    let mut told: Vec<(Option<&str>, String)> = Vec::new();
    // In a narrow terminal there is little room after the titles.
    let indent = TITLE.min(width / 4);
    for (check, failure) in remaining {
        let [id] = &check.requirements;
        let title = report.requirements.iter().find(|one| one.id == *id).map_or("", |one| &one.title);
        let level = check.level.as_str();
        let style = style_of(check.level);
        let _ = write!(text, "  {style}{level:<7}{style:#} {id:<7} ");
        let code = failure.cause.as_ref().map_or("", |cause| &cause.code);
        with_code(&mut text, (title, Style::new()), code, (TITLE, TITLE, width));
        let key = (failure.cause.as_ref().map(|cause| &*cause.code), failure.text());
        // The same cause is explained once.
        if told.contains(&key) {
            continue;
        }
        labelled(&mut text, indent, "found", &failure.message, width);
        if let Some(cause) = &failure.cause {
            labelled(&mut text, indent, "fix", &cause.fix, width);
        }
        told.push(key);
    }
    text
}

/// The same in lines without colours for `-q` and coding agents.
pub(super) fn short(report: &Report) -> Vec<String> {
    remaining(report)
        .into_iter()
        .map(|(check, failure)| {
            let [id] = &check.requirements;
            let code = failure.cause.as_ref().map(|cause| &*cause.code);
            messages::would_fail(check.level, id, code, &clean(&failure.text()))
        })
        .collect()
}

/// How the requirements that depend on the first fault came out; `None` if nothing is known.
pub(super) fn counts(report: &Report) -> Option<String> {
    let count = |wanted: VerdictName| {
        let of = |check: &&CheckEntry| {
            check.verdict == VerdictName::Inconclusive && check.provisional == Some(wanted)
        };
        report.checks.iter().filter(of).count()
    };
    let (passed, failed) = (count(VerdictName::Pass), count(VerdictName::Fail));
    (passed + failed > 0).then(|| messages::provisional_counts(passed, failed))
}
