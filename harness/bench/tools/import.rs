//! Turns results of locust into a benchmark report: those that the exported locustfile writes, and locust's own statistics.
//!
//! Figures that the results lack stay empty, and a note says so.

use std::collections::BTreeMap;
use std::path::Path;

use super::{messages, statistics};
use crate::bench::generate::failure::DeliveryFailure;
use crate::bench::measure::figures::{
    Latency, Lateness, Measured, Named, PhaseEntry, ProbeEntry, Probes, SeriesEntry, SeriesPoint,
    ShownExchange, StatusCount, Unexpected,
};
use crate::bench::measure::machine::{Machine, Tool};
use crate::bench::measure::messages::unexpected_answer;
use crate::bench::measure::report::{
    BenchReport, BenchRole, CorpusFacts, Figures, LoadFacts, LoadMode, Origin,
};
use crate::bench::measure::result::BenchResult;
use crate::bench::measure::summary::per_second;
use crate::bench::tools::locust::{FORMAT, LocustExchange, LocustPoint, LocustResults};
use crate::budget::LARGE_FILE;
use crate::input::{self, Unread};

/// Reads a file of results.
pub fn read(path: &Path) -> Result<BenchReport, String> {
    let name = path.display().to_string();
    let text = input::text(path, LARGE_FILE).map_err(|why| match why {
        Unread::TooLong { limit } => messages::file_too_large(&name, limit >> 20),
        why => messages::file_unreadable(&name, &why.to_string()),
    })?;
    import(&name, &text)
}

/// The report of results. Errors use `name` for the file.
pub fn import(name: &str, text: &str) -> Result<BenchReport, String> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with('{') {
        return Ok(results(&parse(name, text)?));
    }
    if text.starts_with('[') {
        return statistics::json(name, text);
    }
    if text.starts_with("Type,Name,") {
        return statistics::csv(name, text);
    }
    let hint = if text.starts_with("Timestamp,User Count,") {
        messages::is_history()
    } else if text.is_empty() {
        messages::is_empty()
    } else {
        messages::begins_with(&text.chars().take(40).collect::<String>())
    };
    Err(messages::not_results(name, &hint))
}

/// Reads the results of the exported locustfile.
///
/// Errors: broken results, or another version of the format.
pub fn parse(name: &str, text: &str) -> Result<LocustResults, String> {
    #[derive(serde::Deserialize)]
    struct FormatOnly {
        format: String,
    }
    let broken = |why: serde_json::Error| messages::results_broken(name, &why.to_string());
    let form: FormatOnly = serde_json::from_str(text).map_err(broken)?;
    if form.format != FORMAT {
        return Err(messages::other_format(name, &form.format, FORMAT));
    }
    let results: LocustResults = serde_json::from_str(text).map_err(broken)?;
    if ![0, 1, 3].contains(&results.exit_status) {
        return Err(messages::unknown_status(name, results.exit_status));
    }
    Ok(results)
}

/// The report of the exported locustfile's results.
pub fn results(results: &LocustResults) -> BenchReport {
    let result = match results.exit_status {
        0 => BenchResult::Pass,
        3 => BenchResult::Incomplete,
        _ => BenchResult::Fail,
    };
    let total = measured(results);
    let probes_measured: u64 = results.measured.probes.values().map(|[sent, ..]| sent).sum();
    let achieved = per_second((results.measured.sent + probes_measured) as f64, results.stretch_ms);
    let warm_up_ms = results.load.warm_up_ms;
    let asked_ms = results.load.run_time_ms.map(|whole| whole.saturating_sub(warm_up_ms));
    let load = LoadFacts {
        mode: if results.load.rate.is_some() { LoadMode::Rate } else { LoadMode::Saturation },
        rates: results.load.rate.into_iter().collect(),
        concurrency: results.load.users,
        threads: results.workers.len(),
        duration_ms: asked_ms.unwrap_or(results.stretch_ms as u64),
        warm_up_ms,
        timeout_ms: results.load.timeout_ms,
        probe_share: results.load.probe_share,
        max_errors: results.load.max_errors,
    };
    let corpus = CorpusFacts {
        bodies: results.corpus.bodies,
        bytes: results.corpus.lengths.iter().sum(),
        longest: results.corpus.lengths.iter().copied().max().unwrap_or_default(),
        without_id: results.corpus.without_id,
    };
    let figures = Figures {
        phases: vec![PhaseEntry { rate: results.load.rate, achieved, measured: total.clone() }],
        total,
        series: series(results),
        probes: probes(results),
        unexpected: unexpected(results),
    };
    let mut report = BenchReport::new(origin(results), load, corpus, figures, result);
    report.notes.clone_from(&results.reasons);
    let processes = results.workers.len();
    report.notes.push(messages::measured_by(&results.locust, &results.python, processes));
    report.notes.push(messages::bytes_of_the_client());
    if results.all.in_flight > 0 {
        report.notes.push(messages::in_flight_at_end(results.all.in_flight));
    }
    report
}

