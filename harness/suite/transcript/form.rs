//! A transcript's JSON form, which is everything but its secrets and its exchanges: those are written as they happen.

use std::collections::HashSet;

use serde::de::{self, Deserialize, Deserializer};
use serde::{Deserialize as ReadJson, Serialize};

use super::answers::Shown;
use super::exchanges::Answers;
use super::{Deviation, Exchanges, GeneratedCase, Role, Transcript, Trial};
use crate::constant::{self, Constant};
use crate::webhook::signature::Secret;
use crate::wire::exchange::{Exchange, ExchangeId, Outcome};

/// What a file has of a transcript.
#[derive(Debug, Serialize)]
pub struct WrittenTranscript<'a> {
    transcript: &'a Transcript,
    exchanges: Kept,
}

/// The same as it is read.
#[derive(Debug, ReadJson)]
pub struct ReadTranscript {
    transcript: Transcript,
    exchanges: Kept,
}

/// Which exchanges a transcript had at its end.
#[derive(Debug, Serialize, ReadJson)]
struct Kept {
    /// The numbers of the first and the last one that were recorded.
    first: usize,
    last: usize,
    /// How many answers were cut.
    cut: usize,
    /// Those that were not released.
    kept: Vec<ExchangeId>,
    /// What their answers show. It was determined with the secret, and before they were cut.
    answers: Vec<(ExchangeId, Shown)>,
    /// Whether the secret was one that the run did not make.
    given_secret: bool,
}

impl<'a> WrittenTranscript<'a> {
    /// `first` is the number of its first exchange.
    pub fn new(transcript: &'a Transcript, first: usize) -> Self {
        let kept = transcript.exchanges.after(0);
        let is_answered = |exchange: &&Exchange| matches!(exchange.outcome, Outcome::Answered(_));
        let of_receiver = kept.iter().filter(|_| transcript.role == Role::Receiver);
        let answered = of_receiver.filter(is_answered).map(|exchange| exchange.id);
        let of_webhooks = || transcript.webhooks.iter().any(|one| one.secret.is_some() && one.made.is_none());
        let exchanges = Kept {
            first,
            last: transcript.exchanges.count(),
            cut: transcript.exchanges.cut(),
            kept: kept.iter().map(|exchange| exchange.id).collect(),
            answers: answered.map(|id| (id, transcript.shown(id))).collect(),
            given_secret: transcript.secret.is_some() || of_webhooks(),
        };
        Self { transcript, exchanges }
    }
}

impl ReadTranscript {
    /// The numbers of the exchanges that it had at its end.
    pub fn kept(&self) -> HashSet<ExchangeId> {
        self.exchanges.kept.iter().copied().collect()
    }

    pub fn role(&self) -> Role {
        self.transcript.role
    }

    /// Whether an exchange belongs to it.
    pub fn has(&self, id: ExchangeId) -> bool {
        (self.exchanges.first..=self.exchanges.last).contains(&id.0)
    }

    /// The secrets that the run made, in the order of their numbers. `None` if they are not of this seed.
    pub fn made_secrets(&self, seed: u64) -> Option<Vec<Secret>> {
        self.transcript.open_secrets(seed)
    }

    /// Whether there was a secret that the run did not make.
    pub fn has_given_secret(&self) -> bool {
        self.exchanges.given_secret
    }

    /// Whether its verdicts depend on that secret. What a receiver's answers give away is known without it.
    pub fn needs_given_secret(&self) -> bool {
        self.exchanges.given_secret && self.transcript.role == Role::Sender
    }

    /// The number of the last exchange of the run.
    pub fn last(&self) -> usize {
        self.exchanges.last
    }

    /// Forgets how many generated cases there were, to count them again. Returns how many.
    pub fn forget_tallies(&mut self) -> usize {
        let mut cases = 0;
        for tally in &mut self.transcript.tallies {
            cases += tally.cases;
            (tally.cases, tally.as_expected, tally.uncontrolled) = (0, 0, 0);
        }
        cases
    }

    /// Counts a generated case again. `status` gives the answer to an exchange. Returns whether it deviates in another way than
    /// during the run; then it becomes a trial.
    pub fn count_again(&mut self, case: GeneratedCase, status: impl Fn(ExchangeId) -> Option<u16>) -> bool {
        let died = self.transcript.death_at(case.exchange).is_some();
        let controls = case.controls.iter().map(|&id| status(id));
        let deviation = Deviation::of(case.forged, status(case.exchange), controls, died);
        let mut tallies = self.transcript.tallies.iter_mut();
        let own = tallies.find(|one| one.scenario == case.scenario && one.property == case.property);
        if let Some(tally) = own {
            tally.cases += 1;
            tally.as_expected += usize::from(deviation.is_none());
            tally.uncontrolled += usize::from(deviation == Some(Deviation::Uncontrolled));
        }
        if deviation == case.deviation || deviation.is_none() {
            return deviation != case.deviation;
        }
        let GeneratedCase { scenario, what, respect, exchange, controls, .. } = case;
        self.exchanges.kept.push(exchange);
        self.exchanges.kept.extend(&controls);
        self.transcript.trials.push(Trial { scenario, what, respect, generated: true, exchange, controls });
        true
    }

    /// The transcript with the exchanges that it refers to, in the order of their numbers. `all` has the answers of all of its
    /// exchanges, and `made` the secrets that the run made.
    ///
    /// Errors: the number of an exchange that is missing.
    pub fn with(
        self,
        exchanges: Vec<Exchange>,
        all: Answers,
        secret: Option<Secret>,
        made: &[Secret],
    ) -> Result<Transcript, ExchangeId> {
        let Self { mut transcript, exchanges: kept } = self;
        let missing = |id: &&ExchangeId| exchanges.binary_search_by_key(*id, |one| one.id).is_err();
        if let Some(id) = kept.kept.iter().find(missing) {
            return Err(*id);
        }
        transcript.secrets = made.to_vec();
        for webhook in &mut transcript.webhooks {
            let made = webhook.made.and_then(|number| made.get(number)).cloned();
            webhook.secret =
                made.or_else(|| secret.clone().filter(|_| kept.given_secret && webhook.made.is_none()));
        }
        if transcript.role == Role::Receiver {
            transcript.withheld_secret = kept.given_secret;
            transcript.secret = secret;
        }
        transcript.exchanges = Exchanges::read(exchanges, kept.last, all, kept.cut, kept.answers);
        transcript.kept = (transcript.trials.len(), transcript.processing.len());
        Ok(transcript)
    }
}

/// A dialect by its name.
pub(super) mod dialect {
    use serde::de::{self, Deserialize, Deserializer};
    use serde::ser::Serializer;

    use crate::webhook::dialect::Dialect;

    pub(in crate::suite::transcript) fn serialize<S: Serializer>(
        dialect: &Dialect,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(dialect.name)
    }

    pub(in crate::suite::transcript) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<&'static Dialect, D::Error> {
        let name = String::deserialize(from)?;
        Dialect::named(&name).ok_or_else(|| de::Error::custom(format_args!("unknown dialect {name:?}")))
    }
}

/// The dialect that was refused, by its name.
pub(super) fn refused<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<(Constant, ExchangeId)>, D::Error> {
    let Some((name, id)) = Option::<(String, ExchangeId)>::deserialize(from)? else { return Ok(None) };
    let name = constant::of(name).ok_or_else(|| de::Error::custom(constant::TOO_MANY))?;
    Ok(Some((name, id)))
}
