//! The comparison of reports for people: each metric, its change, and the verdict.

use std::fmt::Write as _;

use crate::bench::compare::messages::percent;
use crate::bench::measure::compared::{MetricEntry, NewFigure, ReportComparison, Unit};
use crate::bench::show::messages;
use crate::statistics::{Interval, Place};
use crate::terminal::{BAD, BOLD, DIM, GOOD, clean, lines};

/// The comparison as text with ANSI colours.
pub fn render(comparison: &ReportComparison) -> String {
    let changes: Vec<String> = comparison
        .metrics
        .iter()
        .filter_map(|metric| {
            let shown = metric.new.first().and_then(|new| change(metric, new.change?))?;
            Some(format!(" {} {shown}", metric.name.name()))
        })
        .collect();
    format!("{}\nRESULT: {}{}\n", table(comparison), comparison.result, changes.concat())
}

pub fn table(comparison: &ReportComparison) -> String {
    let mut text = String::new();
    let new = comparison.new.join(", ");
    // Writing to a string does not fail.
    let _ = writeln!(text, "{BOLD}{}{BOLD:#}", messages::compared(&clean(&new), &clean(&comparison.old)));
    let _ = writeln!(
        text,
        "  {DIM}{:<7} {:>14} {:>14} {:>9}  {:<20} verdict{DIM:#}",
        "", "old", "new", "change", "95% interval"
    );
    for metric in &comparison.metrics {
        for (at, new) in metric.new.iter().enumerate() {
            let name = if at == 0 { metric.name.name() } else { "  again" };
            let old = if at == 0 { figure(metric, metric.old) } else { String::new() };
            let (style, words) = verdict(metric, new);
            let _ = writeln!(
                text,
                "  {name:<7} {old:>14} {:>14} {:>9}  {:<20} {style}{words}{style:#}",
                figure(metric, new.value),
                new.change.and_then(|value| change(metric, value)).unwrap_or_else(|| "–".to_owned()),
                new.interval.and_then(|interval| within(metric, &interval)).unwrap_or_else(|| "–".to_owned()),
            );
        }
    }
    let _ = writeln!(text, "  {}", lines(&comparison.why, "  "));
    text
}

pub(super) fn figure(metric: &MetricEntry, value: f64) -> String {
    match metric.unit {
        Unit::PerSecond => format!("{value:.1}/s"),
        Unit::Milliseconds => format!("{value:.3} ms"),
        Unit::Percent => format!("{value:.3}%"),
    }
}

/// A change in percent; for errors, in percentage points.
pub(super) fn change(metric: &MetricEntry, change: f64) -> Option<String> {
    change.is_finite().then(|| match metric.unit {
        // Adding 0 turns -0 into 0.
        Unit::Percent => format!("{:+.2}pp", (change * 100.0).round() / 100.0 + 0.0),
        _ => format!("{:+.1}%", (change - 1.0) * 100.0),
    })
}

pub(super) fn within(metric: &MetricEntry, interval: &Interval) -> Option<String> {
    Some(format!("{} to {}", change(metric, interval.low)?, change(metric, interval.high)?))
}

fn verdict(metric: &MetricEntry, new: &NewFigure) -> (anstyle::Style, String) {
    let most = match metric.unit {
        Unit::Percent => format!("{}pp", metric.max_regression),
        Unit::PerSecond | Unit::Milliseconds => percent(metric.max_regression),
    };
    match new.place {
        Some(Place::Within) => (GOOD, messages::not_worse(&most)),
        Some(Place::Beyond) => (BAD, messages::worse(&most)),
        Some(Place::Astride) => (DIM, messages::within_noise(&most)),
        None => (DIM, messages::noise_unknown().to_owned()),
    }
}
