//! The public API: sign and verify a delivery, make one for a test, check a receiver or a sender, and read the report.
//!
//! Every type in a public signature is re-exported here.

#![warn(missing_docs)]

pub(crate) mod receiver;
pub(crate) mod sender;
pub(crate) mod suite;

mod delivery;
mod error;
mod messages;
mod report;
mod signature;

pub use delivery::{Payload, SignedRequest, broken, broken_causes, signed_request};
pub use error::Error;
pub use receiver::Receiver;
pub use report::{Report, RequirementResult};
pub use sender::Sender;
pub use signature::{Mismatch, sign, verify};
pub use suite::{Dialect, Suite};

// Documented where they are defined.
pub use crate::report::{CauseEntry as Cause, RunResult, VerdictName as Verdict};
pub use crate::suite::requirement::Level;
