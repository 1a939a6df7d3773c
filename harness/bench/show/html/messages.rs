//! What the HTML page says, in its order.

use super::mark::MarkKind;
use crate::bench::accounts::entry::LedgerEntry;
use crate::bench::measure::figures::Measured;
use crate::bench::measure::machine::Tool;
use crate::bench::measure::objective::BoundCheck;
use crate::bench::measure::report::{BenchReport, BenchRole, LoadFacts, LoadMode, SearchEntry};
use crate::bench::show::messages::{latency_corrected, loop_of};
use crate::page::parts::word;
use crate::plural::counted;

/// The title of the window.
pub(super) fn title(report: &BenchReport) -> String {
    let BenchReport { result, role, subject, .. } = report;
    format!("{result} · bench {} {subject} · {}", role.describe(), env!("CARGO_PKG_NAME"))
}

pub(super) fn kind() -> &'static str {
    "load report"
}

// The top.

/// The first line: the kind of load, in the words of the field.
pub(super) fn measured(load: &LoadFacts, search: Option<&SearchEntry>) -> String {
    match (load.mode, search) {
        (LoadMode::FindMax, Some(search)) => {
            format!(
                "Search for the saturation: the highest rate of an open loop that meets {}",
                search.objective
            )
        }
        (mode, _) => word(&loop_of(mode, &load.rates)),
    }
}

pub(super) fn passed(report: &BenchReport) -> String {
    let total = &report.total;
    let mut said = Vec::new();
    if let Some(search) = &report.search {
        said.extend(search.found.map(|rate| highest(rate, search)));
    }
    said.push(match (&report.sending, total.refused + total.failed) {
        (Some(_), 0) => "every event was delivered once and correctly signed".to_owned(),
        (None, 0) => "every valid delivery was accepted".to_owned(),
        (_, errors) => format!("the share of errors ({}) is allowed", share(total.error_share, errors)),
    });
    match (report.probes.let_through, report.probes.sent) {
        (_, 0) => {}
        (0, sent) => said.push(format!("all {} were rejected", counted(sent, "probe", "probes"))),
        (accepted, _) => said.push(format!("{accepted} accepted probes are below the level that fails")),
    }
    if !report.thresholds.is_empty() {
        said.push("every bound is met".to_owned());
    }
    if report.comparison.is_some() {
        said.push("no figure is worse than the baseline".to_owned());
    }
    sentence(&list_and(&said))
}

fn highest(rate: f64, search: &SearchEntry) -> String {
    let confirmed =
        search.trials.iter().filter(|trial| trial.confirmation && trial.held && trial.rate == rate).count();
    let trials = counted(confirmed, "confirming trial", "confirming trials");
    format!("{rate:.1}/s is the highest rate that meets {}, with {trials}", search.objective)
}

/// Under the figures of a search.
pub(super) fn figures_of_last_trial() -> &'static str {
    "The figures, and the latencies by percentile and over time, are those of the last trial."
}

pub(super) fn probes_accepted(accepted: u64, sent: u64) -> String {
    let were = if accepted == 1 { "was" } else { "were" };
    format!("{accepted} of {sent} probes, which must be rejected, {were} accepted.")
}

pub(super) fn too_many_errors(total: &Measured, most: f64) -> String {
    let errors = total.refused + total.failed;
    let ended = total.acknowledged + errors;
    let were = if errors == 1 { "was" } else { "were" };
    format!(
        "{errors} of {} {were} not accepted ({}; allowed {}%).",
        counted(ended, "valid delivery", "valid deliveries"),
        share(total.error_share, errors),
        most * 100.0
    )
}

/// The faults of a sender, if any.
pub(super) fn ledger_faults(ledger: &LedgerEntry) -> Option<String> {
    let counts = [(ledger.wrong, "wrong"), (ledger.duplicated, "duplicated"), (ledger.lost_so_far(), "lost")];
    let found = counts.into_iter().filter(|(count, _)| *count > 0);
    let found: Vec<String> = found.map(|(count, what)| format!("{count} {what}")).collect();
    (!found.is_empty()).then(|| {
        format!("Of {} received: {}.", counted(ledger.received, "delivery", "deliveries"), list_and(&found))
    })
}

pub(super) fn not_met(check: &BoundCheck) -> String {
    format!("The bound {} is not met: {} measured.", check.bound, check.shown())
}

pub(super) fn no_rate(objective: &str) -> String {
    format!("No rate that was tried meets {objective}.")
}

pub(super) fn nothing_accepted() -> &'static str {
    "No valid delivery was accepted, so nothing was measured."
}

pub(super) fn unstable() -> &'static str {
    "The search is unstable: rates that met the objective missed it when they were repeated."
}

pub(super) fn probes_unanswered() -> &'static str {
    "No probe was answered, so none was rejected."
}

pub(super) fn compared(old: &str, why: &str) -> String {
    format!("Compared with {old}: {}.", why.trim_end_matches('.'))
}

pub(super) fn no_reason() -> &'static str {
    "The load did not complete."
}

pub(super) fn errors(total: &Measured) -> String {
    let errors = total.refused + total.failed;
    of(errors, total.acknowledged + errors)
}

pub(super) fn of(count: u64, all: u64) -> String {
    format!("{count} of {all}")
}

pub(super) fn corrected() -> &'static str {
    "from the planned time (corrected for coordinated omission)"
}

