//! The contents of a file of recorded traffic, in any format.
//!
//! Invariant: the memory that a recording takes is bounded, whatever the file has.

use std::mem::size_of;

use bytes::Bytes;

use super::messages;
use crate::suite::transcript::Arrival;
use crate::wire::exchange::{Exchange, Outcome};

/// How many bytes of memory the deliveries may take.
const MOST_KEPT: usize = 72 * 1024 * 1024;
/// What an allocation costs in addition to its content.
const ALLOCATION: usize = 16;

#[derive(Debug, Default)]
pub struct Recording {
    /// Its deliveries, in order.
    pub exchanges: Vec<Exchange>,
    /// How many requests were read that are no deliveries.
    pub(super) strays: usize,
    /// Notes on how it was read.
    pub remarks: Vec<String>,
    /// About how many bytes the deliveries take.
    kept: usize,
}

impl Recording {
    /// Adds a delivery. Probes and browsers' requests are only counted. Errors: the deliveries take too much memory.
    pub(super) fn add(&mut self, exchange: Exchange) -> Result<(), String> {
        if exchange.delivery.is_stray() {
            self.strays += 1;
            return Ok(());
        }
        self.kept += size_of::<Exchange>() + size_of::<Arrival>() + variable(&exchange);
        if self.kept > MOST_KEPT {
            return Err(messages::too_many_deliveries(self.exchanges.len(), MOST_KEPT >> 20));
        }
        self.exchanges.push(exchange);
        Ok(())
    }
}

/// About how many bytes an exchange takes outside of itself.
fn variable(exchange: &Exchange) -> usize {
    let delivery = &exchange.delivery;
    let answer = match &exchange.outcome {
        Outcome::Answered(answer) => Some(answer),
        _ => None,
    };
    let headers = delivery.headers.0.iter().chain(answer.iter().flat_map(|answer| &answer.headers.0));
    let headers =
        headers.map(|(name, value)| size_of::<(String, Bytes)>() + name.len() + value.len() + 2 * ALLOCATION);
    let texts = [
        delivery.method.len(),
        delivery.target.len(),
        delivery.body.len(),
        answer.map_or(0, |answer| answer.body.len()),
    ];
    headers.chain(texts.map(|length| length + ALLOCATION)).sum()
}
