//! The reference sender: a registry of webhooks, and one signed delivery to each of them for each event.
//!
//! Invariant: deliveries run independently, so no endpoint delays another's. Each attempt is signed when it is sent. Only a
//! final 2xx acknowledges. Mutants wrap the sender; it has no faults itself.

pub(crate) mod messages;
mod operations;
pub mod pooled;

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Serialize;
use tokio::sync::Semaphore;
use url::Url;

use crate::clock::Clock;
use crate::random::Random;
use crate::webhook::dialect::{Context, Dialect};
use crate::webhook::event::Event;
use crate::webhook::signature::{Key, Secret};
use crate::wire::exchange::{Delivery, Headers, Outcome};
use crate::wire::messages::not_a_url;

/// How long to wait for an answer, like the server that ships (contract section 2).
pub const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// How many deliveries to one webhook run at the same time.
const IN_FLIGHT: usize = 64;
/// How many outcomes are kept for each webhook.
const KEPT_OUTCOMES: usize = 10_000;
const WORKSPACE_ID: &str = "20202020-1c25-4d02-bf25-6aeccf7ea419";

/// Sends a request to a URL and returns its outcome.
pub trait Transport: Send + Sync + 'static {
    fn send(&self, url: Url, delivery: Delivery) -> BoxFuture<'_, Outcome>;

    /// Also trusts the authorities in a PEM file from now on.
    ///
    /// Errors: it cannot, or the file cannot be read.
    fn trust(&self, ca: &Path) -> Result<(), String> {
        Err(messages::no_tls(ca))
    }
}

/// The reference sender. Clones share one registry.
#[derive(Clone)]
pub struct Sender(Arc<Inner>);

struct Inner {
    dialect: &'static Dialect,
    clock: Clock,
    random: Random,
    transport: Arc<dyn Transport>,
    registry: Mutex<Registry>,
}

#[derive(Default)]
struct Registry {
    registered: u64,
    /// Whether an authority was added to the system's.
    trusts: bool,
    webhooks: BTreeMap<u64, Webhook>,
}

struct Webhook {
    /// As registered; bodies contain it unchanged.
    url: String,
    parsed: Url,
    key: Option<Key>,
    operations: Option<Vec<String>>,
    deleted: bool,
    turns: Arc<Semaphore>,
    settled: VecDeque<Settled>,
}

/// The outcome of one delivery.
#[derive(Debug, Clone, Serialize)]
pub struct Settled {
    pub event: String,
    pub record: Option<String>,
    pub delivered: bool,
    pub status: Option<u16>,
    pub attempts: u32,
}

impl Sender {
    pub fn new(
        dialect: &'static Dialect,
        clock: Clock,
        random: Random,
        transport: Arc<dyn Transport>,
    ) -> Self {
        Self(Arc::new(Inner { dialect, clock, random, transport, registry: Mutex::default() }))
    }

    pub(crate) fn dialect(&self) -> &'static Dialect {
        self.0.dialect
    }

    /// Also trusts the authorities in a PEM file from now on.
    ///
    /// Errors: what is wrong with the file.
    pub(crate) fn trust(&self, ca: &Path) -> Result<(), String> {
        self.0.transport.trust(ca)?;
        self.registry().trusts = true;
        Ok(())
    }

    pub(crate) fn trusts(&self) -> bool {
        self.registry().trusts
    }

    /// Registers a webhook, which is active from now on. Without `secret` its deliveries are unsigned; without `operations` it
    /// receives every event.
    ///
    /// Errors: what is wrong with the URL.
    pub fn create_webhook(
        &self,
        url: &str,
        secret: Option<&Secret>,
        operations: Option<Vec<String>>,
    ) -> Result<u64, String> {
        let parsed = Url::parse(url).map_err(|why| not_a_url(url, why))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(messages::not_http(url));
        }
        let mut registry = self.registry();
        registry.registered += 1;
        let id = registry.registered;
        let webhook = Webhook {
            url: url.to_owned(),
            parsed,
            key: secret.map(Key::new),
            operations,
            deleted: false,
            turns: Arc::new(Semaphore::new(IN_FLIGHT)),
            settled: VecDeque::new(),
        };
        registry.webhooks.insert(id, webhook);
        Ok(id)
    }

    /// Deletes a webhook, so that later events do not reach it. Returns whether it existed.
    pub fn delete_webhook(&self, id: u64) -> bool {
        let mut registry = self.registry();
        let webhook = registry.webhooks.get_mut(&id).filter(|webhook| !webhook.deleted);
        webhook.map(|webhook| webhook.deleted = true).is_some()
    }

    /// Sends an event to every webhook whose filter it matches. Returns at once, before the deliveries.
    pub fn emit(&self, event: &Event) {
        let occurred_at_ms = self.0.clock.now_ms();
        let registry = self.registry();
        for (&id, webhook) in &registry.webhooks {
            let wanted =
                webhook.operations.as_ref().is_none_or(|all| all.iter().any(|one| event.name.matches(one)));
            if webhook.deleted || !wanted {
                continue;
            }
            let context = Context {
                target_url: &webhook.url,
                webhook_id: &format!("20202020-0000-4000-8000-{id:012x}"),
                workspace_id: WORKSPACE_ID,
                occurred_at_ms,
            };
            let body = self.0.dialect.render(event, &context);
            let delivery = Delivery::new("POST", "", Headers::default(), body);
            let (key, url, turns) = (webhook.key.clone(), webhook.parsed.clone(), webhook.turns.clone());
            tokio::spawn(deliver(self.0.clone(), id, url, key, delivery, turns, event.clone()));
        }
    }

    /// The latest 10,000 outcomes of a webhook's deliveries, even if it has been deleted.
    pub fn outcomes(&self, id: u64) -> Option<Vec<Settled>> {
        Some(self.registry().webhooks.get(&id)?.settled.iter().cloned().collect())
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.0.lock()
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn deliver(
    sender: Arc<Inner>,
    webhook: u64,
    url: Url,
    key: Option<Key>,
    mut delivery: Delivery,
    turns: Arc<Semaphore>,
    event: Event,
) {
    // The semaphore is never closed.
    let _turn = turns.acquire().await;
    let nonce = sender.dialect.nonce.then(|| sender.random.nonce());
    let now_ms = sender.clock.now_ms();
    delivery.headers = Headers::in_dialect(sender.dialect, key.as_ref(), now_ms, nonce, &delivery.body);
    let outcome = sender.transport.send(url, delivery).await;
    let settled = Settled {
        event: event.name.to_string(),
        record: event.record_id(),
        delivered: outcome.acknowledges(),
        status: outcome.status(),
        attempts: 1,
    };
    if let Some(webhook) = sender.lock().webhooks.get_mut(&webhook) {
        if webhook.settled.len() == KEPT_OUTCOMES {
            webhook.settled.pop_front();
        }
        webhook.settled.push_back(settled);
    }
}
