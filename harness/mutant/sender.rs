//! Wrong senders: the reference sender with its way out, its registry or its reports tampered with.
//!
//! Invariant: the reference sender inside renders, signs and sends as it always does; a fault changes the finished request
//! (and signs it anew where the fault is not about the signature), or what is asked and answered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::clock::Clock;
use crate::dialect::{Dialect, rfc3339};
use crate::event::Event;
use crate::exchange::{Delivery, Outcome};
use crate::fault::SenderFault;
use crate::random::Random;
use crate::recipe::{Digest, KeyForm, Message, Recipe};
use crate::sender::{Sender, Transport};
use crate::signature::{Key, NONCE_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use crate::subject;
use crate::subject::SubjectError;
use crate::subject::protocol::{Op, Reply};

/// A sender with one fault.
pub struct Mutant {
    fault: SenderFault,
    inner: Sender,
    registry: Arc<Registry>,
}

/// What the mutant knows of its webhooks: whether each is there still, and who is first and last.
#[derive(Default)]
struct Registry(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// URL and secret of each webhook that is registered, by name, in the order of registration.
    webhooks: BTreeMap<u64, (String, Secret)>,
    /// Webhooks that have had no event yet.
    fresh: Vec<u64>,
    registered: u64,
}

/// A way out that tampers with what goes out.
struct Tampering {
    fault: SenderFault,
    dialect: &'static Dialect,
    clock: Clock,
    inner: Arc<dyn Transport>,
    registry: Arc<Registry>,
    late: Duration,
}

impl Mutant {
    /// A mutant over a way out. `late` is how long `SentLate` waits.
    pub fn new(
        fault: SenderFault,
        dialect: &'static Dialect,
        clock: Clock,
        random: Random,
        transport: Arc<dyn Transport>,
        late: Duration,
    ) -> Self {
        let registry = Arc::new(Registry::default());
        let tampering = Tampering {
            fault,
            dialect,
            clock: clock.clone(),
            inner: transport,
            registry: registry.clone(),
            late,
        };
        Self { fault, inner: Sender::new(dialect, clock, random, Arc::new(tampering)), registry }
    }

    async fn answer(&self, op: Op) -> Result<Reply, SubjectError> {
        match op {
            Op::Emit(event) if !self.lets_through(&event) => Ok(Reply::Ok(json!({}))),
            Op::DeleteWebhook { webhook } => {
                self.registry.lock().webhooks.retain(|id, _| format!("w{id}") != webhook);
                match self.fault {
                    SenderFault::DeliveredAfterDeletion => Ok(Reply::Ok(json!({}))),
                    _ => subject::sender::Sender::call(&self.inner, Op::DeleteWebhook { webhook }).await,
                }
            }
            Op::CreateWebhook { url, secret, operations } => {
                self.registry.register(&url, secret.as_ref());
                subject::sender::Sender::call(&self.inner, Op::CreateWebhook { url, secret, operations })
                    .await
            }
            Op::Outcomes { webhook } => {
                let reply = subject::sender::Sender::call(&self.inner, Op::Outcomes { webhook }).await?;
                Ok(match reply {
                    Reply::Ok(mut answer) => {
                        self.misreport(&mut answer);
                        Reply::Ok(answer)
                    }
                    other => other,
                })
            }
            other => subject::sender::Sender::call(&self.inner, other).await,
        }
    }

    fn lets_through(&self, event: &Event) -> bool {
        match self.fault {
            SenderFault::DeletionsNotSent => event.name.action() != "deleted",
            SenderFault::CustomObjectsNotSent => event.name.object() != "rocket",
            SenderFault::FirstEventMissed => {
                let mut known = self.registry.lock();
                let missed = !known.fresh.is_empty();
                known.fresh.clear();
                !missed
            }
            _ => true,
        }
    }

    fn misreport(&self, answer: &mut Value) {
        let deliveries = answer.get_mut("deliveries").and_then(Value::as_array_mut);
        for delivery in deliveries.into_iter().flatten() {
            let status = delivery["status"].as_u64().unwrap_or_default();
            let delivered = match self.fault {
                SenderFault::Only200Acknowledges => status == 200,
                SenderFault::RedirectAcknowledges => (200..400).contains(&status),
                SenderFault::ErrorsAcknowledge => (200..300).contains(&status) || status >= 400,
                _ => continue,
            };
            delivery["delivered"] = delivered.into();
        }
    }
}

impl subject::sender::Sender for Mutant {
    fn call(&self, op: Op) -> BoxFuture<'_, Result<Reply, SubjectError>> {
        self.answer(op).boxed()
    }
}

