//! What wrong receivers look at in a body, and how they confuse one with another.

use bytes::Bytes;
use serde_json::Value;

use crate::peers::receiver::{NoDelivery, read};
use crate::webhook::dialect::{self, Members, SHIPPED};
use crate::webhook::sample::is_standard;
use crate::wire::exchange::{Delivery, Transfer};

/// The event that a body names; empty where it names none.
pub(super) fn event_name(body: &[u8]) -> String {
    let members = Members::parse(body).ok();
    let of = |members: Members| dialect::ALL.iter().find_map(|dialect| members.text(dialect.event_member));
    members.and_then(of).unwrap_or_default()
}

/// Whether a body is no JSON object, or names no event.
pub(super) fn is_malformed(body: &[u8]) -> bool {
    matches!(read(body), Err(NoDelivery::NotAnObject(_) | NoDelivery::Unnamed))
}

/// Whether a body is an object whose event is no text, or whose record is no object.
pub(super) fn has_wrong_types(body: &[u8]) -> bool {
    matches!(read(body), Err(NoDelivery::WrongType(..)))
}

/// Whether an event is one that a receiver with a list knows.
pub(super) fn is_known_event(event: &str) -> bool {
    dialect::ALL.iter().filter_map(|dialect| dialect.sample(event)).any(|sample| is_standard(&sample.name))
}

/// Whether a body is in the form that the server that ships sends.
pub(super) fn is_shipped(body: &[u8]) -> bool {
    Members::parse(body).is_ok_and(|members| members.text(SHIPPED.event_member).is_some())
}

fn record(body: &Value) -> Option<&Value> {
    dialect::ALL.iter().find_map(|dialect| body.get(dialect.record_member))
}

pub(super) fn holds(body: &[u8], needle: &str) -> bool {
    body.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// The body with each of its chunks decoded as text by itself.
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

/// Both have the same members and the same record id: only values differ.
pub(super) fn same_record_other_values(old: &[u8], new: &[u8]) -> bool {
    let keys = |body: &Value| body.as_object().map(|members| members.keys().cloned().collect::<Vec<_>>());
    let id = |body: &Value| record(body).and_then(|record| record.get("id").cloned());
    parsed(old, new).is_some_and(|(old, new)| keys(&old) == keys(&new) && id(&old) == id(&new))
}

/// The new body has every member of the old one unchanged, and more.
pub(super) fn holds_all_of(old: &[u8], new: &[u8]) -> bool {
    let Some((Value::Object(old), new)) = parsed(old, new) else { return false };
    old.iter().all(|(key, value)| new.get(key) == Some(value))
}

fn parsed(old: &[u8], new: &[u8]) -> Option<(Value, Value)> {
    serde_json::from_slice(old).ok().zip(serde_json::from_slice(new).ok())
}

/// The body without its top-level member `secret`, where it has one at its end.
pub(super) fn without_secret(body: &[u8]) -> Option<Bytes> {
    let text = std::str::from_utf8(body).ok()?;
    let at = text.rfind(",\"secret\":")?;
    Some(Bytes::from(format!("{}}}", &text[..at])))
}

/// Whether the body, or the record in it, has members that the samples of that event do not have.
pub(super) fn has_unknown_members(body: &[u8], event: &str) -> bool {
    let Ok(members) = Members::parse(body) else { return false };
    let known = |dialect: &&'static dialect::Dialect| {
        let sample = dialect.sample(event)?;
        let record = Members::parse(members.get(dialect.record_member)?.get().as_bytes()).ok()?;
        let sample = Members::parse(sample.record.get().as_bytes()).ok()?;
        Some(record.keys().all(|key| sample.get(key).is_some()))
    };
    let records: Vec<bool> = dialect::ALL.iter().filter_map(known).collect();
    members.get("memberOfALaterVersion").is_some() || !records.is_empty() && !records.contains(&true)
}
