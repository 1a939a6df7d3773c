//! What a run has shown, as the data that every format is written from.
//!
//! Invariant: a report is made once, redacted once, and then only rendered; a format adds no judgement of its own.

pub mod json;
pub mod junit;
pub mod text;

mod curl;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;

use crate::cause::Cause;
use crate::exchange::Delivery;
use crate::exit::ExitStatus;
use crate::requirement::{Level, Role, Verdict};
use crate::requirements::payload::further_members;
use crate::signature::Secret;
use crate::suite::{Finding, Judgement, Run};
use crate::transcript::Transcript;

/// The name and version of the JSON form.
pub const FORMAT: &str = "twenty-conform-report/1";

/// A run's result, ready to be rendered.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// [`FORMAT`].
    pub format: &'static str,
    /// What made it.
    pub tool: Tool,
    /// Who was tested: `receiver`, `sender`, or `both` in a demo.
    pub role: &'static str,
    /// The dialect's name.
    pub dialect: &'static str,
    /// What was tested: a URL, a command, the reference.
    pub subject: String,
    /// The seed, with which the run can be repeated.
    pub seed: u64,
    /// The result in a word.
    pub result: Outcome,
    /// The exit status that goes with it.
    pub exit_status: u8,
    /// The same, as it is returned.
    #[serde(skip)]
    pub exit: ExitStatus,
    /// Whether the run was interrupted, so that the report is only a part.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// How long the run took, in milliseconds.
    pub duration_ms: u64,
    /// How much of that was spent only to see that nothing more comes.
    pub waited_ms: u64,
    /// How many exchanges there were.
    pub exchanges: usize,
    /// How many requirements of each level came out how.
    pub counts: BTreeMap<Level, BTreeMap<&'static str, usize>>,
    /// What is worth knowing and fails nothing.
    pub notes: Vec<String>,
    /// Each requirement's verdict.
    pub requirements: Vec<RequirementEntry>,
    /// Each check's finding.
    pub checks: Vec<CheckEntry>,
}

/// What made a report.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// A run's result in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Every gated requirement ran and passed.
    Pass,
    /// A gated requirement failed.
    Fail,
    /// Nothing gated failed, and something gated could not be tested, or nothing was selected.
    Incomplete,
    /// The harness or the attachment broke down.
    Error,
}

/// A verdict as reports name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictName {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// What was seen does not tell.
    Untestable,
    /// It does not bind this subject.
    NotApplicable,
    /// The harness or the attachment broke down.
    Error,
}

/// A requirement in a report.
#[derive(Debug, Clone, Serialize)]
pub struct RequirementEntry {
    /// Its id.
    pub id: &'static str,
    /// Its level.
    pub level: Level,
    /// Its verdict.
    pub verdict: VerdictName,
    /// The checks that judge it.
    pub checks: [&'static str; 1],
    /// Its sentence, for the formats that people read.
    #[serde(skip)]
    pub text: &'static str,
}

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
    /// The first exchange that shows it, as a command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repro: Option<String>,
    /// The numbers of the exchanges that show it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<usize>,
    /// How long the receiver took over everything that was tried for this check, in microseconds; 0 for senders.
    pub duration_us: u64,
}

/// A cause in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CauseEntry {
    /// Its stable code.
    pub code: &'static str,
    /// Which of its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What the implementation does.
    pub text: &'static str,
    /// The mend.
    pub mend: &'static str,
}

/// What a report says beside the findings.
#[derive(Debug, Clone)]
pub struct Heading {
    /// What was tested.
    pub subject: String,
    /// The seed.
    pub seed: u64,
    /// The weakest level whose failures count.
    pub fail_on: Level,
}

