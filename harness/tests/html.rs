//! The HTML report: its structure as an independent parser reads it, and its behaviour in a real browser.

mod browser;
pub(crate) mod document;
mod hostile;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use twenty_conform::report::{CheckEntry, Report, RequirementEntry, RunResult, html};
use twenty_conform::suite::requirement::{Level, Role};
use twenty_conform::suite::requirements;
use twenty_conform::suite::verdict::VerdictName;
use twenty_conform::wire::exchange::{Exchange, Outcome, Response};

use self::document::Document;
use crate::snapshot::assert_snapshot;

/// How long a page may be.
const LONGEST: usize = 1000 * 1000;

/// A stored report with several findings, with the exchanges of its failures.
fn stored() -> Report {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reports");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let mut report: Report = serde_json::from_str(&read("several-faults.json")).unwrap();
    let lines = read("several-faults.exchanges.jsonl");
    let exchanges: Vec<Exchange> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for check in &mut report.checks {
        let shown_by = check.cause.iter().flat_map(|cause| &cause.shown_by);
        let wanted: Vec<usize> =
            check.exchanges.iter().chain(&check.controls).chain(shown_by).copied().collect();
        let shown = exchanges.iter().filter(|exchange| wanted.contains(&exchange.id.0));
        check.exchanges_shown = shown.cloned().collect();
    }
    report
}

/// A report in which every requirement of both roles fails and shows as much as it can.
fn all_failing() -> Report {
    let mut report = stored();
    let failure = report.checks.iter().find(|check| !check.controls.is_empty()).unwrap().clone();
    report.checks.clear();
    report.requirements.clear();
    for requirement in requirements::all() {
        let mut body = "{\"data\":\"<\u{e9}\u{202e}\\u0000\">}".repeat(4000).into_bytes();
        body.extend_from_slice(&[0, 27, 255]);
        let mut check = CheckEntry {
            verdict: VerdictName::Fail,
            curl: Some("curl ".repeat(500)),
            message: Some("rejected ".repeat(1000)),
            cases_that_fail: vec!["a delivery with something wrong in it".to_owned(); 20],
            ..failure.clone()
        };
        check.id = requirement.check_id.into();
        check.requirements = [requirement.id.into()];
        check.level = requirement.level;
        let first = check.exchanges_shown[0].clone();
        check.exchanges_shown = (1..=9)
            .map(|number| {
                let mut exchange = first.clone();
                exchange.id.0 = number;
                // Each differs in one place.
                body[number * 1000] = b'#';
                exchange.delivery.body = Bytes::from(body.clone());
                let answer = Response { status: 500, body: Bytes::from(body.clone()), ..Response::default() };
                exchange.outcome = Outcome::Answered(answer);
                exchange
            })
            .collect();
        check.exchanges = (1..=50).collect();
        check.controls = vec![9];
        report.requirements.push(RequirementEntry::new(requirement, VerdictName::Fail));
        report.checks.push(check);
    }
    count(&mut report, VerdictName::Fail);
    report
}

/// The stored report, had everything passed.
fn passing() -> Report {
    let mut report = stored();
    report.findings.clear();
    report.result = RunResult::Pass;
    for entry in &mut report.requirements {
        entry.verdict = VerdictName::Pass;
    }
    for check in &mut report.checks {
        check.verdict = VerdictName::Pass;
    }
    count(&mut report, VerdictName::Pass);
    report
}

/// Counts the requirements, which all have this verdict.
fn count(report: &mut Report, verdict: VerdictName) {
    for level in Level::ALL {
        let count = report.requirements.iter().filter(|entry| entry.level == level).count();
        report.counts.insert(level, BTreeMap::from([(verdict, count)]));
    }
}

/// The page's content, with line breaks before blocks so that differences are readable.
fn content(page: &str) -> String {
    let (_, rest) = page.split_once("<main").unwrap();
    let (content, _) = rest.split_once("</main>").unwrap();
    let mut text = format!("<main{content}");
    for tag in [
        "section", "article", "div", "p", "h2", "h3", "h4", "h5", "tr", "td", "li", "details", "summary",
        "pre", "option", "rect", "dt",
    ] {
        text = text
            .replace(&format!("<{tag} "), &format!("\n<{tag} "))
            .replace(&format!("<{tag}>"), &format!("\n<{tag}>"));
    }
    text
}