fn origin(results: &LocustResults) -> Origin {
    Origin {
        role: BenchRole::Receiver,
        tool: Tool { name: "locust".to_owned(), version: results.locust.clone() },
        machine: machine(results),
        command: Vec::new(),
        subject: results.url.clone(),
        dialect: results.dialect.clone(),
        started_at_ms: results.begun_ms,
        took_ms: results.ended_ms.saturating_sub(results.begun_ms),
        seed: None,
    }
}

/// The machine of the workers, as far as it is known: the master's, with the processors of the largest worker.
fn machine(results: &LocustResults) -> Machine {
    let os = if results.machine.os == "darwin" { "macos" } else { &results.machine.os };
    let arch = if results.machine.arch == "arm64" { "aarch64" } else { &results.machine.arch };
    let cores = results.workers.iter().map(|worker| worker.cores).max().unwrap_or_default();
    Machine { cores, os: os.to_owned(), arch: arch.to_lowercase(), cpu: None, optimised: true }
}

fn measured(results: &LocustResults) -> Measured {
    let counts = &results.measured;
    let failed: u64 = counts.failed.values().sum();
    let ended = counts.acknowledged + counts.refused + failed;
    let late = counts.late;
    Measured {
        duration_ms: results.stretch_ms,
        rate: per_second(counts.acknowledged as f64, results.stretch_ms),
        sent: counts.sent,
        acknowledged: counts.acknowledged,
        refused: counts.refused,
        failed,
        error_share: (counts.refused + failed) as f64 / ended.max(1) as f64,
        errors: counts.failed.iter().map(|(name, &count)| Named { name: name.clone(), count }).collect(),
        statuses: statuses(&counts.statuses),
        bytes_sent: counts.bytes_sent,
        bytes_received: counts.bytes_received,
        latency: latency(results),
        lateness: (late.count > 0).then(|| Lateness {
            count: late.count,
            mean_us: late.sum_us as f64 / late.count as f64,
            max_us: late.max_us,
        }),
    }
}

fn statuses(counts: &BTreeMap<u16, u64>) -> Vec<StatusCount> {
    counts.iter().map(|(&status, &count)| StatusCount { status, count }).collect()
}

fn latency(results: &LocustResults) -> Latency {
    let measured = &results.measured.latency;
    let distribution = Latency::of_values(measured.buckets.iter().map(|(&value, &count)| (value, count)));
    let count = distribution.count.max(1) as f64;
    let mean = measured.sum_us as f64 / count;
    Latency {
        // Minimum, maximum and mean are exact; quantiles come from buckets and may exceed the maximum.
        min_us: measured.min_us.unwrap_or_default(),
        mean_us: mean,
        stdev_us: (measured.squares_us / count - mean * mean).max(0.0).sqrt(),
        p50_us: distribution.p50_us.min(measured.max_us),
        p90_us: distribution.p90_us.min(measured.max_us),
        p99_us: distribution.p99_us.min(measured.max_us),
        p999_us: distribution.p999_us.min(measured.max_us),
        max_us: measured.max_us,
        ..distribution
    }
}

fn series(results: &LocustResults) -> SeriesEntry {
    let point = |LocustPoint(sent, acknowledged, refused, failed, latencies): &LocustPoint| {
        let latency = Latency::of_values(latencies.iter().map(|(&value, &count)| (value, count)));
        let known = latency.count > 0;
        SeriesPoint {
            sent: *sent,
            acknowledged: *acknowledged,
            refused: *refused,
            failed: *failed,
            p50_us: known.then_some(latency.p50_us),
            p90_us: known.then_some(latency.p90_us),
            p99_us: known.then_some(latency.p99_us),
        }
    };
    let points = results.series.points.iter().map(point).collect();
    SeriesEntry { interval_ms: results.series.interval_ms, points }
}

fn probes(results: &LocustResults) -> Probes {
    let kinds: Vec<ProbeEntry> = results
        .probes
        .iter()
        .map(|probe| ProbeEntry {
            name: probe.name.clone(),
            requirement: probe.requirement.clone(),
            level: probe.level.clone(),
            sent: probe.sent,
            let_through: probe.let_through,
            exchange: results.exchanges.get(&format!("probe {}", probe.name)).map(shown),
        })
        .collect();
    Probes {
        sent: results.all.probes,
        let_through: results.all.let_through,
        unanswered: results.probes.iter().map(|probe| probe.unanswered).sum(),
        statuses: statuses(&results.probe_statuses),
        kinds,
    }
}

fn unexpected(results: &LocustResults) -> Vec<Unexpected> {
    let entry = |(kind, exchange): (&String, &LocustExchange)| {
        let failure = DeliveryFailure::ALL.iter().find(|failure| failure.name() == kind);
        let text = match failure {
            Some(failure) => failure.describe().to_owned(),
            None => unexpected_answer(kind),
        };
        Unexpected { kind: kind.clone(), text, count: exchange.count, exchange: shown(exchange) }
    };
    results.exchanges.iter().filter(|(kind, _)| !kind.starts_with("probe ")).map(entry).collect()
}

fn shown(exchange: &LocustExchange) -> ShownExchange {
    ShownExchange {
        at_ms: exchange.at_ms,
        took_ms: exchange.took_ms,
        status: exchange.status,
        request: exchange.request.clone(),
        answer: exchange.answer.clone(),
    }
}
