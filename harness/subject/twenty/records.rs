//! From events to what Twenty's API accepts: which members of a record can be set, and in which form.
//!
//! Invariant: what is set arrives unchanged. A value that Twenty would normalise, or that its database cannot hold, is left out
//! or is set in its normal form.

mod form;

use form::Form;

use crate::webhook::json::{Json, Text};

/// The field of the custom object that holds any record.
pub(super) const JSON_FIELD: &str = "conformRecord";
/// The name of each record of the custom object.
pub(super) const CUSTOM_NAME: &str = "twenty-conform";

/// A standard object of Twenty.
#[derive(Debug)]
pub(super) struct Standard {
    pub(super) singular: &'static str,
    pub(super) plural: &'static str,
    members: &'static [(&'static str, Form)],
    /// The member that an update changes if the event changes nothing: a text, or the name of a person.
    free: &'static str,
}

/// Every standard object whose records are created. The members are in the order that records of 2.31 have, which `updatedFields` keeps.
pub(super) const STANDARD: &[Standard] = &[
    Standard {
        singular: "person",
        plural: "people",
        members: &[
            ("name", Form::FullName),
            ("emails", Form::Emails),
            ("linkedinLink", Form::Links { unique: false }),
            ("jobTitle", Form::Text),
            ("phones", Form::Phones),
        ],
        free: "jobTitle",
    },
    Standard {
        singular: "company",
        plural: "companies",
        members: &[
            ("name", Form::Text),
            ("domainName", Form::Links { unique: true }),
            ("address", Form::Address),
            ("linkedinLink", Form::Links { unique: false }),
            ("annualRevenue", Form::Money),
            ("employees", Form::Whole),
        ],
        free: "name",
    },
    Standard {
        singular: "note",
        plural: "notes",
        members: &[("title", Form::Text), ("bodyV2", Form::Body)],
        free: "title",
    },
    Standard {
        singular: "task",
        plural: "tasks",
        members: &[
            ("title", Form::Text),
            ("bodyV2", Form::Body),
            ("dueAt", Form::Time),
            ("status", Form::Choice(&["TODO", "IN_PROGRESS", "DONE"])),
        ],
        free: "title",
    },
    Standard {
        singular: "opportunity",
        plural: "opportunities",
        members: &[
            ("name", Form::Text),
            ("amount", Form::Money),
            ("closeDate", Form::Time),
            ("stage", Form::Choice(&["NEW", "SCREENING", "MEETING", "PROPOSAL", "CUSTOMER"])),
        ],
        free: "name",
    },
];

/// Members of a record as JSON texts, in order. The id is not among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SetMembers(pub(super) Vec<(&'static str, String)>);

impl SetMembers {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }

    /// Sets these members too.
    pub(super) fn set(&mut self, others: &Self) {
        for (name, value) in &others.0 {
            match self.0.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => known.clone_from(value),
                None => self.0.push((name, value.clone())),
            }
        }
    }

    /// The names of the members.
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|(name, _)| *name).collect()
    }

    /// Without this member.
    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(other, _)| *other != name);
    }

    /// A JSON object, which begins with the id if there is one.
    pub(super) fn object(&self, id: Option<&str>) -> String {
        let id = id.map(|id| format!("\"id\":\"{id}\""));
        let members = self.0.iter().map(|(name, value)| format!("\"{name}\":{value}"));
        let all: Vec<String> = id.into_iter().chain(members).collect();
        format!("{{{}}}", all.join(","))
    }
}

