//! What the tools say, in reading order: exports, a run of locust and its counts, results read back.

use crate::bench::tools::locust::WorkerState;
use crate::plural::counted;

// Exports.

pub(super) fn vector_missing(name: &str) -> String {
    format!("there is no signing vector {name}")
}

pub(super) fn vector_not_text(name: &str) -> String {
    format!("the body of the signing vector {name} is not UTF-8 text")
}

pub(super) fn body_not_text(why: &str) -> String {
    format!("a body is not UTF-8 text: {why}")
}

pub(super) fn locustfile_without_marks() -> String {
    "the locustfile has no marks around its embedded data".to_owned()
}

pub(super) fn wrong_number_of_deliveries(most: u32) -> String {
    format!("cannot pre-sign that many deliveries; choose 1 to {most} with --count")
}

pub(super) fn secret_in_body(number: usize) -> String {
    format!(
        "body {number} of the corpus contains the secret, which must not be in the files; remove it, or sign with another secret"
    )
}

pub(super) fn deliveries_too_large(count: u32, mib: u64) -> String {
    format!(
        "{count} deliveries with these bodies exceed {mib} MiB; give a smaller --count, or shorter bodies"
    )
}

/// The first line of the pre-signed deliveries. `presigned/deliveries.lua` parses it: the count, and the Unix time after `good until`.
pub(super) fn head_of_deliveries(
    mark: &str,
    count: usize,
    signed_at: &str,
    (until_unix, until): (u64, &str),
) -> String {
    format!("# {mark} wrk: {count} deliveries, signed at {signed_at}, good until {until_unix} ({until})\n")
}

pub(super) fn not_writable(path: &str, why: &str) -> String {
    format!("cannot write {path}: {why}")
}

pub(super) fn not_overwritten(path: &str, why: &str) -> String {
    format!("{path} exists and {why}; name another folder, or remove it first")
}

// Why an existing file is not overwritten.

pub(super) fn is_not_a_file() -> String {
    "is not a file".to_owned()
}

pub(super) fn is_unreadable(why: &str) -> String {
    format!("cannot be read: {why}")
}

pub(super) fn is_not_exported() -> String {
    "was not written by `bench export`".to_owned()
}

// Starting locust.

pub(super) fn python_not_started(python: &str, why: &str, version: &str) -> String {
    format!("cannot start {python:?} ({why}); {}", install_locust(version))
}

/// `how` is how the Python ended, if not with success.
pub(super) fn python_without_locust(python: &str, how: Option<&str>, version: &str) -> String {
    let how = how.map(|how| format!(" ({how})")).unwrap_or_default();
    format!("{python:?} has no locust{how}; {}", install_locust(version))
}

fn install_locust(version: &str) -> String {
    format!(
        "install it in a virtual environment (python3 -m venv .venv && .venv/bin/pip install locust=={version}) and add \
         --python .venv/bin/python"
    )
}

pub(super) fn no_answer() -> &'static str {
    "no answer"
}

pub(super) fn not_a_command(words: &[&str], why: &str) -> String {
    format!("cannot make a command of {words:?}: {why}")
}

// The run of locust.

/// `early` says how each worker ended that exited before the master.
pub(super) fn no_results(how: &str, early: &[String]) -> String {
    let early: String = early.iter().map(|how| format!("\n  {}", worker_exited_early(how))).collect();
    format!("locust wrote no results: {how}{early}")
}

pub(super) fn worker_exited_before_load() -> String {
    "a worker exited before the load started".to_owned()
}

pub(super) fn interrupted_before_results() -> String {
    "interrupted before the load ended".to_owned()
}

/// `stderr_end` are the last lines of stderr, if any.
pub(super) fn not_finished_in_time(stderr_end: &str) -> String {
    format!("it did not finish in time{stderr_end}")
}

pub(super) fn stopped_because_late(stderr_end: &str) -> String {
    format!("locust did not finish in time and was stopped{stderr_end}")
}

pub(super) fn status_differs(in_results: u8, end: &str) -> String {
    format!("the results have exit status {in_results}, but {end}")
}

pub(super) fn worker_exited_early(how: &str) -> String {
    format!("a worker exited early: {how}")
}

pub(super) fn other_locust(tested: &str, version: &str) -> String {
    format!("this locust is {version}; the locustfile is tested with locust {tested}")
}

// The receiver's ledger.

pub(super) fn ledger_agrees(verified: u64, accepted: u64) -> String {
    format!("the ledger agrees: it verified {verified} deliveries, and {accepted} were accepted")
}

pub(super) fn ledger_unreadable() -> String {
    "the ledger could not be read after the load".to_owned()
}

pub(super) fn no_ledger() -> String {
    "the receiver has no ledger (GET /ledger), so it is unknown what it verified".to_owned()
}

pub(super) fn unaccounted(sent: u64, ended: u64, in_flight: u64) -> String {
    format!("{sent} valid deliveries were sent, but {ended} finished and {in_flight} were in flight")
}

pub(super) fn workers_disagree(workers: (u64, u64), master: (u64, u64)) -> String {
    format!(
        "the workers count {} sent and {} accepted, but the master counts {} and {}",
        workers.0, workers.1, master.0, master.1
    )
}

