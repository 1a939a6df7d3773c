//! NON-1: the nonce of dialect `shipped`.

use std::collections::HashSet;

use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Verdict};
use crate::suite::sender::judge::first_scenario;
use crate::suite::sender::scenario::events::EVERY_EVENT;
use crate::suite::transcript::Transcript;
use crate::webhook::signature::NONCE_HEADER;

/// The requirements of this group.
pub const ALL: &[Requirement] = &[Requirement {
    id: "NON-1",
    title: "nonce",
    binds: Binds::Sender(Recorded::ShowsWithSecret),
    level: Level::Must,
    check_id: "sender/signing/nonce",
    text: "`X-Twenty-Webhook-Nonce` is 32 lowercase hex digits, different on every request.",
    source: "S",
    why: "Receivers that keep nonces refuse a second request with the same one.",
    scenarios: &[&EVERY_EVENT],
    needs: None,
    check: nonce,
    counterexamples: Faults::Sender(&[SenderFault::NonceConstant, SenderFault::NonceMissing]),
}];

fn nonce(requirement: &Requirement, t: &Transcript) -> Verdict {
    if !t.dialect.nonce {
        return Verdict::NotApplicable(format!("dialect {} has no nonce", t.dialect.name));
    }
    let arrived: Vec<_> =
        t.arrivals_in(first_scenario(requirement)).map(|(_, arrival)| t.exchange(arrival.exchange)).collect();
    let mut seen = HashSet::new();
    let verdicts = arrived.iter().map(|exchange| {
        let nonce = exchange.delivery.headers.single(NONCE_HEADER);
        let formed = |nonce: &[u8]| {
            nonce.len() == 32 && nonce.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let (detail, actual) = match nonce {
            None => ("missing", "not there exactly once".to_owned()),
            Some(nonce) if !formed(nonce) => ("malformed", format!("{:?}", String::from_utf8_lossy(nonce))),
            Some(nonce) if !seen.insert(nonce) => {
                ("repeated", format!("{:?}", String::from_utf8_lossy(nonce)))
            }
            Some(_) => return Verdict::Pass,
        };
        let message = format!("the nonce is {detail}: {actual}");
        Evidence::new("32 lowercase hexadecimal digits, used once", actual, message)
            .shown_by([exchange.id])
            .because(Cause::detailed(Code::SendNonce, detail))
            .fail()
    });
    of_all(verdicts, "no delivery arrived", "deliveries")
}
