//! What comparisons say, in reading order: baselines, two reports, two receivers.

use crate::bench::compare::pair::{PairFigure, Says};
use crate::plural::counted;
use crate::statistics::Interval;

// Baselines: names and files.

pub(super) fn not_a_name(name: &str, longest: usize) -> String {
    format!(
        "{name:?} is not a baseline name; use up to {longest} letters, digits, dots, hyphens and underscores, starting with a \
         letter or digit and not ending with a dot"
    )
}

pub(super) fn report_unreadable(path: &str, why: &str) -> String {
    format!("cannot read the report {path}: {why}")
}

pub(super) fn report_unusable(path: &str, why: &str) -> String {
    format!("cannot use the report {path}: {why}")
}

pub(super) fn baseline_unusable(name: &str, why: &str) -> String {
    format!("cannot use baseline {name:?}: {why}")
}

/// Follows the reason why a baseline that does not exist cannot be used.
pub(super) fn create_baseline(name: &str) -> String {
    format!("; create it with --save {name}")
}

/// A baseline has the name that a report is to be saved under.
pub(super) fn baseline_exists(name: &str, path: &str) -> String {
    format!(
        "baseline {name:?} exists already ({path}); choose another name with --save, or replace it with --force"
    )
}

// A folder of reports.

pub(super) fn folder_unreadable(folder: &str, why: &str) -> String {
    format!("cannot read the reports in {folder}: {why}")
}

pub(super) fn too_many_files(most: usize) -> String {
    format!("it has more than {most} JSON files")
}

pub(super) fn no_reports(folder: &str) -> String {
    format!(
        "{folder} has no report of a load that ran to its end; write one for each run with --report json={folder}/NAME.json"
    )
}

pub(super) fn run_left_out(file: &str, result: &str) -> String {
    format!("{file} is left out: its result is {result}")
}

pub(super) fn other_files(count: usize, first: &str) -> String {
    format!("{} not the report of a load, such as {first}", counted(count, "JSON file is", "JSON files are"))
}

pub(super) fn too_few_runs(least: usize) -> String {
    format!("no changes can be found in fewer than {least} runs of one load")
}

// The changes in saved runs.

pub(in crate::bench) fn trend_of(folder: &str) -> String {
    format!("bench trend {folder}")
}

/// The last line, which scripts can search for.
pub(in crate::bench) fn trend_result(result: &str, changes: usize, runs: usize, series: usize) -> String {
    format!("RESULT: {result} changes {changes} runs {runs} series {series}")
}

/// `began` is when the first and the last run started.
pub(in crate::bench) fn series(
    role: &str,
    of: &str,
    connections: usize,
    runs: usize,
    began: [&str; 2],
) -> String {
    let [first, last] = began;
    let connections = counted(connections, "connection", "connections");
    format!("{role} · {of} · {connections} · {} · {first} to {last}", counted(runs, "run", "runs"))
}

pub(in crate::bench) fn range_of_runs(least: f64, most: f64, unit: &str) -> String {
    format!("{least:.3}{unit} to {most:.3}{unit}")
}

/// `run` is its start and its file.
pub(in crate::bench) fn change((before, after): (f64, f64), unit: &str, run: (&str, &str), p: f64) -> String {
    let share =
        if before > 0.0 { format!(" ({:+.1} %)", (after / before - 1.0) * 100.0) } else { String::new() };
    format!("{before:.3}{unit} to {after:.3}{unit}{share} since {} ({}), p {p:.1e}", run.0, run.1)
}

// The load against a baseline, and its repetition.

/// What a comparison calls the load that was just measured.
pub(super) const THIS_RUN: &str = "this run";

/// What a comparison calls the same load, measured again to confirm a regression.
pub(super) const REPEATED_RUN: &str = "repeated run";

pub(super) fn repeat_failed(why: &str) -> String {
    format!("could not repeat the load: {why}")
}

pub(super) fn note_of_repeat(note: &str) -> String {
    format!("{REPEATED_RUN}: {note}")
}

pub(super) fn result_of_repeat(result: &str) -> String {
    format!("{REPEATED_RUN} ended with result {result}")
}

pub(super) fn not_compared(name: &str, why: &str) -> String {
    format!("not compared with baseline {name:?}: {why}")
}

pub(super) fn load_without_figures() -> &'static str {
    "the load failed or did not finish"
}

// Why two reports cannot be compared. Each reason can follow `cannot use …:`.

pub(super) fn load_failed() -> &'static str {
    "its load failed"
}

pub(super) fn load_interrupted() -> &'static str {
    "its load was interrupted"
}

pub(super) fn load_unfinished() -> &'static str {
    "its load did not finish"
}

pub(super) fn different(what: &str, old: &str, new: &str) -> String {
    format!("different {what} ({old}, now {new})")
}

pub(super) fn search_has_no_figures() -> String {
    "--find-max reports the figures of its last trial only; measure at saturation or with --rate".to_owned()
}

pub(super) fn bodies(count: usize, bytes: u64) -> String {
    format!("{count} with {bytes} bytes in total")
}

/// The events of a sender's load; no number of events means that only time limits them.
pub(super) fn events(webhooks: usize, events: Option<u64>) -> String {
    let events = events.map_or("unlimited events".to_owned(), |count| counted(count, "event", "events"));
    format!("{events} to {}", counted(webhooks, "webhook", "webhooks"))
}

// What a comparison of reports concludes.

