//! ACK-6: how long an answer is waited for.

use std::time::Duration;

use super::endpoints::{met, webhooks};
use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Verdict};
use crate::suite::sender::judge::first_scenario;
use crate::suite::sender::scenario::unanswered::UNANSWERED;
use crate::suite::transcript::{Arrival, Conduct, Transcript};

/// A wait that was ended sooner than this was not a second long. A sender's clock starts a little before the endpoint's.
const SHORTEST_WAIT: Duration = Duration::from_millis(900);

/// The requirements of this group.
pub const ALL: &[Requirement] = &[Requirement {
    id: "ACK-6",
    title: "bounded wait",
    binds: Binds::Sender(Recorded::Cannot("traffic alone does not show what the sender makes of an answer")),
    level: Level::Should,
    check_id: "sender/acknowledgement/wait",
    text: "The wait for the head of an answer is bounded (S: 5 s) and is at least 1 s.",
    source: "S",
    why: "A wait without end holds a connection for each delivery to an endpoint that hangs; one that is too short \
          calls deliveries failed that were taken in. Bounded is what ends within --timeout.",
    scenarios: &[&UNANSWERED],
    needs: None,
    check: waits,
    counterexamples: Faults::Sender(&[
        SenderFault::WaitsTooShort,
        SenderFault::WaitsForEver,
        SenderFault::CrashesOnRefusal,
    ]),
}];

fn waits(requirement: &Requirement, t: &Transcript) -> Verdict {
    let verdicts = webhooks(t, first_scenario(requirement), |conduct| {
        matches!(conduct, Conduct::Hangs | Conduct::AnswersLate | Conduct::Drips)
    });
    let verdicts = verdicts.into_iter().map(|(webhook, conduct)| match conduct {
        Conduct::Hangs => gives_up(t, webhook),
        _ => waits_long_enough(t, webhook, conduct),
    });
    of_all(verdicts, "no webhook could be registered", "endpoints")
}

/// How long the answer that never comes is waited for.
fn gives_up(t: &Transcript, webhook: usize) -> Verdict {
    let attempts: Vec<&Arrival> =
        met(t, webhook).flat_map(|emission| t.attempts(webhook, emission)).collect();
    let Some(first) = attempts.first() else {
        return Verdict::Inconclusive("nothing reached the endpoint that hangs".to_owned());
    };
    let waited = |arrival: &&&Arrival| arrival.traits.given_up_after;
    let bound = format!("between 1 s and {:.1} s", t.limits.timeout.as_secs_f64());
    let shortest = attempts.iter().filter_map(|arrival| Some((waited(&arrival)?, arrival.exchange))).min();
    match shortest {
        Some((wait, exchange)) if wait < SHORTEST_WAIT => {
            let wait = format!("{} ms", wait.as_millis());
            let message = format!("an answer was waited for no longer than {wait}");
            Evidence::new(bound, wait, message)
                .shown_by([exchange])
                .because(Cause::detailed(Code::SendAckStatus, "no answer within a second"))
                .fail()
        }
        Some((wait, _)) if wait <= t.limits.timeout => Verdict::Pass,
        _ => {
            let at_ms = t.exchange(first.exchange).at_ms;
            let watched = Duration::from_millis(t.webhooks[webhook].watched_until_ms.saturating_sub(at_ms));
            if watched < t.limits.timeout {
                return Verdict::Inconclusive(format!(
                    "it was watched for {:.1} s only",
                    watched.as_secs_f64()
                ));
            }
            let still = format!("still waiting after {:.1} s", watched.as_secs_f64());
            let message = format!("an answer that never comes is waited for without end: {still}");
            Evidence::new(bound, still, message)
                .shown_by([first.exchange])
                .because(Cause::detailed(Code::SendBlocked, "by an answer that never comes"))
                .fail()
        }
    }
}

/// Whether an answer that takes a little less than a second is waited for.
fn waits_long_enough(t: &Transcript, webhook: usize, conduct: Conduct) -> Verdict {
    let Some(emission) = met(t, webhook).next() else {
        return Verdict::Inconclusive("no event could be emitted".to_owned());
    };
    let attempts = t.attempts(webhook, emission);
    let Some(first) = attempts.first() else {
        return Verdict::Inconclusive(format!("no delivery arrived that {}", conduct.what_became()));
    };
    let settled = t.settled_of(webhook, emission);
    // What the sender reports comes first: one that has read enough may close the connection in the middle of the answer.
    let (actual, what) = match (settled, first.traits.given_up_after) {
        (Some(settled), _) if settled.delivered => return Verdict::Pass,
        (Some(_), _) => ("reported as not delivered".to_owned(), "is reported as not delivered"),
        (None, Some(wait)) => (format!("given up after {} ms", wait.as_millis()), "was given up before that"),
        (None, None) => return Verdict::Pass,
    };
    let message = format!("a delivery that {} within a second {what}", conduct.what_became());
    Evidence::new("delivered", actual, message)
        .shown_by(attempts.iter().map(|arrival| arrival.exchange))
        .because(Cause::detailed(Code::SendAckStatus, format!("200, {}", conduct.as_str())))
        .fail()
}
