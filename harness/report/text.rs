//! The report for people: one line per requirement, with what went wrong below it.
//!
//! The last line is the result line. Colours only repeat what the words say.

use std::fmt::Write as _;

use anstyle::Style;

use super::{CheckEntry, Report, RequirementEntry, VerdictName, messages, provisional};
use crate::terminal::{BAD, BOLD, DIM, GOOD, UNCLEAR, clean, lines};

/// How much of the run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    Quiet,
    Normal,
    /// With the number of cases of each requirement, and with all commands in full.
    Verbose,
}

/// The longest command that is shown without `-v`.
const SHOWN_COMMAND: usize = 700;

/// The indentation of a value's further lines.
const MARGIN: &str = "                          ";

/// How many exchanges are shown per failure.
const SHOWN_EXCHANGES: usize = 8;

/// The payloads of the run, and how they were chosen.
fn payloads(report: &Report) -> String {
    let mut words = messages::payloads(report.dialect);
    if report.dialect_chosen_by == "auto" {
        let choice = report.dialect_choice.as_ref();
        words.push_str(&messages::chosen(choice.map(|choice| (choice.refused, choice.answer.as_str()))));
    }
    words
}

/// The report as text with ANSI colours.
pub fn render(report: &Report, detail: Detail) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "{BOLD}{} {}{BOLD:#} · {} {} · {} · seed {}",
        report.tool.name,
        report.tool.version,
        report.role,
        clean(&report.subject),
        payloads(report),
        report.seed
    );
    if let Some(choice) = &report.dialect_choice {
        let _ = writeln!(text, "{}", choice.sentence);
    }
    if let Some(cause) = report.leading_cause() {
        let words = format!(
            "{}{}{}",
            cause.text,
            cause.detail_in_parentheses(),
            messages::alternative_causes(&cause.or)
        );
        let head = messages::rejects_every_valid_delivery();
        let _ = writeln!(text, "\n{BAD}{head}{BAD:#}: {}", clean(&words));
        let _ = writeln!(text, "  fix: {}", cause.fix);
    }
    text.push_str(&provisional::shown(report, detail == Detail::Quiet));
    let is_shown = |check: &CheckEntry| {
        detail != Detail::Quiet || !matches!(check.verdict, VerdictName::Pass | VerdictName::NotApplicable)
    };
    let together = together(report);
    let is_shown = |check: &CheckEntry| is_shown(check) && !together.iter().any(|one| one.has(check));
    let shown = || report.requirements.iter().zip(&report.checks).filter(|(_, check)| is_shown(check));
    // The contract has some requirements of a group after other groups.
    let mut groups: Vec<&str> = Vec::new();
    for (_, check) in shown() {
        if !groups.contains(&check.group()) {
            groups.push(check.group());
        }
    }
    for group in groups {
        let _ = writeln!(text, "\n{BOLD}{group}{BOLD:#}");
        for (requirement, check) in shown().filter(|(_, check)| check.group() == group) {
            entry(&mut text, requirement, check, detail);
        }
    }
    for Together { verdict, reason, count } in &together {
        let (style, mark) = mark(*verdict);
        let _ = writeln!(
            text,
            "\n{style}{mark}{style:#}: {}: {}",
            messages::not_judged(*count),
            lines(reason, "  ")
        );
    }
    for note in &report.notes {
        let _ = writeln!(text, "\nnote: {}", lines(note, "      "));
    }
    let Report { exchanges, duration_ms, waited_ms, exchanges_per_s, .. } = *report;
    let requests = messages::requests_in(exchanges, duration_ms, waited_ms, exchanges_per_s);
    let _ = match report.unreached {
        true => writeln!(text),
        false => writeln!(text, "\n{DIM}{requests}{DIM:#}"),
    };
    let _ = writeln!(text, "{}", report.result_line());
    text
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

/// One check as text with ANSI colours.
pub fn check(requirement: &RequirementEntry, check: &CheckEntry, detail: Detail) -> String {
    let mut text = String::new();
    entry(&mut text, requirement, check, detail);
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
    }
}

fn entry(text: &mut String, requirement: &RequirementEntry, check: &CheckEntry, detail: Detail) {
    let (style, mark) = mark(check.verdict);
    let cases = match check.cases {
        1.. if detail == Detail::Verbose => format!(" {DIM}{}{DIM:#}", messages::cases(check.cases)),
        _ => String::new(),
    };
    let _ = writeln!(
        text,
        "  {style}{mark:<12}{style:#} {:<6} {DIM}{:<6}{DIM:#}  {}{cases}",
        requirement.id, requirement.level, requirement.title
    );
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "                 {DIM}{name:<8}{DIM:#} {}", lines(value, MARGIN));
    };
    match check.verdict {
        VerdictName::Pass => return,
        VerdictName::Inconclusive | VerdictName::NotApplicable => {
            line("why", check.message.as_deref().unwrap_or_default());
            return;
        }
        VerdictName::Fail | VerdictName::Error => line("found", check.message.as_deref().unwrap_or_default()),
    }
    if let (Some(expected), Some(actual)) = (&check.expected, &check.actual) {
        line("expected", expected);
        line("actual", actual);
    }
    if let Some(cause) = &check.cause {
        line("cause", &cause.to_string());
        if !cause.or.is_empty() {
            line("or", &messages::also_explained_by(&cause.or));
        }
        line("fix", cause.fix);
    }
    if !check.exchanges.is_empty() {
        line("shown by", &messages::shown_by(&check.exchanges, SHOWN_EXCHANGES));
    }
    if let Some(command) = check.again() {
        let fits = detail == Detail::Verbose || command.len() <= SHOWN_COMMAND;
        let shown = if fits { command } else { messages::long_command() };
        // Unchanged: what is invisible is escaped in it already, in the way of the shell.
        let _ = writeln!(text, "                 {DIM}{:<8}{DIM:#} {shown}", "again");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::{Detail, VerdictName, check};
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
        let shown = plain(&check(&entry, &found, Detail::Normal));
        let expected = "found    it said \\u{1b}[2J\\u{202e}\n                          and more\n";
        assert!(shown.ends_with(expected), "{shown:?}");
    }
}
