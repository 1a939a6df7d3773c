//! Comparing two measurements.

pub mod baseline;
pub mod change_points;
pub mod comparison;
pub mod decision;
pub mod history;
pub(in crate::bench) mod messages;
pub mod pair;
pub mod rounds;
pub mod thresholds;
