//! What a run is given.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::suite::max_time::MaxTime;
use crate::suite::property::Extent;
use crate::suite::transcript::{Keeper, Limits};
use crate::webhook::dialect::Dialect;
use crate::webhook::signature::Secret;
use crate::wire::endpoint::certificates::Authority;
use crate::wire::endpoint::scripted::Place;

/// The options of a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The dialect; under `auto`, that of a subject that does not show its own.
    pub dialect: &'static Dialect,
    /// Whether the subject's own dialect is found out and used.
    pub auto: bool,
    pub limits: Limits,
    /// How long the whole run may take.
    pub max_time: MaxTime,
    /// The seed of ids, secrets, nonces and generated cases.
    pub seed: u64,
    /// How many cases each property generates.
    pub cases: u32,
    /// How many cases run at the same time.
    pub jobs: usize,
    pub clock: Clock,
    /// Turns true when the run should end early.
    pub interrupted: watch::Receiver<bool>,
    /// Counts the requests of the run while it runs.
    pub requests: Arc<AtomicUsize>,
    /// Records the run while it runs.
    pub keeper: Option<Keeper>,
    /// Signs the certificates of the HTTPS endpoints.
    pub authority: Arc<Authority>,
    /// Where the endpoints for a sender listen.
    pub place: Place,
    /// A secret of the user, such as the key of an API, that no output may have.
    pub hidden: Option<Secret>,
    /// Whether nothing is really done, because only the calls are wanted: then nothing arrives, and nothing is waited for.
    pub rehearses: bool,
}

impl Options {
    /// The same for a run that makes no call and waits for nothing.
    #[must_use]
    pub fn rehearsing(self) -> Self {
        let (timeout, deadline, quiet) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        let limits = Limits { timeout, deadline, quiet, ..self.limits };
        Self { limits, rehearses: true, ..self }
    }

    pub(super) fn extent(&self) -> Extent {
        Extent { cases: self.cases, jobs: self.jobs.max(1), seed: self.seed }
    }
}
