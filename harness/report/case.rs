//! A finding on a receiver that one delivery shows, saved with its controls, so that it can be sent again without the run.
//!
//! Invariant: pure. A case is read and written, signed anew and judged as data; `suite/replay.rs` sends it.

pub mod entry;
mod expected;
mod resign;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::redaction::Redaction;
use crate::suite::replay::{ReplayAttempt, ReplayDeliveries};
use crate::suite::requirement::{Evidence, Requirement};
use crate::suite::traffic::form::DeliveryForm;
use crate::suite::transcript::{Scenario, Transcript, Trial};
use crate::webhook::signature::Secret;
use crate::wire::exchange::{Delivery, ExchangeId};

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
    pub controls: Vec<DeliveryForm>,
    /// The delivery itself.
    pub trial: DeliveryForm,
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
            controls: controls.into_iter().map(|control| (&redaction.delivery(control)).into()).collect(),
            trial: (&redaction.delivery(&exchange.delivery)).into(),
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
            Some(format) => return Err(refusal(&format)),
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
                *delivery = (&redaction.restored(&Delivery::from(&*delivery))).into();
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
        let before = self.controls.first().map(Delivery::from);
        let behind = self.controls.last().map(Delivery::from);
        (before, (&self.trial).into(), behind)
    }

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

    /// What is sent.
    pub fn deliveries(&self, secret: &Secret, timing: &Timing, now_ms: u64) -> ReplayDeliveries {
        match timing {
            Timing::Frozen(_) => {
                let (before, trial, after) = self.as_saved();
                ReplayDeliveries { before, trial, after }
            }
            Timing::Present(_) => {
                let Resigned { before, trial, behind: after, .. } = resigned(self, secret, now_ms);
                ReplayDeliveries { before, trial, after }
            }
        }
    }

    /// Whether the finding is still there.
    pub fn judge(&self, attempt: &ReplayAttempt, timing: &Timing) -> Replayed {
        let ReplayAttempt { before, trial, after, died } = attempt;
        let (what, outcome) = (&self.what, &trial.outcome);
        let is_met = self.expected.is_met(outcome, trial.took);
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

/// Why a file of another format is no case that can be read here, and what to do.
fn refusal(format: &serde_json::Value) -> String {
    let is_case = |name: &str| name.starts_with("twenty-conform-case/");
    let is_ours = |name: &str| name.starts_with("twenty-conform-");
    match format.as_str() {
        Some(name) if is_case(name) => format!(
            "its format is {name}, and this version ({}) reads {FORMAT}; run `twenty-conform receiver` again with --out to \
             save the case anew",
            env!("CARGO_PKG_VERSION")
        ),
        Some(name) if is_ours(name) => format!(
            "its `format` is {name:?}; that of a case is {FORMAT:?}, and the cases of a run are in the folder `cases` of its \
             --out"
        ),
        _ => format!("its `format` is {format}; that of a case is {FORMAT:?}"),
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
