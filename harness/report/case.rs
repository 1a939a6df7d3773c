//! A finding on a receiver that one delivery shows, saved with its twins, so that it can be sent again without the run.
//!
//! Invariant: pure. A case is read and written, signed anew and judged as data; whoever sends it stands elsewhere.

mod expected;
mod resign;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::redaction::Redaction;
use crate::suite::requirement::{Evidence, Requirement};
use crate::suite::transcript::{Scenario, Transcript, Trial};
use crate::webhook::signature::Secret;
use crate::wire::exchange::{Delivery, Exchange, ExchangeId};

pub use expected::Expected;
pub use resign::{Doubt, Resigned, resigned};

/// The name and version of the file's form.
pub const FORMAT: &str = "twenty-conform-case/2";

/// A delivery that did not come out as it should, and the genuine ones beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// [`FORMAT`].
    pub format: String,
    /// The requirement's id.
    pub requirement: String,
    /// The check that found it.
    pub check: String,
    /// How strongly the requirement binds.
    pub level: String,
    /// The form of body of the run.
    pub dialect: String,
    /// What was sent, as a noun phrase.
    pub what: String,
    /// In which respect it differs from its twins.
    pub respect: serde_json::Value,
    /// What the contract has there.
    pub expected: Expected,
    /// What happened there.
    pub actual: String,
    /// How the receiver ended at it, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub died: Option<String>,
    /// The run's seed.
    pub seed: u64,
    /// The numbers of the exchanges: the twin's, its own, the other twin's.
    pub exchanges: Vec<usize>,
    /// When it was sent, in milliseconds since the epoch.
    pub at_ms: u64,
    /// Whether the secret stood in it, and was taken out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
    /// Plain genuine deliveries: the one before it, and for a forged one also the one behind it.
    pub controls: Vec<Delivery>,
    /// The delivery itself.
    pub trial: Delivery,
}

/// What came of sending a case again.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The twin before it, where there is one.
    pub before: Option<Exchange>,
    /// The delivery itself.
    pub trial: Exchange,
    /// The twin behind it, where there is one.
    pub behind: Option<Exchange>,
    /// How the receiver ended, if it did.
    pub died: Option<String>,
}

/// How a case is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Timing {
    /// Signed anew; where something of it could not be, what.
    Present(Option<Doubt>),
    /// As it was saved, so long ago.
    Frozen(Duration),
}

/// Whether the finding is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    /// It is: what was seen, in a sentence that begins in lower case.
    StillThere(String),
    /// The receiver does now what it should.
    Gone,
    /// Nothing can be told: why.
    Untold(String),
}

impl Case {
    /// The case of a failure, without its secrets; `None` where no single delivery shows it: what a receiver takes in,
    /// how it bears many at once, how long it compares.
    pub fn of(
        transcript: &Transcript,
        requirement: &Requirement,
        evidence: &Evidence,
        seed: u64,
        redaction: &Redaction,
    ) -> Option<Self> {
        let expected: Expected = evidence.expected.0.parse().ok()?;
        let shows = |id: &ExchangeId| {
            let exchange = transcript.exchange(*id);
            let died = transcript.death_at(*id).is_some();
            let trial = transcript
                .trials
                .iter()
                .find(|trial| trial.exchange == *id && trial.scenario != Scenario::Concurrent)?;
            (died || !expected.is_met(&exchange.outcome, exchange.took)).then_some(trial)
        };
        let trial: &Trial = evidence.exchanges.iter().find_map(shows)?;
        let exchange = transcript.exchange(trial.exchange);
        let controls: Vec<&Delivery> =
            trial.controls.iter().map(|&control| &transcript.exchange(control).delivery).collect();
        let redacted =
            controls.iter().copied().chain([&exchange.delivery]).any(|one| redaction.clean(one).is_some());
        let (before, behind) = trial.controls.split_at(trial.controls.len().min(1));
        let numbers = before.iter().chain([&trial.exchange]).chain(behind);
        Some(Self {
            format: FORMAT.to_owned(),
            requirement: requirement.id.to_owned(),
            check: requirement.check_id.to_owned(),
            level: requirement.level.to_string(),
            dialect: transcript.dialect.name.to_owned(),
            what: redaction.text(&trial.what),
            respect: redaction.serialised(&trial.respect),
            expected,
            actual: redaction.text(&exchange.outcome.to_string()),
            died: transcript.death_at(trial.exchange).map(|how| redaction.text(how)),
            seed,
            exchanges: numbers.map(|id| id.0).collect(),
            at_ms: exchange.at_ms,
            redacted,
            controls: controls.into_iter().map(|control| redaction.delivery(control)).collect(),
            trial: redaction.delivery(&exchange.delivery),
        })
    }

