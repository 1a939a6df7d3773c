//! Records a run outside of memory while it runs.
//!
//! Every exchange is recorded once, with its number, before it can be released. A secret is recorded before anything that may
//! contain it.

use std::fmt;
use std::sync::Arc;

use super::{GeneratedCase, ProcessingTrial, Trial};
use crate::webhook::signature::Secret;
use crate::wire::exchange::Exchange;

/// Gets everything that goes into a transcript. The run does not depend on what the keeper does with it.
#[derive(Clone)]
pub struct Keeper(Arc<dyn Fn(Kept<'_>) + Send + Sync>);

/// What a keeper gets.
#[derive(Debug, Clone, Copy)]
pub enum Kept<'a> {
    /// A secret that must not be shown.
    Secret(&'a Secret),
    /// The dialect that was found out.
    Dialect(&'static str),
    Exchange {
        exchange: &'a Exchange,
        /// How many bytes of the request's body are missing, because it was too long to keep.
        body_cut: u64,
    },
    /// A generated case that was tried.
    Generated(&'a GeneratedCase),
    /// The trials of a scenario that is over.
    Scenario {
        trials: &'a [Trial],
        processing: &'a [ProcessingTrial],
        /// Whether their deliveries were made in the manner that the receiver wants, which is not that of the contract.
        provisional: bool,
    },
}

impl Keeper {
    pub fn new(keep: impl Fn(Kept<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(keep))
    }

    pub fn keep(&self, kept: Kept<'_>) {
        (self.0)(kept);
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keeper")
    }
}
