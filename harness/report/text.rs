//! The report for people: it reads like the contract, with what went wrong under each sentence.
//!
//! Invariant: the last line is the result line, and colours carry nothing that words do not.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{CauseEntry, CheckEntry, Report, RequirementEntry, VerdictName};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const UNCLEAR: Style = AnsiColor::Yellow.on_default();
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();

/// How much of the run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Only what did not pass.
    Quiet,
    /// Every requirement.
    Normal,
    /// Every requirement with the number of its cases, and the commands that repeat failures in full.
    Verbose,
}

/// The longest command that is shown in full without `-v`.
const SHOWN_COMMAND: usize = 700;

/// The report as text with ANSI colours; whoever prints it takes them off where they are not wanted.
pub fn render(report: &Report, detail: Detail) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "{BOLD}{} {}{BOLD:#} · {} {} · dialect {} · seed {}",
        report.tool.name, report.tool.version, report.role, report.subject, report.dialect, report.seed
    );
    if let Some(cause) = leading_cause(report) {
        let which = cause.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
        let or = if cause.or.is_empty() { String::new() } else { format!("; or {}", cause.or.join(", or ")) };
        let _ = writeln!(text, "\n{BAD}Every genuine delivery is refused{BAD:#}: {}{which}{or}", cause.text);
        let _ = writeln!(text, "  mend: {}", cause.fix);
    }
    let mut area = "";
    for (requirement, check) in report.requirements.iter().zip(&report.checks) {
        if detail == Detail::Quiet && matches!(check.verdict, VerdictName::Pass | VerdictName::NotApplicable)
        {
            continue;
        }
        let of_check = check.id.rsplit_once('/').map_or(check.id, |(area, _)| area);
        if of_check != area {
            area = of_check;
            let _ = writeln!(text, "\n{BOLD}{area}{BOLD:#}");
        }
        entry(&mut text, requirement, check, detail);
    }
    for note in &report.notes {
        let _ = writeln!(text, "\nnote: {note}");
    }
    let waited = if report.waited_ms > 0 {
        format!(", {} ms of them waiting", report.waited_ms)
    } else {
        String::new()
    };
    let _ = writeln!(
        text,
        "\n{DIM}{} exchanges in {} ms{waited}: {:.1} per second{}{DIM:#}",
        report.exchanges,
        report.duration_ms,
        report.exchanges_per_s,
        if report.waited_ms > 0 { " of the rest" } else { "" }
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

fn entry(text: &mut String, requirement: &RequirementEntry, check: &CheckEntry, detail: Detail) {
    let (style, mark) = match check.verdict {
        VerdictName::Pass => (GOOD, "pass"),
        VerdictName::Fail => (BAD, "FAIL"),
        VerdictName::Inconclusive => (UNCLEAR, "untestable"),
        VerdictName::NotApplicable => (DIM, "n/a"),
        VerdictName::Error => (BAD, "ERROR"),
    };
    let cases = match check.cases {
        1.. if detail == Detail::Verbose => format!(" {DIM}({} cases){DIM:#}", check.cases),
        _ => String::new(),
    };
    let _ = writeln!(
        text,
        "  {style}{mark:<10}{style:#} {:<6} {DIM}{:<6}{DIM:#} {}{cases}",
        requirement.id, requirement.level, requirement.text
    );
    let mut line = |name: &str, value: &str| {
        let value = value.replace('\n', "\n                        ");
        let _ = writeln!(text, "               {DIM}{name:<8}{DIM:#} {value}");
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
        let which = cause.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
        line("cause", &format!("{}{which}: {}", cause.code, cause.text));
        if !cause.or.is_empty() {
            line("or", &format!("{}, which explains what was seen as well", cause.or.join(", or ")));
        }
        line("mend", cause.fix);
    }
    if !check.exchanges.is_empty() {
        let shown: Vec<String> = check.exchanges.iter().take(8).map(|id| format!("#{id}")).collect();
        let more = check.exchanges.len().saturating_sub(shown.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        line("shown by", &format!("{}{more}", shown.join(" ")));
    }
    if let Some(repro) = &check.repro {
        let fits = detail == Detail::Verbose || repro.len() <= SHOWN_COMMAND;
        let shown = if fits { repro } else { "(a long command: -v, or the JSON report, shows it)" };
        // As it stands, over lines or not: the bytes that it sends are what is signed.
        let _ = writeln!(text, "               {DIM}repeat  {DIM:#} {shown}");
    }
}

/// The cause to begin with: why genuine deliveries are refused.
fn leading_cause(report: &Report) -> Option<&CauseEntry> {
    let refused = report.checks.iter().find(|check| check.requirements == ["RCV-1"])?;
    let cause = refused.cause.as_ref().filter(|_| refused.verdict == VerdictName::Fail)?;
    let computes = ["message.", "key.", "digest.", "header.", "refuses.everything"];
    computes.iter().any(|head| cause.code.starts_with(head)).then_some(cause)
}
