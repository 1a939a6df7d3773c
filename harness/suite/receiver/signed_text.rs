//! VER-5: a signature over something else is rejected.

use super::case::Case;
use super::forgery::{Forgery, Step};
use super::judge::rejects_all;
use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::requirement::{Binds, Level, Requirement};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::Respect;
use crate::webhook::recipe::{Message, Recipe};
use crate::webhook::signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

/// The requirements of this group, in the order of the contract.
pub(super) const ALL: &[Requirement] = &[VER_5];

pub(crate) const VER_5: Requirement = Requirement {
    id: "VER-5",
    title: "rejects other signed text",
    binds: Binds::Receiver,
    level: Level::Must,
    check_id: "receiver/verification/other-message",
    text: "A signature over something else is rejected: the body alone, the timestamp \
          alone, another separator, the payload stringified twice, another delivery.",
    source: "D",
    why: "A receiver that hashes only the body rejects Twenty's deliveries. One that accepts such a signature as well \
          can be sent old deliveries forever, because no time is signed.",
    scenarios: &[&OTHER_MESSAGE],
    needs: None,
    check: rejects_all,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::VerifiesBodyAlone,
        ReceiverFault::VerifiesWithDot,
        ReceiverFault::VerifiesTwiceStringified,
        ReceiverFault::AcceptsBodyAlone,
        ReceiverFault::AcceptsTimestampAlone,
        ReceiverFault::AcceptsDot,
        ReceiverFault::AcceptsTwiceStringified,
        ReceiverFault::AcceptsAnySignatureOnce,
        ReceiverFault::AcceptsEverything,
        ReceiverFault::RejectsInBody,
    ]),
};

/// What is sent for VER-5.
pub(super) const OTHER_MESSAGE: Scenario = Scenario::cases(
    "other-message",
    "deliveries signed over the body alone, over the timestamp alone, with another \
          separator, over the payload stringified twice or followed by a line feed, and with the signature of \
          another delivery",
    |_| {
        OTHER_MESSAGES
            .map(Recipe::message)
            .map(Case::signed)
            .into_iter()
            .chain([borrowed(), line_feed()])
            .collect()
    },
    &[],
);

const OTHER_MESSAGES: [Message; 6] = [
    Message::BodyAlone,
    Message::TimestampAlone,
    Message::Separator("."),
    Message::Separator(""),
    Message::DoubleStringified { ascii: false },
    Message::Part,
];

/// A delivery with the timestamp and signature of another delivery.
fn borrowed() -> Case {
    let what = "a delivery with the timestamp and signature of another delivery";
    Case::from_control(what, Respect::Borrowed, |maker, control| {
        let mut delivery = maker.deliver(&maker.plain());
        for name in [TIMESTAMP_HEADER, SIGNATURE_HEADER] {
            delivery.headers.set(name, control.delivery.headers.single(name)?.clone());
        }
        Some(delivery)
    })
    .must_be_rejected(Forgery::new("other-delivery", &[Step::SignOther]))
}

/// A delivery signed over its body and a line feed: the reverse of a body that got one after signing.
fn line_feed() -> Case {
    Case::signed(Recipe::message(Message::TrailingNewline))
}
