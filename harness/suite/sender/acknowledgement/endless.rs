//! ACK-9: an answer whose body never ends.
//!
//! Invariant: a later delivery counts as delayed only if it reached every working endpoint in time. The last of them comes after all
//! others, so a sender that delivers one by one and waits for another endpoint is not blamed here.

use std::time::Duration;

use super::endpoints::{judged_events, webhooks};
use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Unrecorded, Verdict};
use crate::suite::sender::judge::first_scenario;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::stalled::STALLED;
use crate::suite::sender::subscription::missing::not_awaited;
use crate::suite::transcript::{AnswerForm, Arrival, Conduct, Emission, Transcript};
use crate::wire::exchange::ExchangeId;

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[Requirement {
    id: "ACK-9",
    title: "bounded answer",
    binds: Binds::Sender(Recorded::Cannot(Unrecorded::Answers)),
    level: Level::Should,
    check_id: "sender/acknowledgement/endless",
    text: "An answer whose body never ends is given up too, and delays no later delivery.",
    source: "W, S",
    why: "Many clients have a timeout for each read, which a body that trickles never reaches. One broken endpoint then \
          holds a connection, or all that wait for it, without end. The answer is given up if its connection is closed within \
          --timeout; its status may count or not.",
    scenarios: &[&STALLED],
    needs: None,
    check: bounded,
    counterexamples: Faults::Sender(&[SenderFault::AnswerReadWithoutEnd, SenderFault::NextWaitsForBody]),
}];

fn bounded(requirement: &Requirement, t: &Transcript) -> Verdict {
    let scenario = first_scenario(requirement);
    let endless = webhooks(t, scenario, |conduct| conduct == Conduct::AnswersWithoutEnd);
    let working = webhooks(t, scenario, |conduct| conduct == Conduct::Answers);
    let working: Vec<usize> = working.iter().map(|&(at, _)| at).collect();
    let (Some(&(endless, _)), false) = (endless.first(), working.is_empty()) else {
        return Verdict::Inconclusive(messages::no_webhook_registered().to_owned());
    };
    let mut events = judged_events(t, endless).skip_while(|emission| emission.form != AnswerForm::Endless);
    let Some(first) = events.next() else {
        return Verdict::Inconclusive(messages::no_event_emitted().to_owned());
    };
    let attempts = t.attempts(endless, first);
    let Some(answered) = attempts.first() else {
        return Verdict::Inconclusive(messages::no_delivery_that(Conduct::AnswersWithoutEnd.what_happened()));
    };
    let given_up = given_up(t, endless, answered);
    let later = events.map(|emission| in_time(t, endless, &working, emission, answered.exchange));
    of_all(std::iter::once(given_up).chain(later), messages::no_event_emitted(), "deliveries")
}

/// Whether the sender closed the connection of the answer that never ends.
fn given_up(t: &Transcript, webhook: usize, answered: &Arrival) -> Verdict {
    let timeout = t.limits.timeout;
    if answered.traits.given_up_after.is_some_and(|wait| wait <= timeout) {
        return Verdict::Pass;
    }
    let at_ms = t.exchange(answered.exchange).at_ms;
    let watched = Duration::from_millis(t.webhooks[webhook].watched_until_ms.saturating_sub(at_ms));
    let seconds = watched.as_secs_f64();
    if watched < timeout {
        return Verdict::Inconclusive(messages::endless_watched_too_briefly(seconds));
    }
    let (bound, actual) = (messages::given_up_within(timeout.as_secs_f64()), messages::still_open(seconds));
    Evidence::new(bound, actual, messages::read_without_end(seconds))
        .shown_by([answered.exchange])
        .because(Cause::detailed(Code::SendBlocked, messages::endless_answer()))
        .fail()
}

/// Whether a later delivery to the same endpoint starts in time.
fn in_time(
    t: &Transcript,
    endless: usize,
    working: &[usize],
    emission: &Emission,
    answered: ExchangeId,
) -> Verdict {
    let deadline = u64::try_from(t.limits.deadline.as_millis()).unwrap_or(u64::MAX);
    let took = |webhook: usize| {
        let first = t.attempts(webhook, emission).into_iter().next()?;
        Some((first.traits.began_ms.saturating_sub(emission.asked_at_ms), first.exchange))
    };
    let late = match took(endless) {
        Some((took, _)) if took <= deadline => return Verdict::Pass,
        late => late,
    };
    let name = &emission.event.name;
    if working.iter().any(|&working| took(working).is_none_or(|(took, _)| took > deadline)) {
        return Verdict::Inconclusive(messages::missed_elsewhere(name));
    }
    if late.is_none()
        && let Some(inconclusive) = not_awaited(t, emission)
    {
        return inconclusive;
    }
    let took = late.map(|(took, _)| took);
    Evidence::new(
        messages::within_ms(deadline),
        messages::started_after(took),
        messages::waits_for_body(name, took),
    )
    .shown_by([answered].into_iter().chain(late.map(|(_, exchange)| exchange)))
    .because(Cause::detailed(Code::SendBlocked, messages::endless_answer()))
    .fail()
}
