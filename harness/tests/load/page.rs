//! The page of a benchmark: the result with its reason, the command, and charts that can be read without hovering.

use serde_json::{Value, json};
use twenty_conform::bench::measure::report::BenchReport;
use twenty_conform::bench::show::html;

use super::formats::full;
use super::made::MadeUp;
use crate::html::document::{Document, Element};

fn parsed(json: &Value) -> Document {
    read(&BenchReport::parse(&json.to_string()).unwrap())
}

fn read(report: &BenchReport) -> Document {
    let page = html::render(report);
    let document = Document::parse(&page);
    assert_eq!(document.errors, [""; 0]);
    document
}

fn only(page: &Document, name: &str, class: &str) -> Element {
    let found: Vec<Element> = page.all(name).filter(|one| one.has_class(class)).collect();
    let [only] = &found[..] else { panic!("{} of {name}.{class}", found.len()) };
    only.clone()
}

fn count(page: &Document, name: &str, class: &str) -> usize {
    page.all(name).filter(|one| one.has_class(class)).count()
}

/// What was measured, the result, and its reason.
fn top(page: &Document) -> [String; 3] {
    let title = page.all("h1").map(|title| title.text()).collect::<Vec<_>>();
    assert_eq!(title.len(), 1);
    let result = only(page, "section", "top").attribute("data-result").unwrap();
    assert_eq!(title[0].to_lowercase(), result, "the word and the colour");
    [only(page, "p", "measured").text(), title[0].clone(), only(page, "p", "lead").text()]
}

/// The report of a search with a stopped trial, and with confirmations of a rate that met the objective and one that missed it.
pub(crate) fn search() -> BenchReport {
    let mut json = MadeUp::steady(1_000, 2_000).json();
    json["load"]["mode"] = json!("find-max");
    let trial = |rate: f64, p99_ms: f64, held: bool, confirmation: bool| {
        json!({ "rate": rate, "achieved": rate, "confirmation": confirmation, "held": held, "why": "",
                "p50_us": 500, "p99_us": 9_999_000, "error_share": 0.0,
                "measured": [{ "bound": "p99.9<50ms", "measured": p99_ms, "held": held }] })
    };
    let mut trials = vec![
        trial(2000.0, 400.0, false, false),
        trial(1000.0, 5.0, true, false),
        trial(1500.0, 20.0, true, false),
        trial(1500.0, 70.0, false, true),
        trial(1250.0, 8.0, true, false),
        trial(1250.0, 9.0, true, true),
        trial(1250.0, 7.0, true, true),
        trial(1300.0, 0.0, false, false),
    ];
    trials[7]["cut_short"] = json!(true);
    json["search"] = json!({ "objective": "p99.9<50ms", "saturation": 2000.0, "found": 1250.0, "missed": 1500.0,
                             "bounded_by": "latency", "stable": true, "trials": trials });
    BenchReport::parse(&json.to_string()).unwrap()
}

#[test]
fn top_says_what_was_measured_and_why_the_result() {
    let closed = MadeUp::steady(1_000, 2_000).json();
    let expected = [
        "Closed loop (saturation)",
        "Pass",
        "Every valid delivery was accepted and all 100 probes were rejected.",
    ];
    assert_eq!(top(&parsed(&closed)), expected);

    let mut open = closed.clone();
    open["load"]["mode"] = json!("rate");
    open["load"]["rates"] = json!([204.0]);
    open["result"] = json!("slow");
    open["thresholds"] = json!([{ "bound": "p99<1ms", "measured": 2.0345, "held": false }]);
    let page = parsed(&open);
    let expected = ["Open loop at 204/s", "Slow", "The bound p99<1ms is not met: 2.034 ms measured."];
    assert_eq!(top(&page), expected);
    assert!(page.all("dd").any(|fact| fact.text().contains("corrected for coordinated omission")));

    let mut failing = MadeUp::steady(1_000, 2_000);
    failing.refused[3] = 12;
    let mut failing = failing.json();
    failing["result"] = json!("fail");
    failing["probes"]["let_through"] = json!(1);
    let why = "1 of 100 probes, which must be rejected, was accepted. 12 of 10112 valid deliveries were not accepted \
               (0.119%; allowed 0%).";
    assert_eq!(top(&parsed(&failing)), ["Closed loop (saturation)", "Fail", why]);

    let [measured, _, why] = top(&read(&search()));
    assert_eq!(measured, "Search for the saturation: the highest rate of an open loop that meets p99.9<50ms");
    assert!(
        why.starts_with("1250.0/s is the highest rate that meets p99.9<50ms, with 2 confirming trials, "),
        "{why}"
    );
}

