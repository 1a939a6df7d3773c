//! The report as SARIF 2.1.0, for code scanning and editors.
//!
//! ```json
//! { "ruleId": "VER-4", "level": "error", "kind": "fail",
//!   "message": { "text": "accepted (200) a delivery without a signature. Fix: …" },
//!   "locations": [{ "physicalLocation": { "artifactLocation": { "uri": "src/webhook.mjs", "uriBaseId": "%SRCROOT%" },
//!                                         "region": { "startLine": 12 } } }],
//!   "partialFingerprints": { "checkAndCause/v1": "…" } }
//! ```
//!
//! Rules are the requirements that ran. A result is a failure, or with `kind: open` what could not be judged. What passed has no result,
//! and what does not apply is a rule that this run disabled: code scanning shows every result as an alert, whatever its kind.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::messages::formats as messages;
use super::standing::{Case, Standing};
use super::{CheckEntry, Place, Report, VerdictName};
use crate::exit::ExitStatus;
use crate::suite::requirement::{Level, sources_in_words};
use crate::terminal;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The base of paths that are relative to the project.
const ROOT: &str = "%SRCROOT%";

/// The report as pretty-printed JSON, ending with a line feed.
pub fn render(report: &Report) -> String {
    let cases: Vec<Case<'_>> = report.cases().collect();
    let results = cases.iter().enumerate().filter_map(|(at, case)| result(report, case, at));
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": report.tool.name,
                "version": report.tool.version,
                "semanticVersion": report.tool.version,
                "rules": cases.iter().map(rule).collect::<Vec<_>>(),
            } },
            "automationDetails": { "id": format!("{}/{}/", report.tool.name, report.role) },
            "invocations": [invocation(report, &cases)],
            "originalUriBaseIds": { ROOT: { "description": { "text": messages::project_root() } } },
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
            "properties": {
                "role": report.role,
                "subject": report.subject,
                "dialect": report.dialect,
                "seed": report.seed,
                "result": report.result,
                "counts": report.counts,
            },
        }],
    });
    let text = serde_json::to_string_pretty(&document)
        .unwrap_or_else(|why| unreachable!("SARIF of text and numbers: {why}"));
    terminal::json(text + "\n")
}

/// A requirement as a rule, with the fix that this run found for it.
fn rule(case: &Case<'_>) -> Value {
    let Case { requirement, check, .. } = case;
    let fix = check.cause.as_ref().map(|cause| &*cause.fix);
    json!({
        "id": requirement.id,
        "name": requirement.title,
        "shortDescription": { "text": literal(&requirement.title) },
        "fullDescription": { "text": literal(&requirement.text) },
        "help": { "text": literal(&messages::help_of_rule(&requirement.text, &sources_in_words(&requirement.source), fix)) },
        "defaultConfiguration": { "level": level(requirement.level) },
        "properties": { "level": requirement.level, "check": check.id, "tags": ["webhook", check.group()] },
    })
}

/// A failure, or what could not be judged; `None` for what passed or does not apply.
fn result(report: &Report, case: &Case<'_>, at: usize) -> Option<Value> {
    let (requirement, check) = (case.requirement, case.check);
    let kind = match (case.standing, check.verdict) {
        (Standing::Passes | Standing::NotApplicable, _) => return None,
        (Standing::Fails, _) | (Standing::Excused, VerdictName::Fail | VerdictName::KnownFailure) => "fail",
        (Standing::Open | Standing::Excused, _) => "open",
    };
    let level = if kind == "fail" { level(requirement.level) } else { "none" };
    let found = check.message.as_deref().unwrap_or_default();
    let message = match &check.cause {
        Some(cause) => messages::finding_with_fix(&format!("{found}\n{cause}"), Some(&cause.fix)),
        None => found.to_owned(),
    };
    let mut properties = Map::new();
    properties.insert("verdict".into(), json!(check.verdict));
    properties.insert("gated".into(), json!(report.is_gated(requirement)));
    let cause = check.cause.as_ref().map(ToString::to_string);
    let known = [
        ("expected", check.expected.as_deref()),
        ("actual", check.actual.as_deref()),
        ("cause", cause.as_deref()),
        ("rerun", check.rerun.as_deref()),
        ("repeat", check.again()),
    ];
    properties.extend(known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))));
    let mut result = json!({
        "ruleId": requirement.id,
        "ruleIndex": at,
        "kind": kind,
        "level": level,
        "message": { "text": literal(&message) },
        "locations": [location(report, check)],
        "partialFingerprints": { "checkAndCause/v1": fingerprint(check) },
        "properties": properties,
    });
    if let Some(known) = check.known.as_ref().filter(|_| check.verdict == VerdictName::KnownFailure) {
        let justification = literal(&known.reason);
        result["suppressions"] =
            json!([{ "kind": "external", "status": "accepted", "justification": justification }]);
    }
    Some(result)
}

