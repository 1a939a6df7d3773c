//! What is done to a subject, and in which order; what comes of it goes into the transcript.
//!
//! Invariant: scenarios judge nothing. What a subject does wrong is written down like what it does right.

use crate::suite::scenario::Scenario;
use crate::suite::transcript::Transcript;

pub use crate::suite::extent::Extent;
pub(crate) use crate::suite::extent::{MAX_STEPS, MAX_TIME};

/// What a run against a subject has at hand.
pub trait Stage {
    /// Runs one scenario, and writes down what came of it and how it ended.
    fn run(&mut self, scenario: &Scenario) -> impl Future<Output = ()>;

    /// What was written so far.
    fn transcript(&mut self) -> &mut Transcript;
}
