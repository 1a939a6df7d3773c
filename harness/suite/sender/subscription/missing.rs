//! At which webhooks an event is missing or repeated, and the verdict on a missing delivery.
//!
//! Invariant: an event counts as missing only if the suite waited for it and kept everything that arrived.

use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Evidence, Verdict};
use crate::suite::sender::messages;
use crate::suite::transcript::{Emission, Transcript};
use crate::terminal::text;
use crate::webhook::json::difference::Concern;

/// The webhooks that an event should have reached: those of its scenario or, if it was generated, of its round.
pub(super) fn webhooks_of_event<'a>(
    t: &'a Transcript,
    emission: &'a Emission,
) -> impl Iterator<Item = usize> + 'a {
    let is_target =
        |index: &usize| emission.generated.as_ref().is_none_or(|one| one.webhooks.contains(index));
    t.webhooks_of(emission.scenario).map(|(index, _)| index).filter(is_target)
}

/// The webhooks of a scenario at which an event did not arrive, and at which it arrived more than once.
pub(in crate::suite::sender) fn missed_and_repeated(
    t: &Transcript,
    emission: &Emission,
) -> (Vec<usize>, Vec<usize>) {
    let count = |index| (index, t.deliveries(index, emission).len());
    let counts: Vec<(usize, usize)> = webhooks_of_event(t, emission).map(count).collect();
    let of = |wanted: fn(usize) -> bool| {
        counts.iter().filter(|(_, count)| wanted(*count)).map(|(index, _)| *index).collect()
    };
    (of(|count| count == 0), of(|count| count > 1))
}

/// Whether a missing delivery of the event says something about webhooks and kinds of events. If its record is unusual, PAY-7 and
/// PAY-8 judge that.
pub(super) fn is_usual(emission: &Emission) -> bool {
    emission.concern == Concern::Values
}

/// Inconclusive if the sender cannot emit the event.
pub(in crate::suite::sender) fn cannot_be_emitted(emission: &Emission) -> Option<Verdict> {
    let reason = emission.unsupported.as_ref()?;
    Some(Verdict::Inconclusive(messages::cannot_emit(&emission.event.name, reason)))
}

/// Inconclusive if the run was cut off before the wait for the event ended, or if more arrived than could be kept.
pub(in crate::suite::sender) fn not_awaited(t: &Transcript, emission: &Emission) -> Option<Verdict> {
    let name = &emission.event.name;
    let why = if !emission.awaited {
        messages::run_cut_off(name)
    } else if t.webhooks_of(emission.scenario).any(|(_, webhook)| webhook.overflowed) {
        messages::perhaps_not_kept(name)
    } else if let Some(coding) = unread_coding(t, emission) {
        messages::perhaps_unread(name, &coding)
    } else {
        return None;
    };
    Some(Verdict::Inconclusive(why))
}

/// The content coding of a body at the event's webhooks that cannot be decoded, and so may carry the event.
fn unread_coding(t: &Transcript, emission: &Emission) -> Option<String> {
    let mut arrivals = t.arrivals_in(emission.scenario).filter(|(_, arrival)| arrival.carries.is_empty());
    arrivals.find_map(|(_, arrival)| {
        t.exchange(arrival.exchange).delivery.coding().map(|coding| text(coding).into_owned())
    })
}

/// The verdict on a missing event.
pub(in crate::suite::sender) fn lost(t: &Transcript, emission: &Emission, message: String) -> Verdict {
    if let Some(inconclusive) = not_awaited(t, emission) {
        return inconclusive;
    }
    let waited = messages::nothing_within(2.0 * t.limits.deadline.as_secs_f64());
    let detail = emission.event.name.to_string();
    Evidence::new("one delivery", waited, message).because(Cause::detailed(Code::SendLost, detail)).fail()
}
