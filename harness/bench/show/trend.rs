//! A report in two formats that trend trackers read: the Bencher Metric Format, and the generic list of figures of which smaller is
//! better.
//!
//! A load has the same names in every run, whatever its port, seed or secret. A figure that was not measured is left out.

use serde_json::{Map, Value, json};

use crate::bench::measure::figures::{Latency, Measured, PhaseEntry, SeriesPoint};
use crate::bench::measure::report::BenchReport;
use crate::bench::show::messages;

/// The Bencher Metric Format: for each rate the throughput in deliveries per second, latencies in nanoseconds, and errors in
/// percent. The bounds are the lowest and the highest part of the series.
pub fn bmf(report: &BenchReport) -> Value {
    let mut benchmarks = Map::new();
    for Benchmark { name, measured, points } in benchmarks_of(report) {
        let mut measures = Map::new();
        let per_second = |point: &SeriesPoint| {
            let seconds = report.series.interval_ms as f64 / 1e3;
            (seconds > 0.0).then(|| point.acknowledged as f64 / seconds)
        };
        measures.insert("throughput".to_owned(), bounded(measured.rate, points, per_second));
        if measured.latency.count > 0 {
            let ns = |us: u64| us as f64 * 1e3;
            let latency = &measured.latency;
            measures.insert("latency".to_owned(), json!({ "value": latency.mean_us * 1e3 }));
            for (name, us, of) in quantiles(latency) {
                let value = bounded(ns(us), points, |point| of(point).map(ns));
                measures.insert(format!("latency-{name}"), value);
            }
            measures.insert("latency-max".to_owned(), json!({ "value": ns(latency.max_us) }));
        }
        measures.insert("errors".to_owned(), json!({ "value": measured.error_share * 100.0 }));
        benchmarks.insert(name, measures.into());
    }
    benchmarks.into()
}

/// A list of `{name, unit, value, range, extra}`: latencies, the time per delivery, and errors.
pub fn smaller_is_better(report: &BenchReport) -> Value {
    let mut list = Vec::new();
    let extra = messages::trend_context(report);
    for Benchmark { name, measured, points } in benchmarks_of(report) {
        let mut add = |what: &str, unit: &str, value: f64, parts: Vec<f64>| {
            let mut entry = json!({ "name": format!("{name} {what}"), "unit": unit, "value": value });
            if let Some(deviation) = deviation(&parts) {
                entry["range"] = format!("± {deviation:.3}").into();
            }
            entry["extra"] = extra.clone().into();
            list.push(entry);
        };
        let latency = &measured.latency;
        let ms = |us: u64| us as f64 / 1e3;
        if latency.count > 0 {
            for (what, us, of) in quantiles(latency) {
                add(what, "ms", ms(us), points.iter().filter_map(of).map(ms).collect());
            }
        }
        if measured.rate > 0.0 {
            let each = |point: &SeriesPoint| {
                let us = report.series.interval_ms as f64 * 1e3;
                (point.acknowledged > 0).then(|| us / point.acknowledged as f64)
            };
            add("time per delivery", "us", 1e6 / measured.rate, points.iter().filter_map(each).collect());
        }
        add("errors", "%", measured.error_share * 100.0, Vec::new());
    }
    list.into()
}

/// A quantile: its name, its value in the whole load, and its value in a part of the series.
type Quantile = (&'static str, u64, fn(&SeriesPoint) -> Option<u64>);

fn quantiles(latency: &Latency) -> [Quantile; 3] {
    [
        ("p50", latency.p50_us, |point| point.p50_us),
        ("p90", latency.p90_us, |point| point.p90_us),
        ("p99", latency.p99_us, |point| point.p99_us),
    ]
}

/// The figures that are tracked under one name.
struct Benchmark<'a> {
    name: String,
    measured: &'a Measured,
    /// Its series; empty if several rates share one.
    points: &'a [SeriesPoint],
}

fn benchmarks_of(report: &BenchReport) -> Vec<Benchmark<'_>> {
    let name = |what: &str| {
        format!(
            "{} {what}, {} connections, {}",
            report.role.describe(),
            report.load.concurrency,
            report.dialect
        )
    };
    if report.phases.len() > 1 {
        let at_rate = |(at, phase): (usize, &'_ PhaseEntry)| {
            let rate = phase.rate.map_or_else(|| format!("phase {}", at + 1), |rate| format!("at {rate}/s"));
            name(&rate)
        };
        return report
            .phases
            .iter()
            .enumerate()
            .map(|(at, phase)| Benchmark {
                name: at_rate((at, phase)),
                measured: &phase.measured,
                points: &[],
            })
            .collect();
    }
    let what = match report.load.rates.first() {
        Some(rate) => format!("at {rate}/s"),
        None => report.load.mode.describe().to_owned(),
    };
    vec![Benchmark { name: name(&what), measured: &report.total, points: whole(report) }]
}

/// The complete parts of the series: the last one may be shorter.
fn whole(report: &BenchReport) -> &[SeriesPoint] {
    let count = report.load.duration_ms.checked_div(report.series.interval_ms).unwrap_or_default();
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(report.series.points.len());
    &report.series.points[..count]
}

fn bounded(value: f64, points: &[SeriesPoint], of: impl Fn(&SeriesPoint) -> Option<f64>) -> Value {
    let parts: Vec<f64> = points.iter().filter_map(of).collect();
    let (low, high) = parts.iter().fold((value, value), |(low, high), &part| (part.min(low), part.max(high)));
    if parts.is_empty() {
        json!({ "value": value })
    } else {
        json!({ "value": value, "lower_value": low, "upper_value": high })
    }
}

fn deviation(parts: &[f64]) -> Option<f64> {
    let count = parts.len() as f64;
    let mean = parts.iter().sum::<f64>() / count;
    let squares: f64 = parts.iter().map(|part| (part - mean).powi(2)).sum();
    (parts.len() > 1).then(|| (squares / (count - 1.0)).sqrt())
}
