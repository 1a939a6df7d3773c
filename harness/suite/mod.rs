//! The requirements, what is done to find out about them, and how a run is judged.

pub mod cause;
pub mod judge;
pub mod property;
pub mod receiver;
pub mod replay;
pub mod requirement;
pub mod requirements;
pub mod run;
pub mod scenario;
pub mod selection;
pub mod sender;
pub mod traffic;
pub mod transcript;
pub mod verdict;
