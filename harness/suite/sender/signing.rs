//! SIG and NON: the headers that let a receiver tell who sent a delivery.
//!
//! Invariant: what is verified is the bytes that arrived, under the secret that the webhook was registered with.

use std::collections::HashSet;

use bytes::Bytes;

use super::attempts;
use super::https::{and_over_https, each_either_way, each_over_https};
use crate::peers::fault::{Faults, SenderFault};
use crate::redaction::spelled::{SHORTEST, place_of};
use crate::suite::cause::{Cause, Code, sender};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Verdict};
use crate::suite::sender::judge::{Arrived, each, every_delivery, generated};
use crate::suite::sender::scenarios::{
    EVERY_EVENT, GENERATED, HTTPS, NOT_ACKNOWLEDGED, SEVERAL_WEBHOOKS, UNANSWERED, UNSIGNED,
};
use crate::suite::transcript::{Capability, Transcript, Webhook};
use crate::webhook::dialect::rfc3339;
use crate::webhook::signature::{Key, NONCE_HEADER, SIGNATURE_HEADER, Secret, Signature, TIMESTAMP_HEADER};

/// The requirements of this group.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "SIG-1",
        title: "signature header",
        binds: Binds::Sender(Recorded::ShowsWithSecret),
        level: Level::Must,
        check_id: "sender/signing/signature-present",
        text: "With a secret set, X-Twenty-Webhook-Signature is there exactly once.",
        source: "D",
        why: "Without it every careful receiver refuses the delivery; with two of them nobody knows which counts.",
        scenarios: &[&EVERY_EVENT, &GENERATED, &HTTPS],
        needs: None,
        check: |_, t| each_either_way(t, |arrived| exactly_once(arrived, SIGNATURE_HEADER)),
        counterexamples: Faults::Sender(&[
            SenderFault::SignatureMissing,
            SenderFault::SignatureDoubled,
            SenderFault::SignatureRenamed,
        ]),
    },
    Requirement {
        id: "SIG-2",
        title: "timestamp header",
        binds: Binds::Sender(Recorded::ShowsWithSecret),
        level: Level::Must,
        check_id: "sender/signing/timestamp-present",
        text: "With a secret set, X-Twenty-Webhook-Timestamp is there exactly once.",
        source: "D",
        why: "The signature cannot be computed without it.",
        scenarios: &[&EVERY_EVENT, &GENERATED, &HTTPS],
        needs: None,
        check: |_, t| each_either_way(t, |arrived| exactly_once(arrived, TIMESTAMP_HEADER)),
        counterexamples: Faults::Sender(&[
            SenderFault::TimestampHeaderMissing,
            SenderFault::TimestampHeaderDoubled,
            SenderFault::TimestampHeaderRenamed,
        ]),
    },
    Requirement {
        id: "SIG-3",
        title: "64 hex digits",
        binds: Binds::Sender(Recorded::ShowsWithSecret),
        level: Level::Must,
        check_id: "sender/signing/hexadecimal",
        text: "The signature is 64 hexadecimal digits and nothing else.",
        source: "D",
        why: "Receivers compare it as text, or decode it as hexadecimal; a prefix or base64 matches nothing.",
        scenarios: &[&EVERY_EVENT, &GENERATED],
        needs: None,
        check: |_, t| every_delivery(t, |arrived| hexadecimal(t, arrived)),
        counterexamples: Faults::Sender(&[
            SenderFault::SignatureBase64,
            SenderFault::SignaturePrefixed,
            SenderFault::SignatureTruncated,
            SenderFault::SignatureBase64Url,
            SenderFault::SignsSha1,
            SenderFault::SignsSha512,
        ]),
    },
    Requirement {
        id: "SIG-10",
        title: "lowercase digits",
        binds: Binds::Sender(Recorded::ShowsWithSecret),
        level: Level::Should,
        check_id: "sender/signing/lowercase",
        text: "The digits are lowercase.",
        source: "D (sample), S",
        why: "Receivers that compare text with text refuse the same digits in upper case.",
        scenarios: &[&EVERY_EVENT],
        needs: None,
        check: |_, t| each(t, EVERY_EVENT.name, lowercase),
        counterexamples: Faults::Sender(&[SenderFault::SignatureUppercase]),
    },
    Requirement {
        id: "SIG-4",
        title: "signature matches",
        binds: Binds::Sender(Recorded::ShowsWithSecret),
        level: Level::Must,
        check_id: "sender/signing/genuine",
        text: "It is HMAC-SHA256 under the secret's UTF-8 bytes of: timestamp header value, `:`, the body bytes as sent.",
        source: "D",
        why: "It is what every receiver computes. The documentation's own sample stringifies the payload twice and \
              gives a signature that no receiver accepts.",
        scenarios: &[&EVERY_EVENT, &SEVERAL_WEBHOOKS, &GENERATED, &HTTPS],
        needs: None,
        check: |_, t| every_secret(t),
        counterexamples: Faults::Sender(&[
            SenderFault::SignsBodyAlone,
            SenderFault::SignsWithDot,
            SenderFault::SignsTwiceStringified,
            SenderFault::SignsHexDecodedKey,
            SenderFault::SignsSha1,
            SenderFault::SignsHexKeyBodyAlone,
            SenderFault::SignsTrimmedKey,
            SenderFault::KeyCutAt64Bytes,
            SenderFault::SignsSeconds,
            SenderFault::SignsOtherTimestamp,
            SenderFault::SignsCompactSendsSpaced,
            SenderFault::SignsSorted,
            SenderFault::SignsSha512,
            SenderFault::SignsUnkeyed,
        ]),
    },
    Requirement {
        id: "SIG-5",
        title: "timestamp in milliseconds",
        binds: Binds::Sender(Recorded::ShowsWithSecret),
        level: Level::Should,
        check_id: "sender/signing/timestamp-form",
        text: "The timestamp is decimal milliseconds since the epoch, within the skew allowance of the send time.",
        source: "D (sample), S",
        why: "Receivers hold it against their own clock to refuse what is replayed.",
        scenarios: &[&EVERY_EVENT],
        needs: None,
        check: |_, t| each(t, EVERY_EVENT.name, |arrived| timestamp_form(t, arrived)),
        counterexamples: Faults::Sender(&[
            SenderFault::TimestampHeaderSeconds,
            SenderFault::TimestampHeaderIso,
            SenderFault::TimestampHeaderStale,
        ]),
    },
    Requirement {
        id: "SIG-6",
        title: "each webhook's own secret",
        binds: Binds::Sender(Recorded::Cannot("the traffic is that of one webhook")),
        level: Level::Must,
        check_id: "sender/signing/own-secret",
        text: "Each webhook's deliveries are signed under its own secret.",
        source: "D",
        why: "Endpoints belong to different parties; each knows its own secret only.",
        scenarios: &[&SEVERAL_WEBHOOKS, &GENERATED],
        needs: None,
        check: |_, t| own_secret(t),
        counterexamples: Faults::Sender(&[SenderFault::KeyOfAnotherWebhook]),
    },
    Requirement {
        id: "SIG-7",
        title: "retries are signed",
        binds: Binds::Sender(Recorded::Cannot("traffic alone does not show it")),
        level: Level::Must,
        check_id: "sender/signing/further-attempts",
        text: "A further attempt at the same delivery verifies too.",
        source: "D",
        why: "A signature that was stored with the first attempt does not fit a timestamp that is made anew, and a queue \
              that forgets the headers sends what every receiver refuses.",
        scenarios: &[&UNANSWERED, &NOT_ACKNOWLEDGED],
        needs: None,
        check: |_, t| attempts::verified(t),
        counterexamples: Faults::Sender(&[
            SenderFault::RetriesUnsigned,
            SenderFault::RetriesWithOldSignature,
        ]),
    },
    Requirement {
        id: "SIG-8",
        title: "secret stays secret",
        binds: Binds::Sender(Recorded::ShowsWithSecret),
        level: Level::Must,
        check_id: "sender/signing/secret-kept",
        text: "The secret appears nowhere in the request.",
        source: "D, S",
        why: "Whoever reads the request could sign their own from then on.",
        scenarios: &[&EVERY_EVENT, &SEVERAL_WEBHOOKS, &GENERATED],
        needs: None,
        check: |_, t| under_any_secret(t, secret_kept),
        counterexamples: Faults::Sender(&[SenderFault::SecretInHeader, SenderFault::SecretInBody]),
    },
    Requirement {
        id: "SIG-9",
        title: "unsigned without a secret",
        binds: Binds::Sender(Recorded::Cannot("traffic alone does not show it")),
        level: Level::Advice,
        check_id: "sender/signing/unsigned",
        text: "Without a secret no signature header is sent.",
        source: "S",
        why: "A signature under an empty key can be made by anybody, and looks like proof.",
        scenarios: &[&UNSIGNED],
        needs: Some(Capability::Unsigned),
        check: |_, t| each(t, UNSIGNED.name, |arrived| unsigned(t, arrived)),
        counterexamples: Faults::Sender(&[SenderFault::SignsWithoutSecret]),
    },
    Requirement {
        id: "NON-1",
        title: "nonce",
        binds: Binds::Sender(Recorded::ShowsWithSecret),
        level: Level::Must,
        check_id: "sender/signing/nonce",
        text: "In dialect shipped, X-Twenty-Webhook-Nonce is 32 lowercase hex digits, different on every request.",
        source: "S",
        why: "Receivers that keep nonces refuse a second request with the same one.",
        scenarios: &[&EVERY_EVENT],
        needs: None,
        check: |_, t| nonce(t),
        counterexamples: Faults::Sender(&[SenderFault::NonceConstant, SenderFault::NonceMissing]),
    },
];

