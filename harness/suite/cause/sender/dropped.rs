//! Members that a sender signed and did not send: HTTP clients drop names such as `__proto__` from a body that they serialise.
//!
//! Only the record that the sender was given says which members and values these were, so recorded traffic does not show it.

use super::messages;
use super::texts::SPECIAL;
use crate::suite::cause::{Cause, Code};
use crate::webhook::json::{Json, Text};
use crate::webhook::rewriting::{Rewriting, Space};

/// Where a member stood in the signed text.
#[derive(Clone, Copy)]
enum Order {
    /// As in the record that the sender was given.
    Given,
    /// As PostgreSQL keeps the members of a `jsonb` value: short names first, then by their bytes.
    Stored,
}

/// The cause, if the signed text had members of the record that the body lacks. `record` is the JSON text of the record that the
/// sender was given.
pub(super) fn after_signing(body: &[u8], record: &str, verifies: &dyn Fn(&[u8]) -> bool) -> Option<Cause> {
    let (Json::Object(members), record) = (Json::parse(body).ok()?, Json::parse(record.as_bytes()).ok()?)
    else {
        return None;
    };
    let spaced = Rewriting { space: Space::Spaced, ..Rewriting::default() };
    let is_signed = |text: &str| {
        verifies(text.as_bytes()) || spaced.of(text).is_some_and(|text| verifies(text.as_bytes()))
    };
    let is_special = |name: &str| SPECIAL.contains(&name);
    let all = |_: &str| true;
    let sets: [&dyn Fn(&str) -> bool; 2] = [&is_special, &all];
    for (set, order) in sets.iter().flat_map(|set| [(set, Order::Given), (set, Order::Stored)]) {
        for (at, (_, content)) in members.iter().enumerate() {
            let mut names = Vec::new();
            let whole = restored(content, &record, *set, order, &mut names);
            if names.is_empty() {
                continue;
            }
            let mut before = members.clone();
            before[at].1 = whole;
            if is_signed(&Json::Object(before).compact()) {
                return Some(Cause::detailed(Code::MessageMembersDropped, messages::dropped_after(&names)));
            }
        }
    }
    None
}

/// The value with the members of the record that it lacks and that belong to the set. Their names are added to `names`.
fn restored(
    sent: &Json,
    record: &Json,
    set: &dyn Fn(&str) -> bool,
    order: Order,
    names: &mut Vec<String>,
) -> Json {
    match (sent, record) {
        (Json::Array(sent), Json::Array(given)) if sent.len() == given.len() => {
            let pairs = sent.iter().zip(given);
            Json::Array(pairs.map(|(sent, given)| restored(sent, given, set, order, names)).collect())
        }
        (Json::Object(sent), Json::Object(given)) => {
            let find = |members: &[(Text, Json)], name: &Text| {
                members.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
            };
            let mut whole: Vec<(Text, Json)> = Vec::with_capacity(sent.len());
            for (name, value) in sent {
                let value = match find(given, name) {
                    Some(given) => restored(value, &given, set, order, names),
                    None => value.clone(),
                };
                whole.push((name.clone(), value));
            }
            let mut follows = 0;
            for (name, value) in given {
                if let Some(at) = whole.iter().position(|(other, _)| other == name) {
                    follows = at + 1;
                    continue;
                }
                let Some(written) = name.to_unicode().filter(|name| set(name)) else { continue };
                let at = match order {
                    Order::Given => follows,
                    Order::Stored => place(&whole, &written),
                };
                whole.insert(at, (name.clone(), value.clone()));
                follows = at + 1;
                if !names.contains(&written) {
                    names.push(written);
                }
            }
            Json::Object(whole)
        }
        (sent, _) => sent.clone(),
    }
}

/// Where a name belongs among the names of a `jsonb` value.
fn place(members: &[(Text, Json)], name: &str) -> usize {
    let comes_before = |other: &str| (other.len(), other) < (name.len(), name);
    members
        .iter()
        .take_while(|(other, _)| other.to_unicode().is_some_and(|other| comes_before(&other)))
        .count()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    const RECORD: &str =
        r#"{"id":"r1","prototype":{"z":1},"data":[{"longer":1,"constructor":"x","a":2,"__proto__":[]}]}"#;

    fn found(signed: &str, sent: &str) -> Option<String> {
        let cause = after_signing(sent.as_bytes(), RECORD, &|text| text == signed.as_bytes())?;
        assert_eq!(cause.code, Code::MessageMembersDropped);
        cause.detail
    }

    #[test]
    fn members_that_were_signed_and_not_sent_are_found() {
        let body = |record: &str| format!(r#"{{"event":"a.b","data":{record},"timestamp":"t"}}"#);
        let sent = body(r#"{"id":"r1","data":[{"longer":1,"a":2}],"more":0}"#);
        let given = body(
            r#"{"id":"r1","prototype":{"z":1},"data":[{"longer":1,"constructor":"x","a":2,"__proto__":[]}],"more":0}"#,
        );
        let all = "`constructor`, `__proto__`, `prototype`; after signing";
        assert_eq!(found(&given, &sent).as_deref(), Some(all));
        let spaced = given.replace(':', ": ").replace(',', ", ");
        assert_eq!(found(&spaced, &sent).as_deref(), Some(all));
        assert_eq!(found(&sent, &sent), None);
        assert_eq!(found("{}", &sent), None);
        assert_eq!(found("{}", "[]"), None);
    }

    #[test]
    fn members_of_stored_values_are_found_in_their_order() {
        let sent = r#"{"record":{"id":"r1","prototype":{"z":1},"data":[{"a":2,"longer":1}]}}"#;
        let signed = r#"{"record":{"id":"r1","prototype":{"z":1},"data":[{"a":2,"longer":1,"__proto__":[],"constructor":"x"}]}}"#;
        assert_eq!(found(signed, sent).as_deref(), Some("`constructor`, `__proto__`; after signing"));
    }

    #[test]
    fn any_other_member_is_found_too() {
        let sent = r#"{"data":{"prototype":{"z":1},"data":[{"constructor":"x","a":2,"__proto__":[]}]}}"#;
        let signed = format!(r#"{{"data":{RECORD}}}"#);
        assert_eq!(found(&signed, sent).as_deref(), Some("`longer`, `id`; after signing"));
    }
}
