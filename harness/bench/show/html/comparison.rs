//! The comparison with a baseline.

use maud::{Markup, html};

use super::messages;
use super::table::{Cell, table};
use crate::bench::measure::compared::{MetricEntry, NewFigure, ReportComparison};
use crate::bench::show::comparison::{change, figure, within};
use crate::page::text;
use crate::statistics::Place;

pub(super) fn compared(comparison: &ReportComparison) -> Markup {
    let metrics = comparison.metrics.iter();
    let rows = metrics.flat_map(|metric| (0..).zip(&metric.new).map(|(at, new)| row(metric, at, new)));
    let head = ["figure", "verdict", "old", "new", "change", "95% interval"];
    html! {
        section aria-labelledby="compared" {
            h2 #compared { (text::line(&messages::compared_with(&comparison.old))) }
            p { (text::line(&messages::sentence(&comparison.why))) }
            (table(messages::comparison(), &head, rows.collect()))
        }
    }
}

/// The row of the new report at this place; others than the first repeat its load.
fn row(metric: &MetricEntry, at: usize, new: &NewFigure) -> Vec<Cell> {
    let verdict = match new.place {
        Some(Place::Within) => Cell::verdict("pass", "not worse"),
        Some(Place::Beyond) => Cell::verdict("fail", "worse"),
        Some(Place::Astride) | None => Cell::verdict("inconclusive", "inconclusive"),
    };
    let name = metric.name.name();
    let changed = new.change.and_then(|value| change(metric, value));
    let interval = new.interval.and_then(|interval| within(metric, &interval));
    vec![
        Cell::figure(&if at == 0 { name.to_owned() } else { messages::again(name) }),
        verdict,
        Cell::figure(&figure(metric, metric.old)),
        Cell::figure(&figure(metric, new.value)),
        Cell::figure(changed.as_deref().unwrap_or("–")),
        Cell::figure(interval.as_deref().unwrap_or("–")),
    ]
}
