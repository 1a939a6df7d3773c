//! What the properties generate of forged deliveries: alterations, keys, digits, timestamps, bodies that are none.
//!
//! Invariant: a strategy varies one respect alone, so that whatever refuses or takes a case does so for that. Strategies
//! have no filters: each always generates.

pub(crate) mod valid;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::{Index, select};

use super::case::Case;
use super::property::{Expected, Property};
use crate::suite::transcript::Respect;
use crate::webhook::signature::{Key, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A change of content under the old signature. Places are counted among the letters and digits of the body's texts, so
/// that no change is one of spelling alone.
#[derive(Debug, Clone)]
pub(crate) enum Alteration {
    Replace(Index),
    Double(Index),
    Delete(Index),
    Cut(Index),
    Add(u16),
}

/// VER-1: content.
pub(crate) fn alterations() -> Property<Alteration> {
    let strategy = prop_oneof![
        any::<Index>().prop_map(Alteration::Replace),
        any::<Index>().prop_map(Alteration::Double),
        any::<Index>().prop_map(Alteration::Delete),
        any::<Index>().prop_map(Alteration::Cut),
        any::<u16>().prop_map(Alteration::Add),
    ];
    Property {
        name: "alterations of content",
        expected: Expected::Refused,
        strategy: strategy.boxed(),
        case: altered,
    }
}

fn altered(alteration: &Alteration) -> Case<'static> {
    let (which, what) = match alteration {
        Alteration::Replace(_) => ("values", "a delivery with a character replaced behind the signature"),
        Alteration::Double(_) => ("values", "a delivery with a character doubled behind the signature"),
        Alteration::Delete(_) => ("values", "a delivery with a character taken away behind the signature"),
        Alteration::Cut(_) => ("the end", "a delivery with its end cut off behind the signature"),
        Alteration::Add(_) => ("added members", "a delivery with a member added behind the signature"),
    };
    let alteration = alteration.clone();
    Case::forged(what, Respect::Content(which), move |_, delivery, _| {
        let mut body = delivery.body.to_vec();
        let places = letters(&body);
        if places.is_empty() {
            return None;
        }
        match &alteration {
            Alteration::Replace(at) => {
                let at = places[at.index(places.len())];
                body[at] = successor(body[at]);
            }
            Alteration::Double(at) => {
                let at = places[at.index(places.len())];
                body.insert(at, body[at]);
            }
            Alteration::Delete(at) => {
                body.remove(places[at.index(places.len())]);
            }
            Alteration::Cut(at) => body.truncate(at.index(body.len())),
            Alteration::Add(number) => {
                body.pop();
                body.extend_from_slice(format!(",\"added{number}\":{number}}}").as_bytes());
            }
        }
        delivery.body = body.into();
        Some(())
    })
}

/// Where letters and digits stand inside of texts.
fn letters(body: &[u8]) -> Vec<usize> {
    let mut inside = false;
    let mut places = Vec::new();
    for (at, byte) in body.iter().enumerate() {
        if *byte == b'"' {
            inside = !inside;
        } else if inside && byte.is_ascii_alphanumeric() {
            places.push(at);
        }
    }
    places
}

fn successor(byte: u8) -> u8 {
    match byte {
        b'9' => b'0',
        b'z' => b'a',
        b'Z' => b'A',
        other => other + 1,
    }
}

/// Another timestamp under the old signature.
#[derive(Debug, Clone)]
pub(crate) enum Redating {
    Later(u32),
    Earlier(u32),
    Zeros(usize),
    Digit(Index),
}

/// VER-2: the timestamp. Up to four minutes off, so that its age is no reason to refuse it.
pub(crate) fn redatings() -> Property<Redating> {
    let strategy = prop_oneof![
        (1..240_000_u32).prop_map(Redating::Later),
        (1..240_000_u32).prop_map(Redating::Earlier),
        (1..8_usize).prop_map(Redating::Zeros),
        any::<Index>().prop_map(Redating::Digit),
    ];
    Property {
        name: "other timestamps",
        expected: Expected::Refused,
        strategy: strategy.boxed(),
        case: redated,
    }
}

