//! Keeps the first unexpected exchange of each kind for the report.
//!
//! Memory is bounded: a few kinds, and the first kilobytes of each exchange. The secret is redacted in the report.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::bench::generate::answer::KEPT;
use crate::bench::generate::failure::DeliveryFailure;
use crate::bench::generate::probe;
use crate::bench::measure::ended::{DeliveryKind, EndedDelivery};

const MOST_KINDS: usize = 24;

/// The kind of an unexpected exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum UnexpectedKind {
    /// A valid delivery, answered with this status.
    Status(u16),
    /// A valid delivery without a complete answer.
    Failure(DeliveryFailure),
    /// An accepted probe: its index in [`probe::all`].
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
pub(super) struct KeptExchanges(pub(super) BTreeMap<UnexpectedKind, (u64, KeptExchange)>);

impl UnexpectedKind {
    /// `None` if the exchange is expected.
    fn of(ended: &EndedDelivery) -> Option<Self> {
        if ended.is_expected() {
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
    /// Counts an unexpected exchange, and keeps the first of its kind.
    pub(super) fn count(&mut self, ended: &EndedDelivery, request: &[u8], answer: &[u8]) {
        let Some(kind) = UnexpectedKind::of(ended) else { return };
        if let Some((count, _)) = self.0.get_mut(&kind) {
            *count += 1;
        } else if self.0.len() < MOST_KINDS + probe::all().len() {
            let first = |bytes: &[u8]| bytes[..bytes.len().min(KEPT)].to_vec();
            let exchange = KeptExchange {
                request: first(request),
                answer: first(answer),
                at: ended.at,
                took: ended.latency,
                status: ended.status,
            };
            self.0.insert(kind, (1, exchange));
        }
    }

    /// Adds the exchanges of another thread; the earlier of two of one kind is kept.
    pub(super) fn add(&mut self, other: Self) {
        for (kind, (more, exchange)) in other.0 {
            match self.0.get_mut(&kind) {
                None => {
                    self.0.insert(kind, (more, exchange));
                }
                Some((count, first)) => {
                    *count += more;
                    if exchange.at < first.at {
                        *first = exchange;
                    }
                }
            }
        }
    }
}