#[test]
fn page_of_a_stored_report_is_unchanged() {
    assert_snapshot("reports/several-faults.html", &content(&html::render(&stored())));
}

#[test]
fn numbers_are_those_of_the_report() {
    for report in [stored(), all_failing(), passing()] {
        let page = Document::parse(&html::render(&report));
        for (level, counts) in &report.counts {
            for (verdict, count) in counts {
                let link = format!("#level={}&verdict={}", level.as_str(), verdict.as_str());
                let shown = page.all("a").find(|link_to| link_to.attribute("href") == Some(link.clone()));
                let shown = shown.map_or(0, |link| link.text().parse().unwrap());
                assert_eq!(shown, *count, "{level} {verdict:?}");
            }
        }
        let rows: Vec<(String, String, String)> = page
            .all("details")
            .filter(|row| row.has_class("requirement"))
            .map(|row| ["id", "data-verdict", "data-level"].map(|name| row.attribute(name).unwrap()))
            .map(|[id, verdict, level]| (id, verdict, level))
            .collect();
        let mut expected: Vec<(String, String, String)> = report
            .requirements
            .iter()
            .map(|entry| (entry.id.to_string(), entry.verdict.as_str().to_owned(), entry.level.to_string()))
            .collect();
        let mut shown = rows.clone();
        shown.sort();
        expected.sort();
        assert_eq!(shown, expected);
        let findings = page.all("article").count();
        assert_eq!(findings, report.findings.len());
        let last = page.all("p").find(|one| one.has_class("result")).unwrap();
        assert_eq!(last.text(), report.result_line());
    }
}

#[test]
fn failure_has_its_fix_its_pair_and_its_commands() {
    let report = stored();
    let page = Document::parse(&html::render(&report));
    let row = page.all("details").find(|row| row.attribute("id").as_deref() == Some("VER-16")).unwrap();
    let check = report.checks.iter().find(|check| check.requirements[0] == "VER-16").unwrap();
    let text = row.text();
    let cause = check.cause.as_ref().unwrap();
    for part in [&cause.fix, &cause.avoid, &cause.code] {
        assert!(text.contains(&**part), "{part}: {text}");
    }
    let commands: Vec<String> = row.all("code").map(|code| code.text()).collect();
    for command in [check.rerun.as_deref(), check.curl.as_deref(), Some("twenty-conform explain VER-16")] {
        assert!(commands.iter().any(|shown| Some(shown.as_str()) == command), "{command:?}: {commands:?}");
    }
    let marks: Vec<String> = row.all("mark").map(|mark| mark.text()).collect();
    assert!(marks.iter().any(|mark| mark.contains("\\u0041")), "{marks:?}");
    // What every delivery has of its own is not what differs.
    assert!(!marks.iter().any(|mark| mark.len() == 64), "{marks:?}");
    // Without the folder of the run, its exchanges are unknown.
    let mut alone = report.clone();
    alone.checks.iter_mut().for_each(|check| check.exchanges_shown.clear());
    let page = Document::parse(&html::render(&alone));
    assert!(page.all("pre").any(|pre| pre.text().contains("bad signature")), "the answer");
    assert!(text.replace('\u{a0}', " ").contains("50 4f 53 54 20 2f"), "the request as digits: {text}");
}

#[test]
fn page_of_a_run_in_which_everything_fails_is_short() {
    let mut report = all_failing();
    let page = html::render(&report);
    assert!(page.len() < LONGEST, "{} bytes", page.len());
    for check in &mut report.checks {
        check.curl = Some("curl ".repeat(10_000));
    }
    let page = html::render(&report);
    assert!(page.contains("The command is too long for this page"));
    assert!(page.len() < LONGEST, "{} bytes", page.len());
    assert!(page.contains("more bytes not shown"), "what is cut is told");
    let roles = requirements::all().map(|one| one.role());
    assert!(roles.filter(|role| *role == Role::Sender).count() > 20);
}
