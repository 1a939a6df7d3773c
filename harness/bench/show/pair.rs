//! The report of a pair of receivers for people.

use std::fmt::Write as _;

use crate::bench::compare::messages::percent;
use crate::bench::compare::pair::{Figure, PairReport, PairRound, PairSeries, SeriesName};
use crate::bench::show::messages;
use crate::bench::show::text::seconds;
use crate::plural::counted;
use crate::statistics::{Place, Steadiness, trimmed_mean};
use crate::terminal::{BAD, BOLD, DIM, GOOD, clean, lines};

/// The report as text with ANSI colours.
pub fn render(report: &PairReport) -> String {
    let mut text = String::new();
    let load = &report.load;
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "{BOLD}{} {}{BOLD:#} · {}",
        report.tool.name,
        report.tool.version,
        messages::head("pair", load, &report.dialect, &report.seed.to_string())
    );
    let _ = writeln!(text, "  base       {}", clean(&report.base));
    let _ = writeln!(text, "  candidate  {}", clean(&report.candidate));
    let _ = writeln!(
        text,
        "{DIM}{} · {} · {}{DIM:#}\n",
        counted(load.concurrency, "connection", "connections"),
        messages::measured_loads(seconds(load.duration_ms), seconds(load.warm_up_ms)),
        messages::machine(&report.machine)
    );
    for series in &report.series {
        rounds(&mut text, report, series);
    }
    for note in &report.notes {
        let _ = writeln!(text, "note: {}", lines(note, "      "));
    }
    let _ = writeln!(text, "{}\n\n{}", lines(&report.why, "  "), result_line(report));
    text
}

pub fn result_line(report: &PairReport) -> String {
    let last = report.series.iter().rev().find_map(|series| Some((series.name, series.ratio?)));
    let of = |name| if name == SeriesName::Control { "control" } else { "ratio" };
    let ratio = last.map(|(name, ratio)| {
        format!(" {} {:.3} within {:.3} to {:.3}", of(name), ratio.estimate, ratio.low, ratio.high)
    });
    format!(
        "RESULT: {} {}{} threshold {} seed {}",
        report.result,
        report.figure.name(),
        ratio.unwrap_or_default(),
        percent(report.max_regression),
        report.seed
    )
}

fn rounds(text: &mut String, report: &PairReport, series: &PairSeries) {
    let _ = writeln!(
        text,
        "{BOLD}{}{BOLD:#}: {}",
        series.name.describe(),
        counted(series.rounds.len(), "round", "rounds")
    );
    let of = |pick: fn(&PairRound) -> [f64; 2]| {
        let figures: Vec<f64> = series.rounds.iter().flat_map(pick).collect();
        trimmed_mean(&figures).map(|mean| match report.figure {
            Figure::Rate => format!("{mean:.1}/s"),
            Figure::P99 => format!("{:.3} ms", mean / 1e3),
        })
    };
    let second = if series.name == SeriesName::Control { "base again" } else { "candidate" };
    if let (Some(base), Some(other)) = (of(|round| round.base), of(|round| round.candidate)) {
        let _ = writeln!(text, "  {}", messages::pair_figures(report.figure.name(), &base, second, &other));
    }
    let Some(ratio) = series.ratio else {
        let _ = writeln!(text, "  {BAD}ended early{BAD:#}\n");
        return;
    };
    let (style, words) = match series.name {
        SeriesName::Control => match ratio.steadiness(report.max_regression) {
            Steadiness::Steady => (GOOD, "steady"),
            Steadiness::Wide => (BAD, "too noisy"),
            Steadiness::Biased => (BAD, "too far from 1"),
        },
        SeriesName::First | SeriesName::Second => {
            match ratio.place(report.figure.better(), report.max_regression) {
                Place::Within => (GOOD, "not worse"),
                Place::Astride => (DIM, "inconclusive"),
                Place::Beyond => (BAD, "WORSE"),
            }
        }
    };
    let _ = writeln!(
        text,
        "  {}: {style}{words}{style:#} (threshold {})\n",
        messages::ratio(ratio.estimate, ratio.low, ratio.high),
        percent(report.max_regression)
    );
}
