//! What reports for other programs say: JUnit, TAP, SARIF and annotations.

use crate::plural::counted;
use crate::report::Report;
use crate::suite::requirement::Level;
use crate::suite::verdict::VerdictName;

// Cases of JUnit and TAP, annotations.

/// The case of the run itself.
pub(in crate::report) fn the_run() -> &'static str {
    "the run"
}

/// Why a requirement that did not pass fails no run.
pub(in crate::report) fn excused(level: Level, verdict: VerdictName, found: &str) -> String {
    format!("{level}, which fails no run here: {}: {found}", verdict.as_str())
}

pub(in crate::report) fn run_ended() -> &'static str {
    "the program under test ended or stopped answering during the run"
}

pub(in crate::report) fn run_interrupted() -> &'static str {
    "the run was interrupted, so this report is incomplete"
}

pub(in crate::report) fn run_selected_nothing() -> &'static str {
    "nothing was selected to run; change --run, --skip or --level"
}

pub(in crate::report) fn run_lacks_evidence() -> &'static str {
    "the suite failed, or the evidence of the run could not be written; see the notes"
}

pub(in crate::report) fn run_incomplete() -> &'static str {
    "the program under test could not be started or reached"
}

/// What was tested, in one line.
pub(in crate::report) fn heading(report: &Report) -> String {
    let Report { role, subject, dialect, seed, .. } = report;
    format!("{role} {subject} · {dialect} payloads · seed {seed}")
}

pub(in crate::report) fn finding_with_fix(text: &str, fix: Option<&str>) -> String {
    fix.map_or_else(|| text.to_owned(), |fix| format!("{text}\nFix: {fix}"))
}

/// The title of an annotation about requirements that could not be judged.
pub(in crate::report) fn not_judged(ids: &[&str]) -> String {
    match ids {
        [one] => format!("{one} not judged"),
        [first, rest @ ..] => format!("{first} and {} more not judged", rest.len()),
        [] => String::new(),
    }
}

pub(in crate::report) fn more_findings(count: usize) -> String {
    format!("{} in the report of this step", counted(count, "more finding is", "more findings are"))
}

// SARIF.

/// What relative paths are relative to.
pub(in crate::report) fn project_root() -> &'static str {
    "The top folder of the project."
}

/// The help of a requirement as a rule.
pub(in crate::report) fn help_of_rule(sentence: &str, source: &str, fix: Option<&str>) -> String {
    let fix = fix.map(|fix| format!("\nFix: {fix}")).unwrap_or_default();
    format!("{sentence}\nSource: {source}{fix}")
}
