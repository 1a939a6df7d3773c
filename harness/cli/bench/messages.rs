//! Every sentence that `bench` itself says: notes, progress and errors, in the order of the commands.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use crate::plural::counted;

// What the commands share.

pub(super) const REFERENCE_RECEIVER: &str = "the reference receiver";
pub(super) const REFERENCE_SENDER: &str = "the reference sender";

pub(super) fn measuring_for(name: &str, length: Duration) -> String {
    format!("measuring {name} for {}", spoken(length))
}

pub(super) fn measuring_events(name: &str, events: u64) -> String {
    format!("measuring {name} for {}", counted(events, "event", "events"))
}

pub(super) fn not_a_rate(text: &str, highest: f64) -> String {
    format!("{text:?} is not a rate from 0.1 to {highest} deliveries per second")
}

pub(super) fn more_than_half(text: &str) -> String {
    format!("{text:?} is more than half; give at most 50%")
}

pub(super) fn unwritten_format(format: &str, formats: &str) -> String {
    format!("this command cannot write {format} reports; use {formats}")
}

// Baselines.

pub(super) fn saved(name: &str, file: &Path) -> String {
    format!("saved as {name:?} in {}", file.display())
}

pub(super) fn not_saved(name: &str, why: &str) -> String {
    format!("not saved as {name:?}: {why}")
}

pub(super) fn repeating() -> &'static str {
    "a figure looks worse than the baseline; repeating the load to confirm"
}

// `bench receiver`.

pub(super) fn too_many_rates(most: usize) -> String {
    format!("--rate-steps has too many rates; give at most {most}")
}

pub(super) fn no_receiver() -> &'static str {
    "no receiver is given (--url, --exec); measuring the reference receiver in this process"
}

pub(super) fn wrong_objective(text: &str, why: impl Display) -> String {
    format!("--find-max {text:?}: {why}")
}

/// A closed loop before a search.
pub(super) fn saturated(rate: f64) -> String {
    format!("closed loop: {rate:.1} deliveries accepted per second")
}

/// The trial of one rate; `missed` is why it misses the objective.
pub(super) fn tried(rate: f64, p99_ms: f64, missed: Option<&str>) -> String {
    let outcome = match missed {
        None => "meets the objective".to_owned(),
        Some(why) => format!("misses the objective: {why}"),
    };
    format!("{rate:.1}/s: p99 {p99_ms:.3} ms, {outcome}")
}

// `bench compare`.

pub(super) fn failed_load(name: &str) -> String {
    format!("cannot compare with {name}: its load failed")
}

pub(super) fn cannot_compare(name: &str, old: &str, why: impl Display) -> String {
    format!("cannot compare {name} with {old}: {why}")
}

pub(super) fn same_report_again(name: &str) -> String {
    format!("{name} is the same as the first new report; confirm with a new measurement")
}

// `bench pair`.

pub(super) fn measuring_pair(seconds: f64) -> String {
    format!("measuring for up to {seconds:.0} s; it ends as soon as a figure decides")
}

pub(super) fn too_few_deliveries(load: Duration, rate: f64, fewest: f64) -> String {
    format!(
        "a load of {} ms at {rate} deliveries per second has fewer than the {fewest} deliveries that a p99 needs; give \
         --duration {:.1}s or more",
        load.as_millis(),
        (fewest / rate * 10.0).ceil() / 10.0
    )
}

// `bench sender`.

pub(super) fn no_sender() -> &'static str {
    "no sender is given (--exec, --control); measuring the reference sender in this process"
}

pub(super) fn control_is_elsewhere(url: &str) -> String {
    format!(
        "--control {url} is on another machine, and the endpoint listens on 127.0.0.1 only; start the sender on this machine, \
         or send its load to `bench endpoint --host`"
    )
}

// `bench endpoint`.

pub(super) fn too_many_paths(most: usize) -> String {
    format!("--path is given too many times; give at most {most} paths")
}

pub(super) fn listening_on(url: &str, ledger: &str) -> String {
    format!("listening on {url} (ledger at {ledger})\n")
}

pub(super) fn wrong_body_limit(text: &str, most: usize) -> String {
    format!("{text:?} is not a number of bytes from 1 to {most}")
}

// `bench distributed`.

pub(super) fn too_few_connections(connections: usize, workers: usize) -> String {
    format!("{connections} connections are too few for {workers} workers; give more with --concurrency")
}

pub(super) fn measuring_with_locust(name: &str, version: &str, workers: usize) -> String {
    format!("measuring {name} with locust {version}, {}", counted(workers, "worker", "workers"))
}

// `bench export`.

pub(super) fn wrong_url(why: impl Display) -> String {
    format!("--url: {why}")
}

/// A length of time: `1.5 s`, `60 s`.
fn spoken(length: Duration) -> String {
    let seconds = length.as_secs_f64();
    if seconds < 9.95 { format!("{seconds:.1} s") } else { format!("{seconds:.0} s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_adapt_to_their_arguments() {
        for (said, expected) in [
            (measuring_for("x", Duration::from_millis(1500)), "measuring x for 1.5 s"),
            (measuring_for("x", Duration::from_secs(60)), "measuring x for 60 s"),
            (measuring_events("x", 1), "measuring x for 1 event"),
            (measuring_events("x", 20), "measuring x for 20 events"),
            (measuring_with_locust("x", "2.0", 1), "measuring x with locust 2.0, 1 worker"),
            (tried(100.0, 0.5, None), "100.0/s: p99 0.500 ms, meets the objective"),
            (tried(100.0, 60.0, Some("too slow")), "100.0/s: p99 60.000 ms, misses the objective: too slow"),
            (
                too_few_deliveries(Duration::from_millis(250), 100.0, 100.0),
                "a load of 250 ms at 100 deliveries per second has fewer than the 100 deliveries that a p99 needs; give \
                 --duration 1.0s or more",
            ),
        ] {
            assert_eq!(said, expected);
        }
    }
}
