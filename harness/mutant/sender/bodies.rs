//! Bodies taken apart and put together again.
//!
//! Invariant: what a fault does not touch comes out as it went in, numbers that a double does not hold included.

use serde_json::Value;

/// What marks the text that stands for a number while a body is parsed.
const MARK: &str = "\"@number:";
/// A number with no more characters than this goes through a parsed value unchanged.
const SHORT: usize = 15;

/// Reads a body. Long numbers are kept as marked text.
pub(super) fn read(body: &[u8]) -> Value {
    serde_json::from_str(&marked(&String::from_utf8_lossy(body))).unwrap_or(Value::Null)
}

/// Writes a body. Marked text becomes the number that it stands for.
pub(super) fn write(value: &Value) -> String {
    unmarked(&value.to_string())
}

/// Writes a body with a space behind each comma and colon.
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

fn marked(text: &str) -> String {
    let (mut marked, mut number) = (String::with_capacity(text.len()), String::new());
    let (mut in_text, mut escaped) = (false, false);
    for character in text.chars() {
        let continues = matches!(character, '0'..='9' | '+' | '-' | '.' | 'e' | 'E');
        if !in_text && continues && (!number.is_empty() || matches!(character, '-' | '0'..='9')) {
            number.push(character);
            continue;
        }
        put(&mut marked, &mut number);
        marked.push(character);
        in_text ^= character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
    }
    put(&mut marked, &mut number);
    marked
}

fn put(marked: &mut String, number: &mut String) {
    if number.len() > SHORT {
        marked.push_str(MARK);
        marked.push_str(number);
        marked.push('"');
    } else {
        marked.push_str(number);
    }
    number.clear();
}

fn unmarked(text: &str) -> String {
    let mut parts = text.split(MARK);
    let mut unmarked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once('"').unwrap_or((part, ""));
        unmarked.push_str(number);
        unmarked.push_str(rest);
    }
    unmarked
}

/// Takes the members that are null out of all objects.
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

/// Changes everything that is neither an object nor an array.
pub(super) fn map_leaves(value: &mut Value, change: &impl Fn(Value) -> Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(|member| map_leaves(member, change)),
        Value::Array(elements) => elements.iter_mut().for_each(|element| map_leaves(element, change)),
        leaf => *leaf = change(leaf.take()),
    }
}

/// A number as a double has it: what is marked becomes that, all else stays.
pub(super) fn rounded(value: Value) -> Value {
    let marked = value.as_str().and_then(|text| text.strip_prefix("@number:"));
    let Some(double) = marked.and_then(|number| number.parse::<f64>().ok()) else { return value };
    // As integers where a double is one: that is how JavaScript prints it.
    #[allow(clippy::cast_possible_truncation, reason = "only what fits is cast")]
    if double.fract() == 0.0 && double.abs() < 9e18 {
        Value::from(double as i64)
    } else {
        Value::from(double)
    }
}
