//! How much is generated for a property, from which seed, and how long failing cases are shrunk.

use std::time::Duration;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sha2::{Digest as _, Sha256};

use crate::suite::transcript::ScenarioName;

/// How many smaller cases are tried at most, where one came out otherwise than it should.
pub(crate) const MAX_STEPS: usize = 400;
/// How long is spent on them at most.
pub(crate) const MAX_TIME: Duration = Duration::from_secs(3);

/// How much is tried, and how much of it at the same time.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// How many cases each property generates (`--cases`).
    pub cases: u32,
    /// How many cases go on at the same time (`--jobs`).
    pub jobs: usize,
    /// What the cases are generated from.
    pub seed: u64,
}

impl Extent {
    /// What generates the cases of a property: the same for the same seed, whatever else is run.
    pub(crate) fn runner(&self, scenario: ScenarioName, property: &str) -> TestRunner {
        let seed = Sha256::new()
            .chain_update(self.seed.to_le_bytes())
            .chain_update(format!("{scenario}/{property}"))
            .finalize();
        // Nothing is kept between runs: a case that failed is in the evidence, whole.
        let config = Config { failure_persistence: None, ..Config::default() };
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
    }
}
