//! VER-4: a delivery without its headers is rejected.

use super::case::Case;
use super::forgery::{Forgery, Step};
use super::judge::rejects_all;
use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::requirement::{Binds, Level, Requirement};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::Respect;

/// The requirements of this group, in the order of the contract.
pub(super) const ALL: &[Requirement] = &[VER_4];

pub(crate) const VER_4: Requirement = Requirement {
    id: "VER-4",
    title: "rejects missing headers",
    binds: Binds::Receiver,
    level: Level::Must,
    check_id: "receiver/verification/missing-header",
    text: "A missing or empty signature header, and a missing timestamp header, are \
          rejected.",
    source: "D",
    why: "A receiver that checks the signature only if there is one accepts anyone who leaves the header out.",
    scenarios: &[&MISSING_HEADER],
    needs: None,
    check: rejects_all,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::AcceptsMissingSignature,
        ReceiverFault::AcceptsEmptySignature,
        ReceiverFault::AcceptsMissingTimestamp,
        ReceiverFault::AcceptsEverything,
        ReceiverFault::RejectsInBody,
    ]),
};

/// What is sent for VER-4.
pub(super) const MISSING_HEADER: Scenario = Scenario::cases(
    "missing-header",
    "deliveries with a missing or empty signature, or without a timestamp",
    |_| changed(Respect::Unsigned, UNSIGNED).chain(changed(Respect::Undated, UNDATED)).collect(),
    &[],
);

/// What is sent, the name of its probe, and the steps that make it.
type Changed = (&'static str, &'static str, &'static [Step]);

fn changed(respect: Respect, changes: &'static [Changed]) -> impl Iterator<Item = Case> {
    changes.iter().map(move |&(what, name, steps)| Case::forged(what, respect, Forgery::new(name, steps)))
}

const UNSIGNED: &[Changed] = &[
    ("a delivery without a signature", "signature-missing", &[Step::RemoveSignature]),
    ("a delivery with an empty signature", "signature-empty", &[Step::SetSignature("")]),
    (
        "a delivery with neither signature nor timestamp",
        "headers-missing",
        &[Step::RemoveSignature, Step::RemoveTimestamp, Step::RemoveNonce],
    ),
];

const UNDATED: &[Changed] = &[
    ("a delivery without a timestamp", "timestamp-missing", &[Step::RemoveTimestamp]),
    (
        "a delivery without a timestamp, signed with an empty one",
        "timestamp-missing-signed",
        &[Step::RemoveTimestamp, Step::Sign],
    ),
];
