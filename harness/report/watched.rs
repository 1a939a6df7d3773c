//! What a watched delivery shows, for people and programs. Secrets are redacted here.

pub mod details;
pub mod keeping;
pub mod kinds;
mod messages;
pub mod seen;
pub mod show;
pub mod wanted;

use serde::{Serialize, Serializer};

use super::check::CauseEntry;
use crate::budget::PARSED_VALUES;
use crate::exit::ExitStatus;
use crate::redaction::Redaction;
use crate::suite::requirement::{Level, Role, Verdict};
use crate::suite::requirements;
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
    /// What is known of the signature.
    pub signature: SignatureState,
    /// The worst of the findings: failure, then inconclusive, then pass. Without a secret it never passes.
    pub verdict: VerdictName,
    pub passed: Vec<&'static str>,
    pub inconclusive: Vec<&'static str>,
    pub failed: Vec<FailureEntry>,
    /// The dialect that has this event, if the body names one.
    #[serde(skip)]
    pub dialect: Option<&'static Dialect>,
}

/// What is known of a delivery's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureState {
    Matches,
    Differs,
    Missing,
    Inconclusive,
    NotChecked,
}

impl SignatureState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Matches, Self::Differs, Self::Missing, Self::Inconclusive, Self::NotChecked];

    fn of(findings: &[Finding]) -> Self {
        let judgement = |id: &str| {
            findings.iter().find(|finding| finding.requirement.id == id).map(|finding| &finding.judgement)
        };
        let failed = |id: &str| matches!(judgement(id), Some(Judgement::Judged(Verdict::Fail(_))));
        match judgement("SIG-4") {
            None | Some(Judgement::Judged(Verdict::NotApplicable(_))) => Self::NotChecked,
            Some(Judgement::Judged(Verdict::Pass)) => Self::Matches,
            Some(_) if failed("SIG-1") => Self::Missing,
            Some(Judgement::Judged(Verdict::Fail(_))) => Self::Differs,
            Some(_) => Self::Inconclusive,
        }
    }

    /// The word for it, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Matches => "matches",
            Self::Differs => "does not match",
            Self::Missing => "missing",
            Self::Inconclusive => "inconclusive",
            Self::NotChecked => messages::not_checked(),
        }
    }
}

impl Serialize for SignatureState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
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
        let Names { dialect, event, record } = names(dialect, body);
        let clean = |text: Option<String>| text.map(|text| redaction.text(&text));
        let mut judged = Self {
            event: clean(event),
            record: clean(record),
            signature: SignatureState::of(findings),
            verdict: VerdictName::Pass,
            passed: Vec::new(),
            inconclusive: Vec::new(),
            failed: Vec::new(),
            dialect,
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
        let is_open = !judged.inconclusive.is_empty() || judged.signature == SignatureState::NotChecked;
        judged.verdict = match (judged.failed.is_empty(), is_open) {
            (false, _) => VerdictName::Fail,
            (true, true) => VerdictName::Inconclusive,
            (true, false) => VerdictName::Pass,
        };
        judged
    }

    /// The exit status for this delivery alone, if failures of this level and above count.
    pub fn exit(&self, fail_on: Level) -> ExitStatus {
        let gated = |id: &str| requirements::all().any(|one| one.id == id && one.level <= fail_on);
        if self.failed.iter().any(|failure| failure.level <= fail_on) {
            ExitStatus::Failed
        } else if self.inconclusive.iter().any(|id| gated(id)) {
            ExitStatus::Incomplete
        } else {
            ExitStatus::Passed
        }
    }

    /// The cause of its first failure that has one.
    pub fn cause(&self) -> Option<&CauseEntry> {
        self.failed.iter().find_map(|failure| failure.cause.as_ref())
    }
}

/// What a body names.
#[derive(Default)]
struct Names {
    dialect: Option<&'static Dialect>,
    event: Option<String>,
    record: Option<String>,
}

/// The event that a body names and its record's id, in the expected dialect or else in the other one.
fn names(own: &'static Dialect, body: &[u8]) -> Names {
    let members = Some(body).filter(|body| has_at_most(body, PARSED_VALUES)).map(Members::parse);
    let Some(Ok(members)) = members else { return Names::default() };
    let mut dialects = std::iter::once(own).chain(dialect::ALL);
    let named = dialects.find_map(|dialect| Some((dialect, members.text(dialect.event_member)?)));
    let Some((dialect, event)) = named else { return Names::default() };
    let name = EventName::new(event);
    let id = if name.is_metadata() { "recordId" } else { "id" };
    let content = members.get(dialect.content_member(&name));
    let record = content.and_then(|content| Members::parse(content.get().as_bytes()).ok()?.text(id));
    Names { dialect: Some(dialect), event: Some(name.as_str().to_owned()), record }
}
