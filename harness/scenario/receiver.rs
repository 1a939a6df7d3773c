//! What is done to a receiver: genuine deliveries, and negatives between their twins.
//!
//! Invariant: a negative is made from the twin that was sent right before it and differs from it in one respect; the twin
//! behind it is the same delivery, signed anew.

mod forged;
mod genuine;
mod spelling;
mod strict;

use bytes::Bytes;
use serde_json::Value;

use crate::client::Client;
use crate::clock::Clock;
use crate::dialect::{Context, Dialect};
use crate::event::Event;
use crate::exchange::{Delivery, Exchange, ExchangeId, Headers, Outcome, Transfer};
use crate::random::Random;
use crate::signature::{Key, NONCE_HEADER};
use crate::subject::SubjectError;
use crate::subject::receiver::Receiver;
use crate::transcript::{Ending, Respect, Scenario, Transcript, Trial};

/// How many deliveries come at the same time (contract RCV-8).
pub const CONCURRENT: usize = 64;

/// The event that twins carry.
const PLAIN_EVENT: &str = "person.created";

/// How many deliveries in a row may be without an answer before the run is given up: twins are among any three, so it is
/// not a negative alone that is not answered.
const MAX_SILENT: usize = 3;

/// The scenarios of receivers, in the order in which they are run.
pub const ALL: &[Scenario] = &[
    Scenario::Genuine,
    Scenario::Unfamiliar,
    Scenario::HeaderCase,
    Scenario::Concurrent,
    Scenario::ContentType,
    Scenario::Framing,
    Scenario::Body256KiB,
    Scenario::Body1MiB,
    Scenario::BodyLimit,
    Scenario::Repeated,
    Scenario::JavascriptJson,
    Scenario::LoneSurrogate,
    Scenario::OtherSpelling,
    Scenario::OtherDialect,
    Scenario::AlteredContent,
    Scenario::AlteredTimestamp,
    Scenario::WrongKey,
    Scenario::MissingHeader,
    Scenario::OtherMessage,
    Scenario::OtherDigest,
    Scenario::Surrounded,
    Scenario::SignatureLength,
    Scenario::TimestampForm,
    Scenario::Stale,
    Scenario::Recent,
    Scenario::Malformed,
    Scenario::UnsignedMalformed,
    Scenario::OtherMethod,
    Scenario::BackDoor,
    Scenario::Respelled,
    Scenario::Diagnosis,
];

/// What a run against a receiver has at hand.
pub struct Stage<'a> {
    /// The receiver.
    pub subject: &'a mut Receiver,
    /// What sends.
    pub client: &'a Client,
    /// The time of day.
    pub clock: &'a Clock,
    /// Ids and nonces.
    pub random: &'a Random,
    /// What is written.
    pub transcript: &'a mut Transcript,
    key: Key,
    /// How many exchanges in a row had no answer within the wait.
    silent: usize,
}

/// A correctly signed delivery that was sent, and what it was made of.
struct Sent {
    delivery: Delivery,
    timestamp: String,
    id: ExchangeId,
}

type Change = fn(&Stage<'_>, &mut Delivery, &str) -> Option<()>;

impl super::Stage for Stage<'_> {
    async fn run(&mut self, scenario: Scenario) {
        let ending = match self.play(scenario).await {
            Ok(()) => Ending::Complete,
            Err(why) => Ending::Died(why.to_string()),
        };
        self.transcript.endings.push((scenario, ending));
    }

    fn transcript(&mut self) -> &mut Transcript {
        self.transcript
    }
}

impl<'a> Stage<'a> {
    /// A stage for a receiver.
    pub fn new(
        subject: &'a mut Receiver,
        client: &'a Client,
        clock: &'a Clock,
        random: &'a Random,
        transcript: &'a mut Transcript,
    ) -> Self {
        let key = Key::new(subject.secret());
        Self { subject, client, clock, random, transcript, key, silent: 0 }
    }

    async fn play(&mut self, scenario: Scenario) -> Result<(), SubjectError> {
        match scenario {
            Scenario::Genuine => self.genuine().await,
            Scenario::Unfamiliar => self.unfamiliar().await,
            Scenario::HeaderCase => self.header_case().await,
            Scenario::Concurrent => self.concurrent().await,
            Scenario::ContentType => self.content_type().await,
            Scenario::Framing => self.framing().await,
            Scenario::Body256KiB => self.large(scenario, 256).await,
            Scenario::Body1MiB => self.large(scenario, 1024).await,
            Scenario::BodyLimit => self.body_limit().await,
            Scenario::Repeated => self.repeated().await,
            Scenario::JavascriptJson => self.javascript_json().await,
            Scenario::LoneSurrogate => self.lone_surrogate().await,
            Scenario::OtherSpelling => self.other_spelling().await,
            Scenario::OtherDialect => self.other_dialect().await,
            Scenario::Recent => self.recent().await,
            Scenario::AlteredContent
            | Scenario::Surrounded
            | Scenario::SignatureLength
            | Scenario::TimestampForm
            | Scenario::Stale
            | Scenario::Malformed
            | Scenario::UnsignedMalformed
            | Scenario::OtherMethod
            | Scenario::BackDoor
            | Scenario::Respelled
            | Scenario::AlteredTimestamp
            | Scenario::WrongKey
            | Scenario::MissingHeader
            | Scenario::OtherMessage
            | Scenario::OtherDigest => self.negatives_of(scenario).await,
            Scenario::Diagnosis => self.diagnose().await,
            Scenario::EveryEvent
            | Scenario::SeveralWebhooks
            | Scenario::Filtered
            | Scenario::Deletion
            | Scenario::Unsigned
            | Scenario::Acknowledged
            | Scenario::NotAcknowledged
            | Scenario::AnswerForms
            | Scenario::Unanswered => Ok(()),
        }
    }

