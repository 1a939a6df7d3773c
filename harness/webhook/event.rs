//! What happened in the CRM: an event's name and its record.
//!
//! Invariant: a record keeps its JSON text. A record that is only passed on is never re-serialised.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::webhook::members::Members;

/// `<object>.<action>`, or `metadata.<name>.<operation>` in dialect `shipped`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventName(String);

impl EventName {
    /// Accepts any text, because a subject may send an invalid event name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the last dot: `person` of `person.created`.
    pub fn object(&self) -> &str {
        self.0.rsplit_once('.').map_or(self.0.as_str(), |(object, _)| object)
    }

    /// The part after the last dot: `created` of `person.created`.
    pub fn action(&self) -> &str {
        self.0.rsplit_once('.').map_or("", |(_, action)| action)
    }

    /// Whether this is a metadata event (`metadata.<name>.<operation>`), which only dialect `shipped` has.
    pub(crate) fn is_metadata(&self) -> bool {
        self.0.starts_with("metadata.")
    }

    /// Whether `pattern` matches this event: an exact name, `person.*`, `*.created`, or `metadata.view.*`, `metadata.*.created`
    /// and `metadata.*.*` for metadata events, or `*.*` for every event. A bare `*` matches nothing.
    pub fn matches(&self, pattern: &str) -> bool {
        let Some((object, action)) = pattern.rsplit_once('.') else { return false };
        let every_object = if self.is_metadata() { "metadata.*" } else { "*" };
        let is_object = object == every_object || object == self.object();
        pattern == "*.*" || is_object && (action == "*" || action == self.action())
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One event: its name, the record (or, for metadata events, `{recordId, properties}`) and the updated fields.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    pub name: EventName,
    #[serde(with = "json_text")]
    pub record: Box<RawValue>,
    /// Names of the members that an update changed (dialect `shipped`).
    pub updated_fields: Option<Vec<String>>,
}

/// A record as a string with its JSON text: numbers would lose digits in other forms.
mod json_text {
    use serde::de::{self, Deserialize, Deserializer};
    use serde::ser::Serializer;
    use serde_json::value::RawValue;

    pub(super) fn serialize<S: Serializer>(record: &RawValue, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(record.get())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Box<RawValue>, D::Error> {
        RawValue::from_string(String::deserialize(from)?).map_err(de::Error::custom)
    }
}

impl Event {
    /// The record's id: `id`, or `recordId` of a metadata event.
    pub(crate) fn record_id(&self) -> Option<String> {
        Members::parse(self.record.get().as_bytes()).ok()?.text(self.id_member())
    }

    /// The same event with another record id, so that each delivery can be recognised.
    pub fn with_id(&self, id: &str) -> Self {
        self.edit(|record| {
            if let Some(members) = record.as_object_mut() {
                members.insert(self.id_member().to_owned(), Value::from(id));
            }
        })
    }

    pub fn edit(&self, change: impl FnOnce(&mut Value)) -> Self {
        let mut record: Value = serde_json::from_str(self.record.get()).unwrap_or(Value::Null);
        change(&mut record);
        Self { record: raw(&record), ..self.clone() }
    }

    fn id_member(&self) -> &'static str {
        if self.name.is_metadata() { "recordId" } else { "id" }
    }
}

pub(crate) fn raw(value: &Value) -> Box<RawValue> {
    // A `Value` always serialises: its keys are strings and it contains no NaN.
    RawValue::from_string(value.to_string()).unwrap_or_else(|_| unreachable!("a JSON value is JSON text"))
}