fn redated(redating: &Redating) -> Case<'static> {
    let (which, what) = match redating {
        Redating::Later(ms) => ("later", format!("{ms} ms later than the signed one")),
        Redating::Earlier(ms) => ("earlier", format!("{ms} ms earlier than the signed one")),
        Redating::Zeros(_) => ("zeros", "with zeros before it that were not signed".to_owned()),
        Redating::Digit(_) => ("digit", "with another digit than the signed one".to_owned()),
    };
    let redating = redating.clone();
    let what = format!("a delivery whose timestamp is {what}");
    Case::forged(what, Respect::Timestamp(which), move |_, delivery, timestamp| {
        let signed_ms: u64 = timestamp.parse().ok()?;
        let other = match &redating {
            Redating::Later(ms) => (signed_ms + u64::from(*ms)).to_string(),
            Redating::Earlier(ms) => signed_ms.checked_sub(u64::from(*ms))?.to_string(),
            Redating::Zeros(count) => format!("{}{timestamp}", "0".repeat(*count)),
            Redating::Digit(at) => {
                let mut digits = timestamp.as_bytes().to_vec();
                let at = at.index(digits.len());
                digits[at] = successor(digits[at]);
                String::from_utf8(digits).ok()?
            }
        };
        delivery.headers.set(TIMESTAMP_HEADER, other);
        Some(())
    })
}

/// Another key than the secret.
#[derive(Debug, Clone)]
pub(crate) enum Rekeying {
    /// Any text of its own.
    Other(String),
    Appended(String),
    Without(Index),
    OtherCase(Index),
    Twice,
}

/// VER-3: the key.
pub(crate) fn rekeyings() -> Property<Rekeying> {
    let strategy = prop_oneof![
        3 => text(1..48).prop_map(Rekeying::Other),
        2 => text(1..8).prop_map(Rekeying::Appended),
        2 => any::<Index>().prop_map(Rekeying::Without),
        2 => any::<Index>().prop_map(Rekeying::OtherCase),
        1 => Just(Rekeying::Twice),
    ];
    Property { name: "other keys", expected: Expected::Refused, strategy: strategy.boxed(), case: rekeyed }
}

/// Text in any script, without NUL: HMAC fills a key up with zeros, so that one more at its end changes nothing.
fn text(length: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    vec(any::<char>().prop_map(|character| if character == '\0' { 'a' } else { character }), length)
        .prop_map(|characters| characters.into_iter().collect())
}

fn rekeyed(rekeying: &Rekeying) -> Case<'static> {
    let (which, what) = match rekeying {
        Rekeying::Other(_) => ("another secret", "another secret"),
        Rekeying::Appended(_) => ("more characters", "the secret and more characters behind it"),
        Rekeying::Without(_) => ("a character less", "the secret without one of its characters"),
        Rekeying::OtherCase(_) => ("another case", "the secret with one letter in the other case"),
        Rekeying::Twice => ("twice", "the secret written twice"),
    };
    let rekeying = rekeying.clone();
    Case::forged(
        format!("a delivery signed under {what}"),
        Respect::Key(which),
        move |maker, delivery, timestamp| {
            let secret = maker.secret.expose();
            let characters: Vec<char> = secret.chars().collect();
            let other: String = match &rekeying {
                Rekeying::Other(other) => other.clone(),
                Rekeying::Appended(more) => format!("{secret}{more}"),
                Rekeying::Without(at) => {
                    let mut characters = characters;
                    characters.remove(at.index(characters.len()));
                    characters.into_iter().collect()
                }
                Rekeying::OtherCase(at) => {
                    let mut characters = characters;
                    let at = at.index(characters.len());
                    let letter = characters[at];
                    characters[at] = if letter.is_ascii_lowercase() {
                        letter.to_ascii_uppercase()
                    } else {
                        letter.to_ascii_lowercase()
                    };
                    characters.into_iter().collect()
                }
                Rekeying::Twice => format!("{secret}{secret}"),
            };
            if other == secret {
                return None;
            }
            let signature = Key::new(&Secret::new(other)).sign(timestamp.as_bytes(), &delivery.body);
            delivery.headers.set(SIGNATURE_HEADER, signature.to_hex());
            Some(())
        },
    )
}

