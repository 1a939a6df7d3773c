//! Requests tampered with: for each fault that shows in a single request, what it does to one.
//!
//! Invariant: a request that was not signed is not signed here either, but for the fault that does just that.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::time::sleep;

use super::Registry;
use super::bodies::{self, drop_nulls, map_leaves};
use crate::clock::Clock;
use crate::peers::fault::SenderFault;
use crate::webhook::dialect::{Dialect, rfc3339};
use crate::webhook::recipe::{Digest, KeyForm, Message, Recipe};
use crate::webhook::signature::{Key, NONCE_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use crate::wire::exchange::{Delivery, Outcome};

/// What a fault does to requests.
pub(super) struct Alteration {
    pub(super) fault: SenderFault,
    pub(super) dialect: &'static Dialect,
    pub(super) clock: Clock,
    pub(super) registry: Arc<Registry>,
    /// How late a request is sent by the sender that is late.
    pub(super) late: Duration,
}

impl Alteration {
    /// Changes a request before it is sent. Returns what came of it, where it is not sent at all.
    pub(super) async fn alter(&self, url: &mut String, delivery: &mut Delivery) -> Option<Outcome> {
        // A table: one arm for each fault, and a fault without an arm does not compile.
        let secret = self.registry.secret_of(url);
        let secret = secret.as_ref();
        let headers = &mut delivery.headers;
        let now = self.clock.now_ms();
        match self.fault {
            SenderFault::SecondWebhookForgotten if !self.registry.is_first(url) => {
                return Some(Outcome::TimedOut);
            }
            SenderFault::StopsAfterFailure if self.registry.lock().stopped.contains(url) => {
                return Some(Outcome::TimedOut);
            }
            SenderFault::LongSecretsLeftOut if secret.is_some_and(|secret| secret.expose().len() > 70) => {
                return Some(Outcome::TimedOut);
            }
            SenderFault::LargeRecordsNotSent if delivery.body.len() > 32 * 1024 => {
                return Some(Outcome::TimedOut);
            }
            SenderFault::MethodPut => "PUT".clone_into(&mut delivery.method),
            SenderFault::MethodGet => "GET".clone_into(&mut delivery.method),
            SenderFault::QueryDropped => url.truncate(url.find('?').unwrap_or(url.len())),
            SenderFault::HttpsHostChanged if url.starts_with("https:") => {
                *url = url.replacen("//127.0.0.1", "//localhost", 1);
            }
            SenderFault::HttpsDowngraded => *url = url.replacen("https:", "http:", 1),
            SenderFault::SlashAppended => *url = url.replacen('?', "/?", 1),
            SenderFault::ByteOrderMark => {
                self.resign(secret, delivery, |body| [b"\xEF\xBB\xBF", body].concat())
            }
            SenderFault::FormEncoded => {
                headers.set("Content-Type", "application/x-www-form-urlencoded");
                self.resign(secret, delivery, |body| {
                    let text = String::from_utf8_lossy(body);
                    url::form_urlencoded::Serializer::new(String::new())
                        .append_pair("payload", &text)
                        .finish()
                        .into()
                });
            }
            SenderFault::BodyInLatin1 => self.resign(secret, delivery, |body| {
                let text = String::from_utf8_lossy(body);
                text.chars().map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?')).collect()
            }),
            SenderFault::TextPlain => headers.set("Content-Type", "text/plain"),
            SenderFault::BodyInArray => self.resign(secret, delivery, |body| [b"[", body, b"]"].concat()),
            SenderFault::EventsBatched => self.edit(secret, delivery, |dialect, body| {
                let id = body[dialect.record_member]["id"].as_str().unwrap_or_default();
                if let Some(event) = self.registry.lock().along.get(id) {
                    let record: Value = serde_json::from_str(event.record.get()).unwrap_or_default();
                    body["alsoHappened"] =
                        serde_json::json!([{ dialect.event_member: event.name, dialect.record_member: record }]);
                }
            }),
            SenderFault::SentLate => sleep(self.late).await,
            SenderFault::EventNameUppercase => self.edit(secret, delivery, |dialect, body| {
                let name =
                    body[dialect.event_member].as_str().unwrap_or_default().replace('.', "_").to_uppercase();
                body[dialect.event_member] = name.into();
            }),
            SenderFault::EventNameWrong => self.edit(secret, delivery, |dialect, body| {
                let name = body[dialect.event_member].as_str().unwrap_or_default();
                let object = name.rsplit_once('.').map_or("", |(object, _)| object);
                body[dialect.event_member] = format!("{object}.updated").into();
            }),
            SenderFault::NullsDropped => self.edit(secret, delivery, |dialect, body| {
                drop_nulls(&mut body[dialect.record_member]);
            }),
            SenderFault::NumbersAsText => self.edit(secret, delivery, |dialect, body| {
                map_leaves(&mut body[dialect.record_member], &|value| {
                    if value.is_number() { Value::from(value.to_string()) } else { value }
                });
            }),
            SenderFault::TextMangled => self.edit(secret, delivery, |dialect, body| {
                map_leaves(&mut body[dialect.record_member], &|value| match value.as_str() {
                    Some(text) => text.replace(|character: char| !character.is_ascii(), "?").into(),
                    None => value,
                });
            }),
            SenderFault::NestingCutOff => self.edit(secret, delivery, |dialect, body| {
                let record = &mut body[dialect.record_member];
                *record = bodies::flattened(record.take(), 16);
            }),
            SenderFault::LongNumbersRounded => self.edit(secret, delivery, |dialect, body| {
                map_leaves(&mut body[dialect.record_member], &bodies::rounded);
            }),
            SenderFault::TimestampMissing => self.edit(secret, delivery, |dialect, body| {
                body.as_object_mut().and_then(|members| members.shift_remove(dialect.time_member));
            }),
            SenderFault::TimestampLocal => self.set_time(secret, delivery, {
                let ahead = rfc3339(now + 2 * 3_600_000);
                format!("{}+02:00", ahead.trim_end_matches('Z')).into()
            }),
            SenderFault::TimestampEpoch => self.set_time(secret, delivery, now.into()),
            SenderFault::TimestampStale => self.set_time(secret, delivery, rfc3339(now - 3_600_000).into()),
            SenderFault::TimestampAhead => self.set_time(secret, delivery, rfc3339(now + 3_600_000).into()),
            SenderFault::MembersRenamed => self.edit(secret, delivery, |dialect, body| {
                if let Some(members) = body.as_object_mut()
                    && let Some(record) = members.shift_remove(dialect.record_member)
                {
                    members.insert("payload".to_owned(), record);
                }
            }),
            SenderFault::RecordShapeChanged => self.edit(secret, delivery, |dialect, body| {
                if let Some(record) = body.get_mut(dialect.record_member) {
                    record["__typename"] = "Record".into();
                }
            }),
            SenderFault::SignatureMissing => headers.remove(SIGNATURE_HEADER),
            SenderFault::SignatureDoubled => double(delivery, SIGNATURE_HEADER),
            SenderFault::SignatureRenamed => rename(delivery, SIGNATURE_HEADER, "X-Webhook-Signature"),
            SenderFault::TimestampHeaderMissing => headers.remove(TIMESTAMP_HEADER),
            SenderFault::TimestampHeaderDoubled => double(delivery, TIMESTAMP_HEADER),
            SenderFault::TimestampHeaderRenamed => rename(delivery, TIMESTAMP_HEADER, "X-Webhook-Timestamp"),
            SenderFault::SignatureBase64 => sign_by(Recipe::digest(Digest::Base64), secret, delivery),
            SenderFault::SignatureBase64Url => sign_by(Recipe::digest(Digest::Base64Url), secret, delivery),
            SenderFault::SignaturePrefixed => sign_by(Recipe::digest(Digest::Prefixed), secret, delivery),
            SenderFault::SignatureTruncated => sign_by(Recipe::digest(Digest::Truncated), secret, delivery),
            SenderFault::SignatureUppercase => sign_by(Recipe::digest(Digest::Uppercase), secret, delivery),
            SenderFault::SignsBodyAlone => sign_by(Recipe::message(Message::BodyAlone), secret, delivery),
            SenderFault::SignsWithDot => sign_by(Recipe::message(Message::Separator(".")), secret, delivery),
            SenderFault::SignsTwiceStringified => {
                sign_by(Recipe::message(Message::DoubleStringified { ascii: false }), secret, delivery);
            }
            SenderFault::SignsSeconds => sign_by(Recipe::message(Message::Seconds), secret, delivery),
            SenderFault::SignsHexDecodedKey => sign_by(Recipe::key(KeyForm::HexDecoded), secret, delivery),
            SenderFault::KeyCutAt64Bytes => {
                if let Some(secret) = secret.filter(|secret| secret.expose().len() > 64) {
                    let bytes = &secret.expose().as_bytes()[..64];
                    // Cut inside of a character, the rest of which is none.
                    let cut = Secret::new(String::from_utf8_lossy(bytes));
                    self.resign(Some(&cut), delivery, <[u8]>::to_vec);
                }
            }
            SenderFault::SignsTrimmedKey => sign_by(Recipe::key(KeyForm::Trimmed), secret, delivery),
            SenderFault::SignsSha1 => sign_by(Recipe::digest(Digest::Sha1), secret, delivery),
            SenderFault::SignsSha512 => sign_by(Recipe::digest(Digest::Sha512), secret, delivery),
            SenderFault::SignsUnkeyed => sign_by(Recipe::digest(Digest::Unkeyed), secret, delivery),
            SenderFault::SignsHexKeyBodyAlone => {
                let recipe = Recipe { key: KeyForm::HexDecoded, ..Recipe::message(Message::BodyAlone) };
                sign_by(recipe, secret, delivery);
            }
            SenderFault::SignsOtherTimestamp => {
                // Later than the body's own time, which may fall into the same millisecond.
                let signed = self.timestamp(delivery).parse::<u64>().unwrap_or(now) + 20;
                if is_signed(delivery) {
                    resign_at(secret, delivery, signed.to_string());
                    delivery.headers.set(TIMESTAMP_HEADER, (signed + 3).to_string());
                }
            }
            SenderFault::SignsCompactSendsSpaced => {
                delivery.body = bodies::write_spaced(&bodies::read(&delivery.body)).into();
            }
            SenderFault::SignsSorted => {
                let sent = delivery.body.clone();
                self.resign(secret, delivery, |body| {
                    let mut value = bodies::read(body);
                    value.sort_all_objects();
                    bodies::write(&value).into_bytes()
                });
                delivery.body = sent;
            }
            SenderFault::TimestampHeaderSeconds => resign_at(secret, delivery, (now / 1000).to_string()),
            SenderFault::TimestampHeaderIso => resign_at(secret, delivery, rfc3339(now)),
            SenderFault::TimestampHeaderStale => {
                resign_at(secret, delivery, (now - 3_600_000).to_string());
            }
            SenderFault::KeyOfAnotherWebhook => {
                let last = self.registry.last_secret();
                self.resign(last.as_ref().or(secret), delivery, <[u8]>::to_vec);
            }
            SenderFault::SignsWithoutSecret if secret.is_none() => {
                let (empty, timestamp) = (Secret::new(""), now.to_string());
                let signature = Key::new(&empty).sign(timestamp.as_bytes(), &delivery.body).to_hex();
                delivery.headers.set(SIGNATURE_HEADER, signature);
                delivery.headers.set(TIMESTAMP_HEADER, timestamp);
            }
            SenderFault::SecretInHeader => {
                if let Some(secret) = secret {
                    headers.add("X-Twenty-Webhook-Secret", secret.expose().to_owned());
                }
            }
            SenderFault::SecretInBody => self.edit(secret, delivery, |_, body| {
                if let Some(secret) = secret {
                    body["secret"] = secret.expose().into();
                }
            }),
            SenderFault::NonceConstant if self.dialect.nonce => {
                headers.set(NONCE_HEADER, "0123456789abcdef".repeat(2));
            }
            SenderFault::NonceMissing => headers.remove(NONCE_HEADER),
            // These are enacted at the registry, at the reports, on the way, or behind the answer; or they do not apply
            // here.
            SenderFault::SecondWebhookForgotten
            | SenderFault::LongSecretsLeftOut
            | SenderFault::LargeRecordsNotSent
            | SenderFault::StopsAfterFailure
            | SenderFault::SignsWithoutSecret
            | SenderFault::NonceConstant
            | SenderFault::FirstEventMissed
            | SenderFault::DeliveredTwice
            | SenderFault::DeliveredAfterDeletion
            | SenderFault::DeletionsNotSent
            | SenderFault::CustomObjectsNotSent
            | SenderFault::FiltersIgnored
            | SenderFault::WildcardsNotUnderstood
            | SenderFault::MetadataNotMatched
            | SenderFault::LengthDoubled
            | SenderFault::LengthAndCoding
            | SenderFault::OneHangBlocksAll
            | SenderFault::ResentAfterAcknowledgement
            | SenderFault::Only200Acknowledges
            | SenderFault::OnlyCommon2xxAcknowledge
            | SenderFault::RedirectAcknowledges
            | SenderFault::RedirectFollowed
            | SenderFault::RedirectFollowedAsGet
            | SenderFault::RedirectFollowedUncounted
            | SenderFault::ErrorsAcknowledge
            | SenderFault::ClientErrorsAcknowledge
            | SenderFault::ResetAcknowledges
            | SenderFault::ClosingAcknowledges
            | SenderFault::RefusalAcknowledges
            | SenderFault::SilenceAcknowledges
            | SenderFault::FirstLineAcknowledges
            | SenderFault::CrashesOnRefusal
            | SenderFault::HttpsHostChanged
            | SenderFault::HandshakeAcknowledges
            | SenderFault::CrashesOnCertificate
            | SenderFault::AnyCertificateTaken
            | SenderFault::RetriesWithoutEnd
            | SenderFault::RetriesWithoutPause
            | SenderFault::RetriesWithOtherData
            | SenderFault::RetriesUnsigned
            | SenderFault::RetriesWithOldSignature
            | SenderFault::AnswerMustBeJson
            | SenderFault::ErrorInAnswerIsFailure
            | SenderFault::AnswerReadToItsEnd
            | SenderFault::WaitsTooShort
            | SenderFault::WaitsForEver
            | SenderFault::InterimIsTheAnswer => {}
        }
        None
    }

    /// Changes the body's bytes and signs it anew.
    fn resign(
        &self,
        secret: Option<&Secret>,
        delivery: &mut Delivery,
        change: impl FnOnce(&[u8]) -> Vec<u8>,
    ) {
        delivery.body = Bytes::from(change(&delivery.body));
        let timestamp = self.timestamp(delivery);
        resign_at(secret, delivery, timestamp);
    }

    /// Changes the body's members and signs it anew.
    pub(super) fn edit(
        &self,
        secret: Option<&Secret>,
        delivery: &mut Delivery,
        change: impl FnOnce(&Dialect, &mut Value),
    ) {
        self.resign(secret, delivery, |body| {
            let mut value = bodies::read(body);
            change(self.dialect, &mut value);
            bodies::write(&value).into_bytes()
        });
    }

    fn set_time(&self, secret: Option<&Secret>, delivery: &mut Delivery, time: Value) {
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

fn is_signed(delivery: &Delivery) -> bool {
    delivery.headers.single(SIGNATURE_HEADER).is_some()
}

/// Signs anew what was signed.
pub(super) fn resign_at(secret: Option<&Secret>, delivery: &mut Delivery, timestamp: String) {
    if let Some(secret) = secret.filter(|_| is_signed(delivery)) {
        let signature = Key::new(secret).sign(timestamp.as_bytes(), &delivery.body).to_hex();
        delivery.headers.set(SIGNATURE_HEADER, signature);
        delivery.headers.set(TIMESTAMP_HEADER, timestamp);
    }
}

fn sign_by(recipe: Recipe, secret: Option<&Secret>, delivery: &mut Delivery) {
    let Some(secret) = secret else { return };
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

fn rename(delivery: &mut Delivery, name: &str, other: &str) {
    if let Some(value) = delivery.headers.single(name).cloned() {
        delivery.headers.remove(name);
        delivery.headers.add(other, value);
    }
}
