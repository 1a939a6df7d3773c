//! PAY: the body, against the event that was emitted and against its reviewed shape.
//!
//! Invariant: the shape that judges is the snapshot that our own tests review; there is no second list of members.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Binds, Level, Recorded, Requirement, Verdict};
use crate::suite::sender::judge::{Arrived, each, every_delivery};
use crate::suite::sender::scenarios::{EVERY_EVENT, GENERATED};
use crate::suite::transcript::{Emission, Transcript};
use crate::webhook::dialect::{self, Dialect, Members, NotAnObject, rfc3339};
use crate::webhook::event::EventName;
use crate::webhook::json::Json;
use crate::webhook::json::difference::{Change, Concern, first_change};
use crate::webhook::shape::{self, Difference, Shape};

/// The requirements of this group.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "PAY-1",
        title: "event name",
        binds: Binds::Sender(Recorded::Shows),
        level: Level::Must,
        check_id: "sender/payload/event",
        text: "`event` is text of the form <object>.<action>, naming the event that happened.",
        source: "D",
        why: "Receivers route by it.",
        scenarios: &[&EVERY_EVENT, &GENERATED],
        needs: None,
        check: |_, t| every_delivery(t, |arrived| event(t.dialect, arrived)),
        counterexamples: Faults::Sender(&[SenderFault::EventNameUppercase, SenderFault::EventNameWrong]),
    },
    Requirement {
        id: "PAY-2",
        title: "record unchanged",
        binds: Binds::Sender(Recorded::Cannot("what the record was is not known")),
        level: Level::Must,
        check_id: "sender/payload/record",
        text: "`data` is an object that holds the record: every member given comes out equal (text in any script, \
               numbers up to 2^53 compared as numbers, nesting, null, empty values).",
        source: "D",
        why: "\"The same information as if you asked for the record through the API\": a value that changes on the way \
              changes in every system behind it.",
        scenarios: &[&EVERY_EVENT, &GENERATED],
        needs: None,
        check: |_, t| every_delivery(t, |arrived| record(t.dialect, arrived)),
        counterexamples: Faults::Sender(&[
            SenderFault::NullsDropped,
            SenderFault::NumbersAsText,
            SenderFault::TextMangled,
            SenderFault::NestingCutOff,
            SenderFault::BodyInLatin1,
            SenderFault::MembersRenamed,
        ]),
    },
    Requirement {
        id: "PAY-7",
        title: "long numbers",
        binds: Binds::Sender(Recorded::Cannot("what the record was is not known")),
        level: Level::Should,
        check_id: "sender/payload/long-numbers",
        text: "So does a number beyond 2^53, or with more digits than a double holds.",
        source: "W",
        why: "Amounts in millionths and identifiers of other systems are such numbers; a parser that reads doubles \
              changes their last digits without a word.",
        scenarios: &[&EVERY_EVENT, &GENERATED],
        needs: None,
        check: |_, t| long_numbers(t),
        counterexamples: Faults::Sender(&[SenderFault::LongNumbersRounded]),
    },
    Requirement {
        id: "PAY-3",
        title: "timestamp present",
        binds: Binds::Sender(Recorded::Shows),
        level: Level::Should,
        check_id: "sender/payload/timestamp-present",
        text: "`timestamp` is present.",
        source: "D",
        why: "Without it nobody can tell in which order two updates of one record happened.",
        scenarios: &[&EVERY_EVENT],
        needs: None,
        check: |_, t| each(t, EVERY_EVENT.name, |arrived| time_present(t.dialect, arrived)),
        counterexamples: Faults::Sender(&[SenderFault::TimestampMissing]),
    },
    Requirement {
        id: "PAY-4",
        title: "timestamp is RFC 3339 UTC",
        binds: Binds::Sender(Recorded::Shows),
        level: Level::Must,
        check_id: "sender/payload/timestamp-form",
        text: "`timestamp`, where present, is an RFC 3339 date-time in UTC (Z or +00:00).",
        source: "D, R (RFC 3339)",
        why: "Local times and epoch numbers are read wrongly by whoever expects what the documentation shows.",
        scenarios: &[&EVERY_EVENT],
        needs: None,
        check: |_, t| each(t, EVERY_EVENT.name, |arrived| time_form(t.dialect, arrived)),
        counterexamples: Faults::Sender(&[SenderFault::TimestampLocal, SenderFault::TimestampEpoch]),
    },
    Requirement {
        id: "PAY-5",
        title: "timestamp is the event's time",
        binds: Binds::Sender(Recorded::Shows),
        level: Level::Must,
        check_id: "sender/payload/timestamp-value",
        text: "`timestamp` is when the event occurred: not after the request arrived (allowing for clock skew), not \
               before the event was triggered (both allowing for the timestamp's own precision), not before \
               data.createdAt.",
        source: "D",
        why: "A constant, or the time of the record's last change, passes for a time until two events are compared.",
        scenarios: &[&EVERY_EVENT],
        needs: None,
        check: |_, t| each(t, EVERY_EVENT.name, |arrived| time_value(t, arrived)),
        counterexamples: Faults::Sender(&[SenderFault::TimestampStale, SenderFault::TimestampAhead]),
    },
    Requirement {
        id: "PAY-6",
        title: "payload shape",
        binds: Binds::Sender(Recorded::Shows),
        level: Level::Must,
        check_id: "sender/payload/shape",
        text: "The body has the snapshot's shape for its event: members and their JSON types. A further top-level \
               member is reported, and does not fail.",
        source: "D",
        why: "Receivers in typed languages refuse a body in which a member is missing or has another type.",
        scenarios: &[&EVERY_EVENT],
        needs: None,
        check: |_, t| each(t, EVERY_EVENT.name, |arrived| has_shape(t.dialect, arrived)),
        counterexamples: Faults::Sender(&[
            SenderFault::MembersRenamed,
            SenderFault::RecordShapeChanged,
            SenderFault::NullsDropped,
            SenderFault::NumbersAsText,
            SenderFault::TimestampEpoch,
            SenderFault::BodyInArray,
        ]),
    },
];