impl Standard {
    /// The object with this singular name.
    pub(super) fn named(singular: &str) -> Option<&'static Self> {
        STANDARD.iter().find(|one| one.singular == singular)
    }

    /// The members of a record that can be set, each in its normal form.
    pub(super) fn settable(&self, id: &str, record: &Json) -> SetMembers {
        let normal = |(name, form): &(&'static str, Form)| {
            let value = form.normal(record.get(name)?, id)?;
            Some((*name, value.compact()))
        };
        SetMembers(self.members.iter().filter_map(normal).collect())
    }

    /// What an update sets: the members that differ, of those that the event names if it names one that can be set. If none differs,
    /// a text gets another ending, because a change that changes nothing emits nothing.
    pub(super) fn update(
        &self,
        id: &str,
        known: &SetMembers,
        record: &Json,
        named: Option<&[String]>,
        number: usize,
    ) -> SetMembers {
        let mut wanted = self.settable(id, record).0;
        let is_named = |name: &str| named.is_some_and(|names| names.iter().any(|one| one == name));
        if wanted.iter().any(|(name, _)| is_named(name)) {
            wanted.retain(|(name, _)| is_named(name));
        }
        wanted.retain(|(name, value)| known.get(name) != Some(value));
        if wanted.is_empty() {
            wanted.push((self.free, changed_text(known.get(self.free), number)));
        }
        SetMembers(wanted)
    }
}

/// What a record of the custom object sets: everything but the id goes into one field, with its formatting.
pub(super) fn any_members(record: &str) -> SetMembers {
    let rest = Json::without(record.as_bytes(), "id").and_then(|text| String::from_utf8(text).ok());
    let value = rest.unwrap_or_else(|| record.to_owned());
    SetMembers(vec![("name", Json::Text(CUSTOM_NAME.into()).compact()), (JSON_FIELD, value)])
}

/// What an update of such a record sets.
pub(super) fn any_update(known: &SetMembers, record: &str, number: usize) -> SetMembers {
    let mut wanted = any_members(record);
    wanted.0.retain(|(name, value)| known.get(name) != Some(value));
    if wanted.0.is_empty() {
        wanted.0.push(("name", changed_text(known.get("name"), number)));
    }
    wanted
}

/// Whether PostgreSQL can hold the text of this JSON: it has no NUL, and no surrogate without its other half.
pub(crate) fn can_be_stored(json: &Json) -> bool {
    let can = |text: &Text| text.units().iter().all(|&unit| unit != 0) && text.to_unicode().is_some();
    match json {
        Json::Text(text) => can(text),
        Json::Array(elements) => elements.iter().all(can_be_stored),
        Json::Object(members) => members.iter().all(|(name, value)| can(name) && can_be_stored(value)),
        Json::Null | Json::Bool(_) | Json::Number(_) => true,
    }
}

