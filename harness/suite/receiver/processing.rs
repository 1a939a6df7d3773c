//! PRC: a receiver processes what it accepts, once.
//!
//! Only what was observed counts; a receiver that cannot be observed is not judged here.

use futures_util::FutureExt as _;

use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::cause::receiver::of_processing;
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Expected, Level, Requirement, Verdict};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Capability, ProcessingKind, ProcessingTrial, Transcript};

mod sent;

/// The requirements of this group, in the order of the contract.
pub(super) const ALL: &[Requirement] = &[PRC_1, PRC_2, PRC_3];

/// What is sent for PRC-1 to PRC-3 and DIA-1.
pub(super) const PROCESSING: Scenario = Scenario::receiver(
    "processing",
    "valid and forged deliveries, the same one twice (byte for byte, signed anew, \
          after a forged copy), two events of one record, and the other dialect, each of a record of its \
          own",
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
    why: "A 2xx says that the event is safe. One that is acknowledged and then dropped is lost without a trace, for \
          nothing sends it again.",
    scenarios: &[&PROCESSING],
    needs: Some(Capability::Observations),
    check: |_, t| each(t, ProcessingKind::Valid, taken_in),
    counterexamples: Faults::Receiver(&[ReceiverFault::DropsDeliveries, ReceiverFault::DedupesOnConstant]),
};

fn taken_in(t: &Transcript, trial: &ProcessingTrial) -> Verdict {
    if !acknowledged(t, trial) {
        return Verdict::Inconclusive(format!("{} was not acknowledged", trial.what));
    }
    if t.times_observed(&trial.observed) > 0 {
        return Verdict::Pass;
    }
    let nothing = if t.observed.is_empty() { " (nothing was observed in the whole run)" } else { "" };
    let message = format!("{} was acknowledged and never observed{nothing}", trial.what);
    found(t, trial, "observed", message)
}

const PRC_2: Requirement = Requirement {
    id: "PRC-2",
    title: "rejected leaves nothing",
    binds: Binds::Receiver,
    level: Level::Must,
    check_id: "receiver/intake/left-behind",
    text: "A rejected delivery left nothing behind.",
    source: "D",
    why: "Who works first and verifies then has done what nobody signed, whatever is answered afterwards.",
    scenarios: &[&PROCESSING],
    needs: Some(Capability::Observations),
    check: left_nothing,
    counterexamples: Faults::Receiver(&[ReceiverFault::ProcessesRejected]),
};

fn left_nothing(_: &Requirement, t: &Transcript) -> Verdict {
    if t.observed.is_empty() {
        return Verdict::Inconclusive("nothing was observed in the whole run".to_owned());
    }
    // One that was acknowledged was not refused, and is no matter of this requirement.
    let refused = t.processing.iter().filter(|trial| {
        trial.kind == ProcessingKind::Forged && !trial.exchanges.iter().any(|&id| t.acknowledged(id))
    });
    let verdicts = refused.map(|trial| {
        if t.times_observed(&trial.observed) == 0 {
            return Verdict::Pass;
        }
        let message = format!(
            "{} was refused and observed all the same: what is done with a delivery is done before it is verified",
            trial.what
        );
        found(t, trial, "not observed", message)
    });
    of_all(verdicts, "no forged delivery was refused", "deliveries")
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
    why: "A delivery that was answered too late may come again. A key that is too coarse loses events, one that is too \
          fine takes the same one in twice, and one that is remembered too soon loses what comes behind a forgery.",
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
    let verdicts = kinds.into_iter().map(|kind| each(t, kind, so_often));
    of_all(verdicts, "nothing could be tried", "cases")
}

fn so_often(t: &Transcript, trial: &ProcessingTrial) -> Verdict {
    let (times, wanted) = (t.times_observed(&trial.observed), trial.kind.times());
    let after_forged = trial.kind == ProcessingKind::AfterForged;
    let last = trial.exchanges.last().copied();
    let valid = if after_forged { last.is_some_and(|id| t.acknowledged(id)) } else { acknowledged(t, trial) };
    // A repetition may be refused; that is for RCV-9 to say. The first of two must have been taken.
    let repeated = matches!(trial.kind, ProcessingKind::Same | ProcessingKind::SignedAnew);
    let first = trial.exchanges.first().is_some_and(|&id| t.acknowledged(id));
    if !(valid || repeated && first) || after_forged && first {
        return Verdict::Inconclusive(format!("{} was not answered as it should be", trial.what));
    }
    if times == wanted {
        return Verdict::Pass;
    }
    if after_forged && times > wanted {
        return Verdict::Inconclusive("a refused delivery was taken in, which is PRC-2's matter".to_owned());
    }
    if repeated && times == 0 {
        return Verdict::Inconclusive(format!("{} was never observed", trial.what));
    }
    let message =
        format!("{} was taken in {} where it should be {}", trial.what, often(times), often(wanted));
    found(t, trial, often(wanted), message)
}

fn often(times: usize) -> String {
    match times {
        0 => "not at all".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

/// In the other dialect: acknowledged, and taken in where the own dialect is.
pub(super) fn other_dialect(t: &Transcript) -> Verdict {
    let own = t.processing.iter().filter(|trial| trial.kind == ProcessingKind::Valid);
    if own.map(|trial| t.times_observed(&trial.observed)).sum::<usize>() == 0 {
        return Verdict::Inconclusive("no valid delivery was observed".to_owned());
    }
    each(t, ProcessingKind::OtherDialect, |t, trial| {
        if !acknowledged(t, trial) {
            return Verdict::Inconclusive(format!("{} was not acknowledged", trial.what));
        }
        if t.times_observed(&trial.observed) > 0 {
            return Verdict::Pass;
        }
        let message = format!("{} was acknowledged and never observed", trial.what);
        found(t, trial, "observed", message)
    })
}

fn each(
    t: &Transcript,
    kind: ProcessingKind,
    judge: fn(&Transcript, &ProcessingTrial) -> Verdict,
) -> Verdict {
    let of_kind = t.processing.iter().filter(|trial| trial.kind == kind);
    of_all(of_kind.map(|trial| judge(t, trial)), "nothing could be tried", "deliveries")
}

fn acknowledged(t: &Transcript, trial: &ProcessingTrial) -> bool {
    trial.exchanges.iter().all(|&id| t.acknowledged(id))
}

fn found(t: &Transcript, trial: &ProcessingTrial, expected: impl Into<Expected>, message: String) -> Verdict {
    let times = t.times_observed(&trial.observed);
    Evidence::new(expected, format!("observed {}", often(times)), message)
        .shown_by(trial.exchanges.iter().copied())
        .because(of_processing(t, trial))
        .fail()
}
