//! Custom objects and their fields, and the metadata events that a change of them brings.

use serde_json::Value;

use super::events::{Actor, Change, WORKSPACE, What};
use super::json::{as_text, list, member_text, object, text, tree};
use super::objects::{Field, Kind, Object};
use super::workspace::{Refusal, Workspace};
use twenty_conform::webhook::json::Json;

/// What creating and deleting one object changes elsewhere, as version 2.31 was seen to do it.
const CONSEQUENCES: &str = include_str!("metadata.json");

impl Workspace {
    /// Creates a custom object.
    pub(super) fn create_object(&mut self, given: &Json, now: &str) -> Result<(Json, Vec<Change>), Refusal> {
        let names = ["nameSingular", "namePlural", "labelSingular", "labelPlural"];
        let Some(texts) =
            names.iter().map(|name| given.get(name).and_then(as_text)).collect::<Option<Vec<_>>>()
        else {
            return Err(Refusal::input(format!("{} are needed", names.join(", "))));
        };
        let known = ["description", "icon", "isLabelSyncedWithName", "skipNameField"];
        check_members(given, &[&names[..], &known].concat())?;
        let [singular, plural] = [&texts[0], &texts[1]];
        for name in [singular, plural] {
            let is_word = name.starts_with(|first: char| first.is_ascii_lowercase())
                && name.chars().all(|character| character.is_ascii_alphanumeric())
                && name.len() <= 63;
            let exists = self.objects.iter().any(|other| [&other.singular, &other.plural].contains(&name));
            if !is_word || exists {
                let why = if exists { "Object already exists" } else { "Invalid object name" };
                return Err(Refusal::new(400, "INVALID_OBJECT_INPUT", why));
            }
        }
        if singular == plural {
            return Err(Refusal::new(
                400,
                "INVALID_OBJECT_INPUT",
                "The singular and plural names are the same",
            ));
        }
        let mut made = Object::custom(
            &self.random,
            [&texts[0], &texts[1], &texts[2], &texts[3]].map(String::as_str),
            now,
        );
        made.description = given.get("description").cloned().unwrap_or(Json::Null);
        let changes = self.consequences(&made, "created", now);
        let shown = made.shown();
        self.objects.push(made);
        Ok((shown, changes))
    }

    /// Deletes a custom object with its records, which emits no event of a record.
    pub(super) fn delete_object(&mut self, id: &str, now: &str) -> Result<(Json, Vec<Change>), Refusal> {
        let found = self.objects.iter().find(|object| object.id == id).cloned();
        let found = found.ok_or_else(no_object)?;
        if !found.custom {
            return Err(Refusal::new(
                400,
                "OBJECT_MUTATION_NOT_ALLOWED",
                "Standard objects cannot be deleted",
            ));
        }
        self.forget(&found);
        let changes = self.consequences(&found, "deleted", now);
        Ok((found.shown(), changes))
    }

    /// Adds a field to an object.
    pub(super) fn create_field(&mut self, given: &Json, now: &str) -> Result<(Json, Vec<Change>), Refusal> {
        let known = [
            "objectMetadataId",
            "name",
            "label",
            "type",
            "description",
            "icon",
            "isNullable",
            "isUnique",
            "isLabelSyncedWithName",
            "defaultValue",
            "settings",
            "options",
        ];
        check_members(given, &known)?;
        let (name, label) = (member_text(given, "name"), member_text(given, "label"));
        let of = member_text(given, "objectMetadataId");
        let object = self.objects.iter().find(|object| object.id == of).cloned().ok_or_else(no_object)?;
        let input = |why: &str| Refusal::new(400, "INVALID_FIELD_INPUT", why);
        let kind = Kind::named(&member_text(given, "type")).ok_or_else(|| input("Unsupported field type"))?;
        if name.is_empty() || label.is_empty() {
            return Err(input("name and label are needed"));
        }
        if object.field(&name).is_some() {
            return Err(input("Field already exists"));
        }
        let made = Field { id: self.random.uuid(), name, label, kind };
        let shown = made.shown(&object);
        self.add_field(&object.id, made.clone());
        let change = self.changed("fieldMetadata", "created", &object, now, Some(&made));
        Ok((shown, change.into_iter().collect()))
    }

