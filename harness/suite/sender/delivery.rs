//! DLV: the request that carries an event.
//!
//! Invariant: each delivery is judged by its own bytes; what never arrived is for SUB to say.

use url::Url;

use super::https::{self, each_either_way};
use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Verdict};
use crate::suite::sender::judge::{Arrived, each, every_delivery};
use crate::suite::sender::scenarios::{EVERY_EVENT, GENERATED, HTTPS, UNANSWERED};
use crate::suite::transcript::{Broken, Conduct, Emission, LONGEST_BODY, Transcript, Webhook};
use crate::webhook::dialect::{Members, NotAnObject};
use crate::wire::codec::FramingFault;

/// The requirements of this group.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "DLV-1",
        title: "POST",
        binds: Binds::Sender(Recorded::Shows),
        level: Level::Must,
        check_id: "sender/delivery/method",
        text: "The request method is POST.",
        source: "D",
        why: "Endpoints route by method; anything else meets a 404 or 405.",
        scenarios: &[&EVERY_EVENT, &HTTPS],
        needs: None,
        check: |_, t| with_broken(t, each_either_way(t, method)),
        counterexamples: Faults::Sender(&[
            SenderFault::MethodPut,
            SenderFault::MethodGet,
            SenderFault::LengthDoubled,
            SenderFault::LengthAndCoding,
        ]),
    },
    Requirement {
        id: "DLV-2",
        title: "exact URL",
        binds: Binds::Sender(Recorded::Cannot("which URL was registered is not known")),
        level: Level::Must,
        check_id: "sender/delivery/url",
        text: "The request goes to the registered URL: host, port, path and query unchanged.",
        source: "D",
        why: "Many endpoints carry a tenant or a token in path or query.",
        scenarios: &[&EVERY_EVENT, &HTTPS],
        needs: None,
        check: |_, t| https::and_over_https(t, each_either_way(t, url), https::reached),
        counterexamples: Faults::Sender(&[
            SenderFault::QueryDropped,
            SenderFault::SlashAppended,
            SenderFault::HttpsHostChanged,
            SenderFault::HttpsDowngraded,
        ]),
    },
    Requirement {
        id: "DLV-3",
        title: "one JSON body",
        binds: Binds::Sender(Recorded::Shows),
        level: Level::Must,
        check_id: "sender/delivery/json",
        text: "The body is one JSON text in UTF-8 without a byte-order mark.",
        source: "D, R (RFC 8259)",
        why: "Parsers refuse anything else, and the signature covers the bytes that they refuse.",
        scenarios: &[&EVERY_EVENT, &GENERATED],
        needs: None,
        check: |_, t| every_delivery(t, json),
        counterexamples: Faults::Sender(&[
            SenderFault::ByteOrderMark,
            SenderFault::FormEncoded,
            SenderFault::BodyInLatin1,
        ]),
    },
    Requirement {
        id: "DLV-4",
        title: "JSON content type",
        binds: Binds::Sender(Recorded::Shows),
        level: Level::Should,
        check_id: "sender/delivery/content-type",
        text: "Content-Type is application/json (parameters allowed).",
        source: "S, R (RFC 9110)",
        why: "Frameworks parse a body by its declared type, and hand an empty one on where they do not know it.",
        scenarios: &[&EVERY_EVENT],
        needs: None,
        check: |_, t| each(t, EVERY_EVENT.name, content_type),
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
        why: "A receiver reads one event from a body; the others of a batch are lost without a trace.",
        scenarios: &[&EVERY_EVENT, &GENERATED],
        needs: None,
        check: |_, t| every_delivery(t, one_event),
        counterexamples: Faults::Sender(&[SenderFault::BodyInArray, SenderFault::EventsBatched]),
    },
    Requirement {
        id: "DLV-6",
        title: "prompt",
        binds: Binds::Sender(Recorded::Cannot("when the event happened is not known")),
        level: Level::Must,
        check_id: "sender/delivery/prompt",
        text: "Delivery is prompt: it starts within the delivery deadline (default 5 s) after the event.",
        source: "D (\"real time\")",
        why: "Webhooks are there so that nobody needs to poll.",
        scenarios: &[&EVERY_EVENT],
        needs: None,
        check: |_, t| each(t, EVERY_EVENT.name, |arrived| prompt(t, arrived)),
        counterexamples: Faults::Sender(&[SenderFault::SentLate]),
    },
    Requirement {
        id: "DLV-7",
        title: "endpoints are independent",
        binds: Binds::Sender(Recorded::Cannot("traffic alone does not show it")),
        level: Level::Should,
        check_id: "sender/delivery/unblocked",
        text: "An endpoint that hangs, refuses or fails delays no delivery to another endpoint.",
        source: "D, W",
        why: "Endpoints belong to different parties; one that is down must not cut the others off.",
        scenarios: &[&UNANSWERED],
        needs: None,
        check: |_, t| unblocked(t),
        counterexamples: Faults::Sender(&[SenderFault::OneHangBlocksAll, SenderFault::CrashesOnRefusal]),
    },
];

