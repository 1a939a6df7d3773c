//! How a program under test is reached: by its URL or by a command. The reference peers are reached in the same way.

pub mod capability;
pub mod control;
pub mod heard;
pub mod launch;
pub(crate) mod lines;
pub(crate) mod messages;
pub mod observations;
pub mod observed;
mod output;
pub mod port;
pub mod process;
pub mod protocol;
pub mod receiver;
pub mod sender;
pub mod twenty;
pub mod watch;

pub use crate::error::{StartFailure, SubjectError};
