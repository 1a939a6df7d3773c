//! The report of a benchmark as one HTML file: the content of the text, with charts of latencies and rates.
//!
//! The page needs no network. All text from outside is escaped. It contains no secret, as the report has none.

use std::fmt::Write as _;

use maud::PreEscaped;

use crate::bench::measure::compared::ReportComparison;
use crate::bench::measure::figures::{Latency, Measured, SeriesPoint, ShownExchange};
use crate::bench::measure::report::{BenchReport, LoadMode};
use crate::bench::measure::result::BenchResult;
use crate::bench::show::chart::{Axis, ChartLine, draw};
use crate::bench::show::comparison::{change, figure, within};
use crate::bench::show::messages;
use crate::bench::show::text::{ms, result_line, seconds, seed};
use crate::page::Page;
use crate::plural::counted;
use crate::statistics::Place;
use crate::terminal::{clean, is_invisible};

/// The page's own style.
const STYLE: &str = include_str!("bench.css");

pub fn render(report: &BenchReport) -> String {
    let title = format!("bench {} {}", report.role.describe(), report.subject);
    let mut page = format!("<h1>{}</h1>\n", escape(&title));
    heading(&mut page, report);
    totals(&mut page, &report.total);
    if report.phases.len() > 1 {
        phases(&mut page, report);
    }
    distribution(&mut page, report);
    over_time(&mut page, report);
    search(&mut page, report);
    bounds(&mut page, report);
    if let Some(comparison) = &report.comparison {
        compared(&mut page, comparison);
    }
    unexpected(&mut page, report);
    if !report.notes.is_empty() {
        let notes: String = report.notes.iter().map(|note| format!("<li>{}\n", escape(note))).collect();
        let _ = writeln!(page, "<h2>Notes</h2>\n<ul>\n{notes}</ul>");
    }
    // Writing to a string does not fail.
    let _ = writeln!(page, "<p><code>{}</code></p>", escape(&result_line(report)));
    let main = PreEscaped(page);
    Page { title: &title, kind: messages::kind_of_page(), style: STYLE, script: "", main }.render()
}

/// Escapes text for content and attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.replace("\r\n", "\n").chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(character),
            // HTML allows no other control character, and the others would deceive a reader.
            other if is_invisible(other) => escaped.push_str(&clean(other.encode_utf8(&mut [0; 4]))),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Adds a table. Cells are HTML already; those that begin with a digit are aligned to the right.
fn table(page: &mut String, head: &[&str], rows: &[Vec<String>]) {
    let class = |cell: &str| if cell.starts_with(|c: char| c.is_ascii_digit()) { " class=\"n\"" } else { "" };
    let mut text =
        String::from("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"figures\"><table>\n");
    if !head.is_empty() {
        let cells: String = head.iter().map(|cell| format!("<th>{cell}")).collect();
        let _ = writeln!(text, "<tr>{cells}");
    }
    for row in rows {
        let cells: String = row.iter().map(|cell| format!("<td{}>{cell}", class(cell))).collect();
        let _ = writeln!(text, "<tr>{cells}");
    }
    let _ = writeln!(page, "{text}</table></div>");
}

fn heading(page: &mut String, report: &BenchReport) {
    let load = &report.load;
    let machine = &report.machine;
    let class = if report.result == BenchResult::Pass { "good" } else { "bad" };
    let row = |name: &str, value: String| vec![name.to_owned(), format!("<span>{value}</span>")];
    let rows = [
        row("result", format!("<span class=\"{class}\">{}</span>", report.result)),
        row("started", escape(&report.started_at)),
        row(
            "load",
            escape(&format!(
                "{}, {}, {}, {}",
                messages::loop_of(load.mode, &load.rates),
                counted(load.concurrency, "connection", "connections"),
                counted(load.threads, "thread", "threads"),
                messages::measured_time(seconds(load.duration_ms), seconds(load.warm_up_ms))
            )),
        ),
        row(
            "bodies",
            escape(&format!(
                "{}, {} payloads",
                messages::bodies(report.corpus.bodies, report.corpus.bytes),
                report.dialect
            )),
        ),
        row(
            "machine",
            escape(&format!(
                "{}, {} {} {}",
                messages::cores(machine),
                machine.cpu.as_deref().unwrap_or_default(),
                machine.os,
                machine.arch
            )),
        ),
        row("tool", escape(&format!("{} {}, seed {}", report.tool.name, report.tool.version, seed(report)))),
        row("command", format!("<code>{}</code>", escape(&report.command.join(" ")))),
    ];
    table(page, &[], &rows);
}

