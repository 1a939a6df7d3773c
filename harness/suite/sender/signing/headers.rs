//! SIG-1 and SIG-2: each of the two headers is present once.

use bytes::Bytes;

use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Binds, Level, Recorded, Requirement, Verdict};
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::judge::every_delivery;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::events::EVERY_EVENT;
use crate::suite::sender::scenario::generated::GENERATED;
use crate::suite::sender::scenario::https::HTTPS;
use crate::webhook::signature::{Key, SIGNATURE_HEADER, Signature, TIMESTAMP_HEADER};

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "SIG-1",
        title: "signature header",
        binds: Binds::Sender(Recorded::ShowsWithSecret),
        level: Level::Must,
        check_id: "sender/signing/signature-present",
        text: "With a secret set, `X-Twenty-Webhook-Signature` is there exactly once.",
        source: "D",
        why: "Without it, every careful receiver rejects the delivery. With two, it is unclear which one counts.",
        scenarios: &[&EVERY_EVENT, &GENERATED, &HTTPS],
        needs: None,
        check: |requirement, t| {
            every_delivery(requirement, t, |arrived| exactly_once(arrived, SIGNATURE_HEADER))
        },
        counterexamples: Faults::Sender(&[
            SenderFault::SignatureMissing,
            SenderFault::SignatureDoubled,
            SenderFault::SignatureRenamed,
        ]),
    },
    Requirement {
        id: "SIG-2",
        title: "timestamp header",
        binds: Binds::Sender(Recorded::ShowsWithSecret),
        level: Level::Must,
        check_id: "sender/signing/timestamp-present",
        text: "With a secret set, `X-Twenty-Webhook-Timestamp` is there exactly once.",
        source: "D",
        why: "The signature cannot be computed without it.",
        scenarios: &[&EVERY_EVENT, &GENERATED, &HTTPS],
        needs: None,
        check: |requirement, t| {
            every_delivery(requirement, t, |arrived| exactly_once(arrived, TIMESTAMP_HEADER))
        },
        counterexamples: Faults::Sender(&[
            SenderFault::TimestampHeaderMissing,
            SenderFault::TimestampHeaderDoubled,
            SenderFault::TimestampHeaderRenamed,
        ]),
    },
];

fn exactly_once(arrived: &Arrived<'_>, name: &str) -> Result<Verdict, Verdict> {
    let count = arrived.exchange.delivery.headers.all(name).count();
    let renamed = if count == 0 { renamed(arrived, name) } else { None };
    let cause = match (count, &renamed) {
        (1, _) => return Ok(Verdict::Pass),
        (0, Some(other)) => Cause::detailed(Code::HeaderName, other.as_str()),
        (0, None) => Cause::detailed(Code::HeaderMissing, name),
        _ => Cause::detailed(Code::HeaderDuplicate, name),
    };
    let message = messages::header_count(&arrived.named(), name, count, renamed.as_deref());
    Ok(arrived.evidence("1", count.to_string(), message).because(cause).fail())
}

/// The other name under which a header was sent: signature and timestamp verify, whatever their headers are called.
fn renamed(arrived: &Arrived<'_>, name: &str) -> Option<String> {
    let (key, body) = (Key::new(arrived.webhook.secret.as_ref()?), arrived.whole_body().ok()?);
    let headers = &arrived.exchange.delivery.headers.0;
    // Other values cannot be a signature or a timestamp, so they are not hashed.
    let signatures = headers.iter().filter(|(_, value)| Signature::parse(value).is_some());
    let short = |(_, value): &&(String, Bytes)| (1..=40).contains(&value.len());
    signatures.take(4).find_map(|(signature_name, signature)| {
        let verifies = |(_, timestamp): &&(String, Bytes)| key.verify(timestamp, body, signature);
        let (timestamp_name, _) = headers.iter().filter(short).find(verifies)?;
        let found = if name == SIGNATURE_HEADER { signature_name } else { timestamp_name };
        (!found.eq_ignore_ascii_case(name)).then(|| found.clone())
    })
}
