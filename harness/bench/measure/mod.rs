//! A load on a receiver: each answer is counted and judged, and the counts become a report.

pub mod compared;
pub mod ended;
pub mod figures;
mod kept;
mod latency;
pub mod live;
pub mod load;
pub mod machine;
pub(in crate::bench) mod messages;
pub mod objective;
pub mod rate_search;
pub mod report;
pub mod result;
pub mod search;
mod series;
pub mod summary;
pub mod tally;
pub mod verdict;
mod worker;
