//! How many cases a property generates, from which seed, and how long failing cases are shrunk.

use std::time::Duration;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sha2::{Digest as _, Sha256};

use crate::suite::transcript::ScenarioName;

/// How many smaller cases are tried at most when shrinking.
pub(crate) const MAX_STEPS: usize = 400;
/// How long shrinking may take.
pub(crate) const MAX_TIME: Duration = Duration::from_secs(3);

/// With fewer generated cases than this of a property, its requirements are inconclusive, unless fewer are asked for.
pub(crate) const LEAST_CASES: usize = 4;

/// How many cases run, and how many of them at the same time.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// How many cases each property generates (`--cases`).
    pub cases: u32,
    /// How many cases run at the same time (`--jobs`).
    pub jobs: usize,
    pub seed: u64,
}

impl Extent {
    /// Generates the cases of a property. They depend on the seed alone, not on what else runs.
    pub(crate) fn runner(&self, scenario: ScenarioName, property: &str) -> TestRunner {
        let seed = Sha256::new()
            .chain_update(self.seed.to_le_bytes())
            .chain_update(format!("{scenario}/{property}"))
            .finalize();
        // Nothing is kept between runs: the evidence has each failing case in full.
        let config = Config { failure_persistence: None, ..Config::default() };
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
    }
}
