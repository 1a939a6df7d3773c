//! The report of a benchmark for people: the rate, the latencies, the course of both, and what went wrong.
//!
//! Invariant: the last line is the result line, and colours carry nothing that words do not.

use std::fmt::Write as _;

use crate::bench::measure::figures::{Measured, SeriesEntry, SeriesPoint, ShownExchange, StatusCount};
use crate::bench::measure::objective::Bound;
use crate::bench::measure::report::{BenchReport, LoadMode, SearchEntry, SendingEntry};
use crate::bench::show::comparison;
use crate::bench::show::style::message;
use crate::terminal::{BAD, BOLD, DIM, GOOD, clean};

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const WIDEST: usize = 60;
/// The report as text with ANSI colours; they are taken off where they are not wanted.
pub fn render(report: &BenchReport) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "{BOLD}{} {}{BOLD:#} · bench {} {} · dialect {} · seed {}",
        report.tool.name,
        report.tool.version,
        report.role.describe(),
        report.subject,
        report.dialect,
        seed(report)
    );
    let load = &report.load;
    let _ = writeln!(
        text,
        "{DIM}{} · {} · {} · {} s measured behind {} s of warm-up · {} cores, {} {}{DIM:#}",
        mode(report),
        concurrency(report),
        counted(load.threads, "thread"),
        seconds(load.duration_ms),
        seconds(load.warm_up_ms),
        report.machine.cores,
        report.machine.os,
        report.machine.arch
    );
    if let Some(search) = &report.search {
        searched(&mut text, search);
    }
    if report.phases.len() > 1 {
        phases(&mut text, report);
    }
    totals(&mut text, report);
    course(&mut text, &report.series);
    judged(&mut text, report);
    if !report.thresholds.is_empty() {
        let _ = writeln!(text);
    }
    for one in &report.thresholds {
        let (style, word) = if one.held { (GOOD, "held") } else { (BAD, "NOT HELD") };
        let unit = if matches!(one.bound, Bound::Errors(_)) { "%" } else { " ms" };
        let _ =
            writeln!(text, "  {style}{word:<10}{style:#} {} (measured {:.3}{unit})", one.bound, one.measured);
    }
    if let Some(one) = &report.comparison {
        let _ = write!(text, "\n{}", comparison::table(one));
    }
    for note in &report.notes {
        let _ = writeln!(text, "\nnote: {note}");
    }
    let _ = writeln!(text, "\n{}", result_line(report));
    text
}

/// The line that ends a report: one that can be searched for.
pub fn result_line(report: &BenchReport) -> String {
    let total = &report.total;
    let found = report.search.as_ref().map(|search| match search.found {
        Some(rate) => format!(" max {rate:.1}/s"),
        None => " max none".to_owned(),
    });
    let judged = match &report.sending {
        Some(sending) => format!("wrong {} duplicated {}", sending.ledger.wrong, sending.ledger.duplicated),
        None => format!("probes {}/{}", report.probes.let_through, report.probes.sent),
    };
    // What was not measured is no figure.
    let told = |us: u64| if total.latency.count == 0 { "-".to_owned() } else { format!("{}ms", ms(us)) };
    format!(
        "RESULT: {}{} rate {:.1}/s p50 {} p99 {} errors {}/{} {judged} seed {}",
        report.result,
        found.unwrap_or_default(),
        total.rate,
        told(total.latency.p50_us),
        told(total.latency.p99_us),
        total.refused + total.failed,
        total.acknowledged + total.refused + total.failed,
        seed(report)
    )
}

/// The seed; of what another tool has measured there is none.
pub(super) fn seed(report: &BenchReport) -> String {
    report.seed.map_or_else(|| "none".to_owned(), |seed| seed.to_string())
}

fn concurrency(report: &BenchReport) -> String {
    let count = report.load.concurrency;
    match (&report.sending, report.load.mode) {
        (None, _) => counted(count, "connection"),
        (Some(_), LoadMode::Saturation) => format!("{} under way", counted(count, "event")),
        (Some(_), _) => format!("{} at the same time", counted(count, "request")),
    }
}

fn mode(report: &BenchReport) -> String {
    let rates: Vec<String> = report.load.rates.iter().map(|rate| format!("{rate}")).collect();
    match report.load.mode {
        LoadMode::Rate | LoadMode::RateSteps => format!("{}/s", rates.join(", ")),
        other => other.describe().to_owned(),
    }
}

