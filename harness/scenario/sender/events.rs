//! Events and where they go: every kind of event, several webhooks, a deleted one.
//!
//! Invariant: whether a delivery is missing is told only where it had all the time that it may take.

use serde_json::json;

use super::{Kind, Stage};
use crate::event::Event;
use crate::subject::SubjectError;
use crate::subject::protocol::Op;
use crate::subject::sender::expect_ok;
use crate::transcript::{Capability, Scenario};

impl Stage<'_> {
    pub(super) async fn every_event(&mut self) -> Result<(), SubjectError> {
        let scenario = Scenario::EveryEvent;
        self.register(scenario, self.random.secret()).await?;
        self.first(scenario).await?;
        for event in self.transcript.dialect.samples() {
            self.emit(scenario, &event, Kind::Sample).await?;
        }
        self.emit(scenario, &self.every_kind_of_value(), Kind::Other).await?;
        self.wait_for_all().await;
        Ok(())
    }

    pub(super) async fn several_webhooks(&mut self) -> Result<(), SubjectError> {
        let scenario = Scenario::SeveralWebhooks;
        // The key is the secret's UTF-8 bytes as they are: beyond ASCII, and with white space at its ends.
        let secrets = [
            self.random.secret(),
            format!("ключ-鍵-{}", self.random.nonce()),
            format!(" {} ", self.random.secret()),
        ];
        for secret in secrets {
            self.register(scenario, secret).await?;
        }
        self.first(scenario).await?;
        for name in ["person.created", "company.created", "person.updated", "note.created"] {
            self.emit(scenario, &self.sample(name), Kind::Sample).await?;
        }
        self.wait_for_all().await;
        self.watch().await;
        Ok(())
    }

    pub(super) async fn deletion(&mut self) -> Result<(), SubjectError> {
        if !self.transcript.capabilities.contains(&Capability::Delete) {
            return Ok(());
        }
        let scenario = Scenario::Deletion;
        self.register(scenario, self.random.secret()).await?;
        self.register(scenario, self.random.secret()).await?;
        self.first(scenario).await?;
        self.wait_for_all().await;
        let gone = &self.registered[0];
        let (index, webhook) = (gone.index, gone.name.clone());
        expect_ok("delete_webhook", self.subject.call(Op::DeleteWebhook { webhook }).await?)?;
        self.transcript.webhooks[index].deleted_after = Some(self.transcript.emissions.len());
        for name in ["person.created", "company.updated"] {
            self.emit(scenario, &self.sample(name), Kind::Sample).await?;
        }
        // The deleted one gets nothing, so only the one that stays is waited for.
        let after: Vec<String> = self.record_ids(scenario).split_off(1);
        self.wait_for(&self.registered[1].endpoint, after).await;
        self.awaited(scenario);
        self.watch().await;
        Ok(())
    }

    /// A record with every kind of value that must come out as it went in.
    fn every_kind_of_value(&self) -> Event {
        self.sample("person.updated").edit(|record| {
            record["kindsOfValue"] = json!({
                "scripts": ["Łódź", "日本語", "العربية", "ελληνικά", "हिन्दी", "👩🏽‍🚀"],
                "escapes": "\" \\ / \u{8} \u{c} \n \r \t \u{1} \u{7f} \u{2028} <b>&amp;</b>",
                "numbers": [0, -1, 0.1, 1.5e300, 5e-324, 9_007_199_254_740_992_u64, -9_007_199_254_740_992_i64],
                "empty": [null, "", [], {}],
                "booleans": [true, false],
                "nested": { "a": { "b": { "c": [[[{ "d": null }]]] } } },
                "": "an empty key",
                "10": "keys that look like", "9": "integers",
            });
        })
    }
}
