//! Optional capabilities of a subject, by name.

use serde::{Deserialize, Serialize};

/// A capability that a sender declares, or that a receiver is attached with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    Delete,
    Filters,
    Outcomes,
    Unsigned,
    /// Webhooks may have HTTPS endpoints, with certificates of the suite's authority.
    Https,
    /// It emits events of metadata (contract section 2).
    #[serde(rename = "metadata-events")]
    MetadataEvents,
    Observations,
}

impl Capability {
    pub(crate) const ALL: [Self; 7] = [
        Self::Delete,
        Self::Filters,
        Self::Outcomes,
        Self::Unsigned,
        Self::Https,
        Self::MetadataEvents,
        Self::Observations,
    ];

    /// The name in the attachment protocol.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Filters => "filters",
            Self::Outcomes => "outcomes",
            Self::Unsigned => "unsigned",
            Self::Https => "https",
            Self::MetadataEvents => "metadata-events",
            Self::Observations => "observations",
        }
    }
}
