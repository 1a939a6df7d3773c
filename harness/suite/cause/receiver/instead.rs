//! What a receiver accepts instead of valid deliveries.

use super::hypothesis;
use crate::suite::transcript::{Respect, ScenarioName, Transcript};

/// How the deliveries differ from valid ones that the diagnosis found accepted, the nearest to the contract first.
pub fn accepted_instead(transcript: &Transcript) -> Vec<Respect> {
    let accepted = transcript
        .trials_of(ScenarioName("diagnosis"))
        .filter(|trial| transcript.acknowledged(trial.exchange));
    let known = accepted.filter_map(|trial| Some((hypothesis(trial.respect)?.0, trial.respect)));
    let mut known: Vec<(usize, Respect)> = known.collect();
    known.sort_by_key(|(distance, _)| *distance);
    known.into_iter().map(|(_, respect)| respect).collect()
}
