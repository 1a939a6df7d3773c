//! SIG-4: the signature matches the request.

use std::cell::Cell;

use super::common::with_common;
use super::signed::{is_of_another_webhook, key_of, mismatch, single};
use crate::budget::SEARCHED_BODY;
use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::Code;
use crate::suite::requirement::{Binds, Level, Recorded, Requirement, Verdict};
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::judge::every_delivery;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::events::{EVERY_EVENT, SEVERAL_WEBHOOKS};
use crate::suite::sender::scenario::generated::GENERATED;
use crate::suite::sender::scenario::https::HTTPS;
use crate::terminal;
use crate::webhook::signature::{SIGNATURE_HEADER, Signature, TIMESTAMP_HEADER};
use crate::wire::coding::{coding, decoded};

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[Requirement {
    id: "SIG-4",
    title: "signature matches",
    binds: Binds::Sender(Recorded::ShowsWithSecret),
    level: Level::Must,
    check_id: "sender/signing/genuine",
    text: "It is HMAC-SHA256 under the secret's UTF-8 bytes of: timestamp header value, `:`, the body bytes as \
           sent.",
    source: "D",
    why: "Every receiver computes exactly this. The documentation's own sample stringifies the payload twice, and no \
          receiver accepts its signature.",
    scenarios: &[&EVERY_EVENT, &SEVERAL_WEBHOOKS, &GENERATED, &HTTPS],
    needs: None,
    check: |requirement, t| {
        let searches = Searches::default();
        match every_delivery(requirement, t, |arrived| valid(arrived, &searches)) {
            Verdict::Fail(mut evidence) => {
                evidence.message = with_common(t, &evidence.message);
                Verdict::Fail(evidence)
            }
            other => other,
        }
    },
    counterexamples: Faults::Sender(&[
        SenderFault::SignsBodyAlone,
        SenderFault::SignsWithDot,
        SenderFault::SignsTwiceStringified,
        SenderFault::SignsHexDecodedKey,
        SenderFault::SignsSha1,
        SenderFault::SignsHexKeyBodyAlone,
        SenderFault::SignsTrimmedKey,
        SenderFault::KeyCutAt64Bytes,
        SenderFault::SignsSeconds,
        SenderFault::SignsOtherTimestamp,
        SenderFault::SignsCompactSendsSpaced,
        SenderFault::SignsSorted,
        SenderFault::SignsSha512,
        SenderFault::SignsUnkeyed,
        SenderFault::SignsHtmlEscaped,
        SenderFault::SignsSlashesEscaped,
        SenderFault::SignsBeforeAscii,
        SenderFault::UnusualNamesDroppedAfterSigning,
        SenderFault::SignsTextAsAscii,
        SenderFault::SignsObjectText,
        SenderFault::SignsBytesLiteral,
        SenderFault::SignsBase64Body,
        SenderFault::SignsWithoutTime,
        SenderFault::SignsQuotedKey,
    ]),
}];

/// For how many more wrong signatures the cause is searched for. Evidence has the cause of the first; a recording may have any
/// number.
pub(super) struct Searches(Cell<usize>);

impl Default for Searches {
    fn default() -> Self {
        Self(Cell::new(8))
    }
}

impl Searches {
    /// Whether another search is allowed.
    pub(super) fn take(&self) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        left > 0
    }
}

/// Whether a delivery's signature matches, with the secret of any webhook.
pub(super) fn valid(arrived: &Arrived<'_>, searches: &Searches) -> Result<Verdict, Verdict> {
    let (signature, timestamp) = (single(arrived, SIGNATURE_HEADER)?, single(arrived, TIMESTAMP_HEADER)?);
    let body = arrived.whole_body()?;
    let key = key_of(arrived)?;
    if key.verify(timestamp, body, signature) {
        return Ok(Verdict::Pass);
    }
    if is_of_another_webhook(arrived, timestamp, body, signature) {
        // SIG-6 judges that.
        return Ok(Verdict::Pass);
    }
    let coding = coding(&arrived.exchange.delivery);
    let text = coding.as_ref().and_then(|_| decoded(&arrived.exchange.delivery));
    if let Some(coding) = &coding
        && text.as_ref().is_some_and(|text| key.verify(timestamp, text, signature))
    {
        return Err(Verdict::Inconclusive(messages::signed_before_coding(coding)));
    }
    let signed = text.as_deref().unwrap_or(body);
    let cause = if searches.take() { mismatch(arrived, timestamp, signed, signature) } else { None };
    if let (Some(coding), None) = (&coding, &cause) {
        return Err(Verdict::Inconclusive(messages::body_coded(coding)));
    }
    let form_only = cause.as_ref().is_none_or(|cause| {
        [Code::DigestEncoding, Code::DigestPrefix, Code::DigestTruncated, Code::DigestAppended]
            .contains(&cause.code)
    });
    if Signature::parse(signature).is_none() && form_only {
        return Err(Verdict::Inconclusive(messages::signature_malformed().to_owned()));
    }
    let why = cause.as_ref().map(|cause| cause.code.text());
    let message = messages::signature_mismatch(&arrived.named(), why, body.len() > SEARCHED_BODY);
    let expected = key.sign(timestamp, body).to_hex();
    Ok(arrived.evidence(expected, terminal::text(signature), message).because(cause).fail())
}
