//! One exchange of a load that has ended, as far as it is counted.

use std::time::Duration;

use crate::bench::generate::failure::DeliveryFailure;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryKind {
    Valid,
    /// The probe of that number in [`crate::bench::generate::probe::ALL`], which must not.
    Probe(usize),
}

#[derive(Debug, Clone, Copy)]
pub struct EndedDelivery {
    pub kind: DeliveryKind,
    /// The number of the phase that it belongs to.
    pub phase: usize,
    /// The status, where at least the head of an answer came.
    pub status: Option<u16>,
    pub failure: Option<DeliveryFailure>,
    /// From the time that was meant for it to the end of the answer.
    pub latency: Duration,
    /// When it ended, from the start of the load.
    pub at: Duration,
    pub sent_bytes: usize,
    pub received_bytes: u64,
}

impl EndedDelivery {
    /// A valid delivery of which no bytes are counted.
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

    /// A delivery that was due and was not sent until the end; `waited` is how long it had been due.
    pub(in crate::bench) fn unsent(phase: usize, waited: Duration, at: Duration) -> Self {
        Self::without_bytes(phase, Err(DeliveryFailure::Unsent), waited, at)
    }

    /// Whether it was acknowledged: a whole answer with a status from 200 to 299.
    pub fn acknowledged(&self) -> bool {
        self.failure.is_none() && self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether a probe was let through: the head of the answer tells, whatever became of the rest.
    pub fn let_through(&self) -> bool {
        self.kind != DeliveryKind::Valid && self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether it is what the contract asks for.
    pub fn is_as_it_must_be(&self) -> bool {
        match self.kind {
            DeliveryKind::Valid => self.acknowledged(),
            DeliveryKind::Probe(_) => !self.let_through(),
        }
    }
}
