//! What ends `listen`, and with which status.

use std::fmt;

use crate::exit::ExitStatus;
use crate::report::watched::wanted::Condition;

/// The conditions of one `--wait-for`.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    text: String,
    pub(super) conditions: Vec<Condition>,
}

impl Wanted {
    /// Reads the value of the option. Errors: it is no condition.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Ok(Self { text: text.to_owned(), conditions: Condition::parse_all(text)? })
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Nothing: a signal or a key ends it.
    Asked,
    /// A number of deliveries.
    Count(u64),
    /// A delivery that meets the conditions.
    Match,
    /// Every kind of event.
    Covered,
}

/// Why it ended before what it waited for came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Early {
    Signal,
    /// The key for the end.
    Key,
    TimedOut,
}

impl Until {
    /// The exit status, given that of the deliveries and whether what it waited for has come.
    pub(super) fn exit(self, of_deliveries: ExitStatus, came: bool, early: Option<Early>) -> ExitStatus {
        let is_due = match self {
            Self::Asked => false,
            Self::Count(_) => early == Some(Early::TimedOut),
            Self::Match | Self::Covered => true,
        };
        if of_deliveries == ExitStatus::Passed && is_due && !came {
            ExitStatus::Incomplete
        } else {
            of_deliveries
        }
    }
}
