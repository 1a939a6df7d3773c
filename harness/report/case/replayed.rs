//! How a case is sent again, and what that has shown.
//!
//! Invariant: pure. Where a control is rejected, or the delivery could not be signed anew, nothing is claimed.

use std::time::Duration;

use super::Case;
use super::resign::{Doubt, resigned};
use crate::suite::replay::{ReplayAttempt, ReplayDeliveries};
use crate::webhook::signature::Secret;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Timing {
    /// Signed anew; where something of it could not be, what.
    Present(Option<Doubt>),
    /// As it was saved, so long ago.
    Frozen(Duration),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    /// It is: what was seen, in a sentence that begins in lower case.
    StillThere(String),
    /// The receiver does now what it should.
    Gone,
    Untold(String),
}

impl Case {
    /// How the case is sent: signed anew, or as it was saved.
    ///
    /// Errors: its way of signing cannot be found with this secret.
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
        let ReplayAttempt { before, trial, after, died } = attempt;
        let (what, outcome) = (&self.what, &trial.outcome);
        // Words that no single answer can meet are refused when a case is read.
        let is_met = self.expected.is_met(outcome, trial.took).unwrap_or_default();
        // A valid delivery has no control after it in a run either.
        let after = after.as_ref().filter(|_| !self.expected.is_positive());
        let refused = before.iter().chain(after).find(|control| !control.outcome.acknowledges());
        if let Some(how) = died {
            return Replayed::StillThere(format!("{what} was answered: {outcome}; {how}"));
        }
        if outcome.acknowledges() && is_met {
            return Replayed::Gone;
        }
        if outcome.acknowledges() {
            let took = trial.took.as_secs_f64();
            let late =
                if self.expected.is_positive() { format!(", only after {took:.1} s") } else { String::new() };
            return Replayed::StillThere(format!("{what} was acknowledged: {outcome}{late}"));
        }
        // It answered the one before and not the one after: it is gone.
        let ended =
            refused.filter(|_| self.died.is_some()).filter(|control| control.outcome.status().is_none());
        if let (Some(control), Some(true)) = (ended, before.as_ref().map(|one| one.outcome.acknowledges())) {
            let then = &control.outcome;
            return Replayed::StillThere(format!(
                "{what} was answered: {outcome}, and the next delivery: {then}"
            ));
        }
        if let Some(control) = refused {
            let stale = timing.hint();
            return Replayed::Untold(format!(
                "a plain valid delivery beside it was not acknowledged: {}{stale}",
                control.outcome
            ));
        }
        match timing {
            Timing::Present(Some(doubt)) => Replayed::Untold(doubt.to_string()),
            // No control shows whether it is rejected for its age alone.
            Timing::Frozen(_) if self.controls.is_empty() && !timing.hint().is_empty() => {
                Replayed::Untold(format!("{what} was refused: {outcome}{}", timing.hint()))
            }
            _ if is_met => Replayed::Gone,
            _ if self.expected.is_positive() => {
                Replayed::StillThere(format!("{what} was refused: {outcome}"))
            }
            _ => Replayed::StillThere(format!("{what} was answered: {outcome}")),
        }
    }
}

impl Timing {
    /// What to say where valid deliveries are rejected.
    fn hint(&self) -> String {
        match self {
            // Up to a minute off is taken (contract VER-11).
            Self::Frozen(age) if age.as_secs() > 60 => format!(
                "; it was signed {} min ago, and its frozen timestamp has probably gone stale: leave --as-saved out to \
                 have it signed anew",
                age.as_secs().div_ceil(60)
            ),
            _ => String::new(),
        }
    }
}
