//! What has arrived: verified, wrong, duplicated, out of order, missing.

pub mod arrivals;
pub mod entry;
pub mod envelope;
pub mod ledger;
pub(in crate::bench) mod messages;
pub mod seen;
