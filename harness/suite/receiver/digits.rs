//! VER-6, VER-7 and VER-21: the signature header is 64 hexadecimal digits of HMAC-SHA256, once, and nothing else.

use bytes::Bytes;
use proptest::prelude::{Strategy, any, prop_oneof};

use super::case::Case;
use super::forgery::{Forgery, LeftOut, Step};
use super::judge::rejects_all;
use super::property::Property;
use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::requirement::{Binds, Level, Requirement};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Respect, Surrounding};
use crate::webhook::recipe::{Digest, Recipe};
use crate::webhook::signature::SIGNATURE_HEADER;

/// The requirements of this group, in the order of the contract.
pub(super) const ALL: &[Requirement] = &[VER_6, VER_7, VER_21];

pub(crate) const VER_6: Requirement = Requirement {
    id: "VER-6",
    title: "rejects other digests",
    binds: Binds::Receiver,
    level: Level::Must,
    check_id: "receiver/verification/other-digest",
    text: "Another algorithm or form is rejected: SHA-1, SHA-512, plain SHA-256, base64, \
          truncated, all zeros.",
    source: "D",
    why: "A comparison that covers only the shorter of two strings, or bytes that failed to decode, accepts signatures \
          that no key made.",
    scenarios: &[&OTHER_DIGEST],
    needs: None,
    check: rejects_all,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::VerifiesSha1,
        ReceiverFault::AcceptsSha1,
        ReceiverFault::AcceptsUnkeyed,
        ReceiverFault::AcceptsBase64,
        ReceiverFault::AcceptsPrefix,
        ReceiverFault::ComparesPrefix,
        ReceiverFault::AcceptsZeros,
        ReceiverFault::AcceptsEverything,
        ReceiverFault::RejectsInBody,
    ]),
};

/// What is sent for VER-6.
pub(super) const OTHER_DIGEST: Scenario = Scenario::cases(
    "other-digest",
    "deliveries signed with SHA-1, SHA-512 or plain SHA-256, in base64, truncated, with \
          zeros, and with one digit changed",
    |_| {
        OTHER_DIGESTS
            .map(Recipe::digest)
            .map(Case::signed)
            .into_iter()
            .chain(
                [
                    (1, "first-digit", &[Step::ChangeFirstDigit][..]),
                    (64, "last-digit", &[Step::ChangeLastDigit]),
                ]
                .map(other_digit),
            )
            .collect()
    },
    &[digits],
);

const OTHER_DIGESTS: [Digest; 6] =
    [Digest::Sha1, Digest::Sha512, Digest::Unkeyed, Digest::Base64, Digest::Truncated, Digest::Zeros];

/// A delivery with one digit of its signature changed: its number, the name of its probe, and the step.
fn other_digit((number, name, step): (usize, &'static str, &'static [Step])) -> Case {
    let what = format!("a delivery with digit {number} of its signature changed");
    Case::forged(what, Respect::Digits("one digit"), Forgery::new(name, step))
}

/// 64 wrong digits.
#[derive(Debug, Clone)]
enum Digits {
    Random([u8; 32]),
    OneOther(usize),
    Rotated(usize),
}

/// VER-6: the digits.
fn digits() -> Property {
    let strategy = prop_oneof![
        1 => any::<[u8; 32]>().prop_map(Digits::Random),
        2 => (0..64_usize).prop_map(Digits::OneOther),
        1 => (1..64_usize).prop_map(Digits::Rotated),
    ];
    Property::of("other digits", strategy, other_digits)
}

fn other_digits(digits: &Digits) -> Case {
    let (which, what) = match digits {
        Digits::Random(_) => ("any digits", "a delivery with 64 random digits as its signature".to_owned()),
        Digits::OneOther(at) => {
            ("one digit", format!("a delivery with digit {} of its signature changed", at + 1))
        }
        Digits::Rotated(_) => ("order", "a delivery with the digits of its signature rotated".to_owned()),
    };
    let digits = digits.clone();
    Case::forged_by(LeftOut::Generated, what, Respect::Digits(which), move |maker, delivery, _| {
        let mut value = delivery.headers.single(SIGNATURE_HEADER)?.to_vec();
        let places = maker.digits(&value);
        let mut valid = value.get(places.clone())?.to_vec();
        match &digits {
            Digits::Random(bytes) => valid = const_hex::encode(bytes).into_bytes(),
            Digits::OneOther(at) => {
                let at = at % valid.len().max(1);
                let digit = valid.get_mut(at)?;
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
                let by = by % valid.len().max(1);
                valid.rotate_left(by);
                if valid == before {
                    return None;
                }
            }
        }
        value.splice(places, valid);
        delivery.headers.set(SIGNATURE_HEADER, value);
        Some(())
    })
}

