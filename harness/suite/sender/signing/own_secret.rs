//! SIG-6: each webhook's deliveries are signed under its own secret.

use super::signature::Searches;
use super::signed::{is_of_another_webhook, key_of, mismatch, single};
use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Binds, Level, Recorded, Requirement, Unrecorded, Verdict};
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::judge::every_delivery;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::events::SEVERAL_WEBHOOKS;
use crate::suite::sender::scenario::generated::GENERATED;
use crate::webhook::signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::wire::coding::coding;

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[Requirement {
    id: "SIG-6",
    title: "each webhook's own secret",
    binds: Binds::Sender(Recorded::Cannot(Unrecorded::OtherWebhooks)),
    level: Level::Must,
    check_id: "sender/signing/own-secret",
    text: "Each webhook's deliveries are signed under its own secret.",
    source: "D",
    why: "Endpoints belong to different parties, and each knows only its own secret.",
    scenarios: &[&SEVERAL_WEBHOOKS, &GENERATED],
    needs: None,
    check: |requirement, t| {
        let searches = Searches::default();
        every_delivery(requirement, t, |arrived| signed_with_own_secret(arrived, &searches))
    },
    counterexamples: Faults::Sender(&[SenderFault::KeyOfAnotherWebhook]),
}];

fn signed_with_own_secret(arrived: &Arrived<'_>, searches: &Searches) -> Result<Verdict, Verdict> {
    let (signature, timestamp) = (single(arrived, SIGNATURE_HEADER)?, single(arrived, TIMESTAMP_HEADER)?);
    let body = arrived.whole_body()?;
    if key_of(arrived)?.verify(timestamp, body, signature) {
        return Ok(Verdict::Pass);
    }
    if let Some(coding) = coding(&arrived.exchange.delivery) {
        return Err(Verdict::Inconclusive(messages::body_coded(&coding)));
    }
    let cause = if is_of_another_webhook(arrived, timestamp, body, signature) {
        Some(Cause::new(Code::KeyOtherWebhook))
    } else if searches.take() {
        mismatch(arrived, timestamp, body, signature)
    } else {
        None
    };
    match cause {
        Some(cause) if cause.code == Code::KeyOtherWebhook => {
            let message = messages::other_secret(&arrived.named());
            let actual = messages::secret_of_another_webhook();
            Ok(arrived.evidence("its own secret", actual, message).because(cause).fail())
        }
        _ => Err(Verdict::Inconclusive(messages::no_secret_matches().to_owned())),
    }
}
