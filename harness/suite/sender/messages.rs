//! Every sentence that the checks and scenarios of senders say. This file has those of several groups; each group has its own
//! file, in the order of the contract.
//!
//! A finding is a fragment in lower case. Its subject is the delivery or the sender.

mod acknowledgement;
mod delivery;
mod payload;
mod signing;
mod stage;
mod subscription;

pub(super) use self::acknowledgement::*;
pub(super) use self::delivery::*;
pub(super) use self::payload::*;
pub(super) use self::signing::*;
pub(super) use self::stage::*;
pub(super) use self::subscription::*;

use crate::plural::counted;
use crate::webhook::event::EventName;

/// The subject of a finding about one delivery.
pub(super) fn delivery_of(event: Option<&EventName>) -> String {
    event.map_or_else(|| "a delivery".to_owned(), |event| format!("the delivery of {event}"))
}

/// A finding about a delivery over HTTPS, or why there is none.
pub(super) fn over_https(message: &str) -> String {
    format!("over HTTPS, {message}")
}

/// A finding that a generated event or secret shows. `what` says more about it.
pub(super) fn generated(message: &str, property: &str, steps: usize, what: Option<&str>) -> String {
    let shrunk =
        if steps == 0 { String::new() } else { format!(", shrunk in {}", counted(steps, "step", "steps")) };
    let what = what.map(|what| format!(": {what}")).unwrap_or_default();
    format!("{message} (one of the generated {property}{shrunk}{what})")
}

// Why nothing can be judged.

pub(super) fn no_delivery_arrived() -> &'static str {
    "no delivery arrived"
}

pub(super) fn no_event_emitted() -> &'static str {
    "no event could be emitted"
}

pub(super) fn no_webhook_registered() -> &'static str {
    "no webhook could be registered"
}

pub(super) fn record_unknown() -> &'static str {
    "the delivery carries no emitted record"
}

pub(super) fn event_unnamed(member: &str) -> String {
    format!("`{member}` in the body is missing or not text (see PAY-1)")
}

pub(super) fn too_many_values(most: usize) -> String {
    format!("the body has more than {most} JSON values, too many to be parsed")
}

pub(super) fn body_not_kept(kept: usize, length: u64) -> String {
    format!("only {kept} of the body's {length} bytes were kept")
}

pub(super) fn body_cut_by_length() -> &'static str {
    "the body is longer than its declared length (see DLV-1)"
}

/// `coding` is a content coding, such as gzip.
pub(super) fn body_coded(coding: &str) -> String {
    format!("the body has the content coding {coding} (see DLV-3)")
}

/// Why an event may have arrived although no delivery of it was seen.
pub(super) fn perhaps_unreadable(event: &EventName) -> String {
    format!("the delivery of {event} may be among those whose content coding cannot be undone (see DLV-3)")
}

pub(super) fn run_cut_off(event: &EventName) -> String {
    format!("the run was cut off before the delivery of {event} was due")
}

pub(super) fn perhaps_not_kept(event: &EventName) -> String {
    format!("the delivery of {event} may be among the requests that could not be kept (see SUB-2)")
}

// Retries, for SIG-7 and ACK-4.

pub(super) fn all_acknowledged() -> &'static str {
    "no delivery arrived at an endpoint that does not acknowledge"
}

pub(super) fn not_retried(seconds: f64) -> String {
    format!("the sender did not retry within {seconds:.1} s")
}

pub(super) fn no_retry() -> &'static str {
    "no retry arrived"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_depend_on_the_count() {
        let event = EventName::new("person.created");
        for (said, expected) in [
            (delivery_of(None), "a delivery"),
            (delivery_of(Some(&event)), "the delivery of person.created"),
            (delivered_repeatedly(&event, 2), "the delivery of person.created arrived twice at one webhook"),
            (
                delivered_repeatedly(&event, 3),
                "the delivery of person.created arrived 3 times at one webhook",
            ),
            (differences(1), "1 difference"),
            (differences(2), "2 differences"),
            (several_events(0, true), "an array"),
            (several_events(1, true), "an array of 1 event"),
            (several_events(2, false), "2 events"),
            (generated("x", "records", 0, None), "x (one of the generated records)"),
            (generated("x", "records", 1, None), "x (one of the generated records, shrunk in 1 step)"),
            (
                generated("x", "secrets", 2, Some("y")),
                "x (one of the generated secrets, shrunk in 2 steps: y)",
            ),
            (header_count("it", "X", 0, Some("Y")), "it has no X header; the value is in Y"),
            (header_count("it", "X", 2, None), "it has 2 X headers"),
            (
                held_up(&event, None),
                "no delivery of person.created reached a working endpoint while others hang and refuse",
            ),
            (
                value_changed(&event, "data.a", "1", None),
                "the delivery of person.created lacks `data.a`, which is 1",
            ),
            (
                untrusted_accepted(&["has expired", "is self-signed", "is for another host"]),
                "the sender delivers to an HTTPS endpoint whose certificate has expired, is self-signed or is for another \
                 host; an attacker on the network can read its deliveries and acknowledge them",
            ),
        ] {
            assert_eq!(said, expected);
        }
    }
}
