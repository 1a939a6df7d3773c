//! Comparing two measurements.

pub mod baseline;
pub mod comparison;
pub(in crate::bench) mod messages;
pub mod pair;
pub mod rounds;
pub mod thresholds;
