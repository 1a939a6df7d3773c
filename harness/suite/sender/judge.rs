//! The rules of judging that checks of senders share: one verdict on many deliveries.
//!
//! Nothing passes by the absence of evidence: no delivery is inconclusive.

use crate::suite::judge::of_all;
use crate::suite::requirement::{Evidence, Expected, Verdict};
use crate::suite::sender::scenarios::{EVERY_EVENT, GENERATED};
use crate::suite::transcript::{Arrival, Emission, ScenarioName, Transcript, Webhook};
use crate::webhook::dialect::Members;
use crate::webhook::event::EventName;
use crate::wire::exchange::Exchange;

/// A delivery that is judged by itself: the webhook it came to, the request, and the event that it carries.
pub(crate) struct Arrived<'a> {
    pub(crate) webhook: &'a Webhook,
    pub(crate) exchange: &'a Exchange,
    pub(crate) arrival: &'a Arrival,
    emission: Option<&'a Emission>,
    /// Whether it is recorded traffic, in which nothing was emitted by the suite.
    recorded: bool,
}

impl<'a> Arrived<'a> {
    /// What reached a webhook's endpoint.
    pub(crate) fn of(t: &'a Transcript, webhook: &'a Webhook, arrival: &'a Arrival) -> Self {
        let (exchange, emission) = (t.exchange(arrival.exchange), t.carried(arrival).next());
        Self { webhook, exchange, arrival, emission, recorded: t.recorded }
    }

    /// The event that it carries; where none of those emitted can be found in it, that is what does not tell.
    pub(crate) fn emission(&self) -> Result<&'a Emission, Verdict> {
        self.emission
            .ok_or_else(|| Verdict::Inconclusive("the request carries no record that was emitted".to_owned()))
    }

    /// The event that was emitted, as above; `None` in recorded traffic, where the delivery alone says what happened.
    pub(crate) fn emitted(&self) -> Result<Option<&'a Emission>, Verdict> {
        if self.recorded { Ok(None) } else { self.emission().map(Some) }
    }

    /// The name of the event: the emitted one's or, in recorded traffic, the one that the body gives.
    pub(crate) fn event_name(&self, member: &str) -> Result<EventName, Verdict> {
        if let Some(emission) = self.emitted()? {
            return Ok(emission.event.name.clone());
        }
        let named = self.members()?.text(member).map(EventName::new);
        named.ok_or_else(|| Verdict::Inconclusive(format!("the body has no text `{member}` (see PAY-1)")))
    }

    /// The members of its body; where it is no JSON object, that is for DLV-3, DLV-5 and PAY-6 to say.
    pub(crate) fn members(&self) -> Result<Members, Verdict> {
        Members::parse(self.whole_body()?).map_err(|why| Verdict::Inconclusive(why.to_string()))
    }

    /// Its body, where all of it was kept; where not, that is for DLV-3 to say.
    pub(crate) fn whole_body(&self) -> Result<&'a [u8], Verdict> {
        let (kept, length) = (&*self.exchange.delivery.body, self.arrival.traits.body_length);
        if kept.len() as u64 == length {
            return Ok(kept);
        }
        Err(Verdict::Inconclusive(format!("of a body of {length} bytes only {} were kept", kept.len())))
    }

    /// Evidence that this delivery shows.
    pub(crate) fn evidence(
        &self,
        expected: impl Into<Expected>,
        actual: impl Into<String>,
        message: impl Into<String>,
    ) -> Evidence {
        Evidence::new(expected, actual, message).shown_by([self.exchange.id])
    }
}

/// Every delivery of a scenario.
pub(crate) fn all_in(t: &Transcript, scenario: ScenarioName) -> impl Iterator<Item = Arrived<'_>> {
    t.arrivals_in(scenario).map(|(webhook, arrival)| Arrived::of(t, webhook, arrival))
}

/// One verdict on every delivery that shows how this sender makes one: those of the first scenario and, of the generated
/// ones, those that came out otherwise than they should.
pub(crate) fn every_delivery(
    t: &Transcript,
    judge: impl Fn(&Arrived<'_>) -> Result<Verdict, Verdict>,
) -> Verdict {
    each(t, EVERY_EVENT.name, &judge).or_fail(|| generated(t, judge))
}

/// What a generated event shows against the sender, where one does.
pub(crate) fn generated(
    t: &Transcript,
    judge: impl Fn(&Arrived<'_>) -> Result<Verdict, Verdict>,
) -> Option<Verdict> {
    all_in(t, GENERATED.name).find_map(|arrived| match judge(&arrived) {
        Ok(Verdict::Fail(evidence)) | Err(Verdict::Fail(evidence)) => {
            let emission = arrived.emission.filter(|emission| emission.generated.is_some());
            Some(match emission {
                Some(emission) => of_generated(t, *evidence, emission).fail(),
                None => evidence.fail(),
            })
        }
        _ => None,
    })
}

/// Evidence that a generated event gives: it names the event, so that it can be emitted again.
pub(crate) fn of_generated(t: &Transcript, mut evidence: Evidence, emission: &Emission) -> Evidence {
    let Some(generated) = &emission.generated else { return evidence };
    let smaller = match generated.steps {
        0 => String::new(),
        steps => format!(", made smaller in {steps} steps"),
    };
    let what = generated.what.as_ref().map(|what| format!(": {what}")).unwrap_or_default();
    let property = generated.property;
    evidence.message = format!("{} (one of the generated {property}{smaller}{what})", evidence.message);
    evidence.emission = t.emissions.iter().position(|other| other.record_id == emission.record_id);
    evidence
}

/// One verdict on every delivery of a scenario. The first failure speaks for all and says how many there are.
pub(crate) fn each(
    t: &Transcript,
    scenario: ScenarioName,
    judge: impl Fn(&Arrived<'_>) -> Result<Verdict, Verdict>,
) -> Verdict {
    let verdicts = all_in(t, scenario).map(|arrived| judge(&arrived).unwrap_or_else(|unclear| unclear));
    of_all(verdicts, "no delivery arrived", "deliveries")
}
