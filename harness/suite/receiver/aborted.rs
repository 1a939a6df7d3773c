//! What is sent for VER-9 and PRC-2 in addition: deliveries that are cut off before their end. They are not answered, but they
//! must not end the process, and must not be processed.
//!
//! Invariant: a control follows each of them. If it is not answered, or the process ends soon afterwards, they are sent again
//! alone, to find the one that ends it.

use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::sleep;

use super::judge::control_rejected;
use super::messages;
use super::stage::ReceiverStage;
use crate::subject::SubjectError;
use crate::subject::observed::Observed;
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Evidence, Expected, Verdict};
use crate::suite::scenario::{Play, Scenario, Turn};
use crate::suite::transcript::{ProcessingKind, ProcessingTrial, Respect, ScenarioName, Transcript, Trial};
use crate::wire::exchange::{Abort, Delivery, ExchangeId, Outcome, Transfer};

/// How long the process is watched after the last of them.
const AFTERMATH: Duration = Duration::from_millis(500);

pub(super) const ABORTED: Scenario = Scenario {
    name: ScenarioName("aborted"),
    sends: "valid deliveries that are cut off: inside the headers, after them, inside the body or a chunk, before the last \
            byte, or with a reset; each with a valid delivery after it",
    needs: None,
    turn: Turn::Last,
    play: Play::Receiver(|stage| stage.cut_off_deliveries().boxed_local()),
};

