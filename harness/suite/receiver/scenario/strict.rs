//! What a strict receiver does not acknowledge: forms, times, methods and ways in beside the contract's.
//!
//! Invariant: each is made from the twin that was sent right before it, and differs from it in one respect.

use bytes::Bytes;

use super::case::{Case, Change};
use super::maker::Maker;
use super::spelling::{self, Reformat};
use crate::suite::transcript::{Respect, ScenarioName};
use crate::webhook::dialect::rfc3339;
use crate::webhook::recipe::{Message, Recipe};
use crate::webhook::serialiser::Serialiser;
use crate::webhook::signature::{NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::wire::exchange::Delivery;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A form of timestamp: what it is, and how it is made of the present time.
type Form = (&'static str, fn(u64) -> String);
/// Another time: in which respect it is, how it is called, and how it is made of the present one.
type Time = (Respect, &'static str, fn(u64) -> u64);
/// A body that is no delivery: what it is, and how it is made of one that is.
type Malformation = (&'static str, fn(&Bytes) -> Bytes);

/// The fixed cases of a scenario.
pub(crate) fn cases(scenario: ScenarioName, secret: &str) -> Vec<Case<'static>> {
    match scenario.0 {
        "surrounded" => surrounded(SURROUNDED),
        "signature-length" => surrounded(SIGNATURE_LENGTHS),
        "timestamp-form" => timestamp_form(),
        "stale" => stale(),
        "malformed" => malformed(),
        "unsigned-malformed" => unsigned_malformed(),
        "other-method" => other_method(),
        "back-door" => back_door(secret),
        "reformatted" => reformatted(),
        _ => Vec::new(),
    }
}

fn surrounded(changes: &'static [(&'static str, Change)]) -> Vec<Case<'static>> {
    let case = |&(what, change): &(&'static str, Change)| {
        Case::forged(format!("a delivery with {what}"), Respect::Surrounded(what), change)
    };
    changes.iter().map(case).collect()
}

fn timestamp_form() -> Vec<Case<'static>> {
    let forms: [Form; 8] = [
        ("abc", |_| "abc".to_owned()),
        ("NaN", |_| "NaN".to_owned()),
        ("an ISO date", rfc3339),
        ("a plus sign", |now_ms| format!("+{now_ms}")),
        ("a negative number", |_| "-1".to_owned()),
        ("a fraction", |now_ms| format!("{now_ms}.5")),
        ("an exponent", |now_ms| format!("{}e3", now_ms / 1000)),
        ("spaces between the digits", |now_ms| {
            let digits = now_ms.to_string();
            let (first, rest) = digits.split_at(digits.len().min(4));
            format!("{first} {rest}")
        }),
    ];
    let form = |(which, form): Form| {
        let what = format!("a delivery correctly signed under a timestamp that is {which}");
        Case::forged(what, Respect::TimestampForm(which), move |maker, delivery, _| {
            maker.date(delivery, form(maker.clock.now_ms()).as_bytes());
            Some(())
        })
    };
    // The same signed text, cut at a later colon.
    let moved = |_: &Maker, delivery: &mut Delivery, timestamp: &str| {
        let colon = delivery.body.iter().position(|&byte| byte == b':')?;
        let moved = [timestamp.as_bytes(), b":", &delivery.body[..colon]].concat();
        delivery.headers.set(TIMESTAMP_HEADER, moved);
        delivery.body = delivery.body.slice(colon + 1..);
        Some(())
    };
    let which = Respect::TimestampForm("text moved over the colon");
    let moved = Case::forged("a delivery with text moved over the colon", which, moved);
    forms.into_iter().map(form).chain([moved]).collect()
}

fn stale() -> Vec<Case<'static>> {
    let times: [Time; 3] = [
        (Respect::Stale("a day"), "for a day ago", |now_ms| now_ms.saturating_sub(DAY_MS)),
        (Respect::Future, "for tomorrow", |now_ms| now_ms + DAY_MS),
        (Respect::Stale("seconds"), "in seconds", |now_ms| now_ms / 1000),
    ];
    let case = |(respect, what, time): Time| {
        Case::forged(format!("a delivery correctly signed {what}"), respect, move |maker, delivery, _| {
            maker.date(delivery, time(maker.clock.now_ms()).to_string().as_bytes());
            Some(())
        })
    };
    times.into_iter().map(case).collect()
}