impl Registry {
    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn register(&self, url: &str, secret: Option<&Secret>) {
        let mut known = self.lock();
        known.registered += 1;
        let id = known.registered;
        known.fresh.push(id);
        known.webhooks.insert(id, (url.to_owned(), secret.cloned().unwrap_or_else(|| Secret::new(""))));
    }

    fn secret_of(&self, url: &str) -> Option<Secret> {
        self.lock().webhooks.values().find(|(other, _)| other == url).map(|(_, secret)| secret.clone())
    }

    fn is_first(&self, url: &str) -> bool {
        self.lock().webhooks.values().next().is_some_and(|(first, _)| first == url)
    }

    fn last_secret(&self) -> Option<Secret> {
        self.lock().webhooks.values().next_back().map(|(_, secret)| secret.clone())
    }
}

impl Transport for Tampering {
    fn send(&self, url: String, delivery: Delivery) -> BoxFuture<'_, Outcome> {
        self.tamper(url, delivery).boxed()
    }
}

impl Tampering {
    async fn tamper(&self, mut url: String, mut delivery: Delivery) -> Outcome {
        let secret = self.registry.secret_of(&url).unwrap_or_else(|| Secret::new(""));
        let mut twice = false;
        let headers = &mut delivery.headers;
        let now = self.clock.now_ms();
        match self.fault {
            SenderFault::SecondWebhookForgotten if !self.registry.is_first(&url) => return Outcome::TimedOut,
            SenderFault::DeliveredTwice => twice = true,
            SenderFault::MethodPut => "PUT".clone_into(&mut delivery.method),
            SenderFault::QueryDropped => url.truncate(url.find('?').unwrap_or(url.len())),
            SenderFault::SlashAppended => url = url.replacen('?', "/?", 1),
            SenderFault::ByteOrderMark => {
                self.resign(&secret, &mut delivery, |body| [b"\xEF\xBB\xBF", body].concat())
            }
            SenderFault::FormEncoded => {
                headers.set("Content-Type", "application/x-www-form-urlencoded");
                self.resign(&secret, &mut delivery, |body| {
                    let text = String::from_utf8_lossy(body);
                    url::form_urlencoded::Serializer::new(String::new())
                        .append_pair("payload", &text)
                        .finish()
                        .into()
                });
            }
            SenderFault::TextPlain => headers.set("Content-Type", "text/plain"),
            SenderFault::BodyInArray => {
                self.resign(&secret, &mut delivery, |body| [b"[", body, b"]"].concat())
            }
            SenderFault::SentLate => sleep(self.late).await,
            SenderFault::EventNameUppercase => self.edit(&secret, &mut delivery, |dialect, body| {
                let name =
                    body[dialect.event_member].as_str().unwrap_or_default().replace('.', "_").to_uppercase();
                body[dialect.event_member] = name.into();
            }),
            SenderFault::EventNameWrong => self.edit(&secret, &mut delivery, |dialect, body| {
                let name = body[dialect.event_member].as_str().unwrap_or_default();
                let object = name.rsplit_once('.').map_or("", |(object, _)| object);
                body[dialect.event_member] = format!("{object}.updated").into();
            }),
            SenderFault::NullsDropped => self.edit(&secret, &mut delivery, |dialect, body| {
                drop_nulls(&mut body[dialect.record_member]);
            }),
            SenderFault::NumbersAsText => self.edit(&secret, &mut delivery, |dialect, body| {
                map_leaves(&mut body[dialect.record_member], &|value| {
                    if value.is_number() { Value::from(value.to_string()) } else { value }
                });
            }),
            SenderFault::TextMangled => self.edit(&secret, &mut delivery, |dialect, body| {
                map_leaves(&mut body[dialect.record_member], &|value| match value.as_str() {
                    Some(text) => text.replace(|character: char| !character.is_ascii(), "?").into(),
                    None => value,
                });
            }),
            SenderFault::TimestampMissing => self.edit(&secret, &mut delivery, |dialect, body| {
                body.as_object_mut().and_then(|members| members.shift_remove(dialect.time_member));
            }),
            SenderFault::TimestampLocal => self.set_time(&secret, &mut delivery, {
                let ahead = rfc3339(now + 2 * 3_600_000);
                format!("{}+02:00", ahead.trim_end_matches('Z')).into()
            }),
            SenderFault::TimestampEpoch => self.set_time(&secret, &mut delivery, now.into()),
            SenderFault::TimestampStale => {
                self.set_time(&secret, &mut delivery, rfc3339(now - 3_600_000).into())
            }
            SenderFault::TimestampAhead => {
                self.set_time(&secret, &mut delivery, rfc3339(now + 3_600_000).into())
            }
            SenderFault::MembersRenamed => self.edit(&secret, &mut delivery, |dialect, body| {
                if let Some(members) = body.as_object_mut()
                    && let Some(record) = members.shift_remove(dialect.record_member)
                {
                    members.insert("payload".to_owned(), record);
                }
            }),
            SenderFault::RecordShapeChanged => self.edit(&secret, &mut delivery, |dialect, body| {
                if let Some(record) = body.get_mut(dialect.record_member) {
                    record["__typename"] = "Record".into();
                }
            }),
            SenderFault::SignatureMissing => headers.remove(SIGNATURE_HEADER),
            SenderFault::SignatureDoubled => double(&mut delivery, SIGNATURE_HEADER),
            SenderFault::TimestampHeaderMissing => headers.remove(TIMESTAMP_HEADER),
            SenderFault::TimestampHeaderDoubled => double(&mut delivery, TIMESTAMP_HEADER),
            SenderFault::SignatureBase64 => sign_by(Recipe::digest(Digest::Base64), &secret, &mut delivery),
            SenderFault::SignaturePrefixed => {
                sign_by(Recipe::digest(Digest::Prefixed), &secret, &mut delivery)
            }
            SenderFault::SignatureTruncated => {
                sign_by(Recipe::digest(Digest::Truncated), &secret, &mut delivery)
            }
            SenderFault::SignsBodyAlone => {
                sign_by(Recipe::message(Message::BodyAlone), &secret, &mut delivery)
            }
            SenderFault::SignsWithDot => {
                sign_by(Recipe::message(Message::Separator(".")), &secret, &mut delivery)
            }
            SenderFault::SignsTwiceStringified => {
                sign_by(Recipe::message(Message::DoubleStringified { ascii: false }), &secret, &mut delivery);
            }
            SenderFault::SignsHexDecodedKey => {
                sign_by(Recipe::key(KeyForm::HexDecoded), &secret, &mut delivery)
            }
            SenderFault::SignsTrimmedKey => sign_by(Recipe::key(KeyForm::Trimmed), &secret, &mut delivery),
            SenderFault::SignsSha1 => sign_by(Recipe::digest(Digest::Sha1), &secret, &mut delivery),
            SenderFault::SignsHexKeyBodyAlone => {
                let recipe = Recipe { key: KeyForm::HexDecoded, ..Recipe::message(Message::BodyAlone) };
                sign_by(recipe, &secret, &mut delivery);
            }
            SenderFault::TimestampHeaderSeconds => {
                resign_at(&secret, &mut delivery, (now / 1000).to_string())
            }
            SenderFault::TimestampHeaderIso => resign_at(&secret, &mut delivery, rfc3339(now)),
            SenderFault::TimestampHeaderStale => {
                resign_at(&secret, &mut delivery, (now - 3_600_000).to_string())
            }
            SenderFault::KeyOfAnotherWebhook => {
                let last = self.registry.last_secret().unwrap_or(secret);
                self.resign(&last, &mut delivery, <[u8]>::to_vec);
            }
            SenderFault::SecretInHeader => headers.add("X-Twenty-Webhook-Secret", secret.expose().to_owned()),
            SenderFault::SecretInBody => {
                self.edit(&secret, &mut delivery, |_, body| body["secret"] = secret.expose().into())
            }
            SenderFault::NonceConstant if self.dialect.nonce => {
                headers.set(NONCE_HEADER, "0123456789abcdef".repeat(2))
            }
            SenderFault::NonceMissing => headers.remove(NONCE_HEADER),
            // These are enacted at the registry, at the reports, or behind the answer; or they do not apply here.
            SenderFault::SecondWebhookForgotten
            | SenderFault::NonceConstant
            | SenderFault::FirstEventMissed
            | SenderFault::DeliveredAfterDeletion
            | SenderFault::DeletionsNotSent
            | SenderFault::CustomObjectsNotSent
            | SenderFault::ResentAfterAcknowledgement
            | SenderFault::Only200Acknowledges
            | SenderFault::RedirectAcknowledges
            | SenderFault::RedirectFollowed
            | SenderFault::ErrorsAcknowledge => {}
        }
        let outcome = self.inner.send(url.clone(), delivery.clone()).await;
        let again = match self.fault {
            SenderFault::ResentAfterAcknowledgement => {
                outcome.status().is_some_and(|status| (201..300).contains(&status))
            }
            _ => twice,
        };
        if again {
            return self.inner.send(url, delivery).await;
        }
        match (self.fault, &outcome) {
            (SenderFault::RedirectFollowed, Outcome::Answered(response))
                if (300..400).contains(&response.status) =>
            {
                let location = response
                    .headers
                    .single("location")
                    .map(|value| String::from_utf8_lossy(value).into_owned());
                match location {
                    Some(location) => self.inner.send(location, delivery).await,
                    None => outcome,
                }
            }
            _ => outcome,
        }
    }

