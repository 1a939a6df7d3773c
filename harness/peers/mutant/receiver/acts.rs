//! What a receiver with each fault does: one row for each fault, in the order of `fault.rs`.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::body;
use super::incoming::{DEFAULT_SECRET, Incoming};
use super::processing;
use crate::peers::fault::ReceiverFault;
use crate::peers::receiver::Observer;
use crate::webhook::dialect::Members;
use crate::webhook::manner::{Manner, Unit};
use crate::webhook::recipe::{Digest, KeyForm, Message, Misread, Recipe};
use crate::webhook::serialiser::Serialiser;
use crate::webhook::signature::{NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::wire::exchange::{Response, Transfer};

/// How much longer a comparison that goes digit by digit takes for each right digit.
const TIME_PER_DIGIT: Duration = Duration::from_micros(100);
const ANY_EVENT: &[u8] = br#"{"event":"any.event","data":{}}"#;

pub(super) type Predicate = fn(&Incoming<'_>) -> bool;

/// How a fault changes the reference receiver.
pub(super) enum Act {
    Rejects(Predicate),
    /// Accepts these requests, whatever their signature.
    Accepts(Predicate),
    AcceptsOnly(Predicate),
    /// Accepts this body instead of the request's.
    AcceptsAs(fn(&Incoming<'_>) -> Option<Bytes>),
    /// Accepts these requests with any method.
    AcceptsAsPost(fn(&Incoming<'_>) -> Option<Bytes>),
    AcceptsRecipe(Recipe),
    /// Wants deliveries in another manner.
    Wants,
    Hashes(Serialiser),
    /// Answers these requests with this status, and does nothing else.
    Answers(u16, Predicate),
    /// Answers every request with this status, header and body.
    AnswersAll(u16, &'static str, &'static str),
    /// Compares signatures digit by digit.
    Compares,
    Delays(Predicate),
    /// Works on this many requests at a time, and answers others with this status.
    Works(usize, u16),
    /// Changes the answer to a rejected request; `None` closes the connection.
    Rewrites(fn(&Incoming<'_>, Response) -> Option<Response>),
    ProcessesRejected,
    /// Processes accepted deliveries in another way.
    Processes(fn(Observer) -> Observer),
    /// Answers nothing more after a request that was cut off, like a process that ended.
    EndsWhenCutOff,
    /// Does not recognise repeated bodies. Treats only these requests as repeats.
    Forgets(Predicate),
}

/// The manner in which a receiver with this fault wants deliveries, if it is another one than the contract's.
pub(super) fn manner(fault: ReceiverFault) -> Option<Manner> {
    use ReceiverFault as F;
    let recipe = |recipe| Manner { recipe, ..Manner::CONTRACT };
    Some(match fault {
        F::VerifiesBodyAlone => recipe(Recipe::message(Message::BodyAlone)),
        F::VerifiesWithDot => recipe(Recipe::message(Message::Separator("."))),
        F::VerifiesTwiceStringified => recipe(Recipe::message(Message::DoubleStringified { ascii: false })),
        F::VerifiesHexDecodedKey => recipe(Recipe::key(KeyForm::HexDecoded)),
        F::VerifiesSha1 => recipe(Recipe::digest(Digest::Sha1)),
        F::VerifiesSeconds => recipe(Recipe::message(Message::Seconds)),
        F::VerifiesKeyWithNewline => recipe(Recipe::key(KeyForm::TrailingNewline)),
        F::VerifiesQuotedKey => recipe(Recipe::key(KeyForm::DoubleQuoted)),
        F::VerifiesConsumedBody => recipe(Recipe::message(Message::Misread(Misread::ObjectObject))),
        F::VerifiesBase64Body => recipe(Recipe::message(Message::Misread(Misread::Base64))),
        F::VerifiesBytesLiteral => recipe(Recipe::message(Message::Misread(Misread::BytesLiteral))),
        F::RequiresShaPrefix => recipe(Recipe::digest(Digest::Prefixed)),
        F::ExpectsUppercase => recipe(Recipe::digest(Digest::Uppercase)),
        F::VerifiesHexKeyBodyAlone => {
            recipe(Recipe { key: KeyForm::HexDecoded, ..Recipe::message(Message::BodyAlone) })
        }
        F::VerifiesQuotedKeyBodyAlone => {
            recipe(Recipe { key: KeyForm::DoubleQuoted, ..Recipe::message(Message::BodyAlone) })
        }
        F::VerifiesDefaultSecret => Manner { secret: Some(DEFAULT_SECRET), ..Manner::CONTRACT },
        F::ReadsSeconds => Manner { unit: Unit::Seconds, ..Manner::CONTRACT },
        F::ReadsOtherHeader => Manner { signature_name: "X-Webhook-Signature", ..Manner::CONTRACT },
        _ => return None,
    })
}

#[allow(clippy::too_many_lines, reason = "a table with one row for each fault")]
pub(super) fn act(fault: ReceiverFault) -> Act {
    // A table: one row for each fault.
    use Act::*;
    use ReceiverFault as F;
    match fault {
        F::RejectsEverything => Rejects(|_| true),
        F::RoutesElsewhere => AnswersAll(404, "", "Cannot POST /"),
        F::RoutesOtherMethods => AnswersAll(405, "", ""),
        F::RedirectsEverything => AnswersAll(301, "Location: /hooks/", ""),
        F::AsksForLogin => AnswersAll(401, "WWW-Authenticate: Basic", ""),
        F::GuardsAgainstForms => AnswersAll(403, "", "<h1>CSRF verification failed</h1>"),
        F::FailsAtGateway => AnswersAll(502, "", "<h1>502 Bad Gateway</h1>"),
        F::ThrowsOnEverything => AnswersAll(500, "", "Internal Server Error"),
        F::MissesHeaders => AnswersAll(400, "", "{\"error\":\"Missing signature header\"}"),
        F::ClockAhead => AcceptsOnly(|it| it.is_signed() && it.is_fresh_at(it.now_ms + 600_000)),
        F::ClockBack => {
            AcceptsOnly(|it| it.is_signed() && it.is_fresh_at(it.now_ms.saturating_sub(3_600_000)))
        }
        F::OnlyTheFuture => {
            AcceptsOnly(|it| it.is_signed() && it.number.is_some_and(|ms| ms > it.now_ms + 30_000))
        }
        F::RejectsDeletions => Rejects(|it| it.event.ends_with(".deleted")),
        F::VerifiesBodyAlone => Wants,
        F::VerifiesWithDot => Wants,
        F::VerifiesTwiceStringified => Wants,
        F::VerifiesHexDecodedKey => Wants,
        F::VerifiesSha1 => Wants,
        F::VerifiesSeconds => Wants,
        F::RejectsUnknownEvents => Rejects(|it| !body::is_known_event(it.event)),
        F::RejectsUnknownMembers => Rejects(|it| body::has_unknown_members(it.body(), it.event)),
        F::HeaderNamesCaseSensitive => Rejects(|it| {
            let lacks = |name: &str| it.delivery.headers.0.iter().all(|(other, _)| other != name);
            lacks(SIGNATURE_HEADER) || lacks(TIMESTAMP_HEADER)
        }),
        F::AnswersLate => Delays(|it| it.event.starts_with("note.created")),
        F::OneAtATime => Works(1, 503),
        F::LimitsTenAtATime => Works(10, 429),
        F::OnlyThirtyAtATime => Works(30, 503),
        F::IgnoresAlteredValues => AcceptsAs(|it| it.accepted_before(body::same_record_other_values)),
        F::IgnoresAddedMembers => AcceptsAs(|it| it.accepted_before(body::contains_all_of)),
        F::StripsSecretMember => AcceptsAs(|it| {
            let stripped = body::without_secret(it.body())?;
            it.is_signed_as(it.signature.as_deref(), &stripped).then_some(stripped)
        }),
        F::AcceptsCutBody => AcceptsAs(|it| it.accepted_before(|old, new| old.starts_with(new))),
        F::RemembersSignatures => Accepts(|it| {
            it.timestamp.as_ref().is_some_and(|text| text.len() > 1) && it.was_accepted_with_its_signature()
        }),
        F::ReprintsTimestamp => Accepts(|it| it.is_signed_at_reprinted_timestamp()),
        F::AcceptsDefaultSecret => Accepts(|it| it.is_signed_by_default()),
        F::AcceptsEmptyKey => AcceptsRecipe(Recipe::key(KeyForm::Empty)),
        F::AcceptsHexDecodedKey => AcceptsRecipe(Recipe::key(KeyForm::HexDecoded)),
        F::AcceptsCaseFoldedKey => AcceptsRecipe(Recipe::key(KeyForm::Lowercase)),
        F::AcceptsMissingSignature => Accepts(|it| it.lacks(SIGNATURE_HEADER)),
        F::AcceptsEmptySignature => Accepts(|it| it.signature.as_ref().is_some_and(Bytes::is_empty)),
        F::AcceptsMissingTimestamp => Accepts(|it| it.lacks(TIMESTAMP_HEADER)),
        F::AcceptsEmptyTimestamp => {
            Accepts(|it| it.is_signed() && it.timestamp.as_ref().is_some_and(Bytes::is_empty))
        }
        F::AcceptsBodyAlone => AcceptsRecipe(Recipe::message(Message::BodyAlone)),
        F::AcceptsTimestampAlone => AcceptsRecipe(Recipe::message(Message::TimestampAlone)),
        F::AcceptsDot => AcceptsRecipe(Recipe::message(Message::Separator("."))),
        F::AcceptsTwiceStringified => {
            AcceptsRecipe(Recipe::message(Message::DoubleStringified { ascii: false }))
        }
        F::AcceptsAnySignatureOnce => AcceptsAs(|it| it.accepted_before(|_, _| true)),
        F::AcceptsSha1 => AcceptsRecipe(Recipe::digest(Digest::Sha1)),
        F::AcceptsUnkeyed => AcceptsRecipe(Recipe::digest(Digest::Unkeyed)),
        F::AcceptsBase64 => AcceptsRecipe(Recipe::digest(Digest::Base64)),
        F::AcceptsPrefix => AcceptsRecipe(Recipe::digest(Digest::Truncated)),
        F::AcceptsZeros => AcceptsRecipe(Recipe::digest(Digest::Zeros)),
        F::RejectsCharset => {
            Rejects(|it| it.header("content-type").is_some_and(|value| value.contains(&b';')))
        }
        F::RejectsChunked => Rejects(|it| matches!(it.delivery.transfer, Transfer::Chunks(_))),
        F::DecodesEachChunk => Rejects(|it| body::decoded_by_chunk(it.delivery) != *it.body()),
        F::LimitsTo100Kilobytes => Answers(413, |it| it.body().len() > 100_000),
        F::LimitsTo512Kibibytes => Answers(413, |it| it.body().len() > 512 * 1024),
        F::TruncatesLargeBodies => Rejects(|it| it.body().len() > 100_000),
        F::RejectsRepeats => Answers(409, |it| it.was_accepted()),
        F::AcceptsTrailing => Accepts(|it| {
            let digits = it.signature.as_deref().filter(|value| value.len() > 64).map(|value| &value[..64]);
            it.is_signed_as(digits, it.body())
        }),
        F::AcceptsShaPrefix => Accepts(|it| {
            let digits = it.signature.as_deref().and_then(|value| value.strip_prefix(b"sha256="));
            it.is_signed_as(digits, it.body())
        }),
        F::AcceptsFirstSignature => {
            Accepts(|it| it.is_fresh_with(it.delivery.headers.all(SIGNATURE_HEADER).next()))
        }
        F::AcceptsLastSignature => {
            Accepts(|it| it.is_fresh_with(it.delivery.headers.all(SIGNATURE_HEADER).last()))
        }
        F::ThrowsOnLength => Answers(500, |it| it.signature.as_ref().is_some_and(|value| value.len() != 64)),
        F::ThrowsOnHeaderBytes => {
            Answers(500, |it| it.signature.as_ref().is_some_and(|value| !value.is_ascii()))
        }
        F::ThrowsOnTimestamp => Answers(500, |it| it.has_odd_timestamp()),
        F::VerifiesKeyWithNewline => Wants,
        F::VerifiesQuotedKey => Wants,
        F::VerifiesTextAsAscii => AcceptsOnly(|it| {
            let text = Misread::Ascii.of(it.body());
            text.is_some_and(|text| it.is_signed_as(it.signature.as_deref(), &text)) && it.is_fresh()
        }),
        F::VerifiesEscapedText => AcceptsOnly(|it| {
            let text = Misread::EscapedControls.of(it.body());
            text.is_some_and(|text| it.is_signed_as(it.signature.as_deref(), &text)) && it.is_fresh()
        }),
        F::VerifiesTrimmedBody => AcceptsOnly(|it| {
            it.is_signed_as(it.signature.as_deref(), it.body().trim_ascii()) && it.is_fresh()
        }),
        F::VerifiesQuotedKeyBodyAlone => Wants,
        F::VerifiesConsumedBody => Wants,
        F::VerifiesBase64Body => Wants,
        F::VerifiesBytesLiteral => Wants,
        F::VerifiesDefaultSecret => Wants,
        F::EndsOnAbortedRequest => EndsWhenCutOff,
        F::ClosesOnRejection => Rewrites(|_, _| None),
        F::RejectsWith500 => Rewrites(|_, _| Some(Response::text(500, ""))),
        F::AcceptsAnyTimestamp => Accepts(|it| it.is_signed() && it.has_odd_timestamp()),
        F::AcceptsNaN => Accepts(|it| it.is_signed() && it.timestamp.as_deref() == Some(b"NaN")),
        F::NoWindow => Accepts(|it| it.is_signed_at_a_number()),
        F::WindowOnPastOnly => Accepts(|it| it.is_signed() && it.number.is_some_and(|ms| ms > it.now_ms)),
        F::AcceptsSeconds => Accepts(|it| it.is_signed() && it.is_fresh_in_seconds()),
        F::WindowOnAgeOnly => Rejects(|it| it.number.is_some_and(|ms| ms > it.now_ms + 5_000)),
        F::WindowTooSmall => Rejects(|it| it.number.is_some_and(|ms| it.now_ms.abs_diff(ms) > 5_000)),
        F::AcceptsMalformed => Answers(200, |it| it.is_signed_at_a_number() && body::is_malformed(it.body())),
        F::AnswersMalformedWith500 => {
            Answers(500, |it| it.is_signed_at_a_number() && body::is_malformed(it.body()))
        }
        F::AcceptsWrongTypes => {
            Answers(200, |it| it.is_signed_at_a_number() && body::has_wrong_types(it.body()))
        }
        F::AcceptsOtherMethods => {
            AcceptsAsPost(|it| (it.is_signed() && it.delivery.method != "POST").then(|| it.body().clone()))
        }
        F::TrustsForwardedFor => Accepts(|it| !it.lacks("x-forwarded-for")),
        F::AcceptsSecretAsHeader => Accepts(|it| {
            let secret = it.secret.expose().as_bytes();
            it.delivery.headers.0.iter().any(|(_, value)| value.ends_with(secret))
        }),
        F::AcceptsPing => {
            Answers(200, |it| it.lacks(SIGNATURE_HEADER) && body::contains(it.body(), "\"ping\""))
        }
        F::ParsesFirst => Answers(400, |it| Members::parse(it.body()).is_err()),
        F::RejectsControlCharacters => Rejects(|it| body::contains(it.body(), r"\u0000")),
        F::RejectsDeepNesting => Rejects(|it| body::contains(it.body(), &"[".repeat(33))),
        F::HashesAsJavascript => Hashes(Serialiser::Javascript),
        F::HashesAsPython => Hashes(Serialiser::PythonDefault),
        F::HashesAsPythonCompact => Hashes(Serialiser::PythonCompact),
        F::HashesAsGo => Hashes(Serialiser::Go),
        F::HashesAsPhp => Hashes(Serialiser::Php),
        F::HashesSorted => Hashes(Serialiser::Sorted),
        F::HashesPretty => Hashes(Serialiser::Pretty),
        F::FallsBackToReserialised => Accepts(|it| it.is_signed_reprinted(Serialiser::Javascript)),
        F::ReadsSeconds => Wants,
        F::ReadsOtherHeader => Wants,
        F::RequiresShaPrefix => Wants,
        F::ExpectsUppercase => Wants,
        F::VerifiesHexKeyBodyAlone => Wants,
        F::ComparesPrefix => Accepts(|it| {
            let whole = it.signature.as_ref().is_some_and(|given| given.len() == 64);
            whole && it.right_digits() >= 8 && it.is_fresh()
        }),
        F::ComparesDigitByDigit => Compares,
        F::RejectsInBody => {
            Rewrites(|_, _| Some(Response::text(200, "{\"success\":false,\"error\":\"invalid signature\"}")))
        }
        F::LeaksExpectedSignature => Rewrites(|it, response| {
            Some(Response::text(response.status, format!("expected {}\n", it.expected_signature())))
        }),
        F::LeaksSecret => Rewrites(|it, response| {
            Some(Response::text(response.status, format!("secret: {}\n", it.secret.expose())))
        }),
        F::RejectsLoneSurrogates => Rejects(|it| body::contains(it.body(), r#"\ud800""#)),
        F::RejectsOtherDialect | F::RejectsShipped => Rejects(|it| body::is_shipped(it.body())),
        F::RejectsDocumented => Rejects(|it| body::is_documented(it.body())),
        F::DropsDeliveries => Processes(processing::nothing),
        F::ProcessesRejected => ProcessesRejected,
        F::DedupesNothing => Forgets(|_| false),
        F::DedupesOnConstant => Processes(processing::only_the_first),
        F::DedupesOnRecord => Processes(processing::once_per_record),
        F::DedupesOnNonce => {
            Forgets(|it| it.header(NONCE_HEADER).is_some_and(|nonce| it.is_signed() && it.seen_before(nonce)))
        }
        F::MarksBeforeVerifying => Answers(200, |it| {
            it.seen_before(it.body()) && it.delivery.method == "POST" && it.is_signed_and_fresh()
        }),
        F::MisreadsOtherDialect => Answers(200, |it| {
            it.delivery.method == "POST" && body::is_shipped(it.body()) && it.is_signed_and_fresh()
        }),
        F::AcceptsEverything => AcceptsAsPost(|it| {
            Some(if it.event.is_empty() { Bytes::from_static(ANY_EVENT) } else { it.body().clone() })
        }),
    }
}

/// Takes longer the more digits are right, like a comparison that stops at the first wrong digit.
pub(super) fn compare_slowly(request: &Incoming<'_>) {
    let until = Instant::now() + TIME_PER_DIGIT * request.right_digits();
    while Instant::now() < until {
        std::hint::spin_loop();
    }
}
