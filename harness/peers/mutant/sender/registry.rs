//! What a wrong sender knows of its webhooks: which are registered, in which order, and what became of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::webhook::event::Event;
use crate::webhook::signature::Secret;

/// The registry that a mutant and its way out share.
#[derive(Default)]
pub(super) struct Registry(Mutex<Known>);

#[derive(Default)]
pub(super) struct Known {
    /// URL and secret of each webhook that is registered, by name, in the order of registration.
    pub(super) webhooks: BTreeMap<u64, (String, Option<Secret>)>,
    pub(super) fresh: Vec<u64>,
    registered: u64,
    /// An event that waits for another one to be sent along with it.
    pub(super) waiting: Option<Event>,
    /// The events that are sent along with others, by the others' record ids.
    pub(super) along: HashMap<String, Event>,
    pub(super) stopped: HashSet<String>,
    /// How the sender ended, once it did.
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
        known.webhooks.insert(id, (url.to_owned(), secret.cloned()));
    }

    pub(super) fn is_registered(&self, url: &str) -> bool {
        self.lock().webhooks.values().any(|(other, _)| other == url)
    }

    /// How many webhooks were registered before that one and are there still.
    pub(super) fn place_of(&self, url: &str) -> u32 {
        let place = self.lock().webhooks.values().position(|(other, _)| other == url);
        place.and_then(|place| u32::try_from(place).ok()).unwrap_or_default()
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
