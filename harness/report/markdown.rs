//! The report as Markdown, for the summary of a CI step and for comments.
//!
//! ```markdown
//! ### twenty-conform receiver: fail
//!
//! | level | pass | fail | inconclusive | not-applicable | error |
//! |---|--:|--:|--:|--:|--:|
//! | must | 30 | 1 | 0 | 3 | 0 |
//!
//! 1. **must** VER-4 `accepts.unsigned`: it accepts deliveries without a signature
//!    - **fix:** …
//! ```
//!
//! Invariant: what a program under test wrote is only ever text, and the page is shorter than [`MOST`]: GitHub shows nothing of a longer
//! summary.

mod escape;
mod messages;

use self::escape::{block, code, prose};
use super::standing::{Case, Standing};
use super::{FindingEntry, Report, VerdictName};
use crate::suite::requirement::{Level, sources_in_words};

/// The most bytes of a page. GitHub takes 1 MiB for all summaries of a step, and 64 KiB for a comment.
pub const MOST: usize = 60 * 1024;

/// How many bytes each part of a page may have; they and the heading are less than [`MOST`].
const OF_FINDINGS: usize = 16 * 1024;
const OF_FAILURES: usize = 12 * 1024;
const OF_DETAILS: usize = 16 * 1024;
const OF_OTHERS: usize = 3 * 1024;
const OF_NOTES: usize = 4 * 1024;

/// How many characters of a text are shown: in a line, and in a command.
const LONGEST: usize = 300;
const LONGEST_COMMAND: usize = 2_000;

/// The report as Markdown, ending with a line feed.
pub fn render(report: &Report) -> String {
    let mut page = heading(report);
    page.push_str(&counts(report));
    page.push_str(&findings(report));
    page.push_str(&failures(report));
    page.push_str(&details(report));
    // Failures have a table of their own.
    let shown = [VerdictName::Pass, VerdictName::Fail];
    for verdict in VerdictName::ALL.into_iter().filter(|verdict| !shown.contains(verdict)) {
        page.push_str(&others(report, verdict));
    }
    page.push_str(&notes(report));
    page
}

fn heading(report: &Report) -> String {
    let Report { tool, role, dialect, seed, result, .. } = report;
    let subject = code(&report.subject, LONGEST);
    let mut text = format!(
        "### {} {}: {}\n\n{subject} · {} · seed {seed}\n\n{}\n\n",
        prose(&tool.name, LONGEST),
        prose(role, LONGEST),
        result.as_str(),
        prose(&messages::payloads(dialect), LONGEST),
        code(&report.result_line(), LONGEST),
    );
    if let Some((_, why)) = report.beyond_cases() {
        text.push_str(&format!("**{}**\n\n", prose(why, LONGEST)));
    }
    if let Some(failure) = &report.not_started {
        text.push_str(&format!("{}\n\n", code(&failure.fault, LONGEST)));
        let fixes = failure.fixes.iter().take(3).map(|fix| format!("- **fix:** {}\n", prose(fix, LONGEST)));
        let fixes: String = fixes.collect();
        if !fixes.is_empty() {
            text.push_str(&format!("{fixes}\n"));
        }
    }
    text
}

fn counts(report: &Report) -> String {
    let names: Vec<&str> = VerdictName::ALL.iter().map(|verdict| verdict.as_str()).collect();
    let mut text = format!("| level | {} |\n|---|{}\n", names.join(" | "), "--:|".repeat(names.len()));
    for level in Level::ALL {
        let of_level = report.counts.get(&level);
        let count = |verdict| of_level.and_then(|counts| counts.get(&verdict)).copied().unwrap_or_default();
        let counts: Vec<String> = VerdictName::ALL.map(|verdict| count(verdict).to_string()).to_vec();
        text.push_str(&format!("| {level} | {} |\n", counts.join(" | ")));
    }
    text + "\n"
}

/// As many parts as fit, and how many do not.
fn fitting(parts: impl Iterator<Item = String>, most: usize) -> (String, usize) {
    let (mut text, mut left_out) = (String::new(), 0);
    for part in parts {
        if left_out > 0 || text.len() + part.len() > most {
            left_out += 1;
        } else {
            text.push_str(&part);
        }
    }
    (text, left_out)
}

fn findings(report: &Report) -> String {
    if report.findings.is_empty() {
        return String::new();
    }
    let parts = report.findings.iter().enumerate().map(|(at, finding)| of_finding(at + 1, finding));
    let (mut text, left_out) = fitting(parts, OF_FINDINGS);
    if left_out > 0 {
        text.push_str(&format!("\n{}\n", messages::more_findings(left_out)));
    }
    format!("#### {}\n\n{text}\n", messages::findings())
}

