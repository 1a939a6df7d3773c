//! The report of a benchmark as text: the rate, the latencies, both over time, and unexpected answers.
//!
//! The last line is the result line. Colours only repeat what the words say.

use std::fmt::Write as _;

use crate::bench::measure::figures::{Measured, SeriesEntry, SeriesPoint, ShownExchange, StatusCount};
use crate::bench::measure::report::{BenchReport, LoadMode, SearchEntry, SendingEntry};
use crate::bench::show::comparison;
use crate::bench::show::messages;
use crate::bench::show::style::message;
use crate::plural::counted;
use crate::terminal::{BAD, BOLD, DIM, GOOD, clean, lines};

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const WIDEST: usize = 60;

/// The report as text with ANSI colours, which the terminal strips if needed.
pub fn render(report: &BenchReport) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "{BOLD}{} {}{BOLD:#} · {}",
        report.tool.name,
        report.tool.version,
        messages::head(
            &format!("{} {}", report.role.describe(), clean(&report.subject)),
            &report.load,
            &report.dialect,
            &seed(report)
        )
    );
    let load = &report.load;
    let _ = writeln!(
        text,
        "{DIM}{} · {} · {} · {}{DIM:#}",
        concurrency(report),
        counted(load.threads, "thread", "threads"),
        messages::measured_time(seconds(load.duration_ms), seconds(load.warm_up_ms)),
        messages::machine(&report.machine)
    );
    if load.mode != LoadMode::Saturation {
        let _ = writeln!(text, "{DIM}{}{DIM:#}", messages::latency_corrected());
    }
    if let Some(search) = &report.search {
        trials(&mut text, search);
    }
    if report.phases.len() > 1 {
        phases(&mut text, report);
    }
    totals(&mut text, report);
    over_time(&mut text, &report.series);
    unexpected(&mut text, report);
    if !report.thresholds.is_empty() {
        let _ = writeln!(text);
    }
    for check in &report.thresholds {
        let (style, word) = if check.held { (GOOD, "met") } else { (BAD, "NOT MET") };
        let (bound, measured) = (check.bound, check.shown());
        let _ = writeln!(text, "  {style}{word:<10}{style:#} {bound} (measured {measured})");
    }
    if let Some(compared) = &report.comparison {
        let _ = write!(text, "\n{}", comparison::table(compared));
    }
    for note in &report.notes {
        let _ = writeln!(text, "\nnote: {}", lines(note, "      "));
    }
    let _ = writeln!(text, "\n{}", result_line(report));
    text
}

/// The last line of a report, which scripts can search for.
pub fn result_line(report: &BenchReport) -> String {
    let total = &report.total;
    let found = report.search.as_ref().map(|search| match search.found {
        Some(rate) => format!(" max {rate:.1}/s"),
        None => " max none".to_owned(),
    });
    let counts = match &report.sending {
        Some(sending) => format!("wrong {} duplicated {}", sending.ledger.wrong, sending.ledger.duplicated),
        None => format!("probes {}/{}", report.probes.let_through, report.probes.sent),
    };
    let latency = |us: u64| if total.latency.count == 0 { "-".to_owned() } else { format!("{}ms", ms(us)) };
    let [p50, p99] = [total.latency.p50_us, total.latency.p99_us].map(latency);
    let result = format!("{}{}", report.result, found.unwrap_or_default());
    messages::result(&result, total, &p50, &p99, &counts, &seed(report))
}

/// The seed, which reports of other tools lack.
pub(super) fn seed(report: &BenchReport) -> String {
    report.seed.map_or_else(|| "none".to_owned(), |seed| seed.to_string())
}

/// How much is in flight.
pub(super) fn concurrency(report: &BenchReport) -> String {
    let count = report.load.concurrency;
    match (&report.sending, report.load.mode) {
        (None, _) => counted(count, "connection", "connections"),
        (Some(_), LoadMode::Saturation) => messages::events_in_flight(count),
        (Some(_), _) => messages::requests_in_flight(count),
    }
}

fn trials(text: &mut String, search: &SearchEntry) {
    let _ = writeln!(text, "\n{BOLD}{}{BOLD:#}", messages::search_title(&search.objective));
    if let Some(rate) = search.saturation {
        let _ = writeln!(text, "  {DIM}{}{DIM:#}", messages::saturation(rate));
    }
    for trial in &search.trials {
        let (style, word) = match (trial.held, trial.cut_short) {
            (true, _) => (GOOD, "met"),
            (false, true) => (DIM, "stopped"),
            (false, false) => (BAD, "not met"),
        };
        let again = if trial.confirmation { " (confirmation)" } else { "" };
        let why = if trial.why.is_empty() { String::new() } else { format!("  {}", clean(&trial.why)) };
        let _ = writeln!(
            text,
            "  {:>10.1}/s  {style}{word:<8}{style:#}  p50 {} ms  p99 {} ms{again}{why}",
            trial.rate,
            ms(trial.p50_us),
            ms(trial.p99_us)
        );
    }
    let _ = match search.found {
        Some(rate) => {
            writeln!(text, "  {}", messages::highest(rate, search.missed.zip(search.bounded_by)))
        }
        None if !search.stable => writeln!(text, "  {BAD}{}{BAD:#}", messages::unstable()),
        None => match search.trials.iter().rfind(|trial| trial.held) {
            Some(trial) => writeln!(
                text,
                "  {BAD}{}{BAD:#}: {}",
                messages::no_confirmed_rate(),
                messages::met_once(trial.rate)
            ),
            None => writeln!(text, "  {BAD}{}{BAD:#}", messages::no_rate()),
        },
    };
}

