//! DLV-1 and DLV-2: the method and the URL of a request.

use url::Url;

use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Unrecorded, Verdict};
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::judge::{and_over_https, every_delivery};
use crate::suite::sender::messages;
use crate::suite::sender::scenario::events::EVERY_EVENT;
use crate::suite::sender::scenario::generated::GENERATED;
use crate::suite::sender::scenario::https::HTTPS;
use crate::suite::transcript::{Arrival, BrokenRequest, Emission, FailedHandshake, HandshakeEnd, Transcript};
use crate::terminal::text;
use crate::wire::codec::{FramingFault, WrongLength};

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "DLV-1",
        title: "POST",
        binds: Binds::Sender(Recorded::Shows),
        level: Level::Must,
        check_id: "sender/delivery/method",
        text: "The request method is POST.",
        source: "D",
        why: "Endpoints route by method; any other method is answered 404 or 405.",
        scenarios: &[&EVERY_EVENT, &GENERATED, &HTTPS],
        needs: None,
        check: |requirement, t| with_broken(t, every_delivery(requirement, t, method)),
        counterexamples: Faults::Sender(&[
            SenderFault::MethodPut,
            SenderFault::MethodGet,
            SenderFault::SecretInMethod,
            SenderFault::LengthDoubled,
            SenderFault::LengthAndCoding,
            SenderFault::LengthInCharacters,
        ]),
    },
    Requirement {
        id: "DLV-2",
        title: "exact URL",
        binds: Binds::Sender(Recorded::Cannot(Unrecorded::Url)),
        level: Level::Must,
        check_id: "sender/delivery/url",
        text: "The request goes to the registered URL: host, port, path and query unchanged.",
        source: "D",
        why: "Many endpoints carry a tenant or a token in the path or query.",
        scenarios: &[&EVERY_EVENT, &GENERATED, &HTTPS],
        needs: None,
        check: |requirement, t| and_over_https(t, every_delivery(requirement, t, url), reached),
        counterexamples: Faults::Sender(&[
            SenderFault::QueryDropped,
            SenderFault::SecretInUrl,
            SenderFault::SlashAppended,
            SenderFault::HttpsHostChanged,
            SenderFault::HttpsDowngraded,
        ]),
    },
];

/// The verdict on the requests. It fails if something other than a complete request arrived in the first scenario, or a
/// wrongly framed one in any scenario. In other scenarios the endpoint itself may have cut a request off.
fn with_broken(t: &Transcript, verdict: Verdict) -> Verdict {
    if let Some(wrong) = wrong_length(t) {
        return wrong;
    }
    let counts =
        |one: &&BrokenRequest| one.fault.is_some() || t.webhooks[one.webhook].scenario == EVERY_EVENT.name;
    let broken: Vec<_> = t.broken.iter().filter(counts).collect();
    let Some(first) = broken.first() else { return verdict };
    let message = messages::broken_request(&first.what, broken.len() - 1);
    let cause = wrong_framing(broken.iter().find_map(|one| one.fault));
    Evidence::new("a POST request", messages::not_complete(), message).because(cause).fail()
}

/// The verdict on requests whose declared length is wrong. What follows them is no request.
fn wrong_length(t: &Transcript) -> Option<Verdict> {
    let wrong = |arrival: &&Arrival| arrival.webhook.is_some() && arrival.traits.wrong_length.is_some();
    let mut arrivals: Vec<&Arrival> = t.arrivals.iter().filter(wrong).collect();
    // The order of arrival differs from run to run.
    arrivals.sort_by_key(|arrival| (arrival.carries.first().copied(), arrival.webhook));
    let first = *arrivals.first()?;
    let length = first.traits.wrong_length?;
    let arrived = Arrived::of(t, &t.webhooks[first.webhook?], first);
    let declared = first.traits.body_length;
    let counts_characters = length == WrongLength::InCharacters;
    let message = messages::wrong_length(&arrived.named(), declared, counts_characters, arrivals.len() - 1);
    let cause = Cause::detailed(Code::SendFraming, length.describe());
    Some(arrived.evidence(messages::length_in_bytes(), declared.to_string(), message).because(cause).fail())
}

/// The cause of a request that is not complete, or has this fault.
pub(crate) fn wrong_framing(fault: Option<FramingFault>) -> Cause {
    let detail = match fault {
        // The interface names this detail.
        Some(FramingFault::LengthTwice) => "two lengths",
        Some(fault) => fault.describe(),
        None => "not complete",
    };
    Cause::detailed(Code::SendFraming, detail)
}

fn method(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let method = &arrived.exchange.delivery.method;
    Ok(if method == "POST" {
        Verdict::Pass
    } else {
        let message = messages::wrong_method(&arrived.named(), method);
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
    let host = delivery.headers.single("host").map(|host| text(host).into_owned());
    let host = host.unwrap_or_default();
    Ok(if (host.as_str(), &delivery.target) == (authority, &target) {
        Verdict::Pass
    } else {
        let (expected, actual) = (format!("{authority}{target}"), format!("{host}{}", delivery.target));
        let message = messages::wrong_url(&arrived.named(), &actual, &expected);
        arrived.evidence(expected, actual, message).because(Cause::new(Code::SendUrl)).fail()
    })
}

/// Whether every event reached the HTTPS endpoint whose certificate the sender was asked to trust.
fn reached(t: &Transcript) -> Option<Verdict> {
    let (webhook, registered) = t.webhooks_of(HTTPS.name).next()?;
    let judged = t.emissions_to(webhook).filter(|emission| !emission.first && emission.unsupported.is_none());
    let verdicts = judged.map(|emission| {
        if !t.attempts(webhook, emission).is_empty() {
            return Verdict::Pass;
        }
        let name = &emission.event.name;
        if !emission.awaited {
            return Verdict::Inconclusive(messages::run_cut_off(name));
        }
        if registered.overflowed {
            return Verdict::Inconclusive(messages::perhaps_not_kept(name));
        }
        if t.has_unreadable(webhook) {
            return Verdict::Inconclusive(messages::perhaps_unreadable(name));
        }
        let (found, cause) = arrived_instead(t, webhook, emission);
        let message = messages::url_not_reached(name, &found);
        Evidence::new(messages::https_request(), found, message).because(cause).fail()
    });
    Some(of_all(verdicts, messages::no_event_emitted(), "events"))
}

/// What reached an HTTPS endpoint instead of a delivery, and the cause.
fn arrived_instead(t: &Transcript, webhook: usize, emission: &Emission) -> (String, Cause) {
    let since = |one: &&FailedHandshake| one.webhook == webhook && one.at_ms >= emission.asked_at_ms;
    match t.handshakes.iter().find(since) {
        Some(FailedHandshake { end: HandshakeEnd::NoTls, what, .. }) => {
            (what.clone(), Cause::detailed(Code::SendUrl, messages::http_instead_of_https()))
        }
        Some(FailedHandshake { what, .. }) => (what.clone(), Cause::detailed(Code::SendLost, "over HTTPS")),
        None => (messages::no_connection().to_owned(), Cause::detailed(Code::SendLost, "over HTTPS")),
    }
}
