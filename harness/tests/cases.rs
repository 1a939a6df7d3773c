//! Saved cases: signing them again for the current time, and judging a replay.
//!
//! Invariant: a case that is signed again equals the same change applied to a delivery of the new time.

mod file;

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};
use serde_json::json;
use twenty_conform::random::Random;
use twenty_conform::report::case::replayed::{Replayed, Timing};
use twenty_conform::report::case::resign::{Doubt, Resigned, resigned};
use twenty_conform::report::case::{Case, FORMAT};
use twenty_conform::suite::replay::ReplayAttempt;
use twenty_conform::suite::requirement::Expected;
use twenty_conform::webhook::dialect::rfc3339;
use twenty_conform::webhook::recipe::Recipe;
use twenty_conform::webhook::signature::{Key, NONCE_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use twenty_conform::wire::exchange::{Delivery, Exchange, ExchangeId, Headers, Outcome, Response, Transfer};

const THEN: u64 = 1_735_066_639_761;
const DAY: u64 = 24 * 60 * 60 * 1000;
const NOW: u64 = THEN + DAY + 12_345;
const BODY: &[u8] = br#"{"event":"person.created","data":{"id":"abc12345"},"n":1.0}"#;

fn secret() -> Secret {
    Secret::new(Random::from_seed(7).secret())
}

fn control(at_ms: u64) -> Delivery {
    let headers = Headers::of_delivery(Some(&Key::new(&secret())), at_ms, None, BODY);
    let (method, target) = ("POST".to_owned(), "/".to_owned());
    Delivery { method, target, headers, body: Bytes::from_static(BODY), transfer: Transfer::Whole }
}

fn case(controls: &[Delivery], trial: &Delivery) -> Case {
    Case {
        format: FORMAT.to_owned(),
        requirement: "VER-1".to_owned(),
        check: "receiver/verification/altered-content".to_owned(),
        level: "must".to_owned(),
        dialect: "documented".to_owned(),
        what: "a delivery".to_owned(),
        respect: json!("valid"),
        expected: Expected::NotAccepted,
        actual: "200".to_owned(),
        died: None,
        seed: 7,
        exchanges: vec![1, 2, 3],
        at_ms: THEN,
        redacted: false,
        controls: controls.to_vec(),
        trial: trial.clone(),
    }
}

/// A change of a control, given the time of its signature.
type Change = Box<dyn Fn(&mut Delivery, u64)>;

fn timestamp(delivery: &mut Delivery, value: impl Into<Bytes>) {
    delivery.headers.set(TIMESTAMP_HEADER, value.into());
}

fn signature(delivery: &mut Delivery, change: impl Fn(&str) -> String) {
    let digits = delivery.headers.single(SIGNATURE_HEADER).unwrap().to_vec();
    delivery.headers.set(SIGNATURE_HEADER, change(std::str::from_utf8(&digits).unwrap()));
}

/// Sets a timestamp and signs with it.
fn dated(value: impl Fn(u64) -> String + 'static) -> Change {
    Box::new(move |delivery, at_ms| {
        let value = value(at_ms);
        let signed = Key::new(&secret()).sign(value.as_bytes(), &delivery.body).to_hex();
        timestamp(delivery, value);
        delivery.headers.set(SIGNATURE_HEADER, signed);
    })
}

fn redated(value: impl Fn(u64) -> String + 'static) -> Change {
    Box::new(move |delivery, at_ms| timestamp(delivery, value(at_ms)))
}

fn digits(change: impl Fn(&str) -> String + 'static) -> Change {
    Box::new(move |delivery, _| signature(delivery, &change))
}

fn signed_with(key: impl Fn(&str) -> String + 'static) -> Change {
    Box::new(move |delivery, at_ms| {
        let key = Key::new(&Secret::new(key(secret().expose())));
        let signed = key.sign(at_ms.to_string().as_bytes(), &delivery.body).to_hex();
        delivery.headers.set(SIGNATURE_HEADER, signed);
    })
}

/// Every kind of change that scenarios make.
fn changes() -> Vec<(&'static str, Change)> {
    let without = |names: &'static [&'static str]| -> Change {
        Box::new(move |delivery, _| names.iter().for_each(|name| delivery.headers.remove(name)))
    };
    let body = |body: &'static [u8]| -> Change {
        Box::new(move |delivery, _| delivery.body = Bytes::from_static(body))
    };
    vec![
        ("nothing", Box::new(|_, _| {})),
        ("another body", body(b"{\"event\":\"person.created\"}")),
        ("no body", body(b"")),
        ("a valid delivery a little later", dated(|at| (at + 3).to_string())),
        ("a minute ago", dated(|at| (at - 59_000).to_string())),
        ("a day ago", dated(|at| (at - DAY).to_string())),
        ("forty years ago", dated(|at| (at - 40 * 365 * DAY).to_string())),
        ("tomorrow", dated(|at| (at + DAY).to_string())),
        ("in seconds", dated(|at| (at / 1000).to_string())),
        ("a millisecond later than signed", redated(|at| (at + 1).to_string())),
        ("leading zeros", redated(|at| format!("00{at}"))),
        ("a plus sign", dated(|at| format!("+{at}"))),
        ("a fraction", dated(|at| format!("{at}.5"))),
        ("an exponent", dated(|at| format!("{}e3", at / 1000))),
        ("a space within", dated(|at| format!("{} {:09}", at / 1_000_000_000, at % 1_000_000_000))),
        ("an ISO date", dated(rfc3339)),
        ("not a time", dated(|_| "abc".to_owned())),
        ("a negative number", dated(|_| "-1".to_owned())),
        ("an empty timestamp", dated(|_| String::new())),
        (
            "text moved across the colon",
            Box::new(|delivery, at_ms| {
                timestamp(delivery, format!("{at_ms}:{{\"event\""));
                delivery.body = delivery.body.slice(8..);
            }),
        ),
        ("no signature", without(&[SIGNATURE_HEADER])),
        ("no timestamp", without(&[TIMESTAMP_HEADER])),
        ("neither header", without(&[SIGNATURE_HEADER, TIMESTAMP_HEADER])),
        ("an empty signature", digits(|_| String::new())),
        ("letters after the digits", digits(|digits| format!("{digits}zz"))),
        ("a prefix", digits(|digits| format!("sha256={digits}"))),
        ("uppercase", digits(str::to_uppercase)),
        ("63 digits", digits(|digits| digits[..63].to_owned())),
        ("the last 40 digits", digits(|digits| digits[24..].to_owned())),
        ("one digit", digits(|digits| digits[..1].to_owned())),
        ("rotated", digits(|digits| format!("{}{}", &digits[5..], &digits[..5]))),
        ("zeros", digits(|_| "0".repeat(64))),
        ("65 zeros", digits(|_| "0".repeat(65))),
        ("letters", digits(|_| "z".repeat(64))),
        (
            "an additional bogus signature",
            Box::new(|delivery, _| delivery.headers.add(SIGNATURE_HEADER, "0".repeat(64))),
        ),
        ("a key with an additional character", signed_with(|secret| format!("{secret}x"))),
        ("a key without a character", signed_with(|secret| secret[..20].to_owned() + &secret[21..])),
        ("a key with a letter in another case", signed_with(|secret| secret.replacen('A', "a", 1))),
        ("the key twice", signed_with(|secret| secret.repeat(2))),
        (
            "header names in upper case",
            Box::new(|delivery, _| {
                delivery.headers.0.iter_mut().for_each(|(name, _)| *name = name.to_uppercase());
            }),
        ),
        ("another method", Box::new(|delivery, _| "PUT".clone_into(&mut delivery.method))),
    ]
}

