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
use crate::suite::sender::stage::{NewWebhook, Purpose, SenderStage, broken_capability};
use crate::suite::transcript::{Conduct, ScenarioName};
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

/// Numbers that do not fit a double: beyond 2^53, beyond 64 bits, with more digits.
const LONG_NUMBERS: &str = "[9007199254740993,-9007199254740995,18446744073709551617,\
                            123456789012345678901234567890,3.14159265358979323846264338327950288,\
                            1234567890.123456789012345]";

impl SenderStage<'_> {
    async fn every_event(&mut self) -> Result<(), SubjectError> {
        let scenario = EVERY_EVENT.name;
        self.register(scenario).await?;
        self.emit_first(scenario).await?;
        for event in self.transcript.dialect.samples() {
            self.emit(scenario, &event, Purpose::Sample).await?;
        }
        self.emit(scenario, &self.every_kind_of_value(), Purpose::Other).await?;
        let id = self.random.uuid();
        let with_long_numbers = with_long_numbers(&self.sample("person.updated").with_id(&id));
        self.emit_exactly(scenario, with_long_numbers, id, Purpose::Special(Concern::LongNumbers)).await?;
        let unusual_names = self.unusual_names();
        self.emit(scenario, &unusual_names, Purpose::Special(Concern::MemberNames)).await?;
        self.wait_for_all().await;
        Ok(())
    }

    async fn several_webhooks(&mut self) -> Result<(), SubjectError> {
        let scenario = SEVERAL_WEBHOOKS.name;
        // The key is the secret's UTF-8 bytes unchanged, also beyond ASCII and with white space at the ends.
        let secrets = [
            self.random.secret(),
            format!("ключ-鍵-{}", self.random.nonce()),
            format!(" {} ", self.random.secret()),
        ];
        for secret in secrets {
            self.register_as(scenario, NewWebhook::with_secret(secret)).await?;
        }
        self.emit_first(scenario).await?;
        for name in ["person.created", "company.created", "person.updated", "note.created"] {
            self.emit(scenario, &self.sample(name), Purpose::Sample).await?;
        }
        self.wait_for_all().await;
        self.learn_whether_it_serves_several(scenario);
        self.watch_meanwhile(None);
        Ok(())
    }

    async fn filtered(&mut self) -> Result<(), SubjectError> {
        let scenario = FILTERED.name;
        for &operations in FILTERS {
            let wanted = NewWebhook::with_secret(self.random.secret());
            self.register_as(scenario, NewWebhook { operations: Some(operations), ..wanted }).await?;
        }
        // An event that reaches the webhook without a filter could have reached the others.
        self.register(scenario).await?;
        self.emit_first(scenario).await?;
        let names =
            ["person.created", "person.updated", "company.created", "company.updated", "note.created"];
        for name in names {
            self.emit(scenario, &self.sample(name), Purpose::Sample).await?;
        }
        if let Some(metadata) = self.transcript.dialect.sample("metadata.fieldMetadata.updated") {
            self.emit(scenario, &metadata, Purpose::Sample).await?;
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
            Err(SubjectError::RequestFailed(why)) => return Err(broken_capability(Capability::Delete, &why)),
            answer => answer?,
        };
        self.transcript.webhooks[index].deleted_after = Some(self.transcript.emissions.len());
        for name in ["person.created", "company.updated"] {
            self.emit(scenario, &self.sample(name), Purpose::Sample).await?;
        }
        // The deleted webhook should receive nothing, so the wait is for the other one.
        let after: Vec<String> = self.record_ids(scenario).split_off(1);
        self.wait_for(&self.registered[1].endpoint, after).await;
        self.mark_awaited(scenario);
        self.watch_meanwhile(None);
        Ok(())
    }

    async fn unsigned(&mut self) -> Result<(), SubjectError> {
        let scenario = UNSIGNED.name;
        let wanted = NewWebhook { secret: None, operations: None, conduct: Conduct::Answers };
        self.register_as(scenario, wanted).await?;
        self.emit_first(scenario).await?;
        for name in ["person.created", "company.updated"] {
            self.emit(scenario, &self.sample(name), Purpose::Sample).await?;
        }
        self.wait_for_all().await;
        Ok(())
    }

    /// A record with every kind of value that must arrive unchanged.
    fn every_kind_of_value(&self) -> Event {
        self.sample("person.updated").edit(|record| {
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
        self.sample("person.updated").edit(|record| {
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
