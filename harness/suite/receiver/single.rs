//! One delivery without a run, for the unit tests of a receiver: a valid one, or one that is wrong in the way of a cause.
//!
//! Invariant: the same arguments give the same bytes.

use bytes::Bytes;
use serde::Serialize;

use super::case::Case;
use super::forgery::{Forgery, LeftOut, Step};
use super::freshness::DAY_MS;
use super::maker::Maker;
use super::ways_in::unsign;
use crate::clock::Clock;
use crate::nearest;
use crate::random::Random;
use crate::suite::cause::Code;
use crate::suite::messages;
use crate::suite::transcript::{Part, Respect};
use crate::suite::vectors::TestBytes;
use crate::webhook::dialect::Dialect;
use crate::webhook::recipe::{Digest, KeyForm, Message, Misread, Recipe};
use crate::webhook::serialiser::Serialiser;
use crate::webhook::signature::{SIGNATURE_HEADER, Secret};
use crate::wire::exchange::Delivery;

/// How much later than its time a delivery is dated for a receiver whose clock is wrong: less than the hours of a time zone.
const AHEAD_MS: i64 = 10 * 60 * 1000;
/// A member with text that programs encode differently.
const TEXT: Step = Step::AddMember("note", "\"日本語 👩🏽‍🚀\"");

/// How a delivery is made.
#[derive(Debug, Clone)]
pub struct Signed {
    pub dialect: &'static Dialect,
    pub secret: Secret,
    /// When it is sent, in milliseconds since the epoch.
    pub now_ms: u64,
}

impl Signed {
    /// The body of a sample event. Errors: the dialect has no event of this name.
    pub fn sample(&self, event: &str) -> Result<Bytes, String> {
        let samples = self.dialect.samples();
        let Some(sample) = samples.iter().find(|sample| sample.name.as_str() == event) else {
            let known: Vec<String> = samples.iter().map(|sample| sample.name.to_string()).collect();
            return Err(messages::no_sample(event, &known));
        };
        Ok(self.maker().render(sample))
    }

    /// A valid delivery of this body.
    pub fn valid(&self, body: Bytes) -> Delivery {
        self.maker().sign(body)
    }

    /// A delivery that a receiver must reject, and that one with this cause accepts. Those of `crash.*` and `answer.status` must be
    /// rejected with a 4xx, and are answered otherwise.
    ///
    /// Errors: no delivery of this secret and body is wrong in this way.
    pub fn broken(&self, code: Code, body: Bytes) -> Result<Delivery, String> {
        let cases = cases(code).ok_or_else(|| messages::shown_by_valid_deliveries(code.as_str()))?;
        if code == Code::AcceptsStale && self.now_ms <= DAY_MS.unsigned_abs() {
            return Err(messages::before_the_epoch().to_owned());
        }
        let maker = self.maker();
        let control = maker.control(body);
        let mut made = cases.iter().filter_map(|case| case.after(&maker, &control));
        made.next().ok_or_else(|| messages::not_with_this(code.as_str()))
    }

    fn maker(&self) -> Maker {
        let clock = Clock::fixed(self.now_ms);
        let place = ("http://127.0.0.1:3000/".to_owned(), "/".to_owned());
        Maker::new(self.dialect, self.secret.clone(), clock, Random::from_seed(self.now_ms), place)
    }
}

/// A delivery as JSON for other programs.
#[derive(Debug, Serialize)]
pub struct Printed {
    method: String,
    /// Names and values, in the order of the wire; a character for each byte of a value.
    headers: Vec<(String, String)>,
    body: TestBytes,
}

impl From<&Delivery> for Printed {
    fn from(delivery: &Delivery) -> Self {
        let latin_1 = |value: &Bytes| value.iter().map(|&byte| char::from(byte)).collect();
        let headers = delivery.headers.0.iter().map(|(name, value)| (name.clone(), latin_1(value)));
        Self {
            method: delivery.method.clone(),
            headers: headers.collect(),
            body: TestBytes::of(&delivery.body),
        }
    }
}