#[test]
fn resigned_cases_equal_the_change_applied_now() {
    for (name, change) in changes() {
        let at = |at_ms| {
            let mut delivery = control(at_ms);
            change(&mut delivery, at_ms);
            delivery
        };
        let case = case(&[control(THEN), control(THEN + 8)], &at(THEN));
        let Resigned { deliveries: renewed, doubt } = resigned(&case, &secret(), NOW);
        assert_eq!(renewed.trial, at(NOW), "{name}");
        assert_eq!((renewed.before, renewed.after), (Some(control(NOW)), Some(control(NOW + 1))), "{name}");
        assert_eq!(doubt, None, "{name}");
    }
}

#[test]
fn known_ways_of_signing_are_recognised() {
    let body = br#"{"event":"person.created","data":{"id":"abc"},"n":1.0,"secret":"x","t":"<\u00e9/>"}"#;
    for recipe in Recipe::lattice() {
        let at = |at_ms: u64| {
            let mut delivery = control(at_ms);
            delivery.body = Bytes::from_static(body);
            let at = at_ms.to_string();
            let value = recipe.compute(secret().expose(), at.as_bytes(), body)?;
            delivery.headers.set(SIGNATURE_HEADER, value);
            Some(delivery)
        };
        let Some(old) = at(THEN) else { continue };
        let renewed = resigned(&case(&[control(THEN)], &old), &secret(), NOW);
        assert_eq!(Some(renewed.deliveries.trial), at(NOW), "{}", recipe.describe());
        assert_eq!(renewed.doubt, None, "{}", recipe.describe());
    }
}

