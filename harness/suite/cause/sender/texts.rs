//! Texts that a sender may have signed instead of the body that it sent.
//!
//! Invariant: a text is only tried. The caller's `verifies` decides, so that no cause is named by resemblance.

use super::messages;
use crate::suite::cause::{Cause, Code};
use crate::webhook::json::Json;
use crate::webhook::recipe::Misread;
use crate::webhook::rewriting::{Rewriting, Space};

/// How many members of a body are left out, one after the other.
const MOST_MEMBERS: usize = 32;
/// Names that parsers treat as something other than a member.
pub(super) const SPECIAL: [&str; 3] = ["__proto__", "constructor", "prototype"];

/// The cause, if the sender signed another spelling of this body, or one with fewer members.
pub(super) fn other_text(body: &[u8], verifies: &dyn Fn(&[u8]) -> bool) -> Option<Cause> {
    let text = std::str::from_utf8(body).ok()?;
    let rewritten =
        Rewriting::all().into_iter().find(|one| one.of(text).is_some_and(|it| verifies(it.as_bytes())));
    if let Some(rewriting) = rewritten {
        return Some(Cause::detailed(Code::MessageReserialised, rewriting.describe(text)));
    }
    members_dropped(body, verifies)
}

/// The cause, if members were missing while the body was signed.
fn members_dropped(body: &[u8], verifies: &dyn Fn(&[u8]) -> bool) -> Option<Cause> {
    let dropped = |what: String| Some(Cause::detailed(Code::MessageMembersDropped, what));
    let members = Json::members(body).ok()?;
    let names = members.iter().filter_map(|member| member.name.to_unicode()).take(MOST_MEMBERS);
    for name in names {
        if Json::without(body, &name).is_some_and(|rest| verifies(&rest)) {
            return dropped(format!("`{name}`"));
        }
    }
    let parsed = Json::parse(body).ok()?;
    let spaced = Rewriting { space: Space::Spaced, ..Rewriting::default() };
    let is_signed = |drop: &dyn Fn(&str, &Json) -> bool| {
        let Some(rest) = without(&parsed, drop) else { return false };
        let compact = rest.compact();
        verifies(compact.as_bytes()) || spaced.of(&compact).is_some_and(|text| verifies(text.as_bytes()))
    };
    if is_signed(&|_, value| *value == Json::Null) {
        return dropped("null".to_owned());
    }
    let special = SPECIAL.into_iter().find(|&special| is_signed(&|name, _| name == special));
    special.and_then(|name| dropped(format!("`{name}`")))
}

/// The value without some members, at any depth; `None` if it has none of them.
fn without(value: &Json, drop: &dyn Fn(&str, &Json) -> bool) -> Option<Json> {
    let rest = rest_of(value, drop);
    (rest != *value).then_some(rest)
}

fn rest_of(value: &Json, drop: &dyn Fn(&str, &Json) -> bool) -> Json {
    match value {
        Json::Array(elements) => Json::Array(elements.iter().map(|one| rest_of(one, drop)).collect()),
        Json::Object(members) => {
            let kept = members
                .iter()
                .filter(|(name, value)| name.to_unicode().is_none_or(|name| !drop(&name, value)));
            Json::Object(kept.map(|(name, value)| (name.clone(), rest_of(value, drop))).collect())
        }
        other => other.clone(),
    }
}

/// The cause, if text beyond ASCII in the body was changed after it was signed. `record` is the JSON text of the record that the
/// sender was given.
pub(super) fn changed_after_signing(
    body: &[u8],
    record: &str,
    verifies: &dyn Fn(&[u8]) -> bool,
) -> Option<Cause> {
    let encodings = Misread::ALL.iter().copied().filter(|misread| misread.is_encoding());
    let is_signed = |encoding, in_order| {
        restored(body, record, encoding, in_order).is_some_and(|signed| verifies(&signed))
    };
    let mut encodings = encodings.into_iter();
    let changed = encodings.find(|&encoding| is_signed(encoding, true) || is_signed(encoding, false))?;
    Some(Cause::detailed(Code::MessageTextEncoding, messages::after_signing(changed)))
}

/// The body as it was before each string of the record was encoded like this. `None` if the encoding changes nothing in it.
/// With `in_order`, the body has the strings in the record's order.
fn restored(body: &[u8], record: &str, encoding: Misread, in_order: bool) -> Option<Vec<u8>> {
    // Each string as it was, and as it would be sent.
    let mut strings: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for token in tokens(record.as_bytes()).filter(|token| token.starts_with(b"\"")) {
        let text: String = serde_json::from_slice(token).ok()?;
        let own = serde_json::to_vec(&text).ok()?;
        let sent = encoding.of(&own)?;
        strings.push((own, sent));
    }
    let mut before = Vec::with_capacity(body.len());
    let mut next = 0;
    let mut is_changed = false;
    for token in tokens(body) {
        let is_sent = |(_, sent): &&(Vec<u8>, Vec<u8>)| sent == token;
        // Strings that are sent alike are told apart by their order.
        let later = strings.iter().enumerate().skip(next).find(|(_, pair)| is_sent(pair));
        let anywhere = || strings.iter().enumerate().find(|(_, pair)| !in_order && is_sent(pair));
        let found = later.or_else(anywhere);
        match found.filter(|_| token.starts_with(b"\"")) {
            Some((at, (own, sent))) => {
                next = at + 1;
                is_changed |= own != sent;
                before.extend_from_slice(own);
            }
            None => before.extend_from_slice(token),
        }
    }
    is_changed.then_some(before)
}

