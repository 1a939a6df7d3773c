//! What an examination of the surroundings says, in the order of its rows: what was seen, then the fix.

use std::time::Duration;

use crate::plural::counted;
use crate::wire::exchange::Outcome;

pub(super) mod passage;
pub(super) mod reached;
pub(super) mod routed;
pub(super) mod workspace;

/// A duration in milliseconds, or in seconds if it is long.
pub(super) fn time(took: Duration) -> String {
    let ms = took.as_secs_f64() * 1000.0;
    match ms {
        ..10.0 => format!("{ms:.1} ms"),
        ..1000.0 => format!("{ms:.0} ms"),
        _ => format!("{:.1} s", ms / 1000.0),
    }
}

/// A size, in the unit that is readable.
pub(super) fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}

pub(super) fn wait_longer() -> String {
    "wait longer with --timeout and --max-time, or find out what is slow".to_owned()
}

// Forms of deliveries.

pub(super) fn text_delivery() -> &'static str {
    "a valid delivery with characters beyond ASCII"
}

pub(super) fn text_arrives() -> &'static str {
    "characters beyond ASCII arrive: that delivery is accepted too"
}

pub(super) fn measure_text() -> String {
    "the receiver, or something that rewrites bodies before it: measure the latter with `doctor --through URL --listen-on PORT`".to_owned()
}

pub(super) fn chunked_delivery() -> &'static str {
    "a valid delivery in chunks"
}

pub(super) fn chunks_arrive() -> &'static str {
    "a delivery in chunks is accepted too"
}

pub(super) fn allow_chunks() -> String {
    "allow Transfer-Encoding: chunked in the server and in what is before it (WSGI servers and old proxies drop such bodies)".to_owned()
}

pub(super) fn expecting_delivery() -> &'static str {
    "a valid delivery with Expect: 100-continue"
}

pub(super) fn plain_rejected_too(what: &str) -> String {
    format!("{what} is answered like the plain one, which is not accepted")
}

pub(super) fn differs(what: &str, outcome: &Outcome, plain: Option<&Outcome>) -> String {
    let plain = plain.map(|plain| format!("; the plain one: {plain}")).unwrap_or_default();
    format!("{what}: {outcome}{plain}")
}

pub(super) fn continued() -> &'static str {
    "100 Continue is sent when it is asked for"
}

pub(super) fn never_continued(took: Duration) -> String {
    format!(
        "100 Continue is never sent, so that a client that waits for it loses time (answered after {})",
        time(took)
    )
}

pub(super) fn answered_before_body() -> &'static str {
    "Expect: 100-continue is answered before the body is sent"
}

pub(super) fn answer_expect() -> String {
    "have the server, or what is before it, answer Expect: 100-continue; curl sends it with large bodies"
        .to_owned()
}

pub(super) fn kept() -> &'static str {
    "two deliveries passed over one connection"
}

pub(super) fn kept_and_closed(outcome: &Outcome) -> String {
    format!("the second delivery on a connection was lost: {outcome}")
}

pub(super) fn closes_each() -> &'static str {
    "the connection is closed after each answer, which says so"
}

pub(super) fn closed_at_once() -> &'static str {
    "the connection is closed after an answer that does not say so"
}

pub(super) fn say_close() -> String {
    "send Connection: close in answers if the server does not keep connections; otherwise deliveries are lost at random".to_owned()
}

pub(super) fn version(minor: u8) -> String {
    format!("answers are HTTP/1.{minor}")
}

pub(super) fn versions_differ() -> &'static str {
    "some answers are HTTP/1.0, others HTTP/1.1"
}

pub(super) fn use_http_11() -> String {
    "serve HTTP/1.1: with 1.0 there are no chunks and no 100 Continue (nginx: proxy_http_version 1.1)"
        .to_owned()
}

// Sizes.

fn usual(bytes: usize) -> String {
    format!("the samples of Twenty's events have up to {bytes} bytes")
}

pub(super) fn sizes_pass(largest: usize, usual_size: usize, is_accepted: bool) -> String {
    let largest = size(largest);
    if is_accepted {
        format!("bodies up to {largest} are accepted; {}", usual(usual_size))
    } else {
        format!("bodies up to {largest} are answered like the plain one, which is not accepted")
    }
}

pub(super) fn no_time_for_larger(told: &str) -> String {
    format!("{told}; there was no time for larger ones")
}

/// What happens to a body of this size, and the server that says so if small ones are answered by another.
pub(super) fn size_stops(
    (bytes, outcome, by): (usize, &Outcome, Option<String>),
    plain: u16,
    largest: Option<usize>,
    usual_size: usize,
) -> String {
    let passed = largest.map_or_else(
        || "only small bodies pass".to_owned(),
        |largest| format!("bodies of {} pass", size(largest)),
    );
    let by = by.map(|by| format!(" by Server: {by}")).unwrap_or_default();
    format!("{passed}; of {}: {outcome}{by} (a small one: {plain}); {}", size(bytes), usual(usual_size))
}

pub(super) fn raise_limit(bytes: usize) -> String {
    format!(
        "raise the limit of bodies beyond {}, in the receiver and in what is before it (nginx: client_max_body_size; Express: \
         the option limit, 100kb by default)",
        size(bytes.max(1_048_576))
    )
}

// The clock.

/// `middle` is the difference, `least` what it is at least, both in milliseconds.
pub(super) fn difference(middle: i64, least: i64) -> String {
    let way = if middle < 0 { "back" } else { "ahead" };
    let seconds = middle.unsigned_abs() / 1000;
    match (least, seconds) {
        (..1000, _) => "no difference beyond two seconds".to_owned(),
        (_, ..120) => format!("{} {way}", counted(seconds, "second", "seconds")),
        (_, ..7200) => format!("{} {way}", counted(seconds / 60, "minute", "minutes")),
        _ => format!("{} h {} min {way}", seconds / 3600, seconds % 3600 / 60),
    }
}

pub(super) fn clock_agrees(difference: &str, answers: usize) -> String {
    format!("Date in {}: {difference}", counted(answers, "answer", "answers"))
}

pub(super) fn clock_is_off(difference: &str) -> String {
    format!(
        "Date differs from this machine's clock ({difference}); deliveries may be 5 minutes off. A proxy may have set it"
    )
}

pub(super) fn clock_is_out(difference: &str) -> String {
    format!(
        "Date differs from this machine's clock ({difference}), more than the 5 minutes that a delivery may be off. A proxy may have set it"
    )
}

pub(super) fn clock_of_another(difference: &str) -> String {
    format!(
        "Date differs from this machine's clock ({difference}), but a delivery dated now is accepted: another program sets it, or timestamps \
         are not checked"
    )
}

pub(super) fn set_clock() -> String {
    "set both clocks by NTP, and check the time zone and the clock of the virtual machine or container"
        .to_owned()
}

pub(super) fn no_date() -> &'static str {
    "no answer has a Date"
}

pub(super) fn date_unreadable() -> &'static str {
    "the Date of answers is not a date of HTTP"
}

pub(super) fn dates_contradict(answers: usize) -> String {
    format!("the Dates of {answers} answers contradict each other: several programs answer, or a cache does")
}
