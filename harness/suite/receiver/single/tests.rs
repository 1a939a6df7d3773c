//! Each broken delivery is rejected by the reference receiver, and not by a mutant that has the cause.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::{Code, Signed, code, codes};
use crate::clock::Clock;
use crate::peers::fault::ReceiverFault as F;
use crate::peers::mutant::receiver::Mutant;
use crate::peers::receiver::Settings;
use crate::webhook::dialect;
use crate::webhook::manner::Manner;
use crate::webhook::recipe::{Digest, KeyForm, Recipe};
use crate::webhook::signature::{SIGNATURE_HEADER, Secret};
use crate::wire::endpoint::Handler;
use crate::wire::exchange::Delivery;

const NOW_MS: u64 = 1_735_066_639_761;
/// Hexadecimal digits, which are base64 too, in both cases of letters.
const SECRET: &str = "Aa6b2D9c41f0Ee73b85c0D1a2F3b4C5d";

/// The fault with this cause. Those of the kill matrix have no mutant for two ways of signing, which have one here.
fn fault(code: Code) -> Result<F, Recipe> {
    use Code as C;
    Ok(match code {
        C::KeyBase64Decoded => return Err(Recipe::key(KeyForm::Base64Decoded)),
        C::DigestAppended => return Err(Recipe::digest(Digest::Appended)),
        C::MessageBodyAlone => F::VerifiesBodyAlone,
        C::MessageSeparator => F::VerifiesWithDot,
        C::MessageDoubleStringified => F::VerifiesTwiceStringified,
        C::MessageTimestampUnit => F::VerifiesSeconds,
        C::MessageTimestampDiffers => F::ReprintsTimestamp,
        C::MessagePart => F::AcceptsTimestampAlone,
        C::MessagePrefixOrNewline => F::VerifiesTrimmedBody,
        C::MessageReserialised => F::HashesAsJavascript,
        C::MessageTextEncoding => F::VerifiesTextAsAscii,
        C::MessageBodyConsumed => F::VerifiesConsumedBody,
        C::MessageBodyBase64 => F::VerifiesBase64Body,
        C::MessageBytesLiteral => F::VerifiesBytesLiteral,
        C::MessageSecretMember => F::StripsSecretMember,
        C::MessageMembersDropped => F::IgnoresAddedMembers,
        C::KeyPrefix => F::VerifiesKeyWithNewline,
        C::KeyHexDecoded => F::VerifiesHexDecodedKey,
        C::KeyTrimmed => F::AcceptsCaseFoldedKey,
        C::KeyConfiguration => F::VerifiesQuotedKey,
        C::KeyEmpty => F::AcceptsEmptyKey,
        C::KeyOtherWebhook => F::VerifiesDefaultSecret,
        C::DigestEncoding => F::AcceptsBase64,
        C::DigestPrefix => F::RequiresShaPrefix,
        C::DigestTruncated => F::AcceptsPrefix,
        C::DigestTrailing => F::AcceptsTrailing,
        C::DigestAlgorithm => F::VerifiesSha1,
        C::HeaderDuplicate => F::AcceptsFirstSignature,
        C::HeaderTimestampFormat => F::AcceptsAnyTimestamp,
        C::HeaderName => F::ReadsOtherHeader,
        C::HeaderMissing | C::AcceptsUnsigned => F::AcceptsMissingSignature,
        C::ClockOff => F::ClockAhead,
        C::ClockOneSided => F::OnlyTheFuture,
        C::AcceptsEverything => F::AcceptsEverything,
        C::AcceptsAlternative => F::AcceptsBodyAlone,
        C::AcceptsReplayed => F::IgnoresAlteredValues,
        C::AcceptsStale | C::AcceptsFuture => F::NoWindow,
        C::AcceptsMalformed => F::AcceptsMalformed,
        C::AcceptsTimestampFormat => F::AcceptsNaN,
        C::AcceptsBackDoor => F::TrustsForwardedFor,
        C::CrashSignatureLength => F::ThrowsOnLength,
        C::CrashHeaderBytes => F::ThrowsOnHeaderBytes,
        C::CrashMalformedJson => F::AnswersMalformedWith500,
        C::AnswerStatus => F::RejectsWith500,
        _ => panic!("{code:?} has a delivery, but no mutant"),
    })
}