fn phases(text: &mut String, report: &BenchReport) {
    let _ = writeln!(
        text,
        "\n{BOLD}{:>12} {:>12} {:>12} {:>10} {:>10} {:>10} {:>8}{BOLD:#}",
        "rate /s", "sent /s", "accepted /s", "p50 ms", "p99 ms", "max ms", "errors"
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
        None => writeln!(text, "\n{BOLD}{}{BOLD:#}", messages::accepted_per_second(total.rate)),
        Some(sending) => writeln!(
            text,
            "\n{BOLD}{}{BOLD:#}, {}",
            messages::events_per_second(sending.events_per_s),
            messages::deliveries_per_second(total.rate, sending.webhooks)
        ),
    };
    if let Some(sending) = &report.sending {
        let _ = writeln!(text, "  sender       {}", clean(&sending.sender));
    }
    let _ = if latency.count == 0 {
        writeln!(text, "  latency      {}", messages::no_latency())
    } else {
        writeln!(
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
        )
    };
    let deliveries = messages::deliveries(
        total.sent,
        report.sending.is_some(),
        total.acknowledged,
        total.refused,
        total.failed,
    );
    let _ = writeln!(text, "  deliveries   {deliveries}");
    let errors: Vec<String> =
        total.errors.iter().map(|error| format!("{} {}", error.count, clean(&error.name))).collect();
    let errors = if errors.is_empty() { String::new() } else { format!("; {}", errors.join(", ")) };
    let _ = writeln!(text, "  answers      {}{errors}", listed(&total.statuses));
    let mib = |bytes: u64| bytes as f64 / 1_048_576.0;
    let sent = match report.sending {
        None => format!("{:.1} MiB sent, ", mib(total.bytes_sent)),
        Some(_) => String::new(),
    };
    let _ = writeln!(text, "  bytes        {sent}{:.1} MiB received", mib(total.bytes_received));
}

fn over_time(text: &mut String, series: &SeriesEntry) {
    if series.points.len() < 2 {
        return;
    }
    let of = |value: fn(&SeriesPoint) -> u64| -> Vec<u64> { series.points.iter().map(value).collect() };
    let _ = writeln!(text, "\n{BOLD}{}{BOLD:#}", messages::each(seconds(series.interval_ms)));
    let rates = of(|point| point.acknowledged);
    let _ = writeln!(text, "  accepted     {}  {}", sparkline(&rates), range(&rates, u64::to_string));
    // A second without accepted deliveries has no latency, so its place is blank.
    let slowest: Vec<Option<u64>> = series.points.iter().map(|point| point.p99_us).collect();
    let known: Vec<u64> = slowest.iter().copied().flatten().collect();
    if !known.is_empty() {
        let mut marks = sparkline(&known).chars().collect::<Vec<_>>().into_iter();
        let line: String = slowest.iter().map(|p99| p99.and_then(|_| marks.next()).unwrap_or(' ')).collect();
        let _ = writeln!(text, "  p99 ms       {line}  {}", range(&known, |us| ms(*us)));
    }
    let errors = of(|point| point.refused + point.failed);
    if errors.iter().any(|count| *count > 0) {
        let _ = writeln!(text, "  errors       {}  {}", sparkline(&errors), range(&errors, u64::to_string));
    }
}

fn unexpected(text: &mut String, report: &BenchReport) {
    let probes = &report.probes;
    let _ = match &report.sending {
        None => writeln!(
            text,
            "\n{BOLD}{}{BOLD:#}: {} ({})",
            messages::probes_title(),
            messages::probes(probes.sent, probes.let_through),
            listed(&probes.statuses)
        ),
        Some(SendingEntry { ledger, .. }) => {
            writeln!(text, "\n{BOLD}received{BOLD:#}: {}", messages::received(ledger))
        }
    };
    for kind in probes.kinds.iter().filter(|kind| kind.let_through > 0) {
        let _ = writeln!(text, "  {BAD}accepted{BAD:#} {}", messages::accepted_probes(kind));
        kind.exchange.iter().for_each(|exchange| shown(text, exchange));
    }
    for unexpected in &report.unexpected {
        let _ = writeln!(
            text,
            "\n{BAD}{}{BAD:#} × {}: {}",
            clean(&unexpected.kind),
            unexpected.count,
            lines(&unexpected.text, "    ")
        );
        shown(text, &unexpected.exchange);
    }
}

fn shown(text: &mut String, exchange: &ShownExchange) {
    let _ = writeln!(text, "    {}:", messages::first_example(exchange.at_ms));
    let parts =
        [('→', &exchange.request, messages::nothing_sent()), ('←', &exchange.answer, messages::no_answer())];
    for (mark, part, if_empty) in parts {
        if part.is_empty() {
            let _ = writeln!(text, "    {mark} {if_empty}");
        }
        message(text, mark, part);
    }
}

/// A series as a row of blocks, from 0 to its greatest value. In a long series each block is a mean.
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
    let shown: Vec<String> =
        statuses.iter().map(|entry| format!("{} × {}", entry.status, entry.count)).collect();
    if shown.is_empty() { messages::no_answers().to_owned() } else { shown.join(", ") }
}

pub(super) fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

pub(super) fn ms(us: u64) -> String {
    format!("{:.3}", us as f64 / 1000.0)
}
