//! VER-1 and VER-2: a delivery that was altered after signing is rejected.

use bytes::Bytes;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::sample::Index;
use serde_json::Value;

use super::case::Case;
use super::forgery::{Forgery, LeftOut, Step};
use super::judge::rejects_all;
use super::property::Property;
use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::requirement::{Binds, Level, Requirement};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Part, Redating, Respect};
use crate::webhook::event::raw;
use crate::webhook::signature::TIMESTAMP_HEADER;

/// The requirements of this group, in the order of the contract.
pub(super) const ALL: &[Requirement] = &[VER_1, VER_2];

pub(crate) const VER_1: Requirement = Requirement {
    id: "VER-1",
    title: "rejects altered content",
    binds: Binds::Receiver,
    level: Level::Must,
    check_id: "receiver/verification/altered-content",
    text: "Altered content is rejected: a value changed, a member added (`secret` among \
          them) or removed, the body cut short.",
    source: "D",
    why: "The signature shows that the content is what Twenty sent. If it is checked over a part of the body only, or \
          over a re-serialised body, the rest can be changed on the way.",
    scenarios: &[&ALTERED_CONTENT],
    needs: None,
    check: rejects_all,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::IgnoresAlteredValues,
        ReceiverFault::IgnoresAddedMembers,
        ReceiverFault::StripsSecretMember,
        ReceiverFault::AcceptsCutBody,
        ReceiverFault::AcceptsAnySignatureOnce,
        ReceiverFault::AcceptsEverything,
        ReceiverFault::RejectsInBody,
    ]),
};

/// What is sent for VER-1.
pub(super) const ALTERED_CONTENT: Scenario = Scenario::cases(
    "altered-content",
    "deliveries whose body was changed after signing: a value changed, a member added, a \
          member removed, the end cut off",
    |_| {
        let mut cases: Vec<Case> = CONTENT.iter().map(altered).collect();
        // Before the cut one.
        cases.insert(CONTENT.len() - 1, without_a_member());
        cases
    },
    &[alterations],
);