pub(super) fn new_load_failed(name: &str) -> String {
    format!("the load of {name} failed")
}

pub(super) fn confirmed(metrics: &str) -> String {
    format!("worse in both new measurements: {metrics}")
}

pub(super) fn suspected(metrics: &str) -> String {
    format!(
        "worse in the new report: {metrics}; to confirm it, measure again and pass both reports, or use `bench pair`"
    )
}

pub(super) fn contradicted(metrics: &str) -> String {
    format!("worse in one new measurement but not in the other: {metrics}")
}

pub(super) fn too_short(metrics: &str, seconds: usize) -> String {
    format!("cannot judge {metrics}: the load was too short; measure for at least {seconds} s")
}

pub(super) fn within_noise(metrics: &str) -> String {
    format!(
        "cannot judge {metrics}: the difference is within the noise; measure longer, or on a less busy machine"
    )
}

pub(super) fn no_regression() -> String {
    "no figure is worse than its threshold allows".to_owned()
}

pub(super) fn threshold_out_of_range(text: &str) -> String {
    format!("{text:?} is not between 0% and 100%; give a share such as 5%")
}

// What a pair of receivers concludes from its figures.

pub(super) fn pair_decided(figure: &PairFigure) -> String {
    let limit = percent(figure.threshold);
    let ratio = figure.deciding().as_ref().map(within).unwrap_or_default();
    let name = figure.figure.describe();
    let is = if figure.says() == Says::Slower { "is" } else { "is not" };
    format!("the candidate {is} more than {limit} worse: the ratio of the {name} is {ratio}")
}

pub(super) fn too_few_starts(starts: usize, fewest: usize) -> String {
    format!(
        "a result needs at least {fewest} starts, and the time allowed {starts}; give a longer --max-time, or fewer --rounds"
    )
}

pub(super) fn pair_undecided(figures: &[PairFigure]) -> String {
    let said = figures.iter().filter(|one| one.decides).map(|one| {
        let (name, limit) = (one.figure.describe(), percent(one.threshold));
        let within = |interval: Option<Interval>| interval.as_ref().map(within).unwrap_or_default();
        match one.says() {
            Says::Unsteady => format!(
                "two processes of the base differ too much in the {name}: their ratio is {}",
                within(one.control)
            ),
            Says::NotSlower => format!("the {name} is not worse: its ratio is {}", within(one.ratio)),
            _ => {
                format!("the ratio of the {name} is {}, too wide to decide about {limit}", within(one.ratio))
            }
        }
    });
    let said: Vec<String> = said.collect();
    format!(
        "{}; give a longer --max-time or a higher --threshold, or use a less busy machine",
        said.join("; ")
    )
}

/// An interval of ratios.
pub(in crate::bench) fn within(ratio: &Interval) -> String {
    format!("{:.3} to {:.3}", ratio.low, ratio.high)
}

/// A share as a percentage, to two digits.
pub(in crate::bench) fn percent(share: f64) -> String {
    format!("{}%", (share * 1e4).round() / 1e2)
}

// What ends a pair early. These sentences begin with a receiver's name.

pub(super) const BASE: &str = "the base";
pub(super) const SECOND_BASE: &str = "the base's second process";
pub(super) const CANDIDATE: &str = "the candidate";

/// Why a receiver did not start, or how it ended.
pub(super) fn about(receiver: &str, what: &str) -> String {
    format!("{receiver}: {what}")
}

pub(super) fn did(receiver: &str, what: &str) -> String {
    format!("{receiver} {what}")
}

pub(super) fn stopped_listening() -> String {
    "stopped listening".to_owned()
}

pub(super) fn stopped_listening_because(why: &str) -> String {
    format!("stopped listening: {why}")
}

pub(super) fn accepted_probes(probes: &[String]) -> String {
    format!(
        "accepted deliveries that must be rejected: {}; run `bench receiver` to see the exchanges",
        probes.join(", ")
    )
}

/// `unexpected` are the kinds of other outcomes, with their counts.
pub(super) fn accepted_too_few(accepted: u64, of: u64, unexpected: &[(u64, &str)]) -> String {
    let kinds: Vec<String> = unexpected.iter().map(|(count, text)| format!("{count} × {text}")).collect();
    let kinds = if kinds.is_empty() { "no answer".to_owned() } else { kinds.join(", ") };
    format!("accepted {accepted} of {of} valid deliveries: {kinds}")
}

pub(super) fn nothing_finished(receiver: &str, ms: u128) -> String {
    format!("no delivery to {receiver} finished within {ms} ms; give a longer --duration")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_adapt_to_their_arguments() {
        let ratio = Interval { low: 0.9, estimate: 0.91, high: 0.9249 };
        let unexpected = [(2, "answered 401"), (1, "the connection was reset")];
        for (said, expected) in [
            (events(1, Some(20)), "20 events to 1 webhook"),
            (events(2, Some(1)), "1 event to 2 webhooks"),
            (events(2, None), "unlimited events to 2 webhooks"),
            (
                accepted_too_few(0, 3, &unexpected),
                "accepted 0 of 3 valid deliveries: 2 × answered 401, 1 × the connection was reset",
            ),
            (accepted_too_few(0, 3, &[]), "accepted 0 of 3 valid deliveries: no answer"),
            (within(&ratio), "0.900 to 0.925"),
            (percent(0.125), "12.5%"),
            (percent(0.05), "5%"),
        ] {
            assert_eq!(said, expected);
        }
    }
}
