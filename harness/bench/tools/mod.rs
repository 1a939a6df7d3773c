//! Loads for other tools, and reports made from their results.

pub mod distributed;
pub mod export;
pub mod import;
pub mod locust;
mod messages;
pub mod reconcile;
mod statistics;
