//! Results of locust as the report of a benchmark: what the exported locustfile writes, and what locust itself does.
//!
//! Invariant: pure, but for the one file that is read. Nothing is made up: what the results do not say is empty, and a note
//! says so.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use super::statistics;
use crate::bench::generate::failure::DeliveryFailure;
use crate::bench::measure::figures::{
    Latency, Lateness, Measured, Named, PhaseEntry, ProbeEntry, Probes, SeriesEntry, SeriesPoint,
    ShownExchange, StatusCount, Unexpected,
};
use crate::bench::measure::machine::{Machine, Tool};
use crate::bench::measure::report::{
    BenchReport, BenchRole, CorpusFacts, Figures, LoadFacts, LoadMode, Origin,
};
use crate::bench::measure::result::BenchResult;
use crate::bench::measure::summary::per_second;
use crate::bench::tools::locust::{FORMAT, LocustPoint, LocustResults, LocustWitness};

/// The longest file that is read, in bytes.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Reads a file of results. Errors: it cannot be read, or is nothing that locust writes; the file and the place are named.
pub fn read(path: &Path) -> Result<BenchReport, String> {
    let name = path.display().to_string();
    // What a device or a pipe gives has no length that could be asked for.
    let mut text = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut text));
    read.map_err(|why| format!("{name} cannot be read: {why}"))?;
    if text.len() as u64 > LONGEST {
        return Err(format!("{name} is too large: results of locust have less than {} MiB", LONGEST >> 20));
    }
    let text = String::from_utf8(text).map_err(|why| format!("{name} is no text: {why}"))?;
    import(&name, &text)
}

/// The report of results. `name` is what errors call them.
///
/// Errors: they are nothing that locust writes.
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
        "it is the history that --csv writes; give the file that ends in _stats.csv".to_owned()
    } else if text.is_empty() {
        "it is empty: the run was not brought to its end".to_owned()
    } else {
        let start: String = text.chars().take(40).collect();
        format!("it begins with {start:?}")
    };
    Err(format!(
        "{name} is neither what the exported locustfile writes (--results) nor what locust does (--json, --json-file, \
         --csv): {hint}"
    ))
}

/// Reads what the exported locustfile writes.
///
/// Errors: it is something else, another version of it, or broken; the line and the member are named.
pub fn parse(name: &str, text: &str) -> Result<LocustResults, String> {
    #[derive(serde::Deserialize)]
    struct FormatOnly {
        format: String,
    }
    let broken = |why: serde_json::Error| format!("{name} is no results of the exported locustfile: {why}");
    let form: FormatOnly = serde_json::from_str(text).map_err(broken)?;
    if form.format != FORMAT {
        return Err(format!(
            "{name}: the member \"format\" is {:?}; this version reads {FORMAT:?}",
            form.format
        ));
    }
    let results: LocustResults = serde_json::from_str(text).map_err(broken)?;
    if ![0, 1, 3].contains(&results.exit_status) {
        let status = results.exit_status;
        return Err(format!("{name}: the member \"exit_status\" is {status}; there are 0, 1 and 3"));
    }
    Ok(results)
}

/// The report of what the exported locustfile wrote.
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
    report.notes.push(format!(
        "measured by locust {} on Python {} in {} processes; their ids and probes come from no seed",
        results.locust,
        results.python,
        results.workers.len()
    ));
    report
        .notes
        .push("bytes are those of the bodies, and of the heads as locust's client has them".to_owned());
    if results.all.in_flight > 0 {
        let in_flight = results.all.in_flight;
        report.notes.push(format!("{in_flight} valid deliveries were under way when it ended"));
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

/// The machine of the workers, as far as the results tell: that of the master, with the processors of the largest worker.
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
    let told = &results.measured.latency;
    let distribution = Latency::of_values(told.buckets.iter().map(|(&value, &count)| (value, count)));
    let count = distribution.count.max(1) as f64;
    let mean = told.sum_us as f64 / count;
    Latency {
        // These are known to the microsecond.
        min_us: told.min_us.unwrap_or_default(),
        mean_us: mean,
        stdev_us: (told.squares_us / count - mean * mean).max(0.0).sqrt(),
        p50_us: distribution.p50_us.min(told.max_us),
        p90_us: distribution.p90_us.min(told.max_us),
        p99_us: distribution.p99_us.min(told.max_us),
        p999_us: distribution.p999_us.min(told.max_us),
        max_us: told.max_us,
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
            exchange: results.witnesses.get(&format!("probe {}", probe.name)).map(shown),
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
    let entry = |(kind, witness): (&String, &LocustWitness)| {
        let failure = DeliveryFailure::ALL.iter().find(|failure| failure.name() == kind);
        let text = match failure {
            Some(failure) => failure.describe().to_owned(),
            None => format!("a valid delivery was answered {kind}"),
        };
        Unexpected { kind: kind.clone(), text, count: witness.count, exchange: shown(witness) }
    };
    results.witnesses.iter().filter(|(kind, _)| !kind.starts_with("probe ")).map(entry).collect()
}

fn shown(witness: &LocustWitness) -> ShownExchange {
    ShownExchange {
        at_ms: witness.at_ms,
        took_ms: witness.took_ms,
        status: witness.status,
        request: witness.request.clone(),
        answer: witness.answer.clone(),
    }
}
