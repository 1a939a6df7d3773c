//! What is done to a receiver: genuine deliveries, and negatives between their twins.
//!
//! Invariant: a negative is made from the twin that was sent right before it and differs from it in one respect; the twin
//! behind it is the same delivery, signed anew.

use bytes::Bytes;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::client::Client;
use crate::clock::Clock;
use crate::dialect::Context;
use crate::event::{Event, EventName, raw};
use crate::exchange::{Delivery, Exchange, ExchangeId};
use crate::random::Random;
use crate::recipe::{Digest, KeyForm, Message, Recipe};
use crate::sender::signed_headers;
use crate::signature::{Key, NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::subject::SubjectError;
use crate::subject::receiver::{READY_WAIT, Receiver};
use crate::transcript::{Ending, Respect, Scenario, Transcript, Trial};

/// How many deliveries come at the same time (contract RCV-8).
pub const CONCURRENT: usize = 64;

/// The event that twins carry.
const PLAIN_EVENT: &str = "person.created";

/// The scenarios of receivers, in the order in which they are run.
pub const ALL: &[Scenario] = &[
    Scenario::Genuine,
    Scenario::Unfamiliar,
    Scenario::HeaderCase,
    Scenario::Concurrent,
    Scenario::AlteredContent,
    Scenario::AlteredTimestamp,
    Scenario::WrongKey,
    Scenario::MissingHeader,
    Scenario::OtherMessage,
    Scenario::OtherDigest,
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
}

/// A correctly signed delivery that was sent, and what it was made of.
struct Sent {
    delivery: Delivery,
    timestamp: String,
    id: ExchangeId,
}

type Spell = fn(&str) -> String;
type Change = fn(&Stage<'_>, &mut Delivery, &str) -> Option<()>;

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
        Self { subject, client, clock, random, transcript, key }
    }

    /// Runs one scenario and writes down how it ended.
    pub async fn run(&mut self, scenario: Scenario) {
        let ending = match self.play(scenario).await {
            Ok(()) => Ending::Complete,
            Err(why) => Ending::Died(why.to_string()),
        };
        self.transcript.endings.push((scenario, ending));
    }

    async fn play(&mut self, scenario: Scenario) -> Result<(), SubjectError> {
        match scenario {
            Scenario::Genuine => self.genuine().await,
            Scenario::Unfamiliar => self.unfamiliar().await,
            Scenario::HeaderCase => self.header_case().await,
            Scenario::Concurrent => self.concurrent().await,
            Scenario::AlteredContent => self.negatives(scenario, Respect::Content, ALTERED_CONTENT).await,
            Scenario::AlteredTimestamp => {
                self.negatives(scenario, Respect::Timestamp, ALTERED_TIMESTAMP).await
            }
            Scenario::WrongKey => self.forged(scenario, &WRONG_KEYS.map(Recipe::key)).await,
            Scenario::MissingHeader => {
                self.negatives(scenario, Respect::Unsigned, UNSIGNED).await?;
                self.negatives(scenario, Respect::Undated, UNDATED).await
            }
            Scenario::OtherMessage => {
                self.forged(scenario, &OTHER_MESSAGES.map(Recipe::message)).await?;
                self.borrowed(scenario).await
            }
            Scenario::OtherDigest => self.forged(scenario, &OTHER_DIGESTS.map(Recipe::digest)).await,
            Scenario::Diagnosis => self.diagnose().await,
            Scenario::EveryEvent
            | Scenario::SeveralWebhooks
            | Scenario::Deletion
            | Scenario::Acknowledged
            | Scenario::NotAcknowledged => Ok(()),
        }
    }

    async fn genuine(&mut self) -> Result<(), SubjectError> {
        let standard = |event: &Event| {
            ["created", "updated", "deleted"].contains(&event.name.action())
                && ["person", "company", "note", "task", "opportunity"].contains(&event.name.object())
        };
        let events: Vec<Event> = self.transcript.dialect.samples().into_iter().filter(standard).collect();
        // The plain one first: if it is refused, the report's first line is about the simplest case.
        let (plain, others): (Vec<_>, Vec<_>) =
            events.iter().partition(|event| event.name.as_str() == PLAIN_EVENT);
        for event in plain.into_iter().chain(others) {
            let sent = self.send_event(event).await?;
            self.write(
                Scenario::Genuine,
                format!("a genuine delivery of {}", event.name),
                Respect::Genuine,
                sent.id,
                [],
            );
        }
        Ok(())
    }

    async fn unfamiliar(&mut self) -> Result<(), SubjectError> {
        let plain = self.plain();
        let mut cases: Vec<(String, Event)> = Vec::new();
        let renamed = |name: &str| Event { name: EventName::new(name), ..plain.clone() };
        cases.push((
            "a genuine delivery of an unknown event (person.merged)".to_owned(),
            renamed("person.merged"),
        ));
        cases.push((
            "a genuine delivery of an unknown object (starship.created)".to_owned(),
            renamed("starship.created"),
        ));
        let further = plain.edit(|record| {
            record["memberOfALaterVersion"] = json!({ "nested": [1, null, "text"] });
        });
        cases.push(("a genuine delivery whose record has an unknown member".to_owned(), further));
        let known = self.transcript.dialect.samples();
        let special = known.into_iter().filter(|event| {
            event.name.is_metadata()
                || event.name.object() == "rocket"
                || !["created", "updated", "deleted"].contains(&event.name.action())
        });
        cases.extend(special.map(|event| (format!("a genuine delivery of {}", event.name), event)));
        for (what, event) in cases {
            let twin = self.send_event(&plain).await?.id;
            let sent = self.send_event(&event).await?;
            self.write(Scenario::Unfamiliar, what, Respect::Genuine, sent.id, [twin]);
        }
        let twin = self.send_event(&plain).await?.id;
        let body = with_member(&self.render(&plain), "memberOfALaterVersion", &json!("text"));
        let sent = self.send_body(body).await?;
        let what = "a genuine delivery whose body has an unknown member".to_owned();
        self.write(Scenario::Unfamiliar, what, Respect::Genuine, sent.id, [twin]);
        Ok(())
    }

    async fn header_case(&mut self) -> Result<(), SubjectError> {
        for (case, spell) in HEADER_CASES {
            let plain = self.plain();
            let twin = self.send_event(&plain).await?.id;
            let (mut delivery, _) = self.sign(self.render(&plain));
            for (name, _) in &mut delivery.headers.0 {
                *name = spell(name);
            }
            let id = self.send(delivery).await?;
            let what = format!("a genuine delivery with its header names in {case} case");
            self.write(Scenario::HeaderCase, what, Respect::Genuine, id, [twin]);
        }
        Ok(())
    }

    async fn concurrent(&mut self) -> Result<(), SubjectError> {
        let plain = self.plain();
        let twin = self.send_event(&plain).await?.id;
        let deliveries: Vec<Delivery> =
            (0..CONCURRENT).map(|_| self.sign(self.render(&plain.with_id(&self.random.uuid()))).0).collect();
        let target = self.subject.target().clone();
        let exchanges = join_all(deliveries.iter().map(|delivery| self.client.send(&target, delivery))).await;
        let mut broken = None;
        for exchange in exchanges {
            let answered = exchange.outcome.status().is_some();
            let id = self.transcript.record(exchange);
            broken = broken.or((!answered).then_some(id));
            let what = format!("one of {CONCURRENT} genuine deliveries at the same time");
            self.write(Scenario::Concurrent, what, Respect::Genuine, id, [twin]);
        }
        match broken {
            Some(id) => self.revive(id).await,
            None => Ok(()),
        }
    }

    /// Sends each change of a twin between that twin and the next.
    async fn negatives(
        &mut self,
        scenario: Scenario,
        respect: Respect,
        changes: &[(&str, Change)],
    ) -> Result<(), SubjectError> {
        for (what, change) in changes {
            self.negative(scenario, respect, (*what).to_owned(), change).await?;
        }
        Ok(())
    }

    /// Sends a delivery for each recipe, but for those that say nothing under this secret (one that is not hexadecimal
    /// cannot be decoded).
    async fn forged(&mut self, scenario: Scenario, recipes: &[Recipe]) -> Result<(), SubjectError> {
        let secret = self.subject.secret().clone();
        for recipe in recipes {
            let change = |_: &Stage<'_>, delivery: &mut Delivery, timestamp: &str| {
                let value = recipe.compute(secret.expose(), timestamp.as_bytes(), &delivery.body)?;
                delivery.headers.set(SIGNATURE_HEADER, value);
                Some(())
            };
            let what = format!("a delivery signed {}", recipe.describe());
            self.negative(scenario, Respect::Signed(*recipe), what, change).await?;
        }
        Ok(())
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
        if change(self, &mut delivery, &twin.timestamp).is_none() {
            return Ok(());
        }
        let id = self.send(delivery).await?;
        let behind = self.send_body(twin.delivery.body.clone()).await?.id;
        self.write(scenario, what, respect, id, [twin.id, behind]);
        Ok(())
    }

    /// Sends a delivery with timestamp and signature of another one that went before it.
    async fn borrowed(&mut self, scenario: Scenario) -> Result<(), SubjectError> {
        let other = self.send_event(&self.plain()).await?.delivery;
        let change = |_: &Stage<'_>, delivery: &mut Delivery, _: &str| {
            for name in [TIMESTAMP_HEADER, SIGNATURE_HEADER] {
                delivery.headers.set(name, other.headers.single(name)?.clone());
            }
            Some(())
        };
        let what = "a delivery with timestamp and signature of another delivery".to_owned();
        self.negative(scenario, Respect::Borrowed, what, change).await
    }

    /// Where the plain genuine delivery is refused: one delivery for each way of signing that is wrong in one or two
    /// respects.
    async fn diagnose(&mut self) -> Result<(), SubjectError> {
        let plain = self.plain();
        let twin = self.send_event(&plain).await?.id;
        if self.transcript.acknowledged(twin) {
            return Ok(());
        }
        let secret = self.subject.secret().clone();
        let telling = |recipe: &Recipe| {
            (1..=2).contains(&recipe.distance())
                && recipe.digest != Digest::Zeros
                && !matches!(recipe.key, KeyForm::Empty | KeyForm::Other)
        };
        for recipe in Recipe::lattice().into_iter().filter(telling) {
            let (mut delivery, timestamp) = self.sign(self.render(&self.plain()));
            let Some(value) = recipe.compute(secret.expose(), timestamp.as_bytes(), &delivery.body) else {
                continue;
            };
            delivery.headers.set(SIGNATURE_HEADER, value);
            let id = self.send(delivery).await?;
            let what = format!("a delivery signed {}", recipe.describe());
            self.write(Scenario::Diagnosis, what, Respect::Signed(recipe), id, []);
            if self.transcript.acknowledged(id) {
                break;
            }
        }
        Ok(())
    }

    fn plain(&self) -> Event {
        // Every dialect has this sample; a test looks.
        let sample = self.transcript.dialect.sample(PLAIN_EVENT);
        sample.unwrap_or_else(|| unreachable!("no sample {PLAIN_EVENT}")).with_id(&self.random.uuid())
    }

    fn render(&self, event: &Event) -> Bytes {
        self.transcript.dialect.render(
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
        let now_ms = self.clock.now_ms();
        let nonce = self.transcript.dialect.nonce.then(|| self.random.nonce());
        let headers = signed_headers(Some(&self.key), now_ms, nonce, &body);
        let target = self.subject.target().path.clone();
        (Delivery { method: "POST".to_owned(), target, headers, body }, now_ms.to_string())
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

    async fn send(&mut self, delivery: Delivery) -> Result<ExchangeId, SubjectError> {
        let exchange: Exchange = self.client.send(self.subject.target(), &delivery).await;
        let answered = exchange.outcome.status().is_some();
        let id = self.transcript.record(exchange);
        if !answered {
            self.revive(id).await?;
        }
        Ok(id)
    }

    async fn revive(&mut self, id: ExchangeId) -> Result<(), SubjectError> {
        if let Some(how) = self.subject.revive(READY_WAIT).await? {
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

const ALTERED_CONTENT: &[(&str, Change)] = &[
    ("a delivery with a value changed behind the signature", |_, delivery, _| {
        let text = std::str::from_utf8(&delivery.body).ok()?;
        // A digit of the record's createdAt, which every plain record has: the form of the body stays as it is.
        let changed = text.replacen("2025-", "2024-", 1);
        (changed != text).then(|| delivery.body = Bytes::from(changed))
    }),
    ("a delivery with a member added behind the signature", |_, delivery, _| {
        delivery.body = with_member(&delivery.body, "admin", &json!(true));
        Some(())
    }),
    ("a delivery with a member `secret` added behind the signature", |_, delivery, _| {
        delivery.body = with_member(&delivery.body, "secret", &json!("let me in"));
        Some(())
    }),
    ("a delivery with a member taken away behind the signature", |_, delivery, _| {
        let mut value: Value = serde_json::from_slice(&delivery.body).ok()?;
        let members = value.as_object_mut()?;
        let last = members.keys().next_back()?.clone();
        members.shift_remove(&last)?;
        delivery.body = Bytes::from(raw(&value).get().to_owned());
        Some(())
    }),
    ("a delivery with its last bytes cut off behind the signature", |_, delivery, _| {
        delivery.body.truncate(delivery.body.len().checked_sub(2)?);
        Some(())
    }),
];

const ALTERED_TIMESTAMP: &[(&str, Change)] = &[
    ("a delivery whose timestamp is a millisecond later than the signed one", |_, delivery, timestamp| {
        delivery.headers.set(TIMESTAMP_HEADER, (timestamp.parse::<u64>().ok()? + 1).to_string());
        Some(())
    }),
    ("a delivery whose timestamp is a minute earlier than the signed one", |_, delivery, timestamp| {
        delivery.headers.set(TIMESTAMP_HEADER, (timestamp.parse::<u64>().ok()? - 60_000).to_string());
        Some(())
    }),
    ("a delivery whose timestamp has a zero before it that was not signed", |_, delivery, timestamp| {
        delivery.headers.set(TIMESTAMP_HEADER, format!("0{timestamp}"));
        Some(())
    }),
];

const WRONG_KEYS: [KeyForm; 7] = [
    KeyForm::Other,
    KeyForm::Empty,
    KeyForm::HexDecoded,
    KeyForm::Base64Decoded,
    KeyForm::Trimmed,
    KeyForm::Uppercase,
    KeyForm::Lowercase,
];

const UNSIGNED: &[(&str, Change)] = &[
    ("a delivery without a signature", |_, delivery, _| {
        delivery.headers.remove(SIGNATURE_HEADER);
        Some(())
    }),
    ("a delivery with an empty signature", |_, delivery, _| {
        delivery.headers.set(SIGNATURE_HEADER, "");
        Some(())
    }),
    ("a delivery with neither signature nor timestamp", |_, delivery, _| {
        for name in [SIGNATURE_HEADER, TIMESTAMP_HEADER, NONCE_HEADER] {
            delivery.headers.remove(name);
        }
        Some(())
    }),
];

const UNDATED: &[(&str, Change)] = &[
    ("a delivery without a timestamp", |_, delivery, _| {
        delivery.headers.remove(TIMESTAMP_HEADER);
        Some(())
    }),
    ("a delivery without a timestamp, signed as if it were empty", |stage, delivery, _| {
        delivery.headers.remove(TIMESTAMP_HEADER);
        delivery.headers.set(SIGNATURE_HEADER, stage.key.sign(b"", &delivery.body).to_hex());
        Some(())
    }),
    ("a delivery with an empty timestamp, signed so", |stage, delivery, _| {
        delivery.headers.set(TIMESTAMP_HEADER, "");
        delivery.headers.set(SIGNATURE_HEADER, stage.key.sign(b"", &delivery.body).to_hex());
        Some(())
    }),
];

const OTHER_MESSAGES: [Message; 6] = [
    Message::BodyAlone,
    Message::TimestampAlone,
    Message::Separator("."),
    Message::Separator(""),
    Message::DoubleStringified { ascii: false },
    Message::Part,
];

const OTHER_DIGESTS: [Digest; 6] =
    [Digest::Sha1, Digest::Sha512, Digest::Unkeyed, Digest::Base64, Digest::Truncated, Digest::Zeros];

/// Ways to spell a header name.
const HEADER_CASES: [(&str, Spell); 3] = [
    ("lower", str::to_ascii_lowercase),
    ("upper", str::to_ascii_uppercase),
    ("mixed", |name| {
        let alternate = |(at, c): (usize, char)| {
            if at % 2 == 0 { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() }
        };
        name.chars().enumerate().map(alternate).collect()
    }),
];

/// A JSON object's text with a member more at its end.
fn with_member(body: &[u8], key: &str, value: &Value) -> Bytes {
    let end = body.iter().rposition(|&byte| byte == b'}').unwrap_or(body.len());
    let member = format!(",{}:{value}}}", Value::from(key));
    Bytes::from([&body[..end], member.as_bytes()].concat())
}
