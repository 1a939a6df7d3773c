//! The name of a scenario, which says what each part of a transcript belongs to.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::constant::{self, Constant};

/// The name of a scenario: `altered-content`. It is stable: evidence refers to it, and generated cases depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScenarioName(#[serde(deserialize_with = "constant::read")] pub Constant);

impl fmt::Display for ScenarioName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}
