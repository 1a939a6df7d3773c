//! PAY: the body, compared with the event that was emitted and with its snapshot.

use std::fmt;

use crate::plural::counted;
use crate::webhook::event::EventName;
use crate::webhook::json::difference::Concern;

pub(crate) fn member_missing(delivery: &str, member: &str) -> String {
    format!("{delivery} has no member `{member}` in its body")
}

pub(crate) fn no_such_member() -> &'static str {
    "no such member"
}

pub(crate) fn body_lacks_member(member: &str) -> String {
    format!("the body has no member `{member}`")
}

// PAY-1

pub(crate) fn wrong_event(event: &EventName, member: &str, given: &str) -> String {
    format!("the delivery of {event} names the event {given} in `{member}`")
}

pub(crate) fn malformed_event(delivery: &str, member: &str, given: &str) -> String {
    format!("{delivery} carries {given} in `{member}`, which does not have the form <object>.<action>")
}

pub(crate) fn member_with(member: &str, expected: &str) -> String {
    format!("`{member}`: {expected}")
}

// PAY-2, PAY-7 and PAY-8

pub(crate) fn record_in(member: &str) -> String {
    format!("the record in `{member}`")
}

/// `actual` is `None` if the value is missing.
pub(crate) fn value_changed(event: &EventName, path: &str, expected: &str, actual: Option<&str>) -> String {
    match actual {
        Some(actual) => format!("the delivery of {event} carries {actual} in `{path}`, not {expected}"),
        None => format!("the delivery of {event} lacks `{path}`, which is {expected}"),
    }
}

pub(crate) fn judged_elsewhere() -> &'static str {
    "PAY-7 or PAY-8 judges this record"
}

/// Which records these are, as a noun phrase.
pub(crate) fn special_records(concern: Concern) -> &'static str {
    match concern {
        Concern::LongNumbers => "records with long numbers",
        Concern::MemberNames => "records with unusual member names",
        Concern::LoneSurrogates => "records with lone surrogates",
        Concern::Values => "records",
    }
}

pub(crate) fn no_such_values(concern: Concern) -> String {
    format!("it is not one of the {}", special_records(concern))
}

pub(crate) fn record_member_missing(member: &str) -> String {
    body_lacks_member(member) + " (see PAY-2)"
}

pub(crate) fn special_not_arrived(concern: Concern) -> String {
    format!("none of the {} arrived", special_records(concern))
}

pub(crate) fn special_not_sent(event: &EventName, concern: Concern) -> String {
    format!("the delivery of {event} did not arrive; others did, but no {}", special_records(concern))
}

// PAY-4

pub(crate) fn rfc3339_in_utc() -> &'static str {
    "an RFC 3339 date-time in UTC, such as \"2025-02-10T15:30:50Z\""
}

pub(crate) fn not_rfc3339(delivery: &str, member: &str, given: &str) -> String {
    format!("{delivery} carries {given} in `{member}`, which is not an RFC 3339 date-time in UTC")
}

// PAY-5

pub(crate) fn time_unreadable(member: &str) -> String {
    format!("`{member}` is not a readable date-time (see PAY-4)")
}

pub(crate) fn not_after(time: &str) -> String {
    format!("not after {time}")
}

pub(crate) fn not_before(time: &str) -> String {
    format!("not before {time}")
}

pub(crate) fn after_arrival() -> &'static str {
    "after the request arrived"
}

pub(crate) fn before_event() -> &'static str {
    "before the event was triggered"
}

/// `when` is [`after_arrival`] or [`before_event`].
pub(crate) fn wrong_time(delivery: &str, member: &str, given: &str, when: &str) -> String {
    format!("{delivery} carries the time {given} in `{member}`, which is {when}")
}

// PAY-6

pub(crate) fn body_is_not_json(why: impl fmt::Display) -> String {
    format!("the body is not JSON ({why})")
}

pub(crate) fn body_not_object(delivery: &str, found: &str) -> String {
    format!("{delivery} has a body that is {found}, not an object")
}

pub(crate) fn not_a_sample() -> &'static str {
    "the record is not one of the samples"
}

pub(crate) fn no_snapshot(event: &EventName) -> String {
    format!("there is no snapshot of {event} in this dialect")
}

pub(crate) fn shape_differs(event: &EventName, differences: &str) -> String {
    format!("the delivery of {event} does not have the expected shape (- expected, + found):\n{differences}")
}

pub(crate) fn snapshot_shape() -> &'static str {
    "the reviewed shape of the event"
}

pub(crate) fn differences(count: usize) -> String {
    counted(count, "difference", "differences")
}
