//! ACK-8: redirects are not followed.

use super::outcome::{answered, delivered};
use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Verdict};
use crate::suite::sender::judge::first_scenario;
use crate::suite::sender::scenario::answers::NOT_ACKNOWLEDGED;
use crate::suite::transcript::{AnswerForm, MOVED, Transcript};

/// The requirements of this group.
pub const ALL: &[Requirement] = &[Requirement {
    id: "ACK-8",
    title: "redirects not followed",
    binds: Binds::Sender(Recorded::Cannot("traffic alone does not show what the sender makes of an answer")),
    level: Level::Advice,
    check_id: "sender/acknowledgement/redirect",
    text: "A redirect is not followed to another host, and never turns the POST into a GET that counts as \
           delivered.",
    source: "W",
    why: "Another host was never registered, and gets the record and its signature; a GET delivers nothing.",
    scenarios: &[&NOT_ACKNOWLEDGED],
    needs: None,
    check: redirects,
    counterexamples: Faults::Sender(&[
        SenderFault::RedirectFollowed,
        SenderFault::RedirectFollowedAsGet,
        SenderFault::RedirectFollowedUncounted,
    ]),
}];

fn redirects(requirement: &Requirement, t: &Transcript) -> Verdict {
    let redirected = answered(t, first_scenario(requirement))
        .filter(|one| matches!(one.form, AnswerForm::ToAnotherHost | AnswerForm::ToItself));
    let verdicts = redirected.map(|emission| {
        let (status, (deliveries, settled)) = (emission.answer, delivered(t, emission));
        if deliveries.is_empty() {
            return Verdict::Inconclusive(format!("the delivery that {status} was meant for did not arrive"));
        }
        let carries = |at: &usize| t.emissions[*at].record_id == emission.record_id;
        let followed = t.arrivals.iter().find_map(|arrival| {
            let exchange = t.exchange(arrival.exchange);
            let there = exchange.delivery.target.starts_with(MOVED) && arrival.carries.iter().any(carries);
            there.then_some((arrival.webhook.is_none(), exchange))
        });
        let Some((elsewhere, exchange)) = followed else { return Verdict::Pass };
        let method = &exchange.delivery.method;
        let counts = settled.is_some_and(|settled| settled.delivered);
        let (detail, message) = if elsewhere {
            let message =
                format!("a delivery that was answered {status} went on to another host, by {method}");
            (format!("to another host, by {method}"), message)
        } else if method != "POST" && counts {
            let message =
                format!("a delivery that was answered {status} became a {method} that counts as delivered");
            (format!("a {method} that counts as delivered"), message)
        } else {
            return Verdict::Pass;
        };
        Evidence::new("not followed", format!("followed by {method}"), message)
            .shown_by(deliveries.into_iter().chain([exchange.id]))
            .because(Cause::detailed(Code::SendRedirect, detail))
            .fail()
    });
    of_all(verdicts, "no event could be emitted", "redirects")
}