/// How a delivery with a body of this length is cut off.
type Form = (&'static str, fn(usize) -> Transfer);

const FORMS: &[Form] = &[
    ("cut off inside its headers", |_| Transfer::Aborted(Abort::InHead)),
    ("cut off after its headers", |_| Transfer::Broken(0)),
    ("cut off in the middle of its body", |length| Transfer::Broken(length / 2)),
    ("cut off before the last byte of its body", |length| Transfer::Broken(length.saturating_sub(1))),
    ("cut off inside a chunk", |_| Transfer::Aborted(Abort::InChunk)),
    ("reset after its headers", |_| Transfer::Aborted(Abort::Reset(0))),
    ("reset in the middle of its body", |length| Transfer::Aborted(Abort::Reset(length / 2))),
];

impl ReceiverStage<'_> {
    async fn cut_off_deliveries(&mut self) -> Result<(), SubjectError> {
        let observes = self.subject.observes().cloned();
        let mut before = self.send(self.maker.deliver(&self.maker.plain())).await?;
        if self.transcript.outcome(before).status().is_none() {
            // An earlier delivery ended the process, and it runs again.
            before = self.send(self.maker.deliver(&self.maker.plain())).await?;
        }
        let outcome = self.transcript.outcome(before);
        if outcome.status().is_none() {
            return Err(SubjectError::RequestFailed(messages::control_rejected(outcome)));
        }
        let mut sent = Vec::new();
        let mut gone = None;
        for &form in FORMS {
            let trial = self.send_cut_off(form).await?;
            sent.push((form, trial));
            let after = self.send_control().await?;
            if self.transcript.outcome(after).status().is_none() {
                gone = Some(after);
                break;
            }
            self.record_cut_off(form, trial, vec![before, after]);
        }
        if observes.is_some() {
            self.transcript.waited += AFTERMATH;
        }
        let ended = match gone {
            Some(_) => self.subject.ends().await,
            None => self.wait_for_end(observes.is_some()).await,
        };
        if gone.is_none() && self.subject.is_elsewhere() {
            let last = self.send_control().await?;
            gone = Some(last).filter(|&last| self.transcript.outcome(last).status().is_none());
        }
        self.find_cut_off(&sent, before, gone, ended).await?;
        let Some(source) = observes else { return Ok(()) };
        // A receiver that ended may have lost its observations, or not answer for them.
        let observed = source.until(Duration::ZERO, |_| true).await;
        let observed =
            if self.transcript.deaths.is_empty() { observed? } else { observed.unwrap_or_default() };
        if observed.count() >= self.transcript.observed.count() {
            self.transcript.observed = observed;
        } else {
            self.transcript.observed.extend(observed);
        }
        Ok(())
    }

    /// Waits until a process that is about to end has ended. Returns how it ended.
    async fn wait_for_end(&mut self, observed: bool) -> Option<String> {
        if self.subject.age().is_some() {
            return self.subject.ends_within(AFTERMATH).await;
        }
        if observed || self.subject.is_elsewhere() {
            sleep(AFTERMATH).await;
        }
        None
    }

    /// Finds the delivery that ended the receiver. `gone` is the control that was not answered, `ended` how the process ended.
    async fn find_cut_off(
        &mut self,
        sent: &[(Form, ExchangeId)],
        before: ExchangeId,
        gone: Option<ExchangeId>,
        ended: Option<String>,
    ) -> Result<(), SubjectError> {
        let Some(&(last, trial)) = sent.last().filter(|_| gone.is_some() || ended.is_some()) else {
            return Ok(());
        };
        let refused = gone.is_some_and(|gone| *self.transcript.outcome(gone) == Outcome::Refused);
        let latest = ExchangeId(self.transcript.exchanges.count());
        match &ended {
            Some(how) => self.restart(latest, how).await?,
            // Nothing listens, and nothing here can start it again.
            None if refused => {
                self.record_end(last, trial, before, gone, None);
                return Ok(());
            }
            None => {}
        }
        // Most processes end at once, so the last one first.
        for &(form, _) in sent.iter().rev() {
            let delivery = self.cut_off(form);
            let event = self.maker.plain();
            let found = match ended {
                Some(_) => self.ends_it(&delivery).await?,
                None => {
                    let exchange = self.link.deliver(&delivery).await;
                    let trial = self.transcript.record(exchange);
                    let after = self.link.send_on_new_connection(&self.maker.deliver(&event)).await?;
                    let silent = after.outcome.status().is_none();
                    let how = messages::next_not_answered(&after.outcome);
                    self.transcript.record(after);
                    silent.then_some((trial, how))
                }
            };
            if let Some((trial, how)) = found {
                self.record_end(form, trial, before, None, Some(how));
                return Ok(());
            }
        }
        if let (None, Some(gone)) = (&ended, gone) {
            self.record_cut_off(last, trial, vec![before, gone]);
        }
        // None of them ends it alone, so something else did.
        if let Some(how) = ended {
            let culprit = self.culprit(latest).await?.unwrap_or(latest);
            self.transcript.deaths.push((culprit, how));
        }
        Ok(())
    }

    /// Records that a delivery ended the receiver: `how`, or `gone` was not answered.
    fn record_end(
        &mut self,
        form: Form,
        trial: ExchangeId,
        before: ExchangeId,
        gone: Option<ExchangeId>,
        how: Option<String>,
    ) {
        let next = gone.map(|gone| messages::next_not_answered(self.transcript.outcome(gone)));
        self.transcript.deaths.push((trial, how.or(next).unwrap_or_default()));
        self.transcript.trials.retain(|known| known.exchange != trial);
        self.record_cut_off(form, trial, vec![before]);
    }

    fn cut_off(&self, (_, transfer): Form) -> Delivery {
        let mut delivery = self.maker.deliver(&self.maker.plain());
        delivery.transfer = transfer(delivery.body.len());
        delivery
    }

    /// Sends a delivery that is cut off. If processing is observed, it must not be.
    async fn send_cut_off(&mut self, form: Form) -> Result<ExchangeId, SubjectError> {
        let event = self.maker.plain();
        let mut delivery = self.maker.deliver(&event);
        delivery.transfer = form.1(delivery.body.len());
        let exchange = self.link.send_forged(&delivery).await?;
        let trial = self.transcript.record(exchange);
        if self.subject.observes().is_some() {
            self.transcript.processing.push(ProcessingTrial {
                scenario: ABORTED.name,
                what: messages::cut_off(form.0),
                observed: Observed { event: event.name.as_str().to_owned(), id: event.record_id() },
                kind: ProcessingKind::Forged,
                exchanges: vec![trial],
            });
        }
        Ok(trial)
    }

    async fn send_control(&mut self) -> Result<ExchangeId, SubjectError> {
        // An open connection may outlive the receiver's socket for new ones.
        let exchange = self.link.send_on_new_connection(&self.maker.deliver(&self.maker.plain())).await?;
        Ok(self.transcript.record(exchange))
    }

    fn record_cut_off(&mut self, (how, _): Form, exchange: ExchangeId, controls: Vec<ExchangeId>) {
        self.transcript.trials.push(Trial {
            scenario: ABORTED.name,
            what: messages::cut_off(how),
            respect: Respect::Aborted,
            generated: false,
            exchange,
            controls,
        });
    }
}

/// The verdicts on deliveries that were cut off: the receiver must answer the next one.
pub(super) fn keeps_running(t: &Transcript) -> impl Iterator<Item = Verdict> {
    t.trials_of(ABORTED.name).map(|trial| {
        let Some(how) = t.death_at(trial.exchange) else {
            return control_rejected(t, trial).unwrap_or(Verdict::Pass);
        };
        let message = messages::ended_at(&trial.what, how);
        Evidence::new(Expected::KeepsRunning, messages::process_ended(), message)
            .shown_by([trial.exchange])
            .because(Cause::new(Code::CrashAbortedRequest))
            .fail()
    })
}
