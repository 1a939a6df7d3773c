//! Tries cases, some of them at the same time, and finds the case at which a receiver exits.
//!
//! Results are recorded in the order of the cases, whichever finishes first. If the receiver exits, the suspects are tried again
//! alone, to find the case that causes it.

use futures_util::stream::{self, StreamExt};

use super::ReceiverStage;
use super::link::Attempt;
use crate::subject::SubjectError;
use crate::suite::receiver::case::Case;
use crate::suite::receiver::maker::{Maker, Repeated};
use crate::suite::receiver::messages;
use crate::suite::transcript::ScenarioName;
use crate::wire::exchange::{Exchange, ExchangeId, Outcome};

/// How many cases are tried before their results are recorded. If a receiver ends, the cases of that batch are suspects.
pub(in crate::suite::receiver) const BATCH: usize = 32;

/// How many exchanges a case has at most.
const EXCHANGES: usize = 3;

/// The exchanges of a case that was tried.
pub(in crate::suite::receiver) struct Tried {
    pub(in crate::suite::receiver) trial: ExchangeId,
    pub(in crate::suite::receiver) controls: Vec<ExchangeId>,
}

impl Tried {
    fn exchanges(&self) -> impl Iterator<Item = ExchangeId> {
        self.controls.iter().copied().chain([self.trial])
    }
}

/// The results of several cases, in order. A result is `None` if there was nothing to try, or nothing more was sent.
pub(in crate::suite::receiver) struct Batch {
    pub(in crate::suite::receiver) tried: Vec<Option<Tried>>,
    /// Why nothing more was sent.
    pub(in crate::suite::receiver) failure: Option<SubjectError>,
}

