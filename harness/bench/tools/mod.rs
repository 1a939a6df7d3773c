//! Loads for other tools, and their results read back.

pub mod distributed;
pub mod export;
pub mod import;
pub mod locust;
pub mod reconcile;
mod statistics;