/// 64 digits that are not the right ones.
#[derive(Debug, Clone)]
pub(crate) enum Digits {
    Random([u8; 32]),
    OneOther(usize),
    Rotated(usize),
}

/// VER-6: the digits.
pub(crate) fn digits() -> Property<Digits> {
    let strategy = prop_oneof![
        1 => any::<[u8; 32]>().prop_map(Digits::Random),
        2 => (0..64_usize).prop_map(Digits::OneOther),
        1 => (1..64_usize).prop_map(Digits::Rotated),
    ];
    Property {
        name: "other digits",
        expected: Expected::Refused,
        strategy: strategy.boxed(),
        case: other_digits,
    }
}

fn other_digits(digits: &Digits) -> Case<'static> {
    let (which, what) = match digits {
        Digits::Random(_) => ("any digits", "a delivery with any 64 digits".to_owned()),
        Digits::OneOther(at) => {
            ("one digit", format!("a delivery with digit {} of its signature changed", at + 1))
        }
        Digits::Rotated(_) => {
            ("order", "a delivery with the digits of its signature in another order".to_owned())
        }
    };
    let digits = digits.clone();
    Case::forged(what, Respect::Digits(which), move |_, delivery, _| {
        let mut valid = delivery.headers.single(SIGNATURE_HEADER)?.to_vec();
        match &digits {
            Digits::Random(bytes) => valid = const_hex::encode(bytes).into_bytes(),
            Digits::OneOther(at) => {
                let digit = valid.get_mut(*at)?;
                *digit = if *digit == b'f' {
                    b'0'
                } else if *digit == b'9' {
                    b'a'
                } else {
                    *digit + 1
                };
            }
            Digits::Rotated(by) => {
                let before = valid.clone();
                valid.rotate_left(*by);
                if valid == before {
                    return None;
                }
            }
        }
        delivery.headers.set(SIGNATURE_HEADER, valid);
        Some(())
    })
}

/// VER-9: signatures of any length, in any bytes that a header can hold.
pub(crate) fn junk() -> Property<Vec<u8>> {
    let strategy = prop_oneof![
        vec(select(&b"0123456789abcdefABCDEF"[..]), 1..160),
        vec(0x21..0x7f_u8, 1..160),
        vec(0x80..=0xff_u8, 1..160),
    ];
    Property {
        name: "signatures of other forms",
        expected: Expected::Refused,
        strategy: strategy.boxed(),
        case: |junk| {
            let junk = junk.clone();
            let what = format!("a delivery with a signature of {} other bytes", junk.len());
            Case::forged(what, Respect::Surrounded("other bytes"), move |_, delivery, _| {
                delivery.headers.set(SIGNATURE_HEADER, junk.clone());
                Some(())
            })
        },
    }
}

/// A timestamp that is not digits alone.
#[derive(Debug, Clone)]
pub(crate) enum TimestampForm {
    /// Such bytes in its place, behind a letter.
    Text(Vec<u8>),
    /// Such a byte between its digits.
    Inserted(Index, u8),
}

/// VER-10: the form of the timestamp. The bytes beyond ASCII are digits to some languages, when read as Latin-1.
pub(crate) fn timestamp_forms() -> Property<TimestampForm> {
    let inserted = select(&b"_.,+-eExX: '\xb2\xb3\xb9\xe9"[..]);
    let strategy = prop_oneof![
        1 => vec(0x21..0x7f_u8, 0..20).prop_map(TimestampForm::Text),
        2 => (any::<Index>(), inserted).prop_map(|(at, byte)| TimestampForm::Inserted(at, byte)),
    ];
    Property {
        name: "timestamps that are not digits",
        expected: Expected::Refused,
        strategy: strategy.boxed(),
        case: |form| {
            let form = form.clone();
            let what = "a delivery correctly signed under a timestamp that is not digits alone";
            Case::forged(
                what,
                Respect::TimestampForm("other characters"),
                move |maker, delivery, timestamp| {
                    let bytes = match &form {
                        TimestampForm::Text(bytes) => [b"t", &bytes[..]].concat(),
                        TimestampForm::Inserted(at, byte) => {
                            let mut digits = timestamp.as_bytes().to_vec();
                            // Between digits: what stands at the ends may be taken off on the way.
                            digits.insert(1 + at.index(digits.len() - 1), *byte);
                            digits
                        }
                    };
                    maker.date(delivery, &bytes);
                    Some(())
                },
            )
        },
    }
}

