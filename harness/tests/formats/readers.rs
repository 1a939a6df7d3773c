//! A reader for each format.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use jsonschema::Validator;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::Value;

use crate::html::document::Document;

/// What a reader learns of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: usize,
    pub(super) not_applicable: usize,
    /// Failed, inconclusive or an error, whether that fails the run or not.
    pub(super) others: usize,
    /// Whether the run passes.
    pub(super) passes: bool,
}

type Reader = fn(&str) -> Counts;

/// Every format with its reader.
pub(super) const READERS: [(&str, Reader); 7] = [
    ("text", text),
    ("json", json),
    ("junit", junit),
    ("tap", tap),
    ("sarif", sarif),
    ("markdown", markdown),
    ("html", html),
];

/// The entries of the requirements, and the heading's result.
fn html(text: &str) -> Counts {
    let page = Document::parse(text);
    let entries: Vec<String> = page
        .all("details")
        .filter(|one| one.attribute("data-level").is_some())
        .filter_map(|one| one.attribute("data-verdict"))
        .collect();
    let with = |verdict: &str| entries.iter().filter(|entry| *entry == verdict).count();
    let (passed, not_applicable) = (with("pass"), with("not-applicable"));
    let others = entries.len() - passed - not_applicable;
    let result = page.all("section").find_map(|one| one.attribute("data-result")).unwrap();
    Counts { passed, not_applicable, others, passes: &*result == "pass" }
}

/// The last line.
fn text(text: &str) -> Counts {
    let line = text.lines().last().unwrap().strip_prefix("RESULT: ").unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    let after = |name: &str| words[words.iter().position(|word| *word == name).unwrap() + 1];
    let level = |name: &str| {
        let (passed, of) = after(name).split_once('/').unwrap();
        (passed.parse::<usize>().unwrap(), of.parse::<usize>().unwrap())
    };
    let levels = ["must", "should", "advice"].map(level);
    let passed = levels.iter().map(|(passed, _)| passed).sum();
    let of: usize = levels.iter().map(|(_, of)| of).sum();
    let not_applicable = after("n/a").parse().unwrap();
    Counts { passed, not_applicable, others: of - passed, passes: words[0] == "pass" }
}

fn json(text: &str) -> Counts {
    let report: Value = serde_json::from_str(text).unwrap();
    let entries = report["requirements"].as_array().unwrap();
    let with = |verdict: &str| entries.iter().filter(|entry| entry["verdict"] == verdict).count();
    let (passed, not_applicable) = (with("pass"), with("not-applicable"));
    let others = entries.len() - passed - not_applicable;
    Counts { passed, not_applicable, others, passes: report["exit_status"] == 0 }
}

/// The cases, and that the attributes of both levels count them.
fn junit(text: &str) -> Counts {
    let document = roxmltree::Document::parse(text).unwrap();
    let named = |name: &'static str| document.descendants().filter(move |node| node.has_tag_name(name));
    for (attribute, name) in
        [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]
    {
        let count = named(name).count().to_string();
        for element in named("testsuites").chain(named("testsuite")) {
            assert_eq!(element.attribute(attribute), Some(&*count), "{attribute} in {text}");
        }
    }
    assert!(
        named("testcase").all(|case| case.attribute("time").is_some_and(|time| time.parse::<f64>().is_ok()))
    );
    let of_run = named("testcase").filter(|case| case.attribute("name") == Some("the run")).count();
    // What does not apply has no type.
    let not_applicable = named("skipped").filter(|skipped| skipped.attribute("type").is_none()).count();
    let passed = named("testcase").filter(|case| case.first_element_child().is_none()).count();
    let others = named("testcase").count() - passed - not_applicable - of_run;
    let passes = named("failure").chain(named("error")).next().is_none();
    Counts { passed, not_applicable, others, passes }
}

