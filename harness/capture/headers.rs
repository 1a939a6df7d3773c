//! Headers in the JSON that tools and servers write.

use serde_json::Value;

use super::messages;
use crate::wire::exchange::Headers;

/// Headers in any form: an object, a list of pairs or of objects, names and values in turn, or text.
pub(super) fn headers(value: &Value) -> Result<Headers, String> {
    let mut headers = Headers::default();
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| add(&mut headers, name, value));
        }
        Value::Array(values) if values.iter().all(Value::is_string) => {
            for pair in values.chunks_exact(2) {
                add(&mut headers, pair[0].as_str().unwrap_or_default(), &pair[1]);
            }
        }
        Value::Array(values) => {
            for value in values {
                pair(&mut headers, value).ok_or_else(messages::not_headers)?;
            }
        }
        Value::String(text) => {
            for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
                headers.add(name.trim(), value.trim().to_owned());
            }
        }
        _ => return Err(messages::not_headers().to_owned()),
    }
    Ok(headers)
}

/// Adds a header that is a pair of name and value, or an object with both.
fn pair(headers: &mut Headers, value: &Value) -> Option<()> {
    match value {
        Value::Array(pair) => add(headers, pair.first()?.as_str()?, pair.get(1)?),
        Value::Object(members) => {
            let of = |names: &[&str]| names.iter().find_map(|name| members.get(*name));
            let is_off = members.get("disabled") == Some(&Value::Bool(true));
            if !is_off {
                add(headers, of(&["name", "key"])?.as_str()?, of(&["value", "values"])?);
            }
        }
        _ => return None,
    }
    Some(())
}

fn add(headers: &mut Headers, name: &str, value: &Value) {
    if name.is_empty() || name.starts_with(':') {
        return;
    }
    // As gateways name headers in the environment of a program.
    let of_gateway = name.strip_prefix("HTTP_").map(|name| name.replace('_', "-"));
    let name = of_gateway.as_deref().unwrap_or(name);
    match value {
        Value::String(text) => headers.add(name, text.clone()),
        Value::Array(values) => values.iter().for_each(|value| add(headers, name, value)),
        Value::Number(number) => headers.add(name, number.to_string()),
        Value::Bool(value) => headers.add(name, value.to_string()),
        _ => {}
    }
}