/// The strings in a JSON text, and what is between them. The text need not be UTF-8.
fn tokens(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = match rest.first()? {
            b'"' => {
                let mut escaped = false;
                let closing = |&byte: &u8| {
                    let closes = byte == b'"' && !escaped;
                    escaped = byte == b'\\' && !escaped;
                    closes
                };
                rest[1..].iter().position(closing).map_or(rest.len(), |at| at + 2)
            }
            _ => rest.iter().position(|&byte| byte == b'"').unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(end);
        rest = after;
        Some(token)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;
    use crate::webhook::rewriting::Html;

    const BODY: &str = r#"{"event": "note.created", "data": {"id": "a1", "title": "<Zoë> & 'co' \"x\"", "none": null, "city": "Łódź"}, "timestamp": "2025-02-10T15:30:50Z"}"#;
    const RECORD: &str = r#"{"id":"a1","title":"<Zoë> & 'co' \"x\"","none":null,"city":"Łódź"}"#;

    fn found(signed: &[u8]) -> Option<(Code, String)> {
        let cause = other_text(BODY.as_bytes(), &|text| text == signed)?;
        Some((cause.code, cause.detail.unwrap_or_default()))
    }

    #[test]
    fn another_spelling_is_found() {
        let gson = Rewriting { html: Html::Gson, ..Rewriting::default() }.of(BODY).unwrap();
        let detail = r"HTML-escaped: \u0026 \u0027 \u003c \u003e".to_owned();
        assert_eq!(found(gson.as_bytes()), Some((Code::MessageReserialised, detail)));
        let compact = Rewriting { space: Space::Compact, ..Rewriting::default() }.of(BODY).unwrap();
        assert_eq!(found(compact.as_bytes()), Some((Code::MessageReserialised, "compact".to_owned())));
        assert_eq!(found(BODY.as_bytes()), None);
        assert_eq!(found(b"{}"), None);
    }

    #[test]
    fn missing_members_are_found() {
        let dropped = |what: &str| Some((Code::MessageMembersDropped, what.to_owned()));
        let without_time = Json::without(BODY.as_bytes(), "timestamp").unwrap();
        assert_eq!(found(&without_time), dropped("`timestamp`"));
        let spaced = BODY.replace(", \"none\": null", "");
        assert_eq!(found(spaced.as_bytes()), dropped("null"));
        let compact = Json::parse(spaced.as_bytes()).unwrap().compact();
        assert_eq!(found(compact.as_bytes()), dropped("null"));
        let body = br#"{"event":"x","data":{"__proto__":{"a":1},"constructor":2,"b":3}}"#;
        let special = |signed: &[u8]| other_text(body, &|text| text == signed)?.detail;
        assert_eq!(
            special(br#"{"event":"x","data":{"constructor":2,"b":3}}"#).as_deref(),
            Some("`__proto__`")
        );
        assert_eq!(
            special(br#"{"event":"x","data":{"__proto__":{"a":1},"b":3}}"#).as_deref(),
            Some("`constructor`")
        );
    }

    #[test]
    fn text_that_was_changed_after_signing_is_found() {
        let detail = |sent: &[u8]| {
            let signed = |text: &[u8]| text == BODY.as_bytes();
            Some(changed_after_signing(sent, RECORD, &signed)?.detail.unwrap_or_default())
        };
        for (encoding, how) in [
            (Misread::Ascii, "replaced by ?"),
            (Misread::AsciiCharacters, "replaced by ?"),
            (Misread::AsciiDropped, "dropped"),
            (Misread::Latin1, "sent as Latin-1"),
            (Misread::DecodedAsLatin1, "decoded as Latin-1"),
            (Misread::Replaced, "replaced by U+FFFD"),
            (Misread::Escaped, "escaped"),
            (Misread::EscapedControls, "escaped"),
        ] {
            let sent = encoding.of(BODY.as_bytes()).unwrap();
            assert_eq!(detail(&sent), Some(format!("{how} after signing")), "{encoding:?}");
        }
        assert_eq!(detail(BODY.as_bytes()), None);
        assert_eq!(detail(b"{}"), None);
    }

    #[test]
    fn strings_that_are_sent_alike_are_told_apart() {
        let record = r#"{"a":"","b":"é","c":["ü","ö"],"d":"?"}"#;
        let body = r#"{"data":{"a":"","b":"é","c":["ü","ö"],"d":"?"},"event":"?"}"#;
        for encoding in [Misread::AsciiCharacters, Misread::AsciiDropped] {
            let sent = encoding.of(body.as_bytes()).unwrap();
            let signed = |text: &[u8]| text == body.as_bytes();
            assert!(changed_after_signing(&sent, record, &signed).is_some(), "{encoding:?}");
        }
    }
}
