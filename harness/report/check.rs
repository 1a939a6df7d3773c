//! What a check found, as every format shows it.
//!
//! Invariant: secrets are taken out here, once; what a format shows of a check stands in its entry.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::curl::{self, body_name};
use crate::redaction::Redaction;
use crate::subject::protocol::Op;
use crate::suite::cause::Cause;
use crate::suite::requirement::{Level, Requirement, Role, Verdict};
use crate::suite::run::{Finding, Judgement};
use crate::suite::transcript::Transcript;
use crate::suite::verdict::VerdictName;
use crate::terminal::is_unseen;
use crate::webhook::json::escape;
use crate::wire::exchange::ExchangeId;

/// A check in a report.
#[derive(Debug, Clone, Serialize)]
pub struct CheckEntry {
    /// Its stable id.
    pub id: &'static str,
    /// What it judges.
    pub requirements: [&'static str; 1],
    /// The level of that.
    pub level: Level,
    /// What it found.
    pub verdict: VerdictName,
    /// What the contract has there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What happened there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// The finding, or the reason why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<CauseEntry>,
    /// Receivers: the `curl` command that sends the first delivery that shows the failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curl: Option<String>,
    /// Senders: the `emit` request of the generated event that shows the failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emit: Option<String>,
    /// The numbers of the exchanges that show it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<usize>,
    /// How many cases were tried in its scenarios, fixed and generated ones; 0 for senders.
    pub cases: usize,
    /// How long the receiver took over everything that was tried for this check, in microseconds; 0 for senders.
    pub duration_us: u64,
}

/// Why a requirement failed or a signature does not match, shown as `code (detail): text`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CauseEntry {
    /// The stable code, such as `message.body-alone`. It is never given another meaning.
    pub code: &'static str,
    /// What the code leaves open, such as which separator or which encoding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Other causes that explain the same answers, as codes with their details.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub or: Vec<String>,
    /// The numbers of the exchanges that show it, where they are others than those of the failure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shown_by: Vec<usize>,
    /// What the implementation does, as a sentence in lower case without a full stop.
    pub text: &'static str,
    /// The fix, in one line.
    pub fix: &'static str,
}

impl CheckEntry {
    /// The entry of a check of which nothing is known.
    pub fn unjudged(requirement: &Requirement) -> Self {
        Self {
            id: requirement.check_id,
            requirements: [requirement.id],
            level: requirement.level,
            verdict: VerdictName::Inconclusive,
            expected: None,
            actual: None,
            message: None,
            cause: None,
            curl: None,
            emit: None,
            exchanges: Vec::new(),
            cases: 0,
            duration_us: 0,
        }
    }

    /// Role and group, such as `receiver/verification`: its id without the last part.
    pub fn group(&self) -> &'static str {
        match self.id.rsplit_once('/') {
            // Ids are never changed; this group was renamed after its ids were given.
            Some(("receiver/intake", _)) => "receiver/processing",
            Some((group, _)) => group,
            None => self.id,
        }
    }

    /// What repeats the failure: an `emit` request for a sender, a `curl` command for a receiver.
    pub fn repeat(&self) -> Option<&str> {
        self.emit.as_deref().or(self.curl.as_deref())
    }
}

impl CauseEntry {
    /// The entry of a cause.
    pub(crate) fn new(cause: &Cause, redaction: &Redaction) -> Self {
        Self {
            code: cause.code.as_str(),
            detail: cause.detail.as_ref().map(|detail| redaction.text(detail)),
            or: cause.or.iter().map(|other| redaction.text(other)).collect(),
            shown_by: cause.shown_by.iter().map(|id| id.0).collect(),
            text: cause.code.text(),
            fix: cause.fix(),
        }
    }

    /// The detail in parentheses, after a space; empty where there is none.
    pub(crate) fn which(&self) -> String {
        self.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default()
    }
}

impl fmt::Display for CauseEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}: {}", self.code, self.which(), self.text)
    }
}

/// The entry of a finding. `bodies` gets the exchanges whose bodies a command reads from the folder `out`.
pub(super) fn check_entry(
    finding: &Finding,
    transcript: &Transcript,
    redact: &Redaction,
    out: Option<&Path>,
    bodies: &mut Vec<ExchangeId>,
) -> CheckEntry {
    let mut entry = CheckEntry {
        verdict: (&finding.judgement).into(),
        cases: cases(finding, transcript),
        duration_us: duration_us(finding, transcript),
        ..CheckEntry::unjudged(finding.requirement)
    };
    match &finding.judgement {
        Judgement::Judged(Verdict::Pass) => {}
        Judgement::Judged(Verdict::Inconclusive(reason) | Verdict::NotApplicable(reason))
        | Judgement::Error(reason) => {
            entry.message = Some(redact.text(reason));
        }
        Judgement::Judged(Verdict::Fail(evidence)) => {
            entry.expected = Some(redact.text(&evidence.expected.describe()));
            entry.actual = Some(redact.text(&evidence.actual.0));
            entry.message = Some(redact.text(&evidence.message));
            entry.cause = evidence.cause.as_ref().map(|cause| CauseEntry::new(cause, redact));
            entry.exchanges = evidence.exchanges.iter().map(|id| id.0).collect();
            let first = evidence.exchanges.first().filter(|_| transcript.role == Role::Receiver);
            let emission = evidence.emission.and_then(|at| transcript.emissions.get(at));
            entry.emit =
                emission.map(|emission| visible(&redact.text(&Op::Emit(emission.event.clone()).encode(1))));
            entry.curl = first.map(|&id| {
                let delivery = redact.delivery(&transcript.exchange(id).delivery);
                let file = out.filter(|_| curl::wants_file(&delivery.body)).map(|out| {
                    bodies.push(id);
                    out.join(body_name(id))
                });
                curl::command(&redact.text(&transcript.url), &transcript.trust, &delivery, file.as_deref())
            });
        }
    }
    entry
}

/// A JSON text in which characters that cannot be seen, or that change how a line is shown, are escaped. They stand inside of
/// texts alone, so that it is the same JSON.
fn visible(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        if is_unseen(character) { escape(character, &mut shown) } else { shown.push(character) }
    }
    shown
}

fn duration_us(finding: &Finding, transcript: &Transcript) -> u64 {
    let tried = transcript
        .trials
        .iter()
        .filter(|trial| finding.requirement.scenarios.iter().any(|one| one.name == trial.scenario));
    let took: Duration = tried.map(|trial| transcript.exchange(trial.exchange).took).sum();
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

/// How many cases were tried in the scenarios of a finding's requirement.
fn cases(finding: &Finding, transcript: &Transcript) -> usize {
    finding.requirement.scenarios.iter().map(|scenario| transcript.cases_of(scenario.name)).sum()
}
