//! DIA-1: the body of the other dialect is accepted too.

use super::case::Case;
use super::judge::accepts;
use super::maker::PLAIN_EVENT;
use super::messages;
use super::processing::{self, PROCESSING};
use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::cause::receiver::{of_reserialising, of_text_encoding};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Level, Requirement, Verdict};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Capability, Respect, Transcript, Trial};
use crate::webhook::dialect::{self, Dialect};

/// The requirements of this group, in the order of the contract.
pub(super) const ALL: &[Requirement] = &[DIA_1];

const DIA_1: Requirement = Requirement {
    id: "DIA-1",
    title: "accepts the other dialect",
    binds: Binds::Receiver,
    level: Level::Advice,
    check_id: "receiver/verification/other-dialect",
    text: "The body of the other dialect is accepted too, and processed where that can be \
          observed.",
    source: "W",
    why: "The documentation shows one body and Twenty sends another. A receiver that reads both is safe.",
    scenarios: &[&OTHER_DIALECT, &PROCESSING],
    needs: None,
    check: other_dialect,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::RejectsOtherDialect,
        ReceiverFault::MisreadsOtherDialect,
        ReceiverFault::HashesAsPythonCompact,
        ReceiverFault::HashesAsPhp,
        ReceiverFault::VerifiesTextAsAscii,
        ReceiverFault::VerifiesEscapedText,
    ]),
};

/// What is sent for DIA-1.
const OTHER_DIALECT: Scenario = Scenario::cases(
    "other-dialect",
    "a valid delivery in the other dialect",
    |maker| other_dialects(maker.dialect).collect(),
    &[],
);

fn other_dialects(own: &'static Dialect) -> impl Iterator<Item = Case> {
    dialect::ALL.into_iter().filter(|dialect| dialect.name != own.name).map(|dialect| {
        let what = format!("a valid delivery in dialect {}", dialect.name);
        Case::valid(what, Respect::Form(dialect.name), |maker| {
            let event = dialect.sample(PLAIN_EVENT)?.with_id(&maker.random.uuid());
            Some(maker.sign(maker.render_as(dialect, &event)))
        })
    })
}

fn other_dialect(_: &Requirement, t: &Transcript) -> Verdict {
    let cause = |trial: &Trial| {
        of_text_encoding(t, trial)
            .or_else(|| of_reserialising(t))
            .or_else(|| Some(Cause::new(Code::RefusesDialect)))
    };
    let accepted = accepts(&[&OTHER_DIALECT], t, cause);
    if !t.capabilities.contains(&Capability::Observations) {
        return accepted;
    }
    of_all([accepted, processing::other_dialect(t)].into_iter(), messages::nothing_tried(), "checks")
}
