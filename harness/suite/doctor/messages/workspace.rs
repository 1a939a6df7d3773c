//! What an examination of a Twenty says, in the order of its rows: what was seen, then the fix.

use std::time::Duration;

use super::time;
use crate::plural::counted;

pub(in super::super) fn version(version: &str) -> String {
    format!("Twenty {version} answers")
}

pub(in super::super) fn version_unknown() -> &'static str {
    "a Twenty answers, and does not tell its version"
}

pub(in super::super) fn key_is_good() -> &'static str {
    "the key is accepted and may see webhooks"
}

pub(in super::super) fn object_is_made() -> &'static str {
    "the key may make a custom object, which can hold any record"
}

pub(in super::super) fn no_object(why: &str) -> String {
    format!("no custom object can be made, so generated records are not tested: {why}")
}

pub(in super::super) fn allow_objects() -> String {
    "allow the role of the key the Data Model, in Twenty under Settings, Roles; or run without".to_owned()
}

pub(in super::super) fn not_driven(why: &str) -> String {
    format!("a webhook or a record cannot be made or changed: {why}")
}

pub(in super::super) fn read_log() -> String {
    "do what it says; the log of Twenty's server may say more".to_owned()
}

/// `route` is the call that restored the record.
pub(in super::super) fn routes(route: &str) -> String {
    format!("a webhook and a record are made, changed, deleted and restored ({route})")
}

pub(in super::super) fn not_restored(why: &str) -> String {
    format!("a record cannot be deleted and restored, so those events are not tested: {why}")
}

pub(in super::super) fn upgrade() -> String {
    "allow the role of the key to delete records; if this version has no such route, upgrade Twenty"
        .to_owned()
}

pub(in super::super) fn nothing_emitted() -> &'static str {
    "nothing was emitted, so nothing could arrive"
}

/// `after` is the time since the registration, in which this number of events was emitted.
pub(in super::super) fn arrives(url: &str, after: Duration, events: usize) -> String {
    let later = match events {
        0..=1 => String::new(),
        _ => format!(
            "; {} before it did not arrive, since a registration takes time to be in force",
            events - 1
        ),
    };
    format!("a delivery arrives at {url}, {} after the registration{later}", time(after))
}

pub(in super::super) fn nothing_arrives(url: &str, events: usize) -> String {
    format!("of {} none arrives at {url}", counted(events as u64, "event", "events"))
}

/// What to try, one after the other.
pub(in super::super) fn all_of(fixes: &[String]) -> String {
    let numbered: Vec<String> = (1..).zip(fixes).map(|(number, fix)| format!("{number}. {fix}")).collect();
    numbered.join("; ")
}

pub(in super::super) fn no_timestamp() -> &'static str {
    "the delivery has no timestamp header with a number"
}

/// `difference` is how far the timestamp is ahead of this machine's clock, in milliseconds.
pub(in super::super) fn timestamp(difference: i64) -> String {
    let (way, by) = if difference < 0 { ("before", -difference) } else { ("after", difference) };
    format!(
        "the timestamp of the delivery is {} {way} its arrival",
        time(Duration::from_millis(by.unsigned_abs()))
    )
}

pub(in super::super) fn set_clocks() -> String {
    "set the clocks of Twenty's worker and of this machine by NTP; receivers reject timestamps that are more than 5 minutes off"
        .to_owned()
}

pub(in super::super) fn limited(refused: usize, calls: usize) -> String {
    format!("{} of {} were refused (429) at first", refused, counted(calls as u64, "call", "calls"))
}

pub(in super::super) fn raise_limit() -> String {
    "end other programs that use the API, give a run fewer --calls-per-minute, or raise API_RATE_LIMITING_LONG_LIMIT in the \
     settings of Twenty's server"
        .to_owned()
}

/// `named` are headers that tell a limit.
pub(in super::super) fn not_limited(calls: usize, named: &[String]) -> String {
    let told = if named.is_empty() {
        "no answer tells a limit; Twenty's default is 100 calls a minute".to_owned()
    } else {
        format!("answers say {}", named.join(", "))
    };
    format!("none of {} was refused; {told}", counted(calls as u64, "call", "calls"))
}

pub(in super::super) fn clean_up() -> String {
    "remove it with `sender --twenty URL --api-key-file FILE --cleanup`".to_owned()
}
