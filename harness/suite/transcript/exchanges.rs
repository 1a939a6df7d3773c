//! The exchanges of a run, numbered in the order in which they were recorded.
//!
//! Numbers are never reused. An exchange that a trial, a death or an arrival refers to is never released.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::answers::{self, Shown};
use super::times::AnswerTimes;
use crate::budget::{ANSWERS, Budget};
use crate::redaction::Redaction;
use crate::webhook::manner::Manner;
use crate::webhook::signature::Secret;
use crate::wire::exchange::{Exchange, ExchangeId, acknowledges};

/// How many of the last exchanges are never released, if their bodies have at most `SMALL` bytes.
const RECENT: usize = 256;
const SMALL: usize = 16 * 1024;

/// Exchanges by number. An exchange that nothing refers to can be released; its number is not reused.
#[derive(Debug)]
pub struct Exchanges {
    /// In the order of their numbers.
    kept: Vec<Exchange>,
    count: usize,
    answered: usize,
    acknowledged: usize,
    /// How long the answers took, including released ones.
    times: AnswerTimes,
    /// What may still be kept of answers.
    budget: Budget,
    /// Redacts the receiver's secret from what is cut.
    redaction: Option<Redaction>,
    /// How many answers were cut, including released ones.
    cut: usize,
    /// What the answers that were cut showed.
    shown: HashMap<ExchangeId, Shown>,
    /// Counts them for those who watch the run.
    counter: Arc<AtomicUsize>,
}

/// All answers of a run, those of released exchanges too.
#[derive(Debug, Default)]
pub struct Answers {
    answered: usize,
    acknowledged: usize,
    times: AnswerTimes,
}

impl Answers {
    /// Counts an answer with this status.
    pub fn add(&mut self, status: u16, took: Duration) {
        self.answered += 1;
        self.acknowledged += usize::from(acknowledges(status));
        self.times.record(took);
    }
}

impl Default for Exchanges {
    fn default() -> Self {
        let (kept, shown) = (Vec::new(), HashMap::new());
        let budget = Budget::of(ANSWERS);
        Self {
            kept,
            count: 0,
            answered: 0,
            acknowledged: 0,
            times: AnswerTimes::default(),
            budget,
            redaction: None,
            cut: 0,
            shown,
            counter: Arc::default(),
        }
    }
}

impl Exchanges {
    /// No exchanges yet; the first is numbered after the last of these. Both share what may be kept of answers.
    pub fn following(&self) -> Self {
        Self { count: self.count, budget: self.budget.clone(), ..Self::default() }
    }

    /// Exchanges that were kept, in the order of their numbers. `count` is the number of the last one that there was, and `answers` is
    /// what answers showed.
    pub(super) fn read(
        kept: Vec<Exchange>,
        count: usize,
        all: Answers,
        cut: usize,
        answers: Vec<(ExchangeId, Shown)>,
    ) -> Self {
        let Answers { answered, acknowledged, times } = all;
        let shown = answers.into_iter().collect();
        Self { kept, count, answered, acknowledged, times, cut, shown, ..Self::default() }
    }

    /// The number of the last exchange: how many there were, including released ones.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Counts them in this counter from now on.
    pub fn count_in(&mut self, counter: &Arc<AtomicUsize>) {
        self.counter = counter.clone();
    }

    /// How many of them had an answer, including released ones.
    pub fn answered(&self) -> usize {
        self.answered
    }

    /// How long the answers took, including those of released ones.
    pub fn answer_times(&self) -> &AnswerTimes {
        &self.times
    }

    /// How many of them were acknowledged, including released ones.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged
    }

    /// Adds an exchange and numbers it, from 1.
    pub fn push(&mut self, mut exchange: Exchange) -> ExchangeId {
        let id = self.number(&mut exchange);
        self.kept.push(exchange);
        id
    }

    fn number(&mut self, exchange: &mut Exchange) -> ExchangeId {
        self.count += 1;
        self.counter.fetch_add(1, Ordering::Relaxed);
        self.answered += usize::from(exchange.outcome.status().is_some());
        self.acknowledged += usize::from(exchange.outcome.acknowledges());
        if exchange.outcome.status().is_some() {
            self.times.record(exchange.took);
        }
        exchange.id = ExchangeId(self.count);
        exchange.id
    }

    /// Adds exchanges, without a copy if there were none.
    pub fn append(&mut self, mut exchanges: Vec<Exchange>) {
        for exchange in &mut exchanges {
            self.number(exchange);
        }
        if self.kept.is_empty() {
            self.kept = exchanges;
        } else {
            self.kept.append(&mut exchanges);
        }
    }

    /// The same for an exchange with a receiver: its answer is cut to what may still be kept of answers.
    pub(super) fn push_answered(
        &mut self,
        mut exchange: Exchange,
        secret: Option<&Secret>,
        manner: &Manner,
    ) -> ExchangeId {
        let redaction = self.redaction.get_or_insert_with(|| Redaction::new(secret));
        let shown = answers::cut(&mut exchange, (secret, manner), redaction, &self.budget);
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

    /// Releases all exchanges but these and the last ones: a process may end a moment after it answered.
    pub(super) fn keep(&mut self, named: &HashSet<ExchangeId>) {
        let recent = self.count.saturating_sub(RECENT);
        self.kept.retain(|exchange| {
            let is_recent = exchange.id.0 > recent && exchange.delivery.body.len() <= SMALL;
            let is_kept = is_recent || named.contains(&exchange.id);
            if !is_kept {
                answers::give_back(exchange, &self.budget);
            }
            is_kept
        });
        self.shown.retain(|id, _| id.0 > recent || named.contains(id));
    }
}