/// The code of this name. Errors: there is none.
pub fn code(name: &str) -> Result<Code, String> {
    let found = Code::ALL.iter().copied().find(|code| code.as_str() == name);
    found.ok_or_else(|| {
        let known: Vec<&str> = codes().map(Code::as_str).collect();
        messages::no_such_cause(name, nearest::to(name, known.iter().copied()), &known)
    })
}

/// The codes for which there is such a delivery, in the order of their declaration.
pub fn codes() -> impl Iterator<Item = Code> {
    Code::ALL.iter().copied().filter(|code| cases(*code).is_some())
}

/// What shows this cause; the first that applies to the secret and the body. `None` if only valid deliveries show it, or if it is one
/// of senders and captures.
fn cases(code: Code) -> Option<Vec<Case>> {
    use Code as C;
    let messages = |message| vec![Case::signed(Recipe::message(message))];
    let misread = |misread| messages(Message::Misread(misread));
    let keys = |keys: &[KeyForm]| keys.iter().map(|&key| Case::signed(Recipe::key(key))).collect();
    let digest = |digest| vec![Case::signed(Recipe::digest(digest))];
    Some(match code {
        C::MessageBodyAlone | C::AcceptsAlternative => messages(Message::BodyAlone),
        C::MessageSeparator => messages(Message::Separator(".")),
        C::MessageDoubleStringified => messages(Message::DoubleStringified { ascii: false }),
        C::MessageTimestampUnit => messages(Message::Seconds),
        C::MessageTimestampDiffers => forged(&[Step::SurroundTimestamp("0", "")]),
        C::MessagePart => messages(Message::TimestampAlone),
        C::MessagePrefixOrNewline => vec![with_trailing_newline()],
        C::MessageReserialised => vec![reserialised()],
        C::MessageTextEncoding => {
            forged(const { &[TEXT, Step::SignBy(Recipe::message(Message::Misread(Misread::Ascii)))] })
        }
        C::MessageBodyConsumed => misread(Misread::ObjectObject),
        C::MessageBodyBase64 => misread(Misread::Base64),
        C::MessageBytesLiteral => misread(Misread::BytesLiteral),
        C::MessageSecretMember => forged(&[Step::AddMember("secret", "\"x\"")]),
        C::MessageMembersDropped => forged(&[Step::AddMember("admin", "true")]),
        C::KeyPrefix => vec![without_prefix(), Case::signed(Recipe::key(KeyForm::TrailingNewline))],
        C::KeyHexDecoded => keys(&[KeyForm::HexDecoded]),
        C::KeyBase64Decoded => keys(&[KeyForm::Base64Decoded]),
        C::KeyTrimmed => keys(&[KeyForm::Trimmed, KeyForm::Lowercase, KeyForm::Uppercase]),
        C::KeyConfiguration => keys(&[KeyForm::DoubleQuoted]),
        C::KeyEmpty => keys(&[KeyForm::Empty]),
        C::KeyOtherWebhook => under_default_secrets(),
        C::AnswerStatus | C::AcceptsEverything => keys(&[KeyForm::Other]),
        C::DigestEncoding => digest(Digest::Base64),
        C::DigestPrefix => digest(Digest::Prefixed),
        C::DigestTruncated => digest(Digest::Truncated),
        C::DigestAlgorithm => digest(Digest::Sha1),
        C::DigestAppended => digest(Digest::Appended),
        C::DigestTrailing => forged(&[Step::SurroundSignature("", "00")]),
        C::HeaderDuplicate => vec![signed_twice()],
        C::HeaderTimestampFormat => forged(&[Step::StampDate, Step::Sign]),
        C::HeaderName => vec![under_other_name()],
        C::HeaderMissing | C::AcceptsUnsigned => forged(&[Step::RemoveSignature]),
        C::ClockOff | C::ClockOneSided => forged(&[Step::StampLater(AHEAD_MS), Step::Sign]),
        C::AcceptsReplayed => forged(&[Step::ChangeValue]),
        C::AcceptsStale => forged(&[Step::StampLater(-DAY_MS), Step::Sign]),
        C::AcceptsFuture => forged(&[Step::StampLater(DAY_MS), Step::Sign]),
        C::AcceptsMalformed | C::CrashMalformedJson => forged(&[Step::HalveBody, Step::Sign]),
        C::AcceptsTimestampFormat => forged(&[Step::SetTimestamp("NaN"), Step::Sign]),
        C::AcceptsBackDoor => vec![from_this_machine()],
        C::CrashSignatureLength => forged(&[Step::KeepOfSignature(1)]),
        C::CrashHeaderBytes => vec![with_other_bytes()],
        _ => return None,
    })
}

