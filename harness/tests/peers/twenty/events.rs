//! What happens in a workspace, and the body that tells a webhook of it.

use super::json::{list, object, text};
use twenty_conform::webhook::json::{Json, Text};

/// The workspace, its only user, and its API key, as bodies name them.
pub(super) const WORKSPACE: &str = "20202020-1c25-4d02-bf25-6aeccf7ea419";
pub(super) const USER: &str = "20202020-9e3b-46d4-a556-88b9ddc2b034";
pub(super) const MEMBER: &str = "20202020-0687-4c41-b707-ed1bfca972a7";
pub(super) const API_KEY: &str = "08408cc3-ed56-4ceb-a3c8-08066dae9c45";

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Actor {
    ApiKey,
    User,
}

/// One event.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// `person.created`, `metadata.view.deleted`, …
    pub(super) name: String,
    pub(super) actor: Actor,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Record { object_id: String, record: Json, updated_fields: Option<Vec<String>> },
    Metadata { record_id: String, properties: Json },
}

impl Change {
    pub(super) fn is_metadata(&self) -> bool {
        matches!(self.what, What::Metadata { .. })
    }

    /// The id of the record, or of what changed in the metadata.
    pub(super) fn id(&self) -> String {
        match &self.what {
            What::Record { record, .. } => super::json::member_text(record, "id"),
            What::Metadata { record_id, .. } => record_id.clone(),
        }
    }

    pub(super) fn record(&self) -> Option<&Json> {
        match &self.what {
            What::Record { record, .. } => Some(record),
            What::Metadata { .. } => None,
        }
    }

    /// Whether a webhook's filter has this event: an exact name, or one with `*` for the object or the action. `*` alone has
    /// none.
    pub(super) fn matches(&self, pattern: &str) -> bool {
        if pattern == "*.*" || pattern == self.name {
            return true;
        }
        let (pattern, own): (Vec<_>, Vec<_>) = (pattern.split('.').collect(), self.name.split('.').collect());
        pattern.len() > 1
            && pattern.len() == own.len()
            && pattern.iter().zip(&own).all(|(one, part)| *one == "*" || one == part)
    }

    /// The body for one webhook.
    pub(super) fn body(&self, target: &str, webhook: &str, date: &str, names_actors: bool) -> Json {
        let mut members = vec![("targetUrl", text(target)), ("eventName", text(&self.name))];
        if let What::Record { object_id, .. } = &self.what {
            let singular = self.name.split('.').next().unwrap_or_default();
            let metadata = object([("id", text(object_id)), ("nameSingular", text(singular))]);
            members.push(("objectMetadata", metadata));
        }
        members.extend([
            ("workspaceId", text(WORKSPACE)),
            ("webhookId", text(webhook)),
            ("eventDate", text(date)),
        ]);
        match (self.actor, names_actors) {
            (Actor::User, true) => {
                members.push(("userId", text(USER)));
                if !self.is_metadata() {
                    members.push(("workspaceMemberId", text(MEMBER)));
                }
            }
            (Actor::ApiKey, true) if self.is_metadata() => members.push(("apiKeyId", text(API_KEY))),
            _ => {}
        }
        match &self.what {
            What::Record { record, updated_fields, .. } => {
                members.push(("record", record.clone()));
                members.extend(updated_fields.iter().map(|names| ("updatedFields", list(names))));
            }
            What::Metadata { record_id, properties } => {
                members.push(("event", self.metadata(record_id, properties)));
            }
        }
        Json::Object(members.into_iter().map(|(name, value)| (Text::from(name), value)).collect())
    }

    fn metadata(&self, record_id: &str, properties: &Json) -> Json {
        let mut parts = self.name.split('.').skip(1);
        let (name, operation) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let kind = ("type", text(operation));
        let (record, name) = (("recordId", text(record_id)), ("metadataName", text(name)));
        let properties = ("properties", properties.clone());
        // What follows from another change comes in this order when it is created.
        if operation == "created" && name.1 != text("objectMetadata") {
            object([kind, record, name, properties])
        } else {
            object([kind, name, record, properties])
        }
    }
}
