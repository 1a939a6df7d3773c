//! What a check found, as every format shows it. Secrets are redacted here.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::answer::AnswerEntry;
use super::circumstances::Circumstances;
use super::curl::{self, body_name};
use super::known::entry::KnownEntry;
use super::messages;
use crate::redaction::Redaction;
use crate::subject::protocol::Op;
use crate::suite::cause::Cause;
use crate::suite::requirement::{Evidence, Level, Requirement, Role, Verdict, group_of};
use crate::suite::run::{Finding, Judgement};
use crate::suite::transcript::Transcript;
use crate::suite::verdict::{Provisional, VerdictName};
use crate::terminal::json;
use crate::wire::exchange::{Exchange, ExchangeId};

/// How many exchanges of each kind a failure shows.
const SHOWN_EXCHANGES: usize = 3;

#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckEntry {
    pub id: Cow<'static, str>,
    pub requirements: [Cow<'static, str>; 1],
    pub level: Level,
    pub verdict: VerdictName,
    /// What the contract asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What happened instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// The finding, or why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Receivers: what was sent when it was first seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<String>,
    /// Receivers: the fixed cases that show it, each as what was sent, if there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases_that_fail: Vec<String>,
    /// Receivers: whether every case shows it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub every_case_fails: bool,
    /// Which parts of the generated case matter, and what may be anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what_matters: Option<String>,
    /// Receivers: what shows the cause, if that is another delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
    /// Receivers: the line that the program wrote about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Receivers: the answer to the first delivery that shows the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<AnswerEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<CauseEntry>,
    /// The entry in the list of known failures, if that decides the verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<KnownEntry>,
    /// A line of code that fixes it in the framework that the receiver uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_line: Option<String>,
    /// What an inconclusive check came to with deliveries made in the way that the receiver wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisional: Option<VerdictName>,
    /// If that is a failure: what it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_fix: Option<AfterFix>,
    /// The command that runs this check again, for a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun: Option<String>,
    /// Receivers: a `curl` command that sends the first delivery that shows the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curl: Option<String>,
    /// Receivers: whether curl cannot send that delivery.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub beyond_curl: bool,
    /// Senders: the `emit` request of the generated event that shows the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emit: Option<String>,
    /// The numbers of the exchanges that show it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<usize>,
    /// The numbers of the exchanges that differ from the first of those in one respect, and were answered as they should be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<usize>,
    /// Those exchanges and those that show the cause, at least the first of each, without secrets. They are not part of the JSON report:
    /// a run keeps them in its folder.
    #[serde(skip)]
    pub exchanges_shown: Vec<Exchange>,
    /// How many fixed and generated cases its scenarios had; 0 for senders.
    pub cases: usize,
    /// How long the receiver took to answer everything that was sent for this check, in microseconds; 0 for senders.
    pub duration_us: u64,
}

/// Why a requirement failed or a signature does not match. It is displayed as `code (detail): text`.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseEntry {
    /// The stable code, such as `message.body-alone`. Its meaning never changes.
    pub code: Cow<'static, str>,
    /// More about it, such as which separator or which encoding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Other causes that would explain the same answers, as codes with their details.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub or: Vec<String>,
    /// The numbers of the exchanges that show it, if not those of the failure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown_by: Vec<usize>,
    /// What the implementation does, in lower case and without a full stop.
    pub text: Cow<'static, str>,
    /// The fix, in one line, for the author of a program of the tested role.
    pub fix: Cow<'static, str>,
    /// The wrong fix that is often tried instead, to follow "do not".
    pub avoid: Cow<'static, str>,
}

/// A failure with deliveries made in the way that the receiver wants.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AfterFix {
    /// What the contract asks for.
    pub expected: String,
    /// What happened instead.
    pub actual: String,
    pub message: String,
    /// The answer to the first delivery that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<AnswerEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<CauseEntry>,
    /// The numbers of the exchanges that show it.
    pub exchanges: Vec<usize>,
}

