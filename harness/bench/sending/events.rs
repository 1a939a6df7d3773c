//! The events that a load requests from a sender: the dialect's samples, each with a new record id.

use serde_json::value::RawValue;

use crate::bench::generate::ids::{ID_LENGTH, Ids, PLACEHOLDER};
use crate::subject::protocol::Op;
use crate::webhook::dialect::Dialect;
use crate::webhook::event::Event;

#[derive(Debug)]
pub(super) struct Events {
    ids: Ids,
    samples: Vec<(Event, Option<usize>)>,
}

impl Events {
    pub(super) fn new(dialect: &Dialect, seed: u64) -> Self {
        let samples = dialect.required_samples().map(|event| {
            let event = event.with_id(PLACEHOLDER);
            let at = event.record.get().find(PLACEHOLDER);
            (event, at)
        });
        Self { ids: Ids::of(seed), samples: samples.collect() }
    }

    pub(super) fn run(&self) -> u64 {
        self.ids.run()
    }

    /// The number of samples, and the sum and the maximum of their records' lengths.
    pub(super) fn lengths(&self) -> (usize, u64, u64) {
        let lengths = || self.samples.iter().map(|(event, _)| event.record.get().len() as u64);
        (self.samples.len(), lengths().sum(), lengths().max().unwrap_or(0))
    }

    pub(super) fn event(&self, number: u64) -> Event {
        let (sample, at) = &self.samples[(number % self.samples.len() as u64) as usize];
        let record = at.and_then(|at| {
            let mut text = sample.record.get().to_owned();
            text.replace_range(at..at + ID_LENGTH, &self.ids.id(number));
            RawValue::from_string(text).ok()
        });
        Event { record: record.unwrap_or_else(|| sample.record.clone()), ..sample.clone() }
    }

    /// The request for an event, as reports show it.
    pub(super) fn shown(&self, number: u64) -> String {
        Op::Emit(self.event(number)).encode(number)
    }
}
