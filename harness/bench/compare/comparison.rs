//! Two reports of benchmarks held against each other: what may be compared at all, and what got worse beyond the noise.
//!
//! The noise of a figure is what the parts of its series (mostly seconds) show: they are drawn anew again and again, and the
//! ratio of the two reports lies within what comes of it. How much a figure differs from run to run the parts do not show, so one
//! new report confirms nothing: a regression is only told where a second one agrees.
//!
//! Invariant: pure. What was made on another machine, by another version or under another load is refused; a figure without
//! enough parts to show its noise is never better or worse.

use super::thresholds::MaxRegression;
use crate::bench::measure::compared::{FORMAT, Metric, MetricEntry, NewFigure, ReportComparison};
use crate::bench::measure::figures::SeriesPoint;
use crate::bench::measure::machine::{Machine, Tool};
use crate::bench::measure::report::{BenchReport, BenchRole, CorpusFacts, LoadFacts, LoadMode};
use crate::bench::measure::result::BenchResult;
use crate::statistics::{Better, FEWEST, Place, RESAMPLES, difference, quotient};

/// What figures are drawn with: the same reports give the same intervals.
const SEED: u64 = 0x7c3a;
/// How much the bodies of the same samples may differ in length: in one dialect they name the receiver's URL.
const ALIKE: f64 = 0.01;

/// Refuses what cannot be compared. Errors: everything that differs, as the end of a sentence.
pub fn comparable(old: &BenchReport, new: &BenchReport) -> Result<(), String> {
    let mut reasons = surroundings(old, &new.tool, &new.machine, &new.load, (new.role, &new.dialect));
    reasons.extend(bodies(&old.corpus, &new.corpus));
    if let Some(is) = &new.sending {
        reasons.extend(same_events(old, (is.webhooks, is.events)).err());
    }
    refuse(&reasons)
}

/// Whether as many events go to as many webhooks as in the old report.
pub fn same_events(old: &BenchReport, new: (usize, Option<u64>)) -> Result<(), String> {
    let Some(was) = old.sending.as_ref().map(|was| (was.webhooks, was.events)) else { return Ok(()) };
    let shown = |(webhooks, events): (usize, Option<u64>)| {
        let events = events.map_or("as many as there is time for".to_owned(), |events| events.to_string());
        format!("{webhooks} webhooks, events: {events}")
    };
    if was == new { Ok(()) } else { Err(format!("another load ({}, now {})", shown(was), shown(new))) }
}

/// The same before there is a new report: what is to be measured, but for its bodies.
pub fn prepared(
    old: &BenchReport,
    machine: &Machine,
    load: &LoadFacts,
    (role, dialect): (BenchRole, &str),
) -> Result<(), String> {
    refuse(&surroundings(old, &Tool::this(), machine, load, (role, dialect)))
}

/// Whether the bodies are those of the old report.
pub fn same_bodies(old: &BenchReport, corpus: &CorpusFacts) -> Result<(), String> {
    refuse(&Vec::from_iter(bodies(&old.corpus, corpus)))
}

fn refuse(reasons: &[String]) -> Result<(), String> {
    if reasons.is_empty() { Ok(()) } else { Err(reasons.join("; ")) }
}

fn surroundings(
    old: &BenchReport,
    tool: &Tool,
    machine: &Machine,
    load: &LoadFacts,
    (role, dialect): (BenchRole, &str),
) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut differ = |what: &str, old: &str, new: &str| {
        if old != new {
            reasons.push(format!("another {what} ({old}, now {new})"));
        }
    };
    let unknown = |cpu: &Option<String>| cpu.clone().unwrap_or_else(|| "unknown".to_owned());
    let built = |machine: &Machine| if machine.optimised { "optimised" } else { "not optimised" };
    let of = &old.machine;
    differ("machine: number of processors", &of.cores.to_string(), &machine.cores.to_string());
    differ("machine: processor", &unknown(&of.cpu), &unknown(&machine.cpu));
    differ("machine: operating system", &of.os, &machine.os);
    differ("machine: architecture", &of.arch, &machine.arch);
    differ("tool", &old.tool.name, &tool.name);
    differ("version", &old.tool.version, &tool.version);
    differ("build of the tool", built(of), built(machine));
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
        reasons.push(
            "a search for the highest rate (--find-max): its figures are of its last trial alone; measure at saturation or at \
             a rate"
                .to_owned(),
        );
    }
    reasons
}

fn rates(load: &LoadFacts) -> String {
    let rates: Vec<String> = load.rates.iter().map(f64::to_string).collect();
    if rates.is_empty() { "none".to_owned() } else { rates.join(", ") }
}

