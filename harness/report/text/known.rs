//! Known failures in the text report: what is known, then which entries have to be changed and how.

use std::fmt::Write as _;

use super::layout::wrapped;
use crate::report::messages::known as messages;
use crate::report::{CheckEntry, KnownEntry, Report, VerdictName};
use crate::shell;
use crate::suite::known;
use crate::terminal::{BAD, BOLD, DIM, clean};

/// The column of what is said about a requirement.
const COLUMN: usize = 10;

/// A line: the requirement or none, and what is said.
struct Line {
    id: String,
    words: String,
    /// Whether the entry has to be changed.
    is_wrong: bool,
}

/// The block with ANSI colours; empty without a known failure.
pub(super) fn block(report: &Report, width: usize) -> String {
    let lines = lines(report);
    let mut text = String::new();
    if lines.is_empty() {
        return text;
    }
    let with_entry = || report.checks.iter().filter(|check| check.known.is_some());
    let wrong = with_entry().filter(|check| check.is_wrongly_known()).count();
    // Writing to a string does not fail.
    let _ = writeln!(text, "\n{BOLD}{}{BOLD:#}", messages::heading(with_entry().count(), wrong));
    for Line { id, words, is_wrong } in lines {
        let style = if is_wrong { BAD } else { DIM };
        for (number, line) in wrapped(&words, COLUMN, COLUMN, width).iter().enumerate() {
            let id = if number == 0 { id.as_str() } else { "" };
            let _ = writeln!(text, "  {id:<7} {style}{line}{style:#}");
        }
    }
    for hint in hints(report) {
        let _ = writeln!(text, "  fix     {}", wrapped(&hint, COLUMN, COLUMN, width).join("\n          "));
    }
    text
}

/// The same in the short form: what is known in one line, and one for each that has to be changed.
pub(super) fn short(report: &Report) -> String {
    let mut text = String::new();
    let right = report.checks.iter().filter(|check| check.known.is_some() && !check.is_wrongly_known());
    let ids: Vec<&str> = right.map(|check| &*check.requirements[0]).collect();
    if !ids.is_empty() {
        let _ = writeln!(text, "{}: {}", VerdictName::KnownFailure.as_str(), ids.join(","));
    }
    for Line { id, words, .. } in lines(report).into_iter().filter(|line| line.is_wrong) {
        let id = if id.is_empty() { id } else { id + ": " };
        let _ = writeln!(text, "{BAD}known{BAD:#} {id}{}", clean(&words));
    }
    for hint in hints(report) {
        let _ = writeln!(text, "  fix: {hint}");
    }
    text
}

/// One line for each requirement with an entry; those that pass with others of the entry have one together.
fn lines(report: &Report) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut told: Vec<String> = Vec::new();
    for check in &report.checks {
        let Some(known) = &check.known else { continue };
        let of_entry = || {
            report
                .checks
                .iter()
                .filter(|one| one.known.as_ref().is_some_and(|it| it.place() == known.place()))
        };
        let ids = |passes: bool| -> Vec<&str> {
            let those = of_entry().filter(|one| (one.verdict == VerdictName::UnexpectedPass) == passes);
            those.map(|one| &*one.requirements[0]).collect()
        };
        let failing = ids(false);
        if check.verdict != VerdictName::UnexpectedPass || failing.is_empty() {
            let id = check.requirements[0].to_string();
            lines.push(Line { id, words: check.known_sentence(), is_wrong: check.is_wrongly_known() });
        } else if !told.contains(&known.place()) {
            let words = messages::matches_too_much(&known.place(), &known.check, &ids(true), &failing);
            lines.push(Line { id: String::new(), words, is_wrong: true });
            told.push(known.place());
        }
    }
    lines
}

/// How each list that has to be changed is corrected.
fn hints(report: &Report) -> Vec<String> {
    // An expired entry says itself what to do.
    let wrong = report
        .checks
        .iter()
        .filter(|check| check.is_wrongly_known() && check.verdict != VerdictName::KnownFailure);
    let mut lists: Vec<&KnownEntry> = wrong.filter_map(|check: &CheckEntry| check.known.as_ref()).collect();
    lists.sort_by(|one, other| one.list.cmp(&other.list));
    lists.dedup_by(|one, other| one.list == other.list);
    let hint = |known: &KnownEntry| match known::shipped(&known.list) {
        Some(_) => messages::how_to_replace(&known.list),
        None => {
            let word = shell::word(known.list.as_bytes());
            messages::how_to_fix(word.as_deref().unwrap_or("FILE"))
        }
    };
    lists.into_iter().map(hint).collect()
}
