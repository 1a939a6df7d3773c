//! PAY-1: the event's name.

use super::member::missing;
use crate::peers::fault::{Faults, SenderFault};
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Binds, Level, Recorded, Requirement, Verdict};
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::judge::every_delivery;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::events::EVERY_EVENT;
use crate::suite::sender::scenario::generated::GENERATED;
use crate::suite::transcript::Emission;
use crate::webhook::event::EventName;

/// The requirements of this group, in the order of the contract.
pub const ALL: &[Requirement] = &[Requirement {
    id: "PAY-1",
    title: "event name",
    binds: Binds::Sender(Recorded::Shows),
    level: Level::Must,
    check_id: "sender/payload/event",
    text: "`event` is text of the form `<object>.<action>`, naming the event that happened.",
    source: "D",
    why: "Receivers route by it.",
    scenarios: &[&EVERY_EVENT, &GENERATED],
    needs: None,
    check: |requirement, t| every_delivery(requirement, t, event),
    counterexamples: Faults::Sender(&[SenderFault::EventNameUppercase, SenderFault::EventNameWrong]),
}];

fn event(arrived: &Arrived<'_>) -> Result<Verdict, Verdict> {
    let dialect = arrived.dialect();
    let (emission, members, key) = (arrived.emitted()?, arrived.members()?, dialect.event_member);
    // Which event happened is not known of recorded traffic, but its name has a form.
    let expected = match emission {
        Some(emission) => format!("{:?}", emission.event.name.as_str()),
        None => "<object>.<action>".to_owned(),
    };
    let Some(given) = members.get(key) else {
        let message = messages::member_missing(&arrived.named(), key);
        let cause = missing(dialect, &members, |dialect| dialect.event_member);
        let expected = messages::member_with(key, &expected);
        return Ok(arrived.evidence(expected, messages::no_such_member(), message).because(cause).fail());
    };
    let text = members.text(key);
    let right = match emission {
        Some(Emission { event, .. }) => text.as_deref() == Some(event.name.as_str()),
        None => text.is_some_and(|text| dialect.could_be_named(&EventName::new(text))),
    };
    if right {
        return Ok(Verdict::Pass);
    }
    let message = match emission {
        Some(Emission { event, .. }) => messages::wrong_event(&event.name, key, given.get()),
        None => messages::malformed_event(&arrived.named(), key, given.get()),
    };
    let cause = Cause::detailed(Code::PayloadValue, key);
    Ok(arrived.evidence(expected, given.get(), message).because(cause).fail())
}
