//! The report for people, of one screen: what went wrong by cause, then a line for each requirement that did not pass, then the
//! result line.
//!
//! Colours only repeat what the words say. With [`Detail::Quiet`] it is the short form for coding agents.

mod after_fix;
mod answer;
mod brief;
mod finding;
mod known;
mod layout;
mod messages;
mod rows;

use std::fmt::Write as _;

use anstyle::Style;

use self::layout::{labelled, labelled_command};
use super::{CheckEntry, Report, RequirementEntry, VerdictName, not_started};
use crate::terminal::{BAD, BOLD, DIM, GOOD, UNCLEAR, clean};

pub(super) use self::after_fix::remaining;
pub(super) use self::finding::{cases, check_of, sentence};
pub use self::layout::WIDTH;
pub(super) use self::layout::wrapped;

/// How much of the run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// What did not pass, in the form for coding agents.
    Quiet,
    /// What did not pass, and how many requirements passed.
    Normal,
    /// Every requirement, with its sentence and the number of its cases.
    Verbose,
}

/// The indentation of what is said about a requirement.
const ENTRY: usize = 17;

/// How many exchanges are shown per failure.
const SHOWN_EXCHANGES: usize = 8;

/// The payloads of the run, and how they were chosen.
fn payloads(report: &Report) -> String {
    let mut words = messages::payloads(&report.dialect);
    if report.dialect_chosen_by == "auto" {
        let choice = report.dialect_choice.as_ref();
        words.push_str(&messages::chosen(choice.map(|choice| (&*choice.refused, choice.answer.as_str()))));
    }
    words
}

/// The report as text with ANSI colours, in lines of this width.
pub fn render(report: &Report, detail: Detail, width: usize) -> String {
    if let Some(failure) = &report.not_started {
        return not_started::render(report, failure, detail == Detail::Verbose);
    }
    if detail == Detail::Quiet {
        return brief::render(report);
    }
    let mut text = String::new();
    heading(&mut text, report, width);
    finding::all(&mut text, report, width);
    text.push_str(&after_fix::block(report, width));
    let together = together(report);
    if detail == Detail::Verbose {
        every_requirement(&mut text, report, width);
    } else {
        let is_told = |check: &CheckEntry| together.iter().any(|one| one.has(check));
        rows::list(&mut text, report, &is_told, width);
    }
    for Together { verdict, reason, count } in &together {
        let (style, mark) = mark(*verdict);
        let (first, quoted) = reason.split_once('\n').unwrap_or((reason, ""));
        let first = format!("{}: {first}", messages::not_judged(*count));
        // Writing to a string does not fail.
        let _ = write!(text, "\n{style}{mark}{style:#}: ");
        let first = wrapped(&first, mark.len() + 2, 2, width).join("\n  ");
        let _ = writeln!(text, "{first}");
        // What a program wrote keeps its form.
        quoted.lines().for_each(|line| text.push_str(&format!("  {}\n", clean(line))));
    }
    if detail == Detail::Normal {
        let passes = report.findings.is_empty() && together.is_empty();
        rows::groups(&mut text, report, !passes, width);
        if !report.findings.is_empty() {
            text.push('\n');
            finding::commands(&mut text, report);
        }
    }
    text.push_str(&known::block(report, width));
    for note in &report.notes {
        let note = messages::note(if detail == Detail::Verbose { note } else { in_short(note) });
        text.push('\n');
        for (number, line) in note.lines().flat_map(|line| wrapped(line, 0, 6, width)).enumerate() {
            let margin = if number == 0 { 0 } else { 6 };
            let _ = writeln!(text, "{:margin$}{line}", "");
        }
    }
    let Report { exchanges, duration_ms, waited_ms, .. } = *report;
    let requests = messages::requests_in(exchanges, duration_ms, waited_ms);
    let _ = match report.unreached {
        true => writeln!(text),
        false if report.stopped => writeln!(text, "\n{DIM}{}{DIM:#}", messages::stopped_after(exchanges)),
        false => writeln!(text, "\n{DIM}{}{DIM:#}", wrapped(&requests, 0, 2, width).join("\n  ")),
    };
    let _ = writeln!(text, "{}", report.result_line());
    text
}

/// A note without the output that it quotes: the findings have its telling line.
fn in_short(note: &str) -> &str {
    let line = note.lines().next().unwrap_or_default();
    match line.strip_suffix(':') {
        Some(quotes) => quotes.rsplit_once(';').map_or(quotes, |(rest, _)| rest),
        None => line,
    }
}

/// What was tested, and how.
fn heading(text: &mut String, report: &Report, width: usize) {
    let (name, version) = (&report.tool.name, &report.tool.version);
    let rest =
        format!("· {} {} · {} · seed {}", report.role, clean(&report.subject), payloads(report), report.seed);
    // On one line, so that what is said of the payloads is the second, however long the command is.
    let _ = writeln!(text, "{BOLD}{name} {version}{BOLD:#} {rest}");
    if let Some(choice) = &report.dialect_choice {
        for line in wrapped(&choice.sentence, 0, 0, width) {
            let _ = writeln!(text, "{line}");
        }
    }
}

/// Every requirement with its sentence, by group.
fn every_requirement(text: &mut String, report: &Report, width: usize) {
    let entries = || report.requirements.iter().zip(&report.checks);
    for group in report.groups() {
        let _ = writeln!(text, "\n{BOLD}{group}{BOLD:#}");
        for (requirement, check) in entries().filter(|(_, check)| check.group() == group) {
            entry(text, requirement, check, width);
        }
    }
}

