//! The report in the Test Anything Protocol, for `prove` and other harnesses. It is valid as version 13 and as version 14; it names
//! 13, because Perl's `prove` takes a run of a version that it does not know for a failure.
//!
//! ```text
//! TAP version 13
//! 1..3
//! # receiver http://127.0.0.1:3000/ · documented payloads · seed 42
//! ok 1 - RCV-1 accepts valid deliveries
//! not ok 2 - VER-4 needs a signature
//!   ---
//!   verdict: "fail"
//!   level: "must"
//!   message: "accepted (200) a delivery without a signature"
//!   ...
//! ok 3 - PRC-1 processes each event once # SKIP the receiver prints no observations
//! ```
//!
//! Invariant: a harness that reads it agrees with the exit status. What fails no run is `not ok` with `# TODO`.

use std::fmt::Write as _;

use super::Report;
use super::messages::formats as messages;
use super::standing::{Case, Standing};
use crate::terminal::{clean, inert, json};

/// The report as TAP, ending with a line feed.
pub fn render(report: &Report) -> String {
    let beyond = report.beyond_cases();
    let count = report.cases().count();
    let mut text = format!("TAP version 13\n1..{}\n", count + usize::from(beyond.is_some()));
    // Writing to a string does not fail.
    let _ = writeln!(text, "# {}", in_comment(&messages::heading(report)));
    for (at, case) in report.cases().enumerate() {
        point(&mut text, at + 1, &case);
    }
    if let Some((_, why)) = beyond {
        let _ = writeln!(text, "not ok {} - {}", count + 1, messages::the_run());
        diagnostics(&mut text, &[("verdict", report.result.as_str()), ("message", why)]);
    }
    for note in &report.notes {
        let _ = writeln!(text, "# {}", in_comment(note));
    }
    let _ = writeln!(text, "# {}", in_comment(&report.result_line()));
    text
}

/// The line of a requirement, and what is known of it where it did not pass.
fn point(text: &mut String, number: usize, case: &Case<'_>) {
    let (ok, directive) = match case.standing {
        Standing::Passes => ("ok", String::new()),
        Standing::Fails | Standing::Open => ("not ok", String::new()),
        Standing::Excused => ("not ok", format!(" # TODO {}", in_comment(&case.reason()))),
        Standing::NotApplicable => ("ok", format!(" # SKIP {}", in_comment(&case.reason()))),
    };
    let name = case.name().replace('\\', "\\\\").replace('#', "\\#");
    let _ = writeln!(text, "{ok} {number} - {}{directive}", inert(&clean(&name)));
    if ok == "ok" {
        return;
    }
    let (check, cause) = (case.check, case.check.cause.as_ref());
    let level = case.requirement.level.to_string();
    let message = check.message.as_deref().unwrap_or_default();
    let cause_text = cause.map(ToString::to_string);
    let mut members = vec![
        ("verdict", check.verdict.as_str()),
        ("level", &level),
        ("check", &check.id),
        ("message", message),
    ];
    let known = [
        ("expected", check.expected.as_deref()),
        ("actual", check.actual.as_deref()),
        ("cause", cause_text.as_deref()),
        ("fix", cause.map(|cause| &*cause.fix)),
        ("rerun", check.rerun.as_deref()),
        ("repeat", check.again()),
    ];
    members.extend(known.into_iter().filter_map(|(name, value)| Some((name, value?))));
    diagnostics(text, &members);
}

/// Members as YAML under a test point. A JSON string is a YAML scalar.
fn diagnostics(text: &mut String, members: &[(&str, &str)]) {
    text.push_str("  ---\n");
    for (name, value) in members {
        // Cleaned before, because YAML does not join the two halves of a character that JSON escapes.
        let lines: Vec<_> = value.lines().map(clean).collect();
        let value = json(serde_json::Value::from(lines.join("\n")).to_string());
        let _ = writeln!(text, "  {name}: {value}");
    }
    text.push_str("  ...\n");
}

/// One line that cannot be more than a comment.
fn in_comment(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(clean).collect();
    inert(&lines.join(" ")).into_owned()
}