/// The value of a header, where it stands exactly once; if not, SIG-1 and SIG-2 say so.
fn single<'a>(arrived: &Arrived<'a>, name: &str) -> Result<&'a [u8], Verdict> {
    let value = arrived.exchange.delivery.headers.single(name);
    value
        .map(|value| &**value)
        .ok_or_else(|| Verdict::Inconclusive(format!("{name} is not there exactly once")))
}

fn shown(value: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(value))
}

fn exactly_once(arrived: &Arrived<'_>, name: &str) -> Result<Verdict, Verdict> {
    let count = arrived.exchange.delivery.headers.all(name).count();
    let renamed = if count == 0 { renamed(arrived, name) } else { None };
    let cause = match (count, &renamed) {
        (1, _) => return Ok(Verdict::Pass),
        (0, Some(other)) => Cause::detailed(Code::HeaderName, other.as_str()),
        (0, None) => Cause::detailed(Code::HeaderMissing, name),
        _ => Cause::detailed(Code::HeaderDuplicate, name),
    };
    let under = renamed.map(|other| format!("; its value stands under {other}")).unwrap_or_default();
    let message = format!("the request has {count} headers {name}{under}");
    Ok(arrived.evidence("1", count.to_string(), message).because(cause).fail())
}

/// Under which other name a header stands: signature and timestamp verify, whichever headers they stand in.
fn renamed(arrived: &Arrived<'_>, name: &str) -> Option<String> {
    let (key, body) = (Key::new(arrived.webhook.secret.as_ref()?), arrived.whole_body().ok()?);
    let headers = &arrived.exchange.delivery.headers.0;
    // What cannot be a signature, or a timestamp, needs no hash.
    let signatures = headers.iter().filter(|(_, value)| Signature::parse(value).is_some());
    let short = |(_, value): &&(String, Bytes)| (1..=40).contains(&value.len());
    signatures.take(4).find_map(|(signature_name, signature)| {
        let verifies = |(_, timestamp): &&(String, Bytes)| key.verify(timestamp, body, signature);
        let (timestamp_name, _) = headers.iter().filter(short).find(verifies)?;
        let found = if name == SIGNATURE_HEADER { signature_name } else { timestamp_name };
        (!found.eq_ignore_ascii_case(name)).then(|| found.clone())
    })
}

