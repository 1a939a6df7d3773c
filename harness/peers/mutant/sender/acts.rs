//! What a sender with each fault does: one row for each fault, in the order of `fault.rs`.
//!
//! Long because: it is one table.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::bodies::{self, drop_nulls, map_leaves};
use super::careless::AnswerRead;
use super::outgoing::Outgoing;
use crate::peers::fault::SenderFault;
use crate::peers::sender::pooled::Pooled;
use crate::webhook::dialect::{Dialect, rfc3339};
use crate::webhook::event::Event;
use crate::webhook::json::Json;
use crate::webhook::recipe::{Digest, KeyForm, Message, Misread, Recipe};
use crate::webhook::rewriting::{Escapes, Html, Rewriting};
use crate::webhook::sample::CUSTOM_OBJECT;
use crate::webhook::signature::{Key, NONCE_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use crate::wire::exchange::{Outcome, Response};

/// The wait of a sender that waits less than a second.
const TOO_SHORT: Duration = Duration::from_millis(600);
/// The wait of a sender that waits without end.
const FOREVER: Duration = Duration::from_secs(3600);
/// How long a careless transport waits for an answer.
pub(super) const CARELESS_WAIT: Duration = Duration::from_secs(3);
/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(80);
/// The same where there are many, so that a busy machine is not too slow for them.
const SHORT_PAUSE: Duration = Duration::from_millis(2);
const SETTLING: Duration = Duration::from_millis(200);
const UNSAID: Duration = Duration::from_millis(600);
const HOUR_MS: u64 = 3_600_000;

/// How a fault changes the reference sender.
#[derive(Clone, Copy)]
pub(super) enum Act {
    Withholds(fn(&Outgoing<'_>) -> bool),
    Alters(fn(&mut Outgoing<'_>)),
    Edits(fn(&'static Dialect, &mut Value)),
    EditsRecord(fn(&mut Value)),
    /// Puts another time into the body, given the current one.
    Dates(fn(u64) -> Value),
    /// Signs with another timestamp, given the current time.
    Stamps(fn(u64) -> String),
    Signs(Recipe),
    Drops(fn(&Event) -> bool),
    /// Does not send the first event after a registration.
    MissesFirst,
    /// Sends two of these events in one request.
    Batches(fn(&Event) -> bool),
    /// Registers another filter.
    Filters(fn(&'static Dialect, Vec<String>) -> Option<Vec<String>>),
    KeepsDeleted,
    /// Delivers nothing to a webhook for so long after its registration, and asks for twice that time.
    Settles(Duration),
    /// The same without a word.
    SettlesUnsaid(Duration),
    SendsLate,
    SendsInTurn,
    SendsBy(fn() -> Result<Pooled, String>),
    /// Sends with a handwritten client that reads this as the answer.
    SendsCarelessly(AnswerRead),
    /// The same, but these answers count as failures.
    Misunderstands(fn(&Response) -> bool),
    /// Keeps connections, and never looks whether they are still open.
    SendsOnKept,
    /// Sends the deliveries to a webhook one by one, each after the body of the answer before it.
    WaitsForBodies,
    /// Sends each request first with this additional header, which breaks its framing, and then without it.
    Misframes(&'static str, &'static str),
    /// Declares the length of a body in characters.
    CountsCharacters,
    /// Waits at most this long for an answer.
    GivesUp(Duration),
    /// Sends a second time after these outcomes.
    Resends(fn(&Outcome) -> bool),
    /// Retries this many times after a 5xx, each time with a pause and a change.
    Retries(usize, Duration, fn(&mut Outgoing<'_>, usize)),
    Follows(Redirect),
    /// Counts these outcomes as acknowledgements.
    Acknowledges(fn(&Outcome) -> bool),
    /// Crashes after these outcomes.
    Crashes(fn(&Outcome) -> bool),
    /// Gives up on a webhook after a delivery that was not answered.
    StopsAfterFailure,
    /// Reports deliveries with these statuses as delivered.
    Reports(fn(u64) -> bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Redirect {
    Counted,
    Uncounted,
    /// With a GET, to its own host alone; the GET's answer counts.
    AsGet,
}

#[allow(clippy::too_many_lines, reason = "a table with one row for each fault")]
pub(super) fn act(fault: SenderFault) -> Act {
    // A table: one row for each fault.
    use Act::*;
    use SenderFault as F;
    match fault {
        F::FirstEventMissed => MissesFirst,
        F::SettlesSlowly => Settles(SETTLING),
        F::SettlesUnsaid => SettlesUnsaid(UNSAID),
        F::SecondWebhookForgotten => Withholds(|it| !it.registry.is_first(&it.url)),
        F::LongSecretsLeftOut => {
            Withholds(|it| it.secret.as_ref().is_some_and(|secret| secret.expose().len() > 70))
        }
        F::LargeRecordsNotSent => Withholds(|it| it.delivery.body.len() > 32 * 1024),
        F::DeliveredTwice => Resends(|_| true),
        F::DeliveredAfterDeletion => KeepsDeleted,
        F::DeletionsNotSent => Drops(|event| event.name.action() == "deleted"),
        F::CustomObjectsNotSent => Drops(|event| event.name.object() == CUSTOM_OBJECT),
        F::FiltersIgnored => Filters(|_, _| None),
        // No event has such a name, so a filter with a wildcard matches nothing.
        F::WildcardsNotUnderstood => {
            Filters(|_, operations| Some(operations.into_iter().map(|one| one.replace('*', "\\*")).collect()))
        }
        F::MetadataNotMatched => Filters(|dialect, operations| {
            Some(operations.into_iter().flat_map(|one| spelled_out(dialect, one)).collect())
        }),
        F::MethodPut => Alters(|it| "PUT".clone_into(&mut it.delivery.method)),
        F::MethodGet => Alters(|it| "GET".clone_into(&mut it.delivery.method)),
        F::QueryDropped => Alters(|it| it.url.truncate(it.url.find('?').unwrap_or(it.url.len()))),
        F::HttpsHostChanged => Alters(|it| {
            if it.url.starts_with("https:") {
                it.url = it.url.replacen("//127.0.0.1", "//localhost", 1);
            }
        }),
        F::HttpsDowngraded => Alters(|it| it.url = it.url.replacen("https:", "http:", 1)),
        F::SlashAppended => Alters(|it| it.url = it.url.replacen('?', "/?", 1)),
        F::ByteOrderMark => Alters(|it| it.rewrite(|body| [b"\xEF\xBB\xBF", body].concat())),
        F::FormEncoded => Alters(|it| {
            it.header("Content-Type", "application/x-www-form-urlencoded");
            it.rewrite(|body| {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.append_pair("payload", &String::from_utf8_lossy(body)).finish().into()
            });
        }),
        F::BodyInLatin1 => Alters(|it| {
            it.rewrite(|body| {
                let text = String::from_utf8_lossy(body);
                text.chars().map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?')).collect()
            });
        }),
        F::TextPlain => Alters(|it| it.header("Content-Type", "text/plain")),
        F::BodyInArray => Alters(|it| it.rewrite(|body| [b"[", body, b"]"].concat())),
        F::BodyGzipped => Alters(|it| {
            it.delivery.body = bodies::gzip(&it.delivery.body).into();
            it.header("Content-Encoding", "gzip");
        }),
        F::BodyUnreadable => Alters(|it| {
            let scrambled = it.delivery.body.iter().map(|byte| !byte).collect::<Vec<u8>>();
            it.delivery.body = scrambled.into();
            it.header("Content-Encoding", "br");
        }),
        F::EventsBatched => Batches(|event| event.name.as_str() == "person.created"),
        F::SentLate => SendsLate,
        F::OneHangBlocksAll => SendsInTurn,
        F::LosesOnStaleConnection => SendsOnKept,
        F::EventNameUppercase => Edits(|dialect, body| {
            let name = body[dialect.event_member].as_str().unwrap_or_default();
            body[dialect.event_member] = name.replace('.', "_").to_uppercase().into();
        }),
        F::EventNameWrong => Edits(|dialect, body| {
            let name = body[dialect.event_member].as_str().unwrap_or_default();
            let object = name.rsplit_once('.').map_or("", |(object, _)| object);
            body[dialect.event_member] = format!("{object}.updated").into();
        }),
        F::NullsDropped => EditsRecord(drop_nulls),
        F::NumbersAsText => EditsRecord(|record| {
            map_leaves(record, &|value| {
                if value.is_number() { Value::from(value.to_string()) } else { value }
            });
        }),
        F::TextMangled => EditsRecord(|record| {
            map_leaves(record, &|value| match value.as_str() {
                Some(text) => text.replace(|character: char| !character.is_ascii(), "?").into(),
                None => value,
            });
        }),
        F::NestingCutOff => EditsRecord(|record| *record = bodies::flattened(record.take(), 16)),
        F::LongNumbersRounded => EditsRecord(|record| map_leaves(record, &bodies::rounded)),
        F::UnusualNamesDropped => EditsRecord(bodies::drop_unusual),
        F::UnusualNamesDroppedAfterSigning => {
            Alters(|it| it.delivery.body = bodies::without_unusual(&it.delivery.body).into())
        }
        F::EmptyNamesReplaced => EditsRecord(|record| {
            bodies::rename(record, |name| Some(if name.is_empty() { "_empty_" } else { name }.to_owned()));
        }),
        F::UnusualRecordsNotSent => Drops(|event| event.record.get().contains("\"__proto__\"")),
        F::TimestampMissing => Edits(|dialect, body| {
            body.as_object_mut().and_then(|members| members.shift_remove(dialect.time_member));
        }),
        F::TimestampLocal => Dates(|now_ms| {
            let ahead = rfc3339(now_ms + 2 * HOUR_MS);
            format!("{}+02:00", ahead.trim_end_matches('Z')).into()
        }),
        F::TimestampEpoch => Dates(Value::from),
        F::TimestampStale => Dates(|now_ms| rfc3339(now_ms - HOUR_MS).into()),
        F::TimestampAhead => Dates(|now_ms| rfc3339(now_ms + HOUR_MS).into()),
        F::MembersRenamed => Edits(|dialect, body| {
            if let Some(members) = body.as_object_mut()
                && let Some(record) = members.shift_remove(dialect.record_member)
            {
                members.insert("payload".to_owned(), record);
            }
        }),
        F::OptionalMemberMistyped => Edits(|_, body| {
            body.get_mut("userId").into_iter().for_each(|user| *user = json!([user.take()]));
        }),
        F::SignatureMissing => Alters(|it| it.without(SIGNATURE_HEADER)),
        F::SignatureDoubled => Alters(|it| it.double(SIGNATURE_HEADER)),
        F::SignatureRenamed => Alters(|it| it.rename(SIGNATURE_HEADER, "X-Webhook-Signature")),
        F::TimestampHeaderMissing => Alters(|it| it.without(TIMESTAMP_HEADER)),
        F::TimestampHeaderDoubled => Alters(|it| it.double(TIMESTAMP_HEADER)),
        F::TimestampHeaderRenamed => Alters(|it| it.rename(TIMESTAMP_HEADER, "X-Webhook-Timestamp")),
        F::SignatureBase64 => Signs(Recipe::digest(Digest::Base64)),
        F::SignatureBase64Url => Signs(Recipe::digest(Digest::Base64Url)),
        F::SignaturePrefixed => Signs(Recipe::digest(Digest::Prefixed)),
        F::SignatureTruncated => Signs(Recipe::digest(Digest::Truncated)),
        F::SignatureUppercase => Signs(Recipe::digest(Digest::Uppercase)),
        F::SignsBodyAlone => Signs(Recipe::message(Message::BodyAlone)),
        F::SignsWithDot => Signs(Recipe::message(Message::Separator("."))),
        F::SignsTwiceStringified => Signs(Recipe::message(Message::DoubleStringified { ascii: false })),
        F::SignsHexDecodedKey => Signs(Recipe::key(KeyForm::HexDecoded)),
        F::KeyCutAt64Bytes => Alters(|it| {
            let long = it.secret.clone().filter(|secret| secret.expose().len() > 64);
            if let Some(secret) = long {
                // The cut may fall inside a character, whose bytes are then replaced.
                let cut = String::from_utf8_lossy(&secret.expose().as_bytes()[..64]);
                it.sign_under(Some(Secret::new(cut)));
            }
        }),
        F::SignsTrimmedKey => Signs(Recipe::key(KeyForm::Trimmed)),
        F::SignsSeconds => Signs(Recipe::message(Message::Seconds)),
        F::SignsOtherTimestamp => Alters(|it| {
            // Later than the body's own time, which may be in the same millisecond.
            let signed = it.timestamp().parse::<u64>().unwrap_or(it.now_ms) + 20;
            if it.is_signed() {
                it.sign_at(signed.to_string());
                it.header(TIMESTAMP_HEADER, (signed + 3).to_string());
            }
        }),
        F::SignsCompactSendsSpaced => Alters(|it| {
            it.delivery.body = bodies::write_spaced(&bodies::read(&it.delivery.body)).into();
        }),
        F::LengthDoubled => Misframes("Content-Length", "3"),
        F::LengthAndCoding => Misframes("Transfer-Encoding", "chunked"),
        F::LengthInCharacters => CountsCharacters,
        F::SignsSorted => Alters(|it| {
            let sent = it.delivery.body.clone();
            it.edit(Value::sort_all_objects);
            it.delivery.body = sent;
        }),
        F::SignsHtmlEscaped => {
            Alters(|it| it.sign_rewritten(&Rewriting { html: Html::Gson, ..Rewriting::default() }))
        }
        F::SignsSlashesEscaped => Alters(|it| {
            it.sign_rewritten(&Rewriting { slashes: Escapes::Escaped, ..Rewriting::default() });
        }),
        F::SignsBeforeAscii => Alters(|it| {
            let sent = Misread::AsciiCharacters.of(&it.delivery.body);
            it.delivery.body = sent.map_or(it.delivery.body.clone(), Bytes::from);
        }),
        F::SignsTextAsAscii => Signs(Recipe::message(Message::Misread(Misread::AsciiCharacters))),
        F::SignsObjectText => Signs(Recipe::message(Message::Misread(Misread::ObjectObject))),
        F::SignsBytesLiteral => Signs(Recipe::message(Message::Misread(Misread::BytesLiteral))),
        F::SignsBase64Body => Signs(Recipe::message(Message::Misread(Misread::Base64))),
        F::SignsWithoutTime => Alters(|it| {
            let without = Json::without(&it.delivery.body, it.dialect.time_member);
            it.sign_other(without);
        }),
        F::SignsQuotedKey => Signs(Recipe::key(KeyForm::DoubleQuoted)),
        F::SignatureAppended => Alters(|it| {
            // Longer signatures do not fit the head of a request.
            if it.delivery.body.len() <= 16 * 1024 {
                it.sign_by(Recipe::digest(Digest::Appended));
            }
        }),
        F::SignsSha1 => Signs(Recipe::digest(Digest::Sha1)),
        F::SignsSha512 => Signs(Recipe::digest(Digest::Sha512)),
        F::SignsUnkeyed => Signs(Recipe::digest(Digest::Unkeyed)),
        F::SignsHexKeyBodyAlone => {
            Signs(Recipe { key: KeyForm::HexDecoded, ..Recipe::message(Message::BodyAlone) })
        }
        F::TimestampHeaderSeconds => Stamps(|now_ms| (now_ms / 1000).to_string()),
        F::TimestampHeaderIso => Stamps(rfc3339),
        F::TimestampHeaderStale => Stamps(|now_ms| (now_ms - HOUR_MS).to_string()),
        F::KeyOfAnotherWebhook => Alters(|it| it.sign_under(it.registry.last_secret().or(it.secret.clone()))),
        F::RetriesUnsigned => Retries(2, PAUSE, |it, _| {
            [SIGNATURE_HEADER, TIMESTAMP_HEADER, NONCE_HEADER].iter().for_each(|name| it.without(name));
        }),
        F::RetriesWithOldSignature => {
            Retries(2, PAUSE, |it, _| it.header(TIMESTAMP_HEADER, it.now_ms.to_string()))
        }
        F::SignsWithoutSecret => Alters(|it| {
            if it.secret.is_none() {
                let timestamp = it.now_ms.to_string();
                let signature = Key::new(&Secret::new("")).sign(timestamp.as_bytes(), &it.delivery.body);
                it.header(SIGNATURE_HEADER, signature.to_hex());
                it.header(TIMESTAMP_HEADER, timestamp);
            }
        }),
        F::SecretInHeader => Alters(|it| {
            if let Some(secret) = &it.secret {
                it.delivery.headers.add("X-Twenty-Webhook-Secret", secret.expose().to_owned());
            }
        }),
        F::SecretInHeaderName => Alters(|it| {
            if let Some(secret) = it.word() {
                it.header(&format!("X-{secret}"), "1");
            }
        }),
        F::SecretInMethod => Alters(|it| {
            if let Some(secret) = it.word() {
                it.delivery.method = secret;
            }
        }),
        F::SecretInUrl => Alters(|it| {
            if let Some(secret) = it.word() {
                let separator = if it.url.contains('?') { '&' } else { '?' };
                it.url.push_str(&format!("{separator}key={secret}"));
            }
        }),
        F::SecretInBody => Alters(|it| {
            if let Some(secret) = it.secret.clone() {
                it.edit(|body| body["secret"] = secret.expose().into());
            }
        }),
        F::ResentAfterAcknowledgement => {
            Resends(|outcome| outcome.status().is_some_and(|status| (201..300).contains(&status)))
        }
        F::Only200Acknowledges => Reports(|status| status == 200),
        F::OnlyCommon2xxAcknowledge => Reports(|status| matches!(status, 200 | 201 | 204)),
        F::RedirectAcknowledges => Reports(|status| (200..400).contains(&status)),
        F::RedirectFollowed => Follows(Redirect::Counted),
        F::RedirectFollowedAsGet => Follows(Redirect::AsGet),
        F::RedirectFollowedUncounted => Follows(Redirect::Uncounted),
        F::ErrorsAcknowledge => Reports(|status| (200..300).contains(&status) || status >= 400),
        F::ClientErrorsAcknowledge => {
            Reports(|status| (200..300).contains(&status) || (400..500).contains(&status))
        }
        F::ResetAcknowledges => Acknowledges(|outcome| matches!(outcome, Outcome::Reset)),
        F::ClosingAcknowledges => Acknowledges(|outcome| matches!(outcome, Outcome::ClosedEarly)),
        F::RefusalAcknowledges => Acknowledges(|outcome| matches!(outcome, Outcome::Refused)),
        F::SilenceAcknowledges => Acknowledges(|outcome| matches!(outcome, Outcome::TimedOut)),
        F::HandshakeAcknowledges => Acknowledges(|outcome| matches!(outcome, Outcome::Tls(_))),
        F::FirstLineAcknowledges => SendsCarelessly(AnswerRead::FirstLine),
        F::StopsAfterFailure => StopsAfterFailure,
        F::CrashesOnRefusal => Crashes(|outcome| matches!(outcome, Outcome::Refused)),
        F::CrashesOnCertificate => Crashes(|outcome| matches!(outcome, Outcome::Tls(_))),
        F::AcceptsAnyCertificate => SendsBy(|| Pooled::without_verification(CARELESS_WAIT)),
        F::RetriesWithoutEnd => Retries(usize::MAX, SHORT_PAUSE, sign_again),
        F::RetriesWithoutPause => Retries(12, Duration::ZERO, sign_again),
        F::RetriesWithOtherData => Retries(2, PAUSE, |it, attempt| {
            let record = it.dialect.record_member;
            it.edit(|body| body[record]["attempt"] = attempt.into());
        }),
        F::AnswerMustBeJson => Misunderstands(|answer| parsed(answer).is_none() && answer.status != 204),
        F::ErrorInAnswerIsFailure => {
            Misunderstands(|answer| parsed(answer).is_some_and(|body| body.get("error").is_some()))
        }
        F::LargeAnswerIsFailure => Misunderstands(|answer| answer.body.len() > 1024 * 1024),
        F::AnswerReadWithoutEnd => SendsCarelessly(AnswerRead::BodyWithoutEnd),
        F::NextWaitsForBody => WaitsForBodies,
        F::WaitsTooShort => GivesUp(TOO_SHORT),
        F::WaitsForEver => SendsBy(|| Pooled::new(FOREVER)),
        F::InterimIsTheAnswer => SendsCarelessly(AnswerRead::FirstHead),
        F::NonceConstant => Alters(|it| {
            if it.dialect.nonce {
                it.header(NONCE_HEADER, "0123456789abcdef".repeat(2));
            }
        }),
        F::NonceMissing => Alters(|it| it.without(NONCE_HEADER)),
    }
}

fn sign_again(request: &mut Outgoing<'_>, _: usize) {
    request.sign_at(request.now_ms.to_string());
}

/// A filter in which `*.*` is replaced by a list of record events.
fn spelled_out(dialect: &Dialect, operation: String) -> Vec<String> {
    if operation != "*.*" {
        return vec![operation];
    }
    let objects = ["person", "company", "note"].into_iter();
    let events = |object| dialect.actions.iter().map(move |action| format!("{object}.{action}"));
    objects.flat_map(events).collect()
}

fn parsed(answer: &Response) -> Option<Value> {
    serde_json::from_slice(&answer.body).ok()
}
