//! The webhooks of a workspace: what the API takes and shows of them.

use std::sync::Arc;

use tokio::sync::Semaphore;
use url::Url;

use super::events::{Change, WORKSPACE};
use super::json::{as_text, list, object, text};
use super::workspace::{Refusal, Workspace};
use twenty_conform::webhook::json::Json;

/// How many webhooks it keeps. Creating more is an error.
const MOST_WEBHOOKS: usize = 1000;

/// How many deliveries to one webhook run at the same time.
const IN_FLIGHT: usize = 64;

/// A webhook.
#[derive(Debug, Clone)]
pub(super) struct Webhook {
    pub(super) id: String,
    pub(super) target: String,
    operations: Vec<String>,
    description: Json,
    /// Empty: its deliveries are unsigned.
    pub(super) secret: String,
    created_at: String,
    updated_at: String,
    /// Its deliveries that may run at the same time.
    pub(super) turns: Arc<Semaphore>,
}

impl Webhook {
    pub(super) fn wants(&self, change: &Change) -> bool {
        self.operations.iter().any(|pattern| change.matches(pattern))
    }

    /// The webhook as the API shows it.
    pub(super) fn shown(&self) -> Json {
        object([
            ("id", text(&self.id)),
            ("targetUrl", text(&self.target)),
            ("operations", list(&self.operations)),
            ("description", self.description.clone()),
            ("secret", text(&self.secret)),
            ("workspaceId", text(WORKSPACE)),
            ("applicationId", text("7f6bcd1e-f45a-4e12-a0bd-57b2ca3c5f33")),
            ("createdAt", text(&self.created_at)),
            ("updatedAt", text(&self.updated_at)),
            ("deletedAt", Json::Null),
        ])
    }

    /// Sets what a client gives.
    fn fill(&mut self, given: &Json) -> Result<(), Refusal> {
        let Json::Object(members) = given else {
            return Err(Refusal::input("The body must be an object"));
        };
        for (name, value) in members {
            match (name.to_string().as_str(), value) {
                ("targetUrl", Json::Text(url)) => self.target = checked(&url.to_string())?,
                ("operations", Json::Array(operations)) => {
                    let texts: Option<Vec<_>> = operations.iter().map(as_text).collect();
                    self.operations =
                        texts.ok_or_else(|| Refusal::input("operations must be a list of text"))?;
                }
                ("description", Json::Text(_) | Json::Null) => self.description = value.clone(),
                ("secret", Json::Text(secret)) => self.secret = secret.to_string(),
                ("secret", Json::Null) => {}
                (name, _) => return Err(Refusal::input(format!("property {name} should not exist"))),
            }
        }
        Ok(())
    }
}

/// Errors: it is not an http or https URL.
fn checked(url: &str) -> Result<String, Refusal> {
    let is_http = Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if is_http { Ok(url.to_owned()) } else { Err(Refusal::new(400, "INVALID_TARGET_URL", "Invalid URL")) }
}

fn not_found() -> Refusal {
    Refusal::new(400, "WEBHOOK_NOT_FOUND", "Webhook not found")
}

impl Workspace {
    /// Registers a webhook. Without a secret it gets one of 64 hexadecimal digits.
    pub(super) fn create_webhook(&mut self, given: &Json, now: &str) -> Result<Json, Refusal> {
        let mut made = Webhook {
            id: self.random.uuid(),
            target: String::new(),
            operations: vec!["*.*".to_owned()],
            description: Json::Null,
            secret: self.random.secret().to_lowercase(),
            created_at: now.to_owned(),
            updated_at: now.to_owned(),
            turns: Arc::new(Semaphore::new(IN_FLIGHT)),
        };
        made.fill(given)?;
        checked(&made.target)?;
        if self.webhooks.len() == MOST_WEBHOOKS {
            return Err(Refusal::new(500, "INTERNAL_SERVER_ERROR", "the workspace is full"));
        }
        self.webhooks.push(made.clone());
        Ok(made.shown())
    }

    pub(super) fn webhook(&self, id: &str) -> Result<&Webhook, Refusal> {
        self.webhooks.iter().find(|webhook| webhook.id == id).ok_or_else(not_found)
    }

    pub(super) fn change_webhook(&mut self, id: &str, given: &Json, now: &str) -> Result<Json, Refusal> {
        let found = self.webhooks.iter_mut().find(|webhook| webhook.id == id).ok_or_else(not_found)?;
        let mut changed = found.clone();
        changed.fill(given)?;
        now.clone_into(&mut changed.updated_at);
        *found = changed;
        Ok(found.shown())
    }

    pub(super) fn delete_webhook(&mut self, id: &str) -> Result<(), Refusal> {
        self.webhook(id)?;
        self.webhooks.retain(|webhook| webhook.id != id);
        Ok(())
    }
}
