//! What holds over HTTPS as it does over plain HTTP: the same checks on the deliveries of a sender that declares it.
//!
//! Invariant: it is looked at only where plain HTTP speaks against nothing, and what is found says that it was over HTTPS.

use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Evidence, Verdict};
use crate::suite::sender::judge::{Arrived, each, every_delivery};
use crate::suite::sender::scenarios::HTTPS;
use crate::suite::transcript::{Capability, Emission, Handshake, HandshakeEnd, Transcript};

/// A verdict on what went over plain HTTP and, where that is no failure, the one on what went over HTTPS; `None` where that
/// does not tell.
pub(crate) fn and_over_https(
    t: &Transcript,
    plain: Verdict,
    secured: impl FnOnce(&Transcript) -> Option<Verdict>,
) -> Verdict {
    if matches!(plain, Verdict::Fail(_)) || !t.capabilities.contains(&Capability::Https) {
        return plain;
    }
    let secured = secured(t).map(|verdict| match verdict {
        Verdict::Fail(mut evidence) => {
            evidence.message = format!("over HTTPS, {}", evidence.message);
            Verdict::Fail(evidence)
        }
        Verdict::Inconclusive(why) => Verdict::Inconclusive(format!("over HTTPS, {why}")),
        other => other,
    });
    of_all([Some(plain), secured].into_iter().flatten(), "nothing was delivered", "ways")
}

/// One verdict on every delivery, over plain HTTP and over HTTPS. That nothing came over HTTPS is for DLV-2 to say.
pub(crate) fn each_either_way(
    t: &Transcript,
    judge: impl Fn(&Arrived<'_>) -> Result<Verdict, Verdict>,
) -> Verdict {
    and_over_https(t, every_delivery(t, &judge), |t| each_over_https(t, &judge))
}

/// One verdict on every delivery over HTTPS, if there was any.
pub(crate) fn each_over_https(
    t: &Transcript,
    judge: impl Fn(&Arrived<'_>) -> Result<Verdict, Verdict>,
) -> Option<Verdict> {
    t.arrivals_in(HTTPS.name).next()?;
    Some(each(t, HTTPS.name, judge))
}

/// Whether every event reached the endpoint behind HTTPS whose certificate the sender was told to trust.
pub(crate) fn reached(t: &Transcript) -> Option<Verdict> {
    let (webhook, registered) = t.webhooks_of(HTTPS.name).next()?;
    let judged = t.emissions_to(webhook).filter(|emission| !emission.first && emission.unsupported.is_none());
    let verdicts = judged.map(|emission| {
        if !t.attempts(webhook, emission).is_empty() {
            return Verdict::Pass;
        }
        let name = &emission.event.name;
        if !emission.awaited || registered.overflowed {
            return Verdict::Inconclusive(format!("it is not known whether {name} arrived"));
        }
        let (came, cause) = instead(t, webhook, emission);
        let message = format!("{name} did not reach the registered URL: {came}");
        Evidence::new("a request to the https URL", came, message).because(cause).fail()
    });
    Some(of_all(verdicts, "no event could be emitted", "events"))
}

/// What came to an endpoint behind HTTPS in the place of a delivery, and why.
fn instead(t: &Transcript, webhook: usize, emission: &Emission) -> (String, Cause) {
    let since = |one: &&Handshake| one.webhook == webhook && one.at_ms >= emission.asked_at_ms;
    match t.handshakes.iter().find(since) {
        Some(Handshake { end: HandshakeEnd::NoTls, what, .. }) => {
            (what.clone(), Cause::detailed(Code::SendUrl, "http in the place of https"))
        }
        Some(Handshake { what, .. }) => (what.clone(), Cause::detailed(Code::SendLost, "over HTTPS")),
        None => ("nobody came there".to_owned(), Cause::detailed(Code::SendLost, "over HTTPS")),
    }
}
