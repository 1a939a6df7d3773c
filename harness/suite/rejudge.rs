//! Judges a run again, from the transcripts of its passes alone.

use std::time::Duration;

use super::run::{self, Run};
use super::{provisional, traffic};
use crate::suite::requirement::Requirement;
use crate::suite::transcript::Transcript;
use crate::webhook::manner::Manner;

/// A run that is judged again, from the transcripts of its passes.
pub fn judged_again(
    first: Transcript,
    after: Option<Transcript>,
    selected: &[&'static Requirement],
    duration: Duration,
    interrupted: bool,
) -> Run {
    let mut findings =
        if first.recorded { traffic::judge(&first, selected) } else { run::judge(&first, selected) };
    // A pass in no other manner is one that did not come about.
    if let Some(after) = after.as_ref().filter(|after| after.manner != Manner::CONTRACT) {
        provisional::add(&mut findings, after);
    }
    Run { transcript: first, after, findings, duration, interrupted, not_started: None }
}
