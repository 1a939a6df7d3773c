//! Compares two benchmark reports: which reports are comparable, and which figures got worse beyond the noise.
//!
//! The noise of a figure comes from the points of its series, mostly seconds. Bootstrap resampling of the points gives the interval
//! of the ratio of the two reports. The points do not show how figures vary from run to run, so one new report cannot confirm a
//! regression: a second one has to agree.
//!
//! Reports of another machine, version or load are not comparable. A figure with too few points is inconclusive.

use super::messages;
use super::thresholds::MaxRegression;
use crate::bench::measure::compared::{FORMAT, Metric, MetricEntry, NewFigure, ReportComparison};
use crate::bench::measure::figures::SeriesPoint;
use crate::bench::measure::machine::{Machine, Tool};
use crate::bench::measure::report::{BenchReport, BenchRole, CorpusFacts, LoadFacts, LoadMode};
use crate::bench::measure::result::BenchResult;
use crate::statistics::{Better, FEWEST, Place, RESAMPLES, difference, quotient};

/// The seed for resampling. It is fixed, so the same reports give the same intervals.
const SEED: u64 = 0x7c3a;
/// By what share the lengths of the same sample bodies may differ: in one dialect they contain the receiver's URL.
const LENGTH_TOLERANCE: f64 = 0.01;

/// Checks that two reports are comparable. Errors: every difference, as the end of a sentence.
pub fn comparable(old: &BenchReport, new: &BenchReport) -> Result<(), String> {
    let mut reasons = differences(old, &new.tool, &new.machine, &new.load, (new.role, &new.dialect));
    reasons.extend(bodies(&old.corpus, &new.corpus));
    if let Some(is) = &new.sending {
        reasons.extend(same_events(old, (is.webhooks, is.events)).err());
    }
    check_none(&reasons)
}

/// Whether two reports are runs of the same load on the same machine, of any version of this tool.
pub fn same_series(old: &BenchReport, new: &BenchReport) -> bool {
    differences(old, &old.tool, &new.machine, &new.load, (new.role, &new.dialect)).is_empty()
        && bodies(&old.corpus, &new.corpus).is_none()
        && new.sending.as_ref().is_none_or(|is| same_events(old, (is.webhooks, is.events)).is_ok())
}

/// Checks that a sender's load has the webhooks and events of the old report.
pub fn same_events(old: &BenchReport, new: (usize, Option<u64>)) -> Result<(), String> {
    let Some(was) = old.sending.as_ref().map(|was| (was.webhooks, was.events)) else { return Ok(()) };
    let shown = |(webhooks, events)| messages::events(webhooks, events);
    if was == new { Ok(()) } else { Err(messages::different("events", &shown(was), &shown(new))) }
}

/// Checks a planned load against the old report, except its bodies.
pub fn prepared(
    old: &BenchReport,
    machine: &Machine,
    load: &LoadFacts,
    (role, dialect): (BenchRole, &str),
) -> Result<(), String> {
    check_none(&differences(old, &Tool::this(), machine, load, (role, dialect)))
}

/// Checks that the bodies are those of the old report.
pub fn same_bodies(old: &BenchReport, corpus: &CorpusFacts) -> Result<(), String> {
    check_none(&Vec::from_iter(bodies(&old.corpus, corpus)))
}

/// Errors: there are differences.
fn check_none(reasons: &[String]) -> Result<(), String> {
    if reasons.is_empty() { Ok(()) } else { Err(reasons.join("; ")) }
}

