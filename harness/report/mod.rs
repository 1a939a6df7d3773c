//! The result of a run, as the data that every format is rendered from.
//!
//! A report is made and redacted once, and then only rendered. Formats do not judge.

pub mod case;
pub mod doctor;
pub mod evidence;

pub mod annotations;
pub mod html;
pub mod json;
pub mod junit;
pub mod last_runs;
pub mod markdown;
pub mod rejudge;
pub mod sarif;
pub mod stored;
pub mod tap;
pub mod text;
pub mod watched;

mod answer;
mod check;
mod circumstances;
mod conclusion;
mod curl;
mod findings;
mod framework;
mod heading;
pub mod known;
mod latency;
mod messages;
mod not_started;
mod place;
mod program_output;
mod schema;
mod shard;
mod standing;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::duration::milliseconds;
use crate::error::StartFailure;
use crate::exit::ExitStatus;
use crate::redaction::Redaction;
use crate::suite::requirement::{Level, Requirement, Role};
use crate::suite::run::{self, Finding, Run};
use crate::suite::sender::payload::shape::further_members;
use crate::suite::transcript::{Ending, Transcript};
use crate::wire::exchange::{Delivery, ExchangeId, Trust};
use check::check_entry;
use framework::Stack;

pub use answer::AnswerEntry;
pub use check::{AfterFix, CauseEntry, CheckEntry};
pub use conclusion::RunResult;
pub use findings::FindingEntry;
pub use heading::Heading;
pub use known::KnownEntry;
pub use latency::Latency;
pub use place::Place;
pub use shard::ShardEntry;

pub use crate::suite::verdict::VerdictName;

/// The name and version of the JSON format.
pub const FORMAT: &str = "twenty-conform-report/2";

/// Why `auto` chose the dialect that it chose.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DialectChoice {
    /// The dialect that was refused.
    pub refused: Cow<'static, str>,
    /// How it was refused: `answered 400`.
    pub answer: String,
    /// What Twenty sends today, in a sentence.
    pub sentence: String,
}

impl DialectChoice {
    fn of(transcript: &Transcript) -> Option<Self> {
        let (refused, id) = transcript.chosen?.refused?;
        let answer = messages::refused_with(transcript.outcome(id).status());
        let sentence = messages::why_this_dialect(transcript.dialect.name, refused, &answer);
        Some(Self { refused: refused.into(), answer, sentence })
    }
}

/// A run's result, ready to render.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The name and version of this format.
    pub format: Cow<'static, str>,
    pub tool: Tool,
    /// What was tested: `receiver`, `sender`, or `both` in a demo.
    pub role: Cow<'static, str>,
    pub dialect: Cow<'static, str>,
    /// What named the dialect: `auto`, or an option.
    pub dialect_chosen_by: Cow<'static, str>,
    /// Why another dialect than the documented one was chosen, if `auto` found that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialect_choice: Option<DialectChoice>,
    /// What was tested: a URL, a command, or the reference.
    pub subject: String,
    /// The seed, which repeats the run.
    pub seed: u64,
    pub result: RunResult,
    /// As a number.
    #[serde(rename = "exit_status")]
    pub exit: ExitStatus,
    /// Which part of a run this is, if it was split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<ShardEntry>,
    /// Whether the run was interrupted. If so, the report is incomplete.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// How long the run took, in milliseconds.
    pub duration_ms: u64,
    /// How much of that was spent waiting to see that nothing more arrives.
    pub waited_ms: u64,
    pub exchanges: usize,
    /// How many exchanges there were per second, without the deliberate waits.
    pub exchanges_per_s: f64,
    /// Receivers: how long the answers took, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_us: Option<Latency>,
    /// How many requirements of each level have each verdict.
    pub counts: BTreeMap<Level, BTreeMap<VerdictName, usize>>,
    /// The lowest level whose failures fail the run.
    pub fail_on: Level,
    /// The requirements that must apply and do not. They are inconclusive, and gated at every level.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<Cow<'static, str>>,
    /// Whether some of the run's evidence could not be written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lacks_evidence: bool,
    /// Whether the receiver's process, or the sender's, ended during the run. That fails the run, whatever fails it otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
    /// Whether the program under test could not be reached or started, so that nothing was tried.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreached: bool,
    /// Why it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_started: Option<StartFailure>,
    /// Whether the run stopped early, because no delivery reaches the receiver.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped: bool,
    /// Whether the time of the run ended before every scenario was tried.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub out_of_time: bool,
    /// Why scenarios were not tried or stopped. Requirements that are open for one of these reasons are shown together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stopped_by: Vec<String>,
    /// The exchanges whose bodies are in files that the `curl` commands read.
    #[serde(skip)]
    pub bodies: Vec<ExchangeId>,
    /// The file of the project that a failure is about, if it was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Place>,
    /// The configuration file of the run, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// Remarks that do not affect the result.
    pub notes: Vec<String>,
    /// What went wrong, by cause, the most important first.
    pub findings: Vec<FindingEntry>,
    pub requirements: Vec<RequirementEntry>,
    pub checks: Vec<CheckEntry>,
}

