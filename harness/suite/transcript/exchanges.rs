//! The exchanges of a run, numbered in the order in which they were written down.
//!
//! Invariant: numbers are never used twice, and an exchange that a trial, a death or an arrival names is never released.

use std::collections::HashSet;

use crate::wire::exchange::{Exchange, ExchangeId};

/// Exchanges by their numbers. What nothing refers to any more can be released; its number stays taken.
#[derive(Debug, Default)]
pub struct Exchanges {
    /// In the order of their numbers.
    kept: Vec<Exchange>,
    count: usize,
    acknowledged: usize,
}

impl Exchanges {
    /// How many there were, those that were released included.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many of them were acknowledged, those that were released included.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged
    }

    /// Takes an exchange in and numbers it, from 1.
    pub fn push(&mut self, mut exchange: Exchange) -> ExchangeId {
        self.count += 1;
        self.acknowledged += usize::from(exchange.outcome.acknowledges());
        exchange.id = ExchangeId(self.count);
        let id = exchange.id;
        self.kept.push(exchange);
        id
    }

    /// The exchange of that number, where it was not released.
    pub fn get(&self, id: ExchangeId) -> Option<&Exchange> {
        let at = self.kept.binary_search_by_key(&id, |exchange| exchange.id).ok()?;
        self.kept.get(at)
    }

    /// Those behind that number, in their order.
    pub fn behind(&self, number: usize) -> &[Exchange] {
        let from = self.kept.partition_point(|exchange| exchange.id.0 <= number);
        &self.kept[from..]
    }

    /// Lets go of everything but these.
    pub(super) fn keep(&mut self, named: &HashSet<ExchangeId>) {
        self.kept.retain(|exchange| named.contains(&exchange.id));
    }
}
