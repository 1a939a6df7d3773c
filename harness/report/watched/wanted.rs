//! Which delivery `--wait-for` waits for: conditions on its event, its record, its verdict, and members of its data.

use serde_json::Value;

use super::{DeliveryEntry, SignatureState, messages};
use crate::budget::PARSED_VALUES;
use crate::suite::cause::Code;
use crate::suite::requirement::Role;
use crate::suite::requirements;
use crate::suite::verdict::VerdictName;
use crate::webhook::dialect;
use crate::webhook::event::EventName;
use crate::webhook::json::has_at_most;
use crate::wire::exchange::Exchange;

/// The keys of conditions, apart from members of the data.
const KEYS: [&str; 9] =
    ["event", "object", "action", "record", "verdict", "signature", "failed", "cause", "path"];
/// What the key of a member of the data begins with.
const DATA: &str = "data.";
/// How alike two keys must be for one to be meant by the other.
const LIKE: f64 = 0.4;

/// A condition on a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    key: String,
    pattern: String,
}

impl Condition {
    /// The conditions of one option: `KEY=PATTERN`, several joined by `&`. `\&` is an ampersand.
    ///
    /// Errors: one is empty or has an unknown key; the text says what to write.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        parts(text).iter().map(|part| Self::parse(part)).collect()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let Some((key, pattern)) = text.split_once('=') else {
            return Err(messages::condition_without_value(text));
        };
        let (key, pattern) = (key.trim(), pattern.trim());
        let is_member =
            key.strip_prefix(DATA).is_some_and(|path| path.split('.').all(|name| !name.is_empty()));
        if !is_member && !KEYS.contains(&key) {
            return Err(messages::unknown_condition(key, nearest(key).as_deref(), &KEYS));
        }
        if pattern.is_empty() && !is_member {
            return Err(messages::condition_without_value(text));
        }
        if let Some(values) = values(key)
            && !values.iter().any(|value| is_like(value, pattern))
        {
            let nearest = crate::nearest::to(pattern, values.iter().copied());
            return Err(messages::unknown_value(key, pattern, nearest));
        }
        Ok(Self { key: key.to_owned(), pattern: pattern.to_owned() })
    }

    /// Its pattern, if it is about the name of the event.
    pub fn event(&self) -> Option<&str> {
        (self.key == "event").then_some(self.pattern.as_str())
    }

    /// Whether a delivery meets it.
    fn is_met(&self, judged: &DeliveryEntry, exchange: &Exchange) -> bool {
        let name = judged.event.as_deref().map(EventName::new);
        let fits = |text: &str| is_like(text, &self.pattern);
        match self.key.as_str() {
            "event" => judged.event.as_deref().is_some_and(fits),
            "object" => name.is_some_and(|name| fits(name.object())),
            "action" => name.is_some_and(|name| fits(name.action())),
            "record" => judged.record.as_deref().is_some_and(fits),
            "verdict" => serde_json::to_value(judged.verdict).is_ok_and(|one| one.as_str().is_some_and(fits)),
            "signature" => fits(judged.signature.as_str()),
            "failed" => judged.failed.iter().any(|failure| fits(failure.requirement)),
            "cause" => {
                judged.failed.iter().any(|one| one.cause.as_ref().is_some_and(|cause| fits(&cause.code)))
            }
            "path" => fits(&exchange.delivery.target),
            member => {
                member.strip_prefix(DATA).is_some_and(|path| self.is_met_by_data(judged, path, exchange))
            }
        }
    }

    fn is_met_by_data(&self, judged: &DeliveryEntry, path: &str, exchange: &Exchange) -> bool {
        let body = &exchange.delivery.body;
        let Some(event) = judged.event.as_deref().filter(|_| has_at_most(body, PARSED_VALUES)) else {
            return false;
        };
        let Ok(body) = serde_json::from_slice::<Value>(body) else { return false };
        let content =
            dialect::ALL.iter().filter(|one| body.get(one.event_member).is_some_and(Value::is_string));
        let content = content.filter_map(|one| body.get(one.content_member(&EventName::new(event)))).next();
        let Some(found) = content.and_then(|content| member(content, path)) else { return false };
        match found {
            Value::String(text) => is_like(text, &self.pattern),
            other => is_like(&other.to_string(), &self.pattern),
        }
    }
}

/// The values that a key can have, if they are known.
fn values(key: &str) -> Option<Vec<&'static str>> {
    Some(match key {
        "verdict" => [VerdictName::Pass, VerdictName::Fail, VerdictName::Inconclusive]
            .map(VerdictName::as_str)
            .to_vec(),
        "signature" => SignatureState::ALL.map(SignatureState::as_str).to_vec(),
        "failed" => requirements::of(Role::Sender).map(|one| one.id).collect(),
        "cause" => Code::ALL.iter().map(|code| code.as_str()).collect(),
        _ => return None,
    })
}

/// Whether a delivery meets all conditions.
pub fn are_met(conditions: &[Condition], judged: &DeliveryEntry, exchange: &Exchange) -> bool {
    conditions.iter().all(|one| one.is_met(judged, exchange))
}

