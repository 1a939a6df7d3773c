//! Scenarios for senders that several requirements use.

pub mod answers;
pub mod events;
pub mod generated;
pub mod https;
pub mod stale;
pub mod stalled;
pub mod unanswered;
