//! Records generated events that deviate, with their deliveries and remarks.
//!
//! Invariant: a few requests that carry no event of the suite are recorded too.

use std::collections::{BTreeSet, HashSet};

use super::{DeliveryDeviation, EmittedEvent, GeneratedRound, SCENARIO};
use crate::suite::sender::stage::SenderStage;
use crate::suite::transcript::{AnswerForm, Emission, Generated};
use crate::webhook::json::difference::Concern;

impl SenderStage<'_> {
    pub(super) fn record_emission(
        &mut self,
        sent: &EmittedEvent,
        deviation: DeliveryDeviation,
        generated: Generated,
    ) {
        self.transcript.emissions.push(Emission {
            scenario: SCENARIO,
            event: sent.event.clone(),
            record_id: sent.id.clone(),
            asked_at_ms: sent.asked_at_ms,
            first: false,
            is_sample: false,
            concern: match deviation {
                DeliveryDeviation::Altered(concern) => concern,
                // No requirement covers lone surrogates, but their events must arrive.
                DeliveryDeviation::Lost if sent.concern != Concern::LoneSurrogates => sent.concern,
                _ => Concern::Values,
            },
            answer: 200,
            form: AnswerForm::Plain,
            unsupported: None,
            generated: Some(generated),
            awaited: true,
        });
    }

    /// Records an event whose deliveries deviate, the deliveries, and the other events that they carry.
    pub(super) fn record_case(
        &mut self,
        sent: &EmittedEvent,
        deviation: DeliveryDeviation,
        generated: Generated,
        round: &GeneratedRound,
    ) {
        let carried_ids = round.inboxes.iter().flat_map(|inbox| inbox.ids_with(&sent.id));
        let carried_ids: BTreeSet<&str> = carried_ids.filter(|id| *id != sent.id).collect();
        let carried_ids = carried_ids.into_iter().filter_map(|id| round.sent.get(id));
        for other in carried_ids.filter(|_| deviation == DeliveryDeviation::Batched) {
            self.record_emission(other, deviation, generated.clone());
        }
        self.record_emission(sent, deviation, generated);
        for which in 0..round.inboxes.len() {
            let index = self.registered[which].index;
            for received in self.deliveries_of(which, round, sent) {
                self.record_arrival(Some(index), received);
            }
        }
    }

    /// Records the first few requests that carry no event of the suite, and keeps the rest as exchanges that show nothing.
    pub(super) fn record_rest(&mut self, round: &GeneratedRound) {
        const MOST_UNKNOWN: usize = 8;
        let mut unknown = 0;
        let written: HashSet<String> =
            self.transcript.emissions_of(SCENARIO).map(|emission| emission.record_id.clone()).collect();
        for which in 0..round.inboxes.len() {
            let (index, inbox) = (self.registered[which].index, &round.inboxes[which]);
            let received = self.registered[which].endpoint.received().into_iter().take(inbox.count());
            for (place, one) in received.enumerate() {
                let carried = inbox.carried(place);
                // The next scenario's events come here too during the watch.
                let is_during_watch = round.before_watch.get(which).is_some_and(|before| place >= *before);
                if is_during_watch && !carried.iter().any(|id| round.sent.contains_key(id)) {
                    continue;
                }
                if carried.iter().any(|id| written.contains(id)) {
                    continue;
                }
                if carried.is_empty() && unknown < MOST_UNKNOWN {
                    unknown += 1;
                    self.record_arrival(Some(index), one);
                } else {
                    self.transcript.record(Self::exchange(one));
                }
            }
        }
    }

    /// Makes a remark, unless there is one with the same beginning.
    pub(super) fn remark_once(&mut self, begins: &str, rest: &str) {
        if !self.transcript.remarks.iter().any(|one| one.starts_with(begins)) {
            self.transcript.remarks.push(format!("{begins}: {rest}"));
        }
    }
}
