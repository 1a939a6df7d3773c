//! NON-1: the nonce of dialect `shipped`.

use std::collections::HashSet;

use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Level, Recorded, Requirement, Verdict};
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::judge::first_scenario;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::events::EVERY_EVENT;
use crate::suite::transcript::Transcript;
use crate::terminal::quoted;
use crate::webhook::signature::NONCE_HEADER;

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[Requirement {
    id: "NON-1",
    title: "nonce",
    binds: Binds::Sender(Recorded::ShowsWithSecret),
    level: Level::Must,
    check_id: "sender/signing/nonce",
    text: "`X-Twenty-Webhook-Nonce` is 32 lowercase hex digits, different on every request.",
    source: "S",
    why: "Receivers that remember nonces reject a second request with the same one.",
    scenarios: &[&EVERY_EVENT],
    needs: None,
    check: nonce,
    counterexamples: Faults::Sender(&[SenderFault::NonceConstant, SenderFault::NonceMissing]),
}];

fn nonce(requirement: &Requirement, t: &Transcript) -> Verdict {
    if !t.dialect.nonce {
        return Verdict::NotApplicable(messages::no_nonce_in(t.dialect.name));
    }
    let arrivals = t.arrivals_in(first_scenario(requirement));
    let deliveries: Vec<_> = arrivals.map(|(webhook, arrival)| Arrived::of(t, webhook, arrival)).collect();
    let mut seen = HashSet::new();
    let verdicts = deliveries.iter().map(|arrived| {
        let nonce = arrived.exchange.delivery.headers.single(NONCE_HEADER);
        let formed = |nonce: &[u8]| {
            nonce.len() == 32 && nonce.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let detail = match nonce {
            None => "missing",
            Some(nonce) if !formed(nonce) => "malformed",
            Some(nonce) if !seen.insert(nonce) => "repeated",
            Some(_) => return Verdict::Pass,
        };
        let shown = nonce.map(|nonce| quoted(nonce));
        let message = messages::wrong_nonce(&arrived.named(), detail, shown.as_deref());
        let actual = shown.unwrap_or_else(|| "missing or repeated".to_owned());
        let cause = Cause::detailed(Code::SendNonce, detail);
        arrived.evidence(messages::fresh_nonce(), actual, message).because(cause).fail()
    });
    of_all(verdicts, messages::no_delivery_arrived(), "deliveries")
}
