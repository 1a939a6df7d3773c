//! VER-12, VER-20 and VER-19: a signed body that is not a delivery is rejected, and an unsigned one is not parsed.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::sample::Index;
use serde_json::{Value, json};

use super::altered::letters;
use super::case::Case;
use super::forgery::{Forgery, LeftOut, Step};
use super::judge::{control_rejected, is_4xx, of_crash, rejects_all};
use super::messages;
use super::property::Property;
use super::ways_in::unsign;
use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Expected, Level, Requirement, Verdict};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Respect, Transcript};
use crate::webhook::event::raw;

/// The requirements of this group, in the order of the contract.
pub(super) const ALL: &[Requirement] = &[VER_12, VER_20, VER_19];

const VER_12: Requirement = Requirement {
    id: "VER-12",
    title: "rejects what is no delivery",
    binds: Binds::Receiver,
    level: Level::Should,
    check_id: "receiver/verification/malformed",
    text: "Signed but not a delivery: truncated JSON, `[]`, `null`, `\"x\"`, `{}`, invalid \
          UTF-8: 4xx.",
    source: "W",
    why: "A 500 means that the receiver crashed on its input. A 200 says that it processed an event, although there was none.",
    scenarios: &[&MALFORMED],
    needs: None,
    check: rejects_malformed,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::AcceptsMalformed,
        ReceiverFault::AnswersMalformedWith500,
        ReceiverFault::AcceptsEverything,
        ReceiverFault::RejectsInBody,
        ReceiverFault::ClosesOnRejection,
        ReceiverFault::RejectsWith500,
    ]),
};

/// What is sent for VER-12.
const MALFORMED: Scenario = Scenario::cases(
    "malformed",
    "correctly signed bodies that are not deliveries",
    |_| MALFORMATIONS.iter().map(malformed).collect(),
    &[malformations],
);