/// The verdict on the requests of the first scenario, but for what came there that was none, and for what was framed wrongly
/// in any scenario. Elsewhere a request that only does not come to its end may be the endpoint's doing.
fn with_broken(t: &Transcript, verdict: Verdict) -> Verdict {
    let first = EVERY_EVENT.name;
    let counts = |one: &&Broken| one.fault.is_some() || t.webhooks[one.webhook].scenario == first;
    let broken: Vec<_> = t.broken.iter().filter(counts).collect();
    let Some(first) = broken.first() else { return verdict };
    let more = if broken.len() > 1 { format!(" (and {} more)", broken.len() - 1) } else { String::new() };
    let message = format!("what reached the endpoint is no whole HTTP request: {}{more}", first.what);
    let detail = first.fault.map_or("not whole", FramingFault::describe);
    let cause = Cause::detailed(Code::SendFraming, detail);
    Evidence::new("a POST request", "no whole request", message).because(cause).fail()
}

fn method(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let method = &arrived.exchange.delivery.method;
    Ok(if method == "POST" {
        Verdict::Pass
    } else {
        let message = format!("the request method is {method}");
        arrived.evidence("POST", method, message).because(Cause::new(Code::SendMethod)).fail()
    })
}

fn url(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let registered =
        Url::parse(&arrived.webhook.url).map_err(|why| Verdict::Inconclusive(why.to_string()))?;
    let authority = registered.authority();
    let target = registered
        .query()
        .map_or_else(|| registered.path().to_owned(), |query| format!("{}?{query}", registered.path()));
    let delivery = &arrived.exchange.delivery;
    let host = delivery.headers.single("host").map(|host| String::from_utf8_lossy(host).into_owned());
    let host = host.unwrap_or_default();
    Ok(if (host.as_str(), &delivery.target) == (authority, &target) {
        Verdict::Pass
    } else {
        let actual = format!("{host}{}", delivery.target);
        let message = format!("the request went to {actual}, not to {authority}{target}");
        arrived
            .evidence(format!("{authority}{target}"), actual, message)
            .because(Cause::new(Code::SendUrl))
            .fail()
    })
}

fn json(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let (body, length) = (&arrived.exchange.delivery.body, arrived.arrival.traits.body_length);
    let (detail, actual) = if length > LONGEST_BODY as u64 {
        ("too long", format!("{length} bytes long, for a record of ours"))
    } else if arrived.whole_body().is_err() {
        return arrived.whole_body().map(|_| Verdict::Pass);
    } else if body.starts_with(b"\xEF\xBB\xBF") {
        ("byte-order mark", "a byte-order mark before the body".to_owned())
    } else if let Err(why) = std::str::from_utf8(body) {
        ("not UTF-8", format!("bytes that are not UTF-8 ({why})"))
    } else if let Err(NotAnObject::NotJson(why)) = Members::parse(body) {
        ("not JSON", format!("no JSON text ({why})"))
    } else {
        return Ok(Verdict::Pass);
    };
    let message = format!("the body is {actual}");
    let cause = Cause::detailed(Code::SendBodyForm, detail);
    Ok(arrived.evidence("one JSON text in UTF-8", actual, message).because(cause).fail())
}

fn content_type(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let declared = arrived.exchange.delivery.headers.single("content-type");
    let declared = declared.map_or_else(|| "none".into(), |value| String::from_utf8_lossy(value));
    let essence = declared.split(';').next().unwrap_or_default().trim();
    Ok(if essence.eq_ignore_ascii_case("application/json") {
        Verdict::Pass
    } else {
        let message = format!("the declared content type is {declared}");
        let cause = Cause::detailed(Code::SendBodyForm, "content type");
        arrived.evidence("application/json", declared, message).because(cause).fail()
    })
}