/// Top-level members that the snapshots do not have: worth knowing, and no failure.
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

/// The cause of a missing member: the other dialect, where its member of the same purpose is there.
fn missing(own: &Dialect, members: &Members, name: fn(&Dialect) -> &'static str) -> Cause {
    let other =
        dialect::ALL.into_iter().find(|other| name(other) != name(own) && members.get(name(other)).is_some());
    match other {
        Some(other) => Cause::detailed(Code::PayloadDialect, other.name),
        None => Cause::detailed(Code::PayloadMember, name(own)),
    }
}

fn event(dialect: &Dialect, arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let (emission, members, key) = (arrived.emitted()?, arrived.members()?, dialect.event_member);
    // Nobody knows which event of recorded traffic happened; its name has a form all the same.
    let expected = match emission {
        Some(emission) => format!("{:?}", emission.event.name.as_str()),
        None => "<object>.<action>".to_owned(),
    };
    let Some(given) = members.get(key) else {
        let message = format!("the body has no member `{key}`");
        let cause = missing(dialect, &members, |dialect| dialect.event_member);
        return Ok(arrived
            .evidence(format!("`{key}`: {expected}"), "no such member", message)
            .because(cause)
            .fail());
    };
    let text = members.text(key);
    let (right, message) = match emission {
        Some(Emission { event, .. }) => (
            text.as_deref() == Some(event.name.as_str()),
            format!("`{key}` is {} where {} happened", given.get(), event.name),
        ),
        None => (
            text.is_some_and(|text| dialect.could_be_named(&EventName::new(text))),
            format!("`{key}` is {}, which does not have the form <object>.<action>", given.get()),
        ),
    };
    if right {
        return Ok(Verdict::Pass);
    }
    let cause = Cause::detailed(Code::PayloadValue, key);
    Ok(arrived.evidence(expected, given.get(), message).because(cause).fail())
}

fn record(dialect: &Dialect, arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let (emission, members) = (arrived.emission()?, arrived.members()?);
    if emission.has_long_numbers {
        return Ok(Verdict::NotApplicable("its numbers are for PAY-7 to judge".to_owned()));
    }
    let key = dialect.content_member(&emission.event.name);
    let Some(given) = members.get(key) else {
        let message = format!("the body has no member `{key}`");
        let cause = missing(dialect, &members, |dialect| dialect.record_member);
        return Ok(arrived
            .evidence(format!("the record in `{key}`"), "no such member", message)
            .because(cause)
            .fail());
    };
    match change(emission, given, key, Concern::Values)? {
        None => Ok(Verdict::Pass),
        Some(change) => Ok(altered(arrived, emission, change)),
    }
}

fn change(
    emission: &Emission,
    given: &RawValue,
    key: &str,
    concern: Concern,
) -> Result<Option<Change>, Verdict> {
    let read = |text: &RawValue| {
        Json::parse(text.get().as_bytes()).map_err(|why| Verdict::Inconclusive(why.to_string()))
    };
    Ok(first_change(&read(&emission.event.record)?, &read(given)?, key, concern))
}

