//! The routes of the REST API.

use super::api::{Answer, Api, now};
use super::events::{Actor, Change};
use super::filter::{Filter, LONGEST_PAGE, page, parameter};
use super::json::{object, text};
use super::objects::Object;
use super::settings::Restore;
use super::workspace::{Refusal, Workspace};
use twenty_conform::webhook::json::Json;

const ACTOR: Actor = Actor::ApiKey;

impl Api {
    /// Carries a request out.
    pub(super) fn route(&self, method: &str, path: &str, route: &[&str], query: &str, body: &Json) -> Answer {
        match route {
            ["metadata", "webhooks", rest @ ..] => self.webhooks(method, path, rest, body),
            ["metadata", rest @ ..] => self.metadata(method, path, rest, query, body),
            _ => self.records(method, path, route, query, body),
        }
    }

    fn webhooks(&self, method: &str, path: &str, route: &[&str], body: &Json) -> Answer {
        if !self.settings.permissions.webhooks {
            return Err(forbidden());
        }
        let mut workspace = self.workspace();
        match (method, route) {
            ("POST", []) => Ok((201, workspace.create_webhook(body, &now())?)),
            ("GET", []) => {
                let all = workspace.webhooks.iter().map(super::webhooks::Webhook::shown).collect();
                let (data, info, total) = page("", all, usize::MAX)?;
                let list = [("data", Json::Array(data)), ("pageInfo", info), ("totalCount", total)];
                Ok((200, object(list)))
            }
            ("GET", [id]) => Ok((200, workspace.webhook(id)?.shown())),
            ("PATCH", [id]) => Ok((200, workspace.change_webhook(id, body, &now())?)),
            ("DELETE", [id]) => {
                workspace.delete_webhook(id)?;
                Ok((200, Json::Bool(true)))
            }
            _ => Err(invalid(path)),
        }
    }

    fn metadata(&self, method: &str, path: &str, route: &[&str], query: &str, body: &Json) -> Answer {
        if method != "GET" && !self.settings.permissions.objects {
            return Err(forbidden());
        }
        let mut workspace = self.workspace();
        match (method, route) {
            ("GET", ["objects"]) => {
                let all = workspace.objects.iter().map(Object::shown).collect();
                let (shown, info, total) = page(query, all, usize::MAX)?;
                let data = object([("objects", Json::Array(shown))]);
                Ok((200, object([("data", data), ("pageInfo", info), ("totalCount", total)])))
            }
            ("GET", ["objects", id]) => {
                let found = workspace.objects.iter().find(|object| object.id == *id);
                let found = found
                    .ok_or_else(|| Refusal::new(404, "OBJECT_METADATA_NOT_FOUND", "Object does not exist"))?;
                Ok((200, data("object", found.shown())))
            }
            ("POST", ["objects"]) => {
                let (made, changes) = workspace.create_object(body, &now())?;
                self.emit(&workspace, &changes);
                Ok((201, data("createOneObject", made)))
            }
            ("DELETE", ["objects", id]) => {
                let (gone, changes) = workspace.delete_object(id, &now())?;
                self.emit(&workspace, &changes);
                Ok((200, data("deleteOneObject", gone)))
            }
            ("POST", ["fields"]) => {
                let (made, changes) = workspace.create_field(body, &now())?;
                self.emit(&workspace, &changes);
                Ok((201, data("createOneField", made)))
            }
            ("PATCH", ["fields", id]) => {
                let (changed, changes) = workspace.change_field(id, body, &now())?;
                self.emit(&workspace, &changes);
                Ok((200, data("updateOneField", changed)))
            }
            _ => Err(invalid(path)),
        }
    }