fn bodies(old: &CorpusFacts, new: &CorpusFacts) -> Option<String> {
    let far = |old: u64, new: u64| old.abs_diff(new) as f64 > ALIKE * old as f64;
    let other = old.bodies != new.bodies || far(old.bytes, new.bytes) || far(old.longest, new.longest);
    other.then(|| {
        let shown = |one: &CorpusFacts| format!("{} of {} bytes", one.bodies, one.bytes);
        format!("other bodies ({}, now {})", shown(old), shown(new))
    })
}

/// Whether figures of a report can stand for anything. Errors: why not, as the end of a sentence.
pub fn whole(report: &BenchReport) -> Result<(), String> {
    match report.result {
        BenchResult::Interrupted => Err("it is of a load that was interrupted".to_owned()),
        BenchResult::Incomplete => Err("it is of a load that did not come to its end".to_owned()),
        _ => Ok(()),
    }
}

/// Compares: one new report, or a second one that may confirm what the first says. They must be [`comparable`].
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
        Some((name, _)) => (BenchResult::Fail, format!("the load of {name} failed by itself")),
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
    let those =
        |holds: &dyn Fn(&MetricEntry) -> bool| metrics.iter().filter(|one| holds(one)).collect::<Vec<_>>();
    let beyond = |one: &NewFigure| one.place == Some(Place::Beyond);
    let confirmed = those(&|metric| reports > 1 && metric.new.iter().all(beyond));
    let suspected = those(&|metric| metric.new.iter().any(beyond));
    let unclear =
        those(&|metric| metric.new.iter().any(|one| matches!(one.place, None | Some(Place::Astride))));
    if !confirmed.is_empty() {
        return (BenchResult::Slow, format!("worse in reports that agree: {}", named(confirmed)));
    }
    if !suspected.is_empty() {
        let why = match reports {
            1 => format!(
                "worse in the one new report: {}; one confirms nothing: measure once more and give that report too, or use \
                 `bench pair`",
                named(suspected)
            ),
            _ => format!("worse in one new report and not in the other: {}", named(suspected)),
        };
        return (BenchResult::Inconclusive, why);
    }
    if !unclear.is_empty() {
        let few = unclear.iter().any(|metric| metric.new.iter().any(|one| one.place.is_none()));
        let fix = match few {
            true => format!("measure for at least {FEWEST} s, each second shows how much the figures differ"),
            false => "the difference lies within the noise; measure longer, on a machine with less to do"
                .to_owned(),
        };
        return (BenchResult::Inconclusive, format!("not to be told: {}; {fix}", named(unclear)));
    }
    (BenchResult::Pass, "nothing is worse than is allowed".to_owned())
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
        parts(report).iter().filter_map(|point| part(metric, point)).collect()
    };
    // The parts say how far it may be off; how much it is, the whole says.
    let interval = quotient(&values(old), &values(new), SEED, RESAMPLES);
    let interval = interval.map(|interval| interval.about((is / was).ln()).ratio());
    let better = if metric == Metric::Rate { Better::Higher } else { Better::Lower };
    let place = interval.map(|interval| interval.place(better, most));
    NewFigure { value: is, change: Some(is / was), interval, place }
}

fn errors(old: &BenchReport, new: &BenchReport, (was, is): (f64, f64), most: f64) -> NewFigure {
    // Each part's errors as to what a part has on average: their mean is the share of the whole.
    let shares = |report: &BenchReport| -> Vec<f64> {
        let parts = parts(report);
        let wrong = |point: &SeriesPoint| (point.refused + point.failed) as f64;
        let all: f64 = parts.iter().map(|point| wrong(point) + point.acknowledged as f64).sum();
        parts.iter().map(|point| 100.0 * wrong(point) * parts.len() as f64 / all.max(1.0)).collect()
    };
    let more = is - was;
    let interval = difference(&shares(old), &shares(new), SEED, RESAMPLES).map(|one| one.about(more));
    // No error at all needs no series to be no more errors.
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

/// The parts of a report's series that are whole: the last may have been cut short.
fn parts(report: &BenchReport) -> &[SeriesPoint] {
    let series = &report.series;
    let rates = report.phases.len().max(1) as u64;
    let whole = (report.load.duration_ms * rates).checked_div(series.interval_ms).unwrap_or_default();
    let whole = usize::try_from(whole).unwrap_or(usize::MAX).min(series.points.len());
    &series.points[..whole]
}

fn part(metric: Metric, point: &SeriesPoint) -> Option<f64> {
    let latency = |us: Option<u64>| us.map(|us| us as f64);
    match metric {
        Metric::Rate => Some(point.acknowledged as f64),
        Metric::P50 => latency(point.p50_us),
        Metric::P90 => latency(point.p90_us),
        Metric::P99 => latency(point.p99_us),
        Metric::Errors => None,
    }
}
