//! Known failures in a report: the entry that decides a verdict, and what a stored run says about a list.

pub(super) mod entry;

use jiff::civil::Date;

use super::{CheckEntry, Report, VerdictName, messages};
use crate::suite::known::{Entry, Seen, Standing};

pub use entry::KnownEntry;

impl CheckEntry {
    /// Whether its entry in the list of known failures has to be changed: it passes, fails for another cause, or the entry has expired.
    pub(super) fn is_wrongly_known(&self) -> bool {
        match self.verdict {
            VerdictName::UnexpectedPass | VerdictName::Drift => true,
            VerdictName::KnownFailure => self.known.as_ref().is_some_and(|known| known.expired),
            _ => false,
        }
    }

    /// What its entry in the list of known failures says about it, in a line; empty without one.
    pub(super) fn known_sentence(&self) -> String {
        let Some(known) = &self.known else { return String::new() };
        let cause = self.cause.as_ref().map(|cause| cause.named());
        match self.verdict {
            VerdictName::UnexpectedPass => messages::known::passes(&known.place()),
            VerdictName::Drift => messages::known::drifts(&known.place(), cause.as_deref(), &known.cause),
            _ => messages::known::fails(known),
        }
    }
}

impl Report {
    /// Decides which failures are known.
    pub fn know(&mut self, entries: &[Entry], today: Date) {
        let mut open = Vec::new();
        for at in 0..self.checks.len() {
            let seen = seen(&self.checks[at]);
            let Some(entry) = entries.iter().find(|entry| entry.matches(seen.id)) else { continue };
            match entry.standing(&seen, today).verdict() {
                Some(verdict) => {
                    let check = &mut self.checks[at];
                    check.verdict = verdict;
                    check.known = Some(KnownEntry::of(entry, today));
                    self.requirements[at].verdict = verdict;
                }
                None => open.push(messages::known::open(seen.id, seen.verdict, &entry.place())),
            }
        }
        if !open.is_empty() && !self.unreached && !self.stopped && !self.interrupted {
            self.notes.push(messages::known::not_judged(&open));
        }
        self.conclude();
        self.note_end();
    }

    /// Takes for known what an earlier report of the same run took for known, where both judge alike.
    pub fn know_as(&mut self, earlier: &Self) {
        for at in 0..self.checks.len() {
            let check = &mut self.checks[at];
            let own = earlier.checks.iter().find(|other| other.id == check.id);
            let alike =
                |own: &&CheckEntry| own.verdict.without_list() == check.verdict && own.cause == check.cause;
            if let Some(own) = own.filter(|own| own.known.is_some()).filter(alike) {
                (check.verdict, check.known) = (own.verdict, own.known.clone());
                self.requirements[at].verdict = own.verdict;
            }
        }
        self.conclude();
    }

    /// What the run says about each requirement, with or without a list of known failures.
    pub fn seen(&self) -> Vec<Seen<'_>> {
        self.checks.iter().map(seen).collect()
    }

    /// Why the run does not decide about a whole list: it did not finish, or did not run what an entry names.
    pub fn partial(&self, entries: &[Entry]) -> Option<String> {
        let has_error = || self.requirements.iter().any(|one| one.verdict == VerdictName::Error);
        if self.unreached || self.not_started.is_some() {
            return Some(messages::known::nothing_tried());
        } else if self.interrupted {
            return Some(messages::known::interrupted());
        } else if self.out_of_time {
            return Some(messages::known::out_of_time());
        } else if self.stopped || has_error() {
            return Some(messages::known::stopped());
        }
        let is_of_run = |role: &str| self.role == "both" || self.role == role;
        let mut left_out =
            entries.iter().flat_map(|entry| entry.requirements.iter().map(move |one| (entry, one)));
        let has_run = |id: &str| self.requirements.iter().any(|other| other.id == id);
        let (entry, one) = left_out.find(|(_, one)| is_of_run(one.role().as_str()) && !has_run(one.id))?;
        Some(messages::known::not_run(one.id, &entry.place()))
    }

    /// Whether an entry of the list of known failures has to be changed.
    pub(super) fn list_is_wrong(&self) -> bool {
        self.checks.iter().any(CheckEntry::is_wrongly_known)
    }

    /// Whether a known failure is that the program ends, and no other failure shows that.
    pub(super) fn end_is_known(&self) -> bool {
        let is_end = |check: &&CheckEntry| {
            check
                .cause
                .as_ref()
                .is_some_and(|cause| cause.code.starts_with("crash.") || cause.code == "send.crash")
        };
        let may_be_end = |check: &CheckEntry| check.cause.is_none() || is_end(&check);
        let (known, others): (Vec<_>, Vec<_>) = self
            .checks
            .iter()
            .filter(|check| check.verdict.is_failure())
            .partition(|check| check.verdict == VerdictName::KnownFailure);
        known.iter().any(|check| may_be_end(check)) && !others.into_iter().any(may_be_end)
    }
}

/// What a check says about its requirement.
fn seen(check: &CheckEntry) -> Seen<'_> {
    let cause = check.cause.as_ref().map(|cause| (&*cause.code, cause.detail.as_deref()));
    Seen {
        id: &check.requirements[0],
        verdict: check.verdict,
        cause: cause.filter(|_| check.verdict.is_failure()),
    }
}

/// What an entry of a list comes to in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryState {
    /// Everything that it matches fails as it says.
    Right,
    /// It has to be changed.
    Wrong,
    /// The run did not judge it.
    Unseen,
}

/// What a run says about an entry, in a line.
pub fn described(entry: &Entry, seen: &[Seen<'_>], today: Date) -> (EntryState, String) {
    let standings = entry.standings(seen, today);
    let ids = |wanted: &[Standing]| -> Vec<&str> {
        standings.iter().filter(|(_, standing)| wanted.contains(standing)).map(|(seen, _)| seen.id).collect()
    };
    let (passing, drifting) = (ids(&[Standing::Passes]), ids(&[Standing::Drifts]));
    let failing = ids(&[Standing::Fails, Standing::Expired, Standing::Drifts]);
    let mut words = Vec::new();
    if !passing.is_empty() {
        words.push(messages::known::entry_passes(&passing, &failing));
    }
    for id in &drifting {
        let cause = standings.iter().find(|(seen, _)| seen.id == *id).and_then(|(seen, _)| seen.cause);
        words.push(messages::known::entry_drifts(id, cause));
    }
    if entry.has_expired(today) {
        words.push(messages::known::entry_expired(entry.expires));
    }
    if !words.is_empty() {
        return (EntryState::Wrong, words.join("; "));
    }
    match ids(&[Standing::Fails]).len() {
        0 => (EntryState::Unseen, messages::known::entry_unseen(!standings.is_empty())),
        _ => (EntryState::Right, messages::known::entry_right(entry.expires)),
    }
}