impl AfterFix {
    /// `after` has the exchanges.
    pub(super) fn of(
        evidence: &Evidence,
        after: Option<&Transcript>,
        role: Role,
        redact: &Redaction,
    ) -> Self {
        let first = evidence.exchanges.first().zip(after);
        let exchange = first.and_then(|(&id, after)| after.exchanges.get(id));
        Self {
            expected: redact.text(&evidence.expected.describe()),
            actual: redact.text(&evidence.actual.0),
            message: redact.text(&evidence.message),
            answer: exchange.and_then(|exchange| AnswerEntry::of(exchange, redact)),
            cause: evidence.cause.as_ref().map(|cause| CauseEntry::new(cause, role, redact)),
            exchanges: evidence.exchanges.iter().map(|id| id.0).collect(),
        }
    }

    /// What is wrong: the cause with its detail, or else the message.
    pub fn text(&self) -> String {
        match &self.cause {
            Some(cause) => cause.sentence(),
            None => self.message.clone(),
        }
    }
}

impl CheckEntry {
    /// The entry of a check without a finding.
    pub fn unjudged(requirement: &Requirement) -> Self {
        Self {
            id: requirement.check_id.into(),
            requirements: [requirement.id.into()],
            level: requirement.level,
            verdict: VerdictName::Inconclusive,
            expected: None,
            actual: None,
            message: None,
            sent: None,
            cases_that_fail: Vec::new(),
            every_case_fails: false,
            what_matters: None,
            shown: None,
            output: None,
            answer: None,
            cause: None,
            known: None,
            code_line: None,
            provisional: None,
            after_fix: None,
            rerun: None,
            curl: None,
            beyond_curl: false,
            emit: None,
            exchanges: Vec::new(),
            controls: Vec::new(),
            exchanges_shown: Vec::new(),
            cases: 0,
            duration_us: 0,
        }
    }

    /// The role and group, such as `receiver/verification`: the id without its last part.
    pub fn group(&self) -> &str {
        group_of(&self.id)
    }

    /// The first line of what was found.
    pub(super) fn first_line(&self) -> &str {
        self.message.as_deref().unwrap_or_default().lines().next().unwrap_or_default()
    }

    /// A command that repeats the failure: an `emit` request for a sender, a `curl` command for a receiver.
    pub fn repeat(&self) -> Option<&str> {
        self.emit.as_deref().or(self.curl.as_deref())
    }

    /// The same for people, or what to do where there is no command.
    pub(super) fn again(&self) -> Option<&str> {
        self.repeat().or_else(|| self.beyond_curl.then(messages::no_curl_command))
    }
}

impl CauseEntry {
    /// The entry for a program of this role.
    pub(crate) fn new(cause: &Cause, role: Role, redaction: &Redaction) -> Self {
        Self {
            code: cause.code.as_str().into(),
            detail: cause.detail.as_ref().map(|detail| redaction.text(detail)),
            or: cause.or.iter().map(|other| redaction.text(other)).collect(),
            shown_by: cause.shown_by.iter().map(|id| id.0).collect(),
            text: cause.code.text().into(),
            fix: cause.fix(role).into(),
            avoid: cause.to_fix().avoid(role).into(),
        }
    }

    /// The code with the detail.
    pub(crate) fn named(&self) -> String {
        format!("{}{}", self.code, self.detail_in_parentheses())
    }

    /// What the implementation does, with the detail.
    pub(super) fn sentence(&self) -> String {
        format!("{}{}", self.text, self.detail_in_parentheses())
    }

    /// The detail in parentheses, with a space before it; empty if there is none.
    fn detail_in_parentheses(&self) -> String {
        self.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default()
    }
}

impl fmt::Display for CauseEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.named(), self.text)
    }
}