#[test]
fn resigning_keeps_a_changed_digit() {
    for at in 0..64 {
        let mut trial = control(THEN);
        signature(&mut trial, |digits| {
            let other = if &digits[at..=at] == "0" { "1" } else { "0" };
            format!("{}{other}{}", &digits[..at], &digits[at + 1..])
        });
        let renewed = resigned(&case(&[control(THEN)], &trial), &secret(), NOW).deliveries.trial;
        let of = |delivery: &Delivery| delivery.headers.single(SIGNATURE_HEADER).unwrap().clone();
        let (valid, renewed) = (of(&control(NOW)), of(&renewed));
        let differ: Vec<usize> = (0..64).filter(|&place| valid[place] != renewed[place]).collect();
        assert_eq!(differ, [at]);
    }
}

#[test]
fn resigning_makes_new_nonces_and_keeps_repeats() {
    let with = |nonce: &'static str| {
        let mut delivery = control(THEN);
        delivery.headers.set(NONCE_HEADER, nonce);
        delivery
    };
    let (one, other) = ("0123456789abcdef0123456789abcdef", "f123456789abcdef0123456789abcdef");
    let nonce = |delivery: Delivery| {
        let value = delivery.headers.single(NONCE_HEADER).unwrap().to_vec();
        String::from_utf8(value).unwrap()
    };
    for (trial, same) in [(one, true), (other, false)] {
        let renewed = resigned(&case(&[with(one)], &with(trial)), &secret(), NOW).deliveries;
        let (before, trial, after) =
            (nonce(renewed.before.unwrap()), nonce(renewed.trial), nonce(renewed.after.unwrap()));
        assert_eq!(before == trial, same);
        assert!(before != one && after != one && before != after && before.len() == 32);
    }
    let renewed = resigned(&case(&[with(one)], &with("no nonce")), &secret(), NOW).deliveries;
    assert_eq!(nonce(renewed.trial), "no nonce");
}

#[test]
fn reports_why_a_case_may_not_be_signed_again_exactly() {
    let mut trial = control(THEN);
    let unknown = Key::new(&Secret::new("an unknown key")).sign(b"1", BODY).to_hex();
    trial.headers.set(SIGNATURE_HEADER, unknown.clone());
    let mut case = case(&[control(THEN)], &trial);
    let doubt = |case: &Case, secret: &Secret| resigned(case, secret, NOW).doubt;
    assert_eq!(doubt(&case, &secret()), Some(Doubt::UnknownSignature));
    assert_eq!(doubt(&case, &Secret::new("another")), Some(Doubt::OtherSecret));
    // A default secret is named in the case, and any digits will do for `any digits`.
    case.respect = json!({ "digits": "any digits" });
    assert_eq!(doubt(&case, &secret()), None);
    case.respect = json!({ "default-secret": "changeme" });
    let under = |at: u64| Key::new(&Secret::new("changeme")).sign(at.to_string().as_bytes(), BODY).to_hex();
    trial.headers.set(SIGNATURE_HEADER, under(THEN));
    case.trial = trial.clone();
    let renewed = resigned(&case, &secret(), NOW).deliveries;
    assert_eq!(renewed.trial.headers.single(SIGNATURE_HEADER).unwrap(), under(NOW).as_bytes());
    // Another secret does not matter if the signature is the control's own.
    let altered = Delivery { body: Bytes::from_static(b"{}"), ..control(THEN) };
    case.trial = altered.clone();
    let Resigned { deliveries: renewed, doubt } = resigned(&case, &Secret::new("another"), NOW);
    assert_eq!(doubt, None);
    let of = |delivery: &Delivery| delivery.headers.single(SIGNATURE_HEADER).unwrap().clone();
    assert_eq!(of(&renewed.trial), of(&renewed.before.unwrap()));
}

proptest! {
    #[test]
    fn resigning_works_with_any_secret_at_any_time(
        secret in "\\PC{1,40}",
        body in proptest::collection::vec(any::<u8>(), 0..200),
        (then, now) in (1_600_000_000_000..1_900_000_000_000_u64).prop_flat_map(|then| (proptest::strategy::Just(then), 1_600_000_000_000..1_900_000_000_000_u64)),
        off in -100_000..100_000_i64,
    ) {
        let (secret, body) = (Secret::new(secret), Bytes::from(body));
        let key = Key::new(&secret);
        let at = |at_ms: u64| Delivery {
            headers: Headers::of_delivery(Some(&key), at_ms, None, &body),
            body: body.clone(),
            ..control(THEN)
        };
        let trial = at(then.saturating_add_signed(off));
        let renewed = resigned(&case(&[at(then)], &trial), &secret, now).deliveries;
        prop_assert_eq!(renewed.trial, at(now.saturating_add_signed(off)));
        prop_assert_eq!(renewed.before, Some(at(now)));
    }
}

