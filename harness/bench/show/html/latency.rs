//! Latency by percentile, and latency and rate over time and at each rate.

use maud::{Markup, html};

use super::axis::Axis;
use super::chart::{Chart, Column, Line};
use super::messages;
use super::table::{Cell, table};
use crate::bench::measure::figures::{Latency, Measured, PhaseEntry, SeriesEntry, SeriesPoint};
use crate::bench::measure::report::BenchReport;
use crate::bench::show::text::ms;

/// The most points of a line.
const MOST_POINTS: usize = 1000;
/// The most places over time that have a value. In a longer series each stands for several parts.
const MOST_PLACES: usize = 300;
/// The names of powers of ten on the axis of percentiles.
const PERCENTILES: [&str; 8] = ["0", "90", "99", "99.9", "99.99", "99.999", "99.9999", "99.99999"];

pub(super) fn phases(phases: &[PhaseEntry]) -> Markup {
    let row = |phase: &PhaseEntry| {
        let Measured { latency, rate, refused, failed, .. } = &phase.measured;
        let rates = [phase.rate.unwrap_or_default(), phase.achieved, *rate].map(|rate| format!("{rate:.1}"));
        let times = [latency.p50_us, latency.p90_us, latency.p99_us, latency.p999_us, latency.max_us].map(ms);
        let cells = rates.into_iter().chain(times).chain([(refused + failed).to_string()]);
        cells.map(|cell| Cell::figure(&cell)).collect()
    };
    let head =
        ["rate /s", "sent /s", "accepted /s", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms", "errors"];
    html! {
        @if phases.len() > 1 {
            section aria-labelledby="rates" {
                h2 #rates { "At each rate" }
                (table(messages::at_each_rate(), &head, phases.iter().map(row).collect()))
            }
        }
    }
}

pub(super) fn distribution(report: &BenchReport) -> Markup {
    let latency = &report.total.latency;
    if latency.count == 0 {
        return Markup::default();
    }
    // The share that is slower, on a logarithmic axis: from all at the left to one delivery at the right.
    let end = (latency.count as f64).log10().max(1.0);
    let points = slower(latency);
    let values: Vec<f64> = points.iter().filter_map(|(_, value)| *value).collect();
    let ticks = (0..).zip(PERCENTILES).map(|(at, name)| (f64::from(at), name.to_owned()));
    let half = (2f64.log10(), "50".to_owned());
    let mut ticks: Vec<(f64, String)> = ticks.chain([half]).filter(|(at, _)| *at <= end).collect();
    ticks.sort_by(|one, other| one.0.total_cmp(&other.0));
    let chart = Chart {
        label: messages::percentiles_chart(),
        up_name: messages::logarithmic_ms(),
        across: Axis::with_ticks(end, ticks).across(),
        up: Axis::logarithmic(&values).up(),
        lines: vec![Line { class: "a", name: "latency", points }],
        marks: Vec::new(),
        limits: Vec::new(),
        head: vec!["percentile", "latency"],
        columns: percentiles(latency, end),
        is_open: false,
    };
    html! {
        section aria-labelledby="percentiles" {
            h2 #percentiles { (messages::percentiles()) }
            p.dim { (messages::percentiles_caption(report.is_open_loop())) }
            (chart.render())
        }
    }
}

/// The line of a distribution: at the logarithm of the share that is slower, the latency in milliseconds.
fn slower(latency: &Latency) -> Vec<(f64, Option<f64>)> {
    let mut points = vec![(0.0, Some(latency.min_us.max(1) as f64 / 1e3))];
    let mut until = 0_u64;
    let every = latency.buckets.len().div_ceil(MOST_POINTS).max(1);
    for (at, (value, count)) in latency.buckets.iter().enumerate() {
        until = until.saturating_add(*count);
        let slower = latency.count.saturating_sub(until).max(1) as f64 / latency.count as f64;
        if at % every == 0 || at + 1 == latency.buckets.len() {
            points.push((-slower.log10(), Some((*value).min(latency.max_us).max(1) as f64 / 1e3)));
        }
    }
    points
}

/// The latencies at round percentiles: 10, 20 … 90, 91 … 99, 99.1 and so on.
fn percentiles(latency: &Latency, end: f64) -> Vec<Column> {
    let mut columns = Vec::new();
    let decades = 0..PERCENTILES.len() as i32;
    for (decade, tenths) in decades.flat_map(|decade| (1..=9).rev().map(move |tenths| (decade, tenths))) {
        let slower = f64::from(tenths) * 10f64.powi(-decade - 1);
        let at = -slower.log10();
        if at > end {
            break;
        }
        let decimals = usize::try_from(decade - 1).unwrap_or_default();
        let name = format!("{:.decimals$}%", (1.0 - slower) * 100.0);
        let value = at_quantile(latency, 1.0 - slower);
        let value = format!("{} ms", ms(value));
        let said = messages::at_place(&name, std::slice::from_ref(&value));
        columns.push(Column { at, said, rows: vec![vec![name, value]] });
    }
    columns
}

/// The latency within which this share of deliveries ended, in microseconds.
fn at_quantile(latency: &Latency, share: f64) -> u64 {
    let wanted = (share * latency.count as f64 - 1e-6).ceil();
    let mut until = 0_u64;
    let reached = latency.buckets.iter().find(|(_, count)| {
        until = until.saturating_add(*count);
        until as f64 >= wanted
    });
    reached.map_or(latency.max_us, |(value, _)| (*value).min(latency.max_us))
}

/// Parts of a series that are one place of its charts.
struct Place {
    from: f64,
    to: f64,
    accepted: f64,
    errors: f64,
    /// p50, p90 and p99 in microseconds, each the highest of the parts.
    latencies: [Option<u64>; 3],
}

pub(super) fn over_time(series: &SeriesEntry) -> Markup {
    if series.points.len() < 2 {
        return Markup::default();
    }
    let every = series.points.len().div_ceil(MOST_PLACES);
    let step = series.interval_ms.max(1) as f64 / 1e3;
    let places: Vec<Place> = (0..)
        .step_by(every)
        .zip(series.points.chunks(every))
        .map(|(at, parts)| place(at, parts, step))
        .collect();
    let end = series.points.len() as f64 * step;
    html! {
        section aria-labelledby="over-time" {
            h2 #over-time { (messages::over_time()) }
            @if every > 1 { p.dim { (messages::joined_parts(every as f64 * step)) } }
            h3 { (messages::rate_over_time()) }
            (rates(&places, end))
            h3 { (messages::latency_over_time()) }
            (latencies(&places, end))
        }
    }
}

fn place(at: usize, parts: &[SeriesPoint], step: f64) -> Place {
    let count = |of: fn(&SeriesPoint) -> u64| parts.iter().map(of).sum::<u64>() as f64;
    let highest = |of: fn(&SeriesPoint) -> Option<u64>| parts.iter().filter_map(of).max();
    let seconds = parts.len() as f64 * step;
    let from = at as f64 * step;
    Place {
        from,
        to: from + seconds,
        accepted: count(|point| point.acknowledged) / seconds,
        errors: count(|point| point.refused + point.failed) / seconds,
        latencies: [
            highest(|point| point.p50_us),
            highest(|point| point.p90_us),
            highest(|point| point.p99_us),
        ],
    }
}

impl Place {
    fn middle(&self) -> f64 {
        f64::midpoint(self.from, self.to)
    }

    fn column<const N: usize>(&self, head: [&str; N], cells: [String; N]) -> Column {
        let name = messages::from_to(self.from, self.to);
        let known = head.iter().zip(&cells).filter(|(_, cell)| !cell.is_empty());
        let said: Vec<String> = known.map(|(head, cell)| format!("{head} {cell}")).collect();
        let said = messages::at_place(&name, &said);
        Column { at: self.middle(), said, rows: vec![[name].into_iter().chain(cells).collect()] }
    }
}

fn rates(places: &[Place], end: f64) -> Markup {
    let line = |class, name, of: fn(&Place) -> f64| Line {
        class,
        name,
        points: places.iter().map(|place| (place.middle(), Some(of(place)))).collect(),
    };
    let has_errors = places.iter().any(|place| place.errors > 0.0);
    let mut lines = vec![line("a", "accepted", |place| place.accepted)];
    if has_errors {
        lines.push(line("b", "errors", |place| place.errors));
    }
    let most = places.iter().map(|place| place.accepted.max(place.errors)).fold(0.0, f64::max) * 1.05;
    let per_second = |rate: f64| format!("{rate:.1}/s");
    let chart = Chart {
        label: messages::rate_chart(),
        up_name: messages::per_second(),
        across: Axis::from_zero(end, " s").across(),
        up: Axis::from_zero(most, "").up(),
        lines,
        marks: Vec::new(),
        limits: Vec::new(),
        head: vec!["time", "accepted", "errors"],
        columns: places
            .iter()
            .map(|place| place.column(["accepted", "errors"], [place.accepted, place.errors].map(per_second)))
            .collect(),
        is_open: false,
    };
    chart.render()
}

fn latencies(places: &[Place], end: f64) -> Markup {
    let milliseconds = |us: u64| us.max(1) as f64 / 1e3;
    let known: Vec<f64> =
        places.iter().flat_map(|place| place.latencies.into_iter().flatten()).map(milliseconds).collect();
    if known.is_empty() {
        return html! { p.dim { (messages::no_latencies()) } };
    }
    let line = |(at, class, name): (usize, &'static str, &'static str)| Line {
        class,
        name,
        points: places.iter().map(|place| (place.middle(), place.latencies[at].map(milliseconds))).collect(),
    };
    let shown = |us: Option<u64>| us.map(|us| format!("{} ms", ms(us))).unwrap_or_default();
    let chart = Chart {
        label: messages::latency_chart(),
        up_name: messages::logarithmic_ms(),
        across: Axis::from_zero(end, " s").across(),
        up: Axis::logarithmic(&known).up(),
        lines: [(2, "b", "p99"), (1, "c", "p90"), (0, "a", "p50")].map(line).into(),
        marks: Vec::new(),
        limits: Vec::new(),
        head: vec!["time", "p50", "p90", "p99"],
        columns: places
            .iter()
            .map(|place| place.column(["p50", "p90", "p99"], place.latencies.map(shown)))
            .collect(),
        is_open: false,
    };
    chart.render()
}
