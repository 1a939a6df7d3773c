//! What a strict receiver does not acknowledge: forms, times, methods and ways in beside the contract's.
//!
//! Invariant: each is made from the twin that was sent right before it, and differs from it in one respect.

use bytes::Bytes;

use super::{Change, Stage, spelling};
use crate::dialect::rfc3339;
use crate::exchange::Delivery;
use crate::signature::{NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::subject::SubjectError;
use crate::transcript::{Respect, Scenario};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

impl Stage<'_> {
    pub(super) async fn strict_negatives_of(&mut self, scenario: Scenario) -> Result<(), SubjectError> {
        match scenario {
            Scenario::Surrounded => self.surrounded(scenario, SURROUNDED).await,
            Scenario::SignatureLength => self.surrounded(scenario, SIGNATURE_LENGTHS).await,
            Scenario::TimestampForm => self.timestamp_form().await,
            Scenario::Stale => self.stale().await,
            Scenario::Malformed => self.malformed().await,
            Scenario::UnsignedMalformed => self.unsigned_malformed().await,
            Scenario::OtherMethod => self.other_method().await,
            Scenario::BackDoor => self.back_door().await,
            Scenario::Respelled => self.respelled().await,
            _ => Ok(()),
        }
    }

    async fn surrounded(
        &mut self,
        scenario: Scenario,
        changes: &[(&'static str, Change)],
    ) -> Result<(), SubjectError> {
        for (what, change) in changes {
            let words = format!("a delivery with {what}");
            self.negative(scenario, Respect::Surrounded(what), words, change).await?;
        }
        Ok(())
    }

    async fn timestamp_form(&mut self) -> Result<(), SubjectError> {
        let now_ms = self.clock.now_ms();
        let forms: [(&'static str, String); 8] = [
            ("abc", "abc".to_owned()),
            ("NaN", "NaN".to_owned()),
            ("an ISO date", rfc3339(now_ms)),
            ("a plus sign", format!("+{now_ms}")),
            ("a negative number", "-1".to_owned()),
            ("a fraction", format!("{now_ms}.5")),
            ("an exponent", format!("{}e3", now_ms / 1000)),
            ("spaces between the digits", {
                let digits = now_ms.to_string();
                format!("{} {}", &digits[..4], &digits[4..])
            }),
        ];
        for (which, timestamp) in forms {
            let change = |stage: &Stage<'_>, delivery: &mut Delivery, _: &str| {
                stage.date(delivery, &timestamp);
                Some(())
            };
            let what = format!("a delivery correctly signed under a timestamp that is {which}");
            self.negative(Scenario::TimestampForm, Respect::TimestampForm(which), what, change).await?;
        }
        // The same signed text, cut at a later colon.
        let change = |_: &Stage<'_>, delivery: &mut Delivery, timestamp: &str| {
            let colon = delivery.body.iter().position(|&byte| byte == b':')?;
            let moved = [timestamp.as_bytes(), b":", &delivery.body[..colon]].concat();
            delivery.headers.set(TIMESTAMP_HEADER, moved);
            delivery.body = delivery.body.slice(colon + 1..);
            Some(())
        };
        let (which, what) =
            ("text moved over the colon", "a delivery with text moved over the colon".to_owned());
        self.negative(Scenario::TimestampForm, Respect::TimestampForm(which), what, change).await
    }

    async fn stale(&mut self) -> Result<(), SubjectError> {
        let now_ms = self.clock.now_ms();
        for (respect, what, timestamp) in [
            (Respect::Stale("a day"), "for a day ago", now_ms - DAY_MS),
            (Respect::Future, "for tomorrow", now_ms + DAY_MS),
            (Respect::Stale("seconds"), "in seconds", now_ms / 1000),
        ] {
            let change = |stage: &Stage<'_>, delivery: &mut Delivery, _: &str| {
                stage.date(delivery, &timestamp.to_string());
                Some(())
            };
            let what = format!("a delivery correctly signed {what}");
            self.negative(Scenario::Stale, respect, what, change).await?;
        }
        Ok(())
    }

    async fn malformed(&mut self) -> Result<(), SubjectError> {
        for &(which, body) in MALFORMED {
            let change = |stage: &Stage<'_>, delivery: &mut Delivery, timestamp: &str| {
                delivery.body = Bytes::from_static(body);
                stage.date(delivery, timestamp);
                Some(())
            };
            let what = format!("a correctly signed body that is {which}");
            self.negative(Scenario::Malformed, Respect::Malformed(which), what, change).await?;
        }
        let which = "truncated JSON";
        let change = |stage: &Stage<'_>, delivery: &mut Delivery, timestamp: &str| {
            delivery.body.truncate(delivery.body.len() / 2);
            stage.date(delivery, timestamp);
            Some(())
        };
        let what = format!("a correctly signed body that is {which}");
        self.negative(Scenario::Malformed, Respect::Malformed(which), what, change).await
    }

    async fn unsigned_malformed(&mut self) -> Result<(), SubjectError> {
        let bodies: [(&'static str, Option<&'static [u8]>); 4] = [
            ("well-formed", None),
            ("truncated JSON", Some(b"{\"event\":\"person.cr")),
            ("not UTF-8", Some(b"{\"event\":\"\xff\"}")),
            ("empty", Some(b"")),
        ];
        for (which, body) in bodies {
            let change = |_: &Stage<'_>, delivery: &mut Delivery, _: &str| {
                unsign(delivery);
                if let Some(body) = body {
                    delivery.body = Bytes::from_static(body);
                }
                Some(())
            };
            let what = format!("an unsigned body that is {which}");
            self.negative(Scenario::UnsignedMalformed, Respect::Unsigned, what, change).await?;
        }
        Ok(())
    }

    async fn other_method(&mut self) -> Result<(), SubjectError> {
        for method in ["GET", "PUT", "PATCH", "DELETE"] {
            let change = |_: &Stage<'_>, delivery: &mut Delivery, _: &str| {
                method.clone_into(&mut delivery.method);
                Some(())
            };
            let what = format!("a correctly signed delivery by {method}");
            self.negative(Scenario::OtherMethod, Respect::Method, what, change).await?;
        }
        Ok(())
    }

    async fn back_door(&mut self) -> Result<(), SubjectError> {
        for header in ["X-Forwarded-For", "X-Real-IP", "Forwarded"] {
            for address in ["127.0.0.1", "10.0.0.1", "172.18.0.2"] {
                let value = if header == "Forwarded" { format!("for={address}") } else { address.to_owned() };
                self.unsigned_with(header, header, value).await?;
            }
        }
        let secret = self.subject.secret().expose().to_owned();
        // A secret that no header can carry has no such way in.
        if secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.unsigned_with("Authorization: Bearer", "Authorization", format!("Bearer {secret}")).await?;
            for header in ["X-Webhook-Secret", "X-Twenty-Webhook-Secret", "X-Twenty-Webhook-Token"] {
                self.unsigned_with(header, header, secret.clone()).await?;
            }
        }
        for body in [&b"{\"event\":\"ping\"}"[..], b"{\"type\":\"ping\"}", b"{\"ping\":true}"] {
            let change = |_: &Stage<'_>, delivery: &mut Delivery, _: &str| {
                unsign(delivery);
                delivery.body = Bytes::from_static(body);
                Some(())
            };
            let what = "an unsigned ping".to_owned();
            self.negative(Scenario::BackDoor, Respect::BackDoor("ping"), what, change).await?;
        }
        Ok(())
    }

    async fn unsigned_with(
        &mut self,
        which: &'static str,
        header: &str,
        value: String,
    ) -> Result<(), SubjectError> {
        let change = |_: &Stage<'_>, delivery: &mut Delivery, _: &str| {
            unsign(delivery);
            delivery.headers.set(header, value.clone());
            Some(())
        };
        let what = format!("an unsigned delivery with {which}");
        self.negative(Scenario::BackDoor, Respect::BackDoor(which), what, change).await
    }

    async fn respelled(&mut self) -> Result<(), SubjectError> {
        for &(which, respell) in spelling::RESPELLINGS {
            let change = |_: &Stage<'_>, delivery: &mut Delivery, _: &str| {
                delivery.body = respell(std::str::from_utf8(&delivery.body).ok()?)?.into();
                Some(())
            };
            let what = format!("a delivery respelled behind its signature: {which}");
            self.negative(Scenario::Respelled, Respect::Respelled(which), what, change).await?;
        }
        Ok(())
    }

    /// Puts a timestamp in, and signs what there is under it.
    fn date(&self, delivery: &mut Delivery, timestamp: &str) {
        let signature = self.key.sign(timestamp.as_bytes(), &delivery.body).to_hex();
        delivery.headers.set(TIMESTAMP_HEADER, timestamp.to_owned());
        delivery.headers.set(SIGNATURE_HEADER, signature);
    }
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
fn beside(delivery: &mut Delivery, genuine_first: bool) -> Option<()> {
    let genuine = delivery.headers.single(SIGNATURE_HEADER)?.clone();
    let bogus = Bytes::from("0".repeat(64));
    delivery.headers.remove(SIGNATURE_HEADER);
    let both = if genuine_first { [genuine, bogus] } else { [bogus, genuine] };
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

const MALFORMED: &[(&str, &[u8])] = &[
    ("[]", b"[]"),
    ("null", b"null"),
    ("a text", b"\"x\""),
    ("an empty object", b"{}"),
    (
        "not UTF-8",
        b"{\"event\":\"person.created\",\"eventName\":\"person.created\",\"data\":{\"id\":\"\xff\"}}",
    ),
    ("empty", b""),
];