const VER_7: Requirement = Requirement {
    id: "VER-7",
    title: "nothing around the digits",
    binds: Binds::Receiver,
    level: Level::Should,
    check_id: "receiver/verification/surrounded",
    text: "Nothing may surround the 64 digits: trailing characters, an odd digit, a \
          `sha256=` prefix. Uppercase digits may be accepted or rejected.",
    source: "W",
    why: "Lax decoders stop at the first character that is not a digit. Six public receivers ignore whatever follows the \
          digits.",
    scenarios: &[&SURROUNDED],
    needs: None,
    check: rejects_all,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::AcceptsTrailing,
        ReceiverFault::AcceptsShaPrefix,
        ReceiverFault::RequiresShaPrefix,
        ReceiverFault::AcceptsEverything,
        ReceiverFault::RejectsInBody,
    ]),
};

/// What is sent for VER-7.
pub(super) const SURROUNDED: Scenario = Scenario::cases(
    "surrounded",
    "deliveries whose signature has something before or after its 64 digits",
    |_| surrounded(SURROUNDINGS),
    &[],
);

/// A surrounding: its kind, the end of "a delivery whose signature ...", the name of its probe, and the step that makes it.
pub(super) type Surrounded = (Surrounding, &'static str, &'static str, &'static [Step]);

pub(super) fn surrounded(changes: &'static [Surrounded]) -> Vec<Case> {
    let case = |&(which, what, name, steps): &Surrounded| {
        let what = format!("a delivery whose signature {what}");
        Case::forged(what, Respect::Surrounded(which), Forgery::new(name, steps))
    };
    changes.iter().map(case).collect()
}

const SURROUNDINGS: &[Surrounded] = &[
    (
        Surrounding::Other("letters after the digits"),
        "has letters after its 64 digits",
        "letters-appended",
        &[Step::SurroundSignature("", "zz")],
    ),
    (
        Surrounding::Other("two more digits"),
        "has 66 digits",
        "digits-appended",
        &[Step::SurroundSignature("", "00")],
    ),
    (
        Surrounding::Other("one more digit"),
        "has 65 digits",
        "digit-appended",
        &[Step::SurroundSignature("", "0")],
    ),
    (
        Surrounding::Prefixed,
        "has `sha256=` before its digits",
        "prefixed",
        &[Step::SurroundSignature("sha256=", "")],
    ),
];

const VER_21: Requirement = Requirement {
    id: "VER-21",
    title: "one signature header",
    binds: Binds::Receiver,
    level: Level::Advice,
    check_id: "receiver/verification/second-signature",
    text: "A second signature header (a valid one beside a bogus one, in both orders) is \
          rejected.",
    source: "W",
    why: "A receiver may read the first of two headers and its proxy the last, so each of them sees a different signature.",
    scenarios: &[&SECOND_SIGNATURE],
    needs: None,
    check: rejects_all,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::AcceptsFirstSignature,
        ReceiverFault::AcceptsLastSignature,
        ReceiverFault::AcceptsEverything,
        ReceiverFault::RejectsInBody,
    ]),
};

/// What is sent for VER-21.
const SECOND_SIGNATURE: Scenario = Scenario::cases(
    "second-signature",
    "deliveries with a valid and a bogus signature header, in both orders",
    |_| SECOND_SIGNATURES.iter().map(|&(what, valid_first)| second_signature(what, valid_first)).collect(),
    &[],
);

const SECOND_SIGNATURES: &[(&str, bool)] = &[
    ("a delivery with a bogus signature after the valid one", true),
    ("a delivery with a bogus signature before the valid one", false),
];

/// A bogus signature next to the valid one.
fn second_signature(what: &'static str, valid_first: bool) -> Case {
    Case::forged_by(LeftOut::OtherHeaders, what, Respect::SecondSignature, move |_, delivery, _| {
        let valid = delivery.headers.single(SIGNATURE_HEADER)?.clone();
        let bogus = Bytes::from("0".repeat(64));
        delivery.headers.remove(SIGNATURE_HEADER);
        let both = if valid_first { [valid, bogus] } else { [bogus, valid] };
        both.into_iter().for_each(|value| delivery.headers.add(SIGNATURE_HEADER, value));
        Some(())
    })
}
