//! What is sent to see what a receiver processes: valid and forged deliveries, and repeats, each with its own record id.
//!
//! Invariant: the run waits until everything expected is observed. To see that nothing else is observed, it waits a fixed time,
//! which it counts as waited.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::sleep;

use super::PROCESSING;
use crate::subject::SubjectError;
use crate::suite::receiver::maker::PLAIN_EVENT;
use crate::suite::receiver::messages;
use crate::suite::receiver::stage::ReceiverStage;
use crate::suite::transcript::{Observations, Observed, ProcessingKind, ProcessingTrial};
use crate::webhook::dialect;
use crate::webhook::event::Event;
use crate::webhook::recipe::{KeyForm, Message, Recipe};
use crate::webhook::signature::{NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::wire::exchange::{Delivery, ExchangeId};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

type Forge = fn(&ReceiverStage<'_>, &mut Delivery, &str) -> Option<()>;

impl ReceiverStage<'_> {
    pub(in crate::suite::receiver) async fn observe_processing(&mut self) -> Result<(), SubjectError> {
        let Some(source) = self.subject.observes().cloned() else { return Ok(()) };
        let from = self.transcript.processing.len();
        self.ends.counting = true;
        let sent = self.send_everything().await;
        self.ends.counting = false;
        let mut wanted: HashMap<Observed, usize> = HashMap::new();
        for trial in &self.transcript.processing[from..] {
            let accepted = trial.exchanges.iter().any(|&id| self.transcript.acknowledged(id));
            *wanted.entry(trial.observed.clone()).or_default() +=
                if accepted { trial.kind.times() } else { 0 };
        }
        let limits = self.transcript.limits;
        let everything =
            |seen: &Observations| wanted.iter().all(|(observed, times)| seen.times(observed) >= *times);
        // The checks report what was not observed by then.
        source.until(limits.prompt, everything).await?;
        self.transcript.waited += limits.quiet;
        self.transcript.observed = source.until(limits.quiet, |_| false).await?;
        let (count, cut) = (self.transcript.observed.count(), self.transcript.observed.cut());
        if cut > 0 {
            self.remark(&messages::observations_cut(cut, count));
        }
        // An error in sending is returned last, so that everything that was sent can be judged.
        sent
    }

    async fn send_everything(&mut self) -> Result<(), SubjectError> {
        self.send_valid().await?;
        self.send_forged().await?;
        self.send_twice().await?;
        self.send_same_record().await?;
        self.send_in_other_dialects().await
    }

    async fn send_valid(&mut self) -> Result<(), SubjectError> {
        for event in self.transcript.dialect.samples() {
            let event = event.with_id(&self.maker.random.uuid());
            let id = self.send(self.maker.deliver(&event)).await?;
            let what = format!("a valid delivery of {}", event.name);
            self.add_trial(what, &event, ProcessingKind::Valid, vec![id]);
        }
        Ok(())
    }

    async fn send_forged(&mut self) -> Result<(), SubjectError> {
        for &(what, forge) in FORGED {
            let event = self.maker.plain();
            let control = self.maker.control(self.maker.render(&event));
            let mut delivery = control.delivery;
            if forge(self, &mut delivery, &control.timestamp).is_none() {
                continue;
            }
            let id = self.send_forgery(delivery).await?;
            self.add_trial(what.to_owned(), &event, ProcessingKind::Forged, vec![id]);
        }
        Ok(())
    }

    async fn send_twice(&mut self) -> Result<(), SubjectError> {
        let event = self.maker.plain();
        let delivery = self.maker.deliver(&event);
        let ids = vec![self.send(delivery.clone()).await?, self.send(delivery).await?];
        let what = "the same delivery sent twice, byte for byte";
        self.add_trial(what.to_owned(), &event, ProcessingKind::Same, ids);

        let event = self.maker.plain();
        let body = self.maker.render(&event);
        let mut ids = vec![self.send(self.maker.sign(body.clone())).await?];
        // A millisecond later, so the timestamp differs.
        let later = self.maker.clock.now_ms() + self.maker.manner.step_ms();
        ids.push(self.send(self.maker.sign_at(body, later)).await?);
        let what = "the same delivery sent twice, the second time with a new timestamp, signature and nonce";
        self.add_trial(what.to_owned(), &event, ProcessingKind::SignedAnew, ids);

        let event = self.maker.plain();
        let valid = self.maker.deliver(&event);
        let mut forged = valid.clone();
        forged.headers.set(SIGNATURE_HEADER, "0".repeat(64));
        let ids = vec![self.send_forgery(forged).await?, self.send(valid).await?];
        let what = "a delivery sent after a forged copy of it";
        self.add_trial(what.to_owned(), &event, ProcessingKind::AfterForged, ids);
        Ok(())
    }

    async fn send_same_record(&mut self) -> Result<(), SubjectError> {
        // Every dialect has this sample; a test checks that.
        let Some(event) = self.transcript.dialect.sample("person.updated") else { return Ok(()) };
        let event = event.with_id(&self.maker.random.uuid());
        let other = event.edit(|record| record["memberThatChanged"] = serde_json::json!(true));
        // Both within one second, and not at its end.
        let into_second_ms = self.maker.clock.now_ms() % 1000;
        if into_second_ms > 700 {
            sleep(Duration::from_millis(1000 - into_second_ms)).await;
        }
        let mut ids = Vec::new();
        for event in [&event, &other] {
            ids.push(self.send(self.maker.deliver(event)).await?);
        }
        let what = "two different events of the same record within the same second";
        self.add_trial(what.to_owned(), &event, ProcessingKind::SameRecord, ids);
        Ok(())
    }

    async fn send_in_other_dialects(&mut self) -> Result<(), SubjectError> {
        let own = self.transcript.dialect;
        for dialect in dialect::ALL.into_iter().filter(|dialect| dialect.name != own.name) {
            let Some(event) = dialect.sample(PLAIN_EVENT) else { continue };
            let event = event.with_id(&self.maker.random.uuid());
            let body: Bytes = self.maker.render_as(dialect, &event);
            let id = self.send(self.maker.sign(body)).await?;
            let what = format!("a valid delivery in dialect {}", dialect.name);
            self.add_trial(what, &event, ProcessingKind::OtherDialect, vec![id]);
        }
        Ok(())
    }

    fn add_trial(&mut self, what: String, event: &Event, kind: ProcessingKind, exchanges: Vec<ExchangeId>) {
        let observed = Observed { event: event.name.as_str().to_owned(), id: event.record_id() };
        self.transcript.processing.push(ProcessingTrial {
            scenario: PROCESSING.name,
            what,
            observed,
            kind,
            exchanges,
        });
    }

    fn sign_by(&self, recipe: Recipe, delivery: &mut Delivery, timestamp: &str) -> Option<()> {
        let value = self.maker.signature_by(recipe, timestamp.as_bytes(), &delivery.body)?;
        delivery.headers.set(SIGNATURE_HEADER, value);
        Some(())
    }
}

/// Forged deliveries, each with its own record id.
const FORGED: &[(&str, Forge)] = &[
    ("a delivery signed with another secret", |stage, delivery, timestamp| {
        stage.sign_by(Recipe::key(KeyForm::Other), delivery, timestamp)
    }),
    ("a delivery signed over the body alone", |stage, delivery, timestamp| {
        stage.sign_by(Recipe::message(Message::BodyAlone), delivery, timestamp)
    }),
    ("a delivery with a value changed after signing", |_, delivery, _| {
        let text = std::str::from_utf8(&delivery.body).ok()?;
        let changed = text.replacen("2025-", "2024-", 1);
        (changed != text).then(|| delivery.body = Bytes::from(changed))
    }),
    ("a delivery without a signature", |_, delivery, _| {
        delivery.headers.remove(SIGNATURE_HEADER);
        Some(())
    }),
    ("a delivery with neither signature nor timestamp", |_, delivery, _| {
        for name in [SIGNATURE_HEADER, TIMESTAMP_HEADER, NONCE_HEADER] {
            delivery.headers.remove(name);
        }
        Some(())
    }),
    ("a correctly signed delivery that is one day old", |stage, delivery, _| {
        let sent_ms = stage.maker.clock.now_ms().checked_sub(DAY_MS)?;
        stage.maker.date(delivery, stage.maker.manner.stamp(sent_ms).as_bytes());
        Some(())
    }),
    ("a delivery with a signature of 64 zeros", |_, delivery, _| {
        delivery.headers.set(SIGNATURE_HEADER, "0".repeat(64));
        Some(())
    }),
];
