//! PRC: a receiver processes what it accepts, once.
//!
//! Only what was observed counts; a receiver that cannot be observed is not judged here.

use futures_util::FutureExt as _;

use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::cause::receiver::of_intake;
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Expected, Level, Requirement, Verdict};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Capability, Intake, IntakeKind, Transcript};

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
    check: |_, t| each(t, IntakeKind::Valid, taken_in),
    counterexamples: Faults::Receiver(&[ReceiverFault::DropsDeliveries, ReceiverFault::DedupesOnConstant]),
};

fn taken_in(t: &Transcript, intake: &Intake) -> Verdict {
    if !acknowledged(t, intake) {
        return Verdict::Inconclusive(format!("{} was not acknowledged", intake.what));
    }
    if t.times_observed(&intake.observed) > 0 {
        return Verdict::Pass;
    }
    let nothing = if t.observed.is_empty() { " (nothing was observed in the whole run)" } else { "" };
    let message = format!("{} was acknowledged and never observed{nothing}", intake.what);
    found(t, intake, "observed", message)
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
    counterexamples: Faults::Receiver(&[ReceiverFault::TakesInRefused]),
};

fn left_nothing(_: &Requirement, t: &Transcript) -> Verdict {
    if t.observed.is_empty() {
        return Verdict::Inconclusive("nothing was observed in the whole run".to_owned());
    }
    // One that was acknowledged was not refused, and is no matter of this requirement.
    let refused = t.intakes.iter().filter(|intake| {
        intake.kind == IntakeKind::Forged && !intake.exchanges.iter().any(|&id| t.acknowledged(id))
    });
    let verdicts = refused.map(|intake| {
        if t.times_observed(&intake.observed) == 0 {
            return Verdict::Pass;
        }
        let message = format!(
            "{} was refused and observed all the same: what is done with a delivery is done before it is verified",
            intake.what
        );
        found(t, intake, "not observed", message)
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
    let kinds = [IntakeKind::Same, IntakeKind::SignedAnew, IntakeKind::SameRecord, IntakeKind::BehindForged];
    let verdicts = kinds.into_iter().map(|kind| each(t, kind, so_often));
    of_all(verdicts, "nothing could be tried", "cases")
}

fn so_often(t: &Transcript, intake: &Intake) -> Verdict {
    let (times, wanted) = (t.times_observed(&intake.observed), intake.kind.times());
    let behind_forged = intake.kind == IntakeKind::BehindForged;
    let last = intake.exchanges.last().copied();
    let valid =
        if behind_forged { last.is_some_and(|id| t.acknowledged(id)) } else { acknowledged(t, intake) };
    // A repetition may be refused; that is for RCV-9 to say. The first of two must have been taken.
    let repeated = matches!(intake.kind, IntakeKind::Same | IntakeKind::SignedAnew);
    let first = intake.exchanges.first().is_some_and(|&id| t.acknowledged(id));
    if !(valid || repeated && first) || behind_forged && first {
        return Verdict::Inconclusive(format!("{} was not answered as it should be", intake.what));
    }
    if times == wanted {
        return Verdict::Pass;
    }
    if behind_forged && times > wanted {
        return Verdict::Inconclusive("a refused delivery was taken in, which is PRC-2's matter".to_owned());
    }
    if repeated && times == 0 {
        return Verdict::Inconclusive(format!("{} was never observed", intake.what));
    }
    let message =
        format!("{} was taken in {} where it should be {}", intake.what, often(times), often(wanted));
    found(t, intake, often(wanted), message)
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
    let own = t.intakes.iter().filter(|intake| intake.kind == IntakeKind::Valid);
    if own.map(|intake| t.times_observed(&intake.observed)).sum::<usize>() == 0 {
        return Verdict::Inconclusive("no genuine delivery was observed".to_owned());
    }
    each(t, IntakeKind::OtherDialect, |t, intake| {
        if !acknowledged(t, intake) {
            return Verdict::Inconclusive(format!("{} was not acknowledged", intake.what));
        }
        if t.times_observed(&intake.observed) > 0 {
            return Verdict::Pass;
        }
        let message = format!("{} was acknowledged and never observed", intake.what);
        found(t, intake, "observed", message)
    })
}

fn each(t: &Transcript, kind: IntakeKind, judge: fn(&Transcript, &Intake) -> Verdict) -> Verdict {
    let of_kind = t.intakes.iter().filter(|intake| intake.kind == kind);
    of_all(of_kind.map(|intake| judge(t, intake)), "nothing could be tried", "deliveries")
}

fn acknowledged(t: &Transcript, intake: &Intake) -> bool {
    intake.exchanges.iter().all(|&id| t.acknowledged(id))
}

fn found(t: &Transcript, intake: &Intake, expected: impl Into<Expected>, message: String) -> Verdict {
    let times = t.times_observed(&intake.observed);
    Evidence::new(expected, format!("observed {}", often(times)), message)
        .shown_by(intake.exchanges.iter().copied())
        .because(of_intake(t, intake))
        .fail()
}
