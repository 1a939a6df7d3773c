//! How calls reach a CRM: over the network, or only onto a list that can be shown.
//!
//! Invariant: the key is added on the wire and is in no call, so nothing that shows a call can show it.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::permission::Permission;
use crate::budget::OUTCOMES;
use crate::clock::Clock;
use crate::random::Random;
use crate::redaction::Redaction;
use crate::webhook::signature::Secret;
use crate::wire::client::{Client, Target};
use crate::wire::exchange::{Delivery, Headers, Outcome, Response};

/// One call to an API. It prints without the secret in it.
#[derive(Clone)]
pub struct Call {
    pub method: &'static str,
    /// Path and query, below the address of the server.
    pub path: String,
    /// JSON text.
    pub body: Option<String>,
    /// What the key must be allowed to do.
    pub permission: Permission,
    /// A webhook's secret that is in the body.
    pub secret: Option<Secret>,
}

impl Call {
    /// A call without a body.
    pub fn new(method: &'static str, path: impl Into<String>, permission: Permission) -> Self {
        Self { method, path: path.into(), body: None, permission, secret: None }
    }

    /// The call with this body.
    #[must_use]
    pub fn with_body(self, body: impl Into<String>) -> Self {
        Self { body: Some(body.into()), ..self }
    }

    /// Method and path, as messages name the call.
    pub fn name(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        format!("{} {path}", self.method)
    }
}

impl fmt::Display for Call {
    /// Method, path and body, without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        let Some(body) = &self.body else { return Ok(()) };
        write!(f, " {}", Redaction::new(&self.secret).text(body))
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({self})")
    }
}

/// Where calls go.
pub trait Transport: Send + Sync {
    /// Sends one call and waits for its answer.
    fn send<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Outcome>;

    /// The address of the server, as messages name it.
    fn server(&self) -> String;

    /// Whether the calls count for the server's rate limits.
    fn is_limited(&self) -> bool {
        true
    }

    /// The time of day, in milliseconds since the epoch, where calls have one.
    fn now_ms(&self) -> Option<u64> {
        None
    }

    /// A text without the key.
    fn redacted(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// Sends calls to a server, with the key.
#[derive(Debug)]
pub struct Network {
    server: Target,
    client: Client,
    clock: Clock,
    key: Secret,
    redaction: Redaction,
}

impl Network {
    /// Calls to the server at this address, with this key; `wait` bounds each answer.
    pub fn new(server: Target, key: Secret, wait: Duration, clock: Clock) -> Self {
        let redaction = Redaction::new([&key]);
        let client = Client::new(wait, clock.clone()).keeping(OUTCOMES);
        Self { server, client, clock, key, redaction }
    }

    fn delivery(&self, call: &Call) -> Delivery {
        let mut headers = Headers::default();
        headers.add("Accept", "application/json");
        // Other paths are public, and may belong to another program.
        if call.path.starts_with("/rest/") {
            headers.add("Authorization", format!("Bearer {}", self.key.expose()));
        }
        if call.body.is_some() {
            headers.add("Content-Type", "application/json");
        }
        // An idle connection may be closed at any moment, and then the call would be made twice.
        headers.add("Connection", "close");
        let path = format!("{}{}", self.server.path.trim_end_matches('/'), call.path);
        let body = call.body.clone().map_or_else(Bytes::new, Bytes::from);
        Delivery::new(call.method, &path, headers, body)
    }
}

impl Transport for Network {
    fn send<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Outcome> {
        let delivery = self.delivery(call);
        async move { self.client.send(&self.server, &delivery).await.outcome }.boxed()
    }

    fn server(&self) -> String {
        self.server.url()
    }

    fn now_ms(&self) -> Option<u64> {
        Some(self.clock.now_ms())
    }

    fn redacted(&self, text: &str) -> String {
        self.redaction.text(text)
    }
}

/// Makes no call. It keeps a list of them, and answers as a Twenty would.
#[derive(Debug)]
pub struct Recorder {
    server: String,
    version: String,
    ids: Random,
    calls: Mutex<Vec<Call>>,
}

impl Recorder {
    /// Answers as a Twenty of this version at this address.
    pub fn new(server: impl Into<String>, version: impl Into<String>) -> Self {
        let calls = Mutex::default();
        Self { server: server.into(), version: version.into(), ids: Random::from_seed(0), calls }
    }

    /// The calls so far, in their order.
    pub fn calls(&self) -> Vec<Call> {
        self.list().clone()
    }

    fn list(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, call: &Call) -> (u16, Value) {
        let body: Value =
            call.body.as_deref().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
        match (call.method, call.path.as_str()) {
            ("GET", "/client-config") => (200, json!({ "appVersion": self.version })),
            ("GET", _) => (200, json!({ "data": [], "pageInfo": { "hasNextPage": false }, "totalCount": 0 })),
            ("POST", "/rest/metadata/webhooks") => (201, json!({ "id": self.ids.uuid() })),
            ("POST", path) if path.starts_with("/rest/metadata/") => {
                (201, json!({ "data": { "created": { "id": self.ids.uuid() } } }))
            }
            ("POST", _) => (201, json!({ "data": { "created": body } })),
            ("PATCH", _) => (200, json!({ "data": { "updated": body } })),
            _ => (200, json!(true)),
        }
    }
}

impl Transport for Recorder {
    fn send<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Outcome> {
        let (status, answer) = self.answer(call);
        self.list().push(call.clone());
        let mut headers = Headers::default();
        headers.add("Content-Type", "application/json");
        let response = Response { status, headers, body: answer.to_string().into(), cut: 0 };
        std::future::ready(Outcome::Answered(response)).boxed()
    }

    fn server(&self) -> String {
        self.server.clone()
    }

    fn is_limited(&self) -> bool {
        false
    }
}
