//! Wrong receivers: a gate before the reference receiver that lets in what it should not, or keeps out what it should let
//! in.
//!
//! Invariant: what a gate lets in is signed anew for the reference receiver behind it, which does the rest.
//!
//! Long because: the gate is one table with an arm for each fault.

mod body;
mod intake;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::sleep;

use self::body::{
    decoded_by_chunk, event_name, has_unknown_members, header, holds, holds_all_of, same_record_other_values,
    without_secret,
};
use crate::clock::Clock;
use crate::peers::fault::ReceiverFault;
use crate::peers::receiver::{Observer, Receiver, Settings};
use crate::webhook::dialect::{self, Members};
use crate::webhook::recipe::{Digest, KeyForm, Message, Recipe};
use crate::webhook::serialiser::Serialiser;
use crate::webhook::signature::{Key, NONCE_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use crate::wire::endpoint::Handler;
use crate::wire::exchange::{Delivery, Headers, Response, Transfer};

/// A receiver with one fault.
pub struct Mutant {
    fault: ReceiverFault,
    inner: Receiver,
    secret: Secret,
    clock: Clock,
    /// How long an answer that comes late takes.
    late: Duration,
    busy: AtomicUsize,
    /// The body of each delivery that was let in, by timestamp and signature.
    seen: Mutex<HashMap<(Bytes, Bytes), Bytes>>,
    /// What a wrong way of taking in remembers.
    known: intake::Known,
    observer: Observer,
}

/// What the gate does with a request.
enum Gate {
    /// Hands it on as it is: the reference receiver judges.
    Judge,
    /// Lets this body in, whatever the signature.
    Accept(Bytes),
    /// Keeps it out.
    Refuse,
    /// Answers with this status by itself.
    Answer(u16),
}

impl Mutant {
    /// A reference receiver with these settings and this observer, behind a gate. `late` is what `AnswersLate` takes for
    /// one kind of event.
    pub fn new(
        fault: ReceiverFault,
        settings: Settings,
        clock: Clock,
        late: Duration,
        observer: Observer,
    ) -> Self {
        let secret = settings.secret.clone();
        let settings = intake::settings(fault, settings);
        let inner = Receiver::new(settings, clock.clone(), intake::wrap(fault, observer.clone()));
        Self {
            fault,
            inner,
            secret,
            clock,
            late,
            busy: AtomicUsize::new(0),
            seen: Mutex::default(),
            known: intake::Known::default(),
            observer,
        }
    }

    async fn answer(&self, mut delivery: Delivery) -> Option<Response> {
        let event = event_name(&delivery.body);
        if self.fault == ReceiverFault::AnswersLate && event.starts_with("note.created") {
            sleep(self.late).await;
        }
        if self.fault == ReceiverFault::OneAtATime {
            // The work takes a moment, in which others come.
            let others = self.busy.fetch_add(1, Ordering::SeqCst);
            sleep(Duration::from_millis(5)).await;
            self.busy.fetch_sub(1, Ordering::SeqCst);
            if others > 0 {
                return Some(Response::text(503, "busy\n"));
            }
        }
        let presented = (header(&delivery, TIMESTAMP_HEADER), header(&delivery, SIGNATURE_HEADER));
        let original = delivery.body.clone();
        match self.gate(&delivery, &event) {
            Gate::Refuse => return Some(Response::text(401, "refused\n")),
            Gate::Answer(status) => return Some(Response::text(status, "")),
            Gate::Judge => {}
            Gate::Accept(body) => {
                let key = Key::new(&self.secret);
                delivery.headers = Headers::of_delivery(Some(&key), self.clock.now_ms(), None, &body);
                delivery.body = body;
                if matches!(self.fault, ReceiverFault::AcceptsOtherMethods | ReceiverFault::AcceptsEverything)
                {
                    "POST".clone_into(&mut delivery.method);
                }
            }
        }
        let response = self.inner.answer(&delivery);
        if let ((Some(timestamp), Some(signature)), 200) = (presented, response.status) {
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert((timestamp, signature), original);
        }
        match (self.fault, response.status) {
            (ReceiverFault::TakesInRefused, 400..) => {
                if let Ok(observed) = crate::peers::receiver::read(&delivery.body) {
                    (self.observer)(observed);
                }
                Some(response)
            }
            (ReceiverFault::ClosesOnRefusal, 400..) => None,
            (ReceiverFault::RefusesInBody, 400..) => {
                Some(Response::text(200, "{\"success\":false,\"error\":\"invalid signature\"}"))
            }
            (ReceiverFault::RefusesWith500, 400..) => Some(Response::text(500, "")),
            _ => Some(response),
        }
    }

    fn gate(&self, delivery: &Delivery, event: &str) -> Gate {
        // A table: one arm for each fault, and a fault without an arm does not compile.
        use Gate::{Accept, Answer, Judge, Refuse};
        let body = &delivery.body;
        let (timestamp, signature) = (header(delivery, TIMESTAMP_HEADER), header(delivery, SIGNATURE_HEADER));
        let number: Option<u64> = timestamp
            .as_deref()
            .filter(|text| text.iter().all(u8::is_ascii_digit))
            .and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
        let absent = |name: &str| delivery.headers.all(name).next().is_none();
        let verified = || self.valid(&timestamp, &signature, body);
        let fresh = || number.is_some_and(|ms| self.clock.now_ms().abs_diff(ms) < WINDOW_MS);
        let refuse_if = |condition: bool| if condition { Refuse } else { Judge };
        let accept_if = |condition: bool| if condition { Accept(body.clone()) } else { Judge };
        let only_if = |condition: bool| if condition { Accept(body.clone()) } else { Refuse };
        let near_as_seconds =
            |seconds: u64| self.clock.now_ms().abs_diff(seconds.saturating_mul(1000)) < WINDOW_MS;
        let verified_as = |serialiser: Serialiser| {
            let printed = serialiser.reprint(body);
            printed.is_some_and(|printed| self.valid(&timestamp, &signature, &printed))
        };
        let hashing = |serialiser: Serialiser| only_if(verified_as(serialiser) && fresh());
        let by_default = || {
            let key = Key::new(&Secret::new("your-webhook-secret"));
            let given = timestamp.as_ref().zip(signature.as_ref());
            given.is_some_and(|(timestamp, signature)| key.verify(timestamp, body, signature))
        };
        // How many digits from the first on are right.
        let alike = || {
            let (timestamp, given) = (timestamp.as_deref().unwrap_or_default(), signature.as_deref());
            let right = Key::new(&self.secret).sign(timestamp, body).to_hex();
            let given = given.unwrap_or_default().iter();
            let alike = given.zip(right.as_bytes()).take_while(|(one, other)| one == other).count();
            u32::try_from(alike).unwrap_or(u32::MAX)
        };
        let signed_by = |recipe: Recipe| {
            let given = signature.as_ref().zip(timestamp.as_ref());
            given.is_some_and(|(signature, timestamp)| {
                let value = recipe.compute(self.secret.expose(), timestamp, body);
                value.is_some_and(|value| value.as_bytes() == &**signature)
            })
        };
        let instead = |recipe: Recipe| only_if(signed_by(recipe));
        let besides = |recipe: Recipe| accept_if(signed_by(recipe));
        // A body that was let in before under the same timestamp and signature, and what this one is to it.
        let before = |same: &dyn Fn(&[u8], &[u8]) -> bool| {
            let presented = timestamp.clone().zip(signature.clone());
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            match presented.and_then(|presented| seen.get(&presented).cloned()) {
                Some(old) if same(&old, body) => Accept(old),
                _ => Judge,
            }
        };
        match self.fault {
            ReceiverFault::RefusesEverything => Refuse,
            ReceiverFault::RefusesDeletions => {
                if event.ends_with(".deleted") {
                    Refuse
                } else {
                    Judge
                }
            }
            ReceiverFault::VerifiesBodyAlone => instead(Recipe::message(Message::BodyAlone)),
            ReceiverFault::VerifiesWithDot => instead(Recipe::message(Message::Separator("."))),
            ReceiverFault::VerifiesTwiceStringified => {
                instead(Recipe::message(Message::DoubleStringified { ascii: false }))
            }
            ReceiverFault::VerifiesHexDecodedKey => instead(Recipe::key(KeyForm::HexDecoded)),
            ReceiverFault::VerifiesSha1 => instead(Recipe::digest(Digest::Sha1)),
            ReceiverFault::VerifiesSeconds => instead(Recipe::message(Message::Seconds)),
            ReceiverFault::RefusesUnknownEvents => {
                let known = dialect::ALL.iter().flat_map(|dialect| dialect.samples()).any(|sample| {
                    sample.name.as_str() == event
                        && sample.name.object() != "rocket"
                        && !sample.name.is_metadata()
                });
                if known { Judge } else { Refuse }
            }
            ReceiverFault::RefusesUnknownMembers => refuse_if(has_unknown_members(body, event)),
            ReceiverFault::HeaderNamesCaseSensitive => {
                let exact = |name: &str| delivery.headers.0.iter().any(|(other, _)| other == name);
                if exact(SIGNATURE_HEADER) && exact(TIMESTAMP_HEADER) { Judge } else { Refuse }
            }
            ReceiverFault::IgnoresAlteredValues => before(&|old, new| same_record_other_values(old, new)),
            ReceiverFault::IgnoresAddedMembers => before(&|old, new| holds_all_of(old, new)),
            ReceiverFault::StripsSecretMember => match without_secret(body) {
                Some(stripped) if self.valid(&timestamp, &signature, &stripped) => Accept(stripped),
                _ => Judge,
            },
            ReceiverFault::AcceptsCutBody => before(&|old, new| old.starts_with(new)),
            ReceiverFault::RemembersSignatures => {
                let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                let known =
                    seen.iter().any(|((_, known), old)| Some(known) == signature.as_ref() && old == body);
                accept_if(known && timestamp.is_some_and(|timestamp| timestamp.len() > 1))
            }
            ReceiverFault::ReprintsTimestamp => {
                let printed = number.map(|number| Bytes::from(number.to_string()));
                accept_if(self.valid(&printed, &signature, body) && fresh())
            }
            ReceiverFault::AcceptsDefaultSecret => accept_if(by_default()),
            ReceiverFault::AcceptsEmptyKey => besides(Recipe::key(KeyForm::Empty)),
            ReceiverFault::AcceptsHexDecodedKey => besides(Recipe::key(KeyForm::HexDecoded)),
            ReceiverFault::AcceptsCaseFoldedKey => besides(Recipe::key(KeyForm::Lowercase)),
            ReceiverFault::AcceptsMissingSignature => accept_if(absent(SIGNATURE_HEADER)),
            ReceiverFault::AcceptsEmptySignature => {
                accept_if(signature.is_some_and(|signature| signature.is_empty()))
            }
            ReceiverFault::AcceptsMissingTimestamp => accept_if(absent(TIMESTAMP_HEADER)),
            ReceiverFault::AcceptsBodyAlone => besides(Recipe::message(Message::BodyAlone)),
            ReceiverFault::AcceptsTimestampAlone => besides(Recipe::message(Message::TimestampAlone)),
            ReceiverFault::AcceptsDot => besides(Recipe::message(Message::Separator("."))),
            ReceiverFault::AcceptsTwiceStringified => {
                besides(Recipe::message(Message::DoubleStringified { ascii: false }))
            }
            ReceiverFault::AcceptsAnySignatureOnce => before(&|_, _| true),
            ReceiverFault::AcceptsSha1 => besides(Recipe::digest(Digest::Sha1)),
            ReceiverFault::AcceptsUnkeyed => besides(Recipe::digest(Digest::Unkeyed)),
            ReceiverFault::AcceptsBase64 => besides(Recipe::digest(Digest::Base64)),
            ReceiverFault::AcceptsPrefix => besides(Recipe::digest(Digest::Truncated)),
            ReceiverFault::AcceptsZeros => besides(Recipe::digest(Digest::Zeros)),
            ReceiverFault::AcceptsEverything => {
                Accept(if event.is_empty() { Bytes::from_static(ANY_EVENT) } else { body.clone() })
            }
            ReceiverFault::RefusesCharset => {
                let type_of = header(delivery, "content-type");
                if type_of.is_some_and(|value| value.contains(&b';')) { Refuse } else { Judge }
            }
            ReceiverFault::RefusesChunked => {
                if matches!(delivery.transfer, Transfer::Chunks(_)) {
                    Refuse
                } else {
                    Judge
                }
            }
            ReceiverFault::DecodesEachChunk => {
                if decoded_by_chunk(delivery) == *body {
                    Judge
                } else {
                    Refuse
                }
            }
            ReceiverFault::LimitsTo100Kilobytes => {
                if body.len() > 100_000 {
                    Answer(413)
                } else {
                    Judge
                }
            }
            ReceiverFault::LimitsTo512Kibibytes => {
                if body.len() > 512 * 1024 {
                    Answer(413)
                } else {
                    Judge
                }
            }
            ReceiverFault::TruncatesLargeBodies => {
                if body.len() > 100_000 {
                    Refuse
                } else {
                    Judge
                }
            }
            ReceiverFault::RefusesRepeats => {
                let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                if seen.values().any(|old| old == body) { Answer(409) } else { Judge }
            }
            ReceiverFault::AcceptsTrailing => {
                let digits =
                    signature.as_ref().filter(|value| value.len() > 64).map(|value| value.slice(..64));
                accept_if(self.valid(&timestamp, &digits, body))
            }
            ReceiverFault::AcceptsShaPrefix => {
                let digits = signature.as_ref().and_then(|value| value.strip_prefix(b"sha256="));
                accept_if(self.valid(&timestamp, &digits.map(Bytes::copy_from_slice), body))
            }
            ReceiverFault::TakesFirstSignature => {
                let first = delivery.headers.all(SIGNATURE_HEADER).next().cloned();
                accept_if(self.valid(&timestamp, &first, body) && fresh())
            }
            ReceiverFault::TakesLastSignature => {
                let last = delivery.headers.all(SIGNATURE_HEADER).last().cloned();
                accept_if(self.valid(&timestamp, &last, body) && fresh())
            }
            ReceiverFault::ThrowsOnLength => {
                if signature.is_some_and(|value| value.len() != 64) {
                    Answer(500)
                } else {
                    Judge
                }
            }
            ReceiverFault::ThrowsOnHeaderBytes => {
                if signature.is_some_and(|value| !value.is_ascii()) {
                    Answer(500)
                } else {
                    Judge
                }
            }
            ReceiverFault::ThrowsOnTimestamp => {
                let named = timestamp.as_ref().is_some_and(|text| !text.is_empty());
                if named && number.is_none() { Answer(500) } else { Judge }
            }
            ReceiverFault::VerifiesKeyWithNewline => instead(Recipe::key(KeyForm::TrailingNewline)),
            ReceiverFault::VerifiesDefaultSecret => only_if(by_default()),
            ReceiverFault::AcceptsAnyTimestamp => {
                let named = timestamp.as_ref().is_some_and(|text| !text.is_empty());
                accept_if(verified() && number.is_none() && named)
            }
            ReceiverFault::AcceptsNaN => accept_if(verified() && timestamp.as_deref() == Some(b"NaN")),
            ReceiverFault::NoWindow => accept_if(verified() && number.is_some()),
            ReceiverFault::WindowOnPastOnly => {
                accept_if(verified() && number.is_some_and(|ms| ms > self.clock.now_ms()))
            }
            ReceiverFault::AcceptsSeconds => accept_if(verified() && number.is_some_and(near_as_seconds)),
            ReceiverFault::WindowTooSmall => {
                let far = |ms: u64| self.clock.now_ms().abs_diff(ms) > 5_000;
                if number.is_some_and(far) { Refuse } else { Judge }
            }
            ReceiverFault::AcknowledgesMalformed => {
                if verified() && number.is_some() && event.is_empty() {
                    Answer(200)
                } else {
                    Judge
                }
            }
            ReceiverFault::BreaksOnMalformed => {
                if verified() && number.is_some() && event.is_empty() {
                    Answer(500)
                } else {
                    Judge
                }
            }
            ReceiverFault::AcceptsOtherMethods => accept_if(verified() && delivery.method != "POST"),
            ReceiverFault::TrustsForwardedFor => accept_if(!absent("x-forwarded-for")),
            ReceiverFault::AcceptsSecretAsHeader => {
                let secret = self.secret.expose().as_bytes();
                accept_if(delivery.headers.0.iter().any(|(_, value)| value.ends_with(secret)))
            }
            ReceiverFault::AcceptsPing => {
                let ping = body.windows(6).any(|window| window == b"\"ping\"");
                if ping && absent(SIGNATURE_HEADER) { Answer(200) } else { Judge }
            }
            ReceiverFault::ParsesFirst => {
                if Members::parse(body).is_err() {
                    Answer(400)
                } else {
                    Judge
                }
            }
            ReceiverFault::RefusesControlCharacters => refuse_if(holds(body, r"\u0000")),
            ReceiverFault::RefusesDeepNesting => refuse_if(holds(body, &"[".repeat(33))),
            ReceiverFault::HashesAsJavascript => hashing(Serialiser::Javascript),
            ReceiverFault::HashesAsPython => hashing(Serialiser::PythonDefault),
            ReceiverFault::HashesAsPythonCompact => hashing(Serialiser::PythonCompact),
            ReceiverFault::HashesAsGo => hashing(Serialiser::Go),
            ReceiverFault::HashesAsPhp => hashing(Serialiser::Php),
            ReceiverFault::HashesSorted => hashing(Serialiser::Sorted),
            ReceiverFault::HashesPretty => hashing(Serialiser::Pretty),
            ReceiverFault::FallsBackToReserialised => {
                accept_if(verified_as(Serialiser::Javascript) && fresh())
            }
            ReceiverFault::ReadsSeconds => only_if(verified() && number.is_some_and(near_as_seconds)),
            ReceiverFault::ReadsOtherHeader => {
                let signature = header(delivery, "X-Webhook-Signature");
                only_if(self.valid(&timestamp, &signature, body) && fresh())
            }
            ReceiverFault::RequiresShaPrefix => instead(Recipe::digest(Digest::Prefixed)),
            ReceiverFault::ExpectsUppercase => instead(Recipe::digest(Digest::Uppercase)),
            ReceiverFault::VerifiesHexKeyBodyAlone => {
                instead(Recipe { key: KeyForm::HexDecoded, ..Recipe::message(Message::BodyAlone) })
            }
            ReceiverFault::ComparesPrefix => accept_if(
                signature.as_ref().is_some_and(|given| given.len() == 64) && alike() >= 8 && fresh(),
            ),
            ReceiverFault::ComparesDigitByDigit => {
                let until = Instant::now() + TIME_A_DIGIT * alike();
                while Instant::now() < until {
                    std::hint::spin_loop();
                }
                Judge
            }
            ReceiverFault::RefusesLoneSurrogates => refuse_if(holds(body, r#"\ud800""#)),
            ReceiverFault::RefusesOtherDialect => {
                let other = Members::parse(body).is_ok_and(|members| members.get("eventName").is_some());
                refuse_if(other)
            }
            ReceiverFault::DedupesOnNonce => {
                let known =
                    header(delivery, NONCE_HEADER).is_some_and(|nonce| verified() && self.known.knew(nonce));
                if known { Answer(200) } else { Judge }
            }
            ReceiverFault::MarksBeforeVerifying => {
                let known = self.known.knew(body.clone()) && delivery.method == "POST";
                if known && verified() && fresh() { Answer(200) } else { Judge }
            }
            ReceiverFault::MisreadsOtherDialect => {
                let other = Members::parse(body).ok().and_then(|members| members.text("eventName"));
                if other.is_some() && delivery.method == "POST" && verified() && fresh() {
                    Answer(200)
                } else {
                    Judge
                }
            }
            // These are enacted before the gate, or behind it.
            ReceiverFault::DropsDeliveries
            | ReceiverFault::TakesInRefused
            | ReceiverFault::DedupesNothing
            | ReceiverFault::DedupesOnConstant
            | ReceiverFault::DedupesOnRecord
            | ReceiverFault::AnswersLate
            | ReceiverFault::OneAtATime
            | ReceiverFault::ClosesOnRefusal
            | ReceiverFault::RefusesInBody
            | ReceiverFault::RefusesWith500 => Judge,
        }
    }

    fn valid(&self, timestamp: &Option<Bytes>, signature: &Option<Bytes>, body: &[u8]) -> bool {
        let given = timestamp.as_ref().zip(signature.as_ref());
        given.is_some_and(|(timestamp, signature)| Key::new(&self.secret).verify(timestamp, body, signature))
    }
}

impl Handler for Mutant {
    fn handle(&self, delivery: Delivery) -> BoxFuture<'_, Option<Response>> {
        self.answer(delivery).boxed()
    }
}

/// What a digit more costs a comparison that goes digit by digit.
const TIME_A_DIGIT: Duration = Duration::from_micros(20);

/// The reference receiver's window.
const WINDOW_MS: u64 = 300_000;

const ANY_EVENT: &[u8] = br#"{"event":"any.event","data":{}}"#;
