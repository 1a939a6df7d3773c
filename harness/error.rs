//! Errors that end a command before it has a verdict: faults of the harness, and what the user has to fix. A subject that fails
//! is not an error.
//!
//! Every error names the thing that is wrong and maps to one exit status.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
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
    /// A file could not be written. What was there is unchanged.
    #[error("cannot write {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
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
            Self::Subject(SubjectError::ProtocolViolation(_))
            | Self::Report { .. }
            | Self::File { .. }
            | Self::Harness(_) => ExitStatus::Harness,
            Self::Subject(_) => ExitStatus::Incomplete,
            Self::Interrupted => ExitStatus::Interrupted,
        }
    }
}

/// How many of the last lines of an output are in a text.
const SHOWN_LINES: usize = 12;

/// Why a program is not there to be tested, in the parts that a report shows one below the other.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartFailure {
    /// What is wrong, in one line.
    pub fault: String,
    /// The command that was started.
    pub command: Option<String>,
    /// The last lines that it wrote, and to which stream.
    pub output: Option<(Cow<'static, str>, Vec<String>)>,
    /// What to do about it; what helps most often comes first.
    pub fixes: Vec<String>,
}

impl fmt::Display for StartFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fault)?;
        if let Some(command) = &self.command {
            write!(f, "\ncommand: {command}")?;
        }
        if let Some((stream, lines)) = &self.output {
            let last = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
            write!(f, "\n{stream}:\n    {}", last.join("\n    "))?;
        }
        self.fixes.iter().try_for_each(|fix| write!(f, "\nfix: {fix}"))
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
    /// It was started or looked for, and is not there to be tested.
    #[error("{0}")]
    NotStarted(Box<StartFailure>),
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
    /// The parts of an error that ends a run before it begins. A text is split at its lines: what follows the first is output.
    pub fn start_failure(&self) -> StartFailure {
        if let Self::NotStarted(failure) = self {
            return failure.as_ref().clone();
        }
        let text = self.to_string();
        let (fault, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let stream = if fault.ends_with(" its stdout:") { "stdout" } else { "stderr" };
        let fault = fault.split("; the end of").next().unwrap_or(fault);
        let lines: Vec<String> = rest.lines().map(|line| line.trim_end().to_owned()).collect();
        let output = (!lines.is_empty()).then_some((stream.into(), lines));
        StartFailure { fault: fault.to_owned(), output, ..StartFailure::default() }
    }

    /// The same error with its text changed.
    pub(crate) fn with(mut self, change: impl FnOnce(&str) -> String) -> Self {
        if let Self::NotStarted(failure) = &mut self {
            failure.fault = change(&failure.fault);
            return self;
        }
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