/// The wrong way of signing that gives this delivery's signature.
fn mismatch(
    t: &Transcript,
    webhook: &Webhook,
    timestamp: &[u8],
    body: &[u8],
    signature: &[u8],
) -> Option<Cause> {
    let secret = webhook.secret.as_ref().map_or("", Secret::expose);
    let others = t.webhooks.iter().filter_map(|other| other.secret.as_ref()).map(Secret::expose);
    let others: Vec<&str> = others.filter(|other| *other != secret).collect();
    sender::signature(secret, &others, timestamp, body, signature)
}

fn hexadecimal(t: &Transcript, arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let signature = single(arrived, SIGNATURE_HEADER)?;
    if Signature::parse(signature).is_some() {
        return Ok(Verdict::Pass);
    }
    let timestamp = single(arrived, TIMESTAMP_HEADER).unwrap_or_default();
    let cause =
        arrived.whole_body().ok().and_then(|body| mismatch(t, arrived.webhook, timestamp, body, signature));
    let message = format!("the signature is {}", shown(signature));
    Ok(arrived.evidence("64 hexadecimal digits", shown(signature), message).because(cause).fail())
}

fn lowercase(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let signature = single(arrived, SIGNATURE_HEADER)?;
    if Signature::parse(signature).is_none() {
        return Err(Verdict::Inconclusive("the signature is not 64 hexadecimal digits".to_owned()));
    }
    if !signature.iter().any(u8::is_ascii_uppercase) {
        return Ok(Verdict::Pass);
    }
    let message = format!("the signature is {}", shown(signature));
    let cause = Cause::detailed(Code::DigestEncoding, "upper");
    Ok(arrived.evidence("lowercase digits", shown(signature), message).because(cause).fail())
}

