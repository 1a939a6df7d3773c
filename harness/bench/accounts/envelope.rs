//! Reads the parts of a body that the accounts need: its event, record id and time, and the JSON types of its members.
//!
//! One pass checks that the whole body is JSON. Nothing is allocated for a well-formed body.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::bench::accounts::messages;
use crate::webhook::dialect::{Dialect, Member};

const MOST_MEMBERS: usize = 24;

/// Why a body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// It is not one JSON text in UTF-8.
    NotJson,
    /// It is JSON, but not a body of the dialect: the reason.
    Shape(String),
}

/// The parts of a body, each as its JSON text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The event's name, quoted.
    pub event: &'a str,
    /// The record's id, if it has one.
    pub id: Option<&'a str>,
    /// When the event occurred, if given.
    pub time: Option<&'a str>,
}

impl<'a> Envelope<'a> {
    /// Reads a body.
    ///
    /// Errors: it is not a body of the dialect.
    pub fn read(dialect: &'static Dialect, body: &'a [u8]) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(body).map_err(|_| Unreadable::NotJson)?;
        let mut reader = serde_json::Deserializer::from_str(text);
        let found = Top { dialect }.deserialize(&mut reader);
        let read = found.and_then(|found| reader.end().map(|()| found));
        let Ok(Some(found)) = read else {
            // Rare enough for a second pass, which distinguishes a wrong shape from invalid JSON.
            return Err(match serde_json::from_str::<IgnoredAny>(text) {
                Ok(_) => Unreadable::Shape(messages::not_an_envelope().to_owned()),
                Err(_) => Unreadable::NotJson,
            });
        };
        found.judge(dialect)
    }

    /// The record's id, if it is a string without escapes.
    pub fn id_text(&self) -> Option<&'a str> {
        self.id?.strip_prefix('"')?.strip_suffix('"')
    }
}

#[derive(Debug, Clone, Copy)]
enum EnvelopePart<'a> {
    /// A record, with the values of its `id` and `recordId`.
    Object { id: Option<&'a str>, record_id: Option<&'a str> },
    /// Anything else, as its text.
    Other(&'a str),
}

/// The members found: those of the record envelope, then those of the metadata envelope.
struct Found<'a> {
    members: [Option<EnvelopePart<'a>>; MOST_MEMBERS],
}

/// The members of all envelopes of a dialect, each with its index in [`Found`].
fn members(dialect: &'static Dialect) -> impl Iterator<Item = (usize, &'static Member)> {
    dialect.envelope.iter().chain(dialect.metadata_envelope.unwrap_or_default()).enumerate()
}

impl<'a> Found<'a> {
    fn judge(&self, dialect: &'static Dialect) -> Result<Envelope<'a>, Unreadable> {
        let wrong = |why: String| Err(Unreadable::Shape(why));
        let value = |key: &str| {
            members(dialect).find(|(_, member)| member.key == key).and_then(|(at, _)| self.members[at])
        };
        let event = match value(dialect.event_member) {
            Some(EnvelopePart::Other(event)) if event.starts_with('"') => event,
            Some(other) => return wrong(messages::mistyped(dialect.event_member, other.json_type(), "text")),
            None => return wrong(messages::missing(dialect.event_member)),
        };
        let name = event.trim_matches('"');
        if !name.rsplit_once('.').is_some_and(|(object, action)| !object.is_empty() && !action.is_empty()) {
            return wrong(messages::not_an_event(event));
        }
        let metadata = dialect.metadata_envelope.is_some() && name.starts_with("metadata.");
        let records = dialect.envelope.len();
        let mut envelope = Envelope { event, ..Envelope::default() };
        for (at, member) in members(dialect).filter(|(at, _)| (*at >= records) == metadata) {
            // A name in both envelopes is kept at its first index.
            let part = self.members[at].or_else(|| value(member.key));
            let Some(part) = part else {
                if member.is_required() {
                    return wrong(messages::missing(member.key));
                }
                continue;
            };
            if part.json_type() != member.json_type() {
                return wrong(messages::mistyped(member.key, part.json_type(), member.json_type()));
            }
            match part {
                EnvelopePart::Object { id, record_id } if member.is_content() => {
                    envelope.id = if metadata { record_id } else { id };
                }
                EnvelopePart::Other(text) if member.key == dialect.time_member => envelope.time = Some(text),
                _ => {}
            }
        }
        Ok(envelope)
    }
}

impl EnvelopePart<'_> {
    fn json_type(&self) -> &'static str {
        match self {
            Self::Object { .. } => "object",
            Self::Other(text) => match text.as_bytes().first() {
                Some(b'"') => "text",
                Some(b'{') => "object",
                Some(b'[') => "array",
                Some(b'n') => "null",
                Some(b't' | b'f') => "boolean",
                _ => "number",
            },
        }
    }
}

/// Reads the top level of a body.
struct Top {
    dialect: &'static Dialect,
}

impl<'de> DeserializeSeed<'de> for Top {
    type Value = Option<Found<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self).map(Some)
    }
}

impl<'de> Visitor<'de> for Top {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found<'de>, A::Error> {
        let mut found = Found { members: [None; MOST_MEMBERS] };
        let known = |key: &str| members(self.dialect).find(|(_, member)| member.key == key);
        while let Some(member) = map.next_key_seed(EnvelopeKey(known))? {
            let Some((at, member)) = member else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let part = if member.is_content() {
                map.next_value_seed(Record)?
            } else {
                EnvelopePart::Other(map.next_value::<&RawValue>()?.get())
            };
            if let Some(place) = found.members.get_mut(at) {
                *place = Some(part);
            }
        }
        Ok(found)
    }
}

/// Maps a member's name without allocating it.
struct EnvelopeKey<F>(F);

impl<'de, F: FnOnce(&str) -> T, T> DeserializeSeed<'de> for EnvelopeKey<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<F: FnOnce(&str) -> T, T> Visitor<'_> for EnvelopeKey<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<T, E> {
        Ok(self.0(name))
    }
}

/// Reads the ids of a record, or the type of anything else.
struct Record;

impl<'de> DeserializeSeed<'de> for Record {
    type Value = EnvelopePart<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<EnvelopePart<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Record {
    type Value = EnvelopePart<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EnvelopePart<'de>, A::Error> {
        let (mut id, mut record_id) = (None, None);
        let named = |key: &str| match key {
            "id" => Some(true),
            "recordId" => Some(false),
            _ => None,
        };
        while let Some(which) = map.next_key_seed(EnvelopeKey(named))? {
            let place = match which {
                Some(true) => &mut id,
                Some(false) => &mut record_id,
                None => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *place = Some(map.next_value::<&RawValue>()?.get());
        }
        Ok(EnvelopePart::Object { id, record_id })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<EnvelopePart<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(EnvelopePart::Other("[]"))
    }

    fn visit_str<E>(self, _: &str) -> Result<EnvelopePart<'de>, E> {
        Ok(EnvelopePart::Other("\"\""))
    }

    fn visit_bool<E>(self, _: bool) -> Result<EnvelopePart<'de>, E> {
        Ok(EnvelopePart::Other("true"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<EnvelopePart<'de>, E> {
        Ok(EnvelopePart::Other("0"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<EnvelopePart<'de>, E> {
        Ok(EnvelopePart::Other("0"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<EnvelopePart<'de>, E> {
        Ok(EnvelopePart::Other("0"))
    }

    fn visit_unit<E>(self) -> Result<EnvelopePart<'de>, E> {
        Ok(EnvelopePart::Other("null"))
    }
}
