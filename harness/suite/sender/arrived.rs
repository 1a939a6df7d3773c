//! A delivery as the checks of senders see it: the request, the webhook that received it, and the event that it carries.

use crate::budget::PARSED_VALUES;
use crate::suite::requirement::{Evidence, Expected, Verdict};
use crate::suite::sender::messages;
use crate::suite::transcript::{Arrival, Emission, RegisteredWebhook, Transcript};
use crate::webhook::dialect::{Dialect, Members};
use crate::webhook::event::EventName;
use crate::webhook::json::has_at_most;
use crate::wire::coding::coding;
use crate::wire::exchange::Exchange;

/// A delivery that is judged on its own.
pub(crate) struct Arrived<'a> {
    pub(crate) transcript: &'a Transcript,
    pub(crate) webhook: &'a RegisteredWebhook,
    pub(crate) exchange: &'a Exchange,
    pub(crate) arrival: &'a Arrival,
    pub(crate) emission: Option<&'a Emission>,
}

impl<'a> Arrived<'a> {
    pub(crate) fn of(
        transcript: &'a Transcript,
        webhook: &'a RegisteredWebhook,
        arrival: &'a Arrival,
    ) -> Self {
        let (exchange, emission) =
            (transcript.exchange(arrival.exchange), transcript.carried(arrival).next());
        Self { transcript, webhook, exchange, arrival, emission }
    }

    /// The event that it carries. Inconclusive if it carries none that was emitted.
    pub(crate) fn emission(&self) -> Result<&'a Emission, Verdict> {
        self.emission.ok_or_else(|| Verdict::Inconclusive(messages::record_unknown().to_owned()))
    }

    /// The event that was emitted, as in [`Self::emission`]. `None` in recorded traffic, for which no emission is known.
    pub(crate) fn emitted(&self) -> Result<Option<&'a Emission>, Verdict> {
        if self.transcript.recorded { Ok(None) } else { self.emission().map(Some) }
    }

    /// The name of the event that was emitted or, in recorded traffic, of the event in the body.
    pub(crate) fn event_name(&self) -> Result<EventName, Verdict> {
        if let Some(emission) = self.emitted()? {
            return Ok(emission.event.name.clone());
        }
        let member = self.dialect().event_member;
        let named = self.members()?.text(member).map(EventName::new);
        named.ok_or_else(|| Verdict::Inconclusive(messages::event_unnamed(member)))
    }

    /// The dialect that it is judged in.
    pub(crate) fn dialect(&self) -> &'static Dialect {
        self.transcript.dialect_of(self.arrival)
    }

    /// The subject of a finding about it: "the delivery of person.created".
    pub(crate) fn named(&self) -> String {
        messages::delivery_of(self.event_name().ok().as_ref())
    }

    /// Its body, if it can be parsed in limited memory. Inconclusive if not, and if it has a content coding: DLV-3 judges that.
    pub(crate) fn parseable_body(&self) -> Result<&'a [u8], Verdict> {
        let body = self.whole_body()?;
        if let Some(coding) = coding(&self.exchange.delivery) {
            return Err(Verdict::Inconclusive(messages::body_coded(&coding)));
        }
        let why = || Verdict::Inconclusive(messages::too_many_values(PARSED_VALUES));
        if has_at_most(body, PARSED_VALUES) { Ok(body) } else { Err(why()) }
    }

    /// The members of its body. Inconclusive if the body is not a JSON object: DLV-3, DLV-5 and PAY-6 judge that.
    pub(crate) fn members(&self) -> Result<Members, Verdict> {
        Members::parse(self.parseable_body()?).map_err(|why| Verdict::Inconclusive(why.to_string()))
    }

    /// Its body. Inconclusive if only a part of it was kept, which DLV-3 judges, or is in the declared length, which DLV-1 judges.
    pub(crate) fn whole_body(&self) -> Result<&'a [u8], Verdict> {
        let (kept, length) = (&*self.exchange.delivery.body, self.arrival.traits.body_length);
        // The rest may not have arrived when this delivery was recorded, so any other that shows the fault will do.
        let shows_wrong_length = || {
            let mut others = self.transcript.arrivals.iter();
            others.any(|other| other.traits.wrong_length.is_some())
        };
        if !self.transcript.recorded && shows_wrong_length() && Members::parse(kept).is_err() {
            return Err(Verdict::Inconclusive(messages::body_cut_by_length().to_owned()));
        }
        if kept.len() as u64 == length {
            return Ok(kept);
        }
        Err(Verdict::Inconclusive(messages::body_not_kept(kept.len(), length)))
    }

    /// Evidence from this delivery.
    pub(crate) fn evidence(
        &self,
        expected: impl Into<Expected>,
        actual: impl Into<String>,
        message: impl Into<String>,
    ) -> Evidence {
        Evidence::new(expected, actual, message).shown_by([self.exchange.id])
    }
}
