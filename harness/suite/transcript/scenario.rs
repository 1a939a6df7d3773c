//! The name of a scenario, by which a transcript says what its parts belong to.

use std::fmt;

use serde::Serialize;

/// The name of a scenario: `altered-content`. It stands in evidence and names what a seed generates, so it is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ScenarioName(pub &'static str);

impl fmt::Display for ScenarioName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}
