//! SIG-7: retries are signed.

use super::signature::{Searches, valid};
use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Level, Recorded, Requirement, Unrecorded, Verdict};
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::messages;
use crate::suite::sender::retry::retried;
use crate::suite::sender::scenario::answers::{NOT_ACKNOWLEDGED, REDIRECTED};
use crate::suite::sender::scenario::stalled::STALLED;
use crate::suite::sender::scenario::unanswered::UNANSWERED;
use crate::suite::transcript::Transcript;
use crate::webhook::signature::SIGNATURE_HEADER;

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[Requirement {
    id: "SIG-7",
    title: "retries are signed",
    binds: Binds::Sender(Recorded::Cannot(Unrecorded::Retries)),
    level: Level::Must,
    check_id: "sender/signing/further-attempts",
    text: "A retry of a delivery verifies too.",
    source: "D",
    why: "A signature stored with the first attempt does not match a new timestamp. A queue that drops the headers sends \
          what every receiver rejects.",
    scenarios: &[&UNANSWERED, &NOT_ACKNOWLEDGED, &REDIRECTED, &STALLED],
    needs: None,
    check: verified,
    counterexamples: Faults::Sender(&[SenderFault::RetriesUnsigned, SenderFault::RetriesWithOldSignature]),
}];

fn verified(requirement: &Requirement, t: &Transcript) -> Verdict {
    let found = match retried(requirement, t) {
        Ok(found) => found,
        Err(none) => return none,
    };
    let searches = Searches::default();
    let verify = |webhook, arrival| {
        valid(&Arrived::of(t, webhook, arrival), &searches).unwrap_or_else(|unclear| unclear)
    };
    let verdicts = found.iter().flat_map(|one| {
        let (first, retries) = (one.attempts[0], &one.attempts[1..]);
        let name = &one.emission.event.name;
        retries.iter().map(move |&arrival| {
            if verify(one.webhook, first) != Verdict::Pass {
                return Verdict::Inconclusive(messages::first_attempt_unverified().to_owned());
            }
            let arrived = Arrived::of(t, one.webhook, arrival);
            if arrived.exchange.delivery.headers.all(SIGNATURE_HEADER).next().is_none() {
                let message = messages::retry_unsigned(name);
                let cause = Cause::detailed(Code::HeaderMissing, SIGNATURE_HEADER);
                return arrived.evidence("a signature", "none", message).because(cause).fail();
            }
            match verify(one.webhook, arrival) {
                Verdict::Fail(mut evidence) => {
                    evidence.message = messages::on_retry(&evidence.message);
                    Verdict::Fail(evidence)
                }
                verdict => verdict,
            }
        })
    });
    of_all(verdicts, messages::no_retry(), "retries")
}
