//! Twenty's REST API: typed calls, under the rate limit, and with what differs between versions.
//!
//! Invariant: a call that may have been carried out is never made again. One that was sent is carried out although nothing waits for
//! its answer any more, and [`Api::quiet`] waits for it. Records are destroyed one at a time, by their id.

mod answer;
mod lists;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::error::{ApiError, ApiFault};
use super::messages;
use super::pace::{Pace, RateLimits};
use super::permission::Permission;
use super::transport::{Call, Transport};
use crate::webhook::signature::Secret;
use crate::wire::codec::quote;
use crate::wire::exchange::Outcome;

pub use lists::{FoundObject, FoundWebhook};

/// How long a call that the server refuses because of its rate is made again. It is longer than the longest window.
const PATIENCE: Duration = Duration::from_secs(90);
/// The first pause after a refusal that names no time. It doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The shortest pause.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);

/// The most records in one call that creates several (Twenty takes up to 60).
pub const BATCH: usize = 60;

/// A connection to an API.
pub struct Api {
    transport: Arc<dyn Transport>,
    pace: Pace,
    restore: Mutex<Option<RestoreRoute>>,
    /// How many calls were sent and not answered yet.
    under_way: watch::Sender<usize>,
}

/// Which route restores a record. Versions have one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RestoreRoute {
    /// `PATCH /rest/people/{id}/restore`
    OfRecord,
    /// `PATCH /rest/restore/people?filter=…`, which 2.31 has.
    ByFilter,
}

/// What a webhook is registered with.
#[derive(Debug, Clone)]
pub struct WebhookDraft {
    pub target_url: String,
    /// The filter.
    pub operations: Vec<String>,
    /// `None` for a webhook whose deliveries are not signed.
    pub secret: Option<Secret>,
    pub description: String,
}

/// What a custom object is made with.
#[derive(Debug, Clone)]
pub struct ObjectDraft {
    pub singular: String,
    pub plural: String,
    pub description: String,
}

/// When a call was sent, in milliseconds since the epoch, if that is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SentAt(pub Option<u64>);

/// What is known about the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Version(pub Option<String>);

impl Version {
    /// Whether it emits metadata events. Those versions came in 2026; of versions 1 it is not known since which one, so they count
    /// as without.
    pub fn has_metadata_events(&self) -> bool {
        let major = self.0.as_deref().and_then(|version| version.trim_start_matches('v').split('.').next());
        major.and_then(|major| major.parse().ok()).is_some_and(|major: u32| major >= 2)
    }
}

impl Api {
    /// Makes calls through `transport`, under these limits.
    pub fn new(transport: Arc<dyn Transport>, limits: RateLimits) -> Self {
        let under_way = watch::Sender::new(0);
        Self { transport, pace: Pace::new(limits), restore: Mutex::default(), under_way }
    }

    /// How many calls were made, and how long they waited.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// The address of the server.
    pub fn server(&self) -> String {
        self.transport.server()
    }

    /// Makes one call when its turn has come, and again if the server refuses it because of the rate.
    ///
    /// Errors: anything but an answer that says that the call was carried out.
    pub async fn make(&self, call: &Call) -> Result<Value, ApiError> {
        self.make_noting(call).await.map(|(answer, _)| answer)
    }