/// The program that made a report.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    pub name: Cow<'static, str>,
    pub version: Cow<'static, str>,
}

/// The verdict on a requirement.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequirementEntry {
    pub id: Cow<'static, str>,
    /// The requirement in a few words.
    pub title: Cow<'static, str>,
    pub level: Level,
    pub verdict: VerdictName,
    /// What it came to with deliveries made in the way that the receiver wants, if that rejects all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisional: Option<VerdictName>,
    /// The checks that judge it.
    pub checks: [Cow<'static, str>; 1],
    /// The requirement's sentence.
    pub text: Cow<'static, str>,
    /// Where it comes from: the documentation, the shipped server, a standard, or practice.
    pub source: Cow<'static, str>,
}

impl Tool {
    pub const THIS: Self = Self {
        name: Cow::Borrowed(env!("CARGO_PKG_NAME")),
        version: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
    };
}

impl Report {
    pub fn new(run: &Run, heading: &Heading) -> Self {
        let transcript = &run.transcript;
        let redact = redaction(transcript);
        let mut notes = Vec::new();
        if run.interrupted {
            notes.push(messages::incomplete());
        }
        if transcript.trust == Trust::Any {
            notes.push(messages::certificate_unchecked());
        }
        let additional = further_members(transcript);
        if !additional.is_empty() {
            notes.push(redact.text(&messages::additional_members(&additional)));
        }
        notes.extend(exits(transcript).map(|note| redact.text(&note)));
        notes.extend(transcript.remarks.iter().map(|remark| redact.text(remark)));
        if transcript.exchanges.cut() > 0 {
            notes.push(messages::answers_cut(transcript.exchanges.cut()));
        }
        let left_out = heading.left_out(run);
        if !left_out.is_empty() {
            notes.push(messages::required_not_selected(&left_out));
        }
        let (findings, absent) = run::required(&run.findings, &heading.required);
        let mut report = Self {
            format: FORMAT.into(),
            tool: Tool::THIS,
            role: transcript.role.as_str().into(),
            dialect: transcript.dialect.name.into(),
            dialect_chosen_by: if transcript.chosen.is_some() { "auto" } else { "option" }.into(),
            dialect_choice: DialectChoice::of(transcript),
            subject: redact.text(&heading.subject),
            seed: heading.seed,
            result: RunResult::Incomplete,
            exit: ExitStatus::NothingSelected,
            shard: None,
            interrupted: run.interrupted,
            duration_ms: milliseconds(run.duration),
            waited_ms: milliseconds(transcript.waited),
            exchanges: run.after.as_ref().unwrap_or(transcript).exchanges.count(),
            exchanges_per_s: 0.0,
            latency_us: Latency::of_run(transcript, run.after.as_ref()),
            counts: BTreeMap::new(),
            fail_on: heading.fail_on,
            absent: absent.into_iter().map(Cow::Borrowed).collect(),
            lacks_evidence: false,
            ended: ended(transcript),
            unreached: transcript.unreached,
            not_started: run.not_started.as_ref().map(|why| not_started::redacted(why, &redact)),
            stopped: transcript.stopped,
            out_of_time: transcript.endings.iter().any(|(_, one)| matches!(one, Ending::OutOfTime(_))),
            stopped_by: stopped_by(transcript).map(|why| redact.text(why)).collect(),
            bodies: Vec::new(),
            source: None,
            configuration: None,
            notes,
            findings: Vec::new(),
            requirements: findings.iter().map(RequirementEntry::of).collect(),
            checks: Vec::new(),
        };
        let stack = Stack::of(transcript, &heading.subject);
        for finding in &findings {
            let code_line = stack.zip(finding.cause()).and_then(|(stack, cause)| stack.line(cause));
            let check = check_entry(
                finding,
                (transcript, run.after.as_ref()),
                &redact,
                heading.out.as_deref(),
                &mut report.bodies,
            );
            let rerun = heading.rerun(&check, transcript, &redact);
            report.checks.push(CheckEntry { rerun, code_line, ..check });
        }
        report.conclude();
        report.note_end();
        report
    }

