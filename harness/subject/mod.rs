//! How an outside implementation is reached: a receiver by its URL or a command, a sender by a command, and our own peers
//! in the same way.
//!
//! Invariant: what a subject does wrong is named and quoted; it never takes the suite down with it, and what was started
//! here is ended here.

pub mod capability;
pub mod control;
pub mod observations;
pub mod observed;
pub mod process;
pub mod protocol;
pub mod receiver;
pub mod sender;

use thiserror::Error;

/// Why a subject cannot be tested, or not any further.
#[derive(Debug, Clone, Error)]
pub enum SubjectError {
    /// What was asked for cannot be: a command that does not exist, a malformed URL.
    #[error("{0}")]
    Usage(String),
    /// It could not be reached or started.
    #[error("{0}")]
    Unreachable(String),
    /// It ended by itself.
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
    pub(crate) fn with(self, change: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Usage(text) => Self::Usage(change(&text)),
            Self::Unreachable(text) => Self::Unreachable(change(&text)),
            Self::Died(text) => Self::Died(change(&text)),
            Self::Stuck(text) => Self::Stuck(change(&text)),
            Self::Unkept(text) => Self::Unkept(change(&text)),
            Self::Broke(text) => Self::Broke(change(&text)),
        }
    }
}
