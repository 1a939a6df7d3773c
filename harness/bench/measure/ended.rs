//! A finished delivery of a load, as it is counted.

use std::time::Duration;

use crate::bench::generate::failure::DeliveryFailure;
use crate::wire::exchange::acknowledges;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryKind {
    Valid,
    /// A probe: its index in [`crate::bench::generate::probe::all`].
    Probe(usize),
}

#[derive(Debug, Clone, Copy)]
pub struct EndedDelivery {
    pub kind: DeliveryKind,
    /// The index of its phase.
    pub phase: usize,
    /// The status, if at least the head of an answer arrived.
    pub status: Option<u16>,
    pub failure: Option<DeliveryFailure>,
    /// From the planned time to the end of the answer.
    pub latency: Duration,
    /// When it ended, from the start of the load.
    pub at: Duration,
    pub sent_bytes: usize,
    pub received_bytes: u64,
}

impl EndedDelivery {
    /// A valid delivery whose bytes are not counted.
    pub(in crate::bench) fn without_bytes(
        phase: usize,
        outcome: Result<u16, DeliveryFailure>,
        latency: Duration,
        at: Duration,
    ) -> Self {
        let (status, failure) = (outcome.ok(), outcome.err());
        Self {
            kind: DeliveryKind::Valid,
            phase,
            status,
            failure,
            latency,
            at,
            sent_bytes: 0,
            received_bytes: 0,
        }
    }

    /// A delivery that was due and never sent; `waited` is how long it was overdue.
    pub(in crate::bench) fn unsent(phase: usize, waited: Duration, at: Duration) -> Self {
        Self::without_bytes(phase, Err(DeliveryFailure::Unsent), waited, at)
    }

    /// Whether it was accepted: a complete answer with a status from 200 to 299.
    pub fn acknowledged(&self) -> bool {
        self.failure.is_none() && self.status.is_some_and(acknowledges)
    }

    /// Whether a probe was accepted. The head of the answer decides, even if the rest is missing.
    pub fn let_through(&self) -> bool {
        self.kind != DeliveryKind::Valid && self.status.is_some_and(acknowledges)
    }

    /// Whether the contract asks for this outcome.
    pub fn is_expected(&self) -> bool {
        match self.kind {
            DeliveryKind::Valid => self.acknowledged(),
            DeliveryKind::Probe(_) => !self.let_through(),
        }
    }
}
