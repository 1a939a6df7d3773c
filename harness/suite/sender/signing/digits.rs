//! SIG-3 and SIG-10: the form of the signature.

use super::signed::{mismatch, shown, single};
use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Binds, Level, Recorded, Requirement, Verdict};
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::judge::every_delivery;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::events::EVERY_EVENT;
use crate::suite::sender::scenario::generated::GENERATED;
use crate::webhook::signature::{SIGNATURE_HEADER, Signature, TIMESTAMP_HEADER};

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "SIG-3",
        title: "64 hex digits",
        binds: Binds::Sender(Recorded::ShowsWithSecret),
        level: Level::Must,
        check_id: "sender/signing/hexadecimal",
        text: "The signature is 64 hexadecimal digits and nothing else.",
        source: "D",
        why: "Receivers compare it as text or decode it as hexadecimal. A prefix or base64 does not match.",
        scenarios: &[&EVERY_EVENT, &GENERATED],
        needs: None,
        check: |requirement, t| every_delivery(requirement, t, hexadecimal),
        counterexamples: Faults::Sender(&[
            SenderFault::SignatureBase64,
            SenderFault::SignaturePrefixed,
            SenderFault::SignatureTruncated,
            SenderFault::SignatureBase64Url,
            SenderFault::SignsSha1,
            SenderFault::SignsSha512,
            SenderFault::SignatureAppended,
        ]),
    },
    Requirement {
        id: "SIG-10",
        title: "lowercase digits",
        binds: Binds::Sender(Recorded::ShowsWithSecret),
        level: Level::Should,
        check_id: "sender/signing/lowercase",
        text: "The digits are lowercase.",
        source: "D (sample), S",
        why: "Receivers that compare text reject the same digits in upper case.",
        scenarios: &[&EVERY_EVENT],
        needs: None,
        check: |requirement, t| every_delivery(requirement, t, lowercase),
        counterexamples: Faults::Sender(&[SenderFault::SignatureUppercase]),
    },
];

fn hexadecimal(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let signature = single(arrived, SIGNATURE_HEADER)?;
    if Signature::parse(signature).is_some() {
        return Ok(Verdict::Pass);
    }
    let timestamp = single(arrived, TIMESTAMP_HEADER).unwrap_or_default();
    let cause = arrived.whole_body().ok().and_then(|body| mismatch(arrived, timestamp, body, signature));
    let message = messages::not_hex_digits(&arrived.named(), &shown(signature));
    Ok(arrived.evidence(messages::hex_digits(), shown(signature), message).because(cause).fail())
}

fn lowercase(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let signature = single(arrived, SIGNATURE_HEADER)?;
    if Signature::parse(signature).is_none() {
        return Err(Verdict::Inconclusive(messages::signature_malformed().to_owned()));
    }
    if !signature.iter().any(u8::is_ascii_uppercase) {
        return Ok(Verdict::Pass);
    }
    let message = messages::uppercase_digits(&arrived.named(), &shown(signature));
    let cause = Cause::detailed(Code::DigestEncoding, "upper");
    Ok(arrived.evidence("lowercase digits", shown(signature), message).because(cause).fail())
}
