//! The contents of a fake Twenty: its webhooks, objects and records, and what a request changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::events::{Actor, Change, MEMBER, What};
use super::filter::Filter;
use super::json::{member_text, object, set, text};
use super::objects::{self, Kind, Object, SETTABLE, System};
use super::values;
use super::webhooks::Webhook;
use twenty_conform::random::Random;
use twenty_conform::webhook::json::Json;

/// How many records of one object it keeps. Creating more is an error.
const MOST_RECORDS: usize = 10_000;
/// How many records one request may create.
const LONGEST_BATCH: usize = 60;

/// Why a request is refused: its status, a code and a message.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn input(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_QUERY_INPUT", message)
    }

    fn no_record() -> Self {
        Self::new(404, "RECORD_NOT_FOUND", "Record not found")
    }
}

/// A workspace. The caller emits the events that its methods return.
pub(super) struct Workspace {
    pub(super) random: Arc<Random>,
    pub(super) webhooks: Vec<Webhook>,
    pub(super) objects: Vec<Object>,
    /// By the object's singular name, in the order of creation.
    records: BTreeMap<String, Vec<Json>>,
}

impl Workspace {
    pub(super) fn new(random: Arc<Random>, now: &str) -> Self {
        let objects = objects::standard(&random, now);
        Self { random, webhooks: Vec::new(), objects, records: BTreeMap::new() }
    }

    /// The object with this plural name.
    pub(super) fn object(&self, plural: &str) -> Result<Object, Refusal> {
        let found = self.objects.iter().find(|object| object.plural == plural);
        found.cloned().ok_or_else(|| Refusal::new(400, "BAD_REQUEST", format!("object '{plural}' not found")))
    }

    /// The records of an object, by its singular name; deleted ones too.
    pub(super) fn records(&self, singular: &str) -> &[Json] {
        self.records.get(singular).map_or(&[], Vec::as_slice)
    }

    pub(super) fn forget(&mut self, object: &Object) {
        self.objects.retain(|other| other.id != object.id);
        self.records.remove(&object.singular);
    }

    /// Those that a filter has. Deleted ones are left out unless it asks for them.
    pub(super) fn found(&self, object: &Object, filter: &Filter) -> Vec<Json> {
        let is_there = |record: &&Json| filter.asks_for_deleted() || !is_deleted(record);
        let all = self.records(&object.singular).iter().filter(is_there);
        all.filter(|record| filter.has(record)).cloned().collect()
    }

    pub(super) fn create(
        &mut self,
        object: &Object,
        given: &[Json],
        actor: Actor,
        now: &str,
    ) -> Result<Vec<Change>, Refusal> {
        if given.len() > LONGEST_BATCH {
            return Err(Refusal::input(format!("Maximum number of records to create is {LONGEST_BATCH}")));
        }
        if self.records(&object.singular).len() + given.len() > MOST_RECORDS {
            return Err(Refusal::new(500, "INTERNAL_SERVER_ERROR", "the workspace is full"));
        }
        let before = self.records(&object.singular).len();
        for one in given {
            let made = self.made(object, one, actor, now);
            let records = self.records.entry(object.singular.clone()).or_default();
            match made {
                Ok(record) => records.push(record),
                Err(refusal) => {
                    records.truncate(before);
                    return Err(refusal);
                }
            }
        }
        let made = &self.records(&object.singular)[before..];
        Ok(made.iter().map(|record| change(object, "created", actor, record, None)).collect())
    }

    fn made(&self, object: &Object, given: &Json, actor: Actor, now: &str) -> Result<Json, Refusal> {
        let mut record = object.empty();
        let others = self.records(&object.singular);
        let position = match others.len() {
            0 => "0".to_owned(),
            count => format!("-{count}"),
        };
        for (name, value) in [
            ("id", text(&self.random.uuid())),
            ("createdAt", text(now)),
            ("updatedAt", text(now)),
            ("position", Json::Number(position)),
            ("createdBy", shown(actor)),
            ("updatedBy", shown(actor)),
        ] {
            set(&mut record, name, value);
        }
        self.fill(object, &mut record, given, true)?;
        let id = member_text(&record, "id");
        if others.iter().any(|other| member_text(other, "id") == id) {
            return Err(Refusal::input("A duplicate entry was detected: id"));
        }
        self.check_unique(object, &record)?;
        let words = values::search_vector(&record);
        set(&mut record, "searchVector", words);
        Ok(record)
    }