fn latencies(latency: &Latency) -> Vec<String> {
    [latency.p50_us, latency.p90_us, latency.p99_us, latency.p999_us, latency.max_us].map(ms).to_vec()
}

fn totals(page: &mut String, total: &Measured) {
    let _ = writeln!(page, "<h2>{}</h2>", messages::accepted_per_second(total.rate));
    let counts = [total.sent, total.acknowledged, total.refused, total.failed].map(|count| count.to_string());
    let row = [latencies(&total.latency), counts.to_vec()].concat();
    let head = ["p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms", "sent", "accepted", "rejected", "failed"];
    table(page, &head, &[row]);
}

fn phases(page: &mut String, report: &BenchReport) {
    let rows: Vec<Vec<String>> = report
        .phases
        .iter()
        .map(|phase| {
            let Measured { latency, rate, refused, failed, .. } = &phase.measured;
            let mut row = vec![format!("{:.1}", phase.rate.unwrap_or_default()), format!("{rate:.1}")];
            row.extend(latencies(latency));
            row.push((refused + failed).to_string());
            row
        })
        .collect();
    let _ = writeln!(page, "<h2>At each rate</h2>");
    let head = ["rate /s", "accepted /s", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms", "errors"];
    table(page, &head, &rows);
}

fn distribution(page: &mut String, report: &BenchReport) {
    let latency = &report.total.latency;
    if latency.count == 0 {
        return;
    }
    // The share that is slower, on a logarithmic axis: from all at the left to one delivery at the right.
    let end = (latency.count as f64).log10().max(1.0);
    let mut points = vec![(0.0, latency.min_us as f64 / 1e3)];
    let mut until = 0;
    for (value, count) in &latency.buckets {
        until += count;
        let slower = latency.count.saturating_sub(until).max(1) as f64 / latency.count as f64;
        points.push((-slower.log10(), *value.min(&latency.max_us) as f64 / 1e3));
    }
    let names = ["0", "90", "99", "99.9", "99.99", "99.999", "99.9999", "99.99999"];
    let ticks = (0..).zip(names).map(|(at, name)| (f64::from(at), format!("{name}%")));
    let ticks: Vec<(f64, String)> =
        ticks.chain([(2f64.log10(), "50%".to_owned())]).filter(|(at, _)| *at <= end).collect();
    let _ = writeln!(
        page,
        "<h2>Latency by percentile</h2>\n<p class=\"dim\">{}</p>",
        messages::percentiles_caption(report.load.mode != LoadMode::Saturation)
    );
    let across = Axis { end, ticks };
    page.push_str(&draw(
        messages::percentiles_chart(),
        &across,
        "ms",
        &[ChartLine { class: "a", name: "latency", points }],
    ));
}

fn over_time(page: &mut String, report: &BenchReport) {
    let series = &report.series;
    if series.points.len() < 2 {
        return;
    }
    let step = series.interval_ms as f64 / 1e3;
    let line = |class, name, of: &dyn Fn(&SeriesPoint) -> Option<f64>| ChartLine {
        class,
        name,
        points: series
            .points
            .iter()
            .enumerate()
            .filter_map(|(at, point)| Some(((at as f64 + 0.5) * step, of(point)?)))
            .collect(),
    };
    let end = series.points.len() as f64 * step;
    let across = Axis::even(end, " s");
    let _ = writeln!(page, "<h2>Deliveries per second</h2>");
    let mut rates = vec![line("a", "accepted", &|point| Some(point.acknowledged as f64 / step))];
    if series.points.iter().any(|point| point.refused + point.failed > 0) {
        rates.push(line("b", "errors", &|point| Some((point.refused + point.failed) as f64 / step)));
    }
    page.push_str(&draw(messages::rate_chart(), &across, "/s", &rates));
    let _ = writeln!(page, "<h2>Latency over time</h2>");
    let ms = |us: Option<u64>| us.map(|us| us as f64 / 1e3);
    let lines = [
        line("a", "p50", &|point| ms(point.p50_us)),
        line("c", "p90", &|point| ms(point.p90_us)),
        line("b", "p99", &|point| ms(point.p99_us)),
    ];
    page.push_str(&draw(messages::latency_chart(), &across, "ms", &lines));
}

fn search(page: &mut String, report: &BenchReport) {
    let Some(search) = &report.search else { return };
    let heading = messages::search_heading(&search.objective, search.found);
    let _ = writeln!(page, "<h2>{}</h2>", escape(&heading));
    let told = match search.found {
        Some(rate) => messages::highest(rate, search.missed.zip(search.bounded_by)),
        None if !search.stable => messages::unstable().to_owned(),
        None => messages::no_confirmed_rate().to_owned(),
    };
    let saturation = search.saturation.map(|rate| format!("{}. ", messages::saturation(rate)));
    let _ = writeln!(page, "<p>{}{}</p>", escape(&saturation.unwrap_or_default()), escape(&told));
    let rows: Vec<Vec<String>> = search
        .trials
        .iter()
        .map(|trial| {
            let again = if trial.confirmation { ", confirmation" } else { "" };
            let held = match trial.held {
                true => format!("met{again}"),
                false => escape(&format!("not met{again}: {}", trial.why)),
            };
            vec![format!("{:.1}", trial.rate), ms(trial.p50_us), ms(trial.p99_us), held]
        })
        .collect();
    table(page, &["rate /s", "p50 ms", "p99 ms", ""], &rows);
}

fn bounds(page: &mut String, report: &BenchReport) {
    if report.thresholds.is_empty() {
        return;
    }
    let rows: Vec<Vec<String>> = report
        .thresholds
        .iter()
        .map(|check| {
            let (class, word) = if check.held { ("good", "met") } else { ("bad", "not met") };
            vec![
                format!("<code>{}</code>", escape(&check.bound.to_string())),
                format!("{:.3}", check.measured),
                format!("<span class=\"{class}\">{word}</span>"),
            ]
        })
        .collect();
    let _ = writeln!(page, "<h2>Bounds</h2>");
    table(page, &["bound", "measured", ""], &rows);
}

fn compared(page: &mut String, comparison: &ReportComparison) {
    let _ = writeln!(page, "<h2>Compared with {}</h2>", escape(&comparison.old));
    let mut rows = Vec::new();
    for metric in &comparison.metrics {
        for new in &metric.new {
            let verdict = match new.place {
                Some(Place::Within) => "<span class=\"good\">not worse</span>",
                Some(Place::Beyond) => "<span class=\"bad\">worse</span>",
                Some(Place::Astride) | None => "<span class=\"dim\">inconclusive</span>",
            };
            rows.push(vec![
                metric.name.name().to_owned(),
                escape(&figure(metric, metric.old)),
                escape(&figure(metric, new.value)),
                new.change.and_then(|value| change(metric, value)).unwrap_or_default(),
                new.interval.and_then(|interval| within(metric, &interval)).unwrap_or_default(),
                verdict.to_owned(),
            ]);
        }
    }
    table(page, &["", "old", "new", "change", "95% interval", ""], &rows);
    let _ = writeln!(page, "<p>{}</p>", escape(&comparison.why));
}

fn unexpected(page: &mut String, report: &BenchReport) {
    let probes = &report.probes;
    let _ = writeln!(
        page,
        "<h2>Probes, which must be rejected</h2>\n<p>{}</p>",
        messages::probes(probes.sent, probes.let_through)
    );
    for kind in probes.kinds.iter().filter(|kind| kind.let_through > 0) {
        let _ = writeln!(
            page,
            "<p><span class=\"bad\">accepted</span> {}</p>",
            escape(&messages::accepted_probes(kind))
        );
        kind.exchange.iter().for_each(|exchange| shown(page, exchange));
    }
    for unexpected in &report.unexpected {
        let _ = writeln!(
            page,
            "<p><span class=\"bad\">{} × {}</span> {}</p>",
            unexpected.count,
            escape(&unexpected.kind),
            escape(&unexpected.text)
        );
        shown(page, &unexpected.exchange);
    }
}

fn shown(page: &mut String, exchange: &ShownExchange) {
    let _ = writeln!(
        page,
        "<details><summary>{}</summary>\n<pre>{}</pre>\n<pre>{}</pre>\n</details>",
        messages::first_example(exchange.at_ms),
        escape(if exchange.request.is_empty() { messages::nothing_sent() } else { &exchange.request }),
        escape(if exchange.answer.is_empty() { messages::no_answer() } else { &exchange.answer })
    );
}
