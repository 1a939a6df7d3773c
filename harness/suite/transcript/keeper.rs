//! Who is told of a run while it goes on, so that it can be kept outside of memory.
//!
//! Invariant: every exchange is told once, with its number, before it can be released; a secret before anything that may
//! hold it.

use std::fmt;
use std::sync::Arc;

use super::{ProcessingTrial, Trial};
use crate::webhook::signature::Secret;
use crate::wire::exchange::Exchange;

/// Is told what goes into a transcript. What it does with that is nothing to the run.
#[derive(Clone)]
pub struct Keeper(Arc<dyn Fn(Kept<'_>) + Send + Sync>);

/// What a keeper is told.
#[derive(Debug, Clone, Copy)]
pub enum Kept<'a> {
    /// A secret that must not be shown.
    Secret(&'a Secret),
    Exchange(&'a Exchange),
    /// What was tried in a scenario that is over.
    Scenario {
        /// What was tried.
        trials: &'a [Trial],
        /// What was sent to see what is taken in.
        processing: &'a [ProcessingTrial],
    },
}

impl Keeper {
    /// A keeper that does this with what it is told.
    pub fn new(keep: impl Fn(Kept<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(keep))
    }

    pub fn tell(&self, kept: Kept<'_>) {
        (self.0)(kept);
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keeper")
    }
}
