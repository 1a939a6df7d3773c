//! SIG-8 and SIG-9: the secret stays secret, and nothing is signed without one.

use super::signed::{mismatch, shown};
use crate::peers::fault::{Faults, SenderFault};
use crate::redaction::encodings::{SHORTEST, place_of};
use crate::subject::capability::Capability;
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Binds, Level, Recorded, Requirement, Unrecorded, Verdict};
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::judge::every_delivery;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::events::{EVERY_EVENT, SEVERAL_WEBHOOKS, UNSIGNED};
use crate::suite::sender::scenario::generated::GENERATED;
use crate::webhook::signature::{Key, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "SIG-8",
        title: "secret stays secret",
        binds: Binds::Sender(Recorded::ShowsWithSecret),
        level: Level::Must,
        check_id: "sender/signing/secret-kept",
        text: "The secret appears nowhere in the request.",
        source: "D, S",
        why: "Anyone who reads the request could sign requests of their own.",
        scenarios: &[&EVERY_EVENT, &SEVERAL_WEBHOOKS, &GENERATED],
        needs: None,
        check: |requirement, t| every_delivery(requirement, t, secret_kept),
        counterexamples: Faults::Sender(&[
            SenderFault::SecretInHeader,
            SenderFault::SecretInHeaderName,
            SenderFault::SecretInMethod,
            SenderFault::SecretInUrl,
            SenderFault::SecretInBody,
        ]),
    },
    Requirement {
        id: "SIG-9",
        title: "unsigned without a secret",
        binds: Binds::Sender(Recorded::Cannot(Unrecorded::Secret)),
        level: Level::Advice,
        check_id: "sender/signing/unsigned",
        text: "Without a secret no signature header is sent.",
        source: "S",
        why: "A signature made with an empty key looks like proof, but anyone can make it.",
        scenarios: &[&UNSIGNED],
        needs: Some(Capability::Unsigned),
        check: |requirement, t| every_delivery(requirement, t, unsigned),
        counterexamples: Faults::Sender(&[SenderFault::SignsWithoutSecret]),
    },
];

fn secret_kept(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let Some(secret) = &arrived.webhook.secret else {
        return Err(Verdict::Inconclusive(messages::no_secret().to_owned()));
    };
    if secret.expose().len() < SHORTEST {
        return Err(Verdict::Inconclusive(messages::secret_too_short(SHORTEST)));
    }
    let Some(place) = place_of(secret, &arrived.exchange.delivery) else { return Ok(Verdict::Pass) };
    let message = messages::secret_leaked(&arrived.named(), &place);
    let cause = Cause::detailed(Code::SendSecretLeak, place.clone());
    Ok(arrived.evidence("nowhere", place, message).because(cause).fail())
}

fn unsigned(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let headers = &arrived.exchange.delivery.headers;
    let Some(signature) = headers.all(SIGNATURE_HEADER).next() else { return Ok(Verdict::Pass) };
    let timestamp = headers.single(TIMESTAMP_HEADER).map(|value| &**value).unwrap_or_default();
    let body = arrived.whole_body()?;
    let cause = if Key::new(&Secret::new("")).verify(timestamp, body, signature) {
        Some(Cause::new(Code::KeyEmpty))
    } else {
        mismatch(arrived, timestamp, body, signature)
    };
    let message = messages::signed_without_secret(&arrived.named());
    Ok(arrived.evidence("no signature", shown(signature), message).because(cause).fail())
}
