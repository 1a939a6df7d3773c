//! From single deliveries to figures, objectives and a report.

pub mod objective;
pub mod report;
pub mod search;
pub mod summary;
pub mod tally;
pub mod verdict;
pub mod witness;