/// The text between ampersands, except after a backslash.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for piece in text.split('&') {
        match parts.last_mut().filter(|last| last.ends_with('\\')) {
            Some(last) => {
                last.pop();
                last.push('&');
                last.push_str(piece);
            }
            None => parts.push(piece.to_owned()),
        }
    }
    parts
}

/// The member at a path, whose names may have dots too.
fn member<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let own = |name: &str| match value {
        Value::Object(members) => members.get(name),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    };
    let deeper = |(at, _): (usize, &str)| member(own(&path[..at])?, &path[at + 1..]);
    own(path).or_else(|| path.match_indices('.').find_map(deeper))
}

/// Whether a text fits a pattern, in which `*` stands for any characters.
fn is_like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// The key that is most like an unknown one, if one is.
fn nearest(key: &str) -> Option<String> {
    if let Some((_, path)) = key.split_once('.').filter(|(_, path)| !path.is_empty()) {
        return Some(format!("{DATA}{path}"));
    }
    crate::nearest::at_least(LIKE, key, KEYS.into_iter()).map(str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::time::Duration;

    use super::{Condition, are_met, is_like};
    use crate::redaction::Redaction;
    use crate::report::watched::DeliveryEntry;
    use crate::webhook::dialect::DOCUMENTED;
    use crate::wire::exchange::{Delivery, Exchange, ExchangeId, Headers, Outcome, Transfer};

    fn is_met(conditions: &str, body: &str) -> bool {
        let delivery = Delivery {
            method: "POST".to_owned(),
            target: "/hooks?a=1&b=2".to_owned(),
            headers: Headers::default(),
            body: body.to_owned().into(),
            transfer: Transfer::Whole,
        };
        let exchange = Exchange {
            id: ExchangeId(1),
            at_ms: 0,
            took: Duration::ZERO,
            delivery,
            outcome: Outcome::TimedOut,
        };
        let judged = DeliveryEntry::new(&DOCUMENTED, body.as_bytes(), &[], &Redaction::default());
        are_met(&Condition::parse_all(conditions).unwrap(), &judged, &exchange)
    }

    #[test]
    fn conditions_are_met_by_what_a_delivery_names() {
        let documented = r#"{"event":"person.updated","data":{"id":"r1","n":7,"a.b":"x","name":{"firstName":"Ann & Bob"},"tags":["a","b"],"gone":null,"empty":""}}"#;
        let shipped = r#"{"eventName":"person.updated","record":{"id":"r1","n":7}}"#;
        for (conditions, met) in [
            ("event=person.updated", true),
            ("event=person.*", true),
            ("event=*.updated", true),
            ("event=*", true),
            ("event=person.created", false),
            ("event=person", false),
            ("object=person & action=updated", true),
            ("event=person.*&record=r2", false),
            ("record=r1&data.n=7", true),
            ("data.n=8", false),
            ("data.missing=*", false),
            ("signature=not checked*", true),
            ("verdict=inconclusive", true),
            ("failed=*", false),
            ("path=/hooks*", true),
        ] {
            assert_eq!(is_met(conditions, documented), met, "{conditions}");
            assert_eq!(is_met(conditions, shipped), met, "{conditions}");
        }
        for conditions in [
            r"data.name.firstName=Ann \& Bob",
            "data.a.b=x",
            "data.tags.1=b",
            "data.gone=null",
            "data.empty=",
            r"path=/hooks?a=1\&b=2",
        ] {
            assert!(is_met(conditions, documented), "{conditions}");
        }
        assert!(is_met(
            "data.recordId=f1",
            r#"{"eventName":"metadata.fieldMetadata.updated","event":{"recordId":"f1"}}"#
        ));
        assert!(!is_met("event=*", "{}") && !is_met("data.x=1", "[1,2") && !is_met("data.x=1", "rubbish"));
    }

    #[test]
    fn unknown_conditions_name_the_nearest() {
        for (text, words) in [
            ("evnt=a.b", "did you mean event="),
            ("Event=a.b", "did you mean event="),
            ("record.id=1", "did you mean data.id="),
            ("event=a.b&recrod=1", "did you mean record="),
            ("zzzzzzzz=1", "the keys are event, "),
            ("person.updated", "event=person.updated"),
            ("event=", "event="),
            ("", "event=person.updated"),
            ("data.=1", "the keys are"),
            ("verdict=failed", "did you mean verdict=fail?"),
            ("failed=SIG-44", "did you mean failed=SIG-4?"),
            ("cause=message.body", "is no value of cause"),
            ("signature=wrong*", "is never met"),
        ] {
            let why = Condition::parse_all(text).unwrap_err();
            assert!(why.contains(words), "{text}: {why}");
        }
    }

    #[test]
    fn stars_stand_for_any_characters() {
        for (text, pattern, like) in [
            ("", "", true),
            ("", "*", true),
            ("abc", "a*c", true),
            ("abc", "*b*", true),
            ("abc", "a*b", false),
            ("aa", "a*a*a", false),
            ("aaa", "a*a*a", true),
            ("ab", "ab*b", false),
        ] {
            assert_eq!(is_like(text, pattern), like, "{text} {pattern}");
        }
    }
}
