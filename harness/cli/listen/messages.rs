//! What `listen` says apart from its deliveries and its summary: what failed, what it waits for, and answers to keys.

use std::time::Duration;

use crate::plural::counted;
use crate::wire::client::forwarding::Forwarded;

/// The first delivery that was not taken by where it was forwarded to.
pub(super) fn not_forwarded(url: &str, forwarded: &Forwarded, why: &str) -> String {
    let fix = match forwarded {
        Forwarded::Answered(404 | 405) => {
            "is this the path that takes deliveries? Give the whole URL with --forward"
        }
        Forwarded::Answered(_) => "see what your receiver says of it",
        Forwarded::Lost(_) => "is your receiver running there? --forward names another URL",
    };
    format!("forwarding to {url} failed: {why}; {fix}")
}

/// A condition that no event of Twenty meets.
pub(super) fn no_such_event(pattern: &str, actions: &[&str], nearest: Option<&str>) -> String {
    let nearest = nearest.map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default();
    format!("no event of Twenty is named {pattern}: names end in .{}{nearest}", actions.join(", ."))
}

/// The keys, where there is a terminal.
pub(super) fn keys(forwards: bool) -> String {
    let again = if forwards { "r sends the last delivery to --forward again, " } else { "" };
    format!("keys: {again}v shows the last delivery, q ends")
}

pub(super) fn waiting_for(conditions: &str) -> String {
    format!("waiting for a delivery with {conditions}")
}

/// What is said after a time-out of --wait-for.
pub(super) fn did_not_come(conditions: &str, within: Duration, instead: &str) -> String {
    format!("no delivery with {conditions} came within {within:.1?}; {instead}")
}

/// What arrived instead: the names of events, with how often.
pub(super) fn came_instead<'a>(events: impl Iterator<Item = (&'a str, u64)>, strays: u64) -> String {
    let events: Vec<String> = events.map(|(name, count)| format!("{name} ({count})")).collect();
    let came = if events.is_empty() {
        "no delivery came at all".to_owned()
    } else {
        format!("instead came {}", events.join(", "))
    };
    match strays {
        0 => came,
        _ => format!("{came}; {} passed over", counted(strays, "other request was", "other requests were")),
    }
}

/// The end of --until-covered, --once or --count by its time limit.
pub(super) fn timed_out(within: Duration) -> String {
    format!("--timeout {within:?} is over before all that is waited for has come")
}

pub(super) fn no_delivery_yet() -> &'static str {
    "no delivery has come yet"
}

/// The answer to the key that sends a delivery again.
pub(super) fn nowhere_to_send() -> &'static str {
    "there is nowhere to send it: start listen with --forward URL"
}

/// A delivery was sent again.
pub(super) fn sent_again(number: usize, outcome: &str, took: Duration) -> String {
    format!("#{number} sent again: {outcome}, {:.0} ms", took.as_secs_f64() * 1000.0)
}

/// A delivery that is sent again long after it was signed.
pub(super) fn sends_old(number: usize, age_ms: u64) -> String {
    format!("#{number} was signed {} minutes ago: a receiver that checks the age rejects it", age_ms / 60_000)
}

/// Lines on stdout that no one has read before the end.
pub(super) fn not_printed(count: u64) -> String {
    format!("{} not printed: no one reads stdout", counted(count, "line was", "lines were"))
}

/// Why nothing can be printed.
pub(super) fn no_thread(why: &std::io::Error) -> String {
    format!("cannot start the thread that prints: {why}")
}
