//! The words of reports for people, in the order of a report: of a load, a comparison, a pair, and the accounts.

use crate::bench::accounts::entry::LedgerEntry;
use crate::bench::accounts::messages::with_detail;
use crate::bench::compare::messages::{percent, within};
use crate::bench::generate::probe;
use crate::bench::measure::figures::{Measured, ProbeEntry};
use crate::bench::measure::machine::Machine;
use crate::bench::measure::report::{BenchReport, Limit, LoadFacts, LoadMode};
use crate::bench::measure::result::BenchResult;
use crate::plural::counted;
use crate::statistics::Interval;

// The head.

pub(super) fn cores(machine: &Machine) -> String {
    counted(machine.cores, "core", "cores")
}

/// `2 cores, linux x86_64`.
pub(super) fn machine(machine: &Machine) -> String {
    format!("{}, {} {}", cores(machine), machine.os, machine.arch)
}

pub(super) fn head(subject: &str, load: &LoadFacts, dialect: &str, seed: &str) -> String {
    let of_load = loop_of(load.mode, &load.rates);
    format!("bench {subject} · {of_load} · {dialect} payloads · seed {seed}")
}

/// Which loop was measured, and at which rates.
pub(super) fn loop_of(mode: LoadMode, rates: &[f64]) -> String {
    let rates: Vec<String> = rates.iter().map(|rate| format!("{rate}/s")).collect();
    match mode {
        LoadMode::Saturation => "closed loop (saturation)".to_owned(),
        LoadMode::Rate => format!("open loop at {}", rates.join(", ")),
        LoadMode::RateSteps => format!("open loop in steps of {}", rates.join(", ")),
        LoadMode::FindMax => "open loop, search for the highest rate".to_owned(),
    }
}

pub(super) fn events_in_flight(count: usize) -> String {
    format!("{} in flight", counted(count, "event", "events"))
}

pub(super) fn requests_in_flight(count: usize) -> String {
    format!("up to {} in flight", counted(count, "request", "requests"))
}

pub(super) fn measured_time(seconds: f64, warm_up: f64) -> String {
    if warm_up > 0.0 {
        format!("{seconds} s after {warm_up} s of warm-up")
    } else {
        format!("{seconds} s without warm-up")
    }
}

pub(super) fn measured_loads(seconds: f64, warm_up: f64) -> String {
    format!("loads of {}", measured_time(seconds, warm_up))
}

/// Of an open loop.
pub(super) fn latency_corrected() -> &'static str {
    "latency counts from the planned time (corrected for coordinated omission)"
}

pub(super) fn bodies(count: usize, bytes: u64) -> String {
    format!("{}, {bytes} bytes", counted(count, "body", "bodies"))
}

// The search for the highest rate.

pub(super) fn search_title(objective: &str) -> String {
    format!("highest rate that meets {objective}")
}

pub(super) fn search_heading(objective: &str, found: Option<f64>) -> String {
    let found = found.map_or_else(|| no_rate().to_owned(), found_rate);
    format!("Highest rate that meets {objective}: {found}")
}

pub(super) fn found_rate(rate: f64) -> String {
    format!("{rate:.1} deliveries per second")
}

/// The line before the trials.
pub(super) fn saturation(rate: f64) -> String {
    format!("closed loop (saturation): {rate:.1}/s")
}

/// The line after the trials. `missed` is the lowest rate that missed the objective, with what bounded it.
pub(super) fn highest(rate: f64, missed: Option<(f64, Limit)>) -> String {
    let missed = missed.map(|(rate, limit)| format!("; {rate:.1}/s misses it, {}", bounded_by(limit)));
    format!("highest: {}{}", found_rate(rate), missed.unwrap_or_default())
}

pub(super) fn bounded_by(limit: Limit) -> String {
    let what = match limit {
        Limit::Generator => "the load generator itself; use more --threads, or another machine",
        Limit::RateLimit => "a rate limit (429)",
        Limit::Errors => "errors",
        Limit::Latency => "latency",
        Limit::Connections => "the connections, which all wait for answers; give a higher --concurrency",
    };
    format!("bounded by {what}")
}

/// Instead of a rate.
pub(super) fn unstable() -> &'static str {
    "unstable: rates that met the objective missed it when they were repeated. Stop other programs, or give a longer --trial-duration"
}

pub(super) fn no_rate() -> &'static str {
    "none of the rates tried"
}

pub(super) fn no_confirmed_rate() -> &'static str {
    "no rate confirmed"
}

pub(super) fn met_once(rate: f64) -> String {
    format!("{rate:.1}/s met it once")
}

// Rates, latencies and counts.

pub(super) fn no_latency() -> &'static str {
    "none, because no delivery was accepted"
}

