//! Events and their webhooks: every kind of event, several webhooks, filters, a deleted webhook, a webhook without a secret.
//!
//! Invariant: a delivery counts as missing only after the longest time that it may take.

use futures_util::FutureExt as _;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::subject::SubjectError;
use crate::subject::capability::Capability;
use crate::subject::protocol::Op;
use crate::suite::scenario::{Play, Scenario, Turn};
use crate::suite::sender::stage::{NewSecret, NewWebhook, Planned, Purpose, SenderStage};
use crate::suite::transcript::ScenarioName;
use crate::webhook::event::Event;
use crate::webhook::json::difference::{Concern, UNUSUAL_NAMES};

/// Every sample event, to one webhook.
pub const EVERY_EVENT: Scenario = Scenario {
    name: ScenarioName("every-event"),
    sends: "one webhook without a filter; every sample event is emitted, and records with every kind of value, with \
            long numbers, and with members named __proto__, constructor, prototype and the empty name",
    needs: None,
    turn: Turn::Usual,
    play: Play::Sender(|stage| stage.every_event().boxed_local()),
};

/// Several events, to three webhooks with different secrets.
pub const SEVERAL_WEBHOOKS: Scenario = Scenario {
    name: ScenarioName("several-webhooks"),
    sends: "three webhooks with different secrets; several events are emitted",
    needs: None,
    turn: Turn::Usual,
    play: Play::Sender(|stage| stage.several_webhooks().boxed_local()),
};

/// Several events, to webhooks with filters.
pub const FILTERED: Scenario = Scenario {
    name: ScenarioName("filtered"),
    sends: "webhooks with the filters person.created, person.*, *.created, *.* and a list, and one without a \
            filter; several events are emitted",
    needs: Some(Capability::Filters),
    turn: Turn::Usual,
    play: Play::Sender(|stage| stage.filtered().boxed_local()),
};

/// Two webhooks, one of which is deleted between two events.
pub const DELETION: Scenario = Scenario {
    name: ScenarioName("deletion"),
    sends: "two webhooks, one of which is deleted between two events",
    needs: Some(Capability::Delete),
    turn: Turn::Usual,
    play: Play::Sender(|stage| stage.deletion().boxed_local()),
};

/// Several events, to a webhook without a secret.
pub const UNSIGNED: Scenario = Scenario {
    name: ScenarioName("unsigned"),
    sends: "a webhook without a secret; several events are emitted",
    needs: Some(Capability::Unsigned),
    turn: Turn::Usual,
    play: Play::Sender(|stage| stage.unsigned().boxed_local()),
};

/// Filters of each form.
const FILTERS: &[&[&str]] =
    &[&["person.created"], &["person.*"], &["*.created"], &["*.*"], &["company.updated", "note.*"]];

/// The events that are emitted to webhooks with filters.
const FILTERED_EVENTS: &[&str] =
    &["person.created", "person.updated", "company.created", "company.updated", "note.created"];

/// Numbers that do not fit a double: beyond 2^53, beyond 64 bits, with more digits.
const LONG_NUMBERS: &str = "[9007199254740993,-9007199254740995,18446744073709551617,\
                            123456789012345678901234567890,3.14159265358979323846264338327950288,\
                            1234567890.123456789012345]";