fn one_event(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let carried = arrived.arrival.carries.len();
    let is_array = matches!(Members::parse(arrived.whole_body()?), Err(NotAnObject::OtherType("an array")));
    Ok(if carried > 1 || is_array {
        let actual = if is_array { format!("an array of {carried}") } else { format!("{carried} events") };
        let message = format!("a request carries {actual}");
        arrived.evidence("one event", actual, message).because(Cause::new(Code::SendBatch)).fail()
    } else if arrived.emitted()?.is_none() {
        // Of recorded traffic it is known only whether the body is one object, which is the form of one event.
        arrived.members().map(|_| Verdict::Pass)?
    } else {
        Verdict::Pass
    })
}

fn prompt(t: &Transcript, arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let emission = arrived.emission()?;
    let took = arrived.arrival.traits.began_ms.saturating_sub(emission.asked_at_ms);
    Ok(if u128::from(took) <= t.limits.deadline.as_millis() {
        Verdict::Pass
    } else {
        let message = format!("{} began to arrive {took} ms after the event", emission.event.name);
        let bound = format!("within {} ms", t.limits.deadline.as_millis());
        arrived.evidence(bound, format!("{took} ms"), message).because(Cause::new(Code::SendLate)).fail()
    })
}

/// The deliveries to the endpoints that are well. How soon they come while no other endpoint is there shows what keeps them.
fn unblocked(t: &Transcript) -> Verdict {
    let webhooks: Vec<_> = t.webhooks_of(UNANSWERED.name).collect();
    let hanging = webhooks.iter().find(|(_, webhook)| webhook.conduct == Conduct::Hangs);
    let Some(&(hanging, Webhook { since, .. })) = hanging else {
        return Verdict::Inconclusive("no webhook could be registered at an endpoint that hangs".to_owned());
    };
    if !t.emissions_to(hanging).any(|emission| !t.attempts(hanging, emission).is_empty()) {
        return Verdict::Inconclusive("nothing reached the endpoint that hangs".to_owned());
    }
    let deadline = u64::try_from(t.limits.deadline.as_millis()).unwrap_or(u64::MAX);
    // How long a delivery took to begin, and which it was.
    let took = |webhook: usize, emission: &Emission| {
        let first = t.attempts(webhook, emission).into_iter().next()?;
        Some((first.traits.began_ms.saturating_sub(emission.asked_at_ms), first.exchange))
    };
    let well = || webhooks.iter().filter(|(_, webhook)| webhook.conduct == Conduct::Answers);
    let judged = |emission: &&Emission| !emission.first && emission.unsupported.is_none();
    let prompt_before = t.emissions[..*since].iter().filter(judged).any(|emission| {
        well().any(|(index, _)| took(*index, emission).is_some_and(|(took, _)| took <= deadline))
    });
    if !prompt_before {
        return Verdict::Inconclusive(
            "deliveries are late while nothing is in their way, too (see DLV-6)".to_owned(),
        );
    }
    let pairs = well().flat_map(|&(index, _)| {
        let behind = t.emissions[*since..].iter().filter(|one| one.scenario == UNANSWERED.name);
        behind.filter(judged).map(move |emission| (index, emission))
    });
    let verdicts = pairs.map(|(index, emission)| {
        let (actual, exchange) = match took(index, emission) {
            Some((took, _)) if took <= deadline => return Verdict::Pass,
            Some((took, exchange)) => (format!("after {took} ms"), Some(exchange)),
            None if !emission.awaited => {
                return Verdict::Inconclusive("the run broke off before it had to have arrived".to_owned());
            }
            None if t.webhooks[index].overflowed => {
                return Verdict::Inconclusive("it may be among the requests that were not kept".to_owned());
            }
            None => ("not at all".to_owned(), None),
        };
        let name = &emission.event.name;
        let message =
            format!("while other endpoints hang and refuse, {name} reached one that is well {actual}");
        Evidence::new(format!("within {deadline} ms"), actual, message)
            .shown_by(exchange)
            .because(Cause::detailed(Code::SendBlocked, "by other endpoints that hang or refuse"))
            .fail()
    });
    of_all(verdicts, "no event could be emitted", "deliveries")
}
