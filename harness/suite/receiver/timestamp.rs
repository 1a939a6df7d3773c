//! VER-10: the timestamp header is digits only.

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::sample::{Index, select};

use super::case::Case;
use super::forgery::{Forgery, LeftOut, Step};
use super::judge::rejects_all;
use super::property::Property;
use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::requirement::{Binds, Level, Requirement};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Respect, TimestampForm};

/// The requirements of this group, in the order of the contract.
pub(super) const ALL: &[Requirement] = &[VER_10];

const VER_10: Requirement = Requirement {
    id: "VER-10",
    title: "digits-only timestamp",
    binds: Binds::Receiver,
    level: Level::Should,
    check_id: "receiver/verification/timestamp-form",
    text: "The timestamp header is digits only: text moved across the colon, and deliveries \
          correctly signed under an empty timestamp, `abc`, `NaN`, an ISO date, `+1735…`, `-1`, or \
          digits with spaces, are rejected.",
    source: "R",
    why: "If other characters are allowed before the colon, the same signed text can be split into timestamp and body in \
          two ways. And a check such as `age > limit` never rejects NaN.",
    scenarios: &[&TIMESTAMP_FORM],
    needs: None,
    check: rejects_all,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::AcceptsEmptyTimestamp,
        ReceiverFault::AcceptsAnyTimestamp,
        ReceiverFault::AcceptsNaN,
        ReceiverFault::AcceptsEverything,
        ReceiverFault::RejectsInBody,
    ]),
};

/// What is sent for VER-10.
pub(super) const TIMESTAMP_FORM: Scenario = Scenario::cases(
    "timestamp-form",
    "correctly signed deliveries whose timestamp is empty or not only digits, and one with \
          part of its body moved into its timestamp",
    |_| timestamp_form(),
    &[timestamp_forms],
);

/// A form of timestamp, the name of its probe, and the step that makes it.
type Form = (TimestampForm, &'static str, &'static [Step]);

const FORMS: &[Form] = &[
    (TimestampForm::Empty, "timestamp-empty", &[Step::SetTimestamp(""), Step::Sign]),
    (TimestampForm::Other("abc"), "timestamp-abc", &[Step::SetTimestamp("abc"), Step::Sign]),
    (TimestampForm::Other("NaN"), "timestamp-nan", &[Step::SetTimestamp("NaN"), Step::Sign]),
    (TimestampForm::IsoDate, "timestamp-date", &[Step::StampDate, Step::Sign]),
    (
        TimestampForm::Other("a number with a plus sign"),
        "timestamp-with-plus",
        &[Step::SurroundTimestamp("+", ""), Step::Sign],
    ),
    (
        TimestampForm::Other("a negative number"),
        "timestamp-negative",
        &[Step::SetTimestamp("-1"), Step::Sign],
    ),
    (
        TimestampForm::Other("a number with a fraction"),
        "timestamp-with-fraction",
        &[Step::SurroundTimestamp("", ".5"), Step::Sign],
    ),
    (
        TimestampForm::Other("a number with an exponent"),
        "timestamp-with-exponent",
        &[Step::StampWithExponent, Step::Sign],
    ),
    (
        TimestampForm::Other("digits with a space between them"),
        "timestamp-with-space",
        &[Step::SplitTimestamp, Step::Sign],
    ),
];

fn timestamp_form() -> Vec<Case> {
    let form = |&(which, name, steps): &Form| {
        let what = format!("a correctly signed delivery whose timestamp is {}", which.describe());
        Case::forged(what, Respect::TimestampForm(which), Forgery::new(name, steps))
    };
    // The same signed text, split at a later colon.
    let moved = Case::forged(
        "a delivery with part of its body moved into its timestamp",
        Respect::TimestampForm(TimestampForm::MovedColon),
        Forgery::new("colon-moved", &[Step::MoveColon]),
    );
    FORMS.iter().map(form).chain([moved]).collect()
}

/// A timestamp that is not only digits.
#[derive(Debug, Clone)]
enum OddTimestamp {
    /// A letter and these bytes instead of the timestamp.
    Text(Vec<u8>),
    /// This byte between its digits.
    Inserted(Index, u8),
}

/// VER-10: the form of the timestamp. Read as Latin-1, some of the non-ASCII bytes are digits to some languages.
fn timestamp_forms() -> Property {
    let inserted = select(&b"_.,+-eExX: '\xb2\xb3\xb9\xe9"[..]);
    let strategy = prop_oneof![
        1 => vec(0x21..0x7f_u8, 0..20).prop_map(OddTimestamp::Text),
        2 => (any::<Index>(), inserted).prop_map(|(at, byte)| OddTimestamp::Inserted(at, byte)),
    ];
    Property::of("timestamps that are not digits", strategy, |form| {
        let form = form.clone();
        let what = "a correctly signed delivery whose timestamp is not only digits";
        Case::forged_by(
            LeftOut::Generated,
            what,
            Respect::TimestampForm(TimestampForm::Other("not only digits")),
            move |maker, delivery, timestamp| {
                let bytes = match &form {
                    OddTimestamp::Text(bytes) => [b"t", &bytes[..]].concat(),
                    OddTimestamp::Inserted(at, byte) => {
                        let mut digits = timestamp.as_bytes().to_vec();
                        // Between digits: HTTP strips white space at the ends.
                        digits.insert(1 + at.index(digits.len() - 1), *byte);
                        digits
                    }
                };
                maker.date(delivery, &bytes);
                Some(())
            },
        )
    })
}
