//! What ends a command before it has a verdict: harness faults, and what the user has to fix. What a subject does is
//! never in here.
//!
//! Invariant: every error names the thing and maps to one exit status.

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
    #[error("the report {} cannot be written: {source}", path.display())]
    Report { path: PathBuf, source: io::Error },
    /// Somebody asked for the end before there was anything to tell.
    #[error("interrupted before anything was measured")]
    Interrupted,
    /// The suite contradicts itself, or something that it stands on failed.
    #[error("harness fault: {0}")]
    Harness(String),
}

impl Error {
    pub fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Usage(_) | Self::Subject(SubjectError::Usage(_)) => ExitStatus::Usage,
            Self::Subject(SubjectError::Broke(_)) | Self::Report { .. } | Self::Harness(_) => {
                ExitStatus::Harness
            }
            Self::Subject(_) => ExitStatus::Incomplete,
            Self::Interrupted => ExitStatus::Interrupted,
        }
    }
}

/// Why a subject cannot be tested, or not any further.
#[derive(Debug, Clone, Error)]
pub enum SubjectError {
    /// What was asked for cannot be: a command that does not exist, a malformed URL.
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Unreachable(String),
    #[error("{0}")]
    Died(String),
    /// It answered a request with an error, or did not answer within the wait.
    #[error("{0}")]
    Stuck(String),
    /// It does not keep what it declares.
    #[error("{0}")]
    Unkept(String),
    /// It broke the attachment protocol; what it sent is quoted.
    #[error("{0}")]
    Broke(String),
}

impl SubjectError {
    /// The same with its words changed.
    pub(crate) fn with(mut self, change: impl FnOnce(&str) -> String) -> Self {
        let (Self::Usage(text)
        | Self::Unreachable(text)
        | Self::Died(text)
        | Self::Stuck(text)
        | Self::Unkept(text)
        | Self::Broke(text)) = &mut self;
        *text = change(text);
        self
    }
}
