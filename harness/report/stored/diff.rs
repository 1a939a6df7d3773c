//! Compares two saved runs: what fails now, what passes now, and what else changed.
//!
//! Invariant: a change of verdict is in exactly one list. Whether times differ never decides anything: two runs are no benchmark.

mod circumstances;
mod entries;
mod json;
mod markdown;
mod slower;
mod text;

use std::borrow::Cow;

use serde::Serialize;

use self::circumstances::{Circumstance, circumstances};
use self::entries::entries;
use self::slower::{Slower, slower};
use super::{Saved, messages};
use crate::exit::ExitStatus;
use crate::report::{CauseEntry, CheckEntry, Report, RequirementEntry, VerdictName};
use crate::suite::requirement::Level;

/// The name and version of the JSON format.
pub const FORMAT: &str = "twenty-conform-diff/1";

/// The differences between two saved runs.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// [`FORMAT`].
    format: &'static str,
    /// The roles that were tested.
    role: Cow<'static, str>,
    old: Side,
    new: Side,
    /// What else differs than the program under test.
    circumstances: Vec<Circumstance>,
    newly_failing: Vec<Change>,
    newly_passing: Vec<Change>,
    /// What still fails, for another cause.
    failing_otherwise: Vec<Change>,
    /// What is inconclusive, not applicable or an error now.
    newly_open: Vec<Change>,
    /// Requirements that only one of the runs has.
    only_in_old: Vec<Alone>,
    only_in_new: Vec<Alone>,
    /// What takes much longer.
    slower: Vec<Slower>,
    /// Whether the program under test ended during the new run, and not during the old one.
    newly_ended: bool,
    exit_status: ExitStatus,
}

/// One of the runs.
#[derive(Debug, Clone, Serialize)]
struct Side {
    path: String,
    subject: String,
    result: &'static str,
    exit_status: ExitStatus,
    /// Its last line.
    summary: String,
}

/// A requirement whose verdict or cause changed.
#[derive(Debug, Clone, Serialize)]
struct Change {
    id: Cow<'static, str>,
    title: Cow<'static, str>,
    level: Level,
    /// Whether it can fail the new run.
    gated: bool,
    old: Judged,
    new: Judged,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rerun: Option<String>,
}

/// What one run says of a requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Judged {
    verdict: VerdictName,
    /// The cause with its detail.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// A requirement that one of the runs does not have.
#[derive(Debug, Clone, Serialize)]
struct Alone {
    id: Cow<'static, str>,
    title: Cow<'static, str>,
    level: Level,
    verdict: VerdictName,
}

/// Two runs that cannot be compared, and why.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Incomparable(String);

impl Difference {
    /// The differences between two runs.
    ///
    /// Errors: they are of different roles.
    pub fn of(old: &Saved, new: &Saved) -> Result<Self, Incomparable> {
        if old.report.role != new.report.role {
            return Err(Incomparable(messages::different_roles(
                (&old.path, &old.report.role),
                (&new.path, &new.report.role),
            )));
        }
        let mut difference = Self {
            format: FORMAT,
            role: new.report.role.clone(),
            old: Side::of(old),
            new: Side::of(new),
            circumstances: circumstances(old, new),
            newly_failing: Vec::new(),
            newly_passing: Vec::new(),
            failing_otherwise: Vec::new(),
            newly_open: Vec::new(),
            only_in_old: alone(&old.report, &new.report),
            only_in_new: alone(&new.report, &old.report),
            slower: slower(&old.report, &new.report),
            newly_ended: new.report.ended && !old.report.ended,
            exit_status: ExitStatus::Passed,
        };
        for (entry, check) in entries(&new.report) {
            let before = entries(&old.report).find(|(other, _)| other.id == entry.id);
            if let Some((_, before)) = before {
                difference.add(Change::of(before, (entry, check), &new.report));
            }
        }
        difference.exit_status = difference.status();
        Ok(difference)
    }

