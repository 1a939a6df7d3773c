//! The requirements on a receiver.

pub mod formatting;
pub mod judge;
pub mod processing;
pub mod reception;
pub mod scenario;
pub mod scenarios;
pub mod strictness;
pub mod verification;
