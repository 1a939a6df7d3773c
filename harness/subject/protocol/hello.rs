//! What a sender says about itself in the reply to `hello`.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::read;
use crate::budget::{REPLY_TEXT, shortened};
use crate::subject::SubjectError;
use crate::subject::capability::Capability;

/// What a sender says about itself.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Hello {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub version: String,
    /// The dialect that it speaks, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<String>,
    /// How long a registration or a deletion takes to be in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle_ms: Option<u64>,
    /// Its capabilities; unknown names are ignored.
    #[serde(default)]
    pub capabilities: Vec<String>,
}

impl Hello {
    /// Reads the answer to `hello`. Of long names, the beginning is kept. Errors: [`SubjectError::ProtocolViolation`].
    pub(crate) fn read(answer: &RawValue) -> Result<Self, SubjectError> {
        let mut hello: Self = read("hello", answer, answer)?;
        hello.name = shortened(&hello.name, REPLY_TEXT);
        hello.version = shortened(&hello.version, REPLY_TEXT);
        hello.capabilities.retain(|name| Capability::ALL.iter().any(|known| known.as_str() == name));
        Ok(hello)
    }

    pub(crate) fn declares(&self, capability: Capability) -> bool {
        self.capabilities.iter().any(|name| name == capability.as_str())
    }
}
