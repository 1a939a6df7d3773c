//! Short names for JSON trees that keep numbers as written.

use serde_json::Value;
use twenty_conform::webhook::json::{Json, Text};

pub(super) type Members = Vec<(Text, Json)>;

pub(super) fn text(text: &str) -> Json {
    Json::Text(Text::from(text))
}

pub(super) fn number(number: impl ToString) -> Json {
    Json::Number(number.to_string())
}

pub(super) fn list(texts: &[String]) -> Json {
    Json::Array(texts.iter().map(|one| text(one)).collect())
}

pub(super) fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(members.into_iter().map(|(name, value)| (Text::from(name), value)).collect())
}

/// The same value, as a tree that keeps numbers as written.
pub(super) fn tree(value: &Value) -> Json {
    Json::parse(value.to_string().as_bytes()).unwrap()
}

/// The same value for tests, which compare it with `json!`.
pub(super) fn value(json: &Json) -> Value {
    serde_json::from_str(&json.compact()).unwrap()
}

pub(super) fn as_text(json: &Json) -> Option<String> {
    match json {
        Json::Text(text) => Some(text.to_string()),
        _ => None,
    }
}

/// Replaces a member, or adds it at the end.
pub(super) fn set(json: &mut Json, name: &str, value: Json) {
    let Json::Object(members) = json else { return };
    let name = Text::from(name);
    match members.iter_mut().find(|(other, _)| *other == name) {
        Some(member) => member.1 = value,
        None => members.push((name, value)),
    }
}

/// The text of a member, or an empty one.
pub(super) fn member_text(json: &Json, name: &str) -> String {
    json.get(name).and_then(as_text).unwrap_or_default()
}
