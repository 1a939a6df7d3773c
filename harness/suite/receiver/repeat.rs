//! RCV-9: a repeated delivery is accepted.

use super::case::Case;
use super::judge::accepts;
use super::maker::Behind;
use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Binds, Level, Requirement};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::Respect;

/// The requirements of this group, in the order of the contract.
pub(super) const ALL: &[Requirement] = &[RCV_9];

const RCV_9: Requirement = Requirement {
    id: "RCV-9",
    title: "accepts a repeat",
    binds: Binds::Receiver,
    level: Level::Should,
    check_id: "receiver/reception/repeated",
    text: "A repeated delivery under a new timestamp and signature is answered 2xx.",
    source: "D (retries may come)",
    why: "To refuse what was taken in before makes a sender that retries try again.",
    scenarios: &[&REPEATED],
    needs: None,
    check: |r, t| accepts(r.scenarios, t, |_| Some(Cause::detailed(Code::AnswerStatus, "repeated"))),
    counterexamples: Faults::Receiver(&[ReceiverFault::RejectsRepeats]),
};

/// What is sent for RCV-9.
const REPEATED: Scenario = Scenario::cases(
    "repeated",
    "the same content again under a new timestamp and signature",
    |_| vec![repeated()],
    &[],
);

fn repeated() -> Case {
    let what = "a delivery that was acknowledged before, under a new timestamp and signature";
    Case::behind(what, Respect::Valid, |maker, control| {
        let behind = Behind { body: control.delivery.body.clone(), sent_ms: control.sent_ms };
        Some(maker.sign_behind(behind, 1))
    })
}
