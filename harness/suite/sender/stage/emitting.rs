//! Emitting events, and recording them with the answers that their deliveries get.

use serde_json::value::RawValue;
use tokio::time::Instant;

use super::{Purpose, SenderStage};
use crate::subject::SubjectError;
use crate::subject::protocol::{Op, Reply};
use crate::subject::sender::expect_ok;
use crate::suite::transcript::{AnswerForm, Emission, ScenarioName};
use crate::webhook::event::Event;
use crate::webhook::json::difference::Concern;

/// An event that is to be emitted, with its record id.
pub(in crate::suite::sender) type Planned = (Event, String, Purpose);

impl SenderStage<'_> {
    pub(in crate::suite::sender) async fn emit(
        &mut self,
        scenario: ScenarioName,
        event: &Event,
        purpose: Purpose,
    ) -> Result<(), SubjectError> {
        let record_id = self.record_id();
        self.emit_as(scenario, event, record_id, purpose).await
    }

    pub(in crate::suite::sender) async fn emit_as(
        &mut self,
        scenario: ScenarioName,
        event: &Event,
        record_id: String,
        purpose: Purpose,
    ) -> Result<(), SubjectError> {
        self.emit_exactly(scenario, event.with_id(&record_id), record_id, purpose).await
    }

    /// Emits an event that already has its record id.
    pub(in crate::suite::sender) async fn emit_exactly(
        &mut self,
        scenario: ScenarioName,
        event: Event,
        record_id: String,
        purpose: Purpose,
    ) -> Result<(), SubjectError> {
        let at = self.note_emission(scenario, event.clone(), record_id, purpose);
        let reply = self.request(Op::Emit(event)).await?;
        self.take_reply(at, reply, purpose)
    }

    /// Emits several events. A CRM gets them in few requests; another sender one after another, so that the time of each is known.
    pub(in crate::suite::sender) async fn emit_together(
        &mut self,
        scenario: ScenarioName,
        events: Vec<Planned>,
    ) -> Result<(), SubjectError> {
        if self.crm().is_none() {
            for (event, record_id, purpose) in events {
                self.emit_exactly(scenario, event, record_id, purpose).await?;
            }
            return Ok(());
        }
        let asked = events.iter().map(|(event, _, _)| event.clone()).collect();
        let noted: Vec<(usize, Purpose)> = events
            .into_iter()
            .map(|(event, id, purpose)| (self.note_emission(scenario, event, id, purpose), purpose))
            .collect();
        if self.max_time.is_over() {
            return Err(SubjectError::OutOfTime);
        }
        let replies = self.subject.emit_all(asked).await?;
        for ((at, purpose), reply) in noted.into_iter().zip(replies) {
            self.take_reply(at, reply, purpose)?;
        }
        Ok(())
    }

    /// Records an event that is about to be emitted. Returns its index.
    fn note_emission(
        &mut self,
        scenario: ScenarioName,
        event: Event,
        record_id: String,
        purpose: Purpose,
    ) -> usize {
        let (answer, form) = match purpose {
            Purpose::Answered(status, form) => (status, form),
            _ => (200, AnswerForm::Plain),
        };
        self.transcript.emissions.push(Emission {
            scenario,
            event,
            record_id,
            asked_at_ms: self.clock.now_ms(),
            first: matches!(purpose, Purpose::First),
            is_sample: !matches!(purpose, Purpose::Other | Purpose::Special(_)),
            concern: if let Purpose::Special(concern) = purpose { concern } else { Concern::Values },
            answer,
            form,
            unsupported: None,
            generated: None,
            awaited: false,
        });
        self.transcript.emissions.len() - 1
    }

    /// Records what the sender replied to an event. Errors: it failed.
    fn take_reply(&mut self, at: usize, reply: Reply, purpose: Purpose) -> Result<(), SubjectError> {
        // An unusual record may be refused: then nothing else is judged by it.
        let refused = match &reply {
            Reply::Unsupported(reason) => Some(reason),
            Reply::Error(reason) if matches!(purpose, Purpose::Special(_)) => Some(reason),
            _ => None,
        };
        if let Some(reason) = refused {
            self.transcript.emissions[at].unsupported = Some(reason.clone());
            return Ok(());
        }
        let answer = expect_ok("emit", reply)?;
        if self.crm().is_some() {
            self.take_what_was_set(at, &answer);
        }
        Ok(())
    }

    pub(in crate::suite::sender) async fn call(&self, op: Op) -> Result<Box<RawValue>, SubjectError> {
        let name = op.name();
        expect_ok(name, self.request(op).await?)
    }

    /// Asks the sender for something while nothing else is asked.
    async fn request(&self, op: Op) -> Result<Reply, SubjectError> {
        let began = Instant::now();
        let reply = self.request_together(op).await;
        self.slowest_reply.set(self.slowest_reply.get().max(began.elapsed()));
        reply
    }

    /// The same while other things may be asked. Errors: the time is used up, too.
    pub(in crate::suite::sender) async fn request_together(&self, op: Op) -> Result<Reply, SubjectError> {
        if self.max_time.is_over() {
            return Err(SubjectError::OutOfTime);
        }
        self.subject.call(op).await
    }
}
