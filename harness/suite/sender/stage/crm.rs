//! What is different at a CRM: its own API makes the events happen, each call has a price, and it emits what others do.
//!
//! Invariant: what arrives is compared with what was set, and an event of a record that the suite did not make is not judged.

use std::mem;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::emitting::Planned;
use super::{NewSecret, NewWebhook, Purpose, Registered, SenderStage};
use crate::subject::sender::Crm;
use crate::subject::twenty::mark;
use crate::suite::transcript::{AnswerForm, Conduct, RegisteredWebhook, ScenarioName};
use crate::webhook::event::{Event, EventName};
use crate::webhook::sample::CUSTOM_OBJECT;

/// What happens to a record in its life, in this order.
const LIFE: [&str; 5] = ["created", "updated", "deleted", "restored", "destroyed"];

/// The only event of metadata that a CRM is made to emit: it changes a field of the suite's own object.
const CHANGED_METADATA: &str = "metadata.fieldMetadata.updated";

/// What a CRM's adapter replies to `emit`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::suite::sender) struct WasSet {
    pub(in crate::suite::sender) record: Box<RawValue>,
    #[serde(default)]
    updated_fields: Option<Vec<String>>,
    /// When the call was sent, in milliseconds since the epoch: it may have waited for the rate limit.
    #[serde(default)]
    asked_at_ms: Option<u64>,
}

impl WasSet {
    /// `None` if the answer says nothing about the record.
    pub(in crate::suite::sender) fn read(answer: &RawValue) -> Option<Self> {
        serde_json::from_str(answer.get()).ok()
    }

    /// Replaces what was asked for by what was set, and when.
    pub(in crate::suite::sender) fn replace(self, event: &mut Event, asked_at_ms: &mut u64) {
        event.record = self.record;
        event.updated_fields = self.updated_fields;
        *asked_at_ms = self.asked_at_ms.unwrap_or(*asked_at_ms);
    }
}

