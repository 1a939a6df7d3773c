//! The changes in saved runs for people.

use std::fmt::Write as _;

use crate::bench::compare::history::{History, MetricHistory, Run, RunSeries};
use crate::bench::compare::messages;
use crate::bench::measure::compared::{Metric, Unit};
use crate::bench::show::messages::loop_of;
use crate::terminal::{BAD, BOLD, DIM, GOOD, clean, lines};

/// The report as text with ANSI colours.
pub fn render(history: &History) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let (tool, version) = (&history.tool.name, &history.tool.version);
    let _ =
        writeln!(text, "{BOLD}{tool} {version}{BOLD:#} · {}\n", messages::trend_of(&clean(&history.folder)));
    for series in &history.series {
        render_series(&mut text, series);
    }
    for note in &history.notes {
        let _ = writeln!(text, "note: {}", lines(note, "      "));
    }
    let runs: usize = history.series.iter().map(|series| series.runs.len()).sum();
    let changes: usize =
        history.series.iter().flat_map(|series| &series.metrics).map(|metric| metric.changes.len()).sum();
    let series = history.series.len();
    let _ = writeln!(text, "\n{}", messages::trend_result(history.result.describe(), changes, runs, series));
    text
}

fn render_series(text: &mut String, series: &RunSeries) {
    let of = loop_of(series.load.mode, &series.load.rates);
    let began = |run: Option<&Run>| run.map(|run| clean(&run.started_at).into_owned()).unwrap_or_default();
    let _ = writeln!(text, "{BOLD}{}{BOLD:#}", clean(&series.subject));
    let _ = writeln!(
        text,
        "  {DIM}{}{DIM:#}",
        messages::series(
            series.role.describe(),
            &of,
            series.load.concurrency,
            series.runs.len(),
            [&began(series.runs.first()), &began(series.runs.last())]
        )
    );
    for metric in &series.metrics {
        // Most runs have no errors.
        if metric.name != Metric::Errors || metric.values.iter().any(|value| *value > 0.0) {
            render_metric(text, metric, series);
        }
    }
    text.push('\n');
}

fn render_metric(text: &mut String, metric: &MetricHistory, series: &RunSeries) {
    let unit = match metric.unit {
        Unit::PerSecond => "/s",
        Unit::Milliseconds => " ms",
        Unit::Percent => " %",
    };
    let least = metric.values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = metric.values.iter().copied().fold(0.0, f64::max);
    let name = metric.name.name();
    let _ = writeln!(text, "  {name:<7} {}", messages::range_of_runs(least, most, unit));
    for change in &metric.changes {
        let (style, word) = if change.better { (GOOD, "better") } else { (BAD, "worse") };
        let run = &series.runs[change.run];
        let _ = writeln!(
            text,
            "    {style}{word:<7}{style:#} {}",
            messages::change(
                (change.before, change.after),
                unit,
                (&clean(&run.started_at), &clean(&run.file)),
                change.p
            )
        );
    }
}
