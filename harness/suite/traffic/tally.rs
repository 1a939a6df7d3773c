//! Counts what traffic has shown: how often each requirement passed or failed, and how often each cause was found.
//!
//! Memory is bounded: only counts and one example of each finding are kept.

use std::collections::BTreeMap;

use crate::exit::ExitStatus;
use crate::redaction::Redaction;
use crate::suite::cause::Cause;
use crate::suite::requirement::{Level, Requirement, Verdict};
use crate::suite::run::{Finding, Judgement};
use crate::suite::verdict::VerdictName;
use crate::wire::client::forwarding::Forwarded;

/// How many causes are counted with their details, which may depend on the sender's data.
const MOST_CAUSES: usize = 100;

/// What all traffic has shown so far.
#[derive(Debug)]
pub struct TrafficTally {
    /// How many deliveries were judged.
    pub judged: u64,
    /// How many of them failed a requirement.
    pub failed: u64,
    /// How many requests were incomplete or invalid.
    pub broken: u64,
    /// How many requests were no deliveries.
    pub strays: u64,
    /// How many deliveries were forwarded and taken.
    pub forwarded: u64,
    /// How many deliveries were not taken by where they were forwarded to.
    pub not_forwarded: u64,
    pub entries: Vec<RequirementTally>,
    causes: BTreeMap<String, u64>,
    /// Why deliveries were not taken.
    losses: BTreeMap<String, u64>,
}

/// What traffic has shown about one requirement.
#[derive(Debug)]
pub struct RequirementTally {
    pub requirement: &'static Requirement,
    /// How many deliveries passed it.
    pub passed: u64,
    /// How many deliveries failed it.
    pub failed: u64,
    /// The number of the first delivery that failed it.
    pub first: Option<usize>,
    /// How many deliveries were inconclusive.
    pub inconclusive: u64,
    /// Why the first inconclusive one was, or why traffic does not show the requirement at all.
    pub why: Option<String>,
}

impl TrafficTally {
    pub fn new(selected: &[&'static Requirement]) -> Self {
        let entry = |&requirement: &&'static Requirement| RequirementTally {
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
            strays: 0,
            forwarded: 0,
            not_forwarded: 0,
            entries: selected.iter().map(entry).collect(),
            causes: BTreeMap::new(),
            losses: BTreeMap::new(),
        }
    }

    /// Counts a delivery, given its number and the findings on the requirements of this tally.
    pub fn add(&mut self, number: usize, findings: &[Finding], redaction: &Redaction) {
        self.judged += 1;
        let mut failed = false;
        for (entry, finding) in self.entries.iter_mut().zip(findings) {
            match &finding.judgement {
                Judgement::Judged(Verdict::Pass) => entry.passed += 1,
                Judgement::Judged(Verdict::Fail(evidence)) => {
                    failed = true;
                    entry.failed += 1;
                    entry.first.get_or_insert(number);
                    if let Some(cause) = &evidence.cause {
                        count(&mut self.causes, cause, redaction);
                    }
                }
                Judgement::Judged(Verdict::NotApplicable(why)) => {
                    entry.why.get_or_insert_with(|| redaction.text(why));
                }
                Judgement::Judged(Verdict::Inconclusive(why)) | Judgement::Error(why) => {
                    if entry.inconclusive == 0 {
                        entry.why = Some(redaction.text(why));
                    }
                    entry.inconclusive += 1;
                }
            }
        }
        self.failed += u64::from(failed);
    }

    /// Counts a request that was incomplete or invalid.
    pub fn add_broken(&mut self, cause: Option<&Cause>, redaction: &Redaction) {
        self.broken += 1;
        if let Some(cause) = cause {
            count(&mut self.causes, cause, redaction);
        }
    }

    /// Counts a delivery that was forwarded.
    pub fn add_forwarded(&mut self, forwarded: &Forwarded, redaction: &Redaction) {
        if forwarded.is_taken() {
            self.forwarded += 1;
            return;
        }
        self.not_forwarded += 1;
        let why = redaction.text(&forwarded.describe());
        // A target may answer with something else each time.
        if self.losses.len() < MOST_CAUSES || self.losses.contains_key(&why) {
            *self.losses.entry(why).or_default() += 1;
        }
    }

    /// Why forwarded deliveries were not taken, with how often.
    pub fn losses(&self) -> impl Iterator<Item = (&str, u64)> {
        self.losses.iter().map(|(why, count)| (why.as_str(), *count))
    }

    /// The causes that were found, with how often.
    pub fn causes(&self) -> impl Iterator<Item = (&str, u64)> {
        self.causes.iter().map(|(name, count)| (name.as_str(), *count))
    }

    /// The exit status: failed if a request was broken, a delivery was not taken by where it was forwarded to, or a requirement at
    /// this level or above failed. It is incomplete if no delivery arrived or such a requirement was inconclusive. In all other cases
    /// it is passed.
    pub fn exit(&self, fail_on: Level) -> ExitStatus {
        let gated = || self.entries.iter().filter(|entry| entry.requirement.level <= fail_on);
        if self.broken + self.not_forwarded > 0 || gated().any(|entry| entry.failed > 0) {
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

fn count(causes: &mut BTreeMap<String, u64>, cause: &Cause, redaction: &Redaction) {
    let named = redaction.text(&cause.to_string());
    let known = causes.contains_key(&named) || causes.len() < MOST_CAUSES;
    let named = if known { named } else { cause.code.as_str().to_owned() };
    *causes.entry(named).or_default() += 1;
}

impl RequirementTally {
    /// The verdict over all deliveries.
    pub fn verdict(&self) -> VerdictName {
        match self {
            Self { failed: 1.., .. } => VerdictName::Fail,
            Self { inconclusive: 1.., .. } => VerdictName::Inconclusive,
            Self { passed: 1.., .. } => VerdictName::Pass,
            _ => VerdictName::NotApplicable,
        }
    }
}
