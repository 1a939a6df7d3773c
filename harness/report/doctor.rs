//! An examination of the surroundings, as rows of text or as JSON:
//!
//! ```text
//! http://127.0.0.1:3000/hooks
//!   ok         name        127.0.0.1 is an address; nothing is looked up
//!   problem    route       every delivery is redirected (301) to /hooks/ [route.redirect]
//!              fix         …
//! RESULT: problem problems 1 warnings 0 not-known 0 requests 4
//! ```

use std::fmt::Write as _;
use std::time::Duration;

use anstyle::Style;
use serde::Serialize;
use serde_json::json;

use super::messages;
use crate::suite::doctor::{Findings, Row, State, Topic};
use crate::terminal::{BAD, DIM, GOOD, UNCLEAR, clean};

/// The name and version of the JSON form.
const FORMAT: &str = "twenty-conform-doctor/1";
/// The widths of the columns before what was seen.
const STATE: usize = 9;
const TOPIC: usize = 14;
const MARGIN: usize = 2 + STATE + 2 + TOPIC + 2;

/// The examination as text with ANSI colours, in lines of about this width.
pub fn text(findings: &Findings, width: usize) -> String {
    let mut text = format!("{}\n", clean(&findings.subject));
    for row in &findings.rows {
        let style = style(row.state);
        let cause = row.cause.map(|code| format!(" [{}]", code.as_str())).unwrap_or_default();
        let seen = below(&format!("{}{cause}", clean(&row.seen)), width);
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "  {style}{:<STATE$}{style:#}  {:<TOPIC$}  {seen}",
            row.state.as_str(),
            row.topic.as_str()
        );
        if let Some(fix) = &row.fix {
            let fix = below(&clean(fix), width);
            let _ = writeln!(text, "  {:STATE$}  {DIM}{:<TOPIC$}{DIM:#}  {fix}", "", "fix");
        }
    }
    text.push_str(&result_line(findings));
    text.push('\n');
    text
}

/// The last line, which programs can search for.
pub fn result_line(findings: &Findings) -> String {
    let count = |states: &[State]| findings.count(states);
    let problems = count(&[State::Problem, State::Unreachable]);
    let (warnings, not_known) = (count(&[State::Warning]), count(&[State::NotKnown]));
    messages::result_of_doctor(findings.result(), [problems, warnings, not_known], findings.requests)
}

/// A row in JSON.
#[derive(Serialize)]
struct Told<'a> {
    topic: Topic,
    state: State,
    seen: &'a str,
    fix: Option<&'a str>,
    cause: Option<&'static str>,
}

impl<'a> Told<'a> {
    fn of(row: &'a Row) -> Self {
        // That nothing arrives is in the result.
        let state = if row.state == State::Unreachable { State::Problem } else { row.state };
        let cause = row.cause.map(|code| code.as_str());
        Self { topic: row.topic, state, seen: &row.seen, fix: row.fix.as_deref(), cause }
    }
}

/// The examination as JSON for programs.
pub fn json(findings: &Findings, took: Duration) -> String {
    let rows: Vec<Told<'_>> = findings.rows.iter().map(Told::of).collect();
    let report = json!({
        "format": FORMAT,
        "subject": findings.subject,
        "result": findings.result(),
        "exit_status": findings.exit_status().code(),
        "requests": findings.requests,
        "duration_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "rows": rows,
    });
    format!("{report:#}\n")
}

fn style(state: State) -> Style {
    match state {
        State::Ok => GOOD,
        State::Warning | State::NotKnown => UNCLEAR,
        State::Problem | State::Unreachable => BAD,
    }
}

/// A text in the last column, with its further lines below its first.
fn below(text: &str, width: usize) -> String {
    super::not_started::wrapped(text, width.saturating_sub(MARGIN).max(MARGIN))
        .join(&format!("\n{:MARGIN$}", ""))
}
