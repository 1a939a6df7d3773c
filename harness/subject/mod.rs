//! How an outside implementation is reached: a receiver by its URL or a command, a sender by a command, and our own peers
//! in the same way.

pub mod capability;
pub mod control;
pub mod observations;
pub mod observed;
pub mod process;
pub mod protocol;
pub mod receiver;
pub mod sender;
pub mod watch;

pub use crate::error::SubjectError;