fn altered(arrived: &Arrived<'_>, emission: &Emission, change: Change) -> Verdict {
    let code = if change.actual.is_none() { Code::PayloadMember } else { Code::PayloadValue };
    let actual = change.actual.map_or_else(|| "missing".to_owned(), |value| shortened(&value));
    let expected = shortened(&change.expected);
    let message = format!("`{}` of {} is {actual}, not {expected}", change.path, emission.event.name);
    arrived.evidence(expected, actual, message).because(Cause::detailed(code, change.path)).fail()
}

fn long_numbers(t: &Transcript) -> Verdict {
    let carries = |arrived: &Arrived<'_>| {
        let (emission, members) = (arrived.emission()?, arrived.members()?);
        if !emission.has_long_numbers {
            return Ok(Verdict::NotApplicable("its numbers are those that a double holds".to_owned()));
        }
        let key = t.dialect.content_member(&emission.event.name);
        let given = members.get(key);
        let given = given
            .ok_or_else(|| Verdict::Inconclusive(format!("the body has no member `{key}` (see PAY-2)")))?;
        Ok(match change(emission, given, key, Concern::LongNumbers)? {
            None => Verdict::Pass,
            Some(change) => altered(arrived, emission, change),
        })
    };
    match every_delivery(t, carries) {
        Verdict::NotApplicable(_) => {
            Verdict::Inconclusive("the record with such numbers did not arrive".to_owned())
        }
        verdict => verdict,
    }
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn time_present(dialect: &Dialect, arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let (key, members) = (dialect.time_member, arrived.members()?);
    if members.get(key).is_some() {
        return Ok(Verdict::Pass);
    }
    let cause = missing(dialect, &members, |dialect| dialect.time_member);
    let message = format!("the body has no member `{key}`");
    Ok(arrived.evidence(format!("`{key}`"), "no such member", message).because(cause).fail())
}

fn time_form(dialect: &Dialect, arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let (key, members) = (dialect.time_member, arrived.members()?);
    let Some(given) = members.get(key) else {
        return Ok(Verdict::NotApplicable(format!("the body has no member `{key}`")));
    };
    Ok(if members.text(key).is_some_and(|text| Moment::parse(&text).is_some_and(|moment| moment.is_utc)) {
        Verdict::Pass
    } else {
        let message = format!("`{key}` is {}, which is no RFC 3339 date-time in UTC", given.get());
        let cause = Cause::detailed(Code::PayloadTime, "form");
        arrived.evidence("such as \"2025-02-10T15:30:50Z\"", given.get(), message).because(cause).fail()
    })
}

fn time_value(t: &Transcript, arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let (emission, members) = (arrived.emitted()?, arrived.members()?);
    let key = t.dialect.time_member;
    if members.get(key).is_none() {
        return Ok(Verdict::NotApplicable(format!("the body has no member `{key}`")));
    }
    let moment = members.text(key).and_then(|text| Moment::parse(&text));
    let moment =
        moment.ok_or_else(|| Verdict::Inconclusive(format!("`{key}` is no date-time that can be read")))?;
    let skew = i64::try_from(t.limits.skew.as_millis()).unwrap_or(i64::MAX);
    let ms = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    let latest = ms(arrived.exchange.at_ms);
    // When an event of recorded traffic was triggered nobody knows; its record is the one that arrived.
    let asked_at_ms = emission.map(|emission| emission.asked_at_ms);
    let event = arrived.event_name(t.dialect.event_member);
    let created = match emission {
        Some(emission) => created_at(emission.event.record.get()),
        None => event
            .as_ref()
            .ok()
            .and_then(|event| created_at(members.get(t.dialect.content_member(event))?.get())),
    };
    let (expected, what) = if moment.ms > latest.saturating_add(skew) {
        (format!("not after {}", rfc3339(arrived.exchange.at_ms)), "after the request arrived")
    } else if let Some(asked) = asked_at_ms
        && moment.ms.saturating_add(moment.precision_ms) < ms(asked).saturating_sub(skew)
    {
        (format!("not before {}", rfc3339(asked)), "before the event was triggered")
    } else if created.is_some_and(|created| moment.ms.saturating_add(moment.precision_ms) < created) {
        ("not before the record's createdAt".to_owned(), "before the record was created")
    } else {
        return Ok(Verdict::Pass);
    };
    let given = members.text(key).unwrap_or_default();
    let name = event.map_or_else(|_| "a delivery".to_owned(), |event| event.to_string());
    let message = format!("`{key}` of {name} is {given}, {what}");
    Ok(arrived.evidence(expected, given, message).because(Cause::detailed(Code::PayloadTime, what)).fail())
}

