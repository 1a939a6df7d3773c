//! The first exchange of each kind that is not as it must be, kept to be shown.
//!
//! Invariant: bounded: a few kinds, and of each exchange the first kilobytes; what is kept leaves it without the secret.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::bench::generate::answer::KEPT;
use crate::bench::generate::failure::DeliveryFailure;
use crate::bench::generate::probe;
use crate::bench::measure::ended::{DeliveryKind, EndedDelivery};

const MOST_KINDS: usize = 24;

/// What makes exchanges alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Oddity {
    /// A valid delivery that was answered with this status.
    Status(u16),
    /// A valid delivery that got no whole answer for this reason.
    Failure(DeliveryFailure),
    /// A probe that was let through: its number in [`probe::ALL`].
    Probe(usize),
}

#[derive(Debug, Clone)]
pub(super) struct KeptExchange {
    pub(super) request: Vec<u8>,
    pub(super) answer: Vec<u8>,
    /// When it ended, from the start of the load.
    pub(super) at: Duration,
    pub(super) took: Duration,
    pub(super) status: Option<u16>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct KeptExchanges(pub(super) BTreeMap<Oddity, (u64, KeptExchange)>);

impl Oddity {
    /// `None` where an exchange is as it must be.
    fn of(ended: &EndedDelivery) -> Option<Self> {
        if ended.is_as_it_must_be() {
            return None;
        }
        Some(match (ended.kind, ended.failure, ended.status) {
            (DeliveryKind::Probe(number), ..) => Self::Probe(number),
            (DeliveryKind::Valid, Some(failure), _) => Self::Failure(failure),
            (DeliveryKind::Valid, None, status) => Self::Status(status.unwrap_or_default()),
        })
    }
}

impl KeptExchanges {
    /// Counts an exchange that is not as it must be, and keeps the first of its kind.
    pub(super) fn see(&mut self, ended: &EndedDelivery, request: &[u8], answer: &[u8]) {
        let Some(oddity) = Oddity::of(ended) else { return };
        if let Some((count, _)) = self.0.get_mut(&oddity) {
            *count += 1;
        } else if self.0.len() < MOST_KINDS + probe::ALL.len() {
            let first = |bytes: &[u8]| bytes[..bytes.len().min(KEPT)].to_vec();
            let witness = KeptExchange {
                request: first(request),
                answer: first(answer),
                at: ended.at,
                took: ended.latency,
                status: ended.status,
            };
            self.0.insert(oddity, (1, witness));
        }
    }

    /// Adds what another has kept; of two of one kind the earlier one is shown.
    pub(super) fn add(&mut self, other: Self) {
        for (oddity, (more, witness)) in other.0 {
            match self.0.get_mut(&oddity) {
                None => {
                    self.0.insert(oddity, (more, witness));
                }
                Some((count, first)) => {
                    *count += more;
                    if witness.at < first.at {
                        *first = witness;
                    }
                }
            }
        }
    }
}
