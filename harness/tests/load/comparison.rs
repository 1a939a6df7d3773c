//! Comparison of two reports, and baselines: what is comparable, worse, or inconclusive. The reports are made up.

use serde_json::{Value, json};
use tempfile::TempDir;
use twenty_conform::bench::compare::baseline::{self, Existing};
use twenty_conform::bench::compare::comparison::{check_finished, comparable, compare};
use twenty_conform::bench::compare::thresholds::{GivenRegression, MaxRegression};
use twenty_conform::bench::measure::compared::{Metric, ReportComparison};
use twenty_conform::bench::measure::report::BenchReport;
use twenty_conform::exit::ExitStatus;
use twenty_conform::statistics::Place;

use super::made::MadeUp;

fn against(old: &BenchReport, new: &[&BenchReport]) -> ReportComparison {
    let named: Vec<(&str, &BenchReport)> = new.iter().map(|report| ("new", *report)).collect();
    compare(("old", old), &named, &MaxRegression::default())
}

fn place(comparison: &ReportComparison, metric: Metric) -> Option<Place> {
    comparison.metrics[metric as usize].new[0].place
}

#[test]
fn regression_needs_two_new_reports() {
    let old = MadeUp::steady(10_000, 2_000).report();
    let (same, slower) = (MadeUp::steady(9_950, 2_010).report(), MadeUp::steady(8_500, 2_000).report());
    let one = against(&old, &[&same]);
    assert_eq!(
        (one.status(), one.exit_status, one.result.describe()),
        (ExitStatus::Passed, 0, "pass"),
        "{one:#?}"
    );
    assert!(!one.is_suspicious());

    let one = against(&old, &[&slower]);
    assert_eq!(one.status(), ExitStatus::Incomplete, "{one:#?}");
    assert!(
        one.is_suspicious() && one.why.contains("rate") && one.why.contains("to confirm it"),
        "{}",
        one.why
    );
    let rate = &one.metrics[Metric::Rate as usize].new[0];
    assert_eq!(rate.place, Some(Place::Beyond));
    assert!((rate.change.unwrap() - 0.85).abs() < 1e-3, "{rate:?}");
    let interval = rate.interval.unwrap();
    assert!(interval.low < 0.85 && 0.85 < interval.high && interval.width() < 0.05, "{interval:?}");

    let both = against(&old, &[&slower, &slower]);
    assert_eq!((both.status(), both.result.describe()), (ExitStatus::Slower, "slow"));
    let one_of_two = against(&old, &[&slower, &same]);
    assert_eq!(one_of_two.status(), ExitStatus::Incomplete);
    assert!(one_of_two.why.contains("but not in the other"), "{}", one_of_two.why);
}

#[test]
fn each_metric_has_a_direction_and_a_threshold() {
    let old = MadeUp::steady(10_000, 2_000).report();
    let (faster, later) = (MadeUp::steady(20_000, 1_000).report(), MadeUp::steady(10_000, 2_300).report());
    assert_eq!(against(&old, &[&faster]).status(), ExitStatus::Passed, "better is never worse");
    let one = against(&old, &[&later]);
    assert_eq!(place(&one, Metric::Rate), Some(Place::Within));
    for metric in [Metric::P50, Metric::P90, Metric::P99] {
        assert_eq!(place(&one, metric), Some(Place::Beyond), "{metric:?}");
    }
    let given: Vec<GivenRegression> = ["20%", "p99=10%"].iter().map(|text| text.parse().unwrap()).collect();
    let most = MaxRegression::default().with(&given);
    let loose = compare(("old", &old), &[("new", &later)], &most);
    assert_eq!(
        (place(&loose, Metric::P50), place(&loose, Metric::P99)),
        (Some(Place::Within), Some(Place::Beyond))
    );

    let mut wrong = MadeUp::steady(10_000, 2_000);
    wrong.refused = (0..10).map(|at| 200 + at).collect();
    let one = against(&old, &[&wrong.report()]);
    assert_eq!(place(&one, Metric::Errors), Some(Place::Beyond), "{one:#?}");
    // All errors in one second: too uneven to judge.
    wrong.refused = vec![0, 0, 0, 0, 2000, 0, 0, 0, 0, 0];
    assert_eq!(place(&against(&old, &[&wrong.report()]), Metric::Errors), Some(Place::Astride));
}

#[test]
fn change_within_the_noise_is_inconclusive() {
    let old = MadeUp::steady(10_000, 2_000).report();
    let mut noisy = MadeUp::steady(9_300, 2_000);
    noisy.rates = vec![5_000, 14_000, 9_000, 6_000, 13_000, 9_500, 4_000, 15_000, 8_000, 9_500];
    let one = against(&old, &[&noisy.report()]);
    assert_eq!(place(&one, Metric::Rate), Some(Place::Astride), "{one:#?}");
    assert_eq!(one.status(), ExitStatus::Incomplete);
    assert!(!one.is_suspicious() && one.why.contains("noise"), "{}", one.why);
    // A second without deliveries counts too.
    noisy.rates = vec![10_000, 10_000, 10_000, 0, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000];
    assert_eq!(place(&against(&old, &[&noisy.report()]), Metric::Rate), Some(Place::Astride));
    // Too short to show the noise.
    let mut short = MadeUp::steady(5_000, 2_000);
    short.rates.truncate(3);
    short.p99_us.truncate(3);
    short.refused.truncate(3);
    let one = against(&old, &[&short.report()]);
    assert_eq!(place(&one, Metric::Rate), None);
    assert!(one.why.contains("at least 5 s"), "{}", one.why);
    assert_eq!(one.status(), ExitStatus::Incomplete);
}

