//! SUB: which events reach which webhook.

use std::time::Duration;

use crate::suite::messages::times_in_words;
use crate::webhook::event::EventName;

pub(crate) fn cannot_emit(event: &EventName, reason: &str) -> String {
    format!("the sender cannot emit {event}: {reason}")
}

pub(crate) fn nothing_within(seconds: f64) -> String {
    format!("nothing within {seconds:.1} s")
}

// SUB-1

pub(crate) fn first_event_missed(event: &EventName) -> String {
    format!("no delivery of {event}, the first event after the registration, arrived")
}

pub(crate) fn first_event_missed_while_settling(event: &EventName, settle_ms: u128) -> String {
    first_event_missed(event)
        + &format!("; the sender asks for {settle_ms} ms until a registration is in force")
}

pub(crate) fn in_force_after(event: &EventName, time: Duration) -> String {
    let seconds = time.as_secs_f64();
    first_event_missed(event)
        + &format!("; the first that arrived was emitted {seconds:.1} s after a registration")
}

// SUB-2

pub(crate) fn too_many_requests(requests: u64, events: usize) -> String {
    format!("{requests} requests reached one webhook, for {events} events")
}

pub(crate) fn requests_not_kept(kept: u64, requests: u64) -> String {
    format!("only {kept} of {requests} requests could be kept")
}

pub(crate) fn once_at_each_webhook() -> &'static str {
    "once at each webhook"
}

pub(crate) fn delivered_repeatedly(event: &EventName, count: usize) -> String {
    format!("the delivery of {event} arrived {} at one webhook", times_in_words(count))
}

pub(crate) fn webhooks_left_out(event: &EventName, missed: usize, webhooks: usize) -> String {
    format!("the delivery of {event} did not reach {missed} of {webhooks} webhooks")
}

// SUB-3

pub(crate) fn no_webhook_deleted() -> &'static str {
    "no webhook could be deleted"
}

pub(crate) fn nothing_after_deletion() -> &'static str {
    "nothing was emitted after the deletion"
}

pub(crate) fn delivered_after_deletion(event: &EventName, until: Option<Duration>) -> String {
    let reached = format!("the delivery of {event} reached a webhook that had been deleted before the event");
    let until = until.map(|time| format!("; so did events until {:.1} s after it", time.as_secs_f64()));
    reached + &until.unwrap_or_default()
}

pub(crate) fn missed_remaining(event: &EventName) -> String {
    format!("no delivery of {event} reached the remaining webhook either")
}

// SUB-4

pub(crate) fn not_delivered(event: &EventName) -> String {
    format!("no delivery of {event} arrived")
}

// SUB-5

pub(crate) fn no_filter_registered() -> &'static str {
    "no webhook with a filter could be registered"
}

pub(crate) fn filter_ignored(event: &EventName, filter: &str) -> String {
    format!("the delivery of {event} reached a webhook with the filter {filter}")
}

pub(crate) fn filter_too_strict(event: &EventName, filter: &str) -> String {
    format!("no delivery of {event} reached a webhook with the filter {filter}")
}

pub(crate) fn missed_unfiltered(event: &EventName) -> String {
    format!("no delivery of {event} reached the webhook without a filter either")
}