fn answered(status: u16) -> Exchange {
    let outcome = Outcome::Answered(Response::text(status, ""));
    Exchange { id: ExchangeId(0), delivery: control(THEN), outcome, at_ms: NOW, took: Duration::ZERO }
}

fn attempt(before: u16, trial: u16, after: u16) -> ReplayAttempt {
    ReplayAttempt {
        before: Some(answered(before)),
        trial: answered(trial),
        after: Some(answered(after)),
        died: None,
    }
}

#[test]
fn cases_are_inconclusive_when_controls_are_rejected() {
    let present = Timing::Present(None);
    let mut case = case(&[control(THEN)], &control(THEN));
    let judge = |case: &Case, (before, trial, after): (u16, u16, u16)| match case
        .judge(&attempt(before, trial, after), &present)
    {
        Replayed::StillFails(_) => "fails",
        Replayed::FailsOtherwise(_) => "fails otherwise",
        Replayed::Fixed => "passes",
        Replayed::Inconclusive(_) => "inconclusive",
    };
    for (expected, statuses, replayed) in [
        (Expected::NotAccepted, (200, 401, 200), "passes"),
        (Expected::NotAccepted, (200, 200, 200), "fails"),
        // An accepted delivery fails, whatever happened to the controls.
        (Expected::NotAccepted, (401, 200, 401), "fails"),
        (Expected::NotAccepted, (401, 401, 401), "inconclusive"),
        (Expected::NotAccepted, (200, 401, 401), "inconclusive"),
        (Expected::ClientError, (200, 500, 200), "fails"),
        (Expected::ClientError, (200, 500, 401), "inconclusive"),
        (Expected::Accepted, (200, 401, 200), "fails"),
        // There is no control after it in a run either: the receiver may reject it as a repeat.
        (Expected::Accepted, (200, 409, 409), "fails"),
        (Expected::Accepted, (401, 401, 401), "inconclusive"),
        (Expected::Accepted, (401, 200, 401), "passes"),
        (Expected::Status(413), (200, 401, 200), "fails"),
        (Expected::Status(413), (200, 413, 200), "passes"),
        (Expected::Status(413), (200, 200, 200), "passes"),
    ] {
        case.expected = expected;
        case.actual = statuses.1.to_string();
        assert_eq!(judge(&case, statuses), replayed, "{:?} {statuses:?}", case.expected);
    }
    // In the run, the answer was another one.
    for (expected, then, statuses, replayed) in [
        (Expected::Accepted, "401", (200, 500, 200), "fails otherwise"),
        (Expected::Accepted, "timed out", (200, 401, 200), "fails otherwise"),
        (Expected::NotAccepted, "200", (200, 204, 200), "fails otherwise"),
        (Expected::NotAccepted, "204", (200, 401, 200), "passes"),
        (Expected::Accepted, "401", (401, 500, 401), "inconclusive"),
    ] {
        (case.expected, case.actual) = (expected, then.to_owned());
        assert_eq!(judge(&case, statuses), replayed, "{then} {statuses:?}");
    }
    let doubtful = Timing::Present(Some(Doubt::UnknownSignature));
    (case.expected, case.actual) = (Expected::NotAccepted, "200".to_owned());
    assert!(matches!(case.judge(&attempt(200, 401, 200), &doubtful), Replayed::Inconclusive(_)));
    assert!(matches!(case.judge(&attempt(200, 200, 200), &doubtful), Replayed::StillFails(_)));
    let frozen = Timing::Frozen(Duration::from_secs(3600));
    match case.judge(&attempt(401, 401, 401), &frozen) {
        Replayed::Inconclusive(why) => {
            assert!(why.contains("60 min ago") && why.contains("--as-saved"), "{why}")
        }
        other => panic!("{other:?}"),
    }
    let mut died = attempt(200, 401, 200);
    died.died = Some("`it` ended".to_owned());
    assert!(matches!(case.judge(&died, &present), Replayed::FailsOtherwise(_)));
    (case.actual, case.died) = ("401".to_owned(), died.died.clone());
    assert!(matches!(case.judge(&died, &present), Replayed::StillFails(_)));
}