    fn add(&mut self, change: Change) {
        let (old, new) = (change.old.verdict, change.new.verdict);
        let is_same_failure = old.is_failure() && change.old.fails_as(&change.new);
        let list = match new {
            // What was known fails the run now.
            VerdictName::Fail if old != VerdictName::Fail => &mut self.newly_failing,
            _ if new.is_failure() && is_same_failure => return,
            _ if new.is_failure() && old.is_failure() => &mut self.failing_otherwise,
            _ if new.is_failure() => &mut self.newly_failing,
            _ if old.without_list() == new.without_list() => return,
            VerdictName::Pass | VerdictName::UnexpectedPass => &mut self.newly_passing,
            _ => &mut self.newly_open,
        };
        list.push(change);
    }

    fn status(&self) -> ExitStatus {
        let is_gated = |changes: &[Change], of: &dyn Fn(VerdictName) -> bool| {
            changes.iter().any(|change| change.gated && of(change.new.verdict))
        };
        if is_gated(&self.newly_failing, &|verdict| verdict != VerdictName::KnownFailure) || self.newly_ended
        {
            ExitStatus::Failed
        } else if is_gated(&self.newly_open, &|verdict| verdict != VerdictName::NotApplicable) {
            ExitStatus::Incomplete
        } else {
            ExitStatus::Passed
        }
    }

    /// The exit status of the comparison: 1 if a gated requirement newly fails, else 3 if one newly is inconclusive or an error.
    pub fn exit(&self) -> ExitStatus {
        self.exit_status
    }

    /// Whether nothing changed.
    fn is_empty(&self) -> bool {
        let lists = [&self.newly_failing, &self.newly_passing, &self.failing_otherwise, &self.newly_open];
        lists.iter().all(|list| list.is_empty())
            && [&self.only_in_old, &self.only_in_new].iter().all(|list| list.is_empty())
            && self.slower.is_empty()
            && !self.newly_ended
    }

    /// How many there are of each kind, for programs that search for it.
    fn last_line(&self) -> String {
        messages::differences(&[
            ("newly-failing", self.newly_failing.len()),
            ("newly-passing", self.newly_passing.len()),
            ("failing-otherwise", self.failing_otherwise.len()),
            ("newly-open", self.newly_open.len()),
            ("only-in-old", self.only_in_old.len()),
            ("only-in-new", self.only_in_new.len()),
            ("slower", self.slower.len()),
        ])
    }
}

/// The requirements that only the first report has.
fn alone(report: &Report, other: &Report) -> Vec<Alone> {
    let is_known = |entry: &&RequirementEntry| other.requirements.iter().any(|one| one.id == entry.id);
    let own = report.requirements.iter().filter(|entry| !is_known(entry));
    own.map(|entry| Alone {
        id: entry.id.clone(),
        title: entry.title.clone(),
        level: entry.level,
        verdict: entry.verdict,
    })
    .collect()
}

impl Side {
    fn of(saved: &Saved) -> Self {
        Self {
            path: saved.path.display().to_string(),
            subject: saved.report.subject.clone(),
            result: saved.report.result.as_str(),
            exit_status: saved.report.exit,
            summary: saved.report.result_line(),
        }
    }
}

impl Change {
    fn of(before: &CheckEntry, (entry, check): (&RequirementEntry, &CheckEntry), report: &Report) -> Self {
        let fails = check.verdict.is_failure();
        let cause = check.cause.as_ref().filter(|_| fails);
        Self {
            id: entry.id.clone(),
            title: entry.title.clone(),
            level: entry.level,
            gated: report.is_gated(entry),
            old: Judged::of(before),
            new: Judged::of(check),
            fix: cause.map(|cause| cause.fix.clone()),
            rerun: check.rerun.clone(),
        }
    }
}

impl Judged {
    fn of(check: &CheckEntry) -> Self {
        Self {
            verdict: check.verdict,
            cause: check.cause.as_ref().map(CauseEntry::named),
            message: Some(check.first_line().to_owned()).filter(|line| !line.is_empty()),
        }
    }

    /// Whether two failures are the same. Without a known cause they are: messages have numbers that differ from run to run.
    fn fails_as(&self, other: &Self) -> bool {
        self.cause == other.cause
    }

    /// The verdict with the cause, or else with the message.
    fn words(&self) -> String {
        match self.cause.as_ref().or(self.message.as_ref()) {
            Some(why) => format!("{}: {why}", self.verdict.as_str()),
            None => self.verdict.as_str().to_owned(),
        }
    }
}
