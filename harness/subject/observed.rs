//! A delivery that a receiver says it processed.

use serde::{Deserialize, Serialize};

/// What a receiver says about a delivery that it processed (interface, section 3).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Observed {
    pub event: String,
    /// The record's id, if the receiver found one.
    #[serde(default)]
    pub id: Option<String>,
}
