//! PAY-6: the body's members and their types, compared with the snapshot of its event.
//!
//! Invariant: the snapshots are the files that the tests of the samples check. There is no second list of members.

use serde_json::Value;

use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Binds, Level, Recorded, Requirement, Verdict};
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::judge::every_delivery;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::events::EVERY_EVENT;
use crate::suite::transcript::Transcript;
use crate::webhook::dialect::{Dialect, Members, NotAnObject};
use crate::webhook::event::EventName;
use crate::webhook::shape::{self, Difference, Shape};

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[Requirement {
    id: "PAY-6",
    title: "payload shape",
    binds: Binds::Sender(Recorded::Shows),
    level: Level::Must,
    check_id: "sender/payload/shape",
    text: "The body has the snapshot's shape for its event: members and their JSON types. Further members are \
           noted, and fail nothing.",
    source: "D",
    why: "Receivers in typed languages reject a body in which a member is missing or has another type.",
    scenarios: &[&EVERY_EVENT],
    needs: None,
    check: |requirement, t| every_delivery(requirement, t, has_shape),
    counterexamples: Faults::Sender(&[
        SenderFault::MembersRenamed,
        SenderFault::RecordShapeChanged,
        SenderFault::NullsDropped,
        SenderFault::NumbersAsText,
        SenderFault::TimestampEpoch,
        SenderFault::BodyInArray,
    ]),
}];

/// Top-level members that the snapshots do not have. A note lists them; they fail nothing.
pub fn further_members(t: &Transcript) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (_, arrival) in t.arrivals_in(EVERY_EVENT.name) {
        let Some(emission) = t.carried(arrival).next().filter(|emission| emission.is_sample) else {
            continue;
        };
        let body = &t.exchange(arrival.exchange).delivery.body;
        let differences = differences(t.dialect, &emission.event.name, body).unwrap_or_default();
        let further = differences.into_iter().filter(is_further).map(|difference| difference.path);
        found.extend(further);
    }
    found.sort();
    found.dedup();
    found
}

fn has_shape(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let dialect = arrived.dialect();
    let emission = arrived.emitted()?;
    let body = arrived.parseable_body()?;
    match Members::parse(body) {
        Err(NotAnObject::NotJson(why)) => {
            return Err(Verdict::Inconclusive(messages::body_is_not_json(why)));
        }
        // No event has such a body.
        Err(NotAnObject::OtherType(found)) if emission.is_none() => {
            let message = messages::body_not_object(&arrived.named(), found);
            let cause = Cause::detailed(Code::PayloadType, "the whole body");
            return Ok(arrived.evidence("an object", found, message).because(cause).fail());
        }
        _ => {}
    }
    let name = &arrived.event_name()?;
    if emission.is_some_and(|emission| !emission.is_sample) {
        return Ok(Verdict::NotApplicable(messages::not_a_sample().to_owned()));
    }
    let Some(mut differences) = differences(dialect, name, body) else {
        return Ok(Verdict::NotApplicable(messages::no_snapshot(name)));
    };
    differences.retain(|difference| !is_further(difference));
    if emission.is_none() {
        // What a record contains depends on the workspace: it has custom fields and empty ones.
        let within = format!("{}.", dialect.content_member(name));
        differences.retain(|difference| !difference.path.starts_with(&within));
    }
    let Some(first) = differences.first() else { return Ok(Verdict::Pass) };
    let code = if first.expected.is_some() && first.actual.is_some() {
        Code::PayloadType
    } else {
        Code::PayloadMember
    };
    let place = if first.path.is_empty() { "the whole body" } else { &first.path };
    let cause = Cause::detailed(code, place);
    let message = messages::shape_differs(name, &shape::diff(&differences));
    let count = messages::differences(differences.len());
    Ok(arrived.evidence(messages::snapshot_shape(), count, message).because(cause).fail())
}

/// The differences between a body and its event's snapshot. PAY-3 judges a missing time member, so it is left out.
fn differences(dialect: &Dialect, event: &EventName, body: &[u8]) -> Option<Vec<Difference>> {
    let snapshot = Shape::snapshot(dialect, event)?;
    let body: Value = serde_json::from_slice(body).ok()?;
    let mut differences = snapshot.differences(&Shape::of(&body));
    differences.retain(|difference| !(difference.path == dialect.time_member && difference.actual.is_none()));
    Some(differences)
}

/// Whether a difference is an additional member at the top level.
fn is_further(difference: &Difference) -> bool {
    difference.expected.is_none() && !difference.path.contains('.')
}
