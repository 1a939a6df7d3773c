//! PAY-2, PAY-7 and PAY-8: the record, member by member.

use serde_json::value::RawValue;

use super::member::missing;
use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Binds, Level, Recorded, Requirement, Unrecorded, Verdict};
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::judge::{every_delivery, of_generated};
use crate::suite::sender::messages;
use crate::suite::sender::scenario::events::EVERY_EVENT;
use crate::suite::sender::scenario::generated::GENERATED;
use crate::suite::sender::subscription::missing::{lost, missed_and_repeated};
use crate::suite::transcript::{Emission, Transcript};
use crate::webhook::json::Json;
use crate::webhook::json::difference::{Change, Concern, first_change};

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "PAY-2",
        title: "record unchanged",
        binds: Binds::Sender(Recorded::Cannot(Unrecorded::Record)),
        level: Level::Must,
        check_id: "sender/payload/record",
        text: "`data` is an object that holds the record: every member given comes out equal (text in any script, \
               numbers up to 2^53 compared as numbers, nesting, null, empty values).",
        source: "D",
        why: "The documentation promises \"the same information as if you asked for the record through the API\". A value \
              that changes on the way is wrong in every system that receives it.",
        scenarios: &[&EVERY_EVENT, &GENERATED],
        needs: None,
        check: |requirement, t| every_delivery(requirement, t, record),
        counterexamples: Faults::Sender(&[
            SenderFault::NullsDropped,
            SenderFault::NumbersAsText,
            SenderFault::TextMangled,
            SenderFault::SignsBeforeAscii,
            SenderFault::NestingCutOff,
            SenderFault::BodyInLatin1,
            SenderFault::MembersRenamed,
        ]),
    },
    Requirement {
        id: "PAY-8",
        title: "unusual member names",
        binds: Binds::Sender(Recorded::Cannot(Unrecorded::Record)),
        level: Level::Should,
        check_id: "sender/payload/member-names",
        text: "So do members named `__proto__`, `constructor`, `prototype`, and the empty name.",
        source: "W, S",
        why: "Custom fields have such names. In JavaScript, assigning to a member named `__proto__` sets the prototype \
              of the copy and adds no member; guards against that attack drop all of these names. Some libraries rename \
              or refuse the empty name.",
        scenarios: &[&EVERY_EVENT, &GENERATED],
        needs: None,
        check: |requirement, t| special(requirement, t, Concern::MemberNames),
        counterexamples: Faults::Sender(&[
            SenderFault::UnusualNamesDropped,
            SenderFault::UnusualNamesDroppedAfterSigning,
            SenderFault::EmptyNamesReplaced,
            SenderFault::UnusualRecordsNotSent,
        ]),
    },
    Requirement {
        id: "PAY-7",
        title: "long numbers",
        binds: Binds::Sender(Recorded::Cannot(Unrecorded::Record)),
        level: Level::Should,
        check_id: "sender/payload/long-numbers",
        text: "So does a number beyond 2^53, or with more digits than a double holds.",
        source: "W",
        why: "Amounts in millionths and ids of other systems are such numbers. A parser that reads doubles silently \
              changes their last digits.",
        scenarios: &[&EVERY_EVENT, &GENERATED],
        needs: None,
        check: |requirement, t| special(requirement, t, Concern::LongNumbers),
        counterexamples: Faults::Sender(&[SenderFault::LongNumbersRounded]),
    },
];

fn record(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let dialect = arrived.dialect();
    let (emission, members) = (arrived.emission()?, arrived.members()?);
    if emission.concern != Concern::Values {
        return Ok(Verdict::NotApplicable(messages::judged_elsewhere().to_owned()));
    }
    let key = dialect.content_member(&emission.event.name);
    let Some(given) = members.get(key) else {
        let message = messages::member_missing(&arrived.named(), key);
        let cause = missing(dialect, &members, |dialect| dialect.record_member);
        let expected = messages::record_in(key);
        return Ok(arrived.evidence(expected, messages::no_such_member(), message).because(cause).fail());
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
    let actual = change.actual.as_deref().map(shortened);
    let expected = shortened(&change.expected);
    let message = messages::value_changed(&emission.event.name, &change.path, &expected, actual.as_deref());
    let actual = actual.unwrap_or_else(|| "missing".to_owned());
    arrived.evidence(expected, actual, message).because(Cause::detailed(code, change.path)).fail()
}

/// One verdict on the records with that concern: those that arrived and, unless one of them fails, those that did not.
fn special(requirement: &Requirement, t: &Transcript, concern: Concern) -> Verdict {
    let carries = |arrived: &Arrived<'_>| {
        let (emission, members) = (arrived.emission()?, arrived.members()?);
        if emission.concern != concern {
            return Ok(Verdict::NotApplicable(messages::no_such_values(concern)));
        }
        let key = t.dialect.content_member(&emission.event.name);
        let given = members.get(key);
        let given = given.ok_or_else(|| Verdict::Inconclusive(messages::record_member_missing(key)))?;
        Ok(match change(emission, given, key, concern)? {
            None => Verdict::Pass,
            Some(change) => altered(arrived, emission, change),
        })
    };
    let verdict = match every_delivery(requirement, t, carries) {
        Verdict::NotApplicable(_) => Verdict::Inconclusive(messages::special_not_arrived(concern)),
        verdict => verdict,
    };
    verdict.or_fail(|| {
        let of_concern = |one: &&Emission| one.concern == concern;
        let mut special =
            t.emissions_of(EVERY_EVENT.name).chain(t.emissions_of(GENERATED.name)).filter(of_concern);
        special.find_map(|emission| not_sent(t, emission, concern))
    })
}

/// The failure if the event with such a record never arrived, although others did at the same webhooks.
fn not_sent(t: &Transcript, emission: &Emission, concern: Concern) -> Option<Verdict> {
    let missed = missed_and_repeated(t, emission).0;
    let gets_others = |webhook: &usize| t.arrivals.iter().any(|arrival| arrival.webhook == Some(*webhook));
    if emission.unsupported.is_some() || !missed.iter().any(gets_others) {
        return None;
    }
    let message = messages::special_not_sent(&emission.event.name, concern);
    match lost(t, emission, message) {
        Verdict::Fail(evidence) => {
            let cause = Cause::detailed(Code::PayloadMember, messages::special_records(concern));
            Some(of_generated(t, evidence.because(cause), emission).fail())
        }
        _ => None,
    }
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
