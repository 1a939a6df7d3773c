//! The formats of benchmark reports: a snapshot of each, made from a made-up report, and properties that no snapshot shows.

use serde_json::{Value, json};
use twenty_conform::bench::compare::comparison::compare;
use twenty_conform::bench::compare::decision::verdict;
use twenty_conform::bench::compare::pair::{
    FORMAT, Figure, PairFigure, PairLoad, PairReport, PairRound, PairStart,
};
use twenty_conform::bench::compare::thresholds::MaxRegression;
use twenty_conform::bench::measure::machine::Tool;
use twenty_conform::bench::measure::report::{BenchReport, LoadMode};
use twenty_conform::bench::measure::result::BenchResult;
use twenty_conform::bench::show::{comparison, html, pair, text, trend};

use super::made::MadeUp;
use crate::snapshot::assert_snapshot;

/// Compares with a snapshot in `snapshots/bench`.
fn assert_format(name: &str, text: &str) {
    assert_snapshot(&format!("bench/{name}"), text);
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// A report with every optional part, and with markup in every text that comes from outside.
pub(crate) fn full() -> BenchReport {
    let mut made = MadeUp::steady(10_000, 2_000);
    made.refused[3] = 12;
    let mut json = made.json();
    json["subject"] = json!("node <script>alert(1)</script> \"x\" & 'y'");
    json["command"] = json!(["bench", "receiver", "--exec", "</code><b>"]);
    json["result"] = json!("slow");
    json["thresholds"] = json!([{ "bound": "p99<1ms", "measured": 2.03, "held": false }]);
    json["notes"] = json!(["<img src=x onerror=alert(1)>"]);
    let shown = |answer: &str| {
        json!({ "at_ms": 3200.5, "took_ms": 1.5, "status": 503, "request": "POST / HTTP/1.1\r\n\r\n{\"a\":\"</pre>\"}",
                "answer": answer })
    };
    json["unexpected"] = json!([{ "kind": "503", "text": "answered 503 to a valid delivery", "count": 12,
                 "exchange": shown("HTTP/1.1 503 <svg onload=alert(1)>\u{1b}[31m") }]);
    json["probes"]["let_through"] = json!(1);
    json["probes"]["kinds"] = json!([{ "name": "other-secret", "requirement": "VER-3", "level": "must", "sent": 10,
        "let_through": 1, "exchange": shown("") }]);
    json["search"] = json!({ "objective": "p99<50ms", "saturation": 1500.25, "found": 1234.5, "missed": 2469.0,
        "bounded_by": "connections", "stable": true, "trials": [
        { "rate": 1234.5, "achieved": 1234.5, "confirmation": false, "held": true, "why": "", "p50_us": 100, "p99_us": 900,
          "error_share": 0.0 },
        { "rate": 2469.0, "achieved": 2000.0, "confirmation": false, "held": false, "why": "only 2000.0/s went out",
          "p50_us": 100, "p99_us": 900, "error_share": 0.0 }] });
    let mut report = BenchReport::parse(&json.to_string()).unwrap();
    let old = MadeUp::steady(11_000, 1_900).report();
    report.comparison = Some(compare(("main", &old), &[("this run", &report)], &MaxRegression::default()));
    report
}

#[test]
fn html_loads_nothing_and_escapes_outside_text() {
    let page = html::render(&full());
    for needle in [
        "<script>alert",
        "<img",
        "<b>",
        "onload=alert(1)>",
        "</pre>\"",
        "http://",
        "https://",
        "src=",
        "href=\"http",
    ] {
        let allowed = ["onload=alert(1)&gt;", "src=x onerror"];
        let text = allowed.iter().fold(page.clone(), |text, allowed| text.replace(allowed, ""));
        assert!(!text.contains(needle), "{needle:?} is in the page");
    }
    assert!(!page.contains('\u{1b}'), "a control character is in the page");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; \"x\" &amp; 'y'"));
    assert!(page.contains("light-dark(") && page.matches("<figure ").count() == 4);
    assert!(!page.contains("NaN") && !page.contains("inf"), "a coordinate is not a number");
    let (_, main) = page.split_once("<main").unwrap();
    assert_format("html", main.split_once("</main>").unwrap().0);
}

#[test]
fn html_survives_empty_and_absurd_figures() {
    let mut report = MadeUp::steady(0, 0).report();
    report.total.latency.count = 0;
    report.total.error_share = 0.0;
    let page = html::render(&report);
    assert!(!page.contains("NaN") && !page.contains("inf") && page.ends_with("</html>\n"));
    // Figures that no load can have.
    let mut report = full();
    report.series.interval_ms = 0;
    report.total.latency.max_us = u64::MAX;
    report.total.latency.buckets.push((u64::MAX, u64::MAX / 2));
    let page = html::render(&report);
    assert!(!page.contains("NaN") && page.ends_with("</html>\n"));
}

