//! The report of a benchmark as one HTML file: the distribution of latencies and the course of the load as drawings, and what the
//! text says.
//!
//! Invariant: it needs nothing but itself, no script and no network; whatever comes from outside is escaped, and no secret is in
//! it, as there is none in the report.

use std::fmt::Write as _;

use crate::bench::measure::compared::ReportComparison;
use crate::bench::measure::figures::{Latency, Measured, SeriesPoint, ShownExchange};
use crate::bench::measure::report::BenchReport;
use crate::bench::measure::result::BenchResult;
use crate::bench::show::chart::{Axis, ChartLine, draw};
use crate::bench::show::comparison::{change, figure, within};
use crate::bench::show::text::{ms, result_line, seconds, seed};
use crate::statistics::Place;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c2024;--dim:#60646c;--paper:#fff;--line:#d9dce1;--a:#1a6fb4;--b:#b4501a;--c:#7a3fa8;--good:#1a7f37;--bad:#b42318}
@media (prefers-color-scheme:dark){:root{--ink:#e6e8eb;--dim:#9ba1a8;--paper:#15181c;--line:#33383f;--a:#6cb6ff;--b:#ffa56b;--c:#c297f0;--good:#56d364;--bad:#ff7b72}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse}th,td{text-align:left;padding:.15rem .9rem .15rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.dim{color:var(--dim)}.good{color:var(--good)}.bad{color:var(--bad);font-weight:600}
pre{background:color-mix(in srgb,var(--line) 35%,transparent);padding:.6rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:var(--dim)}
svg .grid{stroke:var(--line);stroke-width:1}svg path{fill:none;stroke-width:1.8}svg .a{stroke:var(--a)}svg .b{stroke:var(--b)}svg .c{stroke:var(--c)}
svg text.a{fill:var(--a);stroke:none}svg text.b{fill:var(--b);stroke:none}svg text.c{fill:var(--c);stroke:none}";

pub fn render(report: &BenchReport) -> String {
    let mut page = String::new();
    let title = format!("bench {} {}", report.role.describe(), report.subject);
    // Writing to a string does not fail.
    let _ = writeln!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{0}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n<h1>{0}</h1>",
        escape(&title)
    );
    heading(&mut page, report);
    totals(&mut page, &report.total);
    if report.phases.len() > 1 {
        phases(&mut page, report);
    }
    distribution(&mut page, report);
    course(&mut page, report);
    search(&mut page, report);
    bounds(&mut page, report);
    if let Some(comparison) = &report.comparison {
        compared(&mut page, comparison);
    }
    judged(&mut page, report);
    if !report.notes.is_empty() {
        let notes: String = report.notes.iter().map(|note| format!("<li>{}\n", escape(note))).collect();
        let _ = writeln!(page, "<h2>Notes</h2>\n<ul>\n{notes}</ul>");
    }
    let _ = writeln!(page, "<p><code>{}</code></p>\n</body>\n</html>", escape(&result_line(report)));
    page
}

/// Text that stands for itself, in content and in attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // What a page may not hold at all.
            other if other.is_control() && !matches!(other, '\n' | '\t') => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A table: its head, and rows whose cells are HTML already. What begins with a digit stands to the right.
fn table(page: &mut String, head: &[&str], rows: &[Vec<String>]) {
    let class = |cell: &str| if cell.starts_with(|c: char| c.is_ascii_digit()) { " class=\"n\"" } else { "" };
    let mut text = String::from("<table>\n");
    if !head.is_empty() {
        let cells: String = head.iter().map(|cell| format!("<th>{cell}")).collect();
        let _ = writeln!(text, "<tr>{cells}");
    }
    for row in rows {
        let cells: String = row.iter().map(|cell| format!("<td{}>{cell}", class(cell))).collect();
        let _ = writeln!(text, "<tr>{cells}");
    }
    let _ = writeln!(page, "{text}</table>");
}

fn heading(page: &mut String, report: &BenchReport) {
    let load = &report.load;
    let rates: Vec<String> = load.rates.iter().map(|rate| format!("{rate}/s")).collect();
    let asked = if rates.is_empty() { load.mode.describe().to_owned() } else { rates.join(", ") };
    let machine = &report.machine;
    let class = if report.result == BenchResult::Pass { "good" } else { "bad" };
    let row = |name: &str, value: String| vec![name.to_owned(), format!("<span>{value}</span>")];
    let rows = [
        row("result", format!("<span class=\"{class}\">{}</span>", report.result)),
        row("begun", escape(&report.started_at)),
        row(
            "load",
            escape(&format!(
                "{asked}, {} connections, {} threads, {} s measured behind {} s of warm-up",
                load.concurrency,
                load.threads,
                seconds(load.duration_ms),
                seconds(load.warm_up_ms)
            )),
        ),
        row(
            "bodies",
            escape(&format!(
                "{} of {} bytes, dialect {}",
                report.corpus.bodies, report.corpus.bytes, report.dialect
            )),
        ),
        row(
            "machine",
            escape(&format!(
                "{} cores, {} {} {}",
                machine.cores,
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
    let _ = writeln!(page, "<h2>{:.1} deliveries acknowledged per second</h2>", total.rate);
    let counts = [total.sent, total.acknowledged, total.refused, total.failed].map(|count| count.to_string());
    let row = [latencies(&total.latency), counts.to_vec()].concat();
    let head =
        ["p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms", "sent", "acknowledged", "refused", "failed"];
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
    let head = ["asked /s", "acknowledged /s", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms", "errors"];
    table(page, &head, &rows);
}

fn distribution(page: &mut String, report: &BenchReport) {
    let latency = &report.total.latency;
    if latency.count == 0 {
        return;
    }
    // How much is slower: 1 at the left, a tenth, a hundredth; the last one delivery is the end.
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
        "<h2>Latency by percentile</h2>\n<p class=\"dim\">milliseconds that this share of the deliveries did not exceed</p>"
    );
    let across = Axis { end, ticks };
    page.push_str(&draw(
        "Latency by percentile",
        &across,
        "ms",
        &[ChartLine { class: "a", name: "latency", points }],
    ));
}

fn course(page: &mut String, report: &BenchReport) {
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
    let mut rates = vec![line("a", "acknowledged", &|point| Some(point.acknowledged as f64 / step))];
    if series.points.iter().any(|point| point.refused + point.failed > 0) {
        rates.push(line("b", "errors", &|point| Some((point.refused + point.failed) as f64 / step)));
    }
    page.push_str(&draw("Deliveries per second", &across, "/s", &rates));
    let _ = writeln!(page, "<h2>Latency over time</h2>");
    let ms = |us: Option<u64>| us.map(|us| us as f64 / 1e3);
    let lines = [
        line("a", "p50", &|point| ms(point.p50_us)),
        line("c", "p90", &|point| ms(point.p90_us)),
        line("b", "p99", &|point| ms(point.p99_us)),
    ];
    page.push_str(&draw("Latency over time", &across, "ms", &lines));
}

fn search(page: &mut String, report: &BenchReport) {
    let Some(search) = &report.search else { return };
    let found =
        search.found.map_or("none of the rates tried".to_owned(), |rate| format!("{rate:.1} per second"));
    let _ = writeln!(page, "<h2>The highest rate that holds {}: {found}</h2>", escape(&search.objective));
    let rows: Vec<Vec<String>> = search
        .trials
        .iter()
        .map(|trial| {
            let held =
                if trial.held { "held".to_owned() } else { escape(&format!("not held: {}", trial.why)) };
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
        .map(|one| {
            let (class, word) = if one.held { ("good", "held") } else { ("bad", "not held") };
            vec![
                format!("<code>{}</code>", escape(&one.bound.to_string())),
                format!("{:.3}", one.measured),
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
            let says = match new.place {
                Some(Place::Within) => "<span class=\"good\">not worse</span>",
                Some(Place::Beyond) => "<span class=\"bad\">worse</span>",
                Some(Place::Astride) | None => "<span class=\"dim\">not to be told</span>",
            };
            rows.push(vec![
                metric.name.name().to_owned(),
                escape(&figure(metric, metric.old)),
                escape(&figure(metric, new.value)),
                new.change.and_then(|one| change(metric, one)).unwrap_or_default(),
                new.interval.and_then(|one| within(metric, &one)).unwrap_or_default(),
                says.to_owned(),
            ]);
        }
    }
    table(page, &["", "old", "new", "change", "which lies within", ""], &rows);
    let _ = writeln!(page, "<p>{}</p>", escape(&comparison.why));
}

fn judged(page: &mut String, report: &BenchReport) {
    let probes = &report.probes;
    let _ = writeln!(
        page,
        "<h2>Deliveries that must be refused</h2>\n<p>{} sent, {} let through</p>",
        probes.sent, probes.let_through
    );
    for kind in probes.kinds.iter().filter(|kind| kind.let_through > 0) {
        let _ = writeln!(
            page,
            "<p><span class=\"bad\">let through</span> {} {} {}: {} of {}</p>",
            escape(&kind.requirement),
            escape(&kind.level),
            escape(&kind.name),
            kind.let_through,
            kind.sent
        );
        kind.exchange.iter().for_each(|exchange| shown(page, exchange));
    }
    for one in &report.unexpected {
        let _ = writeln!(
            page,
            "<p><span class=\"bad\">{} × {}</span> {}</p>",
            one.count,
            escape(&one.kind),
            escape(&one.text)
        );
        shown(page, &one.exchange);
    }
}

fn shown(page: &mut String, exchange: &ShownExchange) {
    let _ = writeln!(
        page,
        "<details><summary>the first one, {:.0} ms after the start</summary>\n<pre>{}</pre>\n<pre>{}</pre>\n</details>",
        exchange.at_ms,
        escape(&exchange.request),
        escape(if exchange.answer.is_empty() { "(no answer)" } else { &exchange.answer })
    );
}