/// A body that is not a delivery: what it is, the name of its probe, and the steps that make it from a valid delivery.
type Malformation = (&'static str, &'static str, &'static [Step]);

const MALFORMATIONS: &[Malformation] = &[
    ("[]", "signed-array", &[Step::SetBody(b"[]"), Step::Sign]),
    ("null", "signed-null", &[Step::SetBody(b"null"), Step::Sign]),
    ("a string", "signed-string", &[Step::SetBody(b"\"x\""), Step::Sign]),
    ("an empty object", "signed-empty-object", &[Step::SetBody(b"{}"), Step::Sign]),
    (
        "not UTF-8",
        "signed-not-utf-8",
        &[
            Step::SetBody(
                b"{\"event\":\"person.created\",\"eventName\":\"person.created\",\"data\":{\"id\":\"\xff\"}}",
            ),
            Step::Sign,
        ],
    ),
    ("empty", "signed-nothing", &[Step::SetBody(b""), Step::Sign]),
    ("truncated JSON", "signed-half", &[Step::HalveBody, Step::Sign]),
];

fn malformed(&(which, name, steps): &Malformation) -> Case {
    let what = format!("a signed body that is {which}");
    Case::forged(what, Respect::Malformed(which), Forgery::new(name, steps))
}

/// A correctly signed body that is not a delivery.
#[derive(Debug, Clone)]
enum Malformed {
    Cut(Index),
    BadByte(Index),
    Number(i64),
    Array(Vec<i64>),
    NamesNoEvent(i64),
    Garbage(Vec<u8>),
}

/// VER-12: bodies that are not deliveries.
fn malformations() -> Property {
    let strategy = prop_oneof![
        any::<Index>().prop_map(Malformed::Cut),
        any::<Index>().prop_map(Malformed::BadByte),
        any::<i64>().prop_map(Malformed::Number),
        vec(any::<i64>(), 0..4).prop_map(Malformed::Array),
        any::<i64>().prop_map(Malformed::NamesNoEvent),
        vec(any::<u8>(), 0..32).prop_map(Malformed::Garbage),
    ];
    Property::of("bodies that are not deliveries", strategy, malformed_body)
}

fn malformed_body(malformation: &Malformed) -> Case {
    let which = match malformation {
        Malformed::Cut(_) => "truncated JSON",
        Malformed::BadByte(_) => "not UTF-8",
        Malformed::Number(_) => "a number",
        Malformed::Array(_) => "an array",
        Malformed::NamesNoEvent(_) => "an object without an event",
        Malformed::Garbage(_) => "not JSON",
    };
    let malformation = malformation.clone();
    let what = format!("a signed body that is {which}");
    Case::forged_by(LeftOut::Generated, what, Respect::Malformed(which), move |maker, delivery, timestamp| {
        delivery.body = match &malformation {
            Malformed::Cut(at) => delivery.body.slice(..at.index(delivery.body.len())),
            Malformed::BadByte(at) => {
                let mut body = delivery.body.to_vec();
                let places = letters(&body);
                let at = places.get(at.index(places.len().max(1)))?;
                body[*at] = 0xff;
                body.into()
            }
            Malformed::Number(number) => number.to_string().into(),
            Malformed::Array(numbers) => format!("{numbers:?}").into(),
            Malformed::NamesNoEvent(number) => format!("{{\"data\":{{\"id\":\"x\",\"n\":{number}}}}}").into(),
            // After a brace and a comma, nothing can make it JSON.
            Malformed::Garbage(bytes) => Bytes::from([b"{,", &bytes[..]].concat()),
        };
        maker.date(delivery, timestamp.as_bytes());
        Some(())
    })
}

const VER_20: Requirement = Requirement {
    id: "VER-20",
    title: "rejects wrong types",
    binds: Binds::Receiver,
    level: Level::Advice,
    check_id: "receiver/verification/wrong-types",
    text: "So is an object whose `event` is no text, or whose `data` is no object.",
    source: "W",
    why: "A value of the wrong type is stored unnoticed, or crashes the program somewhere else. Loosely typed programs \
          tend to accept such a body.",
    scenarios: &[&WRONG_TYPES],
    needs: None,
    check: rejects_malformed,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::AcceptsEverything,
        ReceiverFault::RejectsInBody,
        ReceiverFault::AcceptsWrongTypes,
        ReceiverFault::ClosesOnRejection,
        ReceiverFault::RejectsWith500,
    ]),
};

/// What is sent for VER-20.
const WRONG_TYPES: Scenario = Scenario::cases(
    "wrong-types",
    "correctly signed objects whose event is not a string, or whose data is not an object",
    |_| WRONG_TYPE_CASES.iter().map(wrong_type).collect(),
    &[event_numbers],
);

