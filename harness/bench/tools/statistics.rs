//! Reads locust's own statistics, as JSON (`--json`, `--json-file`) and as CSV (`--csv`).
//!
//! Locust counts successes and failures by request name, and rounds response times to two digits. The exported locustfile gives
//! probes names that begin with `probe `; a failure under such a name is an accepted probe.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::messages;
use crate::bench::generate::probe;
use crate::bench::measure::figures::{
    Latency, Measured, Named, PhaseEntry, ProbeEntry, Probes, SeriesEntry, SeriesPoint,
};
use crate::bench::measure::machine::{Machine, Tool};
use crate::bench::measure::report::{BenchReport, BenchRole, CorpusFacts, Figures, LoadFacts, Origin};
use crate::bench::measure::result::BenchResult;
use crate::bench::measure::summary::per_second;
use crate::suite::requirement::Level;

/// The locustfile's request name for probes without an answer.
const UNANSWERED: &str = "probe unanswered";

/// One entry of `--json`.
#[derive(Debug, Deserialize)]
struct LocustEntry {
    name: String,
    start_time: f64,
    last_request_timestamp: Option<f64>,
    num_requests: u64,
    num_failures: u64,
    total_response_time: f64,
    max_response_time: f64,
    min_response_time: Option<f64>,
    response_times: BTreeMap<String, u64>,
    num_reqs_per_sec: BTreeMap<u64, u64>,
    num_fail_per_sec: BTreeMap<u64, u64>,
}

struct Row {
    name: String,
    requests: u64,
    failures: u64,
}

struct Statistics {
    rows: Vec<Row>,
    latency: Latency,
    duration_ms: f64,
    begun_ms: u64,
    series: SeriesEntry,
    notes: Vec<String>,
}

/// The report of `--json`. Errors: it is broken, or empty.
pub(super) fn json(name: &str, text: &str) -> Result<BenchReport, String> {
    let entries: Vec<LocustEntry> =
        serde_json::from_str(text).map_err(|why| messages::statistics_broken(name, &why.to_string()))?;
    let valid = || entries.iter().filter(|entry| is_valid(&entry.name));
    let mut values = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        for (time, count) in &entry.response_times {
            let ms = time.parse::<f64>().ok().filter(|ms| ms.is_finite() && *ms >= 0.0);
            let ms = ms.ok_or_else(|| messages::not_a_time(name, number + 1, time))?;
            if is_valid(&entry.name) {
                values.push(((ms * 1e3) as u64, *count));
            }
        }
    }
    let mut latency = Latency::of_values(values);
    let least = valid().filter_map(|entry| entry.min_response_time).reduce(f64::min);
    let most = valid().map(|entry| entry.max_response_time).reduce(f64::max);
    latency.min_us = (least.unwrap_or_default() * 1e3) as u64;
    latency.max_us = (most.unwrap_or_default() * 1e3) as u64;
    latency.mean_us =
        valid().map(|entry| entry.total_response_time).sum::<f64>() * 1e3 / latency.count.max(1) as f64;
    let begun = entries.iter().map(|entry| entry.start_time).reduce(f64::min).unwrap_or_default();
    let ended = entries.iter().filter_map(|entry| entry.last_request_timestamp).reduce(f64::max);
    let rows = entries.iter().map(|entry| Row {
        name: entry.name.clone(),
        requests: entry.num_requests,
        failures: entry.num_failures,
    });
    let statistics = Statistics {
        rows: rows.collect(),
        latency,
        duration_ms: (ended.unwrap_or(begun) - begun).max(0.0) * 1e3,
        begun_ms: (begun * 1e3) as u64,
        series: series(valid()),
        notes: vec![messages::rounded_times()],
    };
    report(name, statistics)
}

