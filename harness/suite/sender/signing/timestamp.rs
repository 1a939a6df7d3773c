//! SIG-5: the timestamp header is the time of sending.

use super::signed::{shown, single};
use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Binds, Level, Recorded, Requirement, Verdict};
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::judge::every_delivery;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::events::EVERY_EVENT;
use crate::webhook::dialect::rfc3339;
use crate::webhook::signature::TIMESTAMP_HEADER;

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[Requirement {
    id: "SIG-5",
    title: "timestamp in milliseconds",
    binds: Binds::Sender(Recorded::ShowsWithSecret),
    level: Level::Should,
    check_id: "sender/signing/timestamp-form",
    text: "The timestamp header is decimal milliseconds since the epoch, within the skew allowance of the send \
           time.",
    source: "D (sample), S",
    why: "Receivers compare it with their own clock to reject replays.",
    scenarios: &[&EVERY_EVENT],
    needs: None,
    check: |requirement, t| every_delivery(requirement, t, timestamp_form),
    counterexamples: Faults::Sender(&[
        SenderFault::TimestampHeaderSeconds,
        SenderFault::TimestampHeaderIso,
        SenderFault::TimestampHeaderStale,
    ]),
}];

fn timestamp_form(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let limits = arrived.transcript.limits;
    let timestamp = single(arrived, TIMESTAMP_HEADER)?;
    let at_ms = arrived.exchange.at_ms;
    let digits =
        std::str::from_utf8(timestamp).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let ms: Option<u64> = digits.and_then(|digits| digits.parse().ok());
    let skew = u64::try_from(limits.skew.as_millis()).unwrap_or(u64::MAX);
    // A delivery may wait in a queue after it is signed, but not longer than the deadline.
    let wait = u64::try_from(limits.deadline.as_millis()).unwrap_or(u64::MAX);
    let near =
        |ms: u64| ms <= at_ms.saturating_add(skew) && ms >= at_ms.saturating_sub(skew.saturating_add(wait));
    let (detail, words) = match ms {
        Some(ms) if near(ms) => return Ok(Verdict::Pass),
        Some(ms) if near(ms.saturating_mul(1000)) => ("seconds", "in seconds"),
        Some(ms) if near(ms / 1000) => ("microseconds", "in microseconds"),
        Some(_) => (messages::not_time_of_sending(), messages::not_time_of_sending()),
        None => ("not decimal digits", messages::not_decimal()),
    };
    let message = messages::wrong_timestamp(&arrived.named(), &shown(timestamp), words);
    let cause = Cause::detailed(Code::HeaderTimestampFormat, detail);
    let expected = messages::milliseconds_near(at_ms, &rfc3339(at_ms));
    Ok(arrived.evidence(expected, shown(timestamp), message).because(cause).fail())
}
