//! The report of a pair of receivers for people.

use std::fmt::Write as _;

use crate::bench::compare::messages::percent;
use crate::bench::compare::pair::{Figure, PairFigure, PairReport, Says};
use crate::bench::show::messages;
use crate::bench::show::text::seconds;
use crate::plural::counted;
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
    figures(&mut text, report);
    for note in &report.notes {
        let _ = writeln!(text, "note: {}", lines(note, "      "));
    }
    let _ = writeln!(text, "{}\n\n{}", lines(&report.why, "  "), result_line(report));
    text
}

pub fn result_line(report: &PairReport) -> String {
    let decided = report.figures.iter().find(|one| Some(one.figure) == report.decided_by);
    let ratio = decided.and_then(|one| Some((one.figure, one.deciding()?)));
    let ratio = ratio.map(|(figure, ratio)| messages::pair_decided_by(figure.describe(), &ratio));
    messages::pair_result(
        report.result.describe(),
        &ratio.unwrap_or_default(),
        &percent(report.max_regression),
        report.starts.len(),
        report.seed,
    )
}

/// A line for each figure, and how many starts and rounds they are from.
fn figures(text: &mut String, report: &PairReport) {
    for one in &report.figures {
        let name = one.figure.describe();
        let [base, candidate] = [one.base, one.candidate].map(|value| value_of(one.figure, value));
        let _ = writeln!(text, "  {BOLD}{name:<14}{BOLD:#}  base {base:>12}  candidate {candidate:>12}");
        if let (Some(ratio), Some(control)) = (one.ratio, one.control) {
            let (style, words) = said(one);
            let ratio = messages::ratio(&ratio);
            let control = messages::ratio_of_control(&control);
            let _ = writeln!(text, "    {ratio}  {style}{words}{style:#}\n    {DIM}{control}{DIM:#}");
        }
        if let (true, Some(total)) = (one.decides, one.total) {
            let total = messages::ratio_of_all(&total);
            let _ = writeln!(text, "    {DIM}{total}{DIM:#}");
        }
        if let (true, Some(power)) = (one.decides, one.power) {
            let _ = writeln!(text, "    {DIM}{}{DIM:#}", messages::power(2.0 * one.threshold, power));
        }
    }
    let rounds = report.starts.iter().map(|start| start.rounds.len()).sum();
    let took = seconds(report.duration_ms);
    let _ = writeln!(text, "  {}\n", messages::measured_starts(report.starts.len(), rounds, took));
}

fn value_of(figure: Figure, value: f64) -> String {
    match figure {
        Figure::Rate => format!("{value:.1}/s"),
        Figure::P99 => format!("{:.3} ms", value / 1e3),
        Figure::ProcessorTime => format!("{value:.1} µs"),
        Figure::Memory => format!("{value:.1} MiB"),
    }
}

fn said(figure: &PairFigure) -> (anstyle::Style, &'static str) {
    match figure.says() {
        _ if !figure.decides => (DIM, "only shown"),
        Says::Slower => (BAD, "WORSE"),
        Says::NotSlower => (GOOD, "not worse"),
        Says::TooWide => (DIM, messages::too_wide()),
        Says::Unsteady => (DIM, "control not steady"),
        Says::TooFew => (DIM, "too few starts"),
    }
}
