//! What a watched delivery shows, for people and programs. Secrets are redacted here.

pub mod keeping;
pub mod show;

use serde::Serialize;

use super::check::CauseEntry;
use crate::budget::PARSED_VALUES;
use crate::redaction::Redaction;
use crate::suite::requirement::{Level, Role, Verdict};
use crate::suite::run::{Finding, Judgement};
use crate::suite::verdict::VerdictName;
use crate::webhook::dialect::{self, Dialect, Members};
use crate::webhook::event::EventName;
use crate::webhook::json::has_at_most;

/// A delivery and its verdict.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryEntry {
    /// The event that the body names, if any.
    pub event: Option<String>,
    /// The record's id, if any.
    pub record: Option<String>,
    /// The worst of the findings: failure, then inconclusive, then pass.
    pub verdict: VerdictName,
    pub passed: Vec<&'static str>,
    pub inconclusive: Vec<&'static str>,
    pub failed: Vec<FailureEntry>,
}

#[derive(Debug, Clone, Serialize)]
pub struct FailureEntry {
    pub requirement: &'static str,
    pub level: Level,
    pub check: &'static str,
    pub expected: String,
    pub actual: String,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<CauseEntry>,
}

impl DeliveryEntry {
    /// The entry of a delivery with this body. `redaction` redacts the secret from all texts.
    pub fn new(dialect: &'static Dialect, body: &[u8], findings: &[Finding], redaction: &Redaction) -> Self {
        let (event, record) = names(dialect, body);
        let clean = |text: Option<String>| text.map(|text| redaction.text(&text));
        let mut judged = Self {
            event: clean(event),
            record: clean(record),
            verdict: VerdictName::Pass,
            passed: Vec::new(),
            inconclusive: Vec::new(),
            failed: Vec::new(),
        };
        for Finding { requirement, judgement, .. } in findings {
            match judgement {
                Judgement::Judged(Verdict::Pass) => judged.passed.push(requirement.id),
                Judgement::Judged(Verdict::NotApplicable(_)) => {}
                Judgement::Judged(Verdict::Inconclusive(_)) | Judgement::Error(_) => {
                    judged.inconclusive.push(requirement.id);
                }
                Judgement::Judged(Verdict::Fail(evidence)) => judged.failed.push(FailureEntry {
                    requirement: requirement.id,
                    level: requirement.level,
                    check: requirement.check_id,
                    expected: redaction.text(&evidence.expected.describe()),
                    actual: redaction.text(&evidence.actual.0),
                    message: redaction.text(&evidence.message),
                    // This delivery shows it, so numbers add nothing.
                    cause: evidence.cause.as_ref().map(|cause| CauseEntry {
                        shown_by: Vec::new(),
                        ..CauseEntry::new(cause, Role::Sender, redaction)
                    }),
                }),
            }
        }
        judged.verdict = match (judged.failed.is_empty(), judged.inconclusive.is_empty()) {
            (false, _) => VerdictName::Fail,
            (true, false) => VerdictName::Inconclusive,
            (true, true) => VerdictName::Pass,
        };
        judged
    }
}

/// The event that a body names and its record's id, in the expected dialect or else in the other one.
fn names(own: &'static Dialect, body: &[u8]) -> (Option<String>, Option<String>) {
    let members = Some(body).filter(|body| has_at_most(body, PARSED_VALUES)).map(Members::parse);
    let Some(Ok(members)) = members else { return (None, None) };
    let mut dialects = std::iter::once(own).chain(dialect::ALL);
    let named = dialects.find_map(|dialect| Some((dialect, members.text(dialect.event_member)?)));
    let Some((dialect, event)) = named else { return (None, None) };
    let name = EventName::new(event);
    let id = if name.is_metadata() { "recordId" } else { "id" };
    let content = members.get(dialect.content_member(&name));
    let record = content.and_then(|content| Members::parse(content.get().as_bytes()).ok()?.text(id));
    (Some(name.as_str().to_owned()), record)
}