/// The place in the project, and the check: the file that was named for it, or else the configuration file.
fn location(report: &Report, check: &CheckEntry) -> Value {
    let mut location = json!({
        "logicalLocations": [{ "fullyQualifiedName": check.id, "kind": "member" }],
    });
    let configured = || report.configuration.as_ref().map(|file| Place { file: file.clone(), line: None });
    if let Some(Place { file, line }) = report.source.clone().or_else(configured) {
        let mut artifact = json!({ "uri": uri(&file) });
        if !file.starts_with('/') {
            artifact["uriBaseId"] = ROOT.into();
        }
        location["physicalLocation"] =
            json!({ "artifactLocation": artifact, "region": { "startLine": line.unwrap_or(1) } });
    }
    location
}

/// A path as a URI reference.
fn uri(path: &str) -> String {
    let mut uri = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                uri.push(byte.into())
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

/// The same in every run that finds the same cause with the same check, whatever its seed.
fn fingerprint(check: &CheckEntry) -> String {
    let code = check.cause.as_ref().map_or(check.verdict.as_str(), |cause| &cause.code);
    const_hex::encode(Sha256::digest(format!("{}\n{code}", check.id)))
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Must => "error",
        Level::Should => "warning",
        Level::Advice => "note",
    }
}

/// How the run ended, with its notes, and the rules that did not apply.
fn invocation(report: &Report, cases: &[Case<'_>]) -> Value {
    let is_complete = !matches!(report.exit, ExitStatus::Interrupted | ExitStatus::Harness);
    let note = |level: &str, text: &str| json!({ "level": level, "message": { "text": literal(text) } });
    let beyond = report.beyond_cases().map(|(_, why)| note("error", why));
    let not_started = report.not_started.as_ref().map(|failure| note("error", &failure.fault));
    let notes = report.notes.iter().map(|text| note("note", text));
    let disabled = cases.iter().enumerate().filter(|(_, case)| case.standing == Standing::NotApplicable);
    let overrides = disabled.map(|(at, case)| {
        json!({
            "descriptor": { "id": case.requirement.id, "index": at },
            "configuration": { "enabled": false },
            "properties": { "verdict": case.check.verdict, "reason": case.reason() },
        })
    });
    json!({
        "executionSuccessful": is_complete && !report.unreached,
        "exitCode": report.exit.code(),
        "exitCodeDescription": report.result_line(),
        "toolExecutionNotifications": beyond.into_iter().chain(not_started).chain(notes).collect::<Vec<_>>(),
        "ruleConfigurationOverrides": overrides.collect::<Vec<_>>(),
    })
}

/// Text that a viewer shows as it is: without brackets that make a link, and with braces that are no placeholders.
fn literal(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(terminal::clean).collect();
    let mut shown = lines.join("\n");
    if shown.contains("](") {
        shown = shown.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
    }
    if is_placeholder(&shown) { shown.replace('{', "{{").replace('}', "}}") } else { shown }
}

/// Whether a text has something like `{0}`.
fn is_placeholder(text: &str) -> bool {
    let begins = |rest: &str| {
        let digits = rest.trim_start_matches(|character: char| character.is_ascii_digit());
        digits.len() < rest.len() && digits.starts_with('}')
    };
    text.match_indices('{').any(|(at, _)| begins(&text[at + 1..]))
}
