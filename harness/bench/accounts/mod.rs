//! What has arrived: right, wrong, doubled, out of order, missing.

pub mod arrivals;
pub mod entry;
pub mod envelope;
pub mod ledger;
pub mod seen;