    /// The groups of its requirements, in the order in which they first occur: the contract has some requirements of a group after
    /// other groups.
    pub(crate) fn groups(&self) -> Vec<&str> {
        let mut groups = Vec::new();
        for check in &self.checks {
            if !groups.contains(&check.group()) {
                groups.push(check.group());
            }
        }
        groups
    }

    /// Adds a note for each file of the evidence that could not be written. If there is one, the run ends as an error.
    pub fn note_missing_evidence(&mut self, failures: &[String]) {
        if !failures.is_empty() {
            self.lacks_evidence = true;
            self.notes.extend(failures.iter().map(|failure| messages::evidence_incomplete(failure)));
            self.conclude();
        }
    }

    /// Why every valid delivery is rejected; `None` if some are accepted, or the cause is unknown.
    pub fn leading_cause(&self) -> Option<&CauseEntry> {
        let valid = self.checks.iter().find(|check| check.requirements[0] == "RCV-1")?;
        let cause = valid.cause.as_ref().filter(|_| valid.verdict.is_failure() && valid.every_case_fails)?;
        let families = ["message.", "key.", "digest.", "header.", "clock.", "refuses.everything"];
        families.iter().any(|family| cause.code.starts_with(family)).then_some(cause)
    }
}

/// Redacts every secret of a run.
pub fn redaction(transcript: &Transcript) -> Redaction {
    let own = transcript.webhooks.iter().filter_map(|webhook| webhook.secret.as_ref());
    Redaction::new(own.chain(&transcript.secret).chain(&transcript.secrets))
}

/// Whether the program under test ended during the run.
fn ended(transcript: &Transcript) -> bool {
    let died = |(_, ending): &(_, Ending)| matches!(ending, Ending::Died(_));
    !transcript.deaths.is_empty() || transcript.role == Role::Sender && transcript.endings.iter().any(died)
}

/// Why scenarios were not tried or stopped, as far as that concerns the whole run.
fn stopped_by(transcript: &Transcript) -> impl Iterator<Item = &str> {
    transcript.endings.iter().filter_map(|(_, ending)| match ending {
        Ending::Skipped(why) | Ending::Died(why) | Ending::ProtocolViolation(why) => Some(why.as_str()),
        Ending::Complete | Ending::RequestFailed(_) | Ending::BrokenCapability(_) | Ending::OutOfTime(_) => {
            None
        }
    })
}

/// A note for each way in which the subject exited, with the exchanges after which it did.
fn exits(transcript: &Transcript) -> impl Iterator<Item = String> {
    let mut ways: Vec<(&str, Vec<String>)> = Vec::new();
    for (at, how) in &transcript.deaths {
        match ways.iter_mut().find(|(known, _)| known == how) {
            Some((_, places)) => places.push(at.to_string()),
            None => ways.push((how, vec![at.to_string()])),
        }
    }
    ways.into_iter().map(|(how, places)| messages::exited_after(&places, how))
}

impl RequirementEntry {
    pub fn new(requirement: &Requirement, verdict: VerdictName) -> Self {
        Self {
            id: requirement.id.into(),
            level: requirement.level,
            verdict,
            provisional: None,
            checks: [requirement.check_id.into()],
            title: requirement.title.into(),
            text: requirement.text.into(),
            source: requirement.source.into(),
        }
    }

    fn of(finding: &Finding) -> Self {
        let provisional = finding.provisional.as_ref().map(VerdictName::from);
        Self { provisional, ..Self::new(finding.requirement, (&finding.judgement).into()) }
    }
}

/// The command that sends a delivery to the server of a URL; `None` if curl cannot send it.
pub fn command(url: &str, trust: &Trust, delivery: &Delivery) -> Option<String> {
    curl::command(url, trust, delivery, None)
}