impl Report {
    /// The report of a run.
    pub fn new(run: &Run, heading: &Heading) -> Self {
        let transcript = &run.transcript;
        let redact = Redaction::of(transcript);
        let milliseconds =
            |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let mut notes = Vec::new();
        if run.interrupted {
            notes.push("the run was interrupted: this report is only a part of one".to_owned());
        }
        let further = further_members(transcript);
        if !further.is_empty() {
            notes.push(format!("further top-level members in the payload: {}", further.join(", ")));
        }
        notes.extend(
            transcript.deaths.iter().map(|(at, how)| redact.text(&format!("behind exchange {at} {how}"))),
        );
        let mut report = Self {
            format: FORMAT,
            tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
            role: transcript.role.as_str(),
            dialect: transcript.dialect.name,
            subject: redact.text(&heading.subject),
            seed: heading.seed,
            result: Outcome::Incomplete,
            exit_status: 0,
            exit: ExitStatus::NothingSelected,
            interrupted: run.interrupted,
            duration_ms: milliseconds(run.duration),
            waited_ms: milliseconds(transcript.waited),
            exchanges: transcript.exchanges.len(),
            counts: BTreeMap::new(),
            notes,
            requirements: run.findings.iter().map(requirement_entry).collect(),
            checks: run.findings.iter().map(|finding| check_entry(finding, transcript, &redact)).collect(),
        };
        report.conclude(heading.fail_on);
        report
    }

    /// One report of two runs, one for each role.
    #[must_use]
    pub fn merged(mut self, other: Self, fail_on: Level) -> Self {
        self.role = "both";
        self.duration_ms += other.duration_ms;
        self.waited_ms += other.waited_ms;
        self.exchanges += other.exchanges;
        self.interrupted |= other.interrupted;
        self.notes.extend(other.notes);
        self.requirements.extend(other.requirements);
        self.checks.extend(other.checks);
        self.conclude(fail_on);
        self
    }

    /// How many requirements of a level passed, and how many could have: those that apply.
    pub fn passed(&self, level: Level) -> (usize, usize) {
        let of_level = || self.requirements.iter().filter(|entry| entry.level == level);
        let applicable = of_level().filter(|entry| entry.verdict != VerdictName::NotApplicable).count();
        (of_level().filter(|entry| entry.verdict == VerdictName::Pass).count(), applicable)
    }

    /// How many requirements could not be tested.
    pub fn untestable(&self) -> usize {
        self.requirements.iter().filter(|entry| entry.verdict == VerdictName::Untestable).count()
    }

    /// The line that ends a text report, for programs that look for one line.
    pub fn result_line(&self) -> String {
        let levels: Vec<String> = Level::ALL
            .into_iter()
            .map(|level| {
                let (passed, of) = self.passed(level);
                format!("{level} {passed}/{of}")
            })
            .collect();
        let result = self.result.as_str();
        format!("RESULT: {result} {} untestable {} seed {}", levels.join(" "), self.untestable(), self.seed)
    }

    fn conclude(&mut self, fail_on: Level) {
        let gated = |wanted: VerdictName| {
            self.requirements.iter().any(|entry| entry.level <= fail_on && entry.verdict == wanted)
        };
        self.exit = if self.interrupted {
            ExitStatus::Interrupted
        } else if self.requirements.iter().any(|entry| entry.verdict == VerdictName::Error) {
            ExitStatus::Harness
        } else if gated(VerdictName::Fail) {
            ExitStatus::Failed
        } else if gated(VerdictName::Untestable) {
            ExitStatus::Incomplete
        } else if self.requirements.is_empty() {
            ExitStatus::NothingSelected
        } else {
            ExitStatus::Passed
        };
        self.exit_status = self.exit.code();
        self.result = match self.exit {
            ExitStatus::Passed => Outcome::Pass,
            ExitStatus::Failed => Outcome::Fail,
            ExitStatus::Harness => Outcome::Error,
            _ => Outcome::Incomplete,
        };
        self.counts.clear();
        for level in Level::ALL {
            let counts = self.counts.entry(level).or_default();
            counts.extend(VerdictName::ALL.map(|verdict| (verdict.as_str(), 0)));
            for entry in self.requirements.iter().filter(|entry| entry.level == level) {
                *counts.entry(entry.verdict.as_str()).or_default() += 1;
            }
        }
    }
}

impl Outcome {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Incomplete => "incomplete",
            Self::Error => "error",
        }
    }
}

impl VerdictName {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pass, Self::Fail, Self::Untestable, Self::NotApplicable, Self::Error];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Untestable => "untestable",
            Self::NotApplicable => "not-applicable",
            Self::Error => "error",
        }
    }
}

impl From<&Judgement> for VerdictName {
    fn from(judgement: &Judgement) -> Self {
        match judgement {
            Judgement::Judged(Verdict::Pass) => Self::Pass,
            Judgement::Judged(Verdict::Fail(_)) => Self::Fail,
            Judgement::Judged(Verdict::Untestable(_)) => Self::Untestable,
            Judgement::Judged(Verdict::NotApplicable(_)) => Self::NotApplicable,
            Judgement::Error(_) => Self::Error,
        }
    }
}