#[test]
fn trends_have_the_formats_of_trackers() {
    let report = full();
    let (bmf, list) = (trend::bmf(&report), trend::smaller_is_better(&report));
    for measures in bmf.as_object().unwrap().values() {
        for (slug, metric) in measures.as_object().unwrap() {
            assert!(slug.len() <= 64 && metric["value"].is_f64(), "{slug}: {metric}");
            let bound =
                |name: &str| metric.get(name).map_or(metric["value"].as_f64(), Value::as_f64).unwrap();
            let value = metric["value"].as_f64().unwrap();
            assert!(bound("lower_value") <= value && value <= bound("upper_value"), "{slug}: {metric}");
        }
    }
    for entry in list.as_array().unwrap() {
        assert!(entry["name"].is_string() && entry["unit"].is_string() && entry["value"].is_f64(), "{entry}");
    }
    assert_format("bmf", &pretty(&bmf));
    assert_format("smaller-is-better", &pretty(&list));
    // Another port and seed must not change the names, or the trend would break.
    let mut other = full();
    (other.subject, other.seed) = ("http://127.0.0.1:4011/".to_owned(), Some(8));
    assert_eq!(trend::bmf(&other), bmf);
}

#[test]
fn trend_names_each_rate() {
    let mut report = MadeUp::steady(500, 2_000).report();
    report.load.mode = LoadMode::RateSteps;
    report.load.rates = vec![250.0, 500.0];
    let mut second = report.phases[0].clone();
    (report.phases[0].rate, second.rate) = (Some(250.0), Some(500.0));
    report.phases.push(second);
    let bmf = trend::bmf(&report);
    let names: Vec<&String> = bmf.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["receiver at 250/s, 64 connections, documented", "receiver at 500/s, 64 connections, documented"]
    );
}

#[test]
fn texts_match_their_snapshots() {
    assert_format("text", &plain(&text::render(&full())));
    let old = MadeUp::steady(10_000, 2_000).report();
    let (slower, other) = (MadeUp::steady(8_500, 2_100).report(), MadeUp::steady(8_450, 2_000).report());
    let compared =
        compare(("main", &old), &[("new.json", &slower), ("again.json", &other)], &MaxRegression::default());
    assert_format("compare", &plain(&comparison::render(&compared)));

    let load = |speed: f64| PairLoad {
        rate: 1000.0 * speed,
        p99_us: 2_000.0 / speed,
        processor_us: Some(50.0 / speed),
        memory_mib: Some(61.0),
    };
    let start = |nth: usize| {
        let wave = 1.0 + (nth % 3) as f64 / 500.0;
        let [base, candidate, control] = [1.0, 0.9 * wave, 1.002].map(|speed| [load(speed); 2]);
        PairStart { rounds: vec![PairRound { base, candidate, control }; 8] }
    };
    let starts: Vec<PairStart> = (0..6).map(start).collect();
    let figures =
        [(Figure::ProcessorTime, true), (Figure::Rate, true), (Figure::P99, false), (Figure::Memory, false)];
    let figures: Vec<PairFigure> = figures
        .into_iter()
        .map(|(figure, decides)| PairFigure::of(figure, decides, 0.05, &starts).unwrap())
        .collect();
    let (result, decided_by, why) = verdict(&figures, starts.len());
    let report = PairReport {
        format: FORMAT.to_owned(),
        tool: Tool::this(),
        machine: old.machine.clone(),
        command: Vec::new(),
        base: "./old".to_owned(),
        candidate: "./new".to_owned(),
        dialect: "documented".to_owned(),
        started_at: old.started_at.clone(),
        seed: 7,
        load: old.load,
        max_regression: 0.05,
        figures,
        decided_by,
        starts,
        result,
        why,
        exit_status: 6,
        duration_ms: 30_000,
        notes: Vec::new(),
    };
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<PairReport>(&text).unwrap(), report, "JSON round trip");
    assert_format("pair", &plain(&pair::render(&report)));
}

#[test]
fn each_result_has_a_word_and_a_status() {
    use BenchResult::{Error, Fail, Incomplete, Inconclusive, Interrupted, Pass, Slow};
    for (result, word, code) in [
        (Pass, "pass", 0),
        (Fail, "fail", 1),
        (Slow, "slow", 6),
        (Inconclusive, "inconclusive", 3),
        (Incomplete, "incomplete", 3),
        (Interrupted, "interrupted", 130),
        (Error, "error", 70),
    ] {
        assert_eq!((result.describe(), result.status().code()), (word, code));
        assert_eq!(serde_json::to_value(result).unwrap(), word);
        assert_eq!(serde_json::from_value::<BenchResult>(json!(word)).unwrap(), result);
        assert_eq!(BenchResult::of(result.status()).status(), result.status());
        // The worse of two results is the one whose status comes first in the list of statuses.
        assert_eq!((Pass.or_worse(result), result.or_worse(result)), (result, result));
    }
    assert_eq!((Slow.or_worse(Inconclusive), Incomplete.or_worse(Fail)), (Slow, Fail));
    let mut json = MadeUp::steady(1000, 1000).json();
    json["result"] = json!("marvellous");
    let why = BenchReport::parse(&json.to_string()).unwrap_err();
    assert!(why.contains("marvellous"), "{why}");
}

#[test]
fn bounds_survive_a_round_trip() {
    for text in ["p99<50ms", "p99.9<800us", "max<1s", "mean<1500us", "errors<0.1%", "errors<0.0000001%"] {
        let mut json = MadeUp::steady(1000, 1000).json();
        json["thresholds"] = json!([{ "bound": text, "measured": 1.0, "held": true }]);
        let report = BenchReport::parse(&json.to_string()).unwrap();
        let again = BenchReport::parse(&serde_json::to_string(&report).unwrap()).unwrap();
        assert_eq!(again.thresholds, report.thresholds, "{text}");
        assert!(text.starts_with("errors<0.0") || again.thresholds[0].bound.to_string() == text, "{text}");
    }
}
