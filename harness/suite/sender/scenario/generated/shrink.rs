//! Shrinks a generated event or secret that shows a deviation.
//!
//! Invariant: steps, time and the requests that endpoints keep are bounded. The smallest case showed the same deviation.

use std::slice;

use proptest::strategy::ValueTree;
use tokio::time::Instant;

use super::inbox::Inbox;
use super::records::RecordMembers;
use super::{DeliveryDeviation, EmittedEvent, GeneratedRound, MOST_REQUESTS, SCENARIO};
use crate::subject::SubjectError;
use crate::subject::capability::Capability;
use crate::subject::protocol::Op;
use crate::suite::property::{MAX_STEPS, MAX_TIME};
use crate::suite::sender::messages;
use crate::suite::sender::stage::{NewWebhook, Registered, SenderStage};
use crate::suite::transcript::Generated;
use crate::wire::endpoint::scripted::Received;

impl SenderStage<'_> {
    /// Looks for the smallest event with the same deviation. Returns it with the number of steps, or the first event if none is
    /// smaller.
    pub(super) async fn shrink(
        &mut self,
        mut tree: impl ValueTree<Value = RecordMembers>,
        first: EmittedEvent,
        deviation: DeliveryDeviation,
        round: &mut GeneratedRound,
    ) -> Result<(EmittedEvent, usize), SubjectError> {
        let (mut smallest, mut steps, mut deviates) = (None, 0, true);
        let end = self.end_of_shrinking();
        while steps < MAX_STEPS && Instant::now() < end && self.has_room() {
            if !(if deviates { tree.simplify() } else { tree.complicate() }) {
                break;
            }
            steps += 1;
            let smaller = self.event_with(first.event.name.as_str(), &tree.current(), first.concern);
            let asked = match self.ask(&smaller).await {
                // What was found so far counts.
                Err(SubjectError::OutOfTime) => break,
                asked => asked?,
            };
            deviates = asked.is_none() && {
                self.wait_for_deviation(deviation, round, &smaller).await;
                self.deviations(round, &smaller).contains(&deviation)
            };
            if deviates {
                smallest = Some(smaller);
            }
        }
        if let Some(sent) = smallest.as_ref().filter(|_| deviation == DeliveryDeviation::Lost) {
            // Its delivery had little time so far.
            self.wait_for_deliveries(round, slice::from_ref(sent)).await;
            smallest = smallest.filter(|sent| self.deviations(round, sent).contains(&deviation));
        }
        Ok(smallest.map_or((first, 0), |smallest| (smallest, steps)))
    }

    /// Waits until an event's deliveries show whether it has the deviation.
    async fn wait_for_deviation(
        &self,
        deviation: DeliveryDeviation,
        round: &mut GeneratedRound,
        sent: &EmittedEvent,
    ) {
        let quiet = self.transcript.limits.quiet;
        if deviation != DeliveryDeviation::Lost {
            self.wait_for_deliveries(round, slice::from_ref(sent)).await;
        }
        if matches!(deviation, DeliveryDeviation::Lost | DeliveryDeviation::Repeated) {
            let wanted = if deviation == DeliveryDeviation::Lost { 1 } else { 2 };
            self.wait_for_inboxes(quiet, round, |inbox| inbox.of(&sent.id).len() >= wanted).await;
        }
    }

    /// Shrinking ends then: the search needs most of the time that is left.
    pub(super) fn end_of_shrinking(&self) -> Instant {
        Instant::now() + MAX_TIME.min(self.max_time.left() / 8)
    }

    pub(super) fn has_room(&self) -> bool {
        self.registered.iter().all(|one| one.endpoint.count() < MOST_REQUESTS)
    }

    /// Looks for the smallest secret with which a plain event does not verify, and records its delivery.
    pub(super) async fn shrink_secret(
        &mut self,
        which: usize,
        mut tree: Box<dyn ValueTree<Value = String>>,
        round: &mut GeneratedRound,
        plain: &EmittedEvent,
    ) -> Result<(), SubjectError> {
        let size = |secret: &str| messages::secret_size(secret.chars().count(), secret.len());
        let mut what = size(&tree.current());
        let (end, mut steps, mut deviates) = (self.end_of_shrinking(), 0, true);
        let mut smallest: Option<(usize, EmittedEvent, Received)> = None;
        // Without deletion each step would leave a webhook registered.
        while self.declares(Capability::Delete)
            && steps < MAX_STEPS
            && Instant::now() < end
            && self.has_room()
        {
            if !(if deviates { tree.simplify() } else { tree.complicate() }) {
                break;
            }
            steps += 1;
            let asked = async {
                self.register_as(SCENARIO, NewWebhook::with_secret(tree.current())).await?;
                round.inboxes.push(Inbox::default());
                self.emit_first(SCENARIO).await?;
                let sent = self.plain();
                self.ask(&sent).await?;
                Ok(sent)
            };
            let sent = match asked.await {
                // What was found so far counts.
                Err(SubjectError::OutOfTime) => break,
                sent => sent?,
            };
            self.wait_for_deliveries(round, slice::from_ref(&sent)).await;
            let last = round.inboxes.len() - 1;
            deviates = self.deviations_at(last, round, &sent).contains(&DeliveryDeviation::Unverified);
            if let Some(received) =
                self.deliveries_of(last, round, &sent).into_iter().next().filter(|_| deviates)
            {
                smallest = Some((self.registered[last].index, sent, received));
                what = size(&tree.current());
            }
            round.inboxes.pop();
            if let Some(Registered { name, .. }) = self.registered.pop() {
                self.call(Op::DeleteWebhook { webhook: name }).await?;
            }
        }
        let deviation = DeliveryDeviation::Unverified;
        let generated = |webhook: usize, steps| Generated {
            property: "secrets",
            steps,
            webhooks: webhook..webhook + 1,
            what: Some(what),
            matters: None,
        };
        match smallest {
            Some((index, sent, received)) => {
                self.record_emission(&sent, deviation, generated(index, steps));
                self.record_arrival(Some(index), received);
            }
            None => {
                let index = self.registered[which].index;
                let received = self.deliveries_of(which, round, plain).into_iter().next();
                self.record_emission(plain, deviation, generated(index, 0));
                received.into_iter().for_each(|received| self.record_arrival(Some(index), received));
            }
        }
        Ok(())
    }
}
