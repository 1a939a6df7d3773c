//! Comparing two measurements.

pub mod baseline;
pub mod comparison;
mod messages;
pub mod pair;
pub mod rounds;
pub mod thresholds;
