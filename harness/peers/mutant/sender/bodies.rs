//! Bodies as values that a fault can change.
//!
//! Invariant: everything that a fault does not touch stays the same, including numbers that do not fit a double.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Number, Value};

use crate::webhook::json::{Json, Text};

/// The marks of text that replaces a number too long for a double, and text with lone surrogates.
const NUMBER: &str = "@number:";
const UNITS: &str = "@units:";
/// A number with at most this many characters survives parsing unchanged.
const SHORT: usize = 15;

/// A body compressed with gzip.
pub(super) fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory never fails.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}

/// Reads a body. Values that would not survive parsing become marked text.
pub(super) fn read(body: &[u8]) -> Value {
    Json::parse(body).map_or(Value::Null, value)
}

fn value(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(bool) => bool.into(),
        Json::Number(number) => match number.parse::<Number>() {
            Ok(short) if number.len() <= SHORT => short.into(),
            _ => format!("{NUMBER}{number}").into(),
        },
        Json::Text(text) => match text.to_unicode() {
            Some(unicode) => unicode.into(),
            None => format!(
                "{UNITS}{}",
                text.units().iter().map(|unit| format!("{unit:04x}")).collect::<String>()
            )
            .into(),
        },
        Json::Array(elements) => elements.into_iter().map(value).collect(),
        Json::Object(members) => {
            let members = members.into_iter().map(|(name, member)| (name.to_string(), value(member)));
            Value::Object(members.collect::<Map<_, _>>())
        }
    }
}

/// Writes a body. Marked text becomes the original value again.
pub(super) fn write(value: &Value) -> String {
    unmarked(&value.to_string())
}

/// Writes a body with a space after each comma and colon.
pub(super) fn write_spaced(value: &Value) -> String {
    let (mut spaced, mut in_text, mut escaped) = (String::new(), false, false);
    for character in value.to_string().chars() {
        spaced.push(character);
        if !in_text && matches!(character, ',' | ':') {
            spaced.push(' ');
        }
        in_text ^= character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
    }
    unmarked(&spaced)
}

fn unmarked(text: &str) -> String {
    let (number, units) = (format!("\"{NUMBER}"), format!("\"{UNITS}"));
    let mut written = String::with_capacity(text.len());
    for (nth, part) in text.split(&number).enumerate() {
        let (number, rest) = if nth == 0 { ("", part) } else { part.split_once('"').unwrap_or((part, "")) };
        written.push_str(number);
        let mut parts = rest.split(&units);
        written.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let (digits, rest) = part.split_once('"').unwrap_or((part, ""));
            let unit = |at: usize| u16::from_str_radix(digits.get(at..at + 4)?, 16).ok();
            Text::from((0..digits.len()).step_by(4).filter_map(unit).collect::<Vec<_>>()).quote(&mut written);
            written.push_str(rest);
        }
    }
    written
}

/// Removes members that are null from all objects.
pub(super) fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(elements) => elements.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// Gives each member of every object another name, or removes it.
pub(super) fn rename(value: &mut Value, name_of: fn(&str) -> Option<String>) {
    match value {
        Value::Object(members) => {
            let named = std::mem::take(members).into_iter();
            members.extend(named.filter_map(|(name, member)| Some((name_of(&name)?, member))));
            members.values_mut().for_each(|member| rename(member, name_of));
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| rename(element, name_of)),
        _ => {}
    }
}

/// Removes the members whose names JavaScript reserves.
pub(super) fn drop_unusual(value: &mut Value) {
    rename(value, |name| {
        (!matches!(name, "__proto__" | "constructor" | "prototype")).then(|| name.to_owned())
    });
}

/// The body without these members.
pub(super) fn without_unusual(body: &[u8]) -> String {
    let mut value = read(body);
    drop_unusual(&mut value);
    write(&value)
}

/// Changes everything that is neither an object nor an array.
pub(super) fn map_leaves(value: &mut Value, change: &impl Fn(Value) -> Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(|member| map_leaves(member, change)),
        Value::Array(elements) => elements.iter_mut().for_each(|element| map_leaves(element, change)),
        leaf => *leaf = change(leaf.take()),
    }
}

/// Rounds a marked number to a double. Other values stay the same.
pub(super) fn rounded(value: Value) -> Value {
    let marked = value.as_str().and_then(|text| text.strip_prefix(NUMBER));
    let Some(double) = marked.and_then(|number| number.parse::<f64>().ok()) else { return value };
    // JavaScript prints an integral double as an integer.
    #[allow(clippy::cast_possible_truncation, reason = "only what fits is cast")]
    if double.fract() == 0.0 && double.abs() < 9e18 {
        Value::from(double as i64)
    } else {
        Value::from(double)
    }
}

/// A value with everything below this many levels replaced by null.
pub(super) fn flattened(value: Value, levels: usize) -> Value {
    match value {
        Value::Object(_) | Value::Array(_) if levels == 0 => Value::Null,
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, member)| (name, flattened(member, levels - 1)));
            Value::Object(members.collect())
        }
        Value::Array(elements) => {
            elements.into_iter().map(|element| flattened(element, levels - 1)).collect()
        }
        leaf => leaf,
    }
}
