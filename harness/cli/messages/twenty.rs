//! What `sender --twenty` and `doctor --twenty` say on the command line.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use crate::api::sender::twenty::Amounts;
use crate::plural::counted;

pub(crate) fn key_is_missing() -> &'static str {
    "the API key is missing; make one in Twenty's settings, under APIs & Webhooks, and give --api-key-file FILE or TWENTY_API_KEY"
}

/// The key is not shown.
pub(crate) fn key_is_no_token(file: Option<&Path>) -> String {
    let place = file.map_or_else(|| "that is given".to_owned(), |file| format!("in {}", file.display()));
    format!(
        "the API key {place} has a blank, a line break or another character that no key has; write the key alone"
    )
}

/// Twenty has one form of payloads.
pub(crate) fn sends_shipped() -> &'static str {
    "a Twenty sends the dialect shipped, not the one of its documentation; leave out --dialect, or give --dialect shipped"
}

pub(crate) fn rehearsing() -> &'static str {
    "rehearsing the run without a call; this takes a few seconds"
}

/// Before a run: what it does at this URL.
pub(crate) fn announcement(
    url: &str,
    (calls, per_minute, at_least): (usize, usize, Duration),
    made: &Amounts,
) -> String {
    let Amounts { webhooks, records, objects } = *made;
    let made = [
        (webhooks, counted(webhooks as u64, "webhook", "webhooks")),
        (records, counted(records as u64, "record", "records")),
        (objects, counted(objects as u64, "custom object", "custom objects")),
    ];
    let made: Vec<String> = made.into_iter().filter(|(count, _)| *count > 0).map(|(_, text)| text).collect();
    format!(
        "the run makes about {} of Twenty's API at {url}, which takes {} at {per_minute} calls per minute; it makes {} there, all \
         marked, and removes them at its end",
        counted(calls as u64, "call", "calls"),
        time(at_least),
        if made.is_empty() { "nothing".to_owned() } else { made.join(", ") },
    )
}

/// A time in whole minutes, as a lower bound.
fn time(at_least: Duration) -> String {
    match at_least.as_secs() / 60 {
        0 => "less than a minute".to_owned(),
        minutes => format!("at least {minutes} min"),
    }
}

/// At the end of a run. `command` are the words of an interrupted run, if a shell can pass them.
pub(crate) fn removing(count: usize, interrupted: Option<Option<&str>>) -> String {
    let things = counted(count as u64, "thing that the run made", "things that the run made");
    match interrupted {
        None => format!("removing {things}"),
        Some(command) => format!(
            "interrupted; removing {things}. A second Ctrl-C leaves them there; {}",
            clean_up_with(command)
        ),
    }
}

pub(crate) fn removing_leftovers(count: usize) -> String {
    let things = counted(count as u64, "thing that a run left", "things that runs left");
    format!("removing {things}; the rate limit may make this take minutes")
}

/// `words` attach the Twenty again.
pub(crate) fn clean_up_with(words: Option<&str>) -> String {
    let words = words.unwrap_or("sender --twenty URL --api-key-file FILE");
    format!("to remove what is left: twenty-conform {words} --cleanup")
}

/// A note in the report. `why` says what is left.
pub(crate) fn not_removed(why: &str, words: Option<&str>) -> String {
    format!("{why}; {}", clean_up_with(words))
}

pub(crate) fn removed(what: impl Display) -> String {
    format!("removed {what}")
}

pub(crate) fn would_remove(what: impl Display) -> String {
    format!("would remove {what}")
}

pub(crate) fn nothing_left() -> &'static str {
    "nothing is left of earlier runs in this Twenty"
}

pub(crate) fn cleanup_interrupted() -> &'static str {
    "interrupted; what is not removed yet is still there, and the same command removes it"
}

/// After the announcement.
pub(crate) fn time_is_short() -> &'static str {
    "warning: that is longer than --max-time; what is not tried by then is inconclusive"
}

pub(crate) fn interrupted_before_start() -> &'static str {
    "interrupted before the first call; nothing was made in Twenty"
}

/// `option` is about a Twenty, and another program is given.
pub(crate) fn needs_twenty(option: &str) -> String {
    format!("{option} is for a Twenty; give --twenty URL, or leave out {option}")
}