    /// Changes the body's bytes and signs it anew.
    fn resign(&self, secret: &Secret, delivery: &mut Delivery, change: impl FnOnce(&[u8]) -> Vec<u8>) {
        delivery.body = Bytes::from(change(&delivery.body));
        let timestamp = self.timestamp(delivery);
        resign_at(secret, delivery, timestamp);
    }

    /// Changes the body's members and signs it anew.
    fn edit(&self, secret: &Secret, delivery: &mut Delivery, change: impl FnOnce(&Dialect, &mut Value)) {
        self.resign(secret, delivery, |body| {
            let mut value: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
            change(self.dialect, &mut value);
            value.to_string().into_bytes()
        });
    }

    fn set_time(&self, secret: &Secret, delivery: &mut Delivery, time: Value) {
        self.edit(secret, delivery, |dialect, body| body[dialect.time_member] = time);
    }

    fn timestamp(&self, delivery: &Delivery) -> String {
        let timestamp = delivery.headers.single(TIMESTAMP_HEADER);
        timestamp.map_or_else(
            || self.clock.now_ms().to_string(),
            |value| String::from_utf8_lossy(value).into_owned(),
        )
    }
}

fn resign_at(secret: &Secret, delivery: &mut Delivery, timestamp: String) {
    let signature = Key::new(secret).sign(timestamp.as_bytes(), &delivery.body).to_hex();
    delivery.headers.set(SIGNATURE_HEADER, signature);
    delivery.headers.set(TIMESTAMP_HEADER, timestamp);
}

fn sign_by(recipe: Recipe, secret: &Secret, delivery: &mut Delivery) {
    let timestamp = delivery.headers.single(TIMESTAMP_HEADER).cloned().unwrap_or_default();
    if let Some(value) = recipe.compute(secret.expose(), &timestamp, &delivery.body) {
        delivery.headers.set(SIGNATURE_HEADER, value);
    }
}

fn double(delivery: &mut Delivery, name: &str) {
    if let Some(value) = delivery.headers.single(name).cloned() {
        delivery.headers.add(name, value);
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(elements) => elements.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn map_leaves(value: &mut Value, change: &impl Fn(Value) -> Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(|member| map_leaves(member, change)),
        Value::Array(elements) => elements.iter_mut().for_each(|element| map_leaves(element, change)),
        leaf => *leaf = change(leaf.take()),
    }
}