/// What is sent, how it differs, the name of its probe, and the steps that make it.
type Altered = (&'static str, Respect, &'static str, &'static [Step]);

fn altered(&(what, respect, name, steps): &Altered) -> Case {
    Case::forged(what, respect, Forgery::new(name, steps))
}

const CONTENT: &[Altered] = &[
    // A digit of the record's createdAt, which every plain record has: only a value changes.
    (
        "a delivery with a value changed after signing",
        Respect::Content(Part::Values),
        "body-altered",
        &[Step::ChangeValue],
    ),
    (
        "a delivery with a member added after signing",
        Respect::Content(Part::AddedMembers),
        "member-added",
        &[Step::AddMember("admin", "true")],
    ),
    (
        "a delivery with a member `secret` added after signing",
        Respect::SecretMember,
        "secret-added",
        &[Step::AddMember("secret", "\"let me in\"")],
    ),
    (
        "a delivery with its last bytes cut off after signing",
        Respect::Content(Part::End),
        "body-cut",
        &[Step::CutBody(2)],
    ),
];

fn without_a_member() -> Case {
    let what = "a delivery with a member removed after signing";
    Case::forged_by(LeftOut::Parsed, what, Respect::Content(Part::MissingMembers), |_, delivery, _| {
        let mut value: Value = serde_json::from_slice(&delivery.body).ok()?;
        let members = value.as_object_mut()?;
        let last = members.keys().next_back()?.clone();
        members.shift_remove(&last)?;
        delivery.body = Bytes::from(raw(&value).get().to_owned());
        Some(())
    })
}

/// A change of content that keeps the old signature. Positions count only letters and digits inside the body's strings, so every
/// change is more than a change of formatting.
#[derive(Debug, Clone)]
enum Alteration {
    Replace(Index),
    Double(Index),
    Delete(Index),
    Cut(Index),
    Add(u16),
}

/// VER-1: content.
fn alterations() -> Property {
    let strategy = prop_oneof![
        any::<Index>().prop_map(Alteration::Replace),
        any::<Index>().prop_map(Alteration::Double),
        any::<Index>().prop_map(Alteration::Delete),
        any::<Index>().prop_map(Alteration::Cut),
        any::<u16>().prop_map(Alteration::Add),
    ];
    Property::of("alterations of content", strategy, altered_content)
}

fn altered_content(alteration: &Alteration) -> Case {
    let (which, what) = match alteration {
        Alteration::Replace(_) => (Part::Values, "a delivery with a character replaced after signing"),
        Alteration::Double(_) => (Part::Values, "a delivery with a character doubled after signing"),
        Alteration::Delete(_) => (Part::Values, "a delivery with a character removed after signing"),
        Alteration::Cut(_) => (Part::End, "a delivery with its end cut off after signing"),
        Alteration::Add(_) => (Part::AddedMembers, "a delivery with a member added after signing"),
    };
    let alteration = alteration.clone();
    Case::forged_by(LeftOut::Generated, what, Respect::Content(which), move |_, delivery, _| {
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

/// The positions of letters and digits inside strings.
pub(super) fn letters(body: &[u8]) -> Vec<usize> {
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

pub(crate) const VER_2: Requirement = Requirement {
    id: "VER-2",
    title: "rejects an altered timestamp",
    binds: Binds::Receiver,
    level: Level::Must,
    check_id: "receiver/verification/altered-timestamp",
    text: "An altered timestamp header is rejected.",
    source: "D",
    why: "The timestamp is signed, so an old delivery cannot be sent again as a new one.",
    scenarios: &[&ALTERED_TIMESTAMP],
    needs: None,
    check: rejects_all,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::RemembersSignatures,
        ReceiverFault::ReprintsTimestamp,
        ReceiverFault::AcceptsEverything,
        ReceiverFault::RejectsInBody,
    ]),
};

/// What is sent for VER-2.
pub(super) const ALTERED_TIMESTAMP: Scenario = Scenario::cases(
    "altered-timestamp",
    "deliveries whose timestamp header was changed after signing: one millisecond later, \
          one minute earlier, with a leading zero",
    |_| TIMESTAMPS.iter().map(altered).collect(),
    &[redatings],
);

const TIMESTAMPS: &[Altered] = &[
    (
        "a delivery whose timestamp is one millisecond later than the signed one",
        Respect::Timestamp(Redating::Later),
        "timestamp-altered",
        &[Step::AddToTimestamp(1)],
    ),
    (
        "a delivery whose timestamp is one minute earlier than the signed one",
        Respect::Timestamp(Redating::Earlier),
        "timestamp-earlier",
        &[Step::AddToTimestamp(-60_000)],
    ),
    (
        "a delivery whose timestamp got a leading zero after signing",
        Respect::Timestamp(Redating::Zeros),
        "timestamp-with-zero",
        &[Step::SurroundTimestamp("0", "")],
    ),
];

/// Another timestamp with the old signature.
#[derive(Debug, Clone)]
enum OtherTimestamp {
    Later(u32),
    Earlier(u32),
    Zeros(usize),
    Digit(Index),
}

/// VER-2: the timestamp. It is up to four minutes off, so its age is not a reason to reject it.
fn redatings() -> Property {
    let strategy = prop_oneof![
        (1..240_000_u32).prop_map(OtherTimestamp::Later),
        (1..240_000_u32).prop_map(OtherTimestamp::Earlier),
        (1..8_usize).prop_map(OtherTimestamp::Zeros),
        any::<Index>().prop_map(OtherTimestamp::Digit),
    ];
    Property::of("other timestamps", strategy, redated)
}

fn redated(redating: &OtherTimestamp) -> Case {
    let (which, what) = match redating {
        OtherTimestamp::Later(ms) => (Redating::Later, format!("is {ms} ms later than the signed one")),
        OtherTimestamp::Earlier(ms) => (Redating::Earlier, format!("is {ms} ms earlier than the signed one")),
        OtherTimestamp::Zeros(_) => (Redating::Zeros, "got leading zeros after signing".to_owned()),
        OtherTimestamp::Digit(_) => (Redating::Digit, "had a digit changed after signing".to_owned()),
    };
    let redating = redating.clone();
    let what = format!("a delivery whose timestamp {what}");
    Case::forged_by(LeftOut::Generated, what, Respect::Timestamp(which), move |_, delivery, timestamp| {
        let signed_ms: u64 = timestamp.parse().ok()?;
        let other = match &redating {
            OtherTimestamp::Later(ms) => (signed_ms + u64::from(*ms)).to_string(),
            OtherTimestamp::Earlier(ms) => signed_ms.checked_sub(u64::from(*ms))?.to_string(),
            OtherTimestamp::Zeros(count) => format!("{}{timestamp}", "0".repeat(*count)),
            OtherTimestamp::Digit(at) => {
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
