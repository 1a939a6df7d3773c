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
    acknowledged: usize,
}

impl Exchanges {
    /// How many exchanges there were, including released ones.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many of them were acknowledged, including released ones.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged
    }

    /// Adds an exchange and numbers it, from 1.
    pub fn push(&mut self, mut exchange: Exchange) -> ExchangeId {
        self.count += 1;
        self.acknowledged += usize::from(exchange.outcome.acknowledges());
        exchange.id = ExchangeId(self.count);
        let id = exchange.id;
        self.kept.push(exchange);
        id
    }

    /// Adds exchanges, without a copy if there were none.
    pub fn append(&mut self, mut exchanges: Vec<Exchange>) {
        for exchange in &mut exchanges {
            self.count += 1;
            self.acknowledged += usize::from(exchange.outcome.acknowledges());
            exchange.id = ExchangeId(self.count);
        }
        if self.kept.is_empty() {
            self.kept = exchanges;
        } else {
            self.kept.append(&mut exchanges);
        }
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