impl From<&Cause> for CauseEntry {
    fn from(cause: &Cause) -> Self {
        let code = cause.code;
        Self { code: code.as_str(), detail: cause.detail.clone(), text: code.text(), mend: code.mend() }
    }
}

fn requirement_entry(finding: &Finding) -> RequirementEntry {
    let requirement = finding.requirement;
    RequirementEntry {
        id: requirement.id,
        level: requirement.level,
        verdict: (&finding.judgement).into(),
        checks: [requirement.check_id],
        text: requirement.text,
    }
}

fn check_entry(finding: &Finding, transcript: &Transcript, redact: &Redaction) -> CheckEntry {
    let requirement = finding.requirement;
    let mut entry = CheckEntry {
        id: requirement.check_id,
        requirements: [requirement.id],
        level: requirement.level,
        verdict: (&finding.judgement).into(),
        expected: None,
        actual: None,
        message: None,
        cause: None,
        repro: None,
        exchanges: Vec::new(),
        duration_us: duration_us(finding, transcript),
    };
    match &finding.judgement {
        Judgement::Judged(Verdict::Pass) => {}
        Judgement::Judged(Verdict::Untestable(reason) | Verdict::NotApplicable(reason))
        | Judgement::Error(reason) => {
            entry.message = Some(redact.text(reason));
        }
        Judgement::Judged(Verdict::Fail(evidence)) => {
            entry.expected = Some(redact.text(&evidence.expected.0));
            entry.actual = Some(redact.text(&evidence.actual.0));
            entry.message = Some(redact.text(&evidence.message));
            entry.cause = evidence.cause.as_ref().map(|cause| {
                let detail = cause.detail.as_ref().map(|detail| redact.text(detail));
                CauseEntry { detail, ..CauseEntry::from(cause) }
            });
            entry.exchanges = evidence.exchanges.iter().map(|id| id.0).collect();
            let first = evidence.exchanges.first().map(|id| transcript.exchange(*id));
            entry.repro = first
                .filter(|_| transcript.role == Role::Receiver)
                .map(|exchange| curl::command(&transcript.url, &redact.delivery(&exchange.delivery)));
        }
    }
    entry
}

fn duration_us(finding: &Finding, transcript: &Transcript) -> u64 {
    let tried =
        transcript.trials.iter().filter(|trial| finding.requirement.scenarios.contains(&trial.scenario));
    let took: std::time::Duration = tried.map(|trial| transcript.exchange(trial.exchange).took).sum();
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

/// Takes secrets out of what is shown.
struct Redaction(Vec<Secret>);

impl Redaction {
    /// The shortest secret that is looked for: a shorter one stands in any text by chance.
    const SHORTEST: usize = 4;

    fn of(transcript: &Transcript) -> Self {
        let own = transcript.webhooks.iter().filter_map(|webhook| webhook.secret.clone());
        let secrets = own.chain(transcript.secret.clone());
        Self(secrets.filter(|secret| secret.expose().len() >= Self::SHORTEST).collect())
    }

    /// The delivery without the secret, before it is quoted: quoting changes the text that is looked for.
    fn delivery(&self, delivery: &Delivery) -> Delivery {
        let mut delivery = delivery.clone();
        for (_, value) in &mut delivery.headers.0 {
            *value = self.bytes(value);
        }
        delivery.body = self.bytes(&delivery.body);
        delivery
    }

    fn bytes(&self, bytes: &Bytes) -> Bytes {
        let holds = |secret: &&Secret| {
            let secret = secret.expose().as_bytes();
            bytes.windows(secret.len()).any(|window| window == secret)
        };
        match self.0.iter().find(holds) {
            None => bytes.clone(),
            Some(_) => Bytes::from(self.text(&String::from_utf8_lossy(bytes))),
        }
    }

    fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| {
            // Quotations escape what JSON escapes.
            let escaped = serde_json::Value::from(secret.expose()).to_string();
            let escaped = escaped.trim_matches('"');
            text.replace(secret.expose(), "[redacted]").replace(escaped, "[redacted]")
        })
    }
}
