//! Whether the deliveries of a generated event are wrong, and in which way.
//!
//! Invariant: a body that was not kept whole shows nothing.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use futures_util::future::join_all;

use super::inbox::Inbox;
use super::{DeliveryDeviation, EmittedEvent, GeneratedRound};
use crate::redaction::encodings::place_of;
use crate::suite::sender::messages;
use crate::suite::sender::stage::SenderStage;
use crate::webhook::json::difference::{Concern, first_change};
use crate::webhook::json::{Json, Text};
use crate::wire::endpoint::scripted::Received;

impl SenderStage<'_> {
    /// Waits until these events have reached every webhook.
    pub(super) async fn wait_for_deliveries(&self, round: &mut GeneratedRound, sent: &[EmittedEvent]) {
        round.sent.extend(sent.iter().map(|one| (one.id.clone(), one.clone())));
        // Twice the deadline: a late delivery is not a lost one.
        let wait = self.transcript.limits.deadline * 2;
        self.wait_for_inboxes(wait, round, |inbox| sent.iter().all(|one| !inbox.of(&one.id).is_empty()))
            .await;
    }

    /// Waits until every webhook has received enough, at most this long.
    pub(super) async fn wait_for_inboxes(
        &self,
        most: Duration,
        round: &mut GeneratedRound,
        is_enough: impl Fn(&Inbox) -> bool + Copy,
    ) {
        let endpoints = self.registered.iter().zip(&mut round.inboxes);
        join_all(endpoints.map(|(one, inbox)| {
            one.endpoint.wait(most, move |received| {
                inbox.read(received);
                is_enough(inbox)
            })
        }))
        .await;
    }

    /// The deliveries of an event that a webhook received.
    pub(super) fn deliveries_of(
        &self,
        which: usize,
        round: &GeneratedRound,
        sent: &EmittedEvent,
    ) -> Vec<Received> {
        let places = round.inboxes[which].of(&sent.id);
        self.registered[which]
            .endpoint
            .look(|received| places.iter().filter_map(|&place| received.get(place).cloned()).collect())
    }

    /// The ways in which an event's deliveries deviate, at any of the webhooks.
    pub(super) fn deviations(
        &self,
        round: &GeneratedRound,
        sent: &EmittedEvent,
    ) -> BTreeSet<DeliveryDeviation> {
        (0..round.inboxes.len()).flat_map(|which| self.deviations_at(which, round, sent)).collect()
    }

    pub(super) fn deviations_at(
        &self,
        which: usize,
        round: &GeneratedRound,
        sent: &EmittedEvent,
    ) -> Vec<DeliveryDeviation> {
        let got = self.deliveries_of(which, round, sent);
        let number = match got.len() {
            0 => Some(DeliveryDeviation::Lost),
            1 => None,
            _ => Some(DeliveryDeviation::Repeated),
        };
        let mut found = Vec::from_iter(number);
        let carried_ids: HashSet<&str> = round.inboxes[which].ids_with(&sent.id).collect();
        if carried_ids.iter().filter(|id| round.sent.contains_key(**id)).count() > 1 {
            // The suite does not know where one event of a batch ends.
            found.push(DeliveryDeviation::Batched);
            return found;
        }
        for one in got.iter().filter(|one| one.delivery.body.len() as u64 == one.body_length) {
            let webhook = &self.transcript.webhooks[self.registered[which].index];
            if webhook.secret.as_ref().is_some_and(|secret| place_of(secret, &one.delivery).is_some()) {
                found.push(DeliveryDeviation::Leaked);
            }
            if !self.verifies(&self.registered[which], one) {
                found.push(DeliveryDeviation::Unverified);
            }
            let concerns = [Some(Concern::Values), Some(sent.concern).filter(|one| *one != Concern::Values)];
            let body = Json::parse(&one.delivery.body).ok();
            let changed = |of: &Concern| self.changed(body.as_ref(), sent, *of).is_some();
            let altered = concerns.into_iter().flatten().filter(changed);
            found.extend(altered.map(DeliveryDeviation::Altered));
        }
        found
    }

    /// How a delivery differs from the event that was emitted, in words.
    pub(super) fn change(
        &self,
        received: &Received,
        sent: &EmittedEvent,
        concern: Concern,
    ) -> Option<String> {
        self.changed(Json::parse(&received.delivery.body).ok().as_ref(), sent, concern)
    }

    fn changed(&self, body: Option<&Json>, sent: &EmittedEvent, concern: Concern) -> Option<String> {
        let dialect = self.transcript.dialect;
        // A body of another form is reported once, not for each concern.
        let other = |what: String| Some(what).filter(|_| concern == Concern::Values);
        let Some(body) = body else { return other(messages::body_not_json().to_owned()) };
        let name = Json::Text(Text::from(sent.event.name.as_str()));
        if body.get(dialect.event_member) != Some(&name) {
            return other(messages::other_event_named().to_owned());
        }
        let key = dialect.content_member(&sent.event.name);
        let Some(record) = body.get(key) else { return other(messages::body_lacks_member(key)) };
        let change = first_change(&sent.record, record, key, concern)?;
        Some(messages::value_differs(&change.path, change.actual.as_deref(), &change.expected))
    }
}
