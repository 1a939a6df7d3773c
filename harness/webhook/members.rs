//! The members of a body's top level, as raw JSON text.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// The members of a body's top level, as raw JSON text in the order of the wire. It accepts any JSON object, with duplicate
/// keys, numbers of any size and escapes of lone surrogates.
#[derive(Debug)]
pub struct Members(Vec<(String, Box<RawValue>)>);

/// Why a body is not a JSON object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
pub enum NotAnObject {
    /// It is not JSON, with the parser's error.
    #[error("the body is not JSON ({0})")]
    NotJson(String),
    /// It is JSON, of this type.
    #[error("the body is {0}, not an object")]
    OtherType(&'static str),
}

impl Members {
    pub fn parse(body: &[u8]) -> Result<Self, NotAnObject> {
        if let Ok(members) = serde_json::from_slice(body) {
            return Ok(members);
        }
        let whole: &RawValue =
            serde_json::from_slice(body).map_err(|why| NotAnObject::NotJson(why.to_string()))?;
        match whole.get().trim_start().as_bytes().first() {
            Some(b'{') => {
                serde_json::from_str(whole.get()).map_err(|why| NotAnObject::NotJson(why.to_string()))
            }
            Some(b'[') => Err(NotAnObject::OtherType("an array")),
            Some(b'"') => Err(NotAnObject::OtherType("text")),
            Some(b'n') => Err(NotAnObject::OtherType("null")),
            Some(b't' | b'f') => Err(NotAnObject::OtherType("a boolean")),
            _ => Err(NotAnObject::OtherType("a number")),
        }
    }

    /// The member of this name: the last one, as in most parsers.
    pub fn get(&self, key: &str) -> Option<&RawValue> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| &**value)
    }

    /// The member of this name, if it is a string.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        serde_json::from_str(self.get(key)?.get()).ok()
    }

    /// The names, in the order of the wire.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
