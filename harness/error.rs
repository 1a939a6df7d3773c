//! Errors that end a command before it has a verdict: faults of the harness, and what the user has to fix. A subject that fails
//! is not an error.
//!
//! Every error names the thing that is wrong and maps to one exit status.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::exit::ExitStatus;

/// Why a command ended without a verdict.
#[derive(Debug, Error)]
pub enum Error {
    /// The command line or a file named in it is wrong.
    #[error("{0}")]
    Usage(String),
    /// The subject could not be reached, started or talked to.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    #[error("cannot write the report {}: {source}", path.display())]
    Report { path: PathBuf, source: io::Error },
    /// The user interrupted before there was a result.
    #[error("interrupted before anything was measured")]
    Interrupted,
    /// The suite's own test vectors fail, or something that the suite needs is missing.
    #[error("harness fault: {0}")]
    Harness(String),
}

impl Error {
    pub fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Usage(_) | Self::Subject(SubjectError::Usage(_)) => ExitStatus::Usage,
            Self::Subject(SubjectError::ProtocolViolation(_)) | Self::Report { .. } | Self::Harness(_) => {
                ExitStatus::Harness
            }
            Self::Subject(_) => ExitStatus::Incomplete,
            Self::Interrupted => ExitStatus::Interrupted,
        }
    }
}

/// Why a subject cannot be tested, or not tested further.
#[derive(Debug, Clone, Error)]
pub enum SubjectError {
    /// An argument is wrong: a command that does not exist, a malformed URL.
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Unreachable(String),
    #[error("{0}")]
    Died(String),
    /// It answered a request with an error, or did not answer in time.
    #[error("{0}")]
    RequestFailed(String),
    /// It declares a capability that does not work.
    #[error("{0}")]
    BrokenCapability(String),
    /// It violated the attachment protocol; the text quotes what it sent.
    #[error("{0}")]
    ProtocolViolation(String),
    /// The time of the run is used up.
    #[error("out of time")]
    OutOfTime,
}

impl SubjectError {
    /// The same error with its text changed.
    pub(crate) fn with(mut self, change: impl FnOnce(&str) -> String) -> Self {
        let (Self::Usage(text)
        | Self::Unreachable(text)
        | Self::Died(text)
        | Self::RequestFailed(text)
        | Self::BrokenCapability(text)
        | Self::ProtocolViolation(text)) = &mut self
        else {
            return self;
        };
        *text = change(text);
        self
    }
}
