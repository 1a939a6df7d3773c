//! DLV-3, DLV-4 and DLV-5: the form of a request's body.

use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Binds, Level, Recorded, Requirement, Verdict};
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::judge::every_delivery;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::events::{EVERY_EVENT, SEVERAL_WEBHOOKS};
use crate::suite::sender::scenario::generated::GENERATED;
use crate::suite::transcript::LONGEST_BODY;
use crate::terminal::text;
use crate::webhook::dialect::{Members, NotAnObject};
use crate::webhook::signature::{Key, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::wire::coding::{coding, decoded};

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "DLV-3",
        title: "one JSON body",
        binds: Binds::Sender(Recorded::Shows),
        level: Level::Must,
        check_id: "sender/delivery/json",
        text: "The body is one JSON text in UTF-8 without a byte-order mark, and without a content coding.",
        source: "D, R",
        why: "Parsers reject anything else, and the signature covers the bytes that they reject.",
        scenarios: &[&EVERY_EVENT, &GENERATED],
        needs: None,
        check: |requirement, t| every_delivery(requirement, t, json),
        counterexamples: Faults::Sender(&[
            SenderFault::ByteOrderMark,
            SenderFault::FormEncoded,
            SenderFault::BodyInLatin1,
            SenderFault::BodyGzipped,
            SenderFault::BodyUnreadable,
        ]),
    },
    Requirement {
        id: "DLV-4",
        title: "JSON content type",
        binds: Binds::Sender(Recorded::Shows),
        level: Level::Should,
        check_id: "sender/delivery/content-type",
        text: "`Content-Type` is `application/json` (parameters allowed).",
        source: "S, R",
        why: "Frameworks choose a body parser by the declared type. If they do not know it, the body stays empty.",
        scenarios: &[&EVERY_EVENT],
        needs: None,
        check: |requirement, t| every_delivery(requirement, t, content_type),
        counterexamples: Faults::Sender(&[SenderFault::FormEncoded, SenderFault::TextPlain]),
    },
    Requirement {
        id: "DLV-5",
        title: "one event per request",
        binds: Binds::Sender(Recorded::Shows),
        level: Level::Must,
        check_id: "sender/delivery/one-event",
        text: "One request carries one event.",
        source: "D",
        why: "A receiver reads one event from a body. The other events of a batch are silently lost.",
        scenarios: &[&EVERY_EVENT, &SEVERAL_WEBHOOKS, &GENERATED],
        needs: None,
        check: |requirement, t| every_delivery(requirement, t, one_event),
        counterexamples: Faults::Sender(&[SenderFault::BodyInArray, SenderFault::EventsBatched]),
    },
];

fn json(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let (body, length) = (&arrived.exchange.delivery.body, arrived.arrival.traits.body_length);
    if let Some(coding) = coding(&arrived.exchange.delivery) {
        return Ok(content_coded(arrived, &coding));
    }
    let (detail, actual) = if length > LONGEST_BODY as u64 {
        ("too long", messages::body_length(length))
    } else if arrived.whole_body().is_err() {
        return arrived.whole_body().map(|_| Verdict::Pass);
    } else if body.starts_with(b"\xEF\xBB\xBF") {
        ("byte-order mark", messages::after_byte_order_mark().to_owned())
    } else if let Err(why) = std::str::from_utf8(body) {
        ("not UTF-8", messages::not_utf8(why))
    } else if let Err(NotAnObject::NotJson(why)) = Members::parse(body) {
        ("not JSON", messages::not_json(why))
    } else {
        return Ok(Verdict::Pass);
    };
    let message = messages::wrong_body(&arrived.named(), &actual);
    let cause = Cause::detailed(Code::SendBodyForm, detail);
    Ok(arrived.evidence(messages::one_json_text(), actual, message).because(cause).fail())
}

/// The verdict on a body with a content coding.
fn content_coded(arrived: &Arrived<'_>, coding: &str) -> Verdict {
    let delivery = &arrived.exchange.delivery;
    let value = |name| delivery.headers.single(name).map(|value| &**value);
    let is_signed_before = || {
        let key = Key::new(arrived.webhook.secret.as_ref()?);
        let (timestamp, signature) = (value(TIMESTAMP_HEADER)?, value(SIGNATURE_HEADER)?);
        Some(key.verify(timestamp, &decoded(delivery)?, signature))
    };
    let is_signed_before = is_signed_before().unwrap_or_default();
    let message = messages::content_coded(&arrived.named(), coding, is_signed_before);
    let cause = Cause::detailed(Code::SendContentCoding, coding);
    arrived.evidence(messages::without_coding(), coding, message).because(cause).fail()
}

fn content_type(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let declared = arrived.exchange.delivery.headers.single("content-type");
    let declared = declared.map(|value| text(value));
    let declared = declared.as_deref();
    let essence = declared.and_then(|declared| declared.split(';').next()).unwrap_or_default().trim();
    Ok(if essence.eq_ignore_ascii_case("application/json") {
        Verdict::Pass
    } else {
        let message = messages::wrong_content_type(&arrived.named(), declared);
        let cause = Cause::detailed(Code::SendBodyForm, "content type");
        arrived.evidence("application/json", declared.unwrap_or("none"), message).because(cause).fail()
    })
}

fn one_event(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let carried = arrived.arrival.carries.len();
    let is_array =
        matches!(Members::parse(arrived.parseable_body()?), Err(NotAnObject::OtherType("an array")));
    Ok(if carried > 1 || is_array {
        let actual = messages::several_events(carried, is_array);
        let message = messages::events_batched(&actual);
        arrived.evidence("one event", actual, message).because(Cause::new(Code::SendBatch)).fail()
    } else if arrived.emitted()?.is_none() {
        // Recorded traffic shows only whether the body is one object, which is the form of one event.
        arrived.members().map(|_| Verdict::Pass)?
    } else {
        Verdict::Pass
    })
}
