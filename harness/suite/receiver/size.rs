//! RCV-6, RCV-10 and RCV-11: large bodies.

use futures_util::FutureExt as _;

use super::case::Case;
use super::judge::{accepts, control_rejected};
use super::maker::{PADDING, with_raw_member};
use super::messages;
use super::stage::ReceiverStage;
use super::transport::FRAMING;
use crate::peers::fault::{Faults, ReceiverFault};
use crate::subject::SubjectError;
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Expected, Level, Requirement, Verdict};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Respect, Transcript, Trial};
use crate::wire::exchange::Transfer;

/// The requirements of this group, in the order of the contract.
pub(super) const ALL: &[Requirement] = &[RCV_6, RCV_10, RCV_11];

const RCV_6: Requirement = Requirement {
    id: "RCV-6",
    title: "256 KiB",
    binds: Binds::Receiver,
    level: Level::Should,
    check_id: "receiver/reception/256-kib",
    text: "A 256 KiB body is accepted.",
    source: "W",
    why: "A long note reaches this size, and the default body limit of several frameworks is 100 kB.",
    scenarios: &[&BODY_256_KIB],
    needs: None,
    check: accepts_size,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::LimitsTo100Kilobytes,
        ReceiverFault::TruncatesLargeBodies,
    ]),
};

/// What is sent for RCV-6.
const BODY_256_KIB: Scenario =
    Scenario::cases("body-256-kib", "a valid delivery of 256 KiB", |_| vec![large("256 KiB", 256)], &[]);

const RCV_10: Requirement = Requirement {
    id: "RCV-10",
    title: "1 MiB",
    binds: Binds::Receiver,
    level: Level::Advice,
    check_id: "receiver/reception/1-mib",
    text: "A 1 MiB body is accepted.",
    source: "W",
    why: "Twenty does not limit the size of a record. A receiver that rejects a large body loses the event.",
    scenarios: &[&BODY_1_MIB],
    needs: None,
    check: accepts_size,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::LimitsTo100Kilobytes,
        ReceiverFault::LimitsTo512Kibibytes,
        ReceiverFault::TruncatesLargeBodies,
    ]),
};

/// What is sent for RCV-10.
const BODY_1_MIB: Scenario =
    Scenario::cases("body-1-mib", "a valid delivery of 1 MiB", |_| vec![large("1 MiB", 1024)], &[]);

fn large(size: &str, kib: usize) -> Case {
    Case::valid(format!("a valid delivery of {size}"), Respect::Form("size"), move |maker| {
        Some(maker.sign(maker.padded(kib * 1024)))
    })
    .of_record_with(PADDING)
}

fn accepts_size(requirement: &Requirement, t: &Transcript) -> Verdict {
    accepts(requirement.scenarios, t, |_| Some(Cause::new(Code::RefusesLarge)))
}

const RCV_11: Requirement = Requirement {
    id: "RCV-11",
    title: "too large is 413",
    binds: Binds::Receiver,
    level: Level::Should,
    check_id: "receiver/reception/413",
    text: "Beyond its limit (sought up to 16 MiB, with Content-Length, and chunked where \
          RCV-5 accepts chunks; no limit found: not applicable) a receiver answers 413: not 401, not \
          2xx, not silence.",
    source: "W",
    why: "A 401 makes people look for a wrong secret, when in fact the body was cut off at a limit.",
    scenarios: &[&BODY_LIMIT, &FRAMING],
    needs: None,
    check: beyond_the_limit,
    counterexamples: Faults::Receiver(&[ReceiverFault::TruncatesLargeBodies]),
};

/// What is sent for RCV-11.
const BODY_LIMIT: Scenario = Scenario::receiver(
    "body-limit",
    "valid deliveries that double in size up to 16 MiB; the first rejected size is sent \
          again in chunks",
    |stage| stage.body_limit().boxed_local(),
);

impl ReceiverStage<'_> {
    /// Doubles the body until it is rejected, then sends the same size in chunks.
    async fn body_limit(&mut self) -> Result<(), SubjectError> {
        for mib in [1, 2, 4, 8, 16] {
            // Frees the exchanges so far: the last accepted body has half the size of the next one.
            self.transcript.release();
            let control = with_raw_member(&self.maker.plain(), PADDING);
            let control = self.send(self.maker.deliver(&control)).await?;
            let mut delivery = self.maker.sign(self.maker.padded(mib * 1024 * 1024));
            let id = self.send(delivery.clone()).await?;
            if self.transcript.acknowledged(id) {
                continue;
            }
            delivery.transfer = Transfer::Chunks(vec![64 * 1024; delivery.body.len() / (64 * 1024)]);
            let chunked = self.send(delivery).await?;
            for (exchange, how) in [(id, "with Content-Length"), (chunked, "in chunks")] {
                self.transcript.trials.push(Trial {
                    scenario: BODY_LIMIT.name,
                    what: format!("a valid delivery of {mib} MiB {how}"),
                    respect: Respect::Form(how),
                    generated: false,
                    exchange,
                    controls: vec![control],
                });
            }
            return Ok(());
        }
        Ok(())
    }
}

/// Past its limit a receiver answers 413, however the body is framed.
fn beyond_the_limit(_: &Requirement, t: &Transcript) -> Verdict {
    if t.trials_of(BODY_LIMIT.name).next().is_none() {
        return Verdict::NotApplicable(messages::no_limit_found().to_owned());
    }
    let chunked =
        |trial: &&Trial| matches!(t.exchange(trial.exchange).delivery.transfer, Transfer::Chunks(_));
    // If chunks are never accepted, RCV-5 says so.
    let accepts_chunks =
        t.trials_of(FRAMING.name).filter(chunked).all(|trial| t.acknowledged(trial.exchange));
    let trials = t.trials_of(BODY_LIMIT.name).filter(|trial| accepts_chunks || !chunked(trial));
    let verdicts = trials.map(|trial| {
        let outcome = t.outcome(trial.exchange);
        if let Some(unclear) = control_rejected(t, trial) {
            return unclear;
        }
        if outcome.status() == Some(413) {
            return Verdict::Pass;
        }
        let message = messages::answered(outcome, t.exchange(trial.exchange).took, &trial.what);
        let cause = if outcome.status().is_none() {
            Cause::new(Code::AnswerNone)
        } else {
            Cause::detailed(Code::AnswerStatus, "too large")
        };
        Evidence::new(Expected::Status(413), outcome.to_string(), message)
            .shown_by([trial.exchange])
            .because(cause)
            .fail()
    });
    of_all(verdicts, messages::nothing_tried(), "deliveries")
}
