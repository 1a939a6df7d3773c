//! Bodies as values that a fault can change.
//!
//! Invariant: everything that a fault does not touch stays the same, including numbers that do not fit a double.

use serde_json::{Map, Number, Value};

use crate::webhook::json::{Json, Text};

/// The marks of text that replaces a number too long for a double, and text with lone surrogates.
const NUMBER: &str = "@number:";
const UNITS: &str = "@units:";
/// A number with at most this many characters survives parsing unchanged.
const SHORT: usize = 15;

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

/// A body in gzip's form, in blocks without compression (RFC 1951 and 1952).
pub(super) fn gzip(body: &[u8]) -> Vec<u8> {
    let mut coded = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let blocks = body.chunks(usize::from(u16::MAX));
    let count = blocks.len();
    for (at, block) in blocks.enumerate() {
        let length = u16::try_from(block.len()).unwrap_or_default();
        coded.push(u8::from(at + 1 == count));
        coded.extend(length.to_le_bytes());
        coded.extend((!length).to_le_bytes());
        coded.extend(block);
    }
    coded.extend(checksum(body).to_le_bytes());
    coded.extend(u32::try_from(body.len()).unwrap_or_default().to_le_bytes());
    coded
}

/// CRC-32 (RFC 1952, section 8).
fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { 0xedb8_8320 ^ sum >> 1 } else { sum >> 1 };
    !bytes.iter().fold(u32::MAX, |sum, &byte| (0..8).fold(sum ^ u32::from(byte), step))
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
