//! What was sent to a receiver when a failure was seen, in a few words, and what the program wrote then.

use super::messages;
use super::program_output::telling_line;
use crate::suite::requirement::{Evidence, Requirement};
use crate::suite::scenario::Turn;
use crate::suite::transcript::{Transcript, Trial};
use crate::wire::exchange::ExchangeId;

/// What surrounds a failure of a receiver. It is not redacted yet.
pub(super) struct Circumstances {
    /// The request that showed it first.
    pub(super) sent: Option<String>,
    /// Every fixed case that shows it, if there are several.
    pub(super) cases: Vec<String>,
    /// Whether every case of the requirement shows it.
    pub(super) every: bool,
    /// What was answered to the delivery that shows the cause.
    pub(super) shown: Option<String>,
    /// The line of the program's output that says most.
    pub(super) output: Option<String>,
}

impl Circumstances {
    pub(super) fn of(transcript: &Transcript, evidence: &Evidence, requirement: &Requirement) -> Self {
        let ids = &evidence.exchanges;
        let sent = ids.first().and_then(|&id| {
            let trial = trial_at(transcript, id)?;
            let delivery = &transcript.exchange(id).delivery;
            let path = delivery.target.split('?').next().unwrap_or_default();
            Some(messages::sent(&delivery.method, path, &trial.what, delivery.body.len()))
        });
        let mut cases: Vec<String> = Vec::new();
        let trials = ids.iter().filter_map(|&id| trial_at(transcript, id));
        for trial in trials.filter(|trial| !trial.generated) {
            if !cases.contains(&trial.what) {
                cases.push(trial.what.clone());
            }
        }
        let judging = requirement.scenarios.iter().filter(|one| one.turn != Turn::Diagnosis);
        let mut tried = judging.flat_map(|one| transcript.trials_of(one.name)).peekable();
        let every = tried.peek().is_some() && tried.all(|trial| ids.contains(&trial.exchange));
        if cases.len() == 1 {
            cases.clear();
        }
        let showing = evidence.cause.iter().flat_map(|cause| &cause.shown_by);
        let shown = showing.copied().filter(|id| !ids.contains(id)).find_map(|id| {
            let trial = trial_at(transcript, id)?;
            transcript.acknowledged(id).then(|| messages::it_accepted(&trial.what))
        });
        Self { sent, cases, every, shown, output: output(transcript, ids) }
    }
}

fn trial_at(transcript: &Transcript, id: ExchangeId) -> Option<&Trial> {
    transcript.trials.iter().find(|trial| trial.exchange == id)
}

/// What the program wrote where it ended, or else where it answered 5xx.
fn output(transcript: &Transcript, ids: &[ExchangeId]) -> Option<String> {
    let ended = ids.iter().find_map(|&id| transcript.death_at(id));
    // The first line says how the process ended; its output follows, indented.
    let lines = ended.map(|how| how.lines().skip(1).map(str::to_owned).collect::<Vec<_>>());
    let complained =
        || transcript.complaints.iter().find(|(at, _)| ids.contains(at)).map(|(_, lines)| lines.clone());
    telling_line(&lines.or_else(complained)?)
}
