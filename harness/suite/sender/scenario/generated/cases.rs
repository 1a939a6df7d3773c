//! Generated events: making them, emitting them in bursts, and looking at their deliveries.

use std::collections::BTreeSet;

use proptest::strategy::ValueTree;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::records::{RecordMembers, RecordProperty};
use super::{AfterRound, DeliveryDeviation, EVENTS, EmittedEvent, GeneratedRound, SearchState};
use crate::subject::SubjectError;
use crate::subject::protocol::{Op, Reply};
use crate::suite::property::LEAST_CASES;
use crate::suite::sender::messages;
use crate::suite::sender::stage::SenderStage;
use crate::suite::transcript::Generated;
use crate::webhook::event::Event;
use crate::webhook::json::difference::Concern;
use crate::webhook::json::{Json, Text};

/// How many events are emitted at the same time.
const BURST: usize = 16;

impl SenderStage<'_> {
    /// Emits cases of each property, and shrinks those whose deliveries are wrong.
    pub(super) async fn emit_generated(
        &mut self,
        cases: usize,
        search: &mut SearchState,
        round: &mut GeneratedRound,
    ) -> Result<AfterRound, SubjectError> {
        let mut arrived = Vec::new();
        let (mut left, most) = (cases, self.burst());
        while left > 0 {
            if !self.has_time(search) {
                search.out_of_time = true;
                break;
            }
            let began = Instant::now();
            let size = left.min(most);
            left -= size;
            for (property, runner, tally) in &mut search.properties {
                if !self.has_room() {
                    break;
                }
                let trees: Vec<_> = (0..size).map(|_| property.generate(runner)).collect();
                let (trees, burst) = self.emit_burst(trees, property).await?;
                let burst_size = burst.len();
                self.wait_for_deliveries(round, &burst).await;
                for (tree, sent) in trees.into_iter().zip(burst) {
                    tally.cases += 1;
                    let deviations = self.deviations(round, &sent);
                    self.remark_on_surrogates(round, &sent, &deviations);
                    let counts = |one: &&DeliveryDeviation| {
                        **one != DeliveryDeviation::Altered(Concern::LoneSurrogates)
                    };
                    let counting: Vec<_> = deviations.iter().filter(counts).copied().collect();
                    tally.as_expected += usize::from(counting.is_empty());
                    let Some(&new) = counting.iter().find(|one| !round.known.contains(one)) else {
                        arrived.push((sent.id, property.name));
                        continue;
                    };
                    round.known.insert(new);
                    search.found.insert(new);
                    if self.crm().is_some() {
                        self.record_case(&sent, new, round.generated(property.name, 0), round);
                        continue;
                    }
                    let (sent, steps) = self.shrink(tree, sent, new, round).await?;
                    let alone = (steps == 0).then(|| messages::wrong_only_in_burst(burst_size - 1));
                    // What was found so far counts.
                    let matters = self.what_matters(&sent, new, round).await.unwrap_or_default();
                    let generated =
                        Generated { what: alone, matters, ..round.generated(property.name, steps) };
                    self.record_case(&sent, new, generated, round);
                    if new == DeliveryDeviation::Lost {
                        // Each lost event costs the whole wait.
                        return Ok(AfterRound::Stop);
                    }
                }
            }
            search.tried += size;
            search.spent = began.elapsed();
        }
        round.arrived = arrived;
        Ok(AfterRound::NextRound)
    }

    /// Looks for a second delivery that came late, and records it. Returns whether there is one.
    pub(super) fn look_for_repeated(&mut self, round: &GeneratedRound) -> bool {
        let twice = |id: &str| round.inboxes.iter().any(|inbox| inbox.of(id).len() > 1);
        let mut repeated = round
            .arrived
            .iter()
            .filter_map(|(id, property)| Some((round.sent.get(id).filter(|_| twice(id))?, property)));
        let found = repeated.next().filter(|_| !round.known.contains(&DeliveryDeviation::Repeated));
        if let Some((sent, property)) = found {
            self.record_case(sent, DeliveryDeviation::Repeated, round.generated(property, 0), round);
        }
        found.is_some()
    }

    /// How many events are emitted at the same time: fewer if a sender that replies to one after another would be late.
    fn burst(&self) -> usize {
        if self.crm().is_some() {
            return BURST;
        }
        let fit =
            self.transcript.limits.timeout.as_millis() / 2 / self.slowest_reply.get().as_millis().max(1);
        usize::try_from(fit).unwrap_or(BURST).clamp(1, BURST)
    }

    /// Whether there is time for another burst of each property.
    fn has_time(&self, search: &SearchState) -> bool {
        let after = self.transcript.limits.timeout * 3;
        search.tried < LEAST_CASES || self.max_time.left_for_generated(after) > search.spent
    }

    /// Emits a burst of events. Returns those that the sender accepted, since it may refuse some.
    async fn emit_burst<T: ValueTree<Value = RecordMembers>>(
        &mut self,
        trees: Vec<T>,
        property: &RecordProperty,
    ) -> Result<(Vec<T>, Vec<EmittedEvent>), SubjectError> {
        let trees: Vec<T> = trees.into_iter().filter(|tree| self.can_hold(&tree.current())).collect();
        let named = trees.iter().zip(EVENTS.iter().cycle());
        let mut burst: Vec<EmittedEvent> =
            named.map(|(tree, name)| self.event_with(name, &tree.current(), property.concern)).collect();
        let asked = self.ask_all(&mut burst).await?;
        if let Some(why) = asked.iter().flatten().next() {
            let begins = messages::records_refused(property.name);
            self.remark_once(&begins, why);
        }
        let asked = trees.into_iter().zip(burst).zip(asked).filter(|(_, refused)| refused.is_none());
        Ok(asked.map(|(accepted, _)| accepted).unzip())
    }

    /// An event in which nothing is generated.
    pub(super) fn plain(&self) -> EmittedEvent {
        let id = self.record_id();
        let event = self.generated_event(EVENTS[0]).with_id(&id);
        let record = Json::parse(event.record.get().as_bytes()).unwrap_or(Json::Null);
        EmittedEvent { event, record, id, asked_at_ms: self.clock.now_ms(), concern: Concern::Values }
    }

    /// The event of this name or, at a CRM, the one whose record can hold anything.
    fn generated_event(&self, name: &str) -> Event {
        if self.crm().is_some() { self.plain_event() } else { self.sample(name) }
    }

    pub(super) fn event_with(&self, name: &str, members: &RecordMembers, concern: Concern) -> EmittedEvent {
        let id = self.record_id();
        let own = (Text::from("id"), Json::Text(Text::from(&*id)));
        let record = Json::Object([own].into_iter().chain(members.iter().cloned()).collect());
        // What is written here is JSON; a test checks that.
        let text = RawValue::from_string(record.compact());
        let text = text.unwrap_or_else(|why| unreachable!("a generated record is not JSON: {why}"));
        let event = Event { record: text, ..self.generated_event(name) };
        EmittedEvent { event, record, id, asked_at_ms: self.clock.now_ms(), concern }
    }

    /// Asks the sender to emit. Returns why it refuses the event, if it does.
    pub(super) async fn ask(&self, sent: &EmittedEvent) -> Result<Option<String>, SubjectError> {
        Ok(match self.request_together(Op::Emit(sent.event.clone())).await? {
            Reply::Ok(_) => None,
            Reply::Error(why) | Reply::Unsupported(why) => Some(why),
        })
    }

    /// Remarks on how the sender changes text with lone surrogates, which no requirement covers.
    fn remark_on_surrogates(
        &mut self,
        round: &GeneratedRound,
        sent: &EmittedEvent,
        deviations: &BTreeSet<DeliveryDeviation>,
    ) {
        let concern = Concern::LoneSurrogates;
        if deviations.contains(&DeliveryDeviation::Altered(concern)) {
            let mut got = (0..round.inboxes.len()).flat_map(|which| self.deliveries_of(which, round, sent));
            if let Some(change) = got.find_map(|one| self.change(&one, sent, concern)) {
                self.remark_once(messages::lone_surrogate_changed(), &change);
            }
        }
    }
}