fn series<'a>(entries: impl Iterator<Item = &'a LocustEntry>) -> SeriesEntry {
    /// A day. A broken file could ask for a series of any length.
    const MOST: u64 = 86_400;
    let mut seconds: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for entry in entries {
        for (&second, count) in &entry.num_reqs_per_sec {
            seconds.entry(second).or_default().0 += count;
        }
        for (&second, count) in &entry.num_fail_per_sec {
            seconds.entry(second).or_default().1 += count;
        }
    }
    let first = seconds.keys().next().copied().unwrap_or_default();
    let last = seconds.keys().next_back().copied().unwrap_or_default();
    let range = if seconds.is_empty() { 0..0 } else { first..last.min(first.saturating_add(MOST)) + 1 };
    let points = range.map(|second| {
        let (sent, failed) = seconds.get(&second).copied().unwrap_or_default();
        SeriesPoint { sent, acknowledged: sent.saturating_sub(failed), failed, ..SeriesPoint::default() }
    });
    SeriesEntry { interval_ms: 1000, points: points.collect() }
}

/// The numeric columns that are read from the file ending in `_stats.csv`.
const COLUMNS: [&str; 10] = [
    "Request Count",
    "Failure Count",
    "Average Response Time",
    "Min Response Time",
    "Max Response Time",
    "50%",
    "90%",
    "99%",
    "99.9%",
    "Requests/s",
];

/// The report of the file ending in `_stats.csv`. Errors: a column is missing, or a value is not a number.
pub(super) fn csv(name: &str, text: &str) -> Result<BenchReport, String> {
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, fields(line)));
    let header = lines.next().map(|(_, header)| header).unwrap_or_default();
    let column = |wanted: &str| {
        let found = header.iter().position(|one| one == wanted);
        found.ok_or_else(|| messages::column_missing(name, wanted))
    };
    let named = column("Name")?;
    let mut columns = Vec::new();
    for wanted in COLUMNS {
        columns.push(column(wanted)?);
    }
    let mut statistics = Statistics {
        rows: Vec::new(),
        latency: Latency::default(),
        duration_ms: 0.0,
        begun_ms: 0,
        series: SeriesEntry { interval_ms: 1000, points: Vec::new() },
        notes: vec![messages::csv_may_be_incomplete()],
    };
    let mut valid = 0;
    for (number, fields) in lines.filter(|(_, fields)| fields.iter().any(|field| !field.is_empty())) {
        let request = fields.get(named).cloned().unwrap_or_default();
        if request == "Aggregated" {
            continue;
        }
        let mut values = [0.0; COLUMNS.len()];
        for ((value, wanted), at) in values.iter_mut().zip(COLUMNS).zip(&columns) {
            let field = fields.get(*at).map_or("", String::as_str);
            *value = number_in(field).ok_or_else(|| messages::not_a_number(name, number, wanted, field))?;
        }
        let [requests, failures, .., rate] = values;
        if is_valid(&request) {
            valid += 1;
            add(&mut statistics.latency, &values);
        }
        if rate > 0.0 {
            statistics.duration_ms = statistics.duration_ms.max(requests / rate * 1e3);
        }
        statistics.rows.push(Row { name: request, requests: requests as u64, failures: failures as u64 });
    }
    if valid > 1 {
        statistics.notes.push(messages::highest_quantiles());
    }
    report(name, statistics)
}

/// Adds a line's response times, in milliseconds in the order of [`COLUMNS`].
fn add(latency: &mut Latency, values: &[f64; COLUMNS.len()]) {
    let &[requests, _, mean, min, max, p50, p90, p99, p999, _] = values;
    let us = |ms: f64| (ms * 1e3) as u64;
    let before = latency.count as f64;
    latency.mean_us = (latency.mean_us * before + mean * 1e3 * requests) / (before + requests).max(1.0);
    latency.min_us = if before > 0.0 { latency.min_us.min(us(min)) } else { us(min) };
    latency.count += requests as u64;
    latency.max_us = latency.max_us.max(us(max));
    latency.p50_us = latency.p50_us.max(us(p50));
    latency.p90_us = latency.p90_us.max(us(p90));
    latency.p99_us = latency.p99_us.max(us(p99));
    latency.p999_us = latency.p999_us.max(us(p999));
}

fn number_in(field: &str) -> Option<f64> {
    // Locust writes N/A for a percentile of no requests.
    let value = if field == "N/A" { Some(0.0) } else { field.parse::<f64>().ok() };
    value.filter(|value| value.is_finite() && *value >= 0.0)
}

fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    fields.push(field);
    fields
}

/// Whether requests of that name are valid deliveries.
fn is_valid(name: &str) -> bool {
    !name.starts_with("probe ")
}

/// The report of statistics. Errors: there are no requests.
fn report(name: &str, statistics: Statistics) -> Result<BenchReport, String> {
    let Statistics { rows, latency, duration_ms, begun_ms, series, notes } = statistics;
    if rows.is_empty() {
        return Err(messages::no_requests(name));
    }
    let sum = |which: fn(&Row) -> u64| rows.iter().filter(|row| is_valid(&row.name)).map(which).sum::<u64>();
    let (sent, failed) = (sum(|row| row.requests), sum(|row| row.failures));
    let acknowledged = sent.saturating_sub(failed);
    let probes = probes(&rows);
    let must = |kind: &ProbeEntry| kind.level == Level::Must.as_str();
    let accepts_probes = probes.kinds.iter().any(|kind| kind.let_through > 0 && must(kind));
    let result = if accepts_probes || failed > 0 {
        BenchResult::Fail
    } else if acknowledged == 0 {
        BenchResult::Incomplete
    } else {
        BenchResult::Pass
    };
    let named = Named { name: "failed".to_owned(), count: failed };
    let total = Measured {
        duration_ms,
        rate: per_second(acknowledged as f64, duration_ms),
        sent,
        acknowledged,
        failed,
        error_share: failed as f64 / sent.max(1) as f64,
        errors: if failed > 0 { vec![named] } else { Vec::new() },
        latency,
        ..Measured::default()
    };
    let all = sent + probes.sent;
    let load = LoadFacts {
        duration_ms: duration_ms as u64,
        probe_share: probes.sent as f64 / all.max(1) as f64,
        ..LoadFacts::default()
    };
    let achieved = per_second(all as f64, duration_ms);
    let figures = Figures {
        phases: vec![PhaseEntry { rate: None, achieved, measured: total.clone() }],
        total,
        series,
        probes,
        unexpected: Vec::new(),
    };
    let origin = origin(begun_ms, duration_ms as u64);
    let mut report = BenchReport::new(origin, load, CorpusFacts::default(), figures, result);
    report.notes = notes;
    report.notes.push(messages::less_than_results());
    Ok(report)
}

fn origin(started_at_ms: u64, took_ms: u64) -> Origin {
    let unknown = || "unknown".to_owned();
    Origin {
        role: BenchRole::Receiver,
        tool: Tool { name: "locust".to_owned(), version: "(unknown version)".to_owned() },
        machine: Machine { cores: 0, os: unknown(), arch: unknown(), cpu: None, optimised: true },
        command: Vec::new(),
        subject: "(unknown receiver)".to_owned(),
        dialect: unknown(),
        started_at_ms,
        took_ms,
        seed: None,
    }
}

fn probes(rows: &[Row]) -> Probes {
    let kinds: Vec<ProbeEntry> = probe::all().iter().map(|kind| entry(kind, rows)).collect();
    let unanswered = rows.iter().filter(|row| row.name == UNANSWERED).map(|row| row.requests).sum();
    Probes {
        sent: kinds.iter().map(|kind| kind.sent).sum::<u64>() + unanswered,
        let_through: kinds.iter().map(|kind| kind.let_through).sum(),
        unanswered,
        statuses: Vec::new(),
        kinds,
    }
}

fn entry(kind: &probe::Probe, rows: &[Row]) -> ProbeEntry {
    let name = format!("probe {} ({})", kind.name(), kind.requirement.id);
    let of = |which: fn(&Row) -> u64| rows.iter().filter(|row| row.name == name).map(which).sum();
    ProbeEntry {
        name: kind.name().to_owned(),
        requirement: kind.requirement.id.to_owned(),
        level: kind.requirement.level.to_string(),
        sent: of(|row| row.requests),
        let_through: of(|row| row.failures),
        exchange: None,
    }
}
