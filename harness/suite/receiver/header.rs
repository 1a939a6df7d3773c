//! VER-4: a delivery without its headers is rejected.

use super::case::{Case, Change};
use super::judge::rejects_all;
use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::requirement::{Binds, Level, Requirement};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::Respect;
use crate::webhook::signature::{NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};

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

fn changed(respect: Respect, changes: &'static [(&'static str, Change)]) -> impl Iterator<Item = Case> {
    changes.iter().map(move |(what, change)| Case::forged(*what, respect, change))
}

const UNSIGNED: &[(&str, Change)] = &[
    ("a delivery without a signature", |_, delivery, _| {
        delivery.headers.remove(SIGNATURE_HEADER);
        Some(())
    }),
    ("a delivery with an empty signature", |_, delivery, _| {
        delivery.headers.set(SIGNATURE_HEADER, "");
        Some(())
    }),
    ("a delivery with neither signature nor timestamp", |_, delivery, _| {
        for name in [SIGNATURE_HEADER, TIMESTAMP_HEADER, NONCE_HEADER] {
            delivery.headers.remove(name);
        }
        Some(())
    }),
];

const UNDATED: &[(&str, Change)] = &[
    ("a delivery without a timestamp", |_, delivery, _| {
        delivery.headers.remove(TIMESTAMP_HEADER);
        Some(())
    }),
    ("a delivery without a timestamp, signed with an empty one", |maker, delivery, _| {
        delivery.headers.remove(TIMESTAMP_HEADER);
        delivery.headers.set(SIGNATURE_HEADER, maker.signature(b"", &delivery.body));
        Some(())
    }),
];
