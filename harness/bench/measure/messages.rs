//! What a load on a receiver says, from its options to the notes of its report.

use std::fmt::Display;

use crate::plural::counted;

// Options.

/// Examples of bounds, for each error about one.
const BOUNDS: &str = "give bounds such as p99<50ms, max<1s, mean<5ms or errors<0.1%";

pub(super) fn not_a_bound(text: &str) -> String {
    format!("{text:?} is not a bound; {BOUNDS}")
}

pub(super) fn not_a_percentile(text: &str) -> String {
    format!("{text:?} is not a percentile; {BOUNDS}")
}

pub(super) fn percentile_out_of_range(text: &str) -> String {
    format!("{text:?} is not between p0 and p100; use max for the slowest delivery")
}

pub(super) fn not_a_measure(text: &str) -> String {
    format!("{text:?} is not measured; {BOUNDS}")
}

pub(super) fn no_errors_bound() -> &'static str {
    "errors<0% can never be met; leave it out to allow no errors"
}

pub(super) fn not_a_share(text: &str) -> String {
    format!("{text:?} is not a share; give one such as 1% or 0.01")
}

pub(super) fn not_a_latency(text: &str) -> String {
    format!("{text:?} is not a latency; give one such as 50ms, 800us or 1s")
}

pub(super) fn latency_out_of_range(text: &str) -> String {
    format!("{text:?} is not between 1us and an hour")
}

pub(super) fn not_a_metric(text: &str) -> String {
    format!("{text:?} is not a metric; choose from rate, p50, p90, p99 and errors")
}

/// `seconds` is how long the load must last.
pub(super) fn too_few_deliveries(
    bound: &impl Display,
    rate: f64,
    planned: f64,
    needed: f64,
    seconds: f64,
) -> String {
    format!(
        "--threshold {bound} needs at least {needed} deliveries, and this load has {planned} at {rate} per second; give \
         --duration {}s",
        seconds.ceil()
    )
}

// Notes on bounds.

/// `stalled_ms` is the time without any acknowledgement, in whole intervals of the series.
pub(super) fn stalls_not_counted(bound: &str, stalled_ms: u64) -> String {
    let seen = match stalled_ms {
        0 => String::new(),
        _ => format!(", as it did for at least {:.1} s", stalled_ms as f64 / 1e3),
    };
    format!(
        "stalls are not counted in {bound}: without --rate nothing is sent while the receiver stalls{seen}; measure with --rate"
    )
}

// Reports that are read back.

pub(super) fn not_a_report(why: &serde_json::Error) -> String {
    format!("it is not a report of a benchmark: {why}")
}

pub(super) fn other_format(format: &str, supported: &str) -> String {
    format!("it has the format {format:?}; this version reads {supported:?}")
}

pub(super) fn broken_report(why: &serde_json::Error) -> String {
    format!("it is a broken report of a benchmark: {why}")
}

// Errors of a load.

pub(super) fn needs_tls(url: &str) -> String {
    format!(
        "{url} needs TLS, which a load does not support; give the http address that your TLS proxy forwards to"
    )
}

pub(super) fn too_much_memory(connections: usize, longest: usize, most_mib: usize) -> String {
    format!(
        "{connections} connections with bodies of up to {longest} bytes need more than {most_mib} MiB of memory; \
         lower --concurrency, or remove the longest bodies from the corpus"
    )
}

pub(super) fn thread_not_started(why: &std::io::Error) -> String {
    format!("cannot start a thread of the load: {why}")
}

pub(super) fn thread_panicked() -> &'static str {
    "a thread of the load panicked"
}

pub(super) fn no_trial() -> &'static str {
    "the search ended without a trial"
}

// The reasons why a trial of a search does not meet its objective.

pub(super) fn measured_errors(percent: f64) -> String {
    format!("{percent:.3}% errors")
}

pub(super) fn measured_latency(measure: &impl Display, ms: f64) -> String {
    format!("{measure} {ms:.3} ms")
}

pub(super) fn trial_ended_early() -> &'static str {
    "the load ended early"
}

pub(super) fn trial_generator_late() -> &'static str {
    "the load generator did not keep up"
}

pub(super) fn trial_rate_missed(achieved: f64) -> String {
    format!("only {achieved:.1}/s were sent in time")
}

// Findings.

/// `what` is a status or a kind of failure.
pub(in crate::bench) fn unexpected_answer(what: impl Display) -> String {
    format!("answered {what} to a valid delivery")
}

// Notes.

pub(in crate::bench) fn interrupted() -> &'static str {
    "the load was interrupted; the figures cover the time until then"
}

/// The clock of this machine, by that many milliseconds.
pub(super) fn clock_was_set(step_ms: i64) -> String {
    let way = if step_ms < 0 { "back" } else { "forward" };
    format!(
        "the clock of this machine was set {way} by {:.0} s during the load, so the receiver may rightly have rejected deliveries as \
         stale or from the future; measure again",
        step_ms.unsigned_abs() as f64 / 1e3
    )
}

pub(super) fn receiver_gone(seconds: f64) -> String {
    format!("the load ended early, after {seconds:.1} s: the receiver's address refused connections")
}

pub(super) fn reopened(count: u64) -> String {
    format!("{} closed and reopened", counted(count, "connection was", "connections were"))
}

pub(super) fn rate_missed(rate: f64, achieved: f64) -> String {
    format!(
        "only {achieved:.1} of {rate} deliveries per second were sent in time: no connection was free for the others"
    )
}

pub(super) fn generator_late(rate: f64, mean_ms: f64, most_ms: f64) -> String {
    format!(
        "the load generator did not keep up with {rate} deliveries per second: with a connection free, it sent them \
         {mean_ms:.1} ms late on average and {most_ms:.1} ms at most; latencies include this"
    )
}

pub(super) fn probes_unanswered(unanswered: u64, sent: u64) -> String {
    format!("{unanswered} of {sent} probes got no answer, which does not count as a rejection")
}

/// Of a receiver that answered every valid delivery with this status.
pub(super) fn rejects_everything(status: usize) -> String {
    format!(
        "the receiver answered {status} to every valid delivery: it has another secret, or does not verify the bytes that it \
         receives. `twenty-conform receiver` with the same options tells which"
    )
}

pub(super) fn nothing_measured() -> &'static str {
    "no valid delivery ended in the measured time"
}

pub(super) fn not_optimised() -> &'static str {
    "twenty-conform was built without optimisations, so the figures mostly measure twenty-conform itself"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_connections() {
        assert_eq!(reopened(1), "1 connection was closed and reopened");
        assert_eq!(reopened(2), "2 connections were closed and reopened");
    }

    #[test]
    fn shows_examples_of_bounds() {
        assert!(not_a_bound("p99").ends_with("p99<50ms, max<1s, mean<5ms or errors<0.1%"));
    }
}