pub(super) fn accepted_per_second(rate: f64) -> String {
    format!("{rate:.1} deliveries accepted per second")
}

pub(super) fn events_per_second(events: f64) -> String {
    format!("{events:.1} events per second")
}

pub(super) fn deliveries_per_second(deliveries: f64, webhooks: usize) -> String {
    format!("{deliveries:.1} deliveries per second to {}", counted(webhooks, "webhook", "webhooks"))
}

pub(super) fn deliveries(sent: u64, is_expected: bool, accepted: u64, rejected: u64, failed: u64) -> String {
    let word = if is_expected { "expected" } else { "sent" };
    format!("{sent} {word}, {accepted} accepted, {rejected} rejected, {failed} failed")
}

pub(super) fn no_answers() -> &'static str {
    "no answers"
}

pub(super) fn each(seconds: f64) -> String {
    if seconds == 1.0 { "each second".to_owned() } else { format!("each {seconds} s") }
}

// Probes and unexpected exchanges.

pub(super) fn probes_title() -> &'static str {
    "probes, which must be rejected"
}

pub(super) fn probes(sent: u64, accepted: u64) -> String {
    format!("{sent} sent, {accepted} accepted")
}

/// After the word "accepted".
pub(super) fn accepted_probes(kind: &ProbeEntry) -> String {
    let what = probe::named(&kind.name).map(|probe| format!(" {}", probe.what)).unwrap_or_default();
    let ProbeEntry { name, requirement, level, sent, let_through, .. } = kind;
    format!("{let_through} of {sent}{what} ({requirement} {level}, {name})")
}

pub(super) fn received(ledger: &LedgerEntry) -> String {
    let LedgerEntry { received, wrong, duplicated, out_of_order, .. } = ledger;
    let lost = ledger.lost_so_far();
    format!(
        "{received} including the warm-up; {wrong} wrong, {duplicated} duplicated, {lost} lost, {out_of_order} out of order"
    )
}

/// `at_ms` is 0 if the time is not known.
pub(super) fn first_example(at_ms: f64) -> String {
    if at_ms == 0.0 {
        "first example".to_owned()
    } else {
        format!("first example, {at_ms:.0} ms after the start")
    }
}

pub(super) fn nothing_sent() -> &'static str {
    "(nothing sent)"
}

pub(super) fn no_answer() -> &'static str {
    "(no answer)"
}

// The result line, which scripts can search for.

pub(super) fn result(
    result: &str,
    total: &Measured,
    p50: &str,
    p99: &str,
    counts: &str,
    seed: &str,
) -> String {
    let errors = total.refused + total.failed;
    let ended = total.acknowledged + errors;
    let rate = total.rate;
    format!(
        "RESULT: {result} rate {rate:.1}/s p50 {p50} p99 {p99} errors {errors}/{ended} {counts} seed {seed}"
    )
}

// Trends.

/// The `extra` text of a list of figures.
pub(super) fn trend_context(report: &BenchReport) -> String {
    let BenchReport { tool, machine, load, corpus, dialect, result, .. } = report;
    let connections = counted(load.concurrency, "connection", "connections");
    let threads = counted(load.threads, "thread", "threads");
    format!(
        "{} {} on {} {}, {}\n{connections}, {threads}, {}, {dialect} payloads\nresult {result}",
        tool.name,
        tool.version,
        machine.os,
        machine.arch,
        cores(machine),
        counted(corpus.bodies, "body", "bodies")
    )
}

// Comparisons and pairs.

pub(super) fn compared(new: &str, old: &str) -> String {
    format!("{new} compared with {old}")
}

/// Each verdict on a metric; `most` is the threshold.
pub(super) fn not_worse(most: &str) -> String {
    format!("not worse by more than {most}")
}

pub(super) fn worse(most: &str) -> String {
    format!("WORSE by more than {most}")
}

pub(super) fn within_noise(most: &str) -> String {
    format!("inconclusive: {most} is within the noise")
}

pub(super) fn noise_unknown() -> &'static str {
    "inconclusive: too short to measure the noise"
}

pub(super) fn ratio(ratio: &Interval) -> String {
    format!("ratio {:.3}, 99% confidence interval {}", ratio.estimate, within(ratio))
}

pub(super) fn ratio_of_control(ratio: &Interval) -> String {
    format!("A/A control {:.3}, {}", ratio.estimate, within(ratio))
}

pub(super) fn too_wide() -> &'static str {
    "too wide to decide"
}

/// The figure that decided, with its ratio, in the last line.
pub(super) fn pair_decided_by(figure: &str, ratio: &Interval) -> String {
    format!(" {figure} ratio {:.3} within {}", ratio.estimate, within(ratio))
}

