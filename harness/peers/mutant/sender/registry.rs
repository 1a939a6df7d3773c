//! What a mutant knows of its webhooks: which are registered, in which order, and which it has given up on.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::webhook::event::Event;
use crate::webhook::signature::Secret;

/// The registry that a mutant and its transport share.
#[derive(Default)]
pub(super) struct Registry(Mutex<Known>);

#[derive(Default)]
pub(super) struct Known {
    /// URL and secret of each registered webhook, in the order of registration.
    pub(super) webhooks: BTreeMap<u64, (String, Option<Secret>)>,
    pub(super) fresh: Vec<u64>,
    /// When each URL was registered.
    since: HashMap<String, Instant>,
    registered: u64,
    /// An event that waits for another one to share its request.
    pub(super) waiting: Option<Event>,
    /// The events that share the request of another one, by the other's record id.
    pub(super) batched: HashMap<String, Event>,
    pub(super) stopped: HashSet<String>,
    /// By URL, for deliveries that are sent one by one.
    turns: HashMap<String, Arc<tokio::sync::Mutex<()>>>,
    /// How the sender crashed, if it did.
    pub(super) crashed: Option<String>,
}

impl Registry {
    pub(super) fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn register(&self, url: &str, secret: Option<&Secret>) {
        let mut known = self.lock();
        known.registered += 1;
        let id = known.registered;
        known.fresh.push(id);
        known.since.insert(url.to_owned(), Instant::now());
        known.webhooks.insert(id, (url.to_owned(), secret.cloned()));
    }

    pub(super) fn is_registered(&self, url: &str) -> bool {
        self.lock().webhooks.values().any(|(other, _)| other == url)
    }

    /// How many of the registered webhooks were registered before the one with this URL.
    pub(super) fn place_of(&self, url: &str) -> u32 {
        let place = self.lock().webhooks.values().position(|(other, _)| other == url);
        place.and_then(|place| u32::try_from(place).ok()).unwrap_or_default()
    }

    /// How long ago the webhook with this URL was registered.
    pub(super) fn age_of(&self, url: &str) -> Duration {
        self.lock().since.get(url).map_or(Duration::ZERO, Instant::elapsed)
    }

    pub(super) fn turn_of(&self, url: &str) -> Arc<tokio::sync::Mutex<()>> {
        self.lock().turns.entry(url.to_owned()).or_default().clone()
    }

    pub(super) fn secret_of(&self, url: &str) -> Option<Secret> {
        self.lock().webhooks.values().find(|(other, _)| other == url)?.1.clone()
    }

    pub(super) fn is_first(&self, url: &str) -> bool {
        self.lock().webhooks.values().next().is_some_and(|(first, _)| first == url)
    }

    pub(super) fn last_secret(&self) -> Option<Secret> {
        self.lock().webhooks.values().next_back()?.1.clone()
    }
}
