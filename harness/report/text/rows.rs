//! What did not pass, one line each, and how many of each group passed.

use std::fmt::Write as _;

use anstyle::Style;

use super::finding::style_of;
use super::layout::{TITLE, wrapped};
use super::{after_fix, messages};
use crate::report::{CheckEntry, Report, RequirementEntry, VerdictName};
use crate::terminal::{DIM, UNCLEAR, clean};

/// How much room a verdict of several lines has next to a title.
const NARROWEST: usize = 24;
/// The column of the line on all requirements that depend on RCV-1.
const DEPENDENT: usize = 10;

/// From so many on, requirements that are open for the same reason are listed together.
const MANY: usize = 3;

type Row<'a> = (&'a RequirementEntry, &'a CheckEntry);

/// One line for each requirement that failed or is open; those that depend on RCV-1 have one together. `is_told` says which are
/// told elsewhere.
pub(super) fn list(text: &mut String, report: &Report, is_told: &dyn Fn(&CheckEntry) -> bool, width: usize) {
    let rows: Vec<Row<'_>> = report.requirements.iter().zip(&report.checks).collect();
    let is_open =
        |check: &CheckEntry| matches!(check.verdict, VerdictName::Inconclusive | VerdictName::Error);
    let depends = |check: &CheckEntry| depends_on_valid(report, check);
    let failed: Vec<Row<'_>> = rows.iter().copied().filter(|(_, check)| fails(check)).collect();
    let open: Vec<Row<'_>> = rows
        .iter()
        .copied()
        .filter(|(_, check)| is_open(check) && !depends(check) && !is_told(check))
        .collect();
    let dependent = rows.iter().filter(|(_, check)| depends(check)).count();
    let reason = |row: &Row<'_>| row.1.message.clone().unwrap_or_default();
    let (together, single): (Vec<Row<'_>>, Vec<Row<'_>>) = open
        .iter()
        .copied()
        .partition(|row| open.iter().filter(|other| reason(other) == reason(row)).count() >= MANY);
    if failed.is_empty() && open.is_empty() && dependent == 0 {
        return;
    }
    text.push('\n');
    let column = failed.iter().chain(&single).map(|(requirement, _)| requirement.title.chars().count()).max();
    let column = column.unwrap_or_default().max(if dependent > 0 {
        messages::depend_on_it(dependent).len() - 8
    } else {
        0
    });
    let mut sorted = [failed, single].concat();
    sorted.sort_by_key(|(requirement, check)| (!fails(check), requirement.level));
    for (requirement, check) in sorted {
        row(text, report, (requirement, check), (column, width));
        if requirement.id == "RCV-1" && dependent > 0 {
            let words = messages::depend_on_it(dependent);
            let counts = after_fix::counts(report).map(|counts| format!(" ({counts})")).unwrap_or_default();
            let verdict = format!("inconclusive{counts}");
            let _ = write!(text, "{:DEPENDENT$}", "");
            described(text, &words, (&verdict, UNCLEAR), (DEPENDENT, TITLE + column + 2, width));
        }
    }
    let mut told: Vec<String> = Vec::new();
    for first in &together {
        let why = reason(first);
        if told.contains(&why) {
            continue;
        }
        let same = || together.iter().filter(|row| reason(row) == why);
        let ids: Vec<&str> = same().map(|(requirement, _)| &*requirement.id).collect();
        let words = format!("{}: {}", first.1.verdict.as_str(), why.lines().next().unwrap_or_default());
        for line in wrapped(&format!("{}: {}", messages::not_judged(ids.len()), words), 2, 2, width) {
            let _ = writeln!(text, "  {UNCLEAR}{line}{UNCLEAR:#}");
        }
        for line in wrapped(&ids.join(" "), 10, 10, width) {
            let _ = writeln!(text, "{:10}{DIM}{line}{DIM:#}", "");
        }
        told.push(why);
    }
}

fn row(text: &mut String, report: &Report, (requirement, check): Row<'_>, (column, width): (usize, usize)) {
    let RequirementEntry { id, title, level, .. } = requirement;
    let (style, verdict) = match check.verdict {
        VerdictName::Fail => (style_of(*level), "failed".to_owned() + &number_of(report, id)),
        VerdictName::Drift => (style_of(*level), "drift".to_owned() + &number_of(report, id)),
        VerdictName::Inconclusive if explained_by(report, check).is_some() => {
            let number = explained_by(report, check).filter(|_| report.findings.len() > 1);
            let number = number.map(|number| format!(" ({number})")).unwrap_or_default();
            (UNCLEAR, format!("{}{number}", check.verdict.as_str()))
        }
        verdict => (UNCLEAR, format!("{}: {}", verdict.as_str(), check.first_line())),
    };
    let _ = write!(text, "  {:<7} {id:<7} ", level.as_str());
    described(text, title, (&verdict, style), (TITLE, TITLE + column + 2, width));
}

