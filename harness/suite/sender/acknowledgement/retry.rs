//! ACK-4: retries carry the same event, are few, and have pauses between them.

use serde_json::Value;

use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Evidence, Level, Recorded, Requirement, Unrecorded, Verdict};
use crate::suite::sender::messages;
use crate::suite::sender::retry::retried;
use crate::suite::sender::scenario::answers::{NOT_ACKNOWLEDGED, REDIRECTED};
use crate::suite::sender::scenario::stalled::STALLED;
use crate::suite::sender::scenario::unanswered::UNANSWERED;
use crate::suite::transcript::{Arrival, Emission, Transcript};
use crate::webhook::dialect::Members;
use crate::wire::coding::content;

/// How many attempts at one delivery may be seen. A sensible backoff needs hours for so many.
const MOST_ATTEMPTS: usize = 15;
/// Two pauses in a row that are shorter than this are a tight loop.
const SHORTEST_PAUSE_MS: u64 = 50;

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[Requirement {
    id: "ACK-4",
    title: "sane retries",
    binds: Binds::Sender(Recorded::Cannot(Unrecorded::Answers)),
    level: Level::Should,
    check_id: "sender/acknowledgement/further-attempts",
    text: "If it retries: same event, same data, a bounded number of times, not in a tight loop.",
    source: "D",
    why: "A receiver recognises a retry by its content. An endpoint that fails under load does not recover under more \
          load.",
    scenarios: &[&UNANSWERED, &NOT_ACKNOWLEDGED, &REDIRECTED, &STALLED],
    needs: None,
    check: bounded,
    counterexamples: Faults::Sender(&[
        SenderFault::RetriesWithoutEnd,
        SenderFault::RetriesWithoutPause,
        SenderFault::RetriesWithOtherData,
    ]),
}];

fn bounded(requirement: &Requirement, t: &Transcript) -> Verdict {
    let found = match retried(requirement, t) {
        Ok(found) => found,
        Err(none) => return none,
    };
    let verdicts = found.iter().map(|one| {
        let name = &one.emission.event.name;
        let exchanges = || one.attempts.iter().map(|arrival| arrival.exchange);
        let times: Vec<u64> = exchanges().map(|id| t.exchange(id).at_ms).collect();
        let count = times.len();
        let span = times[count - 1].saturating_sub(times[0]);
        let sent = messages::attempts_within(count, span);
        let too_often = |detail: &str, expected: String| {
            let message = messages::retried_too_often(name, &sent);
            let cause = Cause::detailed(Code::SendUnboundedRetry, detail);
            Evidence::new(expected, sent.clone(), message).shown_by(exchanges()).because(cause).fail()
        };
        let pauses: Vec<u64> = times.windows(2).map(|two| two[1].saturating_sub(two[0])).collect();
        if count > MOST_ATTEMPTS {
            return too_often("without end", messages::at_most_attempts(MOST_ATTEMPTS));
        }
        if pauses.windows(2).any(|two| two.iter().all(|&pause| pause < SHORTEST_PAUSE_MS)) {
            return too_often("without a pause", messages::pauses_of(SHORTEST_PAUSE_MS));
        }
        let first = one.attempts[0];
        let changed = one.attempts[1..]
            .iter()
            .find_map(|other| Some((other, difference(t, one.emission, first, other)?)));
        match changed {
            None => Verdict::Pass,
            Some((other, what)) => {
                let message = messages::retry_differs(name, what);
                let cause = Cause::detailed(Code::PayloadValue, messages::of_a_retry(what));
                Evidence::new(messages::same(what), messages::different(what), message)
                    .shown_by([first.exchange, other.exchange])
                    .because(cause)
                    .fail()
            }
        }
    });
    of_all(verdicts, messages::no_retry(), "deliveries")
}

/// The member in which two attempts at a delivery differ: the event's name or the record.
fn difference(t: &Transcript, emission: &Emission, one: &Arrival, other: &Arrival) -> Option<&'static str> {
    let body = |arrival: &Arrival| Members::parse(&content(&t.exchange(arrival.exchange).delivery));
    let (Ok(one), Ok(other)) = (body(one), body(other)) else { return Some("form of body") };
    let value = |members: &Members, key: &str| -> Option<Value> {
        serde_json::from_str(members.get(key)?.get()).ok()
    };
    let keys = [t.dialect.event_member, t.dialect.content_member(&emission.event.name)];
    keys.into_iter().find(|key| value(&one, key) != value(&other, key))
}