impl SenderStage<'_> {
    pub(in crate::suite::sender) fn crm(&self) -> Option<&Crm> {
        self.crm.as_ref()
    }

    /// The id of a new record.
    pub(in crate::suite::sender) fn record_id(&self) -> String {
        match &self.crm_ids {
            Some(ids) => mark::record_id(&ids.uuid()),
            None => self.random.uuid(),
        }
    }

    /// An event with a record of its own, which a CRM takes together with others in one call. Its record can hold anything, if
    /// there is such a record.
    pub(in crate::suite::sender) fn plain_event(&self) -> Event {
        let Some(crm) = &self.crm else { return self.sample("person.updated") };
        match &crm.any_record {
            Some(object) => self.sample_of("rocket.created", object),
            None => self.sample("person.created"),
        }
    }

    /// The event that shows whether a registration is in force.
    pub(super) fn first_event(&self) -> Event {
        if self.crm.is_some() { self.plain_event() } else { self.sample("person.created") }
    }

    /// Whether an event can have a record with any members.
    pub(in crate::suite::sender) fn takes_any_record(&self) -> bool {
        self.crm.as_ref().is_none_or(|crm| crm.any_record.is_some())
    }

    /// Several events, each of its own record: of these names or, at a CRM, plain ones.
    pub(in crate::suite::sender) fn several(&self, names: &[&str]) -> Vec<Planned> {
        let event = |name: &&str| if self.crm.is_some() { self.plain_event() } else { self.sample(name) };
        names.iter().map(|name| self.planned(&event(name))).collect()
    }

    pub(in crate::suite::sender) fn planned(&self, event: &Event) -> Planned {
        let id = self.record_id();
        (event.with_id(&id), id, Purpose::Sample)
    }

    /// A plain event of each of these records, which is answered 200.
    pub(in crate::suite::sender) fn plain_events(&self, record_ids: &[String]) -> Vec<Planned> {
        let event = self.plain_event();
        let planned =
            |id: &String| (event.with_id(id), id.clone(), Purpose::Answered(200, AnswerForm::Plain));
        record_ids.iter().map(planned).collect()
    }

    /// Every kind of event: of every sample or, at a CRM, of one record of each object in the order of its life.
    pub(in crate::suite::sender) fn every_kind(&self) -> Vec<Planned> {
        let Some(crm) = &self.crm else {
            let samples = self.samples();
            return samples.iter().map(|event| self.planned(event)).collect();
        };
        let life = |object: &String| {
            let id = self.record_id();
            let own = if crm.any_record.as_ref() == Some(object) { CUSTOM_OBJECT } else { object.as_str() };
            let event = |action| self.sample_of(&format!("{own}.{action}"), object).with_id(&id);
            LIFE.map(|action| (event(action), id.clone(), Purpose::Sample))
        };
        let metadata = self.samples().into_iter().filter(|event| event.name.as_str() == CHANGED_METADATA);
        let metadata = metadata.filter(|_| self.takes_any_record()).map(|event| self.planned(&event));
        crm.objects.iter().flat_map(life).chain(metadata).collect()
    }

    /// A sample with the name of another object. Where there is no sample of the action, it has the record of the creation.
    fn sample_of(&self, name: &str, object: &str) -> Event {
        let (own, action) = name.rsplit_once('.').unwrap_or((name, ""));
        let created = || self.sample(&format!("{own}.created"));
        let event = self.transcript.dialect.sample(name).unwrap_or_else(created);
        Event { name: EventName::new(format!("{object}.{action}")), ..event }
    }

    /// Records what a CRM set: only that is compared with what arrives.
    pub(super) fn take_what_was_set(&mut self, at: usize, answer: &RawValue) {
        let Some(set) = WasSet::read(answer) else { return };
        let emission = &mut self.transcript.emissions[at];
        set.replace(&mut emission.event, &mut emission.asked_at_ms);
        if let Some(id) = emission.event.record_id() {
            // What is changed in the metadata has the CRM's own id.
            emission.record_id = id;
        }
    }

    /// Uses a webhook of an earlier scenario for this one, if one fits. It is in force already.
    pub(super) fn use_again(&mut self, scenario: ScenarioName, wanted: &NewWebhook) -> bool {
        if matches!(wanted.conduct, Conduct::Refuses | Conduct::Secured(_)) {
            return false;
        }
        // Only a CRM's are idle, and to look costs a sample.
        let fitting = if self.idle.is_empty() { None } else { self.fitting(wanted) };
        let Some(place) = fitting else { return false };
        let Registered { index, endpoint, name } = self.idle.remove(place);
        endpoint.restart();
        let (before, token) = (&self.transcript.webhooks[index], self.tokens[index].clone());
        let again = RegisteredWebhook {
            scenario,
            conduct: wanted.conduct,
            since: self.transcript.emissions.len(),
            outcomes_at_ms: None,
            watched_until_ms: 0,
            dropped: 0,
            overflowed: false,
            ..before.clone()
        };
        let index = self.transcript.register(again);
        self.tokens.push(token);
        self.registered.push(Registered { index, endpoint, name });
        true
    }

    /// The place of an idle webhook that can be used for a new one: with the same filter or, where none is wanted, with one that plain events
    /// match.
    fn fitting(&self, wanted: &NewWebhook) -> Option<usize> {
        let plain = self.plain_event().name;
        let has_secret = |one: &RegisteredWebhook| match &wanted.secret {
            NewSecret::Made => one.secret.is_some(),
            NewSecret::None => one.secret.is_none(),
            NewSecret::Given(_) => false,
        };
        let find = |fits: &dyn Fn(&RegisteredWebhook) -> bool| {
            let mut idle = self.idle.iter().map(|one| &self.transcript.webhooks[one.index]);
            idle.position(|one| has_secret(one) && fits(one))
        };
        let same = find(&|one| one.operations == wanted.operations);
        let matches =
            |one: &RegisteredWebhook| one.operations.iter().flatten().any(|filter| plain.matches(filter));
        same.or_else(|| wanted.operations.is_none().then(|| find(&matches)).flatten())
    }

    /// Keeps the webhooks of a scenario that has ended for later ones. The CRM's adapter deletes them at the end.
    pub(super) fn keep_idle(&mut self) {
        for one in mem::take(&mut self.registered) {
            let webhook = &self.transcript.webhooks[one.index];
            one.endpoint.retire();
            if webhook.deleted_after.is_none() && webhook.conduct != Conduct::Refuses {
                self.idle.push(one);
            } else {
                self.retired.push(one.endpoint);
            }
        }
    }
}
