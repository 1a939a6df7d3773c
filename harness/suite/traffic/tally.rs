//! What traffic has shown so far: of each delivery what people and programs read, and of all of them together how often
//! each requirement held.
//!
//! Invariant: bounded. However much traffic comes, only counts and one example of each finding are kept.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::exit::ExitStatus;
use crate::redaction::Redaction;
use crate::report::{CauseEntry, VerdictName};
use crate::suite::requirement::{Level, Requirement, Verdict};
use crate::suite::run::{Finding, Judgement};
use crate::webhook::dialect::{self, Dialect, Members};
use crate::webhook::event::EventName;

/// How many causes are counted one by one; a detail may hold what a sender makes up.
const MOST_CAUSES: usize = 100;

/// A delivery's verdict.
#[derive(Debug, Clone, Serialize)]
pub struct Judged {
    /// The event, as far as the body names one.
    pub event: Option<String>,
    /// The record's id, where there is one.
    pub record: Option<String>,
    /// The strongest of the findings: a failure, then what does not tell, then a pass.
    pub verdict: VerdictName,
    /// The requirements that it keeps.
    pub passed: Vec<&'static str>,
    /// Those of which it does not tell whether it keeps them.
    #[serde(rename = "untestable")] // until twenty-conform-report/2
    pub inconclusive: Vec<&'static str>,
    /// Those that it breaks, and how.
    pub failed: Vec<Failure>,
}

/// A requirement that a delivery breaks.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    /// The requirement's id.
    pub requirement: &'static str,
    /// How strongly it binds.
    pub level: Level,
    /// The check that found it.
    pub check: &'static str,
    /// What the contract has there.
    pub expected: String,
    /// What happened there.
    pub actual: String,
    /// The finding in a sentence.
    pub message: String,
    /// Why, where that can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<CauseEntry>,
}

/// What all the traffic together has shown.
#[derive(Debug)]
pub struct Tally {
    /// How many deliveries were judged.
    pub judged: u64,
    /// How many of them broke something.
    pub failed: u64,
    /// How many requests were not whole.
    pub broken: u64,
    /// Each requirement.
    pub entries: Vec<Entry>,
    causes: BTreeMap<String, u64>,
}

/// What the traffic has shown of one requirement.
#[derive(Debug)]
pub struct Entry {
    /// Which.
    pub requirement: &'static Requirement,
    /// How many deliveries keep it.
    pub passed: u64,
    /// How many break it.
    pub failed: u64,
    /// The number of the first that breaks it.
    pub first: Option<usize>,
    /// Of how many nothing can be told.
    pub inconclusive: u64,
    /// Why nothing can be told of the first of those, or why it is not shown at all.
    pub why: Option<String>,
}

