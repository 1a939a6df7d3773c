//! Two measurements held against each other.

pub mod baseline;
pub mod comparison;
pub mod pair;
pub mod rounds;
pub mod thresholds;