impl ReceiverStage<'_> {
    /// Tries each case and records it.
    pub(in crate::suite::receiver) async fn try_all(
        &mut self,
        scenario: ScenarioName,
        cases: &[Case],
    ) -> Result<(), SubjectError> {
        for batch in cases.chunks(BATCH) {
            let Batch { tried, failure } = self.attempt_all(batch).await;
            for (case, tried) in batch.iter().zip(tried) {
                if let Some(tried) = tried {
                    self.record_trial(scenario, case, tried);
                }
            }
            if let Some(why) = failure {
                return Err(why);
            }
        }
        Ok(())
    }

    /// Tries cases, some of them at the same time. If the receiver ends during some, they are tried again alone, to
    /// find the case that ends it.
    pub(in crate::suite::receiver) async fn attempt_all(&mut self, cases: &[Case]) -> Batch {
        if let Err(why) = self.probe_concurrency().await {
            return Batch { tried: Vec::new(), failure: Some(why) };
        }
        let makers: Vec<Maker> =
            cases.iter().map(|_| self.maker.with_seed(self.maker.random.seed())).collect();
        let link = &self.link;
        let attempts: Vec<_> =
            cases.iter().zip(&makers).map(|(case, maker)| link.attempt(maker, case)).collect();
        let attempts: Vec<_> = stream::iter(attempts).buffered(self.extent.jobs).collect().await;
        let (mut tried, mut failure, mut suspects) = (Vec::with_capacity(cases.len()), None, Vec::new());
        let mut unclear = false;
        for (at, attempt) in attempts.into_iter().enumerate() {
            let attempt = attempt.unwrap_or_else(|why| {
                failure = Some(why);
                None
            });
            let timed_out = |exchange: &Exchange| exchange.outcome == Outcome::TimedOut;
            if let Some(attempt) = attempt.as_ref().filter(|attempt| !attempt.is_answered()) {
                // A timeout alone does not mean that the process ended: its connections would be closed.
                if !attempt.exchanges().all(|one| one.outcome.status().is_some() || timed_out(one)) {
                    suspects.push(at);
                    unclear |= !attempt.controls_are_answered();
                }
            }
            tried.push(attempt.map(|attempt| self.record_attempt(attempt)));
        }
        if !suspects.is_empty() {
            match self.restarted(self.first_unanswered(&suspects, &tried)).await {
                Ok(None) if !unclear => {}
                Ok(death) => {
                    let again = self.retry_suspects(cases, &makers, &suspects, &mut tried, death).await;
                    failure = again.err().or(failure);
                }
                Err(why) => failure = Some(why),
            }
        }
        Batch { tried, failure }
    }

    /// Tries suspects alone. If none of them ends the receiver again, the first observation is kept: trying again must
    /// not hide a crash.
    async fn retry_suspects(
        &mut self,
        cases: &[Case],
        makers: &[Maker],
        suspects: &[usize],
        tried: &mut [Option<Tried>],
        death: Option<String>,
    ) -> Result<(), SubjectError> {
        let deaths = self.transcript.deaths.len();
        let unanswered = self.first_unanswered(suspects, tried);
        let first = suspects.iter().find_map(|&at| {
            let one = tried[at].as_ref()?;
            let unanswered = self.transcript.outcome(one.trial).status().is_none();
            unanswered.then_some((at, one.trial))
        });
        if death.is_none() {
            self.remark(messages::unanswered_sent_alone());
        }
        let mut kept = None;
        for &at in suspects {
            if cases[at].generated && self.transcript.deaths.len() > deaths {
                // Each crash costs a restart, and one such case is enough.
                tried[at] = None;
                continue;
            }
            let before = std::mem::replace(&mut tried[at], self.try_alone(&cases[at], &makers[at]).await?);
            if first.is_some_and(|(first, _)| first == at) {
                kept = before;
            }
        }
        if let Some(how) = death.filter(|_| self.transcript.deaths.len() == deaths) {
            // One of the others may have ended it after its answer.
            let latest = ExchangeId(unanswered.0 + EXCHANGES * self.extent.jobs);
            let culprit = self.culprit(latest).await?;
            let blamed = culprit.unwrap_or_else(|| self.blamed(unanswered));
            match first.filter(|_| culprit.is_none() && !self.ends_at_random()) {
                Some((at, exchange)) => {
                    self.transcript.deaths.push((exchange, how));
                    tried[at] = kept;
                }
                None => self.transcript.deaths.push((blamed, how)),
            }
        }
        Ok(())
    }

    /// The first exchange of these cases that had no answer.
    fn first_unanswered(&self, suspects: &[usize], tried: &[Option<Tried>]) -> ExchangeId {
        let exchanges = suspects.iter().filter_map(|&at| tried[at].as_ref()).flat_map(Tried::exchanges);
        let unanswered = exchanges.filter(|&id| self.transcript.outcome(id).status().is_none());
        unanswered.min().unwrap_or(ExchangeId(self.transcript.exchanges.count()))
    }

    /// Tries a case while nothing else is sent.
    pub(in crate::suite::receiver) async fn try_alone(
        &mut self,
        case: &Case,
        maker: &Maker,
    ) -> Result<Option<Tried>, SubjectError> {
        let Some((control, delivery, repeated)) = case.prepare(maker) else { return Ok(None) };
        let mut controls = vec![self.send(control).await?];
        let trial =
            if case.is_forged() { self.send_forgery(delivery).await? } else { self.send(delivery).await? };
        if let Some(Repeated { body, sent_ms }) = repeated {
            let again = |later_ms| maker.sign_again(Repeated { body: body.clone(), sent_ms }, later_ms);
            let deaths = self.transcript.deaths.len();
            let mut control = self.send(again(2)).await?;
            let at_random = self.ends_at_random();
            let ends = &mut self.transcript.deaths[deaths..];
            if let Some((blamed, _)) = ends.iter_mut().find(|(at, _)| *at == control && !at_random) {
                // The forged delivery ended the receiver after its answer. The receiver runs again, so the control can
                // be sent.
                *blamed = trial;
                control = self.send(again(3)).await?;
            }
            controls.push(control);
        }
        Ok(Some(Tried { trial, controls }))
    }

    fn record_attempt(&mut self, attempt: Attempt) -> Tried {
        let before = self.transcript.record(attempt.before);
        let trial = self.transcript.record(attempt.trial);
        let after = attempt.after.map(|exchange| self.transcript.record(exchange));
        Tried { trial, controls: [before].into_iter().chain(after).collect() }
    }
}