/// The last line, which scripts can search for.
pub(super) fn pair_result(result: &str, decided: &str, threshold: &str, starts: usize, seed: u64) -> String {
    format!("RESULT: {result}{decided} threshold {threshold} starts {starts} seed {seed}")
}

pub(super) fn ratio_of_all(ratio: &Interval) -> String {
    format!("all loads together {:.3}, {}", ratio.estimate, within(ratio))
}

/// `share` is a regression, `power` the probability to find it.
pub(super) fn power(share: f64, power: f64) -> String {
    format!(
        "a regression of {} would have been found with a probability of {:.0} %",
        percent(share),
        (power * 100.0).floor()
    )
}

pub(super) fn measured_starts(starts: usize, rounds: usize, seconds: f64) -> String {
    format!(
        "{}, {} of six loads, {seconds:.1} s",
        counted(starts, "start of all three processes", "starts of all three processes"),
        counted(rounds, "round", "rounds")
    )
}

// The accounts of an endpoint.

pub(super) fn bytes_received(mib: f64, seconds: f64, per_second: f64) -> String {
    format!("{mib:.1} MiB in {seconds:.1} s: {per_second:.1} requests per second")
}

pub(super) fn verified(verified: u64, distinct: u64) -> String {
    format!("{verified}, {distinct} distinct")
}

pub(super) fn missing_so_far(gaps: u64) -> String {
    format!("{gaps} so far")
}

pub(super) fn without_id(count: u64) -> String {
    format!("{count} (may be duplicates)")
}

pub(super) fn untracked(count: u64) -> String {
    format!("{count} (exceeded the memory limit; may be duplicates)")
}

pub(super) fn first_duplicate(count: u64, first: &str) -> String {
    format!("× {count}; the first: {first}")
}

pub(super) fn missing(count: u64, run: &str, webhook: &str, first: Option<&str>) -> String {
    let first = first.unwrap_or("unknown");
    format!("× {count} in run {run} at {webhook}; the first record id: {first}")
}

pub(super) fn wrong(count: u64, status: u16, defect: &str) -> String {
    format!("× {count}, answered {status}: {defect}")
}

pub(super) fn first_wrong(at: &str, webhook: Option<&str>, detail: &str) -> String {
    let webhook = webhook.map(|path| format!(", at {path}")).unwrap_or_default();
    with_detail(&format!("first example, {at}{webhook}"), detail)
}

/// The last line, which scripts can search for.
pub(super) fn ledger_result(result: BenchResult, ledger: &LedgerEntry) -> String {
    let LedgerEntry { received, verified, wrong, duplicated, .. } = ledger;
    let lost = ledger.lost_so_far();
    format!(
        "RESULT: {result} received {received} verified {verified} wrong {wrong} duplicated {duplicated} lost {lost}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heading_names_open_or_closed_loop() {
        for (mode, rates, expected) in [
            (LoadMode::Saturation, [].as_slice(), "closed loop (saturation)"),
            (LoadMode::Rate, &[200.0], "open loop at 200/s"),
            (LoadMode::RateSteps, &[0.5, 1.0], "open loop in steps of 0.5/s, 1/s"),
            (LoadMode::FindMax, &[], "open loop, search for the highest rate"),
        ] {
            assert_eq!(loop_of(mode, rates), expected);
        }
    }

    #[test]
    fn describes_accepted_probes() {
        let mut kind = ProbeEntry {
            name: "other-key".to_owned(),
            requirement: "VER-3".to_owned(),
            level: "must".to_owned(),
            sent: 10,
            let_through: 1,
            exchange: None,
        };
        assert_eq!(
            accepted_probes(&kind),
            "1 of 10 deliveries signed with another secret (VER-3 must, other-key)"
        );
        kind.name = "unknown".to_owned();
        assert_eq!(accepted_probes(&kind), "1 of 10 (VER-3 must, unknown)");
    }

    #[test]
    fn omits_missing_parts() {
        assert_eq!(measured_time(10.0, 0.0), "10 s without warm-up");
        assert_eq!(measured_time(10.0, 1.5), "10 s after 1.5 s of warm-up");
        assert_eq!(first_example(0.0), "first example");
        assert_eq!(
            first_wrong("12:00", Some("/a"), "off by 7 ms"),
            "first example, 12:00, at /a: off by 7 ms"
        );
        assert_eq!(first_wrong("12:00", None, ""), "first example, 12:00");
        assert_eq!(
            (bodies(1, 9), counted(2, "thread", "threads")),
            ("1 body, 9 bytes".to_owned(), "2 threads".to_owned())
        );
    }
}