/// The status of the answer to the last of these deliveries.
fn status(receiver: &Mutant, deliveries: [&Delivery; 2]) -> Option<u16> {
    let answers = deliveries.map(|one| receiver.handle(one.clone()).now_or_never().flatten());
    answers.into_iter().next_back().flatten().map(|answer| answer.status)
}

#[test]
fn broken_deliveries_are_rejected_and_their_mutants_do_not_reject_them() {
    let signed = |dialect| Signed { dialect, secret: Secret::new(SECRET), now_ms: NOW_MS };
    let settings = || Settings::new(Secret::new(SECRET));
    let observer = || Arc::new(|_| {});
    for dialect in dialect::ALL {
        let signed = signed(dialect);
        let body = signed.sample("person.created").unwrap();
        let valid = signed.valid(body.clone());
        for code in codes() {
            let made = signed.broken(code, body.clone()).unwrap();
            let sound = Mutant::sound(settings(), Clock::fixed(NOW_MS), observer());
            // What is replayed was accepted before.
            assert!(matches!(status(&sound, [&valid, &made]), Some(400..500)), "{code:?}");
            assert_eq!(status(&sound, [&made, &valid]), Some(200), "{code:?}");
            let clock = Clock::fixed(NOW_MS);
            let faulty = match fault(code) {
                Ok(fault) => Mutant::new(fault, settings(), clock, Duration::ZERO, observer()),
                Err(recipe) => Mutant::sound(settings(), clock, observer())
                    .wanting(Manner { recipe, ..Manner::CONTRACT }),
            };
            let answered = status(&faulty, [&valid, &made]);
            let name = code.as_str();
            let is_shown = if name.starts_with("crash.") || name == "answer.status" {
                answered == Some(500)
            } else {
                answered == Some(200)
            };
            assert!(is_shown, "{name}: its mutant answers {answered:?}");
        }
    }
}

#[test]
fn unusable_causes_say_why() {
    let signed = Signed { dialect: &dialect::DOCUMENTED, secret: Secret::new("s3cr3t"), now_ms: NOW_MS };
    let body = signed.sample("person.created").unwrap();
    assert!(code("accepts.stal").unwrap_err().contains("did you mean accepts.stale?"));
    let valid_only = signed.broken(Code::RefusesLarge, body.clone()).unwrap_err();
    assert!(valid_only.contains("refuses.large"), "{valid_only}");
    assert!(signed.broken(Code::KeyHexDecoded, body).unwrap_err().contains("hexadecimal"));
    assert!(signed.broken(Code::MessageReserialised, "[1]".into()).unwrap_err().contains("JSON object"));
    assert!(signed.sample("persn.created").unwrap_err().contains("persn.created"));
}

#[test]
fn key_is_cut_where_the_secret_has_what_is_cut() {
    let of = |secret: &str, code| {
        let signed = Signed { dialect: &dialect::DOCUMENTED, secret: Secret::new(secret), now_ms: NOW_MS };
        signed.broken(code, "{}".into()).unwrap().headers.single(SIGNATURE_HEADER).cloned()
    };
    let under = |key: &str| {
        let signed = Signed { dialect: &dialect::DOCUMENTED, secret: Secret::new(key), now_ms: NOW_MS };
        signed.valid("{}".into()).headers.single(SIGNATURE_HEADER).cloned()
    };
    assert_eq!(of("  s3cr3t ", Code::KeyTrimmed), under("s3cr3t"));
    assert_eq!(of("S3cr3t", Code::KeyTrimmed), under("s3cr3t"));
    assert_eq!(of("whsec_s3cr3t", Code::KeyPrefix), under("s3cr3t"));
    assert_eq!(of("s3cr3t", Code::KeyPrefix), under("s3cr3t\n"));
    let at = Signed { dialect: &dialect::DOCUMENTED, secret: Secret::new("s"), now_ms: 1 };
    assert!(at.broken(Code::AcceptsStale, "{}".into()).unwrap_err().contains("older than a day"));
}