pub(super) fn worker_incomplete(state: WorkerState) -> String {
    let so = match state {
        WorkerState::Lost | WorkerState::Silent | WorkerState::Overdue => "it is unknown what it sent",
        _ => "the load was not the planned one",
    };
    format!("a worker {}, so {so}", state.describe())
}

pub(super) fn ledger_restarted() -> String {
    "the ledger counts less after the load than before it: it was restarted".to_owned()
}

pub(super) fn ledger_disagrees(accepted: u64, unknown: u64, verified: u64) -> String {
    format!(
        "{accepted} valid deliveries were accepted and {unknown} have an unknown outcome, but the ledger verified {verified}"
    )
}

pub(super) fn ledger_has_duplicates(count: u64) -> String {
    format!("the ledger has {}", counted(count, "duplicate delivery", "duplicate deliveries"))
}

pub(super) fn ledger_has_gaps(missing: u64, unknown: u64) -> String {
    format!(
        "the ledger misses {}, but only {unknown} have an unknown outcome",
        counted(missing, "delivery", "deliveries")
    )
}

// Results read back: errors.

pub(super) fn file_unreadable(name: &str, why: &str) -> String {
    format!("cannot read {name}: {why}")
}

pub(super) fn file_too_large(name: &str, mib: u64) -> String {
    format!("{name} is too large; results of locust are smaller than {mib} MiB")
}

pub(super) fn not_results(name: &str, hint: &str) -> String {
    format!(
        "{name} has neither the results of the exported locustfile (--results) nor locust's statistics (--json, --json-file, \
         --csv): {hint}"
    )
}

pub(super) fn is_history() -> String {
    "it is the history that --csv writes; give the file that ends in _stats.csv".to_owned()
}

pub(super) fn is_empty() -> String {
    "it is empty, so the run did not finish".to_owned()
}

pub(super) fn begins_with(start: &str) -> String {
    format!("it begins with {start:?}")
}

pub(super) fn results_broken(name: &str, why: &str) -> String {
    format!("{name} is not a valid results file of the exported locustfile: {why}")
}

pub(super) fn other_format(name: &str, format: &str, known: &str) -> String {
    format!("{name}: member \"format\" is {format:?}; this version reads {known:?}")
}

pub(super) fn unknown_status(name: &str, status: u8) -> String {
    format!("{name}: member \"exit_status\" is {status}; it must be 0, 1 or 3")
}

pub(super) fn statistics_broken(name: &str, why: &str) -> String {
    format!("{name} is not a valid file of locust's statistics: {why}")
}

pub(super) fn not_a_time(name: &str, entry: usize, text: &str) -> String {
    format!("{name}: entry {entry}, member \"response_times\": {text:?} is not a time")
}

pub(super) fn column_missing(name: &str, column: &str) -> String {
    format!("{name}: line 1 has no column {column:?}")
}

pub(super) fn not_a_number(name: &str, line: usize, column: &str, text: &str) -> String {
    format!("{name}: line {line}, column {column:?}: {text:?} is not a number")
}

pub(super) fn no_requests(name: &str) -> String {
    format!("{name} has no requests")
}

// Results read back: notes.

pub(super) fn measured_by(locust: &str, python: &str, processes: usize) -> String {
    format!(
        "measured by locust {locust} on Python {python} in {}; record ids and probes do not depend on a seed",
        counted(processes, "process", "processes")
    )
}

pub(super) fn bytes_of_the_client() -> String {
    "bytes are those of bodies, and of headers as locust's client reports them".to_owned()
}

pub(super) fn in_flight_at_end(count: u64) -> String {
    format!("{} in flight at the end", counted(count, "valid delivery was", "valid deliveries were"))
}

pub(super) fn rounded_times() -> String {
    "response times include failed requests, and are rounded by locust to milliseconds and two digits"
        .to_owned()
}

pub(super) fn csv_may_be_incomplete() -> String {
    "locust writes this file during the run, so the last moments may be missing; the file of --json is complete"
        .to_owned()
}

pub(super) fn highest_quantiles() -> String {
    "each quantile is the highest among several request names".to_owned()
}

pub(super) fn less_than_results() -> String {
    "locust's own statistics lack statuses, bytes and the options of the load, and count rejected deliveries as failed; the \
     file of the locustfile's --results has them"
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_adapt_to_their_arguments() {
        let early = ["exit status 3".to_owned(), "killed".to_owned()];
        for (said, expected) in [
            (
                no_results("interrupted", &early),
                "locust wrote no results: interrupted\n  a worker exited early: exit status 3\n  a worker exited early: killed",
            ),
            (no_results("interrupted", &[]), "locust wrote no results: interrupted"),
            (ledger_has_duplicates(1), "the ledger has 1 duplicate delivery"),
            (ledger_has_duplicates(2), "the ledger has 2 duplicate deliveries"),
            (ledger_has_gaps(1, 0), "the ledger misses 1 delivery, but only 0 have an unknown outcome"),
            (in_flight_at_end(1), "1 valid delivery was in flight at the end"),
            (in_flight_at_end(3), "3 valid deliveries were in flight at the end"),
        ] {
            assert_eq!(said, expected);
        }
        let without = |how| python_without_locust("py", how, "1.0");
        assert!(without(None).starts_with("\"py\" has no locust; install it "));
        assert!(without(Some("no answer")).starts_with("\"py\" has no locust (no answer); install it "));
        assert!(without(None).contains("pip install locust==1.0"));
    }
}