fn forged(steps: &'static [Step]) -> Vec<Case> {
    vec![Case::forged("", Respect::Content(Part::Values), Forgery::new("", steps))]
}

/// Signed under the secret of the documentation, or under another one if it is that.
fn under_default_secrets() -> Vec<Case> {
    [&[Step::SignUnder("your-webhook-secret")], &[Step::SignUnder("secret")]]
        .into_iter()
        .flat_map(|steps| forged(steps))
        .collect()
}

fn changed(change: impl Fn(&Maker, &mut Delivery, &str) -> Option<()> + Send + Sync + 'static) -> Case {
    Case::forged_by(LeftOut::OtherHeaders, "", Respect::Content(Part::Values), change)
}

/// Signed under a secret of another vendor's form without what it begins with.
fn without_prefix() -> Case {
    changed(|maker, delivery, timestamp| {
        let rest = maker.secret.expose().strip_prefix("whsec_")?;
        let value = maker.signature_under(&Secret::new(rest), timestamp.as_bytes(), &delivery.body)?;
        delivery.headers.set(SIGNATURE_HEADER, value);
        Some(())
    })
}

/// A line feed after the body that was signed.
fn with_trailing_newline() -> Case {
    changed(|_, delivery, _| {
        delivery.body = [&delivery.body[..], b"\n"].concat().into();
        Some(())
    })
}

/// The body with a space that was not there, and the signature of what JSON.stringify makes of it.
fn reserialised() -> Case {
    changed(|maker, delivery, timestamp| {
        let members = delivery.body.strip_prefix(b"{")?;
        delivery.body = [b"{ ", members].concat().into();
        let recipe = Recipe::message(Message::Reserialised(Serialiser::Javascript));
        let value = maker.signature_by(recipe, timestamp.as_bytes(), &delivery.body)?;
        delivery.headers.set(SIGNATURE_HEADER, value);
        Some(())
    })
}

/// The valid signature, and then another one.
fn signed_twice() -> Case {
    changed(|_, delivery, _| {
        delivery.headers.add(SIGNATURE_HEADER, "0".repeat(64));
        Some(())
    })
}

/// The valid signature in another header.
fn under_other_name() -> Case {
    changed(|_, delivery, _| {
        let value = delivery.headers.single(SIGNATURE_HEADER)?.clone();
        delivery.headers.remove(SIGNATURE_HEADER);
        delivery.headers.add("X-Webhook-Signature", value);
        Some(())
    })
}

/// No signature, but a header that says that it comes from this machine.
fn from_this_machine() -> Case {
    changed(|_, delivery, _| {
        unsign(delivery);
        delivery.headers.add("X-Forwarded-For", "127.0.0.1");
        Some(())
    })
}

/// A signature of letters beyond ASCII.
fn with_other_bytes() -> Case {
    changed(|_, delivery, _| {
        delivery.headers.set(SIGNATURE_HEADER, vec![0xe9; 64]);
        Some(())
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests;
