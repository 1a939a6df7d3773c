//! The endpoints of the sender's scenarios, on wiremock: they answer by a script and keep every request with its time.
//!
//! Invariant: the answer depends on the record that a request carries and on nothing else, so concurrent deliveries
//! cannot take each other's answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::clock::Clock;
use crate::exchange::{Delivery, Headers, Transfer};
use crate::transcript::uuids;

/// An endpoint of ours.
pub struct Endpoint {
    /// There until the endpoint goes.
    server: Option<MockServer>,
    uri: String,
    log: Arc<Log>,
}

impl Drop for Endpoint {
    /// wiremock waits for a lock, spinning, when a server is dropped. In a task that has used up its share of polls that
    /// lock is never given, so the server is dropped on a thread of its own.
    fn drop(&mut self) {
        let server = self.server.take();
        // Where no thread can be had the closure is dropped, and the server with it.
        let _ = std::thread::Builder::new().spawn(move || drop(server));
    }
}

/// A request that arrived, when it did, and what it was answered.
#[derive(Debug, Clone)]
pub struct Received {
    /// The request. Its header names are in lower case, as HTTP libraries hand them on.
    pub delivery: Delivery,
    /// When it had arrived, in milliseconds since the epoch.
    pub at_ms: u64,
    /// The status that it was answered with.
    pub status: u16,
}

/// What an endpoint answers.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// The status for requests that carry these record ids; all others get 200.
    pub statuses: HashMap<String, u16>,
    /// Where redirects lead to.
    pub location: Option<String>,
}

#[derive(Debug)]
struct Log {
    clock: Clock,
    script: Mutex<Script>,
    received: Mutex<Vec<Received>>,
    arrived: Notify,
}

impl Endpoint {
    /// Starts an endpoint that answers 200 to everything.
    pub async fn start(clock: Clock) -> Self {
        // Not from wiremock's pool: a pooled server goes on listening when it is dropped, and the next endpoint on its
        // port would receive what was meant for this one. Nor does it keep requests, which the log does.
        let server = MockServer::builder().disable_request_recording().start().await;
        let log = Arc::new(Log {
            clock,
            script: Mutex::default(),
            received: Mutex::default(),
            arrived: Notify::new(),
        });
        Mock::given(any()).respond_with(Responder(log.clone())).mount(&server).await;
        Self { uri: server.uri(), server: Some(server), log }
    }

    /// Its URL with path and query.
    pub fn url(&self, target: &str) -> String {
        format!("{}{target}", self.uri)
    }

    /// Sets what it answers from now on.
    pub fn follow(&self, script: Script) {
        *self.log.script.lock().unwrap_or_else(PoisonError::into_inner) = script;
    }

    /// Everything that arrived so far.
    pub fn received(&self) -> Vec<Received> {
        self.log.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until `enough` holds of what arrived, or `wait` is over. Returns whether it held.
    pub async fn wait(&self, wait: Duration, mut enough: impl FnMut(&[Received]) -> bool) -> bool {
        let deadline = Instant::now() + wait;
        loop {
            // Asked for before looking, so that nothing that arrives in between is missed.
            let arrived = self.log.arrived.notified();
            if enough(&self.log.received.lock().unwrap_or_else(PoisonError::into_inner)) {
                return true;
            }
            if timeout_at(deadline, arrived).await.is_err() {
                return enough(&self.log.received.lock().unwrap_or_else(PoisonError::into_inner));
            }
        }
    }
}

struct Responder(Arc<Log>);

impl Respond for Responder {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let at_ms = self.0.clock.now_ms();
        let delivery = owned(request);
        let script = self.0.script.lock().unwrap_or_else(PoisonError::into_inner);
        let status = uuids(&delivery.body).find_map(|id| script.statuses.get(id).copied()).unwrap_or(200);
        let mut answer = ResponseTemplate::new(status);
        if let Some(location) = script.location.as_deref().filter(|_| (300..400).contains(&status)) {
            answer = answer.insert_header("Location", location);
        }
        drop(script);
        self.0.received.lock().unwrap_or_else(PoisonError::into_inner).push(Received {
            delivery,
            at_ms,
            status,
        });
        self.0.arrived.notify_waiters();
        answer
    }
}

fn owned(request: &Request) -> Delivery {
    let headers = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), Bytes::copy_from_slice(value.as_bytes())));
    let target = request
        .url
        .query()
        .map_or_else(|| request.url.path().to_owned(), |query| format!("{}?{query}", request.url.path()));
    Delivery {
        method: request.method.to_string(),
        target,
        headers: Headers(headers.collect()),
        body: Bytes::copy_from_slice(&request.body),
        transfer: Transfer::Whole,
    }
}