/// What a row is about, which begins at a column, and the verdict at another one; below each other if a line is too narrow.
fn described(
    text: &mut String,
    what: &str,
    (verdict, style): (&str, Style),
    (begin, at, width): (usize, usize, usize),
) {
    let margin = if at + verdict.chars().count().min(NARROWEST) > width {
        let what = wrapped(what, begin, begin, width).join(&format!("\n{:begin$}", ""));
        let _ = write!(text, "{what}\n{:TITLE$}", "");
        TITLE
    } else {
        let column = at - begin;
        let _ = write!(text, "{what:<column$}");
        at
    };
    for (number, line) in wrapped(verdict, margin, margin, width).iter().enumerate() {
        let before = if number == 0 { 0 } else { margin };
        let _ = writeln!(text, "{:before$}{style}{line}{style:#}", "");
    }
}

/// The number of the finding whose cause an open requirement names.
pub(super) fn explained_by(report: &Report, check: &CheckEntry) -> Option<usize> {
    let message = check.message.as_deref()?;
    let named = |code: &str| message.contains(&format!("cause: {code}"));
    report.findings.iter().position(|finding| finding.cause.as_deref().is_some_and(named)).map(|at| at + 1)
}

/// The number of the finding that explains a failure, if there are several findings.
fn number_of(report: &Report, id: &str) -> String {
    let at = report.findings.iter().position(|finding| finding.requirements.iter().any(|one| one == id));
    at.filter(|_| report.findings.len() > 1).map(|at| format!(" ({})", at + 1)).unwrap_or_default()
}

/// Whether it fails otherwise than the list of known failures says.
fn fails(check: &CheckEntry) -> bool {
    matches!(check.verdict, VerdictName::Fail | VerdictName::Drift)
}

/// Whether a requirement is open because no valid delivery was accepted.
pub(super) fn depends_on_valid(report: &Report, check: &CheckEntry) -> bool {
    let rejected = |check: &CheckEntry| {
        check.requirements == ["RCV-1"] && check.verdict.is_failure() && check.every_case_fails
    };
    check.verdict == VerdictName::Inconclusive
        && check.id.starts_with("receiver/")
        && report.checks.iter().any(rejected)
        && !report.stopped_by.iter().any(|why| check.message.as_ref() == Some(why))
}

/// One line for each group: how many passed, failed and were not judged. With `passing`, only groups where something passed.
pub(super) fn groups(text: &mut String, report: &Report, passing: bool, width: usize) {
    let mut is_first = true;
    for group in report.groups() {
        let checks: Vec<&CheckEntry> = report.checks.iter().filter(|check| check.group() == group).collect();
        let count = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
        let passed = count(VerdictName::Pass);
        if passing && passed == 0 {
            continue;
        }
        if std::mem::take(&mut is_first) {
            text.push('\n');
        }
        let name = if report.role == "both" { group } else { group.rsplit('/').next().unwrap_or(group) };
        let names = [
            (VerdictName::Pass, "passed"),
            (VerdictName::Fail, "failed"),
            (VerdictName::KnownFailure, "known to fail"),
            (VerdictName::Drift, "drifted"),
            (VerdictName::UnexpectedPass, "passed unexpectedly"),
            (VerdictName::Inconclusive, "inconclusive"),
            (VerdictName::Error, "in error"),
        ];
        let mut parts: Vec<String> = names
            .into_iter()
            .filter(|(verdict, _)| count(*verdict) > 0)
            .map(|(verdict, name)| format!("{} {name}", count(verdict)))
            .collect();
        parts.extend(not_applicable(&checks));
        let padding = if report.role == "both" { 24 } else { 16 };
        let at = padding + 2;
        for (number, line) in wrapped(&parts.join(", "), at, at, width).iter().enumerate() {
            let name = if number == 0 { name } else { "" };
            let _ = writeln!(text, "  {name:<padding$}{line}");
        }
    }
}

/// How many do not apply, and why, if they have one reason.
fn not_applicable(checks: &[&CheckEntry]) -> Option<String> {
    let none: Vec<&&CheckEntry> =
        checks.iter().filter(|check| check.verdict == VerdictName::NotApplicable).collect();
    let first = none.first()?;
    let same = none.iter().all(|check| check.message == first.message);
    let why =
        first.message.as_deref().filter(|_| same).map(|why| format!(" ({})", clean(why))).unwrap_or_default();
    Some(format!("{}{why}", messages::not_applicable(none.len())))
}