fn of_finding(number: usize, finding: &FindingEntry) -> String {
    let ids = prose(&finding.requirements.join(", "), LONGEST);
    let cause =
        finding.cause.as_deref().map(|cause| format!(" {}", code(cause, LONGEST))).unwrap_or_default();
    let mut text =
        format!("{number}. **{}** {ids}{cause}: {}\n", finding.level, prose(&finding.text, LONGEST));
    let lines = [
        ("fix", finding.fix.as_deref().map(|fix| prose(fix, LONGEST))),
        ("code", finding.code_line.as_deref().map(|line| code(line, LONGEST))),
        ("do not", finding.avoid.as_deref().map(|avoid| prose(avoid, LONGEST))),
        ("again", finding.rerun.as_deref().map(|command| code(command, LONGEST_COMMAND))),
    ];
    for (name, line) in lines {
        text.extend(line.map(|line| format!("   - **{name}:** {line}\n")));
    }
    text
}

/// A table of what failed, gated or not.
fn failures(report: &Report) -> String {
    let failed = report.cases().filter(|case| case.check.verdict.is_failure());
    let rows = failed.map(|case| {
        let gate = if case.standing == Standing::Fails {
            messages::fails_the_run()
        } else {
            messages::fails_no_run()
        };
        row(&case, gate)
    });
    let (rows, left_out) = fitting(rows, OF_FAILURES);
    if rows.is_empty() && left_out == 0 {
        return String::new();
    }
    let more = if left_out > 0 {
        format!("| | | {} | |\n", messages::more_failures(left_out))
    } else {
        String::new()
    };
    format!("#### {}\n\n{}{rows}{more}\n", messages::failures(), messages::columns_with_gate())
}

fn row(case: &Case<'_>, gate: &str) -> String {
    let found = prose(case.check.message.as_deref().unwrap_or_default(), LONGEST);
    let gate = if gate.is_empty() { String::new() } else { format!(" {gate} |") };
    format!("| {} | {} | {found} |{gate}\n", case.requirement.level, prose(&case.name(), LONGEST))
}

/// What is known of each failure, folded.
fn details(report: &Report) -> String {
    let failed = report.cases().filter(|case| case.check.verdict.is_failure());
    let (parts, left_out) = fitting(failed.map(|case| of_failure(&case)), OF_DETAILS);
    let more =
        if left_out > 0 { format!("{}\n\n", messages::more_failures(left_out)) } else { String::new() };
    folded(messages::details(), &format!("{parts}{more}"))
}

fn of_failure(case: &Case<'_>) -> String {
    let (check, requirement) = (case.check, case.requirement);
    let mut text =
        format!("**{}**\n\n{}\n\n", prose(&case.name(), LONGEST), prose(&requirement.text, LONGEST));
    let answer = check.answer.as_ref().map(|answer| format!("{} {}", answer.status, answer.body));
    let lines = [
        ("expected", check.expected.as_deref()),
        ("actual", check.actual.as_deref()),
        ("sent", check.sent.as_deref()),
        ("answered", answer.as_deref()),
        ("output", check.output.as_deref()),
    ];
    for (name, line) in lines {
        text.extend(line.map(|line| format!("- {name}: {}\n", code(line, LONGEST))));
    }
    text.push_str(&format!(
        "- {}\n\n",
        prose(&messages::source(&sources_in_words(&requirement.source)), LONGEST)
    ));
    text.extend(check.again().map(|command| block(command, LONGEST_COMMAND) + "\n"));
    text
}

/// What has another verdict, with the reason of each, folded.
fn others(report: &Report, verdict: VerdictName) -> String {
    let rows = report.cases().filter(|case| case.check.verdict == verdict).map(|case| row(&case, ""));
    let count = report.count(verdict);
    let (rows, left_out) = fitting(rows, OF_OTHERS);
    if count == 0 {
        return String::new();
    }
    let more = if left_out > 0 {
        format!("| | | {} |\n", messages::more_requirements(left_out))
    } else {
        String::new()
    };
    folded(&format!("{}: {count}", verdict.as_str()), &format!("{}{rows}{more}\n", messages::columns()))
}

fn notes(report: &Report) -> String {
    let (lines, left_out) =
        fitting(report.notes.iter().map(|note| format!("- {}\n", code(note, LONGEST))), OF_NOTES);
    let more = if left_out > 0 { format!("- {}\n", messages::more_notes(left_out)) } else { String::new() };
    folded(messages::notes(), &format!("{lines}{more}"))
}

/// A part that opens with a click; nothing if it is empty.
fn folded(title: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!("<details><summary>{title}</summary>\n\n{}\n\n</details>\n\n", text.trim_end())
}