/// A value of another type. The text is the end of "a signed body whose ...". The flag says whether the value replaces the
/// event's name; if not, it replaces the record.
type WrongType = (&'static str, bool, fn() -> Value);

const WRONG_TYPE_CASES: &[WrongType] = &[
    ("event is a number", true, || json!(42)),
    ("event is null", true, || Value::Null),
    ("event is an array", true, || json!(["person.created"])),
    ("data is a string", false, || json!("Alice")),
    ("data is an array", false, || json!([{ "id": "abc12345" }])),
    ("data is null", false, || Value::Null),
];

fn wrong_type(&(which, of_event, value): &WrongType) -> Case {
    with_type(which, of_event, value())
}

/// A correctly signed delivery with this value instead of its event's name or its record.
fn with_type(which: &'static str, of_event: bool, value: Value) -> Case {
    let what = format!("a signed body whose {which}");
    Case::forged_by(LeftOut::Parsed, what, Respect::WrongType(which), move |maker, delivery, timestamp| {
        let mut body: Value = serde_json::from_slice(&delivery.body).ok()?;
        let event = maker.plain().name;
        let dialect = maker.dialect;
        let member = if of_event { dialect.event_member } else { dialect.content_member(&event) };
        *body.get_mut(member)? = value.clone();
        delivery.body = Bytes::from(raw(&body).get().to_owned());
        maker.date(delivery, timestamp.as_bytes());
        Some(())
    })
}

fn event_numbers() -> Property {
    Property::of("events that are numbers", any::<i64>(), |&number| {
        with_type("event is a number", true, json!(number))
    })
}

fn rejects_malformed(requirement: &Requirement, t: &Transcript) -> Verdict {
    let trials = requirement.scenarios.iter().flat_map(|scenario| t.trials_of(scenario.name));
    let rejected = trials.filter(|trial| !t.acknowledged(trial.exchange));
    let verdicts = rejected.map(|trial| is_4xx(t, trial, of_crash(t, trial, Code::CrashMalformedJson)));
    // A crash is reported before an acceptance.
    of_all(verdicts.chain([rejects_all(requirement, t)]), messages::nothing_tried(), "bodies")
}

const VER_19: Requirement = Requirement {
    id: "VER-19",
    title: "verifies before parsing",
    binds: Binds::Receiver,
    level: Level::Advice,
    check_id: "receiver/verification/verify-first",
    text: "Unsigned and malformed is answered like unsigned and well-formed: nothing is \
          parsed before it is verified.",
    source: "W",
    why: "A bug in code that runs before the signature is verified can be reached by anyone.",
    scenarios: &[&UNSIGNED_MALFORMED],
    needs: None,
    check: verifies_first,
    counterexamples: Faults::Receiver(&[ReceiverFault::ParsesFirst]),
};

/// What is sent for VER-19.
const UNSIGNED_MALFORMED: Scenario = Scenario::cases(
    "unsigned-malformed",
    "unsigned requests, one well-formed and the others malformed",
    |_| unsigned_malformed(),
    &[],
);

fn unsigned_malformed() -> Vec<Case> {
    let bodies: [(&str, Option<&'static [u8]>); 4] = [
        ("well-formed", None),
        ("truncated JSON", Some(b"{\"event\":\"person.cr")),
        ("not UTF-8", Some(b"{\"event\":\"\xff\"}")),
        ("empty", Some(b"")),
    ];
    let case = |(which, body): (&str, Option<&'static [u8]>)| {
        Case::forged_by(
            LeftOut::Compared,
            format!("an unsigned body that is {which}"),
            Respect::UnsignedMalformed,
            move |_, delivery, _| {
                unsign(delivery);
                if let Some(body) = body {
                    delivery.body = Bytes::from_static(body);
                }
                Some(())
            },
        )
    };
    bodies.into_iter().map(case).collect()
}

/// The first trial is unsigned and well-formed, the others unsigned and malformed.
fn verifies_first(_: &Requirement, t: &Transcript) -> Verdict {
    let mut trials = t.trials_of(UNSIGNED_MALFORMED.name);
    let Some(well_formed) = trials.next() else {
        return Verdict::Inconclusive(messages::nothing_tried().to_owned());
    };
    if t.acknowledged(well_formed.exchange) {
        return Verdict::Inconclusive(messages::unsigned_accepted().to_owned());
    }
    let expected = t.outcome(well_formed.exchange).to_string();
    let status = t.outcome(well_formed.exchange).status();
    let wanted = status.map_or_else(|| Expected::from(expected.clone()), Expected::Status);
    let verdicts = trials.map(|trial| {
        if let Some(unclear) = control_rejected(t, trial) {
            return unclear;
        }
        let outcome = t.outcome(trial.exchange);
        let actual = outcome.to_string();
        if actual == expected {
            return Verdict::Pass;
        }
        let took = t.exchange(trial.exchange).took;
        let reference = t.outcome(well_formed.exchange);
        let message = messages::parsed_before_verifying(outcome, took, &trial.what, reference);
        Evidence::new(wanted.clone(), actual, message)
            .shown_by([well_formed.exchange, trial.exchange])
            .because(Cause::detailed(Code::AnswerStatus, "parsed before verified"))
            .fail()
    });
    of_all(verdicts, messages::nothing_tried(), "bodies")
}
