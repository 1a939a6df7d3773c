//! Why there is no report.

use crate::error::{self, SubjectError};

/// Why there is no report. What the program under test does wrong is in the report, and never an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What was asked for cannot be: a malformed URL, a command that does not exist, an empty secret, a pattern that matches
    /// no requirement.
    #[error("{0}")]
    Usage(String),
    /// The program under test cannot be reached or started, or does not keep to the attachment protocol.
    #[error("{0}")]
    Subject(String),
    /// The suite contradicts itself, or something that it needs failed, such as a free port.
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