#[test]
fn every_result_has_a_reason() {
    for result in ["pass", "fail", "slow", "inconclusive", "incomplete", "interrupted", "error"] {
        let mut json = MadeUp::steady(1_000, 2_000).json();
        json["result"] = json!(result);
        json["notes"] = json!(["the receiver ended"]);
        let [_, word, why] = top(&parsed(&json));
        assert_eq!(word.to_lowercase(), result);
        assert!(why.ends_with('.') && why.starts_with(char::is_uppercase), "{result}: {why}");
    }
}

#[test]
fn command_can_be_pasted_and_has_no_secret() {
    let mut json = MadeUp::steady(1_000, 2_000).json();
    json["command"] = json!([
        "bench",
        "receiver",
        "--exec",
        "node it's.mjs",
        "--secret",
        "[redacted]",
        "--threshold",
        "p99<1ms"
    ]);
    let page = parsed(&json);
    let command = only(&page, "div", "copied").all("code").next().unwrap().text();
    let expected = r#"twenty-conform bench receiver --exec 'node it'\''s.mjs' --secret "$TWENTY_WEBHOOK_SECRET" --threshold 'p99<1ms'"#;
    assert_eq!(command, expected);
    // What the shell makes from it are the arguments again.
    assert_eq!(shlex::split(&command).unwrap()[4], "node it's.mjs");
}

#[test]
fn trials_of_a_search_are_told_apart_by_shape() {
    let page = read(&search());
    let area = page.all("svg").find(|svg| svg.has_class("area")).unwrap();
    let shapes = |class: &str| -> Vec<String> {
        let paths = area.all("path").filter(|path| path.has_class(class));
        paths.map(|path| path.attribute("d").unwrap()).collect()
    };
    // The trial that stopped before any delivery was accepted has no latency.
    let [met, missed, stopped] = ["met", "missed", "stopped"].map(shapes);
    assert_eq!((met.len(), missed.len(), stopped.len()), (5, 2, 0));
    assert_ne!(met[0], missed[0]);
    assert_eq!(area.all("circle").filter(|circle| circle.has_class("again")).count(), 3);
    let labels: Vec<String> = area.all("text").map(|text| text.text()).collect();
    for label in ["p99.9<50ms", "found: 1250.0/s", "5", "500", "1000/s", "2000/s"] {
        assert!(labels.iter().any(|shown| shown == label), "{label}: {labels:?}");
    }
    let said: Vec<String> = area.all("title").map(|title| title.text()).collect();
    let found = "1250.0/s: met, p99.9 8.000 ms; met (confirmation), p99.9 9.000 ms; met (confirmation), p99.9 7.000 ms";
    assert!(said.iter().any(|one| one == found), "{said:?}");
    // What cannot be drawn is in the table.
    let table = page.all("table").next().unwrap();
    let rows: Vec<String> = table.all("tr").map(|row| row.text()).collect();
    assert_eq!(rows.len(), 9);
    assert!(rows.iter().any(|row| row.starts_with("1300.0/s8stopped")), "{rows:?}");
}