fn differences(
    old: &BenchReport,
    tool: &Tool,
    machine: &Machine,
    load: &LoadFacts,
    (role, dialect): (BenchRole, &str),
) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut differ = |what: &str, old: &str, new: &str| {
        if old != new {
            reasons.push(messages::different(what, old, new));
        }
    };
    let unknown = |cpu: &Option<String>| cpu.clone().unwrap_or_else(|| "unknown".to_owned());
    let built = |machine: &Machine| if machine.optimised { "optimised" } else { "not optimised" };
    let of = &old.machine;
    differ("number of processors", &of.cores.to_string(), &machine.cores.to_string());
    differ("processor", &unknown(&of.cpu), &unknown(&machine.cpu));
    differ("operating system", &of.os, &machine.os);
    differ("architecture", &of.arch, &machine.arch);
    differ("tool", &old.tool.name, &tool.name);
    differ("tool version", &old.tool.version, &tool.version);
    differ("tool build", built(of), built(machine));
    differ("role", old.role.describe(), role.describe());
    differ("dialect", &old.dialect, dialect);
    let was = &old.load;
    differ("mode", was.mode.describe(), load.mode.describe());
    differ("rate", &rates(was), &rates(load));
    differ("--concurrency", &was.concurrency.to_string(), &load.concurrency.to_string());
    differ("--threads", &was.threads.to_string(), &load.threads.to_string());
    differ("--timeout", &format!("{} ms", was.timeout_ms), &format!("{} ms", load.timeout_ms));
    differ("--probe-share", &was.probe_share.to_string(), &load.probe_share.to_string());
    if old.load.mode == LoadMode::FindMax || load.mode == LoadMode::FindMax {
        reasons.push(messages::search_has_no_figures());
    }
    reasons
}

fn rates(load: &LoadFacts) -> String {
    let rates: Vec<String> = load.rates.iter().map(f64::to_string).collect();
    if rates.is_empty() { "none".to_owned() } else { rates.join(", ") }
}

fn bodies(old: &CorpusFacts, new: &CorpusFacts) -> Option<String> {
    let far = |old: u64, new: u64| old.abs_diff(new) as f64 > LENGTH_TOLERANCE * old as f64;
    let other = old.bodies != new.bodies || far(old.bytes, new.bytes) || far(old.longest, new.longest);
    other.then(|| {
        let shown = |one: &CorpusFacts| messages::bodies(one.bodies, one.bytes);
        messages::different("bodies", &shown(old), &shown(new))
    })
}

/// Checks that a report's load finished. Errors: it did not, as the end of a sentence.
pub fn check_finished(report: &BenchReport) -> Result<(), String> {
    match report.result {
        BenchResult::Interrupted => Err(messages::load_interrupted().to_owned()),
        BenchResult::Incomplete => Err(messages::load_unfinished().to_owned()),
        _ => Ok(()),
    }
}

/// Compares an old report with a new one, or with two that may confirm each other. The reports must be [`comparable`].
pub fn compare(
    (old_name, old): (&str, &BenchReport),
    new: &[(&str, &BenchReport)],
    most: &MaxRegression,
) -> ReportComparison {
    let metrics: Vec<MetricEntry> = Metric::ALL
        .into_iter()
        .map(|metric| MetricEntry {
            name: metric,
            unit: metric.unit(),
            max_regression: most.of(metric),
            old: value(metric, old),
            new: new.iter().map(|(_, new)| figure(metric, old, new, most.of(metric))).collect(),
        })
        .collect();
    let failed = new.iter().find(|(_, report)| report.result == BenchResult::Fail);
    let (result, why) = match failed {
        Some((name, _)) => (BenchResult::Fail, messages::new_load_failed(name)),
        None => conclude(&metrics, new.len()),
    };
    ReportComparison {
        format: FORMAT.to_owned(),
        old: old_name.to_owned(),
        new: new.iter().map(|(name, _)| (*name).to_owned()).collect(),
        metrics,
        result,
        why,
        exit_status: result.status().code(),
    }
}

fn conclude(metrics: &[MetricEntry], reports: usize) -> (BenchResult, String) {
    let named = |names: Vec<&MetricEntry>| {
        names.iter().map(|metric| metric.name.name()).collect::<Vec<_>>().join(", ")
    };
    let those = |is_one: &dyn Fn(&MetricEntry) -> bool| metrics.iter().filter(|one| is_one(one)).collect();
    let beyond = |one: &NewFigure| one.place == Some(Place::Beyond);
    let confirmed: Vec<_> = those(&|metric| reports > 1 && metric.new.iter().all(beyond));
    let suspected: Vec<_> = those(&|metric| metric.new.iter().any(beyond));
    let unclear: Vec<_> =
        those(&|metric| metric.new.iter().any(|one| matches!(one.place, None | Some(Place::Astride))));
    if !confirmed.is_empty() {
        return (BenchResult::Slow, messages::confirmed(&named(confirmed)));
    }
    if !suspected.is_empty() {
        let metrics = named(suspected);
        let why = if reports == 1 { messages::suspected(&metrics) } else { messages::contradicted(&metrics) };
        return (BenchResult::Inconclusive, why);
    }
    if !unclear.is_empty() {
        let too_short = unclear.iter().any(|metric| metric.new.iter().any(|one| one.place.is_none()));
        let metrics = named(unclear);
        let why =
            if too_short { messages::too_short(&metrics, FEWEST) } else { messages::within_noise(&metrics) };
        return (BenchResult::Inconclusive, why);
    }
    (BenchResult::Pass, messages::no_regression())
}

