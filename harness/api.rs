//! The public API: sign and verify a delivery, check a receiver or a sender, read the report.
//!
//! Invariant: no signature here has a type of a room that is not re-exported here.

#![warn(missing_docs)]

pub(crate) mod receiver;
pub(crate) mod sender;
pub(crate) mod suite;

mod error;
mod report;
mod signature;

pub use error::Error;
pub use receiver::Receiver;
pub use report::{Report, RequirementResult};
pub use sender::Sender;
pub use signature::{Mismatch, sign, verify};
pub use suite::{Dialect, Suite};

/// Why a signature does not match or a requirement fails: a stable code, what the implementation does, and the fix.
pub use crate::report::CauseEntry as Cause;
/// The result of a whole run.
pub use crate::report::RunResult;
/// The verdict on one requirement.
pub use crate::report::VerdictName as Verdict;
/// How strongly a requirement binds. The order is from the strongest to the weakest: `Must < Should < Advice`.
pub use crate::suite::requirement::Level;
