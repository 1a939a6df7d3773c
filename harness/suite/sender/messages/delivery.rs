//! DLV: the request that carries an event.

use std::fmt;

use crate::plural::counted;
use crate::webhook::event::EventName;

// DLV-1

pub(crate) fn wrong_method(delivery: &str, method: &str) -> String {
    format!("{delivery} was sent with {method}, not POST")
}

/// `more` is how many others there were.
pub(crate) fn broken_request(what: &str, more: usize) -> String {
    let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
    format!("what reached the endpoint is not a complete HTTP request: {what}{more}")
}

pub(crate) fn not_complete() -> &'static str {
    "not a complete request"
}

// DLV-2

pub(crate) fn wrong_url(delivery: &str, actual: &str, expected: &str) -> String {
    format!("{delivery} went to {actual}, not to {expected}")
}

pub(crate) fn https_request() -> &'static str {
    "a request to the https URL"
}

pub(crate) fn url_not_reached(event: &EventName, instead: &str) -> String {
    format!("no delivery of {event} reached the registered URL: {instead}")
}

/// The detail of a cause.
pub(crate) fn http_instead_of_https() -> &'static str {
    "http instead of https"
}

pub(crate) fn no_connection() -> &'static str {
    "the sender did not connect"
}

// DLV-3

pub(crate) fn one_json_text() -> &'static str {
    "one JSON text in UTF-8"
}

pub(crate) fn wrong_body(delivery: &str, actual: &str) -> String {
    format!("{delivery} has a body that is {actual}")
}

pub(crate) fn body_length(length: u64) -> String {
    format!("{length} bytes long")
}

pub(crate) fn after_byte_order_mark() -> &'static str {
    "preceded by a byte-order mark"
}

pub(crate) fn not_utf8(why: impl fmt::Display) -> String {
    format!("not UTF-8 ({why})")
}

pub(crate) fn not_json(why: impl fmt::Display) -> String {
    format!("not JSON ({why})")
}

// DLV-4

pub(crate) fn wrong_content_type(delivery: &str, declared: Option<&str>) -> String {
    match declared {
        Some(declared) => format!("{delivery} declares the content type {declared}"),
        None => format!("{delivery} declares no content type"),
    }
}

// DLV-5

pub(crate) fn several_events(count: usize, is_array: bool) -> String {
    let events = counted(count, "event", "events");
    match (is_array, count) {
        (true, 0) => "an array".to_owned(),
        (true, _) => format!("an array of {events}"),
        (false, _) => events,
    }
}

pub(crate) fn events_batched(actual: &str) -> String {
    format!("one request carries {actual}")
}

// DLV-6

pub(crate) fn delivered_late(event: &EventName, took_ms: u64) -> String {
    format!("the delivery of {event} started {took_ms} ms after the event")
}

pub(crate) fn within_ms(deadline: impl fmt::Display) -> String {
    format!("within {deadline} ms")
}

// DLV-7

pub(crate) fn no_hanging_webhook() -> &'static str {
    "no webhook could be registered at an endpoint that hangs"
}

pub(crate) fn hanging_not_reached() -> &'static str {
    "no delivery reached the endpoint that hangs"
}

pub(crate) fn late_without_trouble() -> &'static str {
    "deliveries are late even when every endpoint works (see DLV-6)"
}

/// After how long a delivery started; `None` if it never did.
pub(crate) fn started_after(took_ms: Option<u64>) -> String {
    took_ms.map_or_else(|| "not at all".to_owned(), |took| format!("after {took} ms"))
}

/// The detail of a cause.
pub(crate) fn other_endpoints() -> &'static str {
    "by other endpoints that hang or refuse"
}

pub(crate) fn held_up(event: &EventName, took_ms: Option<u64>) -> String {
    match took_ms {
        Some(took) => format!(
            "the delivery of {event} reached a working endpoint only after {took} ms, while others hang and refuse"
        ),
        None => format!("no delivery of {event} reached a working endpoint while others hang and refuse"),
    }
}

// DLV-8

pub(crate) fn on_new_connection() -> &'static str {
    "delivered on a new connection"
}

pub(crate) fn lost_on_stale_connection(event: &EventName, was_reset: bool) -> String {
    let end = if was_reset { "reset" } else { "closed" };
    format!(
        "the delivery of {event} did not arrive: the endpoint had {end} the idle connection of the delivery before it"
    )
}

pub(crate) fn missed_elsewhere(event: &EventName) -> String {
    format!("the delivery of {event} did not arrive in time at the endpoint that works either")
}

// DLV-3: content codings

pub(crate) fn content_coding(coding: &str) -> String {
    format!("the content coding {coding}")
}

/// `fits` says whether the signature is that of the text.
pub(crate) fn coded_body(delivery: &str, coding: &str, fits: bool) -> String {
    let signed = if fits { "; its signature fits the uncompressed text" } else { "" };
    format!("{delivery} has a body with Content-Encoding {coding}{signed}")
}

pub(crate) fn body_is_coded(coding: &str) -> String {
    format!("the body has the content coding {coding} (see DLV-3)")
}

pub(crate) fn perhaps_unread(event: &EventName, coding: &str) -> String {
    format!(
        "the delivery of {event} may have arrived with the content coding {coding}, which is not decoded (see DLV-3)"
    )
}