    /// Sets what a client gives.
    fn fill(&self, object: &Object, record: &mut Json, given: &Json, is_new: bool) -> Result<(), Refusal> {
        let Json::Object(members) = given else {
            return Err(Refusal::input("The body must be an object"));
        };
        if !values::can_be_stored(given) {
            return Err(Refusal::new(500, "INTERNAL_SERVER_ERROR", "invalid byte sequence for encoding"));
        }
        for (name, value) in members {
            let name = name.to_string();
            let unknown =
                || Refusal::input(format!("Object {} doesn't have any {name:?} field.", object.singular));
            let field = object.field(&name).ok_or_else(unknown)?;
            let value = match field.kind {
                Kind::System(system) if !SETTABLE.contains(&system) => return Err(unknown()),
                Kind::System(System::Id | System::CreatedAt) if !is_new => return Err(unknown()),
                Kind::System(system) => system_value(system, record.get(&name), value),
                kind => values::set_to(kind, record.get(&name).unwrap_or(&Json::Null), value),
            };
            let value = value.map_err(Refusal::input)?;
            if let Kind::Relation(target) = field.kind
                && self.objects.iter().any(|object| object.singular == target)
                && value != Json::Null
                && !self.records(target).iter().any(|other| other.get("id") == Some(&value))
            {
                return Err(Refusal::input(format!("{target} {} does not exist", value.compact())));
            }
            set(record, &name, value);
        }
        Ok(())
    }

    /// Deleted records count too.
    fn check_unique(&self, object: &Object, record: &Json) -> Result<(), Refusal> {
        for field in object.fields.iter().filter(|field| field.is_unique(object)) {
            let key = |record: &Json| {
                let value = record.get(&field.name)?;
                let main = ["primaryEmail", "primaryLinkUrl"].into_iter().find_map(|name| value.get(name))?;
                Some(main.compact()).filter(|key| key != "\"\"")
            };
            let own = key(record);
            let is_other = |other: &&Json| other.get("id") != record.get("id");
            if own.is_some()
                && self.records(&object.singular).iter().filter(is_other).any(|other| key(other) == own)
            {
                return Err(Refusal::input(format!("A duplicate entry was detected: {}", field.name)));
            }
        }
        Ok(())
    }

    /// The changes of an update, which has none if nothing changes.
    pub(super) fn update(
        &mut self,
        object: &Object,
        id: &str,
        given: &Json,
        actor: Actor,
        now: &str,
    ) -> Result<(Json, Vec<Change>), Refusal> {
        let at = self.position(object, id).filter(|at| !is_deleted(&self.records(&object.singular)[*at]));
        let at = at.ok_or_else(Refusal::no_record)?;
        let before = self.records(&object.singular)[at].clone();
        let mut after = before.clone();
        self.fill(object, &mut after, given, false)?;
        self.check_unique(object, &after)?;
        let mut updated = Vec::new();
        for field in &object.fields {
            if before.get(&field.name) == after.get(&field.name) {
                continue;
            }
            if matches!(field.kind, Kind::Relation(_)) {
                updated.push(field.name.trim_end_matches("Id").to_owned());
            }
            updated.push(field.name.clone());
        }
        if updated.is_empty() {
            return Ok((before, Vec::new()));
        }
        set(&mut after, "updatedAt", text(now));
        set(&mut after, "updatedBy", shown(actor));
        let words = values::search_vector(&after);
        set(&mut after, "searchVector", words);
        self.replace(object, at, after.clone());
        let changed = change(object, "updated", actor, &after, Some(updated));
        Ok((after, vec![changed]))
    }

    /// Marks a record as deleted.
    pub(super) fn delete(
        &mut self,
        object: &Object,
        id: &str,
        actor: Actor,
        now: &str,
    ) -> Result<(Json, Vec<Change>), Refusal> {
        let at = self.position(object, id).filter(|at| !is_deleted(&self.records(&object.singular)[*at]));
        let at = at.ok_or_else(Refusal::no_record)?;
        let record = self.set_deleted(object, at, text(now), now);
        let changed = change(object, "deleted", actor, &record, Some(vec!["deletedAt".to_owned()]));
        Ok((record, vec![changed]))
    }

