//! The report for people: it reads like the contract, with what went wrong under each sentence.
//!
//! Invariant: the last line is the result line, and colours carry nothing that words do not.

use std::fmt::Write as _;

use anstyle::Style;

use super::{CheckEntry, Report, RequirementEntry, VerdictName};
use crate::terminal::{BAD, BOLD, DIM, GOOD, UNCLEAR, clean, lines};

/// How much of the run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    Quiet,
    Normal,
    /// Every requirement with the number of its cases, and the commands that repeat failures in full.
    Verbose,
}

/// The longest command that is shown in full without `-v`.
const SHOWN_COMMAND: usize = 700;

/// Where the lines about a check begin, and what they say about it.
const MARGIN: &str = "                          ";

/// The report as text with ANSI colours, which are taken off where they are not wanted.
pub fn render(report: &Report, detail: Detail) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "{BOLD}{} {}{BOLD:#} · {} {} · dialect {} · seed {}",
        report.tool.name,
        report.tool.version,
        report.role,
        clean(&report.subject),
        report.dialect,
        report.seed
    );
    if let Some(cause) = report.leading_cause() {
        let or = if cause.or.is_empty() { String::new() } else { format!("; or {}", cause.or.join(", or ")) };
        let said = format!("{}{}{or}", cause.text, cause.which());
        let _ = writeln!(text, "\n{BAD}Every valid delivery is refused{BAD:#}: {}", clean(&said));
        let _ = writeln!(text, "  fix: {}", cause.fix);
    }
    let mut group = "";
    for (requirement, check) in report.requirements.iter().zip(&report.checks) {
        if detail == Detail::Quiet && matches!(check.verdict, VerdictName::Pass | VerdictName::NotApplicable)
        {
            continue;
        }
        if check.group() != group {
            group = check.group();
            let _ = writeln!(text, "\n{BOLD}{group}{BOLD:#}");
        }
        entry(&mut text, requirement, check, detail);
    }
    for note in &report.notes {
        let _ = writeln!(text, "\nnote: {}", lines(note, "      "));
    }
    let waited = match report.waited_ms {
        0 => (String::new(), ""),
        ms => (format!(", {ms} ms of them waiting"), " of the rest"),
    };
    let _ = writeln!(
        text,
        "\n{DIM}{} exchanges in {} ms{}: {:.1} per second{}{DIM:#}",
        report.exchanges, report.duration_ms, waited.0, report.exchanges_per_s, waited.1
    );
    let _ = writeln!(text, "{}", report.result_line());
    text
}

/// One check as text with ANSI colours.
pub fn check(requirement: &RequirementEntry, check: &CheckEntry, detail: Detail) -> String {
    let mut text = String::new();
    entry(&mut text, requirement, check, detail);
    text
}

/// How a verdict stands at the beginning of its line.
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
        1.. if detail == Detail::Verbose => format!(" {DIM}({} cases){DIM:#}", check.cases),
        _ => String::new(),
    };
    let _ = writeln!(
        text,
        "  {style}{mark:<12}{style:#} {:<6} {DIM}{:<6}{DIM:#} {}{cases}",
        requirement.id, requirement.level, requirement.text
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
            line("or", &format!("{}, which explains what was seen as well", cause.or.join(", or ")));
        }
        line("fix", cause.fix);
    }
    if !check.exchanges.is_empty() {
        let shown: Vec<String> = check.exchanges.iter().take(8).map(|id| format!("#{id}")).collect();
        let more = check.exchanges.len().saturating_sub(shown.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        line("shown by", &format!("{}{more}", shown.join(" ")));
    }
    if let Some(repeat) = check.repeat() {
        let fits = detail == Detail::Verbose || repeat.len() <= SHOWN_COMMAND;
        let shown = if fits { repeat } else { "(a long command: -v, or the JSON report, shows it)" };
        // As it stands, over lines or not: the bytes that it sends are what is signed.
        let _ = writeln!(text, "                 {DIM}repeat  {DIM:#} {shown}");
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
    fn shows_what_a_subject_wrote_without_power_over_the_terminal() {
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