/// A report with one value replaced.
fn with(pointer: &str, value: Value) -> BenchReport {
    let mut json = MadeUp::steady(1000, 1000).json();
    *json.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
    BenchReport::parse(&json.to_string()).unwrap()
}

#[test]
fn reports_of_different_loads_are_not_comparable() {
    let old = MadeUp::steady(1000, 1000).report();
    assert_eq!(comparable(&old, &old), Ok(()));
    for (pointer, value, words) in [
        ("/machine/cores", json!(64), "processors (2, now 64)"),
        ("/machine/cpu", json!("Another"), "processor (A Processor, now Another)"),
        ("/machine/cpu", Value::Null, "now unknown"),
        ("/machine/os", json!("macos"), "operating system"),
        ("/machine/arch", json!("aarch64"), "architecture"),
        ("/machine/optimised", json!(false), "build"),
        ("/tool/version", json!("0.0.1"), "now 0.0.1)"),
        ("/role", json!("sender"), "role"),
        ("/dialect", json!("shipped"), "dialect"),
        ("/load/mode", json!("rate"), "mode (saturation, now rate)"),
        ("/load/rates", json!([500.0]), "rate (none, now 500)"),
        ("/load/mode", json!("find-max"), "--find-max"),
        ("/load/concurrency", json!(8), "--concurrency (64, now 8)"),
        ("/load/threads", json!(2), "--threads"),
        ("/load/timeout_ms", json!(1), "--timeout"),
        ("/load/probe_share", json!(0.5), "--probe-share"),
        (
            "/corpus/bytes",
            json!(9000),
            "bodies (22 with 8000 bytes in total, now 22 with 9000 bytes in total)",
        ),
        ("/corpus/longest", json!(7000), "bodies"),
        ("/corpus/bodies", json!(1), "bodies"),
    ] {
        let why = comparable(&old, &with(pointer, value)).unwrap_err();
        assert!(why.contains(words), "{pointer}: {why}");
    }
    // The duration, the seed and the digits of a port in the bodies do not change the figures.
    for (pointer, value) in
        [("/load/duration_ms", json!(20_000)), ("/seed", json!(9)), ("/corpus/bytes", json!(8022))]
    {
        assert_eq!(comparable(&old, &with(pointer, value)), Ok(()), "{pointer}");
    }
    assert!(check_finished(&with("/result", json!("interrupted"))).is_err());
    assert!(check_finished(&with("/result", json!("incomplete"))).is_err());
    let failed = against(&old, &[&with("/result", json!("fail"))]);
    assert_eq!(failed.status(), ExitStatus::Failed);
}

#[test]
fn threshold_for_a_metric_overrides_the_one_for_all() {
    let read = |texts: &[&str]| {
        let given: Vec<GivenRegression> = texts.iter().map(|text| text.parse().unwrap()).collect();
        let most = MaxRegression::default().with(&given);
        Metric::ALL.map(|metric| most.of(metric))
    };
    assert_eq!(read(&[]), [0.05, 0.05, 0.05, 0.05, 0.1]);
    assert_eq!(read(&["p99=10%", "2%"]), [0.02, 0.02, 0.02, 0.1, 0.1]);
    assert_eq!(read(&["errors=0%", "rate = 0.5"])[4], 0.0);
    for wrong in ["", "x", "0%", "100%", "-1%", "p98=1%", "rate=", "rate=0%", "p99<1s"] {
        assert!(wrong.parse::<GivenRegression>().is_err(), "{wrong:?}");
    }
}

#[test]
fn baselines_are_saved_atomically_and_errors_name_the_file() {
    let folder = TempDir::new().unwrap();
    let below = folder.path().join("a/b");
    let (report, other) = (MadeUp::steady(1000, 1000).report(), MadeUp::steady(2000, 1000).report());
    let path = baseline::save(&below, ("main", Existing::IsKept), &report).unwrap();
    assert_eq!(baseline::read(&path).unwrap(), report);
    assert_eq!(
        baseline::save(&below, ("main", Existing::IsReplaced), &other).unwrap(),
        path,
        "the baseline is replaced"
    );
    assert_eq!(baseline::read(&path).unwrap(), other);
    let entries = std::fs::read_dir(&below).unwrap().count();
    assert_eq!(entries, 1, "no temporary file is left");
    assert_eq!(baseline::locate("main", &below).unwrap(), path);
    assert_eq!(baseline::locate("x.json", &below).unwrap().to_str(), Some("x.json"));

    let whole_text = std::fs::read(&path).unwrap();
    for (content, words) in [
        (b"".as_slice(), "not a report"),
        (&whole_text[..whole_text.len() / 2], "not a report"),
        (b"[1,2]", "not a report"),
        (br#"{"format":"twenty-conform-report/1"}"#, "twenty-conform-report/1"),
        (br#"{"format":"twenty-conform-bench/1","role":"receiver"}"#, "broken"),
        (b"\xff\xfe", "not UTF-8"),
    ] {
        let broken = folder.path().join("broken.json");
        std::fs::write(&broken, content).unwrap();
        let why = baseline::read(&broken).unwrap_err();
        assert!(why.contains("broken.json") && why.contains(words), "{why}");
    }
    let why = baseline::read(&folder.path().join("none.json")).unwrap_err();
    assert!(why.contains("none.json"), "{why}");
    for name in ["", ".", "..", "a/b", "../a", ".a", "a.", "a b", "ä", "-a", &"a".repeat(101)] {
        assert!(baseline::check_name(name).is_err(), "{name:?}");
    }
    for name in ["main", "v1.2-rc_3", "0"] {
        assert_eq!(baseline::check_name(name), Ok(()), "{name:?}");
    }
    // A file cannot be the folder.
    let (_, why) = baseline::save(&path.join("below"), ("main", Existing::IsKept), &report).unwrap_err();
    assert!(!why.to_string().is_empty());
}