    /// Restores all records that a filter has; those that are not deleted stay as they are.
    pub(super) fn restore(
        &mut self,
        object: &Object,
        filter: &Filter,
        actor: Actor,
        now: &str,
    ) -> (Vec<Json>, Vec<Change>) {
        let (mut restored, mut changes) = (Vec::new(), Vec::new());
        for at in 0..self.records(&object.singular).len() {
            let record = &self.records(&object.singular)[at];
            if !is_deleted(record) || !filter.has(record) {
                continue;
            }
            let record = self.set_deleted(object, at, Json::Null, now);
            let fields = Some(vec!["deletedAt".to_owned()]);
            changes.push(change(object, "restored", actor, &record, fields));
            restored.push(record);
        }
        (restored, changes)
    }

    /// Removes a record, deleted or not. Relations to it become null, which emits nothing.
    pub(super) fn destroy(
        &mut self,
        object: &Object,
        id: &str,
        actor: Actor,
    ) -> Result<Vec<Change>, Refusal> {
        let at = self.position(object, id).ok_or_else(Refusal::no_record)?;
        let gone = self.records.entry(object.singular.clone()).or_default().remove(at);
        for other in &self.objects {
            let to_it = |kind| matches!(kind, Kind::Relation(target) if target == object.singular);
            for field in other.fields.iter().filter(|field| to_it(field.kind)) {
                for record in self.records.get_mut(&other.singular).into_iter().flatten() {
                    if record.get(&field.name) == gone.get("id") {
                        set(record, &field.name, Json::Null);
                    }
                }
            }
        }
        Ok(vec![change(object, "destroyed", actor, &gone, None)])
    }

    /// Adds a field to an object and to its records.
    pub(super) fn add_field(&mut self, object_id: &str, field: objects::Field) -> bool {
        let Some(object) = self.objects.iter_mut().find(|object| object.id == object_id) else {
            return false;
        };
        for record in self.records.get_mut(&object.singular).into_iter().flatten() {
            set(record, &field.name, values::default(field.kind));
        }
        object.fields.push(field);
        true
    }

    fn position(&self, object: &Object, id: &str) -> Option<usize> {
        let id = text(&id.to_lowercase());
        self.records(&object.singular).iter().position(|record| record.get("id") == Some(&id))
    }

    fn set_deleted(&mut self, object: &Object, at: usize, deleted_at: Json, now: &str) -> Json {
        let mut record = self.records(&object.singular)[at].clone();
        set(&mut record, "deletedAt", deleted_at);
        set(&mut record, "updatedAt", text(now));
        self.replace(object, at, record.clone());
        record
    }

    fn replace(&mut self, object: &Object, at: usize, record: Json) {
        if let Some(records) = self.records.get_mut(&object.singular) {
            records[at] = record;
        }
    }
}

fn is_deleted(record: &Json) -> bool {
    record.get("deletedAt").is_some_and(|at| *at != Json::Null)
}

fn change(
    object: &Object,
    action: &str,
    actor: Actor,
    record: &Json,
    updated_fields: Option<Vec<String>>,
) -> Change {
    let what = What::Record { object_id: object.id.clone(), record: record.clone(), updated_fields };
    Change { name: format!("{}.{action}", object.singular), actor, what }
}

/// The value of a system field that a client sets.
fn system_value(system: System, before: Option<&Json>, given: &Json) -> Result<Json, String> {
    match (system, given) {
        (System::Id, Json::Text(id)) if values::is_uuid(&id.to_string()) => {
            Ok(text(&id.to_string().to_lowercase()))
        }
        (System::CreatedAt, Json::Text(time)) => {
            let time = values::moment(&time.to_string()).ok_or_else(|| "Invalid date".to_owned())?;
            Ok(text(&time))
        }
        (System::Position, Json::Number(_)) => Ok(given.clone()),
        (System::CreatedBy, Json::Object(members)) => {
            let mut actor = before.cloned().unwrap_or(Json::Null);
            for (name, value) in members {
                let name = name.to_string();
                if actor.get(&name).is_none() {
                    return Err(format!("Object of type ACTOR has no member {name:?}"));
                }
                set(&mut actor, &name, value.clone());
            }
            Ok(actor)
        }
        _ => Err(format!("Invalid value {} for {system:?}", given.compact())),
    }
}

/// An actor as records show it.
fn shown(actor: Actor) -> Json {
    let (source, member, name) = match actor {
        Actor::ApiKey => ("API", Json::Null, "conform"),
        Actor::User => ("MANUAL", text(MEMBER), "Ann Other"),
    };
    object([
        ("source", text(source)),
        ("workspaceMemberId", member),
        ("name", text(name)),
        ("context", Json::Object(Vec::new())),
    ])
}
