//! What a key must be allowed to do for a call, as the settings of its role name it.

/// A permission of a role in Twenty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// No key is needed.
    Public,
    /// Webhooks are registered and deleted.
    Webhooks,
    /// Objects and fields are made and deleted.
    DataModel,
    /// Records are found.
    SeeRecords,
    /// Records are created, updated and restored.
    EditRecords,
    /// Records are deleted, so that they can be restored.
    DeleteRecords,
    /// Records are deleted permanently.
    DestroyRecords,
}

impl Permission {
    /// The name in the settings of a role.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "none",
            Self::Webhooks => "API Keys & Webhooks",
            Self::DataModel => "Data Model",
            Self::SeeRecords => "See Records",
            Self::EditRecords => "Edit Records",
            Self::DeleteRecords => "Delete Records",
            Self::DestroyRecords => "Destroy Records",
        }
    }
}
