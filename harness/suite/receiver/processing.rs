//! PRC-1 to PRC-3: a receiver processes what it accepts, and only once.
//!
//! Only observations count. A receiver that cannot be observed is not judged here.

use futures_util::FutureExt as _;

use super::aborted::ABORTED;
use super::messages;
use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::cause::receiver::of_processing;
use crate::suite::judge::of_all;
use crate::suite::messages::times_in_words;
use crate::suite::requirement::{Binds, Evidence, Expected, Level, Requirement, Verdict};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Capability, ProcessingKind, ProcessingTrial, Transcript};

mod sent;

/// The requirements of this group, in the order of the contract.
pub(super) const ALL: &[Requirement] = &[PRC_1, PRC_2, PRC_3];

/// What is sent for PRC-1 to PRC-3 and DIA-1.
pub(super) const PROCESSING: Scenario = Scenario::receiver(
    "processing",
    "valid and forged deliveries, the same delivery twice (byte for byte, signed again, \
          after a forged copy), two events of one record, and the other dialect; each with its own \
          record id",
    |stage| stage.observe_processing().boxed_local(),
);

const PRC_1: Requirement = Requirement {
    id: "PRC-1",
    title: "accepted means processed",
    binds: Binds::Receiver,
    level: Level::Must,
    check_id: "receiver/intake/taken-in",
    text: "An accepted delivery was processed: its event and record id are observed.",
    source: "D",
    why: "A 2xx says that the event is safe. An event that is accepted and then dropped is lost, because Twenty never \
          sends it again.",
    scenarios: &[&PROCESSING],
    needs: Some(Capability::Observations),
    check: |_, t| each(t, ProcessingKind::Valid, processed),
    counterexamples: Faults::Receiver(&[ReceiverFault::DropsDeliveries, ReceiverFault::DedupesOnConstant]),
};

fn processed(t: &Transcript, trial: &ProcessingTrial) -> Verdict {
    if !acknowledged(t, trial) {
        return Verdict::Inconclusive(messages::not_accepted(&trial.what));
    }
    if t.times_observed(&trial.observed) > 0 {
        return Verdict::Pass;
    }
    found(t, trial, "observed", messages::dropped(&trial.what, t.observed.count() == 0))
}

const PRC_2: Requirement = Requirement {
    id: "PRC-2",
    title: "rejected leaves nothing",
    binds: Binds::Receiver,
    level: Level::Must,
    check_id: "receiver/intake/left-behind",
    text: "A rejected delivery left nothing behind.",
    source: "D",
    why: "A receiver that works first and verifies afterwards has already done what an attacker sent, whatever it answers.",
    scenarios: &[&PROCESSING, &ABORTED],
    needs: Some(Capability::Observations),
    check: rejected_not_processed,
    counterexamples: Faults::Receiver(&[ReceiverFault::ProcessesRejected]),
};

fn rejected_not_processed(_: &Requirement, t: &Transcript) -> Verdict {
    if t.observed.count() == 0 {
        return Verdict::Inconclusive(messages::nothing_observed().to_owned());
    }
    // Other requirements report a forged delivery that was accepted.
    let rejected = t.processing.iter().filter(|trial| {
        trial.kind == ProcessingKind::Forged && !trial.exchanges.iter().any(|&id| t.acknowledged(id))
    });
    let verdicts = rejected.map(|trial| {
        if t.times_observed(&trial.observed) == 0 {
            return Verdict::Pass;
        }
        found(t, trial, "not observed", messages::processed_rejected(&trial.what))
    });
    of_all(verdicts, messages::no_forged_rejected(), "deliveries")
}

const PRC_3: Requirement = Requirement {
    id: "PRC-3",
    title: "processed once",
    binds: Binds::Receiver,
    level: Level::Should,
    check_id: "receiver/intake/once",
    text: "The same delivery twice, byte for byte and re-signed with a new nonce, is \
          processed once; two different events are processed twice (same record, same second, same \
          webhook).",
    source: "W",
    why: "A sender that got no answer in time may send a delivery again. A receiver must recognise the repeat without \
          losing other events. If it remembers deliveries before it verifies them, a forged copy blocks the valid \
          delivery.",
    scenarios: &[&PROCESSING],
    needs: Some(Capability::Observations),
    check: once,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::DropsDeliveries,
        ReceiverFault::DedupesNothing,
        ReceiverFault::DedupesOnConstant,
        ReceiverFault::DedupesOnRecord,
        ReceiverFault::DedupesOnNonce,
        ReceiverFault::MarksBeforeVerifying,
    ]),
};

fn once(_: &Requirement, t: &Transcript) -> Verdict {
    let kinds = [
        ProcessingKind::Same,
        ProcessingKind::SignedAnew,
        ProcessingKind::SameRecord,
        ProcessingKind::AfterForged,
    ];
    let verdicts = kinds.into_iter().map(|kind| each(t, kind, processed_as_often_as_wanted));
    of_all(verdicts, messages::nothing_tried(), "cases")
}

fn processed_as_often_as_wanted(t: &Transcript, trial: &ProcessingTrial) -> Verdict {
    let (times, wanted) = (t.times_observed(&trial.observed), trial.kind.times());
    let after_forged = trial.kind == ProcessingKind::AfterForged;
    let last = trial.exchanges.last().copied();
    let valid = if after_forged { last.is_some_and(|id| t.acknowledged(id)) } else { acknowledged(t, trial) };
    // A repeat may be rejected, which RCV-9 reports. The first of two must have been accepted.
    let repeated = matches!(trial.kind, ProcessingKind::Same | ProcessingKind::SignedAnew);
    let first = trial.exchanges.first().is_some_and(|&id| t.acknowledged(id));
    if !(valid || repeated && first) || after_forged && first {
        return Verdict::Inconclusive(messages::not_answered_as_expected(&trial.what));
    }
    if times == wanted {
        return Verdict::Pass;
    }
    if after_forged && times > wanted {
        return Verdict::Inconclusive(messages::rejected_was_processed().to_owned());
    }
    if repeated && times == 0 {
        return Verdict::Inconclusive(messages::never_observed(&trial.what));
    }
    let message = messages::processed_wrong_count(&trial.what, times, wanted);
    found(t, trial, times_in_words(wanted), message)
}

/// A delivery in the other dialect must be processed too, if those in the receiver's own dialect are.
pub(super) fn other_dialect(t: &Transcript) -> Verdict {
    let own = t.processing.iter().filter(|trial| trial.kind == ProcessingKind::Valid);
    if own.map(|trial| t.times_observed(&trial.observed)).sum::<usize>() == 0 {
        return Verdict::Inconclusive(messages::no_valid_observed().to_owned());
    }
    each(t, ProcessingKind::OtherDialect, processed)
}

fn each(
    t: &Transcript,
    kind: ProcessingKind,
    judge: fn(&Transcript, &ProcessingTrial) -> Verdict,
) -> Verdict {
    let of_kind = t.processing.iter().filter(|trial| trial.kind == kind);
    of_all(of_kind.map(|trial| judge(t, trial)), messages::nothing_tried(), "deliveries")
}

fn acknowledged(t: &Transcript, trial: &ProcessingTrial) -> bool {
    trial.exchanges.iter().all(|&id| t.acknowledged(id))
}

fn found(t: &Transcript, trial: &ProcessingTrial, expected: impl Into<Expected>, message: String) -> Verdict {
    let times = t.times_observed(&trial.observed);
    Evidence::new(expected, format!("observed {}", times_in_words(times)), message)
        .shown_by(trial.exchanges.iter().copied())
        .because(of_processing(t, trial))
        .fail()
}
