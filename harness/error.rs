//! What ends a command before it has a verdict: harness faults, and what the user has to mend. What a subject does is
//! never in here.
//!
//! Invariant: every error names the thing and maps to one exit status.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::exit::ExitStatus;
use crate::subject::SubjectError;

/// Why a command ended without a verdict.
#[derive(Debug, Error)]
pub enum Error {
    /// The command line or a file named in it is wrong.
    #[error("{0}")]
    Usage(String),
    /// The subject could not be reached, started or talked to.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// A report could not be written.
    #[error("the report {} cannot be written: {source}", path.display())]
    Report {
        /// Where it was to go.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Somebody asked for the end before there was anything to tell.
    #[error("interrupted before anything was measured")]
    Interrupted,
    /// The suite contradicts itself, or something that it stands on failed.
    #[error("harness fault: {0}")]
    Harness(String),
}

impl Error {
    /// The exit status that it leads to.
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
