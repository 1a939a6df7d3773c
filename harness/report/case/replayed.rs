//! How a case is sent again, and what the replay shows.
//!
//! If a control is rejected, or the delivery could not be signed again, a replay is inconclusive.

use std::time::Duration;

use super::Case;
use super::resign::{Doubt, resigned};
use crate::report::messages;
use crate::suite::receiver::messages::{accepted_late, control_rejected};
use crate::suite::replay::{ReplayAttempt, ReplayDeliveries};
use crate::webhook::signature::Secret;

/// With which timestamps a case is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Timing {
    /// Signed again for the present; with a doubt if the signature could not be renewed.
    Present(Option<Doubt>),
    /// As it was saved, this long ago.
    Frozen(Duration),
}

/// The result of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    /// The failure, as a lower-case fragment.
    StillFails(String),
    /// The receiver fails in another way than in the run: another answer, or it exits where it did not.
    FailsOtherwise(String),
    /// The receiver now does what is expected.
    Fixed,
    Inconclusive(String),
}

impl Case {
    /// How the case is sent: signed again, or as it was saved.
    ///
    /// Errors: the case was recorded with another secret.
    pub fn timing(&self, secret: &Secret, as_saved: bool, now_ms: u64) -> Result<Timing, Doubt> {
        if as_saved {
            return Ok(Timing::Frozen(Duration::from_millis(now_ms.saturating_sub(self.at_ms))));
        }
        match resigned(self, secret, now_ms).doubt {
            Some(doubt @ Doubt::OtherSecret) => Err(doubt),
            doubt => Ok(Timing::Present(doubt)),
        }
    }

    pub fn deliveries(&self, secret: &Secret, timing: &Timing, now_ms: u64) -> ReplayDeliveries {
        match timing {
            Timing::Frozen(_) => self.as_saved(),
            Timing::Present(_) => resigned(self, secret, now_ms).deliveries,
        }
    }

    pub fn judge(&self, attempt: &ReplayAttempt, timing: &Timing) -> Replayed {
        let replayed = self.judge_alone(attempt, timing);
        match replayed {
            Replayed::StillFails(message) if self.is_otherwise(attempt) => {
                Replayed::FailsOtherwise(messages::otherwise(&message, &self.actual))
            }
            other => other,
        }
    }

    /// Whether the receiver answers with another status than in the run, or exits where it did not.
    fn is_otherwise(&self, attempt: &ReplayAttempt) -> bool {
        // How a connection breaks depends on the moment.
        let answered = self.actual.parse::<u16>().ok() != attempt.trial.outcome.status();
        let exited = attempt.died.is_some() && self.died.is_none();
        !self.actual.is_empty() && (answered || exited)
    }

    fn judge_alone(&self, attempt: &ReplayAttempt, timing: &Timing) -> Replayed {
        let ReplayAttempt { before, trial, after, died } = attempt;
        let (what, outcome) = (&self.what, &trial.outcome);
        // Parsing a case rejects expectations that a single answer cannot meet.
        let is_met = self.expected.is_met(outcome, trial.took).unwrap_or_default();
        // A valid delivery has no control after it in a run either.
        let after = after.as_ref().filter(|_| !self.expected.is_positive());
        let rejected = before.iter().chain(after).find(|control| !control.outcome.acknowledges());
        if let Some(how) = died {
            return Replayed::StillFails(messages::answered_and_exited(what, outcome, how));
        }
        if outcome.acknowledges() && is_met {
            return Replayed::Fixed;
        }
        if outcome.acknowledges() {
            return Replayed::StillFails(if self.expected.is_positive() {
                accepted_late(trial.took, what)
            } else {
                messages::answered(what, outcome)
            });
        }
        // It answered the control before the delivery, but not the one after it: it exited.
        let exited =
            rejected.filter(|_| self.died.is_some()).filter(|control| control.outcome.status().is_none());
        if let (Some(control), Some(true)) = (exited, before.as_ref().map(|one| one.outcome.acknowledges())) {
            return Replayed::StillFails(messages::answered_and_gone(what, outcome, &control.outcome));
        }
        if let Some(control) = rejected {
            return Replayed::Inconclusive(control_rejected(&control.outcome) + &timing.hint());
        }
        match timing {
            Timing::Present(Some(doubt)) => Replayed::Inconclusive(doubt.to_string()),
            // Without a control, the delivery may have been rejected only because of its age.
            Timing::Frozen(_) if self.controls.is_empty() && !timing.hint().is_empty() => {
                Replayed::Inconclusive(messages::answered(what, outcome) + &timing.hint())
            }
            _ if is_met => Replayed::Fixed,
            _ => Replayed::StillFails(messages::answered(what, outcome)),
        }
    }
}

impl Timing {
    /// A hint for when valid deliveries are rejected; may be empty.
    fn hint(&self) -> String {
        match self {
            // Receivers accept timestamps up to a minute off (contract VER-11).
            Self::Frozen(age) if age.as_secs() > 60 => messages::stale(age.as_secs().div_ceil(60)),
            _ => String::new(),
        }
    }
}
