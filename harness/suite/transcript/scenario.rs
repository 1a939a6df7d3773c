//! The name of a scenario, which says what each part of a transcript belongs to.

use std::fmt;

use serde::Serialize;

/// The name of a scenario: `altered-content`. It is stable: evidence refers to it, and generated cases depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ScenarioName(pub &'static str);

impl fmt::Display for ScenarioName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}
