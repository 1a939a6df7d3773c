//! At which webhooks an event is missing or repeated, and what a missing delivery shows.
//!
//! Invariant: an event counts as missing only where it was waited for, and all that arrived was kept.

use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Evidence, Verdict};
use crate::suite::transcript::{Emission, Transcript};

/// The webhooks that an event should have reached: those of its scenario or, where it was generated, of its round.
pub(super) fn webhooks_there<'a>(
    t: &'a Transcript,
    emission: &'a Emission,
) -> impl Iterator<Item = usize> + 'a {
    let there = |index: &usize| emission.generated.as_ref().is_none_or(|one| one.webhooks.contains(index));
    t.webhooks_of(emission.scenario).map(|(index, _)| index).filter(there)
}

/// The webhooks of a scenario at which an event did not arrive, and at which it arrived more than once.
pub(super) fn missed_and_repeated(t: &Transcript, emission: &Emission) -> (Vec<usize>, Vec<usize>) {
    let count = |index| (index, t.deliveries(index, emission).len());
    let counts: Vec<(usize, usize)> = webhooks_there(t, emission).map(count).collect();
    let of = |wanted: fn(usize) -> bool| {
        counts.iter().filter(|(_, count)| wanted(*count)).map(|(index, _)| *index).collect()
    };
    (of(|count| count == 0), of(|count| count > 1))
}

/// Inconclusive, where the sender cannot emit the event.
pub(super) fn cannot_be_emitted(emission: &Emission) -> Option<Verdict> {
    let reason = emission.unsupported.as_ref()?;
    Some(Verdict::Inconclusive(format!("the sender cannot emit {}: {reason}", emission.event.name)))
}

/// Inconclusive, where the run broke off before the event had been waited for, or more arrived than could be kept.
pub(super) fn not_awaited(t: &Transcript, emission: &Emission) -> Option<Verdict> {
    let name = &emission.event.name;
    let why = if !emission.awaited {
        format!("the run broke off before {name} had to have arrived")
    } else if t.webhooks_of(emission.scenario).any(|(_, webhook)| webhook.overflowed) {
        format!("{name} may be among the requests that were too many to be kept (see SUB-2)")
    } else {
        return None;
    };
    Some(Verdict::Inconclusive(why))
}

/// The verdict on an event that is missing.
pub(super) fn lost(t: &Transcript, emission: &Emission, message: String) -> Verdict {
    if let Some(inconclusive) = not_awaited(t, emission) {
        return inconclusive;
    }
    let waited = format!("nothing within {:.1} s", 2.0 * t.limits.deadline.as_secs_f64());
    let detail = emission.event.name.to_string();
    Evidence::new("one delivery", waited, message).because(Cause::detailed(Code::SendLost, detail)).fail()
}