    /// Reads a case. Errors: what the file is instead, or where it is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            format: Option<serde_json::Value>,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|why| match why.classify() {
            serde_json::error::Category::Data => format!("it is no JSON object of a case: {why}"),
            _ => format!("it is not JSON: {why}"),
        })?;
        match head.format {
            Some(format) if format == FORMAT => {}
            Some(format) => {
                return Err(format!(
                    "its `format` is {format}; that of a case is {FORMAT:?}: save it anew with `twenty-conform receiver`, \
                     its options, and --out"
                ));
            }
            None => return Err(format!("it has no member `format`; that of a case is {FORMAT:?}")),
        }
        let case: Self = serde_json::from_slice(bytes).map_err(|why| why.to_string())?;
        if case.controls.len() > 2 {
            return Err(format!("it has {} controls; there are at most two", case.controls.len()));
        }
        case.trial.check().map_err(|why| format!("in `trial` {why}"))?;
        for (at, control) in case.controls.iter().enumerate() {
            control.check().map_err(|why| format!("in `controls[{at}]` {why}"))?;
        }
        Ok(case)
    }

    /// The case with the secret in its place again.
    #[must_use]
    pub fn with_secret(mut self, secret: &Secret) -> Self {
        if self.redacted {
            let redaction = Redaction::new([secret]);
            for delivery in self.controls.iter_mut().chain([&mut self.trial]) {
                *delivery = redaction.restored(delivery);
            }
        }
        self
    }

    /// The case with another path in the place of the one that its deliveries went to.
    #[must_use]
    pub fn at_path(mut self, path: &str) -> Self {
        let plain = self.controls.first().unwrap_or(&self.trial).target.clone();
        for delivery in self.controls.iter_mut().chain([&mut self.trial]) {
            if delivery.target == plain {
                path.clone_into(&mut delivery.target);
            }
        }
        self
    }

    /// The path that its plain deliveries went to.
    pub fn path(&self) -> &str {
        &self.controls.first().unwrap_or(&self.trial).target
    }

    /// What it consists of, as it was saved: the twin, the delivery, the twin again.
    pub fn as_saved(&self) -> (Option<Delivery>, Delivery, Option<Delivery>) {
        (self.controls.first().cloned(), self.trial.clone(), self.controls.last().cloned())
    }

    /// Whether the finding is still there.
    pub fn judge(&self, attempt: &Attempt, timing: &Timing) -> Replayed {
        let Attempt { before, trial, behind, died } = attempt;
        let (what, outcome) = (&self.what, &trial.outcome);
        let is_met = self.expected.is_met(outcome, trial.took);
        // A genuine delivery has no twin behind it in a run either.
        let behind = behind.as_ref().filter(|_| !self.expected.is_positive());
        let refused = before.iter().chain(behind).find(|control| !control.outcome.acknowledges());
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
        // It answered the one before and not the one behind: it is gone.
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
                "a plain genuine delivery beside it was not acknowledged: {}{stale}",
                control.outcome
            ));
        }
        match timing {
            Timing::Present(Some(doubt)) => Replayed::Untold(doubt.to_string()),
            // Nothing beside it shows whether it is its age alone that is refused.
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
    /// What to say where genuine deliveries are refused.
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