fn searched(text: &mut String, search: &SearchEntry) {
    let _ = writeln!(text, "\n{BOLD}the highest rate that holds {}{BOLD:#}", search.objective);
    for trial in &search.trials {
        let (style, word) = match (trial.held, trial.cut_short) {
            (true, _) => (GOOD, "held"),
            (false, true) => (DIM, "cut off"),
            (false, false) => (BAD, "not held"),
        };
        let again = if trial.confirmation { " (once more)" } else { "" };
        let why = if trial.why.is_empty() { String::new() } else { format!("  {}", trial.why) };
        let _ = writeln!(
            text,
            "  {:>10.1}/s  {style}{word:<8}{style:#}  p50 {} ms  p99 {} ms{again}{why}",
            trial.rate,
            ms(trial.p50_us),
            ms(trial.p99_us)
        );
    }
    let _ = match search.found {
        Some(rate) => writeln!(text, "  {rate:.1} deliveries per second"),
        None => match search.trials.iter().rfind(|trial| trial.held) {
            Some(trial) => writeln!(text, "  {BAD}none confirmed{BAD:#}: {:.1}/s held once", trial.rate),
            None => writeln!(text, "  {BAD}none of the rates tried{BAD:#}"),
        },
    };
}

fn phases(text: &mut String, report: &BenchReport) {
    let _ = writeln!(
        text,
        "\n{BOLD}{:>12} {:>12} {:>12} {:>10} {:>10} {:>10} {:>8}{BOLD:#}",
        "asked /s", "sent /s", "acked /s", "p50 ms", "p99 ms", "max ms", "errors"
    );
    for phase in &report.phases {
        let Measured { latency, rate, refused, failed, .. } = &phase.measured;
        let _ = writeln!(
            text,
            "{:>12.1} {:>12.1} {rate:>12.1} {:>10} {:>10} {:>10} {:>8}",
            phase.rate.unwrap_or_default(),
            phase.achieved,
            ms(latency.p50_us),
            ms(latency.p99_us),
            ms(latency.max_us),
            refused + failed
        );
    }
}

fn totals(text: &mut String, report: &BenchReport) {
    let total = &report.total;
    let latency = &total.latency;
    let _ = match &report.sending {
        None => writeln!(text, "\n{BOLD}{:.1} deliveries acknowledged per second{BOLD:#}", total.rate),
        Some(sending) => writeln!(
            text,
            "\n{BOLD}{:.1} events per second{BOLD:#}, {:.1} deliveries to {}",
            sending.events_per_s,
            total.rate,
            counted(sending.webhooks, "webhook")
        ),
    };
    if let Some(sending) = &report.sending {
        let _ = writeln!(text, "  sender       {}", clean(&sending.sender));
    }
    let _ = writeln!(
        text,
        "  latency ms   {DIM}min{DIM:#} {}  {DIM}p50{DIM:#} {}  {DIM}p90{DIM:#} {}  {DIM}p99{DIM:#} {}  \
         {DIM}p99.9{DIM:#} {}  {DIM}max{DIM:#} {}  {DIM}mean{DIM:#} {:.3}  {DIM}stdev{DIM:#} {:.3}",
        ms(latency.min_us),
        ms(latency.p50_us),
        ms(latency.p90_us),
        ms(latency.p99_us),
        ms(latency.p999_us),
        ms(latency.max_us),
        latency.mean_us / 1e3,
        latency.stdev_us / 1e3
    );
    let (sent, arrived) =
        if report.sending.is_some() { ("expected", "arrived") } else { ("sent", "acknowledged") };
    let _ = writeln!(
        text,
        "  deliveries   {} {sent}, {} {arrived}, {} refused, {} failed",
        total.sent, total.acknowledged, total.refused, total.failed
    );
    let errors: Vec<String> =
        total.errors.iter().map(|error| format!("{} {}", error.count, error.name)).collect();
    let errors = if errors.is_empty() { String::new() } else { format!("; {}", errors.join(", ")) };
    let _ = writeln!(text, "  answers      {}{errors}", listed(&total.statuses));
    let mib = |bytes: u64| bytes as f64 / 1_048_576.0;
    let sent = match report.sending {
        None => format!("{:.1} MiB sent, ", mib(total.bytes_sent)),
        Some(_) => String::new(),
    };
    let _ = writeln!(text, "  bytes        {sent}{:.1} MiB received", mib(total.bytes_received));
}

