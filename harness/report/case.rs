//! A failure of a receiver that a single delivery shows, saved with its controls for a replay without the run.

pub mod captured;
mod edited;
pub mod entry;
mod expression;
pub mod replayed;
pub mod resign;
pub mod written;

use std::fmt;

use serde::de::{self, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::messages;
use crate::budget::{RESPECT, shortened};
use crate::redaction::Redaction;
use crate::suite::replay::ReplayDeliveries;
use crate::suite::requirement::{Evidence, Expected, Requirement};
use crate::suite::transcript::{Respect, Transcript, Trial};
use crate::webhook::signature::Secret;
use crate::wire::exchange::{Delivery, ExchangeId};

pub const FORMAT: &str = "twenty-conform-case/2";

/// How much of another format's name is shown.
const LONGEST_NAME: usize = 120;

/// A delivery that shows a failure, and its controls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    pub format: String,
    pub requirement: String,
    pub check: String,
    pub level: String,
    pub dialect: String,
    /// What was sent, as a noun phrase.
    pub what: String,
    /// How it differs from its controls.
    #[serde(deserialize_with = "short_value")]
    pub respect: serde_json::Value,
    pub expected: Expected,
    pub actual: String,
    /// How the receiver exited at it, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub died: Option<String>,
    pub seed: u64,
    /// The numbers of the exchanges: the control before, the delivery, the control after.
    pub exchanges: Vec<usize>,
    /// When it was sent, in milliseconds since the epoch.
    pub at_ms: u64,
    /// Whether the secret was redacted from it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
    /// The valid delivery before it, and for a negative also the one after it.
    #[serde(deserialize_with = "at_most_two")]
    pub controls: Vec<Delivery>,
    pub trial: Delivery,
}

impl Case {
    /// The case of a failure, with secrets redacted; `None` if no single delivery shows it, such as a failure under concurrency or
    /// a timing difference.
    pub fn of(
        transcript: &Transcript,
        requirement: &Requirement,
        evidence: &Evidence,
        seed: u64,
        redaction: &Redaction,
    ) -> Option<Self> {
        let expected = evidence.expected.clone();
        let shows = |id: &ExchangeId| {
            let exchange = transcript.exchange(*id);
            let died = transcript.death_at(*id).is_some();
            let trial = transcript
                .trials
                .iter()
                .find(|trial| trial.exchange == *id && trial.respect != Respect::Concurrent)?;
            let met = expected.is_met(&exchange.outcome, exchange.took)?;
            (died || !met).then_some(trial)
        };
        let trial: &Trial = evidence.exchanges.iter().find_map(shows)?;
        let exchange = transcript.exchange(trial.exchange);
        let controls: Vec<&Delivery> =
            trial.controls.iter().map(|&control| &transcript.exchange(control).delivery).collect();
        let redacted =
            controls.iter().copied().chain([&exchange.delivery]).any(|one| redaction.clean(one).is_some());
        let (before, after) = trial.controls.split_at(trial.controls.len().min(1));
        let numbers = before.iter().chain([&trial.exchange]).chain(after);
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

    /// Reads a case. Errors: why the file is not a valid case.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head<'a> {
            #[serde(borrow)]
            format: Option<&'a RawValue>,
        }
        let head: Head<'_> = serde_json::from_slice(bytes).map_err(|why| match why.classify() {
            serde_json::error::Category::Data => messages::not_a_case(&why),
            _ => messages::not_json(&why),
        })?;
        match head.format {
            Some(format) => check_format(format.get())?,
            None => return Err(messages::case_without_format(FORMAT)),
        }
        let case: Self = serde_json::from_slice(bytes).map_err(|why| why.to_string())?;
        if let Expected::Words(words) = &case.expected {
            return Err(messages::expectation_without_answer(words));
        }
        case.trial.check().map_err(|why| messages::invalid_delivery("trial", &why))?;
        for (at, control) in case.controls.iter().enumerate() {
            let place = format!("controls[{at}]");
            control.check().map_err(|why| messages::invalid_delivery(&place, &why))?;
        }
        Ok(case)
    }

    /// The case with the redacted secret put back.
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

    /// The case with another path for its deliveries.
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

    /// The path that its control went to.
    pub fn path(&self) -> &str {
        &self.controls.first().unwrap_or(&self.trial).target
    }

    pub fn as_saved(&self) -> ReplayDeliveries {
        ReplayDeliveries {
            before: self.controls.first().cloned(),
            trial: self.trial.clone(),
            after: self.controls.last().cloned(),
        }
    }
}

/// Checks the format of a file, which is JSON text. Errors: why a file of another format cannot be read.
fn check_format(format: &str) -> Result<(), String> {
    let is_case = |name: &str| name.starts_with("twenty-conform-case/");
    let is_of_suite = |name: &str| name.starts_with("twenty-conform-");
    let format = shortened(format, LONGEST_NAME);
    Err(match serde_json::from_str::<String>(&format).as_deref() {
        Ok(FORMAT) => return Ok(()),
        Ok(name) if is_case(name) => messages::case_of_other_version(name, env!("CARGO_PKG_VERSION"), FORMAT),
        Ok(name) if is_of_suite(name) => messages::other_file_of_run(name, FORMAT),
        _ => messages::other_format(&format, FORMAT),
    })
}

/// Reads a value of limited length: parsed, it may take fifty times the memory.
fn short_value<'de, D: Deserializer<'de>>(from: D) -> Result<serde_json::Value, D::Error> {
    let text = <&RawValue>::deserialize(from)?.get();
    if text.len() > RESPECT {
        return Err(de::Error::custom(messages::value_too_long(RESPECT)));
    }
    serde_json::from_str(text).map_err(de::Error::custom)
}

fn at_most_two<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Delivery>, D::Error> {
    struct Controls;

    impl<'de> Visitor<'de> for Controls {
        type Value = Vec<Delivery>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a sequence")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Delivery>, A::Error> {
            let mut controls = Vec::new();
            while controls.len() < 2 {
                let Some(control) = list.next_element()? else { return Ok(controls) };
                controls.push(control);
            }
            let mut count = controls.len();
            while list.next_element::<IgnoredAny>()?.is_some() {
                count += 1;
            }
            if count > 2 { Err(de::Error::custom(messages::too_many_controls(count))) } else { Ok(controls) }
        }
    }

    from.deserialize_seq(Controls)
}