fn malformed() -> Vec<Case<'static>> {
    let case = |which: &'static str, body: fn(&Bytes) -> Bytes| {
        let what = format!("a correctly signed body that is {which}");
        Case::forged(what, Respect::Malformed(which), move |maker, delivery, timestamp| {
            delivery.body = body(&delivery.body);
            maker.date(delivery, timestamp.as_bytes());
            Some(())
        })
    };
    MALFORMED.iter().map(|&(which, body)| case(which, body)).collect()
}

fn unsigned_malformed() -> Vec<Case<'static>> {
    let bodies: [(&str, Option<&'static [u8]>); 4] = [
        ("well-formed", None),
        ("truncated JSON", Some(b"{\"event\":\"person.cr")),
        ("not UTF-8", Some(b"{\"event\":\"\xff\"}")),
        ("empty", Some(b"")),
    ];
    let case = |(which, body): (&str, Option<&'static [u8]>)| {
        Case::forged(format!("an unsigned body that is {which}"), Respect::Unsigned, move |_, delivery, _| {
            unsign(delivery);
            if let Some(body) = body {
                delivery.body = Bytes::from_static(body);
            }
            Some(())
        })
    };
    bodies.into_iter().map(case).collect()
}

fn other_method() -> Vec<Case<'static>> {
    let case = |method: &'static str| {
        let what = format!("a correctly signed delivery by {method}");
        Case::forged(what, Respect::Method, move |_, delivery, _| {
            method.clone_into(&mut delivery.method);
            Some(())
        })
    };
    ["GET", "PUT", "PATCH", "DELETE"].into_iter().map(case).collect()
}

fn back_door(secret: &str) -> Vec<Case<'static>> {
    let mut cases = Vec::new();
    for header in ["X-Forwarded-For", "X-Real-IP", "Forwarded"] {
        for address in ["127.0.0.1", "10.0.0.1", "172.18.0.2"] {
            let value = if header == "Forwarded" { format!("for={address}") } else { address.to_owned() };
            cases.push(unsigned_with(header, header, value));
        }
    }
    // A secret that no header can carry has no such way in.
    if secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        cases.push(unsigned_with("Authorization: Bearer", "Authorization", format!("Bearer {secret}")));
        for header in ["X-Webhook-Secret", "X-Twenty-Webhook-Secret", "X-Twenty-Webhook-Token"] {
            cases.push(unsigned_with(header, header, secret.to_owned()));
        }
    }
    for body in [&b"{\"event\":\"ping\"}"[..], b"{\"type\":\"ping\"}", b"{\"ping\":true}"] {
        cases.push(Case::forged("an unsigned ping", Respect::BackDoor("ping"), move |_, delivery, _| {
            unsign(delivery);
            delivery.body = Bytes::from_static(body);
            Some(())
        }));
    }
    cases
}

fn unsigned_with(which: &'static str, header: &'static str, value: String) -> Case<'static> {
    let what = format!("an unsigned delivery with {which}");
    Case::forged(what, Respect::BackDoor(which), move |_, delivery, _| {
        unsign(delivery);
        delivery.headers.set(header, value.clone());
        Some(())
    })
}

fn reformatted() -> Vec<Case<'static>> {
    let case = |&(which, reformat): &(&'static str, Reformat)| {
        let what = format!("a delivery respelled behind its signature: {which}");
        Case::forged(what, Respect::Reformatted(which), move |_, delivery, _| {
            delivery.body = reformat(std::str::from_utf8(&delivery.body).ok()?)?.into();
            Some(())
        })
    };
    spelling::REFORMATTINGS.iter().map(case).chain(Serialiser::ALL.iter().map(reserialised)).collect()
}