fn value(metric: Metric, report: &BenchReport) -> f64 {
    let total = &report.total;
    match metric {
        Metric::Rate => total.rate,
        Metric::P50 => total.latency.p50_us as f64 / 1e3,
        Metric::P90 => total.latency.p90_us as f64 / 1e3,
        Metric::P99 => total.latency.p99_us as f64 / 1e3,
        Metric::Errors => total.error_share * 100.0,
    }
}

fn figure(metric: Metric, old: &BenchReport, new: &BenchReport, most: f64) -> NewFigure {
    let (was, is) = (value(metric, old), value(metric, new));
    if metric == Metric::Errors {
        return errors(old, new, (was, is), most);
    }
    if !(was > 0.0 && is > 0.0) {
        return NewFigure { value: is, change: None, interval: None, place: None };
    }
    let values = |report: &BenchReport| -> Vec<f64> {
        points(report).iter().filter_map(|point| figure_of(metric, point)).collect()
    };
    // The points give the width of the interval, the whole report its middle.
    let interval = quotient(&values(old), &values(new), SEED, RESAMPLES);
    let interval = interval.map(|interval| interval.moved_to((is / was).ln()).ratio());
    let better = if metric == Metric::Rate { Better::Higher } else { Better::Lower };
    let place = interval.map(|interval| interval.place(better, most));
    NewFigure { value: is, change: Some(is / was), interval, place }
}

fn errors(old: &BenchReport, new: &BenchReport, (was, is): (f64, f64), most: f64) -> NewFigure {
    // Errors of each point as a percentage of the average point: their mean is the share of the whole.
    let shares = |report: &BenchReport| -> Vec<f64> {
        let points = points(report);
        let wrong = |point: &SeriesPoint| (point.refused + point.failed) as f64;
        let all: f64 = points.iter().map(|point| wrong(point) + point.acknowledged as f64).sum();
        points.iter().map(|point| 100.0 * wrong(point) * points.len() as f64 / all.max(1.0)).collect()
    };
    let more = is - was;
    let interval = difference(&shares(old), &shares(new), SEED, RESAMPLES).map(|one| one.moved_to(more));
    // Zero errors are not more errors, even without an interval.
    let place = if is == 0.0 {
        Some(Place::Within)
    } else {
        interval.map(|one| match (one.low > most, one.high <= most) {
            (true, _) => Place::Beyond,
            (false, true) => Place::Within,
            (false, false) => Place::Astride,
        })
    };
    NewFigure { value: is, change: Some(more), interval, place }
}

/// The complete points of a report's series. The last may have been cut off.
fn points(report: &BenchReport) -> &[SeriesPoint] {
    let series = &report.series;
    let rates = report.phases.len().max(1) as u64;
    let complete = (report.load.duration_ms * rates).checked_div(series.interval_ms).unwrap_or_default();
    let complete = usize::try_from(complete).unwrap_or(usize::MAX).min(series.points.len());
    &series.points[..complete]
}

fn figure_of(metric: Metric, point: &SeriesPoint) -> Option<f64> {
    let latency = |us: Option<u64>| us.map(|us| us as f64);
    match metric {
        Metric::Rate => Some(point.acknowledged as f64),
        Metric::P50 => latency(point.p50_us),
        Metric::P90 => latency(point.p90_us),
        Metric::P99 => latency(point.p99_us),
        Metric::Errors => None,
    }
}