/// VER-11: a day off or more, up to forty years, in both directions.
pub(crate) fn stale() -> Property<(bool, u64)> {
    Property {
        name: "old and future deliveries",
        expected: Expected::Refused,
        strategy: (any::<bool>(), DAY_MS..40 * 365 * DAY_MS).boxed(),
        case: |&(ahead, ms)| {
            let respect = if ahead { Respect::Future } else { Respect::Stale("a day") };
            let days = ms / DAY_MS;
            let what = if ahead { format!("{days} days ahead") } else { format!("{days} days ago") };
            Case::forged(
                format!("a delivery correctly signed for {what}"),
                respect,
                move |maker, delivery, _| {
                    let now_ms = maker.clock.now_ms();
                    let sent_ms = if ahead { now_ms + ms } else { now_ms.saturating_sub(ms) };
                    maker.date(delivery, sent_ms.to_string().as_bytes());
                    Some(())
                },
            )
        },
    }
}

/// VER-12: a body, correctly signed, that is no delivery.
#[derive(Debug, Clone)]
pub(crate) enum Malformation {
    Cut(Index),
    BadByte(Index),
    Number(i64),
    Array(Vec<i64>),
    NamesNoEvent(i64),
    EventIsNumber(i64),
    Garbage(Vec<u8>),
}

/// VER-12: bodies that are no deliveries.
pub(crate) fn malformations() -> Property<Malformation> {
    let strategy = prop_oneof![
        any::<Index>().prop_map(Malformation::Cut),
        any::<Index>().prop_map(Malformation::BadByte),
        any::<i64>().prop_map(Malformation::Number),
        vec(any::<i64>(), 0..4).prop_map(Malformation::Array),
        any::<i64>().prop_map(Malformation::NamesNoEvent),
        any::<i64>().prop_map(Malformation::EventIsNumber),
        vec(any::<u8>(), 0..32).prop_map(Malformation::Garbage),
    ];
    Property {
        name: "bodies that are no deliveries",
        expected: Expected::Refused,
        strategy: strategy.boxed(),
        case: malformed,
    }
}

fn malformed(malformation: &Malformation) -> Case<'static> {
    let which = match malformation {
        Malformation::Cut(_) => "truncated JSON",
        Malformation::BadByte(_) => "not UTF-8",
        Malformation::Number(_) => "a number",
        Malformation::Array(_) => "an array",
        Malformation::NamesNoEvent(_) => "an object that names no event",
        Malformation::EventIsNumber(_) => "an object whose event is a number",
        Malformation::Garbage(_) => "no JSON",
    };
    let malformation = malformation.clone();
    let what = format!("a correctly signed body that is {which}");
    Case::forged(what, Respect::Malformed(which), move |maker, delivery, timestamp| {
        delivery.body = match &malformation {
            Malformation::Cut(at) => delivery.body.slice(..at.index(delivery.body.len())),
            Malformation::BadByte(at) => {
                let mut body = delivery.body.to_vec();
                let places = letters(&body);
                let at = places.get(at.index(places.len().max(1)))?;
                body[*at] = 0xff;
                body.into()
            }
            Malformation::Number(number) => number.to_string().into(),
            Malformation::Array(numbers) => format!("{numbers:?}").into(),
            Malformation::NamesNoEvent(number) => {
                format!("{{\"data\":{{\"id\":\"x\",\"n\":{number}}}}}").into()
            }
            Malformation::EventIsNumber(number) => {
                format!("{{\"event\":{number},\"eventName\":{number},\"data\":{{}},\"record\":{{}}}}").into()
            }
            // A brace and a comma: whatever follows, it is no JSON.
            Malformation::Garbage(bytes) => Bytes::from([b"{,", &bytes[..]].concat()),
        };
        maker.date(delivery, timestamp.as_bytes());
        Some(())
    })
}