fn course(text: &mut String, series: &SeriesEntry) {
    if series.points.len() < 2 {
        return;
    }
    let of = |value: fn(&SeriesPoint) -> u64| -> Vec<u64> { series.points.iter().map(value).collect() };
    let each = if series.interval_ms == 1000 {
        "second".to_owned()
    } else {
        format!("{} s", seconds(series.interval_ms))
    };
    let _ = writeln!(text, "\n{BOLD}each {each}{BOLD:#}");
    let rates = of(|point| point.acknowledged);
    let _ = writeln!(text, "  acknowledged {}  {}", sparkline(&rates), range(&rates, u64::to_string));
    // A second in which nothing was acknowledged has no latency, and is no fast one.
    let slowest: Vec<Option<u64>> = series.points.iter().map(|point| point.p99_us).collect();
    let known: Vec<u64> = slowest.iter().copied().flatten().collect();
    if !known.is_empty() {
        let mut marks = sparkline(&known).chars().collect::<Vec<_>>().into_iter();
        let line: String = slowest.iter().map(|one| one.and_then(|_| marks.next()).unwrap_or(' ')).collect();
        let _ = writeln!(text, "  p99 ms       {line}  {}", range(&known, |us| ms(*us)));
    }
    let errors = of(|point| point.refused + point.failed);
    if errors.iter().any(|count| *count > 0) {
        let _ = writeln!(text, "  errors       {}  {}", sparkline(&errors), range(&errors, u64::to_string));
    }
}

fn judged(text: &mut String, report: &BenchReport) {
    let probes = &report.probes;
    let _ = match &report.sending {
        None => writeln!(
            text,
            "\n{BOLD}probes{BOLD:#}: {} that must be refused, {} let through ({})",
            probes.sent,
            probes.let_through,
            listed(&probes.statuses)
        ),
        Some(SendingEntry { ledger, .. }) => writeln!(
            text,
            "\n{BOLD}received{BOLD:#}: {} with the warm-up; {} wrong, {} duplicated, {} lost, {} out of order",
            ledger.received,
            ledger.wrong,
            ledger.duplicated,
            ledger.lost.unwrap_or(ledger.gaps),
            ledger.out_of_order
        ),
    };
    for kind in probes.kinds.iter().filter(|kind| kind.let_through > 0) {
        let _ = writeln!(
            text,
            "  {BAD}LET THROUGH{BAD:#} {} {} {}: {} of {}",
            kind.requirement, kind.level, kind.name, kind.let_through, kind.sent
        );
        kind.exchange.iter().for_each(|exchange| shown(text, exchange));
    }
    for unexpected in &report.unexpected {
        let _ =
            writeln!(text, "\n{BAD}{}{BAD:#} × {}: {}", unexpected.kind, unexpected.count, unexpected.text);
        shown(text, &unexpected.exchange);
    }
}

fn shown(text: &mut String, exchange: &ShownExchange) {
    // Of what was asked of a sender the time is not known.
    let _ = match exchange.at_ms {
        0.0 => writeln!(text, "    the first one:"),
        at_ms => writeln!(text, "    the first one, {at_ms:.0} ms after the start:"),
    };
    for (mark, part) in [('→', &exchange.request), ('←', &exchange.answer)] {
        if part.is_empty() {
            let _ = writeln!(text, "    {mark} (nothing)");
        }
        message(text, mark, part);
    }
}

/// A series as a row of blocks, from nothing to its greatest value; where it is long, each block is a mean.
pub fn sparkline(values: &[u64]) -> String {
    let group = values.len().div_ceil(WIDEST).max(1);
    let means: Vec<f64> =
        values.chunks(group).map(|part| part.iter().sum::<u64>() as f64 / part.len() as f64).collect();
    let most = means.iter().copied().fold(0.0, f64::max);
    let block = |value: &f64| {
        let height = if most > 0.0 { value / most * (BLOCKS.len() - 1) as f64 } else { 0.0 };
        BLOCKS[height.round() as usize]
    };
    means.iter().map(block).collect()
}

fn range(values: &[u64], show: impl Fn(&u64) -> String) -> String {
    let (least, most) = (values.iter().min(), values.iter().max());
    let shown = |value: Option<&u64>| value.map(&show).unwrap_or_default();
    format!("{DIM}{} to {}{DIM:#}", shown(least), shown(most))
}

fn listed(statuses: &[StatusCount]) -> String {
    let shown: Vec<String> = statuses.iter().map(|one| format!("{} × {}", one.status, one.count)).collect();
    if shown.is_empty() { "no answers".to_owned() } else { shown.join(", ") }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

pub(super) fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

pub(super) fn ms(us: u64) -> String {
    format!("{:.3}", us as f64 / 1000.0)
}
