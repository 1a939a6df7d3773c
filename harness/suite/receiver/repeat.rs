//! RCV-9: a repeated delivery is accepted.

use super::case::Case;
use super::judge::accepts;
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
    why: "A sender that retries keeps sending a repeat that was rejected.",
    scenarios: &[&REPEATED],
    needs: None,
    check: |r, t| accepts(r.scenarios, t, |_| Some(Cause::detailed(Code::AnswerStatus, "repeated"))),
    counterexamples: Faults::Receiver(&[ReceiverFault::RejectsRepeats]),
};

/// What is sent for RCV-9.
const REPEATED: Scenario = Scenario::cases(
    "repeated",
    "an accepted delivery again, with a new timestamp and signature",
    |_| vec![repeated()],
    &[],
);

fn repeated() -> Case {
    let what = "a repeat of an accepted delivery, with a new timestamp and signature";
    Case::from_control(what, Respect::Valid, |maker, control| Some(maker.sign_again(control.repeated(), 1)))
}