/// The entry of a finding. If its command reads a body from the folder `out`, the exchange is added to `bodies`.
pub(super) fn check_entry(
    finding: &Finding,
    (transcript, after): (&Transcript, Option<&Transcript>),
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
    entry.provisional = finding.provisional.as_ref().map(VerdictName::from);
    if let Some(Provisional::Fail(evidence)) = &finding.provisional {
        entry.after_fix = Some(AfterFix::of(evidence, after, transcript.role, redact));
    }
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
            entry.cause =
                evidence.cause.as_ref().map(|cause| CauseEntry::new(cause, transcript.role, redact));
            entry.exchanges = evidence.exchanges.iter().map(|id| id.0).collect();
            let first = evidence.exchanges.first().filter(|_| transcript.role == Role::Receiver);
            let trial = first.and_then(|&id| transcript.trials.iter().find(|trial| trial.exchange == id));
            entry.controls = trial.into_iter().flat_map(|trial| &trial.controls).map(|id| id.0).collect();
            entry.answer = first.and_then(|&id| AnswerEntry::of(transcript.exchange(id), redact));
            let emission = evidence.emission.and_then(|at| transcript.emissions.get(at));
            let of_case = transcript.matters.iter().find(|(at, _)| evidence.exchanges.contains(at));
            let of_event = || emission?.generated.as_ref()?.matters.as_ref();
            entry.what_matters =
                of_case.map(|(_, matters)| matters).or_else(of_event).map(|matters| redact.text(matters));
            if transcript.role == Role::Receiver {
                let circumstances = Circumstances::of(transcript, evidence, finding.requirement);
                let redacted = |text: Option<String>| text.map(|text| redact.text(&text));
                entry.sent = redacted(circumstances.sent);
                entry.cases_that_fail = circumstances.cases.iter().map(|case| redact.text(case)).collect();
                entry.every_case_fails = circumstances.every;
                entry.shown = redacted(circumstances.shown);
                entry.output = redacted(circumstances.output);
            }
            entry.emit =
                emission.map(|emission| json(redact.text(&Op::Emit(emission.event.clone()).encode(1))));
            entry.curl = first.and_then(|&id| {
                let delivery = redact.delivery(&transcript.exchange(id).delivery);
                let file =
                    out.filter(|_| curl::wants_file(&delivery.body)).map(|out| out.join(body_name(id)));
                let url = redact.text(&transcript.url);
                let command = curl::command(&url, &transcript.trust, &delivery, file.as_deref())?;
                bodies.extend(file.map(|_| id));
                Some(command)
            });
            entry.beyond_curl = first.is_some() && entry.curl.is_none();
            entry.exchanges_shown = exchanges_shown(&entry, transcript, redact);
        }
    }
    entry
}

/// The numbers of the first exchanges of each kind that a failure refers to.
pub(super) fn shown_numbers(entry: &CheckEntry) -> BTreeSet<usize> {
    let caused = entry.cause.iter().flat_map(|cause| cause.shown_by.iter().take(SHOWN_EXCHANGES));
    let kinds =
        [&entry.exchanges, &entry.controls].into_iter().flat_map(|kind| kind.iter().take(SHOWN_EXCHANGES));
    kinds.chain(caused).copied().collect()
}

fn exchanges_shown(entry: &CheckEntry, transcript: &Transcript, redact: &Redaction) -> Vec<Exchange> {
    let known =
        shown_numbers(entry).into_iter().filter_map(|number| transcript.exchanges.get(ExchangeId(number)));
    // Times in whole microseconds, as they are kept.
    let rounded = |took: Duration| Duration::from_micros(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    let shown = known.map(|exchange| redact.exchange(exchange).0);
    shown.map(|exchange| Exchange { took: rounded(exchange.took), ..exchange }).collect()
}

fn duration_us(finding: &Finding, transcript: &Transcript) -> u64 {
    let tried = transcript
        .trials
        .iter()
        .filter(|trial| finding.requirement.scenarios.iter().any(|one| one.name == trial.scenario));
    // In whole microseconds, as they are kept: a run that is judged again has the same sum.
    let took = tried
        .map(|trial| u64::try_from(transcript.exchange(trial.exchange).took.as_micros()).unwrap_or(u64::MAX));
    took.fold(0, u64::saturating_add)
}

fn cases(finding: &Finding, transcript: &Transcript) -> usize {
    finding.requirement.scenarios.iter().map(|scenario| transcript.cases_of(scenario.name)).sum()
}