fn unsigned(t: &Transcript, arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let headers = &arrived.exchange.delivery.headers;
    let Some(signature) = headers.all(SIGNATURE_HEADER).next() else { return Ok(Verdict::Pass) };
    let timestamp = headers.single(TIMESTAMP_HEADER).map(|value| &**value).unwrap_or_default();
    let body = arrived.whole_body()?;
    let cause = if Key::new(&Secret::new("")).verify(timestamp, body, signature) {
        Some(Cause::new(Code::KeyEmpty))
    } else {
        mismatch(t, arrived.webhook, timestamp, body, signature)
    };
    let message = "a webhook without a secret gets a signature";
    Ok(arrived.evidence("no signature", shown(signature), message).because(cause).fail())
}

/// The key of the webhook that a delivery came to, which every one has but those that are to be unsigned.
fn key_of(arrived: &Arrived<'_>) -> Result<Key, Verdict> {
    let secret = arrived.webhook.secret.as_ref();
    secret.map(Key::new).ok_or_else(|| Verdict::Inconclusive("the webhook has no secret".to_owned()))
}

pub(crate) fn valid(t: &Transcript, arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let (signature, timestamp) = (single(arrived, SIGNATURE_HEADER)?, single(arrived, TIMESTAMP_HEADER)?);
    let body = arrived.whole_body()?;
    let key = key_of(arrived)?;
    if key.verify(timestamp, body, signature) {
        return Ok(Verdict::Pass);
    }
    let cause = mismatch(t, arrived.webhook, timestamp, body, signature);
    if cause.as_ref().is_some_and(|cause| cause.code == Code::KeyOtherWebhook && cause.detail.is_none()) {
        // Rightly signed, under the wrong one of the secrets: that is for SIG-6 to say.
        return Ok(Verdict::Pass);
    }
    let form_only = cause.as_ref().is_none_or(|cause| {
        [Code::DigestEncoding, Code::DigestPrefix, Code::DigestTruncated].contains(&cause.code)
    });
    if Signature::parse(signature).is_none() && form_only {
        return Err(Verdict::Inconclusive("the signature is not 64 hexadecimal digits".to_owned()));
    }
    let why = cause.as_ref().map_or("no known way of signing gives it", |cause| cause.code.text());
    let message = format!("the signature does not match the request: {why}");
    let expected = key.sign(timestamp, body).to_hex();
    Ok(arrived.evidence(expected, String::from_utf8_lossy(signature), message).because(cause).fail())
}

/// Under every kind of secret: hexadecimal digits, text beyond ASCII, white space at the ends, generated ones.
fn every_secret(t: &Transcript) -> Verdict {
    let valid = |arrived: &Arrived<'_>| valid(t, arrived);
    and_over_https(t, under_any_secret(t, valid), |t| each_over_https(t, valid))
}

