//! A Twenty as a sender: what the suite asks of a sender, as calls to the API.
//!
//! Invariant: only what this run made is changed or removed, and all of it is removed in the end.

mod events;
mod registry;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::json;

use super::api::{Api, ObjectDraft, Version, WebhookDraft};
use super::cleanup::{self, Made, Removal};
use super::error::{ApiError, ApiFault};
use super::records::{JSON_FIELD, STANDARD};
use super::{mark, messages};
use crate::subject::SubjectError;
use crate::subject::capability::Capability;
use crate::subject::protocol::{Op, Reply};
use crate::subject::sender::{Crm, Sender};
use crate::webhook::dialect::SHIPPED;
use crate::webhook::event::Event;
use crate::webhook::signature::Secret;
use registry::{CustomObject, Registry};

/// How long calls under way may take to end before the cleanup begins.
const QUIET: Duration = Duration::from_secs(10);

/// A Twenty that is driven through its API.
pub struct Twenty {
    api: Api,
    /// What distinguishes this run from others.
    run: String,
    registry: Mutex<Registry>,
    /// What `hello` found out.
    greeted: Mutex<Greeted>,
}

#[derive(Debug, Clone, Default)]
struct Greeted {
    version: Version,
    crm: Option<Crm>,
    without_custom: Option<String>,
}

impl Twenty {
    /// The Twenty that this API belongs to. `run` is random: 32 hexadecimal digits, other ones for each run whatever its seed.
    pub fn new(api: Api, run: impl Into<String>) -> Self {
        Self { api, run: run.into(), registry: Mutex::default(), greeted: Mutex::default() }
    }

    /// The API, which tells how many calls were made and how long they waited.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// The version, which is known after `hello` if the server tells it.
    pub fn version(&self) -> Version {
        self.greeted().version.clone()
    }

    /// Why there is no custom object, if there is none after `hello`.
    pub fn without_custom_object(&self) -> Option<String> {
        self.greeted().without_custom.clone()
    }

    /// How many things are there to be removed.
    pub fn left(&self) -> usize {
        let registry = self.registry();
        registry.made().len() + registry.unanswered_webhooks
    }

    /// Removes everything that this run made. It can be called again, and then removes the rest.
    pub async fn stop(&self) -> Removal {
        self.api.quiet(QUIET).await;
        let (mut made, mut left) = (self.registry().made(), Vec::new());
        for found in [self.unanswered_webhooks().await, self.unanswered_object().await] {
            match found {
                Ok(others) => made.extend(others),
                Err(why) => left.push(why),
            }
        }
        made.sort();
        made.dedup();
        let within = cleanup::time_to_remove(&self.api, made.len());
        let mut removal = cleanup::remove(&self.api, made, within).await;
        self.registry().forget(&removal.removed);
        removal.left.extend(left);
        removal
    }

    /// The webhooks whose registration was not answered, if there are any.
    async fn unanswered_webhooks(&self) -> Result<Vec<Made>, String> {
        if self.registry().unanswered_webhooks == 0 {
            return Ok(Vec::new());
        }
        let all = self.api.webhooks().await.map_err(|why| messages::could_not_look("webhooks", why))?;
        let description = messages::webhook_description(mark::DESCRIPTION_PREFIX, &self.run);
        let own = all.into_iter().filter(|one| one.description == description);
        self.registry().unanswered_webhooks = 0;
        Ok(own.map(|one| Made::Webhook { id: one.id, url: one.target_url }).collect())
    }

    /// The custom object, if its creation was not answered.
    async fn unanswered_object(&self) -> Result<Vec<Made>, String> {
        let name = match &self.registry().custom {
            Some(CustomObject { id: None, singular, .. }) => singular.clone(),
            _ => return Ok(Vec::new()),
        };
        let all = self.api.objects().await.map_err(|why| messages::could_not_look("objects", why))?;
        let own: Vec<Made> = all
            .into_iter()
            .filter(|one| mark::is_our_object(&one.name, &one.description) && one.name == name)
            .map(|one| Made::Object { id: one.id, name: one.name })
            .collect();
        if own.is_empty() {
            self.registry().custom = None;
        }
        Ok(own)
    }

    async fn ask(&self, op: Op) -> Result<Reply, SubjectError> {
        match op {
            Op::Hello { .. } => self.hello().await,
            Op::CreateWebhook { url, secret, operations } => {
                self.create_webhook(url, secret, operations).await
            }
            Op::Emit(event) => Ok(self.emit(vec![event]).await?.swap_remove(0)),
            Op::Outcomes { .. } => Ok(Reply::Unsupported(messages::no_outcomes())),
            Op::DeleteWebhook { webhook } => self.delete_webhook(&webhook).await,
            Op::Shutdown => {
                let removal = self.stop().await;
                Ok(if removal.is_complete() {
                    Reply::ok(&json!({ "removed": removal.removed.len() }))
                } else {
                    Reply::Error(removal.complaints().join("; "))
                })
            }
        }
    }

