//! What faulty receivers read in a body, and how they mistake one body for another.

use bytes::Bytes;
use serde_json::Value;

use crate::peers::receiver::{NotADelivery, read};
use crate::webhook::dialect::{self, DOCUMENTED, Dialect, Members, SHIPPED};
use crate::webhook::sample::is_standard;
use crate::wire::exchange::{Delivery, Transfer};

/// The event in a body; empty if there is none.
pub(super) fn event_name(body: &[u8]) -> String {
    let members = Members::parse(body).ok();
    let of = |members: Members| dialect::ALL.iter().find_map(|dialect| members.text(dialect.event_member));
    members.and_then(of).unwrap_or_default()
}

/// Whether a body is not a JSON object, or has no event.
pub(super) fn is_malformed(body: &[u8]) -> bool {
    matches!(read(body), Err(NotADelivery::NotAnObject(_) | NotADelivery::Unnamed))
}

/// Whether a body is an object whose event is not a string, or whose record is not an object.
pub(super) fn has_wrong_types(body: &[u8]) -> bool {
    matches!(read(body), Err(NotADelivery::WrongType(..)))
}

/// Whether an event is on the list of a receiver that knows only standard objects.
pub(super) fn is_known_event(event: &str) -> bool {
    dialect::ALL.iter().filter_map(|dialect| dialect.sample(event)).any(|sample| is_standard(&sample.name))
}

/// Whether a body is in the dialect that Twenty sends.
pub(super) fn is_shipped(body: &[u8]) -> bool {
    names_event(body, &SHIPPED)
}

/// Whether a body is in the documented dialect.
pub(super) fn is_documented(body: &[u8]) -> bool {
    names_event(body, &DOCUMENTED)
}

fn names_event(body: &[u8], dialect: &Dialect) -> bool {
    Members::parse(body).is_ok_and(|members| members.text(dialect.event_member).is_some())
}

fn record(body: &Value) -> Option<&Value> {
    dialect::ALL.iter().find_map(|dialect| body.get(dialect.record_member))
}

pub(super) fn contains(body: &[u8], needle: &str) -> bool {
    body.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// The body with each of its chunks decoded separately.
pub(super) fn decoded_by_chunk(delivery: &Delivery) -> Vec<u8> {
    let Transfer::Chunks(lengths) = &delivery.transfer else { return delivery.body.to_vec() };
    let mut rest = &delivery.body[..];
    let mut decoded = String::new();
    for &length in lengths {
        let (chunk, after) = rest.split_at(length.min(rest.len()));
        decoded.push_str(&String::from_utf8_lossy(chunk));
        rest = after;
    }
    decoded.into_bytes()
}

/// Whether both have the same members and record id, so only values differ.
pub(super) fn same_record_other_values(old: &[u8], new: &[u8]) -> bool {
    let keys = |body: &Value| body.as_object().map(|members| members.keys().cloned().collect::<Vec<_>>());
    let id = |body: &Value| record(body).and_then(|record| record.get("id").cloned());
    parsed(old, new).is_some_and(|(old, new)| keys(&old) == keys(&new) && id(&old) == id(&new))
}

/// Whether the new body has every member of the old one unchanged.
pub(super) fn contains_all_of(old: &[u8], new: &[u8]) -> bool {
    let Some((Value::Object(old), new)) = parsed(old, new) else { return false };
    old.iter().all(|(key, value)| new.get(key) == Some(value))
}

fn parsed(old: &[u8], new: &[u8]) -> Option<(Value, Value)> {
    serde_json::from_slice(old).ok().zip(serde_json::from_slice(new).ok())
}

/// The body without its last top-level member, if that is `secret`.
pub(super) fn without_secret(body: &[u8]) -> Option<Bytes> {
    let text = std::str::from_utf8(body).ok()?;
    let at = text.rfind(",\"secret\":")?;
    Some(Bytes::from(format!("{}}}", &text[..at])))
}

/// Whether the body or its record has members that the samples of that event do not have.
pub(super) fn has_unknown_members(body: &[u8], event: &str) -> bool {
    let Ok(members) = Members::parse(body) else { return false };
    let known = |dialect: &&'static Dialect| {
        let sample = dialect.sample(event)?;
        let record = Members::parse(members.get(dialect.record_member)?.get().as_bytes()).ok()?;
        let sample = Members::parse(sample.record.get().as_bytes()).ok()?;
        Some(record.keys().all(|key| sample.get(key).is_some()))
    };
    let records: Vec<bool> = dialect::ALL.iter().filter_map(known).collect();
    members.get("memberOfALaterVersion").is_some() || !records.is_empty() && !records.contains(&true)
}