/// A text that differs from the known one, as JSON.
fn changed_text(known: Option<&str>, number: usize) -> String {
    let known = known.and_then(|known| serde_json::from_str::<String>(known).ok()).unwrap_or_default();
    let before = known.split(" (changed ").next().unwrap_or_default();
    serde_json::Value::from(format!("{before} (changed {number})")).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    const ID: &str = "7477636f-6e66-4000-8000-0123456789ab";

    fn json(text: &str) -> Json {
        Json::parse(text.as_bytes()).unwrap()
    }

    fn set(object: &str, record: &str) -> String {
        Standard::named(object).unwrap().settable(ID, &json(record)).object(Some(ID))
    }

    #[test]
    fn members_that_cannot_be_set_are_left_out() {
        let person = r#"{"id":"x","name":{"firstName":"Łucja","lastName":"Nowak 😀"},"jobTitle":"Eng","city":"Kraków",
            "emails":{"primaryEmail":"lucja@example.com","additionalEmails":["l.n@example.org"]},"position":-3,
            "linkedinLink":{"primaryLinkUrl":"https://linkedin.example/in/łucja","primaryLinkLabel":"","secondaryLinks":[]},
            "createdAt":"2025-02-10T15:30:45.123Z","kindsOfValue":{"a":1}}"#;
        assert_eq!(
            set("person", person),
            r#"{"id":"7477636f-6e66-4000-8000-0123456789ab","name":{"firstName":"Łucja","lastName":"Nowak 😀"},"emails":{"primaryEmail":"lucja.0123456789ab@example.com","additionalEmails":["l.n.0123456789ab@example.org"]},"jobTitle":"Eng"}"#
        );
        assert_eq!(
            set("task", r#"{"title":null,"status":"LATER","dueAt":"soon"}"#),
            format!(r#"{{"id":"{ID}"}}"#)
        );
        assert_eq!(
            set(
                "opportunity",
                r#"{"name":"O","amount":{"amountMicros":1.5,"currencyCode":"EUR"},"stage":"NEW"}"#
            ),
            format!(r#"{{"id":"{ID}","name":"O","stage":"NEW"}}"#)
        );
    }

    #[test]
    fn samples_have_members_that_can_be_set() {
        for event in crate::webhook::dialect::SHIPPED.samples() {
            let Some(object) = Standard::named(event.name.object()) else { continue };
            let record = json(event.record.get());
            assert!(!object.settable(ID, &record).0.is_empty(), "{}", event.name);
        }
    }

    #[test]
    fn update_changes_what_the_event_names() {
        let object = Standard::named("company").unwrap();
        let known = object.settable(ID, &json(r#"{"name":"A","employees":1}"#));
        let next = json(r#"{"name":"B","employees":2}"#);
        let named = ["employees".to_owned(), "city".to_owned()];
        assert_eq!(object.update(ID, &known, &next, Some(&named), 1).object(None), r#"{"employees":2}"#);
        let unknown = ["city".to_owned()];
        assert_eq!(object.update(ID, &known, &next, Some(&unknown), 1).names(), ["name", "employees"]);
        assert_eq!(object.update(ID, &known, &next, None, 1).names(), ["name", "employees"]);
    }

    #[test]
    fn update_that_would_change_nothing_changes_a_text() {
        let object = Standard::named("company").unwrap();
        let record = json(r#"{"name":"A"}"#);
        let mut known = object.settable(ID, &record);
        let first = object.update(ID, &known, &record, None, 1);
        assert_eq!(first.object(None), r#"{"name":"A (changed 1)"}"#);
        known.set(&first);
        let named = ["employees".to_owned()];
        let second = object.update(ID, &known, &json(r#"{"name":"A (changed 1)"}"#), Some(&named), 2);
        assert_eq!(second.object(None), r#"{"name":"A (changed 2)"}"#);
        let person = Standard::named("person").unwrap();
        let empty = person.update(ID, &SetMembers::default(), &json("{}"), None, 3);
        assert_eq!(empty.object(None), r#"{"jobTitle":" (changed 3)"}"#);
    }

    #[test]
    fn custom_object_keeps_every_digit_and_escape() {
        let record = r#"{"id":"x","n":9007199254740993,"d":1.10,"t":"\u00e9 é","__proto__":{"a": 1}}"#;
        let set = any_members(record);
        assert_eq!(
            set.object(Some(ID)),
            format!(
                r#"{{"id":"{ID}","name":"twenty-conform","conformRecord":{{"n":9007199254740993,"d":1.10,"t":"\u00e9 é","__proto__":{{"a": 1}}}}}}"#
            )
        );
        assert_eq!(any_update(&set, record, 1).object(None), r#"{"name":"twenty-conform (changed 1)"}"#);
        assert_eq!(any_update(&set, r#"{"id":"x","n":1}"#, 1).object(None), r#"{"conformRecord":{"n":1}}"#);
    }

    #[test]
    fn values_that_the_database_cannot_hold_are_found() {
        for (text, expected) in [
            (r#"{"a":["b",{"c":"d é 😀"}]}"#, true),
            (r#"{"a":"\u0000"}"#, false),
            (r#"[{"\u0000":1}]"#, false),
            (r#"["\ud800"]"#, false),
            (r#"["\ud83d\ude00"]"#, true),
        ] {
            assert_eq!(can_be_stored(&json(text)), expected, "{text}");
        }
    }
}