    async fn hello(&self) -> Result<Reply, SubjectError> {
        let version = self.api.version().await.map_err(ApiError::at_start)?;
        // Before anything is made.
        self.api.check_key().await.map_err(ApiError::at_start)?;
        let mut objects: Vec<String> = STANDARD.iter().map(|one| one.singular.to_owned()).collect();
        let (any_record, without_custom) = match self.make_custom_object().await {
            Ok(singular) => (Some(singular), None),
            Err(error) => {
                use ApiFault::{Forbidden, NoRoute, NotFound, Refused};
                if !matches!(error.fault, Forbidden | NoRoute | NotFound | Refused) {
                    return Err(error.at_start());
                }
                (None, Some(error.to_string()))
            }
        };
        objects.extend(any_record.clone());
        let metadata = version.has_metadata_events().then_some(Capability::MetadataEvents);
        let capabilities = [Capability::Delete, Capability::Filters, Capability::Unsigned];
        let capabilities: Vec<&str> =
            capabilities.into_iter().chain(metadata).map(Capability::as_str).collect();
        let hello = json!({
            "name": "Twenty",
            "version": version.0.as_deref().unwrap_or("unknown"),
            "dialect": SHIPPED.name,
            "capabilities": capabilities,
        });
        *self.greeted() = Greeted { version, crm: Some(Crm { objects, any_record }), without_custom };
        Ok(Reply::ok(&hello))
    }

    /// Makes the custom object and its field. Returns its singular name.
    async fn make_custom_object(&self) -> Result<String, ApiError> {
        let singular = mark::object_name(&self.run);
        let plural = format!("{singular}s");
        let description = messages::object_description(mark::DESCRIPTION_PREFIX);
        let draft = ObjectDraft { singular: singular.clone(), plural: plural.clone(), description };
        let custom = CustomObject { id: None, field: None, singular: singular.clone(), plural };
        self.registry().custom = Some(custom);
        let id = match self.api.create_object(&draft).await {
            Ok(id) => id,
            Err(error) => {
                if !error.is_uncertain() {
                    self.registry().custom = None;
                }
                return Err(error);
            }
        };
        self.with_custom(|custom| custom.id = Some(id.clone()));
        match self.api.create_json_field(&id, JSON_FIELD).await {
            Ok(field) => {
                self.with_custom(|custom| custom.field = Some(field));
                Ok(singular)
            }
            Err(error) => {
                // Without the field it is of no use. If it cannot be deleted now, it is in the end.
                if self.api.delete_object(&id).await.is_ok() {
                    self.registry().custom = None;
                }
                Err(error)
            }
        }
    }

    async fn create_webhook(
        &self,
        url: String,
        secret: Option<Secret>,
        operations: Option<Vec<String>>,
    ) -> Result<Reply, SubjectError> {
        let draft = WebhookDraft {
            target_url: url.clone(),
            operations: operations.unwrap_or_else(|| vec!["*.*".to_owned()]),
            secret,
            description: messages::webhook_description(mark::DESCRIPTION_PREFIX, &self.run),
        };
        self.registry().unanswered_webhooks += 1;
        let created = self.api.create_webhook(&draft).await;
        let mut registry = self.registry();
        match created {
            Ok(id) => {
                registry.unanswered_webhooks -= 1;
                registry.webhooks.insert(id.clone(), url);
                Ok(Reply::ok(&json!({ "webhook": id })))
            }
            Err(error) => {
                if !error.is_uncertain() {
                    registry.unanswered_webhooks -= 1;
                }
                Err(error.in_run())
            }
        }
    }

    async fn delete_webhook(&self, id: &str) -> Result<Reply, SubjectError> {
        if !self.registry().webhooks.contains_key(id) {
            return Ok(Reply::Error(messages::not_our_webhook(id)));
        }
        self.api.delete_webhook(id).await.map_err(|error| error.in_run())?;
        self.registry().webhooks.remove(id);
        Ok(Reply::ok(&json!({})))
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_custom(&self, change: impl FnOnce(&mut CustomObject)) {
        if let Some(custom) = &mut self.registry().custom {
            change(custom);
        }
    }

    fn greeted(&self) -> MutexGuard<'_, Greeted> {
        self.greeted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sender for Twenty {
    fn call(&self, op: Op) -> BoxFuture<'_, Result<Reply, SubjectError>> {
        self.ask(op).boxed()
    }

    fn emit_all(&self, events: Vec<Event>) -> BoxFuture<'_, Result<Vec<Reply>, SubjectError>> {
        self.emit(events).boxed()
    }

    fn crm(&self) -> Option<Crm> {
        self.greeted().crm.clone()
    }
}