/// A delivery whose signature is over what a serialiser makes of its body: only who hashes that takes it.
fn reserialised(&serialiser: &Serialiser) -> Case<'static> {
    let recipe = Recipe::message(Message::Reserialised(serialiser));
    let what = format!("a delivery signed {}", recipe.describe());
    Case::forged(what, Respect::Signed(recipe), move |maker, delivery, timestamp| {
        let value = recipe.compute(maker.secret.expose(), timestamp.as_bytes(), &delivery.body)?;
        delivery.headers.set(SIGNATURE_HEADER, value);
        Some(())
    })
    .of_record_with(format!("\"probe\":{}", Serialiser::probe()))
}

fn unsign(delivery: &mut Delivery) {
    for name in [SIGNATURE_HEADER, TIMESTAMP_HEADER, NONCE_HEADER] {
        delivery.headers.remove(name);
    }
}

/// The right signature with something around it, made from its digits.
fn around(delivery: &mut Delivery, change: impl Fn(&str) -> String) -> Option<()> {
    let signature = delivery.headers.single(SIGNATURE_HEADER)?.clone();
    let signature = change(std::str::from_utf8(&signature).ok()?);
    delivery.headers.set(SIGNATURE_HEADER, signature);
    Some(())
}

/// A bogus signature beside the genuine one.
fn beside(delivery: &mut Delivery, valid_first: bool) -> Option<()> {
    let valid = delivery.headers.single(SIGNATURE_HEADER)?.clone();
    let bogus = Bytes::from("0".repeat(64));
    delivery.headers.remove(SIGNATURE_HEADER);
    let both = if valid_first { [valid, bogus] } else { [bogus, valid] };
    both.into_iter().for_each(|value| delivery.headers.add(SIGNATURE_HEADER, value));
    Some(())
}

const SURROUNDED: &[(&str, Change)] = &[
    ("letters behind the digits", |_, delivery, _| around(delivery, |digits| format!("{digits}zz"))),
    ("digits behind the digits", |_, delivery, _| around(delivery, |digits| format!("{digits}00"))),
    ("an odd digit behind the digits", |_, delivery, _| around(delivery, |digits| format!("{digits}0"))),
    ("`sha256=` before the digits", |_, delivery, _| around(delivery, |digits| format!("sha256={digits}"))),
    ("a bogus signature behind the genuine one", |_, delivery, _| beside(delivery, true)),
    ("a bogus signature before the genuine one", |_, delivery, _| beside(delivery, false)),
];

const SIGNATURE_LENGTHS: &[(&str, Change)] = &[
    ("a signature of no digits", |_, delivery, _| around(delivery, |_| String::new())),
    ("a signature of one digit", |_, delivery, _| around(delivery, |digits| digits[..1].to_owned())),
    ("a signature of 63 digits", |_, delivery, _| around(delivery, |digits| digits[..63].to_owned())),
    ("a signature of 65 zeros", |_, delivery, _| around(delivery, |_| "0".repeat(65))),
    ("a signature of 200 digits", |_, delivery, _| around(delivery, |_| "a".repeat(200))),
    ("a signature of 64 letters that are no digits", |_, delivery, _| around(delivery, |_| "z".repeat(64))),
    ("a signature of 64 bytes beyond ASCII", |_, delivery, _| {
        delivery.headers.set(SIGNATURE_HEADER, vec![0xE9; 64]);
        Some(())
    }),
];

const MALFORMED: &[Malformation] = &[
    ("[]", |_| Bytes::from_static(b"[]")),
    ("null", |_| Bytes::from_static(b"null")),
    ("a text", |_| Bytes::from_static(b"\"x\"")),
    ("an empty object", |_| Bytes::from_static(b"{}")),
    ("not UTF-8", |_| {
        Bytes::from_static(
            b"{\"event\":\"person.created\",\"eventName\":\"person.created\",\"data\":{\"id\":\"\xff\"}}",
        )
    }),
    ("empty", |_| Bytes::new()),
    ("truncated JSON", |body| body.slice(..body.len() / 2)),
];