impl SenderStage<'_> {
    async fn every_event(&mut self) -> Result<(), SubjectError> {
        let scenario = EVERY_EVENT.name;
        self.register(scenario).await?;
        self.emit_first(scenario).await?;
        for (event, id, purpose) in self.every_kind() {
            self.emit_exactly(scenario, event, id, purpose).await?;
        }
        if self.takes_any_record() {
            let of = |event: Event, purpose| {
                let (event, id, _) = self.planned(&event);
                (event, id, purpose)
            };
            let values = of(self.every_kind_of_value(), Purpose::Other);
            let (event, id, purpose) = of(self.plain_event(), Purpose::Special(Concern::LongNumbers));
            let numbers = (with_long_numbers(&event), id, purpose);
            let names = of(self.unusual_names(), Purpose::Special(Concern::MemberNames));
            self.emit_together(scenario, vec![values, numbers, names]).await?;
        }
        self.wait_for_all().await;
        Ok(())
    }

    async fn several_webhooks(&mut self) -> Result<(), SubjectError> {
        let scenario = SEVERAL_WEBHOOKS.name;
        // The key is the secret's UTF-8 bytes unchanged, also beyond ASCII and with white space at the ends.
        self.register(scenario).await?;
        for secret in [format!("ключ-鍵-{}", self.random.nonce()), format!(" {} ", self.random.secret())]
        {
            self.register_as(scenario, NewWebhook::with_secret(secret)).await?;
        }
        self.emit_first(scenario).await?;
        let events = self.several(&["person.created", "company.created", "person.updated", "note.created"]);
        self.emit_together(scenario, events).await?;
        self.wait_for_all().await;
        self.learn_whether_it_serves_several(scenario);
        self.watch_meanwhile(None);
        Ok(())
    }

    async fn filtered(&mut self) -> Result<(), SubjectError> {
        let scenario = FILTERED.name;
        let (filters, events) = self.filters();
        for operations in filters {
            let operations = Some(operations);
            self.register_as(scenario, NewWebhook { operations, ..NewWebhook::signed() }).await?;
        }
        // An event that reaches the webhook without a filter could have reached the others.
        self.register(scenario).await?;
        self.emit_first(scenario).await?;
        for (event, id, purpose) in events {
            self.emit_exactly(scenario, event, id, purpose).await?;
        }
        self.wait_for_all().await;
        self.watch_meanwhile(None);
        Ok(())
    }

    async fn deletion(&mut self) -> Result<(), SubjectError> {
        let scenario = DELETION.name;
        self.register(scenario).await?;
        self.register(scenario).await?;
        self.emit_first(scenario).await?;
        self.wait_for_all().await;
        let deleted = &self.registered[0];
        let (index, webhook) = (deleted.index, deleted.name.clone());
        match self.call(Op::DeleteWebhook { webhook }).await {
            Err(SubjectError::RequestFailed(why)) => {
                return Err(self.broken_capability(Capability::Delete, why));
            }
            answer => answer?,
        };
        let (deleted_at_ms, before) = (self.clock.now_ms(), self.transcript.emissions.len());
        self.transcript.webhooks[index].deleted_after = Some(before);
        let events = self.several(&["person.created", "company.updated"]);
        self.emit_together(scenario, events).await?;
        // The deleted webhook should receive nothing, so the wait is for the other one.
        let after = self.transcript.emissions[before..].iter().map(|one| one.record_id.clone()).collect();
        self.wait_for(&self.registered[1].endpoint, after).await;
        self.wait_until_deleted(scenario, (0, 1), deleted_at_ms).await?;
        self.mark_awaited(scenario);
        self.watch_meanwhile(None);
        Ok(())
    }

    async fn unsigned(&mut self) -> Result<(), SubjectError> {
        let scenario = UNSIGNED.name;
        let wanted = NewWebhook { secret: NewSecret::None, ..NewWebhook::signed() };
        self.register_as(scenario, wanted).await?;
        self.emit_first(scenario).await?;
        let events = self.several(&["person.created", "company.updated"]);
        self.emit_together(scenario, events).await?;
        self.wait_for_all().await;
        Ok(())
    }

    /// The filters that are registered, and the events that are emitted to them. At a CRM they are about objects of which few calls
    /// make events: plain ones, and notes.
    fn filters(&self) -> (Vec<Vec<String>>, Vec<Planned>) {
        let Some(crm) = self.crm() else {
            let mut events: Vec<Event> = FILTERED_EVENTS.iter().map(|name| self.sample(name)).collect();
            events.extend(self.samples().into_iter().filter(|event| event.name.is_metadata()).take(1));
            let filters = FILTERS.iter().map(|filter| filter.iter().map(|&one| one.to_owned()).collect());
            return (filters.collect(), events.iter().map(|event| self.planned(event)).collect());
        };
        let object = crm.any_record.as_deref().unwrap_or("person");
        let of_object = |filter: &&str| filter.replace("person", object).replace("company", object);
        let filters = FILTERS.iter().map(|filter| filter.iter().map(of_object).collect());
        let own = |life: &Planned| {
            life.0.name.object() == object
                && ["created", "updated", "deleted"].contains(&life.0.name.action())
        };
        let other = |life: &Planned| {
            life.0.name.is_metadata() || ["note.created", "note.destroyed"].contains(&life.0.name.as_str())
        };
        let all = self.every_kind();
        (filters.collect(), all.into_iter().filter(|one| own(one) || other(one)).collect())
    }

    /// A record with every kind of value that must arrive unchanged.
    fn every_kind_of_value(&self) -> Event {
        self.plain_event().edit(|record| {
            record["kindsOfValue"] = json!({
                "scripts": ["Łódź", "日本語", "العربية", "ελληνικά", "हिन्दी", "👩🏽‍🚀"],
                "escapes": "\" \\ / \u{8} \u{c} \n \r \t \u{1} \u{7f} \u{2028} <b>&amp;</b>",
                "numbers": [0, -1, 0.1, 1.5e300, 5e-324, 9_007_199_254_740_992_u64, -9_007_199_254_740_992_i64],
                "empty": [null, "", [], {}],
                "booleans": [true, false],
                "nested": { "a": { "b": { "c": [[[{ "d": null }]]] } } },
                "10": "keys that look like", "9": "integers",
            });
        })
    }

    /// A record with a member of each unusual name, at its top and deeper. Their values are plain: nothing else changes them.
    fn unusual_names(&self) -> Event {
        let named = || UNUSUAL_NAMES.map(|name| (name.to_owned(), Value::from("unusual"))).into_iter();
        self.plain_event().edit(|record| {
            record["unusualNames"] = json!([named().collect::<Value>()]);
            if let Some(members) = record.as_object_mut() {
                members.extend(named());
            }
        })
    }
}

/// The event with numbers that do not fit a double. They are inserted as text: a parsed value would round them too.
fn with_long_numbers(event: &Event) -> Event {
    let record = event.record.get();
    let members = record.strip_suffix('}').unwrap_or(record);
    let record = RawValue::from_string(format!("{members},\"longNumbers\":{LONG_NUMBERS}}}"));
    // A sample's record is an object with members; a test checks that.
    let record = record.unwrap_or_else(|why| unreachable!("a record with an additional member: {why}"));
    Event { record, ..event.clone() }
}