/// The test points, numbered as the plan says, and their diagnostics, which are YAML.
pub(super) fn tap(text: &str) -> Counts {
    let mut lines = text.lines().peekable();
    assert_eq!(lines.next(), Some("TAP version 13"));
    let planned: usize = lines.next().unwrap().strip_prefix("1..").unwrap().parse().unwrap();
    let mut counts = Counts { passed: 0, not_applicable: 0, others: 0, passes: true };
    let mut seen = 0;
    while let Some(line) = lines.next() {
        if line.starts_with('#') {
            continue;
        }
        if line == "  ---" {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "  ...").collect();
            let members: BTreeMap<String, String> = serde_saphyr::from_str(&block.join("\n")).unwrap();
            assert!(members.contains_key("verdict") && members.contains_key("message"), "{members:#?}");
            continue;
        }
        let (is_ok, rest) = match line.strip_prefix("not ok ") {
            Some(rest) => (false, rest),
            None => (true, line.strip_prefix("ok ").unwrap_or_else(|| panic!("no line of TAP: {line:?}"))),
        };
        let (number, name) = rest.split_once(" - ").unwrap();
        seen += 1;
        assert_eq!(number.parse(), Ok(seen));
        let directive = name.split_once(" # ").map(|(_, directive)| directive.split(' ').next().unwrap());
        match (is_ok, directive) {
            (true, None) => counts.passed += 1,
            (true, Some("SKIP")) => counts.not_applicable += 1,
            (false, Some("TODO")) => counts.others += 1,
            (false, None) => {
                counts.passes = false;
                counts.others += usize::from(name != "the run");
            }
            _ => panic!("{line:?}"),
        }
    }
    assert_eq!(seen, planned);
    counts
}

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sarif/sarif-schema-2.1.0.json");
    let text = std::fs::read_to_string(path).unwrap();
    // A bracket too many in a pattern, of a member that reports do not have.
    let text = text.replace("-[a-zA-Z]{2}]?$", "-[a-zA-Z]{2}$");
    let schema: Value = serde_json::from_str(&text).unwrap();
    jsonschema::validator_for(&schema).unwrap()
});

/// What is wrong with a text as SARIF.
pub(super) fn sarif_errors(value: &Value) -> Vec<String> {
    SCHEMA.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// The results and the disabled rules, if the schema accepts them.
fn sarif(text: &str) -> Counts {
    let value: Value = serde_json::from_str(text).unwrap();
    let errors = sarif_errors(&value);
    assert!(errors.is_empty(), "{errors:#?}");
    let run = &value["runs"][0];
    let length = |value: &Value| value.as_array().unwrap().len();
    let (rules, results) = (&run["tool"]["driver"]["rules"], &run["results"]);
    for result in results.as_array().unwrap() {
        let at = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(result["ruleId"], rules[at]["id"]);
        assert_eq!(result["kind"] == "fail", result["level"] != "none", "{result:#}");
    }
    let invocation = &run["invocations"][0];
    let disabled = invocation["ruleConfigurationOverrides"].as_array().unwrap();
    assert!(disabled.iter().all(|rule| rule["configuration"]["enabled"] == false));
    let (not_applicable, others) = (disabled.len(), length(results));
    let passed = length(rules) - not_applicable - others;
    Counts { passed, not_applicable, others, passes: invocation["exitCode"] == 0 }
}

/// The rows of the first table, and the word in the first heading.
fn markdown(text: &str) -> Counts {
    let (mut rows, mut cells, mut heading) = (Vec::new(), Vec::new(), String::new());
    let (mut in_heading, mut tables) = (false, 0);
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => in_heading = heading.is_empty(),
            Event::End(TagEnd::Heading(_)) => in_heading = false,
            Event::Start(Tag::TableCell) => cells.push(String::new()),
            Event::End(TagEnd::TableHead | TagEnd::TableRow) => {
                let row = std::mem::take(&mut cells);
                if tables == 0 {
                    rows.push(row);
                }
            }
            Event::End(TagEnd::Table) => tables += 1,
            Event::Text(words) => {
                if in_heading {
                    heading.push_str(&words);
                } else if let Some(cell) = cells.last_mut() {
                    cell.push_str(&words);
                }
            }
            _ => {}
        }
    }
    let (names, rows) = rows.split_first().unwrap();
    let column = |name: &str| names.iter().position(|other| other == name).unwrap();
    let sum = |at: usize| rows.iter().map(|row| row[at].parse::<usize>().unwrap()).sum::<usize>();
    assert_eq!(rows.len(), 3, "{rows:?}");
    let all: usize = (1..names.len()).map(sum).sum();
    let (passed, not_applicable) = (sum(column("pass")), sum(column("not-applicable")));
    Counts {
        passed,
        not_applicable,
        others: all - passed - not_applicable,
        passes: heading.ends_with(": pass"),
    }
}