    fn records(&self, method: &str, path: &str, route: &[&str], query: &str, body: &Json) -> Answer {
        if method != "GET" && !self.settings.permissions.records {
            return Err(forbidden());
        }
        let restore = self.settings.restore;
        let mut workspace = self.workspace();
        match (method, route) {
            ("GET", [plural]) => {
                let of = workspace.object(plural)?;
                let (shown, info, total) =
                    page(query, workspace.found(&of, &Filter::of(query)?), LONGEST_PAGE)?;
                let data = object([(of.plural.as_str(), Json::Array(shown))]);
                Ok((200, object([("data", data), ("pageInfo", info), ("totalCount", total)])))
            }
            ("GET", [plural, id]) => {
                let of = workspace.object(plural)?;
                let found = workspace.found(&of, &Filter::id(id)).pop();
                let found = found.ok_or_else(|| Refusal::new(404, "RECORD_NOT_FOUND", "Record not found"))?;
                Ok((200, data(&of.singular, found)))
            }
            ("POST", ["batch", plural]) => {
                let of = workspace.object(plural)?;
                let Json::Array(given) = body else {
                    return Err(Refusal::input("The body must be an array"));
                };
                let made = self.create(&mut workspace, &of, given)?;
                Ok((201, data(&named("create", &of.plural), Json::Array(made))))
            }
            ("POST", [plural]) => {
                let of = workspace.object(plural)?;
                let made = self.create(&mut workspace, &of, std::slice::from_ref(body))?;
                let made = made.into_iter().next().unwrap_or(Json::Null);
                Ok((201, data(&named("create", &of.singular), made)))
            }
            ("PATCH", ["restore", plural]) if restore != Restore::Newer => {
                let filter = Filter::of(query)?;
                if filter.is_empty() {
                    return Err(Refusal::input("A filter is needed"));
                }
                self.restore(&mut workspace, plural, &filter)
            }
            ("PATCH", [plural, id, "restore"]) if restore != Restore::Older => {
                self.restore(&mut workspace, plural, &Filter::id(id))
            }
            ("PATCH", [plural, id]) => {
                let of = workspace.object(plural)?;
                let (record, changes) = workspace.update(&of, id, body, ACTOR, &now())?;
                self.emit(&workspace, &changes);
                Ok((200, data(&named("update", &of.singular), record)))
            }
            ("DELETE", [plural, id]) => {
                let of = workspace.object(plural)?;
                let is_soft = parameter(query, "soft_delete").as_deref() == Some("true");
                let (gone, changes) = if is_soft {
                    workspace.delete(&of, id, ACTOR, &now())?
                } else if !self.settings.permissions.destroying {
                    return Err(forbidden());
                } else {
                    let changes = workspace.destroy(&of, id, ACTOR)?;
                    (object([("id", text(id))]), changes)
                };
                self.emit(&workspace, &changes);
                Ok((200, data(&named("delete", &of.singular), gone)))
            }
            _ => Err(invalid(path)),
        }
    }

    fn create(&self, workspace: &mut Workspace, of: &Object, given: &[Json]) -> Result<Vec<Json>, Refusal> {
        let changes = workspace.create(of, given, ACTOR, &now())?;
        self.emit(workspace, &changes);
        Ok(changes.iter().filter_map(Change::record).cloned().collect())
    }

    fn restore(&self, workspace: &mut Workspace, plural: &str, filter: &Filter) -> Answer {
        let of = workspace.object(plural)?;
        let (restored, changes) = workspace.restore(&of, filter, ACTOR, &now());
        self.emit(workspace, &changes);
        Ok((200, data(&named("restore", &of.plural), Json::Array(restored))))
    }

    pub(super) fn emit(&self, workspace: &Workspace, changes: &[Change]) {
        self.worker.emit(&workspace.webhooks, changes);
    }
}

fn data(name: &str, value: Json) -> Json {
    object([("data", object([(name, value)]))])
}

/// `createCompany` of `create` and `company`.
fn named(verb: &str, name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("{verb}{}{rest}", first.to_uppercase())
}

fn forbidden() -> Refusal {
    Refusal::new(403, "PERMISSION_DENIED", "Entity performing the request does not have permission")
}

fn invalid(path: &str) -> Refusal {
    let examples = "Valid examples: /rest/companies/id or /rest/companies or /rest/batch/companies";
    Refusal::new(400, "BAD_REQUEST", format!("Query path '{path}' invalid. {examples}"))
}
