//! The error of the public API.

use crate::error::{self, SubjectError};

/// Why there is no report. What the program under test does wrong is in the report, never an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument is wrong: a malformed URL, a command that does not exist, an empty secret, or a pattern that matches no
    /// requirement.
    #[error("{0}")]
    Usage(String),
    /// The program under test cannot be reached or started, or violates the attachment protocol.
    #[error("{0}")]
    Subject(String),
    /// The suite itself failed: its test vectors do not match, or it found no free port.
    #[error("{0}")]
    Harness(String),
}

impl From<error::Error> for Error {
    fn from(why: error::Error) -> Self {
        let text = why.to_string();
        match why {
            error::Error::Usage(_) | error::Error::Subject(SubjectError::Usage(_)) => Self::Usage(text),
            error::Error::Subject(_) => Self::Subject(text),
            _ => Self::Harness(text),
        }
    }
}

impl From<SubjectError> for Error {
    fn from(why: SubjectError) -> Self {
        error::Error::from(why).into()
    }
}