/// `createdAt` of a record, in milliseconds since the epoch, where it has one.
fn created_at(record: &str) -> Option<i64> {
    let text = Members::parse(record.as_bytes()).ok()?.text("createdAt")?;
    Some(Moment::parse(&text)?.ms)
}

/// An RFC 3339 date-time as it was written.
struct Moment {
    /// Milliseconds since the epoch.
    ms: i64,
    /// How much the text leaves open: 1000 where it has no fraction.
    precision_ms: i64,
    /// Whether it says `Z` or `+00:00`.
    is_utc: bool,
}

impl Moment {
    fn parse(text: &str) -> Option<Self> {
        // jiff reads more than RFC 3339 allows; the fixed places of the grammar are checked first.
        let bytes = text.as_bytes();
        let fits = |pattern: &[u8], bytes: &[u8]| {
            bytes.len() == pattern.len()
                && pattern.iter().zip(bytes).all(|(want, byte)| match want {
                    b'0' => byte.is_ascii_digit(),
                    b'T' => byte.eq_ignore_ascii_case(&b'T'),
                    b'+' => matches!(byte, b'+' | b'-'),
                    want => want == byte,
                })
        };
        let (head, rest) = bytes.split_at_checked(19)?;
        let offset_at = rest.iter().position(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-'))?;
        let (fraction, offset) = rest.split_at(offset_at);
        let fraction_fits = fraction.is_empty()
            || (fraction.len() > 1 && fraction[0] == b'.' && fraction[1..].iter().all(u8::is_ascii_digit));
        let zulu = offset.eq_ignore_ascii_case(b"Z");
        if !fits(b"0000-00-00T00:00:00", head) || !fraction_fits || !(zulu || fits(b"+00:00", offset)) {
            return None;
        }
        let time: Timestamp = text.to_ascii_uppercase().parse().ok()?;
        let precision_ms = match fraction.len() {
            0 => 1000,
            2 => 100,
            3 => 10,
            _ => 1,
        };
        Some(Self { ms: time.as_millisecond(), precision_ms, is_utc: zulu || offset == b"+00:00" })
    }
}

/// The differences between a body and its event's snapshot, without the time member's absence, which is for PAY-3.
fn differences(dialect: &Dialect, event: &EventName, body: &[u8]) -> Option<Vec<Difference>> {
    let snapshot = Shape::snapshot(dialect, event)?;
    let body: Value = serde_json::from_slice(body).ok()?;
    let mut differences = snapshot.differences(&Shape::of(&body));
    differences.retain(|difference| !(difference.path == dialect.time_member && difference.actual.is_none()));
    Some(differences)
}

/// Whether a difference is a member more at the top level.
fn is_further(difference: &Difference) -> bool {
    difference.expected.is_none() && !difference.path.contains('.')
}

fn has_shape(dialect: &Dialect, arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let emission = arrived.emitted()?;
    let body = arrived.whole_body()?;
    match Members::parse(body) {
        Err(NotAnObject::NotJson(why)) => {
            return Err(Verdict::Inconclusive(format!("the body is not JSON ({why})")));
        }
        // No event has such a body, whichever it was.
        Err(NotAnObject::OtherType(found)) if emission.is_none() => {
            let message = format!("the body is {found}, not an object");
            let cause = Cause::detailed(Code::PayloadType, "the whole body");
            return Ok(arrived.evidence("an object", found, message).because(cause).fail());
        }
        _ => {}
    }
    let name = &arrived.event_name(dialect.event_member)?;
    if emission.is_some_and(|emission| !emission.is_sample) {
        return Ok(Verdict::NotApplicable("the record is none of the samples".to_owned()));
    }
    let Some(mut differences) = differences(dialect, name, body) else {
        return Ok(Verdict::NotApplicable(format!("there is no snapshot of {name} in this form")));
    };
    differences.retain(|difference| !is_further(difference));
    if emission.is_none() {
        // What a record holds is up to its workspace: custom fields, and nothing in those that are empty.
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
    let message = format!("the body of {name} differs from its snapshot:\n{}", shape::diff(&differences));
    let count = format!("{} difference(s)", differences.len());
    Ok(arrived.evidence("the snapshot's shape", count, message).because(cause).fail())
}