#[test]
fn latencies_have_a_logarithmic_axis() {
    let mut made = MadeUp::steady(1_000, 2_000);
    // One outlier must not flatten the others.
    made.p99_us[4] = 900_000;
    let page = read(&made.report());
    let areas: Vec<Element> = page.all("svg").filter(|svg| svg.has_class("area")).collect();
    let [percentiles, rates, latencies] = &areas[..] else { panic!("{} charts", areas.len()) };
    // The values on the vertical axis, with their heights in percent.
    let up = |area: &Element| -> Vec<(f64, f64)> {
        let labels = area.all("text").filter(|text| text.attribute("x").as_deref() == Some("0"));
        let place = |text: Element| (text.text(), text.attribute("y").unwrap());
        let places = labels
            .map(place)
            .map(|(label, y)| (label.parse().unwrap(), y.trim_end_matches('%').parse().unwrap()));
        places.collect()
    };
    for area in [percentiles, latencies] {
        let places = up(area);
        let per_decade = |pair: &[(f64, f64)]| (pair[0].1 - pair[1].1) / (pair[1].0 / pair[0].0).log10();
        let steps: Vec<f64> = places.windows(2).map(per_decade).collect();
        assert!(steps.len() >= 3 && steps.iter().all(|step| (step - steps[0]).abs() < 0.1), "{places:?}");
    }
    assert!(up(latencies).last().unwrap().0 >= 900.0 && up(latencies)[0].0 <= 1.0, "all values are drawn");
    let [(first, height), ..] = up(rates)[..] else { panic!("no labels") };
    assert_eq!((first, height), (0.0, 100.0), "rates begin at 0");
    assert_eq!(page.all("p").filter(|axis| axis.text() == "ms, logarithmic").count(), 2);
}

#[test]
fn values_of_each_place_are_in_a_table() {
    let page = read(&full());
    assert_eq!(count(&page, "figure", "plot"), 4);
    let tables: Vec<Element> = page.all("details").filter(|one| one.all("table").next().is_some()).collect();
    assert_eq!(tables.len(), 4);
    let of = |figure: &Element| figure.all("g").filter(|one| one.has_class("column")).count();
    let figures: Vec<Element> = page.all("figure").collect();
    for (figure, table) in figures.iter().zip(&tables) {
        let columns = of(figure);
        assert!(columns > 1);
        assert!(table.all("tr").count() > columns, "a row for each place, and the head");
        for column in figure.all("g").filter(|one| one.has_class("column")) {
            assert!(column.all("title").next().unwrap().text().contains(": "));
        }
    }
    let said: Vec<String> = page.all("title").map(|title| title.text()).collect();
    assert!(said.iter().any(|one| one == "90%: 1.010 ms"), "{said:?}");
    assert!(
        said.iter().any(|one| one.starts_with("3 to 4 s: accepted ") && one.ends_with("errors 12.0/s")),
        "{said:?}"
    );
}

#[test]
fn labels_keep_their_size_on_a_narrow_page() {
    let mut made = MadeUp::steady(1_000, 2_000);
    // An hour.
    made.rates = vec![1_000; 3600];
    made.p99_us = vec![2_000; 3600];
    made.refused = vec![0; 3600];
    for report in [made.report(), full()] {
        let page = read(&report);
        for svg in page.all("svg") {
            let scales = svg.attribute("viewBox").is_some();
            assert!(!scales || svg.all("text").next().is_none(), "labels in a box that is scaled");
        }
        assert!(page.all("g").filter(|one| one.has_class("column")).count() < 1000);
        let style = page.all("style").next().unwrap().text();
        for size in font_sizes(&style) {
            assert!(size >= 11.0, "a font of {size} px");
        }
    }
}

/// The sizes of fonts in a style, in CSS pixels.
fn font_sizes(style: &str) -> Vec<f64> {
    let sizes = style.split("font").skip(1).filter_map(|rest| {
        let rest = rest.split([';', '}']).next()?;
        let value = rest.strip_prefix("-size:").or_else(|| rest.strip_prefix(':'))?;
        let (number, factor) = value.split([' ', '/']).find_map(|word| {
            let rem = word.strip_suffix("rem").map(|number| (number, 16.0));
            rem.or_else(|| word.strip_suffix("px").map(|number| (number, 1.0)))
        })?;
        Some(number.parse::<f64>().unwrap() * factor)
    });
    let sizes: Vec<f64> = sizes.collect();
    assert!(sizes.len() > 20, "{sizes:?}");
    sizes
}

#[test]
fn page_has_nothing_that_its_policy_forbids() {
    for page in [read(&full()), read(&search())] {
        let mut ids = std::collections::BTreeSet::new();
        for element in page.elements() {
            for (name, value) in element.attributes() {
                let is_known = !name.starts_with("on") && name != "style" && name != "src";
                assert!(is_known, "<{} {name}={value:?}>", element.name());
                assert!(name != "id" || ids.insert(value.clone()), "two elements have the id {value}");
            }
        }
    }
}
