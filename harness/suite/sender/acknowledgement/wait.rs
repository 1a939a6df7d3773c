//! ACK-6: how long the sender waits for an answer.

use std::time::Duration;

use super::endpoints::{judged_events, webhooks};
use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Unrecorded, Verdict};
use crate::suite::sender::messages;
use crate::suite::sender::scenario::stalled::STALLED;
use crate::suite::sender::scenario::unanswered::UNANSWERED;
use crate::suite::transcript::{Arrival, Conduct, Transcript};

/// The shortest wait that counts as a second: the sender starts counting a little before the endpoint does.
const SHORTEST_WAIT: Duration = Duration::from_millis(900);

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[Requirement {
    id: "ACK-6",
    title: "bounded wait",
    binds: Binds::Sender(Recorded::Cannot(Unrecorded::Answers)),
    level: Level::Should,
    check_id: "sender/acknowledgement/wait",
    text: "The wait for the head of an answer is bounded (S: 5 s) and is at least 1 s.",
    source: "S",
    why: "An endless wait ties up a connection for each delivery to an endpoint that hangs. A wait that is too short \
          counts processed deliveries as failed. A wait is bounded if it ends within --timeout.",
    scenarios: &[&UNANSWERED, &STALLED],
    needs: None,
    check: waits,
    counterexamples: Faults::Sender(&[
        SenderFault::WaitsTooShort,
        SenderFault::WaitsForEver,
        SenderFault::CrashesOnRefusal,
    ]),
}];

fn waits(requirement: &Requirement, t: &Transcript) -> Verdict {
    let slow = |conduct| matches!(conduct, Conduct::Hangs | Conduct::AnswersLate | Conduct::Drips);
    let slow = requirement.scenarios.iter().flat_map(|scenario| webhooks(t, scenario.name, slow));
    let verdicts = slow.map(|(webhook, conduct)| match conduct {
        Conduct::Hangs => gives_up(t, webhook),
        _ => waits_long_enough(t, webhook, conduct),
    });
    of_all(verdicts, messages::no_webhook_registered(), "endpoints")
}

/// How long the sender waits for an answer that never comes.
fn gives_up(t: &Transcript, webhook: usize) -> Verdict {
    let attempts: Vec<&Arrival> =
        judged_events(t, webhook).flat_map(|emission| t.attempts(webhook, emission)).collect();
    let Some(first) = attempts.first() else {
        return Verdict::Inconclusive(messages::hanging_not_reached().to_owned());
    };
    let waited = |arrival: &&&Arrival| arrival.traits.given_up_after;
    let bound = messages::wait_between(t.limits.timeout.as_secs_f64());
    let shortest = attempts.iter().filter_map(|arrival| Some((waited(&arrival)?, arrival.exchange))).min();
    match shortest {
        Some((wait, exchange)) if wait < SHORTEST_WAIT => {
            let message = messages::gave_up(wait.as_millis());
            Evidence::new(bound, format!("{} ms", wait.as_millis()), message)
                .shown_by([exchange])
                .because(Cause::detailed(Code::SendAckStatus, messages::no_answer_in_time()))
                .fail()
        }
        Some((wait, _)) if wait <= t.limits.timeout => Verdict::Pass,
        _ => {
            let at_ms = t.exchange(first.exchange).at_ms;
            let watched = Duration::from_millis(t.webhooks[webhook].watched_until_ms.saturating_sub(at_ms));
            let seconds = watched.as_secs_f64();
            if watched < t.limits.timeout {
                return Verdict::Inconclusive(messages::watched_too_briefly(seconds));
            }
            let message = messages::waits_without_end(seconds);
            Evidence::new(bound, messages::still_waiting(seconds), message)
                .shown_by([first.exchange])
                .because(Cause::detailed(Code::SendBlocked, messages::endless_wait()))
                .fail()
        }
    }
}

/// Whether the sender waits for an answer that takes a little less than a second.
fn waits_long_enough(t: &Transcript, webhook: usize, conduct: Conduct) -> Verdict {
    let Some(emission) = judged_events(t, webhook).next() else {
        return Verdict::Inconclusive(messages::no_event_emitted().to_owned());
    };
    let attempts = t.attempts(webhook, emission);
    let Some(first) = attempts.first() else {
        return Verdict::Inconclusive(messages::no_delivery_that(conduct.what_happened()));
    };
    let settled = t.settled_of(webhook, emission);
    // The reported outcome comes first: a sender that has read enough may close the connection during the answer.
    let (actual, end) = match (settled, first.traits.given_up_after) {
        (Some(settled), _) if settled.delivered => return Verdict::Pass,
        (Some(_), _) => (messages::reported_not_delivered().to_owned(), messages::was_not_delivered()),
        (None, Some(wait)) => (messages::given_up_after(wait.as_millis()), messages::was_given_up()),
        (None, None) => return Verdict::Pass,
    };
    let message = messages::wait_too_short(conduct.what_happened(), end);
    Evidence::new("delivered", actual, message)
        .shown_by(attempts.iter().map(|arrival| arrival.exchange))
        .because(Cause::detailed(Code::SendAckStatus, format!("200, {}", conduct.as_str())))
        .fail()
}
