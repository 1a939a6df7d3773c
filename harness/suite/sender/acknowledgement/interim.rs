//! ACK-7: an interim answer is not the answer.

use super::forms::in_forms;
use crate::peers::fault::{Faults, SenderFault};
use crate::suite::requirement::{Binds, Level, Recorded, Requirement, Unrecorded};
use crate::suite::sender::scenario::answers::ANSWER_FORMS;
use crate::suite::transcript::AnswerForm;

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[Requirement {
    id: "ACK-7",
    title: "interim answers",
    binds: Binds::Sender(Recorded::Cannot(Unrecorded::Answers)),
    level: Level::Should,
    check_id: "sender/acknowledgement/interim",
    text: "An interim 1xx before a 2xx is not the answer.",
    source: "R",
    why: "Proxies send 100 and 103 on their own; the answer comes after them.",
    scenarios: &[&ANSWER_FORMS],
    needs: None,
    check: |requirement, t| in_forms(requirement, t, |form| matches!(form, AnswerForm::Interim(_)), false),
    counterexamples: Faults::Sender(&[SenderFault::InterimIsTheAnswer, SenderFault::FirstLineAcknowledges]),
}];
