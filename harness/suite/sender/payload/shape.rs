//! PAY-6: the body's members and their types, compared with the snapshot of its event.
//!
//! Invariant: the snapshots are the files that the tests of the samples check. There is no second list of members.
//!
//! Of an event that the suite emitted, every member that it gave is known. Of other records, such as those of a CRM with its own
//! database, only this much is known, from what Twenty 2.31 sends: a record has an id and its times. Any other field can be
//! deactivated, so it may be missing. The type of a standard field cannot be changed, so a field that is there has its type, or is null:
//! a field without a value is null, except for those that consist of several, whose parts are.

use serde_json::Value;

use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Binds, Level, Recorded, Requirement, Verdict};
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::judge::every_delivery;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::events::EVERY_EVENT;
use crate::suite::transcript::{Emission, Transcript};
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
        SenderFault::OptionalMemberMistyped,
        SenderFault::NullsDropped,
        SenderFault::NumbersAsText,
        SenderFault::TimestampEpoch,
        SenderFault::BodyInArray,
    ]),
}];

/// How many further members a note lists.
const MOST_LISTED: usize = 50;

/// Members at any depth that the snapshots do not have, by path. A note lists them; they fail nothing.
pub fn further_members(t: &Transcript) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (webhook, arrival) in t.arrivals_in(EVERY_EVENT.name) {
        let arrived = Arrived::of(t, webhook, arrival);
        let emission = arrived.emitted().ok().flatten();
        let is_other = || !t.recorded && emission.is_none_or(|emission| !emission.is_sample);
        let (Ok(name), Ok(body)) = (arrived.event_name(), arrived.parseable_body()) else { continue };
        if found.len() >= MOST_LISTED || is_other() {
            continue;
        }
        let Some(known) = Known::of(arrived.dialect(), &name, emission) else { continue };
        let further = known.differences(body).into_iter().filter(|difference| difference.expected.is_none());
        found.extend(further.map(|difference| difference.path));
        found.sort();
        found.dedup();
    }
    found.truncate(MOST_LISTED);
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
    let Some(known) = Known::of(dialect, name, emission) else {
        return Ok(Verdict::NotApplicable(messages::no_snapshot(name)));
    };
    let mut differences = known.differences(body);
    differences.retain(|difference| known.forbids(difference));
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

/// What is known of an event's body before it arrives.
struct Known<'a> {
    dialect: &'static Dialect,
    event: &'a EventName,
    snapshot: Shape,
    /// The record that the sender was given.
    given: Option<Value>,
}

impl<'a> Known<'a> {
    fn of(dialect: &'static Dialect, event: &'a EventName, emission: Option<&Emission>) -> Option<Self> {
        let snapshot = Shape::snapshot(dialect, event)?;
        let given = emission.and_then(|emission| serde_json::from_str(emission.event.record.get()).ok());
        Some(Self { dialect, event, snapshot, given })
    }

    /// The differences between a body and the snapshot. Members that the dialect leaves out at times are none, if they have their
    /// type.
    fn differences(&self, body: &[u8]) -> Vec<Difference> {
        let Ok(body) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
        let mut differences = self.snapshot.differences(&Shape::of(&body));
        let envelope = self.dialect.envelope_of(self.event);
        differences.retain_mut(|difference| {
            let Some(member) = envelope.iter().find(|member| member.key == difference.path) else {
                return true;
            };
            match (&difference.expected, &difference.actual) {
                (Some(_), None) => member.is_required_of(self.event),
                (None, Some(actual)) => {
                    let is_right = actual == member.json_type();
                    difference.expected = Some(member.json_type().to_owned());
                    !is_right
                }
                _ => true,
            }
        });
        differences
    }

    /// Whether a body with this difference is wrong.
    fn forbids(&self, difference: &Difference) -> bool {
        let Some(expected) = &difference.expected else { return false };
        let content = self.dialect.content_member(self.event);
        let within = difference.path.strip_prefix(content).and_then(|rest| rest.strip_prefix('.'));
        let Some(place) = within else { return true };
        if let Some(given) = self.given.as_ref().and_then(|record| at(record, place)) {
            let given = Shape::of(given).name();
            return place.contains("[]") || difference.actual.as_ref() != Some(&given);
        }
        if self.event.is_metadata() {
            // What metadata consists of depends on its kind and on the version.
            return !place.strip_prefix("properties.").unwrap_or(place).contains('.');
        }
        let own = self.dialect.own_members.iter().find(|(name, _)| *name == place);
        match (&difference.actual, own) {
            (None, own) => own.is_some(),
            _ if expected == "null" || self.dialect.own_members.is_empty() => false,
            (Some(actual), Some((_, nullable))) if actual == "null" => !nullable,
            (Some(actual), None) if actual == "null" => self.snapshot.has_parts(&difference.path),
            _ => true,
        }
    }
}

/// The value at a path, or the array that the path leads into.
fn at<'a>(record: &'a Value, path: &str) -> Option<&'a Value> {
    let mut value = record;
    for name in path.split('.') {
        let (name, is_element) = match name.split_once("[]") {
            Some((name, _)) => (name, true),
            None => (name, false),
        };
        value = value.get(name)?;
        if is_element {
            break;
        }
    }
    Some(value)
}
