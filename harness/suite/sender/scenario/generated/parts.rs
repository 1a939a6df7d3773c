//! Which parts of a generated record matter: it is varied and emitted again.

use super::{DeliveryDeviation, EmittedEvent, GeneratedRound};
use crate::subject::SubjectError;
use crate::suite::parts::{Parts, Seen};
use crate::suite::sender::stage::SenderStage;
use crate::webhook::json::{Json, Text};

use tokio::time::Instant;

impl SenderStage<'_> {
    /// What matters in an event whose deliveries deviate, in a sentence; `None` if that was not found out.
    pub(super) async fn what_matters(
        &mut self,
        sent: &EmittedEvent,
        deviation: DeliveryDeviation,
        round: &mut GeneratedRound,
    ) -> Result<Option<String>, SubjectError> {
        // To see that an event is lost, or comes twice, takes the whole wait each time.
        if matches!(deviation, DeliveryDeviation::Lost | DeliveryDeviation::Repeated) {
            return Ok(None);
        }
        let end = self.end_of_shrinking();
        // A deviation that only a burst shows is not there now.
        if self.emitted_as(sent, sent.record.clone(), deviation, round).await? != Seen::Fails {
            return Ok(None);
        }
        let content = self.transcript.dialect.content_member(&sent.event.name);
        let mut parts = Parts::new(sent.record.clone(), content, &[]);
        while let Some(record) = parts.next() {
            let seen = self.emitted_as(sent, record, deviation, round).await?;
            parts.answer(seen);
            if Instant::now() >= end || !self.has_room() {
                parts.stop();
            }
        }
        Ok(parts.sentence())
    }

    /// Emits the event with another record.
    async fn emitted_as(
        &mut self,
        sent: &EmittedEvent,
        record: Json,
        deviation: DeliveryDeviation,
        round: &mut GeneratedRound,
    ) -> Result<Seen, SubjectError> {
        let Json::Object(mut members) = record else { return Ok(Seen::Unclear) };
        members.retain(|(name, _)| *name != Text::from("id"));
        let varied = self.event_with(sent.event.name.as_str(), &members, sent.concern);
        match self.ask(&varied).await {
            Ok(None) => {}
            Ok(Some(_)) | Err(SubjectError::OutOfTime) => return Ok(Seen::Unclear),
            Err(why) => return Err(why),
        }
        self.wait_for_deliveries(round, std::slice::from_ref(&varied)).await;
        let deviations = self.deviations(round, &varied);
        Ok(if deviations.contains(&deviation) {
            Seen::Fails
        } else if deviations.contains(&DeliveryDeviation::Lost) {
            Seen::Unclear
        } else {
            Seen::Passes
        })
    }
}
