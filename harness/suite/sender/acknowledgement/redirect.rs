//! ACK-8: redirects are not followed.

use super::outcome::{answered, delivered};
use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Unrecorded, Verdict};
use crate::suite::sender::judge::first_scenario;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::answers::REDIRECTED;
use crate::suite::transcript::{AnswerForm, MOVED, Transcript};

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[Requirement {
    id: "ACK-8",
    title: "redirects not followed",
    binds: Binds::Sender(Recorded::Cannot(Unrecorded::Answers)),
    level: Level::Advice,
    check_id: "sender/acknowledgement/redirect",
    text: "A redirect is not followed to another host, and never turns the POST into a GET that counts as \
           delivered.",
    source: "W",
    why: "The other host was never registered, but would receive the record and its signature. A GET delivers nothing.",
    scenarios: &[&REDIRECTED],
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
            return Verdict::Inconclusive(messages::answered_not_arrived(status));
        }
        let carries = |at: &usize| t.emissions[*at].record_id == emission.record_id;
        let followed = t.arrivals.iter().find_map(|arrival| {
            let exchange = t.exchange(arrival.exchange);
            let is_redirected =
                exchange.delivery.target.starts_with(MOVED) && arrival.carries.iter().any(carries);
            is_redirected.then_some((arrival.webhook.is_none(), exchange))
        });
        let Some((to_another_host, exchange)) = followed else { return Verdict::Pass };
        let method = &exchange.delivery.method;
        let counts = settled.is_some_and(|settled| settled.delivered);
        let (detail, message) = if to_another_host {
            let message = messages::followed_to_another_host(status, method);
            (messages::to_another_host(method), message)
        } else if method != "POST" && counts {
            let message = messages::followed_and_counted(status, method);
            (messages::counts_as_delivered(method), message)
        } else {
            return Verdict::Pass;
        };
        Evidence::new("not followed", messages::followed_with(method), message)
            .shown_by(deliveries.into_iter().chain([exchange.id]))
            .because(Cause::detailed(Code::SendRedirect, detail))
            .fail()
    });
    of_all(verdicts, messages::no_event_emitted(), "redirects")
}