    /// Changes the label of a field, which emits nothing if it has that label already.
    pub(super) fn change_field(
        &mut self,
        id: &str,
        given: &Json,
        now: &str,
    ) -> Result<(Json, Vec<Change>), Refusal> {
        check_members(given, &["label"])?;
        let at = self
            .objects
            .iter()
            .enumerate()
            .find_map(|(at, object)| Some((at, object.fields.iter().position(|field| field.id == id)?)));
        let missing = || Refusal::new(404, "FIELD_METADATA_NOT_FOUND", "Field does not exist");
        let (owner, field) = at.ok_or_else(missing)?;
        let before = self.objects[owner].fields[field].clone();
        let label = given.get("label").and_then(as_text).filter(|label| !label.is_empty());
        let label = label.ok_or_else(|| Refusal::new(400, "INVALID_FIELD_INPUT", "label must be a text"))?;
        self.objects[owner].fields[field].label.clone_from(&label);
        let of = &self.objects[owner];
        let after = &of.fields[field];
        if before.label == label {
            return Ok((after.shown(of), Vec::new()));
        }
        let content =
            |field: &Field| self.content("fieldMetadata", "created", of, now, Some(field)).map(|it| it.1);
        let diff = object([("label", object([("before", text(&before.label)), ("after", text(&label))]))]);
        let properties = object([
            ("updatedFields", list(&["label".to_owned()])),
            ("diff", diff),
            ("before", content(&before).unwrap_or(Json::Null)),
            ("after", content(after).unwrap_or(Json::Null)),
        ]);
        let what = What::Metadata { record_id: before.id.clone(), properties };
        let name = "metadata.fieldMetadata.updated".to_owned();
        Ok((after.shown(of), vec![Change { name, actor: Actor::ApiKey, what }]))
    }

    /// The events of an object that is created or deleted.
    fn consequences(&self, object: &Object, operation: &str, now: &str) -> Vec<Change> {
        let templates: Vec<Value> = serde_json::from_str(CONSEQUENCES).unwrap();
        let mut changes = Vec::new();
        for template in &templates {
            let name = template["metadataName"].as_str().unwrap();
            let count = template["count"].as_u64().unwrap();
            for at in 0..count {
                let field = usize::try_from(at).ok().and_then(|at| object.fields.get(at));
                changes.extend(self.changed(name, operation, object, now, field));
            }
        }
        changes
    }

    /// One metadata event about an object; `None` if this operation has none of this name.
    fn changed(
        &self,
        name: &str,
        operation: &str,
        of: &Object,
        now: &str,
        field: Option<&Field>,
    ) -> Option<Change> {
        let (record_id, content) = self.content(name, operation, of, now, field)?;
        let properties = object([(if operation == "created" { "after" } else { "before" }, content)]);
        let what = What::Metadata { record_id, properties };
        Some(Change { name: format!("metadata.{name}.{operation}"), actor: Actor::ApiKey, what })
    }

    /// What a metadata event shows of its subject, after the id of that.
    fn content(
        &self,
        name: &str,
        operation: &str,
        of: &Object,
        now: &str,
        field: Option<&Field>,
    ) -> Option<(String, Json)> {
        let templates: Vec<Value> = serde_json::from_str(CONSEQUENCES).unwrap();
        let template = templates.iter().find(|template| template["metadataName"] == name)?;
        let mut content = template.get(operation)?.clone();
        let mut record_id = match name {
            "objectMetadata" => of.id.clone(),
            _ => self.random.uuid(),
        };
        if let (Some(field), "fieldMetadata") = (field, name) {
            record_id.clone_from(&field.id);
            content["name"] = field.name.clone().into();
            content["label"] = field.label.clone().into();
            content["type"] = field.kind.name().into();
        }
        let written = content.to_string();
        let written = [
            ("$id", record_id.as_str()),
            ("$object", &of.id),
            ("$Plural", &of.label_plural),
            ("$plural", &of.plural),
            ("$Singular", &of.label_singular),
            ("$singular", &of.singular),
            ("$now", now),
            ("$workspace", WORKSPACE),
        ]
        .into_iter()
        .fold(written, |written, (mark, value)| written.replace(mark, value));
        Some((record_id, tree(&serde_json::from_str(&written).unwrap())))
    }
}

fn no_object() -> Refusal {
    Refusal::new(404, "OBJECT_METADATA_NOT_FOUND", "Object does not exist")
}

fn check_members(given: &Json, known: &[&str]) -> Result<(), Refusal> {
    let Json::Object(members) = given else { return Err(Refusal::input("The body must be an object")) };
    let names = members.iter().map(|(name, _)| name.to_string());
    match names.into_iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Refusal::input(format!("property {name} should not exist"))),
        None => Ok(()),
    }
}