    async fn negative(
        &mut self,
        scenario: Scenario,
        respect: Respect,
        what: String,
        change: impl Fn(&Stage<'_>, &mut Delivery, &str) -> Option<()>,
    ) -> Result<(), SubjectError> {
        let plain = self.plain();
        let twin = self.send_event(&plain).await?;
        let mut delivery = twin.delivery.clone();
        if self.transcript.dialect.nonce {
            // Not part of what is signed: a receiver that remembers nonces must not refuse for that alone.
            delivery.headers.set(NONCE_HEADER, self.random.nonce());
        }
        if change(self, &mut delivery, &twin.timestamp).is_none() {
            return Ok(());
        }
        let id = self.send(delivery).await?;
        let mut behind = self.send_body(twin.delivery.body.clone()).await?.id;
        if let Some(how) = self.transcript.death_at(behind).map(str::to_owned) {
            // It answered and ended then: that is the negative's doing. The receiver runs again, so the twin can be sent.
            self.transcript.deaths.push((id, how));
            behind = self.send_body(twin.delivery.body.clone()).await?.id;
        }
        self.write(scenario, what, respect, id, [twin.id, behind]);
        Ok(())
    }

    fn plain(&self) -> Event {
        // Every dialect has this sample; a test looks.
        let sample = self.transcript.dialect.sample(PLAIN_EVENT);
        sample.unwrap_or_else(|| unreachable!("no sample {PLAIN_EVENT}")).with_id(&self.random.uuid())
    }

    fn render(&self, event: &Event) -> Bytes {
        self.render_as(self.transcript.dialect, event)
    }

    fn render_as(&self, dialect: &Dialect, event: &Event) -> Bytes {
        dialect.render(
            event,
            &Context {
                target_url: &self.subject.target().url(),
                webhook_id: "20202020-0000-4000-8000-000000000001",
                workspace_id: "20202020-1c25-4d02-bf25-6aeccf7ea419",
                occurred_at_ms: self.clock.now_ms(),
            },
        )
    }

    fn sign(&self, body: Bytes) -> (Delivery, String) {
        self.sign_at(body, self.clock.now_ms())
    }

    fn sign_at(&self, body: Bytes, sent_ms: u64) -> (Delivery, String) {
        let nonce = self.transcript.dialect.nonce.then(|| self.random.nonce());
        let headers = Headers::of_delivery(Some(&self.key), sent_ms, nonce, &body);
        let target = self.subject.target().path.clone();
        let delivery =
            Delivery { method: "POST".to_owned(), target, headers, body, transfer: Transfer::Whole };
        (delivery, sent_ms.to_string())
    }

    async fn send_event(&mut self, event: &Event) -> Result<Sent, SubjectError> {
        let body = self.render(event);
        self.send_body(body).await
    }

    async fn send_body(&mut self, body: Bytes) -> Result<Sent, SubjectError> {
        let (delivery, timestamp) = self.sign(body);
        let id = self.send(delivery.clone()).await?;
        Ok(Sent { delivery, timestamp, id })
    }

    /// Sends one delivery. Errors: none of the last few was answered, so that going on would only wait.
    async fn send(&mut self, delivery: Delivery) -> Result<ExchangeId, SubjectError> {
        if self.silent >= MAX_SILENT {
            return Err(SubjectError::Stuck(format!(
                "the receiver did not answer {MAX_SILENT} deliveries in a row within the wait, so no more were sent"
            )));
        }
        let exchange: Exchange = self.client.send(self.subject.target(), &delivery).await;
        let answered = exchange.outcome.status().is_some();
        self.silent = if exchange.outcome == Outcome::TimedOut { self.silent + 1 } else { 0 };
        let id = self.transcript.record(exchange);
        if !answered {
            self.revive(id).await?;
        }
        Ok(id)
    }

    async fn revive(&mut self, id: ExchangeId) -> Result<(), SubjectError> {
        if let Some(how) = self.subject.revive().await? {
            self.transcript.deaths.push((id, how));
        }
        Ok(())
    }

    fn write<const N: usize>(
        &mut self,
        scenario: Scenario,
        what: String,
        respect: Respect,
        exchange: ExchangeId,
        twins: [ExchangeId; N],
    ) {
        self.transcript.trials.push(Trial { scenario, what, respect, exchange, twins: twins.to_vec() });
    }
}

/// A JSON object's text with a member more at its end.
fn with_member(body: &[u8], key: &str, value: &Value) -> Bytes {
    let end = body.iter().rposition(|&byte| byte == b'}').unwrap_or(body.len());
    let member = format!(",{}:{value}}}", Value::from(key));
    Bytes::from([&body[..end], member.as_bytes()].concat())
}