/// Requirements that are open for the same reason, which concerns the whole run.
struct Together<'a> {
    verdict: VerdictName,
    reason: &'a str,
    count: usize,
}

impl Together<'_> {
    fn has(&self, check: &CheckEntry) -> bool {
        check.verdict == self.verdict && check.message.as_deref() == Some(self.reason)
    }
}

/// What is shown once, although it is the reason of several requirements.
fn together(report: &Report) -> Vec<Together<'_>> {
    let mut found: Vec<Together<'_>> = Vec::new();
    for check in &report.checks {
        let Some(reason) = check.message.as_deref() else { continue };
        let is_open = matches!(check.verdict, VerdictName::Inconclusive | VerdictName::Error);
        if let Some(known) = found.iter_mut().find(|known| known.has(check)) {
            known.count += 1;
        } else if is_open && report.stopped_by.iter().any(|why| why == reason) {
            found.push(Together { verdict: check.verdict, reason, count: 1 });
        }
    }
    found.retain(|one| one.count > 1 || report.unreached);
    found
}

/// One check as text with ANSI colours, with all that is known about it.
pub fn check(requirement: &RequirementEntry, check: &CheckEntry) -> String {
    let mut text = String::new();
    entry(&mut text, requirement, check, WIDTH);
    text
}

/// The word for a verdict at the beginning of a line, with its style.
pub(super) fn mark(verdict: VerdictName) -> (Style, &'static str) {
    match verdict {
        VerdictName::Pass => (GOOD, "pass"),
        VerdictName::Fail => (BAD, "FAIL"),
        VerdictName::Inconclusive => (UNCLEAR, "inconclusive"),
        VerdictName::NotApplicable => (DIM, "n/a"),
        VerdictName::Error => (BAD, "ERROR"),
        VerdictName::KnownFailure => (UNCLEAR, "known"),
        VerdictName::UnexpectedPass => (BAD, "PASSES"),
        VerdictName::Drift => (BAD, "DRIFT"),
    }
}

fn entry(text: &mut String, requirement: &RequirementEntry, check: &CheckEntry, width: usize) {
    let (style, mark) = mark(check.verdict);
    let cases = match check.cases {
        1.. => format!(" {DIM}{}{DIM:#}", messages::cases(check.cases)),
        0 => String::new(),
    };
    let _ = writeln!(
        text,
        "  {style}{mark:<12}{style:#} {:<6} {DIM}{:<6}{DIM:#}  {}{cases}",
        requirement.id, requirement.level, requirement.title
    );
    let sentence = wrapped(&requirement.text, ENTRY, ENTRY, width);
    for line in sentence {
        let _ = writeln!(text, "{:ENTRY$}{DIM}{line}{DIM:#}", "");
    }
    let mut line = |name: &str, value: &str| labelled(text, ENTRY, name, value, width);
    match check.verdict {
        VerdictName::Pass => return,
        VerdictName::Inconclusive | VerdictName::NotApplicable => {
            line("why", check.message.as_deref().unwrap_or_default());
            return;
        }
        VerdictName::UnexpectedPass => {
            line("known", &check.known_sentence());
            return;
        }
        VerdictName::KnownFailure | VerdictName::Drift => {
            line("known", &check.known_sentence());
            line("found", check.message.as_deref().unwrap_or_default());
        }
        VerdictName::Fail | VerdictName::Error => line("found", check.message.as_deref().unwrap_or_default()),
    }
    if !check.cases_that_fail.is_empty() {
        line("cases", &messages::cases_that_fail(&check.cases_that_fail));
    }
    if let Some(matters) = &check.what_matters {
        line("matters", matters);
    }
    if let (Some(expected), Some(actual)) = (&check.expected, &check.actual) {
        line("expected", expected);
        line("actual", actual);
    }
    if let Some(answer) = &check.answer {
        line("answered", &answer::line(answer));
    }
    if let Some(output) = &check.output {
        line("stderr", output);
    }
    if let Some(cause) = &check.cause {
        line("cause", &cause.to_string());
        if !cause.or.is_empty() {
            line("or", &messages::also_explained_by(&cause.or));
        }
        line("fix", &cause.fix);
    }
    if !check.exchanges.is_empty() {
        line("shown by", &messages::shown_by(&check.exchanges, SHOWN_EXCHANGES));
    }
    if let Some(command) = &check.rerun {
        labelled_command(text, ENTRY, "again", command);
    }
    if let Some(command) = check.again() {
        // Unchanged: what is invisible is escaped in it already, in the way of the shell.
        labelled_command(text, ENTRY, "repeat", command);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::{VerdictName, check};
    use crate::report::{CheckEntry, RequirementEntry};
    use crate::suite::requirements;
    use crate::terminal::plain;

    #[test]
    fn escapes_control_characters_that_a_subject_wrote() {
        let requirement = requirements::all().next().unwrap();
        let found = CheckEntry {
            verdict: VerdictName::Fail,
            message: Some("it said \u{1b}[2J\u{202e}\nand more".to_owned()),
            ..CheckEntry::unjudged(requirement)
        };
        let entry = RequirementEntry::new(requirement, found.verdict);
        let shown = plain(&check(&entry, &found));
        let expected = "found     it said \\u{1b}[2J\\u{202e}\n                           and more\n";
        assert!(shown.ends_with(expected), "{shown:?}");
    }
}
