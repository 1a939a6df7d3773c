//! Counts requests to the endpoints of a run that are no deliveries, such as probes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How many methods are counted by name.
const MOST_METHODS: usize = 8;

/// How many such requests there were, by method. Clones share the counts.
#[derive(Debug, Clone, Default)]
pub struct Strays(Arc<Mutex<BTreeMap<String, u64>>>);

impl Strays {
    pub(super) fn add(&self, method: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_named = counts.contains_key(method) || counts.len() < MOST_METHODS;
        let method = if is_named { method } else { "other methods" };
        *counts.entry(method.to_owned()).or_default() += 1;
    }

    /// The counts so far.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