pub(super) fn payloads(dialect: &str) -> String {
    format!("{dialect} payloads")
}

pub(super) fn version(tool: &Tool) -> String {
    format!("{} {}", tool.name, tool.version)
}

pub(super) fn command() -> &'static str {
    "the command"
}

pub(super) fn set_secret() -> &'static str {
    "Set `TWENTY_WEBHOOK_SECRET` to the secret first."
}

// What went wrong.

pub(super) fn compared_with(old: &str) -> String {
    format!("Compared with {old}")
}

pub(super) fn comparison() -> &'static str {
    "Comparison"
}

/// A figure of a load that was repeated.
pub(super) fn again(figure: &str) -> String {
    format!("{figure} again")
}

pub(super) fn probes() -> &'static str {
    "Probes, which must be rejected"
}

pub(super) fn unexpected(role: BenchRole) -> &'static str {
    match role {
        BenchRole::Receiver => "Valid deliveries that were not accepted",
        BenchRole::Sender => "Unexpected deliveries",
    }
}

pub(super) fn sent() -> &'static str {
    "Sent"
}

pub(super) fn answered() -> &'static str {
    "Answered"
}

// Charts.

/// Where the value of a place is shown.
pub(super) fn hint() -> &'static str {
    "Hover, tap, or use the arrow keys to read values."
}

pub(super) fn values() -> &'static str {
    "Values as a table"
}

pub(super) fn logarithmic_ms() -> &'static str {
    "ms, logarithmic"
}

pub(super) fn per_second() -> &'static str {
    "deliveries per second"
}

pub(super) fn mark(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Met => "met the objective",
        MarkKind::Missed => "missed it",
        MarkKind::Stopped => "stopped early",
    }
}

pub(super) fn confirmation() -> &'static str {
    "confirming trial"
}

pub(super) fn result_of_trial(kind: MarkKind, is_confirmation: bool) -> String {
    format!("{}{}", kind.name(), if is_confirmation { " (confirmation)" } else { "" })
}

pub(super) fn found(rate: f64) -> String {
    format!("found: {rate:.1}/s")
}

/// The vertical axis of a search.
pub(super) fn of_trials(measure: &str) -> String {
    format!("{measure} of each trial in ms, logarithmic")
}

pub(super) fn search_chart() -> &'static str {
    "Chart: the rate of each trial against its latency in milliseconds"
}

pub(super) fn at_each_rate() -> &'static str {
    "Figures at each rate"
}

pub(super) fn percentiles() -> &'static str {
    "Latency by percentile"
}

pub(super) fn percentiles_caption(is_corrected: bool) -> String {
    let corrected =
        if is_corrected { format!(" {}.", sentence_start(latency_corrected())) } else { String::new() };
    format!("At 99, for example: 99% of deliveries took at most this many milliseconds.{corrected}")
}

pub(super) fn percentiles_chart() -> &'static str {
    "Line chart: latency in milliseconds by percentile"
}

pub(super) fn over_time() -> &'static str {
    "Over time"
}

pub(super) fn rate_over_time() -> &'static str {
    "Deliveries per second"
}

pub(super) fn latency_over_time() -> &'static str {
    "Latency"
}

/// If a place stands for several parts of the series.
pub(super) fn joined_parts(seconds: f64) -> String {
    format!("Each value stands for {seconds} s. Rates are means, and latencies the highest of that time.")
}

pub(super) fn from_to(from: f64, to: f64) -> String {
    format!("{from} to {to} s")
}

/// The values of a place of a chart.
pub(super) fn at_place(place: &str, values: &[String]) -> String {
    format!("{place}: {}", values.join(", "))
}

pub(super) fn at_rate(rate: f64, trials: &[String]) -> String {
    format!("{rate:.1}/s: {}", trials.join("; "))
}

pub(super) fn no_latencies() -> &'static str {
    "No delivery was accepted, so there are no latencies."
}

pub(super) fn rate_chart() -> &'static str {
    "Line chart: deliveries per second over time"
}

pub(super) fn latency_chart() -> &'static str {
    "Line chart: p50, p90 and p99 latency in milliseconds over time"
}

// Lists and sentences.

/// The parts that are not empty.
pub(super) fn list(parts: &[String]) -> String {
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    parts.join(", ")
}

fn list_and(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn share(share: f64, errors: u64) -> String {
    let percent = share * 100.0;
    // Without digits that only come from rounding.
    let rounded = (percent * 1e3).round() / 1e3;
    if errors > 0 && percent < 0.001 { "less than 0.001%".to_owned() } else { format!("{rounded}%") }
}

pub(super) fn sentence(text: &str) -> String {
    format!("{}.", sentence_start(text).trim_end_matches('.'))
}

fn sentence_start(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_sentences() {
        assert_eq!(probes_accepted(1, 9), "1 of 9 probes, which must be rejected, was accepted.");
        let total =
            Measured { acknowledged: 2_000_000, refused: 1, error_share: 5e-7, ..Measured::default() };
        assert_eq!(
            too_many_errors(&total, 0.0),
            "1 of 2000001 valid deliveries was not accepted (less than 0.001%; allowed 0%)."
        );
        assert_eq!(sentence("the load ended early"), "The load ended early.");
        assert_eq!(list_and(&["a", "b", "c"].map(str::to_owned)), "a, b and c");
        assert_eq!(list(&["a".to_owned(), String::new()]), "a");
    }
}
