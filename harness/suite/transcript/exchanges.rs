//! The exchanges of a run, numbered in the order in which they were recorded.
//!
//! Numbers are never reused. An exchange that a trial, a death or an arrival refers to is never released.

use std::collections::{HashMap, HashSet};

use super::answers::{self, Shown};
use crate::budget::{ANSWERS, Budget};
use crate::redaction::Redaction;
use crate::webhook::signature::Secret;
use crate::wire::exchange::{Exchange, ExchangeId};

/// Exchanges by number. An exchange that nothing refers to can be released; its number is not reused.
#[derive(Debug)]
pub struct Exchanges {
    /// In the order of their numbers.
    kept: Vec<Exchange>,
    count: usize,
    acknowledged: usize,
    /// What may still be kept of answers.
    budget: Budget,
    /// Redacts the receiver's secret from what is cut.
    redaction: Option<Redaction>,
    /// How many answers were cut, including released ones.
    cut: usize,
    /// What the answers that were cut showed.
    shown: HashMap<ExchangeId, Shown>,
}

impl Default for Exchanges {
    fn default() -> Self {
        let (kept, shown) = (Vec::new(), HashMap::new());
        Self { kept, count: 0, acknowledged: 0, budget: Budget::of(ANSWERS), redaction: None, cut: 0, shown }
    }
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

    /// The same for an exchange with a receiver: its answer is cut to what may still be kept of answers.
    pub(super) fn push_answered(&mut self, mut exchange: Exchange, secret: Option<&Secret>) -> ExchangeId {
        let redaction = self.redaction.get_or_insert_with(|| Redaction::new(secret));
        let shown = answers::cut(&mut exchange, secret, redaction, &self.budget);
        let id = self.push(exchange);
        self.cut += usize::from(shown.is_some());
        self.shown.extend(shown.map(|shown| (id, shown)));
        id
    }

    /// How many answers were cut to what may be kept.
    pub fn cut(&self) -> usize {
        self.cut
    }

    /// What an answer showed before it was cut; `None` if it was not cut.
    pub(super) fn shown(&self, id: ExchangeId) -> Option<Shown> {
        self.shown.get(&id).copied()
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
        self.kept.retain(|exchange| {
            let is_kept = named.contains(&exchange.id);
            if !is_kept {
                answers::give_back(exchange, &self.budget);
            }
            is_kept
        });
        self.shown.retain(|id, _| named.contains(id));
    }
}
