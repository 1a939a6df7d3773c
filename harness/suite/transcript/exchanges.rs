//! The exchanges of a run, numbered in the order in which they were recorded.
//!
//! Numbers are never reused. An exchange that a trial, a death or an arrival refers to is never released.

use std::collections::HashSet;

use crate::wire::exchange::{Exchange, ExchangeId};

/// Exchanges by number. An exchange that nothing refers to can be released; its number is not reused.
#[derive(Debug, Default)]
pub struct Exchanges {
    /// In the order of their numbers.
    kept: Vec<Exchange>,
    count: usize,
    answered: usize,
    acknowledged: usize,
}

impl Exchanges {
    /// How many exchanges there were, including released ones.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many of them had an answer, including released ones.
    pub fn answered(&self) -> usize {
        self.answered
    }

    /// How many of them were acknowledged, including released ones.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged
    }

    /// Adds an exchange and numbers it, from 1.
    pub fn push(&mut self, mut exchange: Exchange) -> ExchangeId {
        self.count += 1;
        self.answered += usize::from(exchange.outcome.status().is_some());
        self.acknowledged += usize::from(exchange.outcome.acknowledges());
        exchange.id = ExchangeId(self.count);
        let id = exchange.id;
        self.kept.push(exchange);
        id
    }

    /// The exchange with this number; `None` if it was released.
    pub fn get(&self, id: ExchangeId) -> Option<&Exchange> {
        let at = self.kept.binary_search_by_key(&id, |exchange| exchange.id).ok()?;
        self.kept.get(at)
    }

    /// The exchanges after this number, in order.
    pub fn after(&self, number: usize) -> &[Exchange] {
        let from = self.kept.partition_point(|exchange| exchange.id.0 <= number);
        &self.kept[from..]
    }

    /// Releases all exchanges but these.
    pub(super) fn keep(&mut self, named: &HashSet<ExchangeId>) {
        self.kept.retain(|exchange| named.contains(&exchange.id));
    }
}
