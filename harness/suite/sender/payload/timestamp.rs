//! PAY-3, PAY-4 and PAY-5: the time of the event in the body.

use jiff::Timestamp;

use super::member::missing;
use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Binds, Level, Recorded, Requirement, Verdict};
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::judge::every_delivery;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::events::EVERY_EVENT;
use crate::webhook::dialect::rfc3339;

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "PAY-3",
        title: "timestamp present",
        binds: Binds::Sender(Recorded::Shows),
        level: Level::Should,
        check_id: "sender/payload/timestamp-present",
        text: "`timestamp` is present.",
        source: "D",
        why: "Without it a receiver cannot tell in which order two updates of a record happened.",
        scenarios: &[&EVERY_EVENT],
        needs: None,
        check: |requirement, t| every_delivery(requirement, t, time_present),
        counterexamples: Faults::Sender(&[SenderFault::TimestampMissing]),
    },
    Requirement {
        id: "PAY-4",
        title: "timestamp is RFC 3339 UTC",
        binds: Binds::Sender(Recorded::Shows),
        level: Level::Must,
        check_id: "sender/payload/timestamp-form",
        text: "`timestamp`, where present, is an RFC 3339 date-time in UTC (`Z` or `+00:00`).",
        source: "D, R",
        why: "Receivers that expect the documented form misread local times and epoch numbers.",
        scenarios: &[&EVERY_EVENT],
        needs: None,
        check: |requirement, t| every_delivery(requirement, t, time_form),
        counterexamples: Faults::Sender(&[SenderFault::TimestampLocal, SenderFault::TimestampEpoch]),
    },
    Requirement {
        id: "PAY-5",
        title: "timestamp is the event's time",
        binds: Binds::Sender(Recorded::Shows),
        level: Level::Must,
        check_id: "sender/payload/timestamp-value",
        text: "`timestamp` is when the event occurred: not after the request arrived (allowing for clock skew), not \
               before the event was triggered (both allowing for the timestamp's own precision). `createdAt` says \
               nothing here: API clients may set it.",
        source: "D",
        why: "A constant, or the time of the record's last change, looks right until two events are compared.",
        scenarios: &[&EVERY_EVENT],
        needs: None,
        check: |requirement, t| every_delivery(requirement, t, time_value),
        counterexamples: Faults::Sender(&[SenderFault::TimestampStale, SenderFault::TimestampAhead]),
    },
];

fn time_present(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let dialect = arrived.dialect();
    let (key, members) = (dialect.time_member, arrived.members()?);
    if members.get(key).is_some() {
        return Ok(Verdict::Pass);
    }
    let cause = missing(dialect, &members, |dialect| dialect.time_member);
    let message = messages::member_missing(&arrived.named(), key);
    Ok(arrived.evidence(format!("`{key}`"), messages::no_such_member(), message).because(cause).fail())
}

fn time_form(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let dialect = arrived.dialect();
    let (key, members) = (dialect.time_member, arrived.members()?);
    let Some(given) = members.get(key) else {
        return Ok(Verdict::NotApplicable(messages::body_lacks_member(key)));
    };
    Ok(
        if members.text(key).is_some_and(|text| WrittenTime::parse(&text).is_some_and(|moment| moment.is_utc))
        {
            Verdict::Pass
        } else {
            let message = messages::not_rfc3339(&arrived.named(), key, given.get());
            let cause = Cause::detailed(Code::PayloadTime, "form");
            arrived.evidence(messages::rfc3339_in_utc(), given.get(), message).because(cause).fail()
        },
    )
}

fn time_value(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let t = arrived.transcript;
    let (emission, members) = (arrived.emitted()?, arrived.members()?);
    let key = t.dialect.time_member;
    if members.get(key).is_none() {
        return Ok(Verdict::NotApplicable(messages::body_lacks_member(key)));
    }
    let moment = members.text(key).and_then(|text| WrittenTime::parse(&text));
    let moment = moment.ok_or_else(|| Verdict::Inconclusive(messages::time_unreadable(key)))?;
    let skew = i64::try_from(t.limits.skew.as_millis()).unwrap_or(i64::MAX);
    let ms = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    let latest = ms(arrived.exchange.at_ms);
    // Not known of recorded traffic.
    let asked_at_ms = emission.map(|emission| emission.asked_at_ms);
    let (expected, what) = if moment.ms > latest.saturating_add(skew) {
        (messages::not_after(&rfc3339(arrived.exchange.at_ms)), messages::after_arrival())
    } else if let Some(asked) = asked_at_ms
        && moment.ms.saturating_add(moment.precision_ms) < ms(asked).saturating_sub(skew)
    {
        (messages::not_before(&rfc3339(asked)), messages::before_event())
    } else {
        return Ok(Verdict::Pass);
    };
    let given = members.text(key).unwrap_or_default();
    let message = messages::wrong_time(&arrived.named(), key, &given, what);
    Ok(arrived.evidence(expected, given, message).because(Cause::detailed(Code::PayloadTime, what)).fail())
}

/// An RFC 3339 date-time as it was written.
struct WrittenTime {
    /// Milliseconds since the epoch.
    ms: i64,
    /// How much the text leaves open: 1000 if it has no fraction.
    precision_ms: i64,
    /// Whether it says `Z` or `+00:00`.
    is_utc: bool,
}

impl WrittenTime {
    fn parse(text: &str) -> Option<Self> {
        // jiff accepts more than RFC 3339 allows, so the fixed characters of the grammar are checked first.
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