    /// The same, with the time at which the call was sent: it may have waited for its turn.
    async fn make_noting(&self, call: &Call) -> Result<(Value, SentAt), ApiError> {
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            // Twenty limits the calls of a key.
            let is_limited = self.transport.is_limited() && call.permission != Permission::Public;
            let turn = if is_limited { Some(self.pace.turn().await) } else { None };
            let sent_at = SentAt(self.transport.now_ms());
            let outcome = self.send(call).await;
            drop(turn);
            match answer::read(call, &outcome, &*self.transport) {
                Err(error) if error.fault == ApiFault::RateLimited => {}
                other => return other.map(|answer| (answer, sent_at)),
            }
            let asked = answer::retry_after(&outcome);
            let wait = asked.unwrap_or(pause).max(SHORTEST_PAUSE);
            pause *= 2;
            if began.elapsed() + wait > PATIENCE {
                let why = asked.filter(|asked| *asked > PATIENCE);
                let why =
                    why.map_or_else(|| messages::waited_in_vain(began.elapsed()), messages::asks_to_wait);
                return Err(ApiError::new(ApiFault::RateLimited, &self.server(), call, &why));
            }
            self.pace.pause(wait);
        }
    }

    /// Sends a call in a task of its own, which runs to its end although this future may be dropped.
    async fn send(&self, call: &Call) -> Outcome {
        let (transport, call, under_way) = (self.transport.clone(), call.clone(), self.under_way.clone());
        under_way.send_modify(|count| *count += 1);
        let sent = tokio::spawn(async move {
            let outcome = transport.send(&call).await;
            under_way.send_modify(|count| *count -= 1);
            outcome
        });
        // A task that panicked is our fault, and its call may have been carried out.
        sent.await.unwrap_or(Outcome::ClosedEarly)
    }

    /// Waits until no call is under way, but no longer than this.
    pub async fn quiet(&self, within: Duration) {
        let mut under_way = self.under_way.subscribe();
        // The sender is alive, so the wait ends only with its condition or with the time.
        let _ = timeout(within, under_way.wait_for(|count| *count == 0)).await;
    }

    /// The version, if the server tells it.
    ///
    /// Errors: the server cannot be reached, is no Twenty, or does not accept the key.
    pub async fn version(&self) -> Result<Version, ApiError> {
        let config = Call::new("GET", "/client-config", Permission::Public);
        match self.make(&config).await {
            Ok(answer) => {
                if let Some(version) = answer.get("appVersion").and_then(Value::as_str) {
                    return Ok(Version(Some(version.to_owned())));
                }
            }
            Err(error) if matches!(error.fault, ApiFault::Unreachable | ApiFault::TimedOut) => {
                return Err(error);
            }
            // Older versions do not have the route, and answer with the page of the application.
            Err(_) => {}
        }
        // A server that is no Twenty must not be asked to create something.
        self.check_key().await?;
        Ok(Version::default())
    }

    /// Errors: the server is no Twenty, or the key may not see webhooks.
    pub async fn check_key(&self) -> Result<(), ApiError> {
        let call = Call::new("GET", "/rest/metadata/webhooks", Permission::Webhooks);
        let answer = self.make(&call).await?;
        answer::list(&answer).map(drop).ok_or_else(|| self.unreadable(&call, "data", &answer))
    }

    /// Registers a webhook. Returns its id.
    ///
    /// Errors: it is not registered, or that is unknown ([`ApiError::is_uncertain`]).
    pub async fn create_webhook(&self, draft: &WebhookDraft) -> Result<String, ApiError> {
        let body = json!({
            "targetUrl": draft.target_url,
            "operations": draft.operations,
            // Without the member Twenty makes a secret of its own.
            "secret": draft.secret.as_ref().map_or("", Secret::expose),
            "description": draft.description,
        });
        let mut call =
            Call::new("POST", "/rest/metadata/webhooks", Permission::Webhooks).with_body(body.to_string());
        call.secret.clone_from(&draft.secret);
        self.id_of(&call).await
    }

    /// Deletes a webhook. One that is not there is deleted too.
    pub async fn delete_webhook(&self, id: &str) -> Result<(), ApiError> {
        let path = format!("/rest/metadata/webhooks/{id}");
        self.remove(&Call::new("DELETE", path, Permission::Webhooks)).await.map(drop)
    }

    /// Creates a record from the JSON text of its members. As the others, it returns when the call was sent.
    pub async fn create_record(&self, plural: &str, members: &str) -> Result<SentAt, ApiError> {
        let call = Call::new("POST", format!("/rest/{plural}"), Permission::EditRecords).with_body(members);
        self.sent_at(&call).await
    }

    /// Creates up to [`BATCH`] records, all or none.
    pub async fn create_records(&self, plural: &str, records: &[String]) -> Result<SentAt, ApiError> {
        let call = Call::new("POST", format!("/rest/batch/{plural}"), Permission::EditRecords)
            .with_body(format!("[{}]", records.join(",")));
        self.sent_at(&call).await
    }

    /// Changes these members of a record.
    pub async fn update_record(&self, plural: &str, id: &str, members: &str) -> Result<SentAt, ApiError> {
        let path = format!("/rest/{plural}/{id}");
        self.sent_at(&Call::new("PATCH", path, Permission::EditRecords).with_body(members)).await
    }

    /// Deletes a record so that it can be restored.
    pub async fn delete_record(&self, plural: &str, id: &str) -> Result<SentAt, ApiError> {
        let path = format!("/rest/{plural}/{id}?soft_delete=true");
        self.sent_at(&Call::new("DELETE", path, Permission::DeleteRecords)).await
    }

    /// Restores a record, with the route that this version has.
    pub async fn restore_record(&self, plural: &str, id: &str) -> Result<SentAt, ApiError> {
        let known = *self.restore_route();
        if let Some(route) = known {
            return self.restore_by(route, plural, id).await;
        }
        let newer = match self.restore_by(RestoreRoute::OfRecord, plural, id).await {
            Ok(sent_at) => {
                *self.restore_route() = Some(RestoreRoute::OfRecord);
                return Ok(sent_at);
            }
            Err(error) => error,
        };
        // A version without the route refuses the path, or does not find it.
        if !matches!(
            newer.fault,
            ApiFault::NoRoute | ApiFault::NotFound | ApiFault::Refused | ApiFault::NotTwenty
        ) {
            return Err(newer);
        }
        let sent_at = self.restore_by(RestoreRoute::ByFilter, plural, id).await?;
        *self.restore_route() = Some(RestoreRoute::ByFilter);
        Ok(sent_at)
    }

    async fn restore_by(&self, route: RestoreRoute, plural: &str, id: &str) -> Result<SentAt, ApiError> {
        let path = match route {
            RestoreRoute::OfRecord => format!("/rest/{plural}/{id}/restore"),
            RestoreRoute::ByFilter => format!("/rest/restore/{plural}?filter=id[eq]:{id}"),
        };
        self.sent_at(&Call::new("PATCH", path, Permission::EditRecords)).await
    }

    fn restore_route(&self) -> std::sync::MutexGuard<'_, Option<RestoreRoute>> {
        self.restore.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Deletes one record permanently. One that is not there is deleted too.
    pub async fn destroy_record(&self, plural: &str, id: &str) -> Result<SentAt, ApiError> {
        self.remove(&Call::new("DELETE", format!("/rest/{plural}/{id}"), Permission::DestroyRecords)).await
    }

    /// Makes a custom object. Returns its id.
    pub async fn create_object(&self, draft: &ObjectDraft) -> Result<String, ApiError> {
        let body = json!({
            "nameSingular": draft.singular,
            "namePlural": draft.plural,
            "labelSingular": draft.singular,
            "labelPlural": draft.plural,
            "description": draft.description,
        });
        let call = Call::new("POST", "/rest/metadata/objects", Permission::DataModel);
        self.id_of(&call.with_body(body.to_string())).await
    }

    /// Deletes a custom object with its records. One that is not there is deleted too.
    pub async fn delete_object(&self, id: &str) -> Result<(), ApiError> {
        self.remove(&Call::new("DELETE", format!("/rest/metadata/objects/{id}"), Permission::DataModel))
            .await
            .map(drop)
    }

    /// Gives an object a field that holds any JSON. Returns its id.
    pub async fn create_json_field(&self, object: &str, name: &str) -> Result<String, ApiError> {
        let body = json!({ "objectMetadataId": object, "type": "RAW_JSON", "name": name, "label": name });
        let call = Call::new("POST", "/rest/metadata/fields", Permission::DataModel);
        self.id_of(&call.with_body(body.to_string())).await
    }

    /// Changes the label of a field.
    pub async fn relabel_field(&self, id: &str, label: &str) -> Result<(), ApiError> {
        let call = Call::new("PATCH", format!("/rest/metadata/fields/{id}"), Permission::DataModel);
        self.make(&call.with_body(json!({ "label": label }).to_string())).await.map(drop)
    }

    /// Makes a call that creates something. Returns the id of what it created.
    async fn id_of(&self, call: &Call) -> Result<String, ApiError> {
        let answer = self.make(call).await?;
        let id = answer::object(&answer).map(|members| answer::text(members, "id"));
        id.filter(|id| is_path_segment(id)).ok_or_else(|| self.unreadable(call, "id", &answer))
    }

    async fn remove(&self, call: &Call) -> Result<SentAt, ApiError> {
        match self.sent_at(call).await {
            Err(error) if error.fault == ApiFault::NotFound => Ok(SentAt::default()),
            other => other,
        }
    }

    async fn sent_at(&self, call: &Call) -> Result<SentAt, ApiError> {
        self.make_noting(call).await.map(|(_, sent_at)| sent_at)
    }

    fn unreadable(&self, call: &Call, missing: &str, answer: &Value) -> ApiError {
        let quoted = quote(self.transport.redacted(&answer.to_string()).as_bytes());
        let why = messages::no_member_in(missing, &quoted);
        ApiError::new(ApiFault::Unreadable, &self.server(), call, &why)
    }
}

/// Whether an id from the server can be a part of a path without changing where it leads.
fn is_path_segment(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