impl Judged {
    /// The verdict of a delivery with this body. `redaction` takes the secret out of everything that is said.
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
        for Finding { requirement, judgement } in findings {
            match judgement {
                Judgement::Judged(Verdict::Pass) => judged.passed.push(requirement.id),
                Judgement::Judged(Verdict::NotApplicable(_)) => {}
                Judgement::Judged(Verdict::Inconclusive(_)) | Judgement::Error(_) => {
                    judged.inconclusive.push(requirement.id);
                }
                Judgement::Judged(Verdict::Fail(evidence)) => judged.failed.push(Failure {
                    requirement: requirement.id,
                    level: requirement.level,
                    check: requirement.check_id,
                    expected: redaction.text(&evidence.expected.describe()),
                    actual: redaction.text(&evidence.actual.0),
                    message: redaction.text(&evidence.message),
                    cause: evidence.cause.as_ref().map(|cause| {
                        let detail = cause.detail.as_ref().map(|detail| redaction.text(detail));
                        let or = cause.or.iter().map(|other| redaction.text(other)).collect();
                        CauseEntry { detail, or, shown_by: Vec::new(), ..CauseEntry::from(cause) }
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

/// The event that a body names and its record's id, in the dialect that is expected or else in the other one.
fn names(own: &'static Dialect, body: &[u8]) -> (Option<String>, Option<String>) {
    let Ok(members) = Members::parse(body) else { return (None, None) };
    let mut dialects = std::iter::once(own).chain(dialect::ALL);
    let named = dialects.find_map(|dialect| Some((dialect, members.text(dialect.event_member)?)));
    let Some((dialect, event)) = named else { return (None, None) };
    let name = EventName::new(event);
    let id = if name.is_metadata() { "recordId" } else { "id" };
    let content = members.get(dialect.content_member(&name));
    let record = content.and_then(|content| Members::parse(content.get().as_bytes()).ok()?.text(id));
    (Some(name.as_str().to_owned()), record)
}

impl Tally {
    /// A tally of these requirements.
    pub fn new(selected: &[&'static Requirement]) -> Self {
        let entry = |&requirement: &&'static Requirement| Entry {
            requirement,
            passed: 0,
            failed: 0,
            first: None,
            inconclusive: 0,
            why: None,
        };
        Self {
            judged: 0,
            failed: 0,
            broken: 0,
            entries: selected.iter().map(entry).collect(),
            causes: BTreeMap::new(),
        }
    }

    /// Counts a delivery: its number, the findings on the requirements of this tally, and what was said of them.
    pub fn add(&mut self, number: usize, findings: &[Finding], judged: &Judged) {
        self.judged += 1;
        self.failed += u64::from(!judged.failed.is_empty());
        for (entry, finding) in self.entries.iter_mut().zip(findings) {
            match &finding.judgement {
                Judgement::Judged(Verdict::Pass) => entry.passed += 1,
                Judgement::Judged(Verdict::Fail(_)) => {
                    entry.failed += 1;
                    entry.first.get_or_insert(number);
                }
                Judgement::Judged(Verdict::NotApplicable(why)) => {
                    entry.why.get_or_insert_with(|| why.clone());
                }
                Judgement::Judged(Verdict::Inconclusive(why)) | Judgement::Error(why) => {
                    if entry.inconclusive == 0 {
                        entry.why = Some(why.clone());
                    }
                    entry.inconclusive += 1;
                }
            }
        }
        for cause in judged.failed.iter().filter_map(|failure| failure.cause.as_ref()) {
            let detail = cause.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
            let name = format!("{}{detail}", cause.code);
            let known = self.causes.contains_key(&name) || self.causes.len() < MOST_CAUSES;
            let name = if known { name } else { cause.code.to_owned() };
            *self.causes.entry(name).or_default() += 1;
        }
    }

    /// The causes that were found, with how often each was.
    pub fn causes(&self) -> impl Iterator<Item = (&str, u64)> {
        self.causes.iter().map(|(name, count)| (name.as_str(), *count))
    }

    /// How it ends: failed where something at that level or above was broken; incomplete where nothing came, or something
    /// cannot be told; passed otherwise.
    pub fn exit(&self, fail_on: Level) -> ExitStatus {
        let gated = || self.entries.iter().filter(|entry| entry.requirement.level <= fail_on);
        if self.broken > 0 || gated().any(|entry| entry.failed > 0) {
            ExitStatus::Failed
        } else if self.judged == 0 || gated().any(|entry| entry.inconclusive > 0) {
            ExitStatus::Incomplete
        } else if self.entries.is_empty() {
            ExitStatus::NothingSelected
        } else {
            ExitStatus::Passed
        }
    }
}

impl Entry {
    /// What all the deliveries together say.
    pub fn verdict(&self) -> VerdictName {
        match self {
            Self { failed: 1.., .. } => VerdictName::Fail,
            Self { inconclusive: 1.., .. } => VerdictName::Inconclusive,
            Self { passed: 1.., .. } => VerdictName::Pass,
            _ => VerdictName::NotApplicable,
        }
    }
}