/// One verdict on every delivery under secrets of any kind.
fn under_any_secret(t: &Transcript, judge: impl Fn(&Arrived<'_>) -> Result<Verdict, Verdict>) -> Verdict {
    let both = [EVERY_EVENT.name, SEVERAL_WEBHOOKS.name];
    // Recorded traffic is that of one webhook.
    let played = both.into_iter().filter(|&scenario| !(t.recorded && scenario == SEVERAL_WEBHOOKS.name));
    let fixed = of_all(played.map(|scenario| each(t, scenario, &judge)), "", "scenarios");
    fixed.or_fail(|| generated(t, judge))
}

fn timestamp_form(t: &Transcript, arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let timestamp = single(arrived, TIMESTAMP_HEADER)?;
    let at_ms = arrived.exchange.at_ms;
    let digits =
        std::str::from_utf8(timestamp).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let ms: Option<u64> = digits.and_then(|digits| digits.parse().ok());
    let skew = u64::try_from(t.limits.skew.as_millis()).unwrap_or(u64::MAX);
    // A delivery may have waited for its turn between signing and arriving, but not longer than the sender may take.
    let wait = u64::try_from(t.limits.deadline.as_millis()).unwrap_or(u64::MAX);
    let near =
        |ms: u64| ms <= at_ms.saturating_add(skew) && ms >= at_ms.saturating_sub(skew.saturating_add(wait));
    let (detail, words) = match ms {
        Some(ms) if near(ms) => return Ok(Verdict::Pass),
        Some(ms) if near(ms.saturating_mul(1000)) => ("seconds", "in seconds"),
        Some(ms) if near(ms / 1000) => ("microseconds", "in microseconds"),
        Some(_) => ("not the time of sending", "not the time of sending"),
        None => ("not decimal digits", "not decimal digits"),
    };
    let message = format!("the timestamp header {} is {words}", shown(timestamp));
    let cause = Cause::detailed(Code::HeaderTimestampFormat, detail);
    let expected = format!("milliseconds near {at_ms} ({})", rfc3339(at_ms));
    Ok(arrived.evidence(expected, shown(timestamp), message).because(cause).fail())
}

fn own_secret(t: &Transcript) -> Verdict {
    let judge = |arrived: &Arrived<'_>| under_its_own(t, arrived);
    each(t, SEVERAL_WEBHOOKS.name, judge).or_fail(|| generated(t, judge))
}

fn under_its_own(t: &Transcript, arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let (signature, timestamp) = (single(arrived, SIGNATURE_HEADER)?, single(arrived, TIMESTAMP_HEADER)?);
    let body = arrived.whole_body()?;
    if key_of(arrived)?.verify(timestamp, body, signature) {
        return Ok(Verdict::Pass);
    }
    let cause = mismatch(t, arrived.webhook, timestamp, body, signature);
    match cause {
        Some(cause) if cause.code == Code::KeyOtherWebhook => {
            let message = "a delivery is signed under the secret of another webhook";
            Ok(arrived.evidence("its own secret", "another's", message).because(cause).fail())
        }
        _ => Err(Verdict::Inconclusive(
            "the signature matches under no webhook's secret (see SIG-4)".to_owned(),
        )),
    }
}

fn secret_kept(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let Some(secret) = &arrived.webhook.secret else {
        return Err(Verdict::Inconclusive("the webhook has no secret".to_owned()));
    };
    if secret.expose().len() < SHORTEST {
        let why = format!("a secret of fewer than {SHORTEST} bytes stands in any text by chance");
        return Err(Verdict::Inconclusive(why));
    }
    let Some(place) = place_of(secret, &arrived.exchange.delivery) else { return Ok(Verdict::Pass) };
    let message = format!("the webhook's secret stands in {place}");
    let cause = Cause::detailed(Code::SendSecretLeak, place.clone());
    Ok(arrived.evidence("nowhere", place, message).because(cause).fail())
}

fn nonce(t: &Transcript) -> Verdict {
    if !t.dialect.nonce {
        return Verdict::NotApplicable(format!("dialect {} has no nonce", t.dialect.name));
    }
    let arrived: Vec<_> =
        t.arrivals_in(EVERY_EVENT.name).map(|(_, arrival)| t.exchange(arrival.exchange)).collect();
    let mut seen = HashSet::new();
    let verdicts = arrived.iter().map(|exchange| {
        let nonce = exchange.delivery.headers.single(NONCE_HEADER);
        let formed = |nonce: &[u8]| {
            nonce.len() == 32 && nonce.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let (detail, actual) = match nonce {
            None => ("missing", "not there exactly once".to_owned()),
            Some(nonce) if !formed(nonce) => ("malformed", shown(nonce)),
            Some(nonce) if !seen.insert(nonce) => ("repeated", shown(nonce)),
            Some(_) => return Verdict::Pass,
        };
        let message = format!("the nonce is {detail}: {actual}");
        Evidence::new("32 lowercase hexadecimal digits, used once", actual, message)
            .shown_by([exchange.id])
            .because(Cause::detailed(Code::SendNonce, detail))
            .fail()
    });
    of_all(verdicts, "no delivery arrived", "deliveries")
}
